"""A request's own credentials, written in every way that a careless service might echo them."""

import base64
import binascii
import json
from urllib.parse import quote


def received(request, state):
    """The secrets in a request: those that the rig knows, what `Authorization` and its kin carry, and `?header=` names."""
    values = state.sightings.values(request.head + request.body.kept)
    for value in request.all("authorization"):
        scheme, blank, rest = value.partition(" ")
        values += [rest if blank else value]
        if scheme.lower() == "basic":
            values += _pair(rest)
    for value in request.all("x-zis-authorization"):
        values.append(value.rpartition(" ")[2])
    for name in (value for known, value in request.parameters if known == "header"):
        values += request.all(name)
    return [value for value in dict.fromkeys(values) if value]


def reflected(request, state):
    """Headers and a body, both full of the request's secrets."""
    headers, lines = [], []
    for number, secret in enumerate(received(request, state)):
        for name, text in writings(secret):
            lines.append(f"{name}: <{text}>")
            # A header holds bytes; what is beyond ASCII goes out as UTF-8. Line ends cannot.
            if "\r" not in text and "\n" not in text:
                headers.append((f"X-Reflect-{number}-{name}", text.encode().decode("latin-1")))
    return headers, "\n".join(lines).encode()


def writings(secret):
    """Name and text of each way to write a secret."""
    raw = secret.encode()
    yield "raw", secret
    for offset in range(3):
        # In the middle of something longer, so that no alignment has padding to be known by.
        yield f"base64-{offset}", base64.b64encode(b"x" * offset + raw + b"yy").decode()
    yield "base64url", base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield "url", quote(secret, safe="")
    yield "url-lower", "".join(f"%{byte:02x}" for byte in raw)
    yield "hex", raw.hex()
    yield "hex-upper", raw.hex().upper()
    yield "json", json.dumps(secret)[1:-1]
    yield "json-unicode", "".join(f"\\u{ord(character):04x}" for character in secret if ord(character) < 0x10000)


def _pair(encoded):
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [pair, pair.partition(":")[2]]
