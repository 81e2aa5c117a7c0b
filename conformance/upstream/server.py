"""The listeners: one with TLS, one without. A connection is read request by request; the name decides who answers."""

import array
import asyncio
import fcntl
import socket
import ssl
import struct
import termios

from upstream.control import HOST as CONTROL_HOST
from upstream.control import control
from upstream.generic import Exchange, Reset, endpoint_for, respond
from upstream.judging import Finding
from upstream.services import CLEAR_HOSTS, service_for
from upstream.wire import HEAD_MAX, Malformed, as_json, framing, read_body, read_head

# A peer that says nothing is let go, in seconds: as idle services do, and after any pause that a suite makes.
IDLE_MAX = 120
HANDSHAKE_MAX = 10
BUFFERED_MAX = 256 * 1024
# Headers that a careful proxy takes away; told in the journal, not refused.
UNWELCOME = (
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "cookie",
    "forwarded",
    "via",
    "x-real-ip",
    "range",
)
UNWELCOME_PREFIXES = ("x-forwarded-", "claviger-")


class Rig:
    """What listens, judges and writes down."""

    def __init__(self, state, journal, authority):
        self._state, self._journal = state, journal
        self._context = authority.server_context()
        self._servers = []

    async def listen(self, host, tls_port, clear_port):
        """Opens both listeners, and returns their ports."""
        for port, handle in ((tls_port, self._secured), (clear_port, self._clear)):
            self._servers.append(await asyncio.start_server(handle, host, port, limit=HEAD_MAX, backlog=1024))
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def close(self):
        for server in self._servers:
            server.close()

    async def _secured(self, reader, writer):
        peer = _name(writer.get_extra_info("peername"))
        self._journal.write("connection", listener="tls", peer=peer)
        try:
            await writer.start_tls(self._context, ssl_handshake_timeout=HANDSHAKE_MAX)
        except (OSError, ssl.SSLError, asyncio.CancelledError) as error:
            self._journal.write("handshake", peer=peer, error=str(error))
            return writer.transport.abort()
        sni = getattr(writer.get_extra_info("ssl_object"), "asked_for", None)
        await self._serve(reader, writer, peer, "tls", sni)

    async def _clear(self, reader, writer):
        peer = _name(writer.get_extra_info("peername"))
        self._journal.write("connection", listener="clear", peer=peer)
        await self._serve(reader, writer, peer, "clear", None)

    async def _serve(self, reader, writer, peer, listener, sni):
        writer.transport.set_write_buffer_limits(high=BUFFERED_MAX)
        about = {"listener": listener, "peer": peer, "sni": sni}
        try:
            while await self._exchange(reader, writer, about):
                pass
        except Reset:
            await _reset(writer)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            # The peer left, or said nothing for long, or the rig ends: this task is the connection's own.
            pass
        finally:
            writer.close()

    async def _exchange(self, reader, writer, about):
        """One request and its answer; whether the connection can go on."""
        try:
            async with asyncio.timeout(IDLE_MAX):
                request = await read_head(reader)
            if request is None:
                return False
            endpoint = endpoint_for(request.path)
            if not (endpoint and endpoint[0].__name__ == "early"):
                if framing(request) and (request.one("expect") or "").lower() == "100-continue":
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await read_body(reader, request)
        except Malformed as error:
            self._journal.write(
                "malformed",
                **about,
                reason=error.reason,
                head=error.head.decode("latin-1"),
                secrets=self._state.sightings.find(error.head),
            )
            writer.write(as_json(error.status, {"error": error.reason}, ("Connection", "close")).bytes())
            await writer.drain()
            return False
        return await self._answer(request, writer, about, endpoint)

    async def _answer(self, request, writer, about, endpoint):
        host, state = request.host, self._state
        service = service_for(host)
        if host == CONTROL_HOST:
            answer = control(request, state)
            self._journal.write("order", order=request.target, status=answer.status)
            writer.write(answer.bytes(request.method))
            await writer.drain()
            return True
        finding = _misrouted(about, host, service) or service.judge(request, state)
        # What answers with a token has judged already; nobody else may see what was found.
        answer = None if endpoint else self._told(service, request, finding)
        number = self._note(request, about, finding, answer)
        exchange = Exchange(request, writer, finding, state, about["sni"])
        if answer:
            await exchange.send(answer.bytes(request.method))
        else:
            await self._generic(exchange, endpoint, number)
        wants_close = any("close" in value.lower() for value in request.all("connection"))
        return exchange.is_reusable and not wants_close

    def _told(self, service, request, finding):
        if service is None or finding.verdict in ("misdirected", "cleartext"):
            return finding.refusal
        return service.answer(request, finding, self._state)

    async def _generic(self, exchange, endpoint, number):
        """Runs an endpoint, and writes down how far it came: a peer may leave in the middle."""
        is_whole = False
        try:
            await respond(exchange, *endpoint)
            is_whole = True
        finally:
            self._journal.write("ended", of=number, sent=exchange.sent, whole=is_whole)

    def _note(self, request, about, finding, answer):
        names = {name.lower() for name, _ in request.headers}
        unwelcome = sorted(name for name in names if name in UNWELCOME or name.startswith(UNWELCOME_PREFIXES))
        seen = request.head + request.body.kept
        identity = finding.identity or {}
        return self._journal.write(
            "request",
            **about,
            host=request.host,
            method=request.method,
            target=request.target,
            head=request.head.decode("latin-1"),
            body={"length": request.body.length, "sha256": request.body.sha256},
            verdict=finding.verdict,
            why=finding.why,
            type=identity.get("type"),
            variant=identity.get("variant"),
            status=answer and answer.status,
            secrets=self._state.sightings.find(seen),
            unwelcome=unwelcome,
        )


def _misrouted(about, host, service):
    """What is wrong before any service is asked."""
    if about["listener"] == "tls" and (about["sni"] or "").lower() != host:
        return Finding("misdirected", None, as_json(421, {"error": "the name of the handshake is not the Host"}))
    if service is None:
        return Finding("stranger", None, as_json(404, {"error": "nobody is here"}))
    if about["listener"] == "clear" and host not in CLEAR_HOSTS:
        return Finding("cleartext", None, as_json(403, {"error": "use https"}))
    return None


def _name(address):
    return f"{address[0]}:{address[1]}"


async def _reset(writer):
    """Ends a connection with a reset, once the peer's kernel has what was sent."""
    connection = writer.get_extra_info("socket")
    queued = array.array("i", [1])
    while queued[0]:
        await asyncio.sleep(0.002)
        fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, queued)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
