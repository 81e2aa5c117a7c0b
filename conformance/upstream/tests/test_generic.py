"""The endpoints beside the services: each does to a client what it says."""

import base64
import gzip
import json
import socket
import time
from http.client import HTTPResponse, IncompleteRead
from urllib.parse import quote

import pytest

from upstream.generic import PATTERN
from upstream.journal import forms

HOST = "evil.example"


def get(rig, target, *lines, method="GET", host=HOST):
    return rig.head(host, *lines, method=method, target=target)


def everything(rig, target):
    """All bytes until the rig hangs up."""
    with rig.connect(HOST) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        found = b""
        while block := connection.recv(65536):
            found += block
    return found


def test_credentials_are_judged_but_not_asked_for(rig):
    token = rig.identity("OpenAIAPIKey")["fields"]["api_token"]
    for line, verdict in (
        (f"Authorization: Bearer {token}", "ok"),
        ("Accept: */*", "missing"),
        ("Authorization: Bearer x", "wrong"),
    ):
        status, headers, _ = get(rig, "/__echo", line, host="api.openai.com")
        assert (status, dict(headers)["X-Rig-Verdict"]) == (200, verdict)
        assert rig.last["verdict"] == verdict


@pytest.mark.parametrize("status", [200, 204, 299, 304, 400, 401, 404, 429, 500, 503, 599])
def test_status(rig, status):
    answered, headers, body = get(rig, f"/__status/{status}")
    assert answered == status and (not body) == (status in (204, 304))
    assert ("Content-Length" in dict(headers)) == (status not in (204, 304))
    assert get(rig, f"/__status/{status}", method="HEAD")[2] == b""


def test_stream_comes_as_it_is_sent(rig):
    with rig.connect(HOST) as connection:
        connection.sendall(f"GET /__stream/1000/10 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.getheader("Content-Type") == "text/event-stream"
        assert answer.readline() == b"id: 0\n"
        before = len(rig.journal("ended"))
        answer.close()
    # Whoever leaves is noticed.
    deadline = time.monotonic() + 10
    while len(rig.journal("ended")) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert rig.journal("ended")[-1]["whole"] is False
    assert get(rig, "/__stream/3/1")[2].count(b"data: ") == 3


@pytest.mark.parametrize("length", [0, 1, 65535, 65536, 65537, 1_000_003])
def test_bytes_are_exact(rig, length):
    expected = (PATTERN * (length // len(PATTERN) + 1))[:length]
    for query in ("", "?chunked"):
        status, _, body = get(rig, f"/__bytes/{length}{query}")
        assert status == 200 and body == expected


def test_many_bytes_in_little_memory(rig):
    def resident():
        with open(f"/proc/{rig.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) * 1024

    before, received = resident(), 0
    with rig.connect(HOST) as connection:
        connection.sendall(f"GET /__bytes/200000000 HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        buffer = bytearray(1 << 20)
        while count := connection.recv_into(buffer):
            received += count
    assert received > 200_000_000
    # As much upwards: digested, not kept.
    with rig.connect(HOST) as connection:
        connection.sendall(f"PUT /__echo HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 200000000\r\n\r\n".encode())
        for _ in range(200):
            connection.sendall(b"x" * 1_000_000)
        answer = HTTPResponse(connection)
        answer.begin()
        told = json.loads(answer.read())["body"]
        assert told["length"] == 200_000_000 and "base64" not in told
    assert resident() - before < 30_000_000


def test_slow(rig):
    for query in ("", "?at=body"):
        begun = time.monotonic()
        assert get(rig, f"/__slow/200{query}")[0] == 200
        assert time.monotonic() - begun >= 0.2


def test_reset_and_cut(rig):
    with rig.connect(HOST) as connection:
        connection.sendall(f"GET /__reset/70000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.read(70000) == (PATTERN * 2)[:70000]
        # Python's TLS tells a reset as an end; the next test sees it bare.
        with pytest.raises((ConnectionResetError, IncompleteRead)):
            answer.read()
    with pytest.raises(ConnectionResetError):
        get(rig, "/__reset/0?at=head")
    with pytest.raises(IncompleteRead):
        get(rig, "/__cut/100")


def test_reset_in_clear(rig):
    """Without TLS between, so that it is a reset and not a missing goodbye."""
    with socket.create_connection(("127.0.0.1", rig.clear)) as connection:
        connection.sendall(f"GET /__reset/10 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_redirect(rig):
    target = "http://169.254.169.254/latest/"
    status, headers, _ = get(rig, f"/__redirect?to={quote(target, safe='')}&status=307")
    assert (status, dict(headers)["Location"]) == (307, target)
    assert dict(get(rig, "/__redirect?to=//evil.example/%0d%0aX:1")[1])["Location"] == "//evil.example/X:1"


def test_headers(rig):
    assert len(dict(get(rig, "/__headers/60000")[1])["X-Rig-Fill-0"]) == 60000
    assert sum(name.startswith("X-Rig-Fill") for name, _ in get(rig, "/__headers/10?count=90")[1]) == 90


def test_what_no_library_sends(rig):
    trailers = everything(rig, "/__trailers")
    assert trailers.endswith(
        b"\r\n2\r\n{}\r\n0\r\nX-Rig-Checksum: 2\r\nSet-Cookie: trailer=1\r\nContent-Length: 99\r\n\r\n"
    )
    interim = everything(rig, "/__continue")
    assert (
        interim.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: ")
        and b"HTTP/1.1 200 OK\r\n" in interim
    )
    both = everything(rig, "/__both")
    assert b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" in both
    assert everything(rig, "/__lengths").count(b"Content-Length: ") == 2
    cookies = get(rig, "/__set-cookie")[1]
    assert [name for name, _ in cookies].count("Set-Cookie") == 2 and ("Claviger-Error", "forged") in cookies


def test_gzip_is_not_asked_for(rig):
    _, headers, body = get(rig, "/__gzip", "Accept-Encoding: identity")
    assert dict(headers)["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(body)) == {"gzip": True}
    _, _, body = get(rig, "/__gzip?reflect", "Authorization: Bearer something-secret")
    assert b"<something-secret>" in gzip.decompress(body)


def test_early_answers_come_before_the_body(rig):
    sent = f"POST /__early/413 HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n".encode()
    assert rig.raw(HOST, sent)[0] == 413


def test_expect_is_answered(rig):
    with rig.connect(HOST) as connection:
        connection.sendall(
            f"POST /__echo HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode()
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200


def test_reflect_writes_secrets_in_every_form(rig):
    one = rig.identity("ServiceNowBasicAuth")["fields"]
    password = one["password"]
    pair = base64.b64encode(f"{one['username']}:{password}".encode()).decode()
    for query in ("", "?only=body&chunk=1", "?only=body&chunk=7"):
        _, headers, body = get(rig, f"/__reflect{query}", f"Authorization: Basic {pair}", host="rig.service-now.com")
        names = {form for form, needle in forms(password) if needle in body}
        assert names == {"raw", "url", "json", "hex", "base64"}, names
        assert pair.encode() in body
    assert any(
        name.startswith("X-Reflect-") for name, _ in get(rig, "/__reflect", "Authorization: Bearer something-secret")[1]
    )
    # What no table names, by name.
    assert b"<something-secret>" in get(rig, "/__reflect?header=X-Own", "X-Own: something-secret")[2]


def test_what_is_asked_wrongly_is_told(rig):
    for target in ("/__status/x", "/__bytes/-1", "/__stream/1", "/__echo/x", "/__slow/9999999"):
        assert get(rig, target)[0] == 400, target
    assert get(rig, "/__nothing")[0] == 404
