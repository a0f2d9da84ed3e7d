#!/usr/bin/env python3
"""Do the files under deploy/, docker-compose.yml and Dockerfile still fit the program? Python's standard library only.

Finds the checkout by BOXOFFICE_SOURCE, or from its own place.
"""
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("BOXOFFICE_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
SECRETS = ("BOXOFFICE_JWT_SECRET", "BOXOFFICE_DB_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD")
# What Prometheus makes of a histogram named without it, and what is not ours.
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def source():
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "src").rglob("*.cpp")))


def metrics_in(expression):
    return set(re.findall(r"\b(?:boxoffice|process)_[a-z_]+", expression))


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


class Watching(unittest.TestCase):
    """The dashboard and the alerts ask for metrics that the program has, and Prometheus for ports it listens on."""

    def setUp(self):
        self.known = set(re.findall(r'"((?:boxoffice|process)_[a-z_]+)"', source()))
        self.assertIn("boxoffice_http_requests_total", self.known)

    def check_names(self, names, where):
        unknown = {n for n in names if n not in self.known and SUFFIXES.sub("", n) not in self.known}
        self.assertFalse(unknown, f"{where} names metrics that src/ does not have")

    def test_the_dashboard_is_json_of_known_metrics(self):
        dashboard = json.loads(text("deploy/grafana-dashboard.json"))
        expressions = [v["expr"] for v in walk(dashboard) if isinstance(v, dict) and "expr" in v]
        self.assertGreater(len(expressions), 10)
        for expression in expressions:
            self.assertTrue(metrics_in(expression), expression)
            self.check_names(metrics_in(expression), "deploy/grafana-dashboard.json")
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)), "two panels have the same id")

    def test_the_alerts_ask_for_known_metrics(self):
        expressions = re.findall(r"expr: (.*)", text("deploy/alerts.yml"))
        self.assertTrue(expressions)
        for expression in expressions:
            self.check_names(metrics_in(expression), "deploy/alerts.yml")

    def test_every_alert_has_a_row_that_says_what_to_do(self):
        alerts = re.findall(r"alert: (\w+)", text("deploy/alerts.yml"))
        self.assertEqual(re.findall(r"(?m)^\| `(Boxoffice\w+)` \|", text("docs/operating.md")), alerts)

    def test_prometheus_asks_where_the_compose_file_listens(self):
        asked = dict(re.findall(r"names: \[(\w+)\], type: A, port: (\d+)", text("deploy/prometheus.yml")))
        listens = dict(re.findall(r"\n  (api|worker):\n.*?BOXOFFICE_LISTEN: \"0\.0\.0\.0:(\d+)\"", text("docker-compose.yml"), re.S))
        listens["proxy"] = re.search(r"frontend figures\n    bind :(\d+)", text("deploy/proxy/haproxy.cfg")).group(1)
        self.assertEqual(asked, listens)


class Proxy(unittest.TestCase):
    """What the proxy answers in the nodes' place."""

    def test_it_hides_the_figures_however_they_are_spelt(self):
        public = re.search(r"\nfrontend public\n(.*?)\n\n", text("deploy/proxy/haproxy.cfg"), re.S).group(1)
        refusals = re.findall(r"(?m)^    http-request return status 404 .*$", public)
        self.assertEqual(len(refusals), 1)
        self.assertRegex(refusals[0], r" if \{ path,url_dec -m beg /metrics \}$")

    def test_its_words_are_in_the_contract(self):
        listed = re.search(r"\n    ProblemCode:\n +type: string\n +enum:\n((?: +- \w+\n)+)", text("api/openapi.yaml")).group(1)
        said = re.findall(r'"code":"([^"]*)"', text("deploy/proxy/haproxy.cfg"))
        self.assertTrue(said)
        self.assertFalse(set(said) - set(re.findall(r"- (\w+)", listed)), "add to ProblemCode in api/openapi.yaml")


class Secrets(unittest.TestCase):
    """There is no secret that two installations share because none was chosen."""

    def test_the_compose_file_has_no_default_secret(self):
        compose = text("docker-compose.yml")
        for name in SECRETS:
            uses = re.findall(r"\$\{" + name + r"([^}]*)\}", compose)
            self.assertTrue(uses, f"{name} is not used")
            for rest in uses:
                self.assertTrue(rest.startswith(":?"), f"{name} must be refused when empty, not be ${{{name}{rest}}}")
        for key in re.findall(r"\n +(\w*(?:PASSWORD|SECRET|AUTH)\w*):(?! *\"\$\{)", compose):
            self.fail(f"{key} has a value of its own")
        for key in re.findall(r"://[^$\s\"]*:[^$@\s\"]+@", compose):
            self.fail(f"a URL has a password of its own: {key}")

    def test_the_example_is_empty_and_the_images_have_none(self):
        for name in SECRETS:
            self.assertRegex(text(".env.example"), rf"(?m)^{name}=$")
            self.assertNotIn(name, text("Dockerfile") + text("deploy/proxy/Dockerfile"))

    def test_make_env_writes_fresh_secrets_for_its_owner_only_and_never_over_others(self):
        with tempfile.TemporaryDirectory() as folder:
            first, second = pathlib.Path(folder, "first"), pathlib.Path(folder, "second")
            for file in (first, second):
                subprocess.run([ROOT / "deploy/make-env", file], check=True, capture_output=True)
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
            found = [re.findall(r"(?m)^(\w+)=([0-9a-f]{64})$", file.read_text()) for file in (first, second)]
            self.assertEqual([name for name, _ in found[0]], list(SECRETS))
            values = [value for pairs in found for _, value in pairs]
            self.assertEqual(len(values), len(set(values)))
            before = first.read_text()
            again = subprocess.run([ROOT / "deploy/make-env", first], capture_output=True, check=False)
            self.assertNotEqual(again.returncode, 0)
            self.assertEqual(first.read_text(), before)


class Fitting(unittest.TestCase):
    """Names that are written twice are the same."""

    def test_every_variable_is_one_that_the_program_reads(self):
        known = set(re.findall(r'"(BOXOFFICE_[A-Z_]+)"', source()))
        known |= {"BOXOFFICE_DB_PASSWORD", "BOXOFFICE_PUBLISH", "BOXOFFICE_FRONT_PROXIES", "BOXOFFICE_API_NODES",
                  "BOXOFFICE_WORKERS", "BOXOFFICE_TAG"}  # compose's own
        for path in ("docker-compose.yml", ".env.example", "Dockerfile", "deploy/boxoffice.service",
                     "deploy/boxoffice-worker.service", "deploy/boxoffice.env.example", "docs/operating.md"):
            used = set(re.findall(r"\b(BOXOFFICE_[A-Z_]*[A-Z])\b", text(path)))
            self.assertFalse(used - known, f"{path} names variables that nothing reads")

    def test_services_drop_every_privilege(self):
        compose = text("docker-compose.yml")
        services = re.search(r"\nservices:\n(.*?)\n# Each sees", compose, re.S).group(1)
        parts = re.split(r"(?m)^  (\w+):\n", services)[1:]
        self.assertEqual(parts[::2], ["proxy", "api", "worker", "db", "redis"])
        for name, body in zip(parts[::2], parts[1::2]):
            self.assertRegex(body, r"<<: \*(hardened|boxoffice)\n", name)
            self.assertIn("mem_limit:", body, name)
            self.assertNotIn("container_name:", body, name)
            self.assertNotIn("privileged:", body, name)
        for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "restart: unless-stopped"):
            self.assertIn(line, compose)

    def test_images_do_not_run_as_root(self):
        for path in ("Dockerfile", "deploy/proxy/Dockerfile"):
            self.assertRegex(text(path), r"(?m)^USER [1-9]\d*:[1-9]\d*$", path)  # numbers, for Kubernetes' runAsNonRoot
            self.assertIn("HEALTHCHECK", text(path))

    def test_the_runtime_has_a_package_for_each_library_of_the_binary(self):
        binary = os.environ.get("BOXOFFICE_BINARY")
        if not binary:
            self.skipTest("BOXOFFICE_BINARY is not set")
        shown = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        if "libasan" in shown or "not a dynamic" in shown:
            self.skipTest("not an ordinary binary")
        needed = subprocess.run(["objdump", "-p", binary], capture_output=True, text=True, check=False).stdout
        names = {n.lower() for n in re.findall(r"NEEDED +lib([a-z0-9_-]+?)(?:\.so|-)", needed, re.I)}
        packages = text("Dockerfile").split("AS runtime")[1].replace("_", "-").lower()
        always = {"m", "c", "gcc", "gcc_s", "stdc++", "crypto", "z", "tsan", "ubsan"}  # stdc++ brings gcc-s; crypto is libssl3's
        # One package has all of a family's libraries.
        names = {re.sub(r"^(icu|absl).*", r"\1", name) for name in names}
        for name in names - always:
            self.assertIn("lib" + name.replace("_", "-"), packages, "the runtime stage of Dockerfile lacks a library's package")


if __name__ == "__main__":
    unittest.main(verbosity=1 if sys.stdout.isatty() else 0)
