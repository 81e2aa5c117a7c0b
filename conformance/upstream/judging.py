"""How a credential is judged: a finding, and the judge for services whose secrets are sent as they are."""

import hmac
from dataclasses import dataclass, field

from upstream.wire import Answer, as_json

# Verdicts, beside the variants of identities that passed.
#   missing    none of the service's headers was there
#   wrong      they were, but with values that nobody has
#   twice      one of them was there more than once
#   misplaced  a credential was where it does not belong, with the right one or instead of it
#   expired    it was right once
#   malformed  what carries it is not formed as it must be
#   pin        the credential is right, but the API version is missing, twice or unknown


@dataclass
class Finding:
    """What the judge found: who it is, or why not, with the answer that the service would give."""

    verdict: str
    identity: dict | None = None
    refusal: Answer | None = None
    why: str = ""
    # Where judging and answering are one, as when a token is given.
    answered: Answer | None = None

    @property
    def has_passed(self):
        return self.refusal is None


def passed(identity, why=""):
    return Finding("ok", identity, None, why)


@dataclass
class Service:
    """A service whose credentials are in headers that are compared whole.

    `expected` gives, for an identity and a request, each header with its value. `credentials` names every header
    that it ever takes a credential from, `parameters` every query parameter: those that are not expected must not be
    there. `words` gives the answer for a verdict; `limited` what a credential without rights gets.
    """

    types: tuple
    expected: object
    words: object
    credentials: tuple
    parameters: tuple = ()
    limited: object = None
    # Judges what else a call needs, such as an API version; gives an answer or None.
    pin: object = None
    # Answers by (method, path).
    paths: dict = field(default_factory=dict)

    def judge(self, request, state):
        finding = self._judge(request, state)
        if finding.has_passed and self.pin and (refusal := self.pin(request)):
            return Finding("pin", finding.identity, refusal, "the API version")
        return finding

    def _judge(self, request, state):
        def refused(verdict, why):
            return Finding(verdict, None, self.words(verdict, request), why)

        identities = state.identities(*self.types)
        names = {name.lower() for name in self.credentials}
        presented = [(name.lower(), value) for name, value in request.headers if name.lower() in names]
        present = dict(presented)
        if len(present) != len(presented):
            return refused("twice", "a credential's header was there more than once")
        in_query = [name for name, _ in request.parameters if name in self.parameters]
        if in_query:
            return refused("misplaced", f"the parameter {in_query[0]}")
        if not present:
            return refused("missing", "no header with a credential")
        for identity in identities:
            expected = {name.lower(): value for name, value in self.expected(identity, request).items()}
            if is_same(present, expected):
                return self._placed(request, state, identity, set(expected), refused)
            if set(expected) < set(present) and is_same({name: present[name] for name in expected}, expected):
                return refused("misplaced", "another credential beside the right one")
        return refused("wrong", "nobody has these values")

    def _placed(self, request, state, identity, expected, refused):
        """Whether the secrets are in their headers only."""
        found = strays(request, state, expected)
        if found:
            return refused("misplaced", f"{found[0][0]} as {found[0][1]} where it does not belong")
        return passed(identity)

    def answer(self, request, finding, state):
        """What a judged request gets; unknown paths too, so that any call can be made."""
        if not finding.has_passed:
            return finding.refusal
        if finding.identity["variant"] == "limited" and self.limited:
            return self.limited(request)
        # One resource, whatever the method, is asked for with GET or HEAD.
        method = "GET" if request.method == "HEAD" else request.method
        answer = self.paths.get((method, request.path))
        return answer(request, finding) if answer else welcome(request, finding)


def strays(request, state, expected):
    """Label and form of each secret that is anywhere but in the `expected` headers."""
    headers = [value.encode("latin-1") for name, value in request.headers if name.lower() not in expected]
    return state.sightings.find(b"\n".join([request.target.encode(), request.body.kept, *headers]))


def is_same(left, right):
    """Whether two sets of headers agree to the byte."""
    return left.keys() == right.keys() and all(
        hmac.compare_digest(left[name].encode("latin-1"), right[name].encode()) for name in left
    )


def welcome(request, finding):
    """What any other call gets: who the rig took the caller for."""
    return as_json(
        200,
        {
            "rig": {
                "type": finding.identity["type"],
                "variant": finding.identity["variant"],
                "method": request.method,
                "target": request.target,
                "body": {"length": request.body.length, "sha256": request.body.sha256},
            }
        },
    )


def says(status, value, *headers):
    """An answer that is always the same, for tables."""
    return lambda *_: as_json(status, value, *headers)
