"""Endpoints that every host has beside its service: whatever a proxy must carry, mask, or survive.

Credentials are judged here as everywhere, but only written down: `X-Rig-Verdict` and the journal say what was found.
Each endpoint writes its own bytes, since the point of most is what no library would send.
"""

import asyncio
import base64
import gzip
import json
from dataclasses import dataclass
from urllib.parse import unquote

from upstream.reflect import reflected
from upstream.wire import BLOCK, Answer, Request, as_json, head_bytes

# Deterministic, and of no use to a compressor that looks at one block.
PATTERN = bytes((i * 7 + (i >> 8) * 13) & 0xFF for i in range(BLOCK))
JSON = ("Content-Type", "application/json")
# The longest wait and the longest stream that a test may ask for, in milliseconds and events.
WAIT_MAX, EVENTS_MAX = 600_000, 1_000_000


class Reset(Exception):
    """The connection is to end with a reset."""


@dataclass
class Exchange:
    """One request on its way to an answer."""

    request: Request
    writer: asyncio.StreamWriter
    finding: object
    state: object
    sni: str | None
    sent: int = 0
    # Whether the connection can carry another request.
    is_reusable: bool = True

    @property
    def is_head(self):
        return self.request.method == "HEAD"

    def headers(self, *more):
        return [("X-Rig-Verdict", self.finding.verdict), *more]

    async def send(self, data):
        """Writes, and waits until there is room: what is not taken is not kept."""
        self.writer.write(data)
        await self.writer.drain()
        self.sent += len(data)

    async def head(self, status, *headers):
        await self.send(head_bytes(status, self.headers(*headers)))

    async def answer(self, answer):
        answer.headers = self.headers(*answer.headers)
        await self.send(answer.bytes(self.request.method))

    async def chunk(self, data):
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def number(self, text, most):
        """A number in the path."""
        if not (text.isascii() and text.isdigit() and int(text) <= most):
            raise ValueError(f"{text} is no number up to {most}")
        return int(text)


async def echo(exchange):
    """The request as it came: its bytes as latin-1 text, in order, duplicates and all."""
    request = exchange.request
    body = {"length": request.body.length, "sha256": request.body.sha256, "trailers": request.body.trailers}
    if request.body.is_whole:
        body["base64"] = base64.b64encode(request.body.kept).decode()
    await exchange.answer(
        as_json(
            200,
            {
                "method": request.method,
                "target": request.target,
                "headers": request.headers,
                "sni": exchange.sni,
                "body": body,
            },
        )
    )


async def status(exchange, code):
    await exchange.answer(as_json(exchange.number(code, 999), {"status": int(code)}))


async def stream(exchange, count, pause):
    """Server-sent events, `count` of them, `pause` milliseconds apart."""
    count, pause = exchange.number(count, EVENTS_MAX), exchange.number(pause, WAIT_MAX)
    await exchange.head(
        200, ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"), ("Transfer-Encoding", "chunked")
    )
    if exchange.is_head:
        return
    for number in range(count):
        await exchange.chunk(f'id: {number}\ndata: {{"event": {number}}}\n\n'.encode())
        await asyncio.sleep(pause / 1000)
    await exchange.send(b"0\r\n\r\n")


async def many_bytes(exchange, length):
    """Exactly so many, of PATTERN over and over; `?chunked` without a length ahead."""
    length = exchange.number(length, 1 << 40)
    is_chunked = exchange.request.parameter("chunked") is not None
    frame = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(length))
    await exchange.head(200, ("Content-Type", "application/octet-stream"), frame)
    if exchange.is_head:
        return
    for start in range(0, length, BLOCK):
        block = PATTERN[: min(BLOCK, length - start)]
        await (exchange.chunk(block) if is_chunked else exchange.send(block))
    if is_chunked:
        await exchange.send(b"0\r\n\r\n")


async def slow(exchange, pause):
    """Waits before the head, or with `?at=body` between the head and the body."""
    pause = exchange.number(pause, WAIT_MAX) / 1000
    if exchange.request.parameter("at") != "body":
        await asyncio.sleep(pause)
        return await exchange.answer(as_json(200, {"slow": True}))
    await exchange.head(200, JSON, ("Content-Length", "2"))
    await asyncio.sleep(pause)
    await exchange.send(b"" if exchange.is_head else b"{}")


async def reset(exchange, after):
    """Promises more than it sends: `after` bytes of the body, then a reset. With `?at=head` not even a head."""
    after = exchange.number(after, 1 << 30)
    if exchange.request.parameter("at") != "head":
        await exchange.head(200, ("Content-Type", "application/octet-stream"), ("Content-Length", str(after + BLOCK)))
        for start in range(0, after, BLOCK):
            await exchange.send(PATTERN[: min(BLOCK, after - start)])
    exchange.is_reusable = False
    raise Reset


async def cut(exchange, after):
    """As a reset, but ended politely: the body is short of what was promised."""
    after = exchange.number(after, 1 << 30)
    await exchange.head(200, ("Content-Type", "application/octet-stream"), ("Content-Length", str(after + BLOCK)))
    for start in range(0, after, BLOCK):
        await exchange.send(PATTERN[: min(BLOCK, after - start)])
    exchange.is_reusable = False


async def redirect(exchange):
    """To wherever `?to=` says, with the `status=` given."""
    target = unquote(exchange.request.query.partition("to=")[2].partition("&")[0])
    code = exchange.number(exchange.request.parameter("status", "302"), 399)
    await exchange.answer(Answer(code, [("Location", target.replace("\r", "").replace("\n", ""))]))


async def headers(exchange, size):
    """A header of so many bytes, or with `?count=` so many of that size."""
    size, count = exchange.number(size, 1 << 20), exchange.number(exchange.request.parameter("count", "1"), 10_000)
    fill = [(f"X-Rig-Fill-{number}", "f" * size) for number in range(count)]
    await exchange.answer(as_json(200, {"headers": count}, *fill))


async def trailers(exchange):
    """A chunked body with trailers behind it; two of them are such that nobody should pass on."""
    await exchange.head(200, JSON, ("Transfer-Encoding", "chunked"), ("Trailer", "X-Rig-Checksum, Set-Cookie"))
    if not exchange.is_head:
        await exchange.chunk(b"{}")
        await exchange.send(b"0\r\nX-Rig-Checksum: 2\r\nSet-Cookie: trailer=1\r\nContent-Length: 99\r\n\r\n")


async def interim(exchange):
    """Two answers on the way, then the real one."""
    await exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await exchange.send(head_bytes(103, [("Link", "</style.css>; rel=preload")]))
    await exchange.answer(as_json(200, {"interim": 2}))


async def both(exchange):
    """What RFC 9112 forbids a server to send: two framings that do not agree."""
    await exchange.head(200, JSON, ("Transfer-Encoding", "chunked"), ("Content-Length", "3"))
    await exchange.chunk(b'{"smuggled": true}')
    await exchange.send(b"0\r\n\r\n")
    exchange.is_reusable = False


async def lengths(exchange):
    """Two lengths that differ."""
    await exchange.head(200, JSON, ("Content-Length", "2"), ("Content-Length", "20"))
    await exchange.send(b"{}")
    exchange.is_reusable = False


async def zipped(exchange):
    """Encoded whether that was asked for or not; with `?reflect` what it encodes are credentials."""
    plain = await asyncio.to_thread(_plain, exchange)
    coding = exchange.request.parameter("coding", "gzip")
    await exchange.answer(Answer(200, [JSON, ("Content-Encoding", coding)], gzip.compress(plain)))


def _plain(exchange):
    is_reflecting = exchange.request.parameter("reflect") is not None
    return reflected(exchange.request, exchange.state)[1] if is_reflecting else b'{"gzip": true}'


async def set_cookie(exchange):
    """Cookies, and headers in the names of those on the way."""
    await exchange.answer(
        as_json(
            200,
            {"cookies": 2},
            ("Set-Cookie", "session=upstream; Path=/; HttpOnly"),
            ("Set-Cookie", "other=1; Domain=example.com"),
            ("Claviger-Error", "forged"),
            ("Claviger-Position", "1.1"),
            ("Proxy-Authenticate", "Basic"),
            ("Connection", "X-Rig-Hop"),
            ("X-Rig-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("X-Rig-Kept", "yes"),
        )
    )


async def reflect(exchange):
    """The credentials that came, as `upstream.reflect` writes them, in headers and in the body.

    `?only=body` or `?only=headers`; `?chunk=` cuts the body into chunks of so many bytes.
    """
    only, size = exchange.request.parameter("only"), exchange.request.parameter("chunk")
    fields, body = reflected(exchange.request, exchange.state)
    fields, body = [] if only == "body" else fields, b"{}" if only == "headers" else body
    kind = ("Content-Type", "text/plain; charset=utf-8")
    if size is None or exchange.is_head:
        return await exchange.answer(Answer(200, [kind, *fields], body))
    size = max(1, exchange.number(size, BLOCK))
    await exchange.head(200, kind, ("Transfer-Encoding", "chunked"), *fields)
    for start in range(0, len(body), size):
        await exchange.chunk(body[start : start + size])
    await exchange.send(b"0\r\n\r\n")


async def early(exchange, code):
    """Answers before the body has come, and hangs up."""
    exchange.is_reusable = False
    await exchange.answer(as_json(exchange.number(code, 999), {"early": True}, ("Connection", "close")))


ENDPOINTS = {
    "__echo": echo,
    "__status": status,
    "__stream": stream,
    "__bytes": many_bytes,
    "__slow": slow,
    "__reset": reset,
    "__cut": cut,
    "__redirect": redirect,
    "__headers": headers,
    "__trailers": trailers,
    "__continue": interim,
    "__both": both,
    "__lengths": lengths,
    "__gzip": zipped,
    "__set-cookie": set_cookie,
    "__reflect": reflect,
    "__early": early,
}


def endpoint_for(path):
    """The endpoint that a path names, with its arguments, or None. Below a base URL's path too."""
    _, mark, rest = path.partition("/__")
    name, *arguments = ("__" + rest).split("/")
    return (ENDPOINTS[name], arguments) if mark and name in ENDPOINTS else None


async def respond(exchange, endpoint, arguments):
    """Runs an endpoint; what a test asks for wrongly is told."""
    try:
        await endpoint(exchange, *arguments)
    except (ValueError, TypeError) as error:
        if exchange.sent:
            raise
        await exchange.answer(Answer(400, [JSON], json.dumps({"error": str(error)}).encode()))
