"""A rig for the tests: the real process, and ways to speak to it under the names of the services."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from http.client import HTTPResponse
from pathlib import Path

import pytest
import requests
import urllib3.util.connection

from upstream import secrets

FOLDER = Path(__file__).resolve().parent.parent
START_MAX = 30


class Running:
    """A rig that runs, as a test sees it."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets_file, self.ca, self.journal_file, ports = (
            folder / name for name in ("secrets.json", "ca.pem", "journal", "ports")
        )
        run = [sys.executable, str(FOLDER)]
        subprocess.run([*run, "secrets", "--seed", "tests", self.secrets_file], check=True)
        self.process = subprocess.Popen(
            [
                *run,
                "serve",
                "--secrets",
                self.secrets_file,
                "--ca",
                self.ca,
                "--journal",
                self.journal_file,
                "--ports",
                ports,
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_MAX
        while not ports.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "the rig did not start"
            time.sleep(0.02)
        opened = json.loads(ports.read_text())
        self.tls, self.clear = opened["tls"], opened["clear"]
        self.secrets = secrets.read(self.secrets_file)
        self.context = ssl.create_default_context(cafile=self.ca)

    def identity(self, type, variant="good"):
        return secrets.identity(self.secrets, type, variant)

    def journal(self, event="request"):
        """The lines so far of that kind."""
        lines = map(json.loads, self.journal_file.read_text().splitlines())
        return [line for line in lines if line["event"] == event]

    @property
    def last(self):
        """The last request that arrived, from the file's end: it grows long."""
        with open(self.journal_file, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 1_000_000))
            lines = (line for line in reversed(file.read().splitlines()) if b'"event": "request"' in line)
            return json.loads(next(lines))

    def connect(self, host, sni=None):
        """A connection to the listener for TLS, under that name; without a name, to the other."""
        plain = socket.create_connection(("127.0.0.1", self.tls if host else self.clear), timeout=20)
        return self.context.wrap_socket(plain, server_hostname=sni or host) if host else plain

    def raw(self, host, sent, sni=None):
        """Sends bytes, and reads one answer: status, headers as pairs, body."""
        with self.connect(host, sni) as connection:
            connection.sendall(sent)
            answer = HTTPResponse(connection, method=sent.split(b" ")[0].decode())
            answer.begin()
            return answer.status, answer.getheaders(), answer.read()

    def head(self, host, *lines, method="GET", target="/"):
        """Sends a request of those header lines."""
        return self.raw(host, "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode())

    def order(self, path, **given):
        answer = requests.post(
            f"http://127.0.0.1:{self.clear}{path}", json=given, headers={"Host": "rig.test"}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def rig(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("rig"))
    yield running
    running.process.terminate()
    assert running.process.wait(10) == 0


@pytest.fixture
def routed(rig, monkeypatch):
    """Lets unmodified clients reach the rig under the services' own URLs."""
    connect = urllib3.util.connection.create_connection

    def here(address, *args, **kwargs):
        host, port = address
        port = {443: rig.tls, 80: rig.clear}.get(port, port)
        return connect(("127.0.0.1", port), *args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", here)
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(rig.ca))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return rig


@pytest.fixture
def session(routed):
    """Plain HTTP under the services' URLs, that follows no redirect and retries nothing."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(routed.ca)
        # Nothing but what a test says.
        session.headers.clear()
        yield session
