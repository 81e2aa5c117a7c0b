"""HTTP/1.1 as bytes: one request read strictly, one answer written exactly.

No library stands between, because what the suites ask is what was on the wire: duplicates, order, framing. Whatever
RFC 9112 lets a server refuse is refused here, so that a sloppy sender is seen.
"""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote_plus

# A head of 100 KiB goes through; the suites send large ones on purpose.
HEAD_MAX = 128 * 1024
# As much of a body is kept for judging; the rest is counted and digested only.
KEPT_MAX = 1024 * 1024
BLOCK = 64 * 1024

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Visible ASCII, so that a control character or a raw UTF-8 byte is seen rather than guessed at.
_TARGET = re.compile(rb"/[!-~]*|\*")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")


class Malformed(Exception):
    """What arrived is no request; `head` is as much of it as was read."""

    def __init__(self, status, reason, head=b""):
        super().__init__(reason)
        self.status, self.reason, self.head = status, reason, head


@dataclass
class Body:
    """What followed a head: its beginning, and the whole by length and digest."""

    kept: bytes = b""
    length: int = 0
    trailers: list = field(default_factory=list)
    digest: object = field(default_factory=hashlib.sha256)

    @property
    def sha256(self):
        return self.digest.hexdigest()

    @property
    def is_whole(self):
        """Whether all of it was kept."""
        return self.length == len(self.kept)

    def take(self, block):
        self.length += len(block)
        self.digest.update(block)
        room = KEPT_MAX - len(self.kept)
        if room > 0:
            self.kept += block[:room]


@dataclass
class Request:
    """A request as it came: names and values as latin-1 text, in order, duplicates and all."""

    method: str
    target: str
    headers: list
    head: bytes
    body: Body = field(default_factory=Body)

    def all(self, name):
        """Each value of that header."""
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def one(self, name):
        """The value of that header if it is there once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    @property
    def parameters(self):
        """The query's pairs, decoded as forms are."""
        return pairs(self.query)

    def parameter(self, name, default=None):
        return next((value for known, value in self.parameters if known == name), default)

    @property
    def host(self):
        """The name in `Host`, which was there once, in lower case without a port."""
        return self.one("host").rpartition(":")[0].lower() if ":" in self.one("host") else self.one("host").lower()

    def form(self):
        """The pairs of a form's body, or nothing if it is none."""
        kind = (self.one("content-type") or "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded" or not self.body.is_whole:
            return None
        return pairs(self.body.kept.decode("latin-1"))


def pairs(text):
    """`a=1&b=2` as pairs, decoded; what is not UTF-8 stays wrong, and so matches nothing."""
    return [
        (unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace"))
        for name, _, value in (part.partition("=") for part in text.split("&") if part)
    ]


async def read_head(reader):
    """The next request without its body, or None where the peer left. Raises Malformed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Malformed(400, "the head ends early", error.partial) from None
    except asyncio.LimitOverrunError:
        raise Malformed(431, "the head is too large", await reader.read(HEAD_MAX)) from None
    try:
        return _parse(head)
    except Malformed as error:
        raise Malformed(error.status, error.reason, head) from None


def _parse(head):
    line, *rest = head[:-4].split(b"\r\n")
    if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
        raise Malformed(400, "a bare CR or LF")
    parts = line.split(b" ")
    if len(parts) != 3:
        raise Malformed(400, "the request line has not three parts")
    method, target, version = parts
    if version != b"HTTP/1.1":
        raise Malformed(505, "not HTTP/1.1")
    if not _TOKEN.fullmatch(method):
        raise Malformed(400, "the method is no token")
    if not _TARGET.fullmatch(target):
        raise Malformed(400, "the target is not in origin form")
    headers = [_header(raw) for raw in rest]
    request = Request(method.decode(), target.decode(), headers, head)
    if len(request.all("host")) != 1 or not re.fullmatch(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?", request.one("host")):
        raise Malformed(400, "not exactly one plain Host")
    return request


def _header(raw):
    name, colon, value = raw.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        raise Malformed(400, "a header's name is no token")
    if not _VALUE.fullmatch(value):
        raise Malformed(400, "a control character in a header")
    return name.decode(), value.strip(b" \t").decode("latin-1")


def framing(request):
    """How the body is framed: "chunked" or a length. Raises Malformed where the two could be confused."""
    lengths, codings = request.all("content-length"), request.all("transfer-encoding")
    if codings and lengths:
        raise Malformed(400, "both Transfer-Encoding and Content-Length", request.head)
    if codings:
        if [coding.lower() for coding in codings] != ["chunked"]:
            raise Malformed(501, "a transfer coding other than chunked", request.head)
        return "chunked"
    if not lengths:
        return 0
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0].encode("latin-1")):
        raise Malformed(400, "not exactly one plain Content-Length", request.head)
    return int(lengths[0])


async def read_body(reader, request):
    """Reads the body into the request. Raises Malformed."""
    frame = framing(request)
    try:
        if frame == "chunked":
            while size := await _chunk_size(reader, request):
                await _take(reader, request.body, size)
                if await reader.readexactly(2) != b"\r\n":
                    raise Malformed(400, "a chunk does not end in CRLF", request.head)
            while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                request.body.trailers.append(_header(line[:-2]))
        else:
            await _take(reader, request.body, frame)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise Malformed(400, "the body ends early", request.head) from None


async def _chunk_size(reader, request):
    found = _CHUNK.fullmatch(await reader.readuntil(b"\r\n"))
    if not found:
        raise Malformed(400, "a chunk's size is no number", request.head)
    return int(found[1], 16)


async def _take(reader, body, length):
    while length:
        block = await reader.read(min(BLOCK, length))
        if not block:
            raise asyncio.IncompleteReadError(b"", length)
        body.take(block)
        length -= len(block)


@dataclass
class Answer:
    """An answer of one piece."""

    status: int
    headers: list = field(default_factory=list)
    body: bytes = b""

    @property
    def has_no_body(self):
        return self.status < 200 or self.status in (204, 304)

    def bytes(self, method="GET"):
        """What goes onto the wire: for HEAD, and where the status forbids a body, the head alone."""
        headers = [("Date", formatdate(usegmt=True)), *self.headers]
        if not self.has_no_body:
            headers.append(("Content-Length", str(len(self.body))))
        wire = head_bytes(self.status, headers)
        return wire if method == "HEAD" or self.has_no_body else wire + self.body


def head_bytes(status, headers):
    """A head alone."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unnamed"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def as_json(status, value, *headers):
    """An answer in JSON."""
    return Answer(status, [("Content-Type", "application/json"), *headers], json.dumps(value).encode())


def as_text(status, text, kind="text/plain", *headers):
    """An answer in text of that media type."""
    return Answer(status, [("Content-Type", kind), *headers], text.encode())
