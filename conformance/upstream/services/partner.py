"""Services that nobody has heard of: what the four types of ZIS connections, and HTTP connections, are made to."""

import json

from upstream.identities import PARTNER
from upstream.judging import Finding, Service, is_same, passed, welcome
from upstream.secrets import basic
from upstream.wire import as_json, pairs

TYPES = ("api_key", "basic_auth", "bearer_token")


def says_no(verdict, _request):
    return as_json(401, {"error": "unauthorized", "reason": verdict}, ("WWW-Authenticate", 'Bearer realm="partner"'))


def zendesk():
    def expected(one, _):
        fields = one["fields"]
        if one["type"] == "api_key":
            return {fields["header_name"]: fields["api_key"]}
        if one["type"] == "basic_auth":
            return {"Authorization": basic(fields["username"], fields["password"])}
        return {"Authorization": "Bearer " + fields["token"]}

    class Here(Service):
        """Each of the types has a host of its own, where only its own credentials count."""

        def judge(self, request, state):
            kind = next(
                type
                for host, type in ZENDESK_HOSTS.items()
                if request.host == host or request.host.endswith("." + host)
            )
            service = Service((kind,), expected, says_no, ("Authorization", "X-Partner-Key"))
            finding = service.judge(request, state)
            is_wild = request.host.endswith("partner-wild.example")
            if finding.has_passed and (finding.identity["variant"] == "wildcard") != is_wild:
                return Finding("wrong", None, says_no("wrong", request), "the credential of another host")
            return finding

    return Here(TYPES, expected, says_no, ())


ZENDESK_HOSTS = {
    f"keys.{PARTNER}": "api_key",
    f"basic.{PARTNER}": "basic_auth",
    f"bearer.{PARTNER}": "bearer_token",
    "partner-wild.example": "bearer_token",
}


class Templated:
    """Hosts of HTTP connections: the tokens must be where the connection's headers, parameters and body name them."""

    hosts = {f"http.{PARTNER}": "good", f"text.{PARTNER}": "text", f"plain.{PARTNER}": "plain"}

    def judge(self, request, state):
        variant = self.hosts[request.host]
        one = next(one for one in state.identities("HTTPTokenAuth") if one["variant"] == variant)
        places = {"good": self._document, "text": self._text, "plain": self._plain}
        verdict = places[variant](request, one["fields"])
        return (
            Finding(verdict, None, says_no(verdict, request), "see the connection's template")
            if verdict
            else passed(one)
        )

    def _document(self, request, fields):
        if not request.path.startswith("/base/"):
            return "malformed"
        verdict = _headers(request, {"authorization": "Bearer " + fields["headerToken"], "x-plain": "as it is"})
        parameters = [pair for pair in request.parameters if pair[0] in ("key", "fixed")]
        # A plus is a blank here, so a token's own must be encoded.
        if (
            not verdict
            and parameters != [("key", fields["queryToken"]), ("fixed", "1")]
            and parameters != [("fixed", "1"), ("key", fields["queryToken"])]
        ):
            verdict = "twice" if len(parameters) > 2 else "missing" if len(parameters) < 2 else "wrong"
        if verdict or request.method in ("GET", "HEAD", "DELETE") and not request.body.length:
            return verdict
        return self._body(request, {"auth": {"secret": fields["bodyToken"]}, "fixed": True})

    def _body(self, request, expected):
        if (request.one("content-type") or "").partition(";")[0].strip() != "application/json":
            return "malformed"
        try:
            value = json.loads(request.body.kept, object_pairs_hook=_once)
        except ValueError:
            return "malformed"
        if not isinstance(value, dict):
            return "malformed"
        if not set(expected) <= set(value):
            return "missing"
        return None if all(value[name] == expected[name] for name in expected) else "wrong"

    def _text(self, request, fields):
        """The connection's text, CRLF, the caller's; without that of a caller, the connection's alone."""
        if request.method in ("GET", "HEAD", "DELETE") and not request.body.length:
            return None
        head = b"secret=" + fields["bodyToken"].encode()
        if not request.body.kept.startswith(head):
            return "wrong" if request.body.kept.startswith(b"secret=") else "missing"
        rest = request.body.kept[len(head) :]
        return None if rest[:2] in (b"", b"\r\n") else "malformed"

    def _plain(self, request, fields):
        return _headers(request, {"x-plain-key": fields["headerToken"]})

    def answer(self, request, finding, state):
        if not finding.has_passed:
            return finding.refusal
        answer = welcome(request, finding)
        # What else the caller sent, so that a test sees that it came through.
        told = json.loads(answer.body)
        told["rig"]["parameters"] = pairs(request.query)
        return as_json(200, told)


def _headers(request, expected):
    present = [(name.lower(), value) for name, value in request.headers if name.lower() in expected]
    if len(present) != len(dict(present)):
        return "twice"
    if set(dict(present)) != set(expected):
        return "missing"
    return None if is_same(dict(present), expected) else "wrong"


def _once(pairs):
    """An object whose names are there once: of two, readers would take one or the other."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)
