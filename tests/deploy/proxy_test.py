#!/usr/bin/env python3
"""deploy/proxy/haproxy.cfg, run by a real HAProxy before a real node, with other addresses in it. Loopback only; ends what it starts."""
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("BOXOFFICE_BINARY")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
GREEDY, HONEST, FRONT, V4_MAX, FEEDS_MAX = "127.0.0.66", "127.0.0.77", "127.0.0.9", 512, 256
PATIENCE_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def dial(port, source=HONEST):
    connection = socket.socket()
    connection.settimeout(PATIENCE_S)
    try:
        connection.bind((source, 0))
        connection.connect(("127.0.0.1", port))
    except OSError:
        connection.close()
        raise
    return connection


def request(path, fields=""):
    return f"GET {path} HTTP/1.1\r\nHost: box\r\n{fields}\r\n".encode()


def head_of(connection):
    """Up to the empty line; what there is when the connection ends before."""
    head = b""
    while b"\r\n\r\n" not in head:
        try:
            byte = connection.recv(1)
        except ConnectionResetError:
            break
        if not byte:
            break
        head += byte
    return head.decode("latin-1")


def status_of(connection):
    head = head_of(connection)
    return int(head.split()[1]) if head else 0


def ask(port, path, source=HONEST, fields=""):
    with dial(port, source) as connection:
        connection.sendall(request(path, "Connection: close\r\n" + fields))
        head = head_of(connection)
        body = b""
        while head and (more := connection.recv(65536)):
            body += more
        return (int(head.split()[1]) if head else 0), body.decode()


def await_(condition, what):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(what)
        time.sleep(0.02)


@unittest.skipUnless(HAPROXY and BINARY, "needs haproxy and BOXOFFICE_BINARY")
class RealProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.node, cls.port, cls.figures = free_port(), free_port(), free_port()
        cls.running = []
        cls.addClassCleanup(cls.end)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BOXOFFICE_")}
        environment["BOXOFFICE_FRONT_PROXIES"] = FRONT
        cls.start([BINARY, "demo", "--data", cls.folder.name, "--events", "5"], environment, wait=True)
        cls.start([BINARY, "serve", "--data", cls.folder.name, "--listen", f"127.0.0.1:{cls.node}", "--trusted-proxies", "127.0.0.1"],
                  environment)
        text = (ROOT / "deploy/proxy/haproxy.cfg").read_text()
        text = re.sub(r"(?ms)^resolvers names\n.*?\n\n", "", text).replace(" resolvers names resolve-prefer ipv4", "")
        text = text.replace("server-template api 64 api:8000 check", f"server api1 127.0.0.1:{cls.node} source 127.0.0.1 check")
        text = text.replace("bind :8080", f"bind 127.0.0.1:{cls.port}").replace("bind :8404", f"bind 127.0.0.1:{cls.figures}")
        file = pathlib.Path(cls.folder.name, "haproxy.cfg")
        # As a process of its own the proxy may not have the files of a container.
        file.write_text(text.replace("maxconn 16064", "maxconn 3000").replace("fd-hard-limit 40000", "fd-hard-limit 8000"))
        cls.start([HAPROXY, "-db", "-f", str(file)], environment)
        await_(cls.is_up, "the proxy finds no node")

    @classmethod
    def start(cls, words, environment, wait=False):
        log = open(pathlib.Path(cls.folder.name, f"{len(cls.running)}.log"), "wb")
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        cls.running.append((process, log))
        if wait and process.wait(timeout=120) != 0:
            raise AssertionError(f"{words} failed")

    @classmethod
    def end(cls):
        for process, log in reversed(cls.running):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()
        cls.folder.cleanup()

    @classmethod
    def is_up(cls):
        try:
            return ask(cls.port, "/health/ready")[0] == 200 and ask(cls.port, "/api/v1/events/1/live/x")[0] == 404
        except OSError:
            return False

    def test_one_address_has_its_share_of_connections_and_others_have_theirs(self):
        held = [dial(self.port, GREEDY) for _ in range(V4_MAX)]
        try:
            for number, connection in enumerate(held):
                connection.sendall(b"GET /hel" if number % 2 else request("/health"))
            self.assertEqual([status_of(c) for c in held[::2]], [200] * (V4_MAX // 2))
            self.assertFalse(self.serves(GREEDY), "one more")
            for _ in range(20):
                self.assertEqual(ask(self.port, "/api/v1/events/?limit=1")[0], 200)
        finally:
            for connection in held:
                connection.close()
        await_(lambda: self.serves(GREEDY), "places do not come back")

    def serves(self, source):
        try:
            return ask(self.port, "/health", source)[0] == 200
        except OSError:
            return False

    def test_one_address_has_its_share_of_live_feeds_and_is_told_so(self):
        held = []
        try:
            for _ in range(FEEDS_MAX):
                held.append(dial(self.port, GREEDY))
                held[-1].sendall(request("/api/v1/events/1/live"))
            self.assertEqual([status_of(c) for c in held], [200] * FEEDS_MAX)
            status, body = ask(self.port, "/api/v1/events/1/live", GREEDY)
            self.assertEqual((status, json.loads(body)["code"]), (503, "busy"))
            self.assertEqual(ask(self.port, "/api/v1/events/1", GREEDY)[0], 200)
            with dial(self.port) as other:
                other.sendall(request("/api/v1/events/1/live"))
                self.assertEqual(status_of(other), 200)
        finally:
            for connection in held:
                connection.close()

    def test_two_thousand_feeds_from_many_addresses_shut_nobody_out(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            self.skipTest("needs 4096 open files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        held = []
        try:
            for number in range(2000):
                held.append(dial(self.port, f"127.0.{1 + number % 20}.66"))
                held[-1].sendall(request("/api/v1/events/1/live"))
            self.assertEqual([status_of(c) for c in held], [200] * 2000)
            for _ in range(20):
                self.assertEqual(ask(self.port, "/api/v1/events/1")[0], 200)
            with dial(self.port) as other:
                other.sendall(request("/api/v1/events/1/live"))
                self.assertEqual(status_of(other), 200)
        finally:
            for connection in held:
                connection.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_front_proxys_clients_are_told_apart_and_an_unreadable_one_is_refused(self):
        for words in ("unknown", "203.0.113.7, nobody", ""):
            status, body = ask(self.port, "/health", FRONT, f"X-Forwarded-For: {words}\r\n")
            self.assertEqual((status, json.loads(body)["code"]), (400, "malformed"), words)
        self.assertEqual(ask(self.port, "/health", FRONT, "X-Forwarded-For: 203.0.113.7\r\n")[0], 200)
        self.assertEqual(ask(self.port, "/health", FRONT)[0], 200)
        self.assertEqual(ask(self.port, "/health", HONEST, "X-Forwarded-For: unknown\r\n")[0], 200)

    def test_figures_are_at_a_port_of_their_own_only(self):
        for path in ("/metrics", "/%6Detrics", "/metrics/"):
            self.assertEqual(ask(self.port, path)[0], 404, path)
        status, body = ask(self.figures, "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("haproxy_frontend_current_sessions", body)

    def test_it_speaks_no_http_2(self):
        with dial(self.port) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            self.assertTrue(head_of(connection).startswith("HTTP/1.1 400"))


if __name__ == "__main__":
    unittest.main(verbosity=1 if sys.stdout.isatty() else 0)
