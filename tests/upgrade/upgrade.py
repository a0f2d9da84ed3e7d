"""An earlier and this version of boxoffice on one store: one after the other on the embedded one, side by side on PostgreSQL.

usage: upgrade.py EARLIER LATER FOLDER      (paths of the two binaries; FOLDER is private and on a real disk)
Python's standard library only. Every server listens on a free port of 127.0.0.1 and is stopped by its pid.
"""
import collections
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import threading
import time

SECRET = "kD93mXq0vLz7TbWn5RcY2hJf8GsPa6Ue"
START_SECONDS = 60
SELL_SECONDS = 8
BUYERS = 8
SEATS = 400
# A buyer who hears one of these has been served: sold out is an answer.
SERVED = {200, 201, 204, 409}


class Failure(Exception):
    pass


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BOXOFFICE_", "PG"))}
    return kept | {"BOXOFFICE_RATE_LIMIT": "off", "BOXOFFICE_BCRYPT_COST": "4"} | more


class Node:
    def __init__(self, binary, environment, log):
        self.name = pathlib.Path(binary).parent.parent.parent.name
        self.log = open(log, "wb")
        command = [binary, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=self.log)
        self.port = None
        for line in self.process.stdout:
            found = re.search(rb"http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        if self.port is None:
            raise Failure(f"{binary} did not start: {pathlib.Path(log).read_text()[-2000:]}")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        if code != 0:
            raise Failure(f"{self.name} ended with {code}")


class Client:
    def __init__(self, node, token=None):
        self.node, self.token = node, token
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)

    def ask(self, method, path, body=None, **headers):
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        payload = None
        if body is not None:
            payload, headers["Content-Type"] = json.dumps(body), "application/json"
        self.connection.request(method, "/api/v1" + path, payload, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def demand(self, wanted, method, path, body=None):
        status, answer = self.ask(method, path, body)
        if status != wanted:
            raise Failure(f"{method} {path} answered {status}, not {wanted}: {answer}")
        return answer


def enrol(node, email):
    client = Client(node)
    client.demand(201, "POST", "/auth/register", {"email": email, "name": "Ada", "password": "correct horse"})
    client.token = client.demand(200, "POST", "/auth/login", {"email": email, "password": "correct horse"})["access_token"]
    return client


def event_of(client, title, seats):
    return client.demand(201, "POST", "/events/", {
        "title": title, "start_time": "2090-06-01T20:00:00Z", "end_time": "2090-06-01T23:00:00Z", "total_tickets": seats,
        "venue": {"address": "Piet Heinkade 3, Amsterdam", "latitude": 52.37, "longitude": 4.91}})


def doctor(binary, environment):
    ran = subprocess.run([binary, "doctor"], env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure(f"doctor complains:\n{ran.stdout}{ran.stderr}")


def run(binary, environment, *arguments):
    ran = subprocess.run([binary, *arguments], env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure(f"{' '.join(arguments)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")


def everything(client):
    """Every answer that must not change by an upgrade."""
    seen = {}
    for path in ("/events/?limit=100", "/for-you/events/nearby?latitude=48.85&longitude=2.35&radius_km=500&limit=50"):
        status, answer = client.ask("GET", path)
        seen[path] = (status, [(e["id"], e["title"], e["start_time"], e["tickets_sold"], e["available_tickets"]) for e in answer])
    return seen


def on_the_embedded_store(earlier, later, folder):
    environment = clean_environment(BOXOFFICE_DATA=str(folder / "data"))
    run(earlier, environment, "demo", "--events", "500", "--seed", "7")
    node = Node(earlier, environment, folder / "earlier.log")
    ada = enrol(node, "ada@example.org")
    event = event_of(ada, "Before the upgrade", 3)["id"]
    ticket = ada.demand(201, "POST", "/tickets/", {"event_id": event})["id"]
    ada.demand(200, "POST", f"/tickets/{ticket}/pay", {"payment_reference": "upgrade-1"})
    before = everything(ada)
    node.stop()

    node = Node(later, environment, folder / "later.log")
    again = Client(node, ada.token)
    if everything(again) != before:
        raise Failure("the upgraded store lists or finds other events")
    if again.demand(200, "GET", f"/tickets/{ticket}")["status"] != "paid":
        raise Failure("a paid ticket is not paid after the upgrade")
    if [e["id"] for e in again.demand(200, "GET", "/events/?q=upgrade")] != [event]:
        raise Failure("an event of before is not found by its words")
    again.demand(200, "POST", "/auth/login", {"email": "ada@example.org", "password": "correct horse"})
    other = again.demand(201, "POST", "/tickets/", {"event_id": event})["id"]
    again.demand(200, "POST", f"/tickets/{other}/pay", {"payment_reference": "upgrade-2"})
    node.stop()
    doctor(later, environment)
    print("embedded: opens, upgrades, answers as before and sells")


class Postgres:
    def __init__(self, folder):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
        if not found:
            raise Failure("no PostgreSQL is installed")
        self.bin = pathlib.Path(found[-1]).parent
        self.data = folder / "postgres"
        self.data.mkdir(mode=0o700)
        self.as_postgres = []
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            os.chown(self.data, who.pw_uid, who.pw_gid)
            self.as_postgres = ["runuser", "-u", "postgres", "--"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.call("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "-E", "UTF8")
        self.call("pg_ctl", "-D", str(self.data), "-l", str(self.data / "log"), "-w", "start", "-o",
                  f"-p {self.port} -k {self.data} -c listen_addresses=127.0.0.1")

    def call(self, program, *arguments):
        subprocess.run([*self.as_postgres, str(self.bin / program), *arguments], check=True, stdout=subprocess.DEVNULL)

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, database, text):
        ran = subprocess.run([str(self.bin / "psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text],
                             check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    def stop(self):
        self.call("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")


def buy(node, number, event, until, seen, bought, problems):
    """Reserves, pays most and gives some back, again and again, as fast as the node answers."""
    try:
        client = enrol(node, f"buyer-{node.port}-{number}@example.org")
        while time.monotonic() < until:
            status, ticket = client.ask("POST", "/tickets/", {"event_id": event})
            seen[(node.name, "reserve", status)] += 1
            if status not in SERVED:
                problems.append((node.name, "reserve", status, ticket))
            if status != 201:
                client.ask("GET", f"/events/{event}")
                continue
            if ticket["id"] % 3 == 0:
                status, answer = client.ask("POST", f"/tickets/{ticket['id']}/cancel")
            else:
                status, answer = client.ask("POST", f"/tickets/{ticket['id']}/pay",
                                            {"payment_reference": f"upgrade-{ticket['id']}"})
                if status == 200:
                    bought.append(ticket["id"])
            seen[(node.name, "settle", status)] += 1
            if status not in SERVED:
                problems.append((node.name, "settle", status, answer))
    except Exception as problem:  # pylint: disable=broad-except
        problems.append((node.name, "thread", 0, repr(problem)))


def publish(node, until, problems):
    """Adds, changes, finds and removes events while the others buy."""
    try:
        client = enrol(node, f"organizer-{node.port}@example.org")
        number = 0
        while time.monotonic() < until:
            number += 1
            word = f"rolling{node.port}x{number}"
            event = event_of(client, f"The {word} Concert", 10)
            changed = client.demand(200, "PATCH", f"/events/{event['id']}", {"total_tickets": 20})
            found = client.demand(200, "GET", f"/events/?q={word}")
            if changed["total_tickets"] != 20 or [e["id"] for e in found] != [event["id"]]:
                raise Failure(f"{node.name}: {word} is not found or not changed: {found}")
            client.demand(204, "DELETE", f"/events/{event['id']}")
    except Exception as problem:  # pylint: disable=broad-except
        problems.append((node.name, "publish", 0, repr(problem)))


def side_by_side(earlier, later, folder, postgres):
    postgres.sql("postgres", "CREATE DATABASE rolling")
    environment = clean_environment(BOXOFFICE_DATABASE_URL=postgres.url("rolling"), BOXOFFICE_JWT_SECRET=SECRET,
                                    BOXOFFICE_DATA=str(folder / "nodes"))
    run(earlier, environment, "demo", "--events", "300", "--seed", "7")
    old = Node(earlier, environment, folder / "old.log")
    organizer = enrol(old, "organizer@example.org")
    event = event_of(organizer, "Rolling upgrade", SEATS)["id"]
    before = everything(organizer)
    new = Node(later, environment, folder / "new.log")  # upgrades the schema under the old node
    for node in (old, new):
        if everything(Client(node, organizer.token)) != before:
            raise Failure(f"{node.name} lists or finds other events during the upgrade")
    seen, bought, problems = collections.Counter(), [], []
    until = time.monotonic() + SELL_SECONDS
    threads = [threading.Thread(target=buy, args=(node, n, event, until, seen, bought, problems))
               for n in range(BUYERS) for node in (old, new)]
    threads += [threading.Thread(target=publish, args=(node, until, problems)) for node in (old, new)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, count in sorted(seen.items()):
        print("  ", *key, count)
    if problems:
        raise Failure(f"{len(problems)} answers were wrong, the first: {problems[0]}")
    counts = [Client(node).demand(200, "GET", f"/events/{event}")["tickets_sold"] for node in (old, new)]
    paid = int(postgres.sql("rolling", f"SELECT count(*) FROM tickets WHERE event_id = {event} AND status = 1"))
    if paid != len(bought) or len(set(bought)) != len(bought) or paid > SEATS or counts[0] != counts[1]:
        raise Failure(f"sold {paid}, acknowledged {len(bought)}, seats {SEATS}, the nodes say {counts}")
    old.stop()
    new.stop()
    doctor(later, environment)
    print(f"side by side on PostgreSQL: {len(bought)} paid of {SEATS} seats, none lost, none doubled, no error")


def main(earlier, later, folder):
    folder = pathlib.Path(folder)
    on_the_embedded_store(earlier, later, folder)
    postgres = Postgres(folder)
    try:
        side_by_side(earlier, later, folder, postgres)
    finally:
        postgres.stop()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except Failure as failure:
        sys.exit(f"upgrade: {failure}")
