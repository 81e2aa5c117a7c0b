"""What is no request is refused and written down; what is one is seen byte by byte."""

import json
import socket
import time

import pytest

HOST = "rig.okta.com"
NOT_REQUESTS = {
    "bare LF": b"GET / HTTP/1.1\nHost: rig.okta.com\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX: a\rb\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nHost: rig.okta.com\r\n\r\n",
    "a Host with user": b"GET / HTTP/1.1\r\nHost: a@rig.okta.com\r\n\r\n",
    "absolute form": b"GET https://rig.okta.com/ HTTP/1.1\r\nHost: rig.okta.com\r\n\r\n",
    "authority form": b"CONNECT rig.okta.com:443 HTTP/1.1\r\nHost: rig.okta.com\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX : y\r\n\r\n",
    "folded line": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX: y\r\n z\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX: \0\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: rig.okta.com\r\n\r\n",
    "raw UTF-8 in the target": "GET /ü HTTP/1.1\r\nHost: rig.okta.com\r\n\r\n".encode(),
    "HTTP/1.0": b"GET / HTTP/1.0\r\nHost: rig.okta.com\r\n\r\n",
    "both framings": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "a list of lengths": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nContent-Length: 1, 1\r\n\r\nx",
    "a signed length": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nContent-Length: +1\r\n\r\nx",
    "another coding": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunk size": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    "chunk extension": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
    "chunk end": b"POST / HTTP/1.1\r\nHost: rig.okta.com\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy0\r\n\r\n",
}


@pytest.mark.parametrize("sent", NOT_REQUESTS.values(), ids=NOT_REQUESTS)
def test_what_is_no_request(rig, sent):
    before = len(rig.journal("malformed"))
    status, _, _ = rig.raw(HOST, sent)
    assert status in (400, 501, 505)
    found = rig.journal("malformed")
    assert len(found) == before + 1 and sent.decode("latin-1").startswith(found[-1]["head"])


def test_a_head_that_is_too_large(rig):
    assert rig.raw(HOST, b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\nX: " + b"y" * 200_000 + b"\r\n\r\n")[0] == 431


def test_each_byte_is_seen(rig):
    sent = b"PATCH /__echo//a%2Fb/../c?x=1&x=%32&&= HTTP/1.1\r\nHost: rig.okta.com\r\nX-A: 1\r\nx-a:  2 \r\nX-B: \xfc\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: t\r\n\r\n"
    # Arguments are part of the path: this endpoint takes none.
    assert rig.raw(HOST, sent)[0] == 400
    sent = sent.replace(b"/__echo//a%2Fb/../c", b"/a%2Fb/..//__echo")
    status, _, body = rig.raw(HOST, sent)
    told = json.loads(body)
    assert status == 200
    assert told["target"] == "/a%2Fb/..//__echo?x=1&x=%32&&="
    assert told["headers"] == [
        ["Host", HOST],
        ["X-A", "1"],
        ["x-a", "2"],
        ["X-B", "\xfc"],
        ["Transfer-Encoding", "chunked"],
    ]
    assert (told["body"]["length"], told["body"]["base64"], told["body"]["trailers"]) == (5, "YWJjZGU=", [["X-T", "t"]])
    assert rig.last["head"].encode("latin-1") == sent.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_the_handshakes_name_must_be_the_host(rig):
    sent = b"GET / HTTP/1.1\r\nHost: rig.okta.com\r\n\r\n"
    assert rig.raw("api.openai.com", sent)[0] == 421
    assert rig.last["verdict"] == "misdirected"


def test_strangers_find_nobody(rig):
    token = rig.identity("OpenAIAPIKey")["fields"]["api_token"]
    assert rig.head("evil.example", f"Authorization: Bearer {token}")[0] == 404
    assert (rig.last["verdict"], rig.last["secrets"]) == ("stranger", [["OpenAIAPIKey.good.api_token", "raw"]])
    # What no proxy should pass on is told.
    rig.head("evil.example", "Claviger-Host: a", "Cookie: a=b", "X-Forwarded-For: ::1", "Accept: */*")
    assert rig.last["unwelcome"] == ["claviger-host", "cookie", "x-forwarded-for"]


def test_connections_and_failed_handshakes_are_written_down(rig):
    before = len(rig.journal("connection")), len(rig.journal("handshake"))
    with socket.create_connection(("127.0.0.1", rig.tls)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.settimeout(10)
        try:
            plain.recv(100)
        except ConnectionResetError:
            pass
    deadline = time.monotonic() + 10
    while len(rig.journal("handshake")) == before[1]:
        assert time.monotonic() < deadline
    assert len(rig.journal("connection")) == before[0] + 1


def test_many_requests_on_one_connection(rig):
    token = rig.identity("OktaAPIToken")["fields"]["api_token"]
    one = f"GET /api/v1/users/me HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: SSWS {token}\r\n\r\n".encode()
    with rig.connect(HOST) as connection:
        connection.sendall(one * 3 + one.replace(b"SSWS", b"Bearer").replace(b"Host", b"Connection: close\r\nHost"))
        answered = b""
        while block := connection.recv(65536):
            answered += block
    assert [part[:3] for part in answered.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"401"]
