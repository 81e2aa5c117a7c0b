"""Azure: Entra's exchange of a client's secret for a token, and the resources that take it."""

import base64
import binascii
from urllib.parse import unquote_plus

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from upstream.judging import Finding, passed, welcome
from upstream.wire import as_json

LOGIN_HOST = "login.microsoftonline.com"
# What a token must be for, by the host that it is shown to.
RESOURCES = {
    "management.azure.com": "https://management.azure.com",
    "graph.microsoft.com": "https://graph.microsoft.com",
    "api.loganalytics.io": "https://api.loganalytics.io",
    "api.loganalytics.azure.com": "https://api.loganalytics.azure.com",
    ".vault.azure.net": "https://vault.azure.net",
    ".blob.core.windows.net": "https://storage.azure.com",
    ".queue.core.windows.net": "https://storage.azure.com",
    ".table.core.windows.net": "https://storage.azure.com",
    ".dfs.core.windows.net": "https://storage.azure.com",
}


def resource_of(host):
    """The resource behind a host, or None."""
    suffix = "." + host.partition(".")[2]
    return RESOURCES.get(host) or RESOURCES.get(suffix)


class Login:
    """`login.microsoftonline.com`: the token endpoint of the second version, and its metadata."""

    def judge(self, request, state):
        parts = request.path.strip("/").split("/")
        if request.method == "GET" and parts[-2:] == [".well-known", "openid-configuration"]:
            return passed({"type": "AzureTenant", "variant": "anybody"}, parts[0])
        if request.method != "POST" or parts[1:] != ["oauth2", "v2.0", "token"] or request.query:
            return Finding("malformed", None, as_json(404, {"error": "not_found"}), "another method or path")
        form = request.form()
        if form is None:
            return _aadsts(
                "malformed",
                900144,
                "invalid_request",
                "The request body must contain the following parameter: 'grant_type'.",
            )
        names = [name for name, _ in form]
        if len(set(names)) != len(names):
            return _aadsts("twice", 90014, "invalid_request", "A parameter is there more than once.")
        return self._judge_client(parts[0], dict(form) | _client_of(request, form), request, state)

    def _judge_client(self, tenant, form, request, state):
        for name in ("grant_type", "client_id", "client_secret", "scope"):
            if not form.get(name):
                return _aadsts(
                    "missing",
                    900144,
                    "invalid_request",
                    f"The request body must contain the following parameter: '{name}'.",
                )
        if form["grant_type"] != "client_credentials":
            return _aadsts(
                "malformed",
                70003,
                "unsupported_grant_type",
                f"The app requested an unsupported grant type '{form['grant_type']}'.",
            )
        if "conflict" in form:
            return _aadsts("misplaced", 90023, "invalid_request", "Client credentials in the header and in the body.")
        known = state.identities("AzureTenant")
        here = [one for one in known if one["fields"]["tenant_id"] == tenant]
        if not here:
            return _aadsts("wrong", 90002, "invalid_request", f"Tenant '{tenant}' not found.")
        apps = [one for one in here if one["fields"]["app_client_id"] == form["client_id"]]
        if not apps:
            return _aadsts(
                "wrong",
                700016,
                "unauthorized_client",
                f"Application with identifier '{form['client_id']}' was not found in the directory.",
            )
        owner = next((one for one in apps if one["fields"]["client_secret"] == form["client_secret"]), None)
        if not owner:
            return _aadsts("wrong", 7000215, "invalid_client", "Invalid client secret provided.", 401)
        if owner["variant"] == "expired":
            return _aadsts("expired", 7000222, "invalid_client", "The provided client secret keys are expired.", 401)
        resource, slash, default = form["scope"].rpartition("/")
        if (slash, default) != ("/", ".default") or " " in form["scope"]:
            return _aadsts(
                "malformed",
                70011,
                "invalid_scope",
                f"The provided value for the input parameter 'scope' is not valid. The scope {form['scope']} is not valid.",
            )
        if resource.rstrip("/") not in RESOURCES.values():
            return _aadsts(
                "wrong",
                500011,
                "invalid_resource",
                f"The resource principal named {resource} was not found in the tenant.",
            )
        return passed(owner, resource)

    def answer(self, _, finding, state):
        if not finding.has_passed:
            return finding.refusal
        if finding.identity["variant"] == "anybody":
            base = f"https://{LOGIN_HOST}/{finding.why}"
            return as_json(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        seconds = state.seconds(3599)
        token = access_token(state, finding.identity, finding.why, seconds)
        state.sightings.add(f"AzureTenant.good.access_token.{token[-8:]}", token)
        return as_json(
            200, {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )


def access_token(state, identity, resource, seconds, key=None):
    """A token such as Entra signs; with another key, one that it would not have signed."""
    fields, now = identity["fields"], state.now()
    # Fractions of a second, so that what was made before a revocation can be told from what was made after.
    claims = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{fields['tenant_id']}/",
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
        "appid": fields["app_client_id"],
        "tid": fields["tenant_id"],
        "ver": "1.0",
    }
    return jwt.encode(claims, key or state.secrets["signing_key"], algorithm="RS256")


class Resources:
    """What takes tokens: each host only those for its own resource."""

    def judge(self, request, state):
        values = request.all("authorization")
        if len(values) > 1:
            return _denied("twice", "InvalidAuthenticationToken", "More than one Authorization header.", 400)
        if any(name == "access_token" for name, _ in request.parameters):
            return _denied("misplaced", "InvalidAuthenticationToken", "The token is in the query.", 400)
        if not values:
            return _denied(
                "missing", "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        if not values[0].startswith("Bearer "):
            return _denied(
                "malformed",
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
            )
        return self._judge_token(values[0].removeprefix("Bearer "), request.host, state)

    def _judge_token(self, token, host, state):
        resource = resource_of(host)
        key = load_pem_private_key(state.secrets["signing_key"].encode(), None).public_key()
        try:
            options = {"require": ["aud", "exp", "tid", "appid", "iat"]}
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=[resource, resource + "/"], options=options)
        except jwt.ExpiredSignatureError:
            return _denied(
                "expired",
                "ExpiredAuthenticationToken",
                "The access token expiry UTC time is earlier than current UTC time.",
            )
        except jwt.InvalidAudienceError:
            return _denied(
                "wrong",
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences '{resource}'.",
            )
        except jwt.PyJWTError:
            return _denied("wrong", "InvalidAuthenticationToken", "The access token is invalid.")
        if claims["iat"] < state.not_before:
            return _denied("expired", "InvalidAuthenticationToken", "The access token has been revoked.")
        owner = next(
            (
                one
                for one in state.identities("AzureTenant")
                if (one["fields"]["tenant_id"], one["fields"]["app_client_id"]) == (claims["tid"], claims["appid"])
            ),
            None,
        )
        return (
            passed(owner)
            if owner
            else _denied("wrong", "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
        )

    def answer(self, request, finding, state):
        if not finding.has_passed:
            return finding.refusal
        if (request.method, request.path) == ("GET", "/subscriptions"):
            return as_json(200, {"value": [], "count": {"type": "Total", "value": 0}})
        return welcome(request, finding)


def _client_of(request, form):
    """The client in `Authorization`, where it is there; then it must not be in the body too."""
    value = request.one("authorization") or ""
    if not value.startswith("Basic "):
        return {}
    try:
        pair = base64.b64decode(value.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return {}
    user, _, password = pair.partition(":")
    client = {"client_id": unquote_plus(user), "client_secret": unquote_plus(password)}
    return client | ({"conflict": "yes"} if any(name == "client_secret" for name, _ in form) else {})


def _aadsts(verdict, number, error, said, status=400):
    description = f"AADSTS{number}: {said} Trace ID: rig Correlation ID: rig"
    return Finding(
        verdict,
        None,
        as_json(
            status,
            {
                "error": error,
                "error_description": description,
                "error_codes": [number],
                "correlation_id": "rig",
                "trace_id": "rig",
            },
        ),
        description,
    )


def _denied(verdict, code, message, status=401):
    challenge = f'Bearer authorization_uri="https://{LOGIN_HOST}/common", error="invalid_token"'
    return Finding(
        verdict,
        None,
        as_json(status, {"error": {"code": code, "message": message}}, ("WWW-Authenticate", challenge)),
        message,
    )
