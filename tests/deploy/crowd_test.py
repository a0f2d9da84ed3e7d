#!/usr/bin/env python3
"""A real node with the settings it comes with, and clients that want all of it. Loopback only; ends what it starts."""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the checkout may be read-only
from proxy_test import BINARY, GREEDY, HONEST, V4_MAX, ask, await_, dial, free_port, request, status_of

FILES = 500  # of the small node: far fewer than --connections


class Node:
    """A server over a store of its own, with a limit on open files if one is given."""

    def __init__(self, files=None):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.log = pathlib.Path(self.folder.name, "log")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BOXOFFICE_")}
        limit = f"ulimit -n {files}; " if files else ""
        words = ["bash", "-c", limit + 'exec "$0" "$@"', BINARY, "serve", "--data", self.folder.name, "--listen", f"127.0.0.1:{self.port}",
                 "--io-threads", "2"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        await_(self.is_up, "the node does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def is_up(self):
        try:
            return ask(self.port, "/health/ready")[0] == 200
        except OSError:
            return False


@unittest.skipUnless(BINARY, "needs BOXOFFICE_BINARY")
class Crowds(unittest.TestCase):
    def test_connections_come_to_their_limit_before_the_files_run_out(self):
        with Node(FILES) as node:
            held = []
            try:
                for number in range(2 * FILES):
                    held.append(dial(node.port, f"127.0.{1 + number % 8}.66"))
                    held[-1].sendall(b"GET /hel" if number % 2 else request("/health"))
                for _ in range(20):
                    self.assertEqual(ask(node.port, "/api/v1/events/", HONEST)[0], 200)
                self.assertLess(len(os.listdir(f"/proc/{node.process.pid}/fd")), FILES)
                _, figures = ask(node.port, "/metrics")
                self.assertIn('boxoffice_shed_total{class="connection",reason="made_way"}', figures)
            finally:
                for connection in held:
                    connection.close()
            said = node.log.read_text()
            self.assertIn("connections limited by the limit on open files", said)
            self.assertNotIn("accepting a connection failed", said)

    def test_one_address_has_its_share_and_the_others_are_not_refused(self):
        with Node() as node:
            held = []
            try:
                for _ in range(V4_MAX):
                    held.append(dial(node.port, GREEDY))
                    held[-1].sendall(request("/health"))
                self.assertEqual([status_of(c) for c in held], [200] * V4_MAX)
                self.assertEqual(ask(node.port, "/health", GREEDY)[0], 503)
                self.assertEqual(ask(node.port, "/health", HONEST)[0], 200)
            finally:
                for connection in held:
                    connection.close()


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    unittest.main(verbosity=1 if sys.stdout.isatty() else 0)
