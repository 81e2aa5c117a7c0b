"""Google: the exchange of a signed assertion for a token, the services that take it, and Gemini with its own key."""

import re

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from upstream.judging import Finding, passed, strays, welcome
from upstream.state import random_text
from upstream.wire import as_json

TOKEN_HOST, TOKEN_URL = "oauth2.googleapis.com", "https://oauth2.googleapis.com/token"
GEMINI_HOST = "generativelanguage.googleapis.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/"
CLOUD = SCOPE + "cloud-platform"
LIFETIME_MAX = 3600
SKEW_MAX = 300
# How late an assertion may be made and still count, in seconds.
FRAME = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."


class Tokens:
    """`oauth2.googleapis.com/token`."""

    def judge(self, request, state):
        if (request.method, request.target) != ("POST", "/token"):
            return _refused("malformed", as_json(404, {"error": "not_found"}), "another method or path")
        form = request.form()
        names = [name for name, _ in form or []]
        if sorted(names) != ["assertion", "grant_type"]:
            return _error("malformed", "invalid_request", "Bad Request")
        form = dict(form)
        if form["grant_type"] != GRANT:
            return _error("malformed", "unsupported_grant_type", f"Invalid grant_type: {form['grant_type']}")
        return self._judge_assertion(form["assertion"], state)

    def _judge_assertion(self, assertion, state):
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            return _error("malformed", "invalid_grant", f"Invalid JWT: {error}")
        if header.get("alg") != "RS256" or header.get("typ") != "JWT":
            return _error("malformed", "invalid_grant", "Invalid JWT: Failed audience check or header.")
        owner = next(
            (
                one
                for one in state.identities("GCPServiceAccount")
                if one["fields"]["service_account_email"] == claims.get("iss")
            ),
            None,
        )
        if not owner:
            return _error("wrong", "invalid_grant", "Invalid grant: account not found")
        key = load_pem_private_key(owner["fields"]["private_key"].encode(), None).public_key()
        try:
            options = {"require": ["iss", "aud", "iat", "exp"], "verify_iat": True, "strict_aud": True}
            jwt.decode(assertion, key, algorithms=["RS256"], audience=TOKEN_URL, options=options, leeway=SKEW_MAX)
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError, jwt.MissingRequiredClaimError):
            return _error("expired", "invalid_grant", FRAME)
        except jwt.InvalidAudienceError:
            return _error(
                "wrong",
                "invalid_grant",
                "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token",
            )
        except jwt.PyJWTError:
            return _error("wrong", "invalid_grant", "Invalid JWT Signature.")
        if (
            not all(isinstance(claims[name], int) for name in ("iat", "exp"))
            or not 0 < claims["exp"] - claims["iat"] <= LIFETIME_MAX
        ):
            return _error("malformed", "invalid_grant", FRAME)
        if "sub" in claims and claims["sub"] != claims["iss"]:
            return _error(
                "wrong", "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method."
            )
        scopes = str(claims.get("scope", "")).split(" ")
        if not all(re.fullmatch(re.escape(SCOPE) + r"[a-z][a-z0-9._-]*(?:/[a-z0-9._-]+)*", scope) for scope in scopes):
            return _error("wrong", "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return passed(owner, " ".join(scopes))

    def answer(self, _, finding, state):
        if not finding.has_passed:
            return finding.refusal
        seconds = state.seconds(3599)
        token = "ya29.c." + random_text(180)
        state.issue("google", token, finding.identity, seconds, scopes=finding.why.split(" "))
        state.sightings.add(f"GCPServiceAccount.good.access_token.{token[7:15]}", token)
        return as_json(200, {"access_token": token, "expires_in": seconds, "token_type": "Bearer"})


class Services:
    """Every other `*.googleapis.com`: a token, in `Authorization` alone."""

    def judge(self, request, state):
        values = request.all("authorization")
        if len(values) > 1:
            return _unauthenticated("twice", "Multiple authentication credentials received. Please pass only one.", 400)
        if any(name in ("access_token", "key", "oauth_token") for name, _ in request.parameters) or request.all(
            "x-goog-api-key"
        ):
            return _unauthenticated(
                "misplaced", "Multiple authentication credentials received. Please pass only one.", 400
            )
        if not values:
            return _unauthenticated(
                "missing",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
            )
        token = state.token("google", values[0].removeprefix("Bearer ")) if values[0].startswith("Bearer ") else None
        said = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
        if not token or token.is_expired(state.now()):
            return _unauthenticated("expired" if token else "wrong", said)
        needed = {CLOUD, SCOPE + request.host.partition(".")[0]}
        if not any(
            scope in needed or scope.startswith(SCOPE + request.host.partition(".")[0] + ".")
            for scope in token.more["scopes"]
        ):
            return _refused(
                "limited",
                _google(
                    403,
                    "PERMISSION_DENIED",
                    "Request had insufficient authentication scopes.",
                    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                ),
                "scope",
            )
        return passed(token.of)

    def answer(self, request, finding, state):
        return welcome(request, finding) if finding.has_passed else finding.refusal


class Gemini:
    """A key in a header of its own; or a token, but never both."""

    def judge(self, request, state):
        keys, tokens = request.all("x-goog-api-key"), request.all("authorization")
        given = len(keys) + len(tokens)
        if any(name in ("key", "access_token") for name, _ in request.parameters):
            return _unauthenticated(
                "misplaced", "Multiple authentication credentials received. Please pass only one.", 400
            )
        if given > 1:
            verdict = "misplaced" if keys and tokens else "twice"
            return _unauthenticated(verdict, "Multiple authentication credentials received. Please pass only one.", 400)
        if tokens:
            return Services().judge(request, state)
        if not keys:
            return _refused(
                "missing",
                _google(
                    403,
                    "PERMISSION_DENIED",
                    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
                ),
                "no key",
            )
        for one in state.identities("GeminiAPIKey"):
            if keys == [one["fields"]["api_key"]]:
                found = strays(request, state, {"x-goog-api-key"})
                return _unauthenticated("misplaced", f"{found[0][0]} elsewhere", 400) if found else passed(one)
        return _refused(
            "wrong",
            _google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
            "nobody has that key",
        )

    def answer(self, request, finding, state):
        if not finding.has_passed:
            return finding.refusal
        if finding.identity["variant"] == "limited":
            said = "Requests to this API generativelanguage.googleapis.com method are blocked."
            return _google(403, "PERMISSION_DENIED", said, "API_KEY_SERVICE_BLOCKED")
        if (request.method, request.path) == ("GET", "/v1beta/models"):
            return as_json(200, {"models": [{"name": "models/gemini-rig", "displayName": "Rig"}]})
        return welcome(request, finding)


def _google(status, name, message, reason=None):
    error = {"code": status, "message": message, "status": name}
    if reason:
        error["details"] = [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        ]
    headers = [("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/"')] if status == 401 else []
    return as_json(status, {"error": error}, *headers)


def _unauthenticated(verdict, message, status=401):
    name = "UNAUTHENTICATED" if status == 401 else "INVALID_ARGUMENT"
    return _refused(verdict, _google(status, name, message), message)


def _error(verdict, error, description):
    return _refused(verdict, as_json(400, {"error": error, "error_description": description}), description)


def _refused(verdict, answer, why):
    return Finding(verdict, None, answer, why)
