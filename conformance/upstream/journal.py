"""What arrived, as lines of JSON for the suites to read; and which secrets were in it, however encoded."""

import base64
import json
import time
from urllib.parse import quote

# Shorter values would be found by chance.
SOUGHT_MIN = 8
# Tokens that are given out are sought too; each costs time at every request, and few are alive at once.
TOKENS_MAX = 500


class Journal:
    """Appends to a file, a line for each event, whole when the answer goes out."""

    def __init__(self, path):
        # Line by line, so that a suite that has its answer finds the line.
        self._file = open(path, "a", buffering=1)
        self._count = 0

    def write(self, event, **what):
        self._count += 1
        line = {"n": self._count, "time": round(time.time(), 6), "event": event} | what
        self._file.write(json.dumps(line) + "\n")
        return self._count

    def close(self):
        self._file.close()


class Sightings:
    """Finds known secrets in bytes: raw, base64 at each alignment, for URLs, in hex, and as JSON has them."""

    def __init__(self, secrets):
        # By label, the oldest first.
        self._forms, self._values = {}, {}
        self._room = len(secrets) + TOKENS_MAX
        for label, value in secrets.items():
            self.add(label, value)

    def add(self, label, value):
        """Seeks another, such as a token that was just given out."""
        if len(value) >= SOUGHT_MIN and label not in self._values:
            self._values[label] = value
            self._forms[label] = list(forms(value))
            if len(self._values) > self._room:
                # Those of the file came first, and stay.
                oldest = list(self._values)[self._room - TOKENS_MAX]
                del self._values[oldest], self._forms[oldest]

    def find(self, data):
        """Label and form of each secret in `data`, in order, each pair once."""
        every = ((label, form) for label, known in self._forms.items() for form, needle in known if needle in data)
        return list(dict.fromkeys(every))

    def values(self, data):
        """The secrets themselves that are in `data`."""
        return [self._values[label] for label in dict.fromkeys(label for label, _ in self.find(data))]


def forms(value):
    """Each way in which a text is likely to be written, by name; several of one name where it has several spellings."""
    raw = value.encode()
    yield "raw", raw
    for spelling in {
        quote(value, safe=""),
        quote(value, safe="").lower(),
        quote(value),
        quote(value, safe="").replace("%20", "+"),
    }:
        if spelling != value:
            yield "url", spelling.encode()
    for escaped in {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
        if escaped != value:
            yield "json", escaped.encode()
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    for offset in range(3):
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", base64_at(raw, offset, alphabet)


def base64_at(raw, offset, encode=base64.b64encode):
    """The characters of base64 that `raw` alone decides, when it stands `offset` bytes behind a multiple of three."""
    encoded = encode(b"\0" * offset + raw)
    first = -(-offset * 8 // 6)
    return encoded[first : (offset + len(raw)) * 8 // 6]
