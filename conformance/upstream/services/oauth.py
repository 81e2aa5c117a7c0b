"""An OAuth 2.0 server by oauthlib, and the API that takes its tokens.

Authorization code with PKCE, refresh tokens that are used once, and client credentials. Whoever comes to the
authorization endpoint consents at once: it is the protocol that is played here, not a person.
"""

import base64
import binascii
import hmac
from urllib.parse import unquote_plus

from oauthlib.oauth2 import BearerToken, RequestValidator
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from oauthlib.oauth2.rfc6749.grant_types import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)

from upstream.judging import Finding, passed, welcome
from upstream.state import random_text
from upstream.wire import Answer, as_json

SCOPES = ("tickets:read", "tickets:write")
CODE_SECONDS = 60
TOKEN_SECONDS = 3600


class Client:
    """A client as oauthlib wants to see it."""

    def __init__(self, identity):
        self.identity = identity
        self.client_id = identity["fields"]["client_id"]
        self.grant = identity["create"]["grant_type"]


class Validator(RequestValidator):
    """What oauthlib asks of whoever keeps clients, codes and tokens."""

    def __init__(self, state):
        self._state = state

    def _client(self, client_id):
        return next(
            (Client(one) for one in self._state.identities("oauth") if one["fields"]["client_id"] == client_id), None
        )

    # The client.

    def client_authentication_required(self, request, *args, **kwargs):
        return True

    def authenticate_client(self, request, *args, **kwargs):
        """By a secret in the body, which is how connections send theirs; in the header it is as good."""
        header = request.headers.get("Authorization", "")
        client_id, secret = (request.client_id, request.client_secret) if not header else _basic(header)
        request.client = self._client(client_id)
        if header and request.client_secret:
            return False
        return bool(request.client) and hmac.compare_digest(
            request.client.identity["fields"]["client_secret"].encode(), (secret or "").encode()
        )

    def validate_client_id(self, client_id, request, *args, **kwargs):
        request.client = self._client(client_id)
        return request.client is not None

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        return grant_type == client.grant or (grant_type, client.grant) == ("refresh_token", "authorization_code")

    def validate_response_type(self, client_id, response_type, client, request, *args, **kwargs):
        return (response_type, client.grant) == ("code", "authorization_code")

    def validate_redirect_uri(self, client_id, redirect_uri, request, *args, **kwargs):
        return redirect_uri.endswith("/api/services/zis/connections/oauth/callback")

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        return set(scopes) <= set(SCOPES)

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return [SCOPES[0]]

    # Codes.

    def is_pkce_required(self, client_id, request):
        return True

    def get_code_challenge(self, code, request):
        return self._state.token("code", code).more["challenge"]

    def get_code_challenge_method(self, code, request):
        return self._state.token("code", code).more["method"]

    def save_authorization_code(self, client_id, code, request, *args, **kwargs):
        more = {"redirect_uri": request.redirect_uri, "scopes": request.scopes}
        more |= {"challenge": request.code_challenge, "method": request.code_challenge_method}
        self._state.issue("code", code["code"], request.client.identity, CODE_SECONDS, **more)

    def validate_code(self, client_id, code, client, request, *args, **kwargs):
        kept = self._state.token("code", code)
        if not kept or kept.is_expired(self._state.now()) or kept.of["fields"]["client_id"] != client.client_id:
            return False
        request.user, request.scopes = "somebody", kept.more["scopes"]
        return True

    def confirm_redirect_uri(self, client_id, code, redirect_uri, client, request, *args, **kwargs):
        return self._state.token("code", code).more["redirect_uri"] == redirect_uri

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs):
        self._state.take("code", code)

    # Tokens.

    def save_bearer_token(self, token, request, *args, **kwargs):
        owner, now = request.client.identity, self._state
        now.issue("oauth", token["access_token"], owner, token["expires_in"], scopes=request.scopes)
        now.sightings.add(f"oauth.{owner['variant']}.access_token.{token['access_token'][:8]}", token["access_token"])
        if "refresh_token" in token:
            now.issue("refresh", token["refresh_token"], owner, 30 * 86400, scopes=request.scopes)
            now.sightings.add(
                f"oauth.{owner['variant']}.refresh_token.{token['refresh_token'][:8]}", token["refresh_token"]
            )

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        # Used once: the answer brings another.
        kept = self._state.take("refresh", refresh_token)
        if not kept or kept.is_expired(self._state.now()) or kept.of["fields"]["client_id"] != client.client_id:
            return False
        request.user, request.kept_scopes = "somebody", kept.more["scopes"]
        return True

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return request.kept_scopes


class Login:
    """`login.partner.example`: `/oauth/authorize` and `/oauth/token`."""

    def judge(self, request, state):
        validator = Validator(state)
        bearer = BearerToken(
            validator,
            token_generator=lambda _: random_text(64),
            expires_in=lambda _: state.seconds(TOKEN_SECONDS),
            refresh_token_generator=lambda _: random_text(64),
        )
        headers = {name.title(): value for name, value in request.headers}
        uri = f"https://{request.host}{request.target}"
        anybody = {"type": "oauth", "variant": "anybody"}
        if (request.method, request.path) == ("GET", "/oauth/authorize"):
            codes = AuthorizationCodeGrant(validator)
            endpoint = AuthorizationEndpoint("code", bearer, {"code": codes})
            status, answer = self._consent(endpoint, uri, headers)
        elif (request.method, request.path) == ("POST", "/oauth/token") and not request.query:
            if request.form() is None or len(request.all("authorization")) > 1:
                refusal = as_json(400, {"error": "invalid_request", "error_description": "The body is no form."})
                return Finding("malformed", None, refusal, "the body is no form")
            grants = {
                "authorization_code": AuthorizationCodeGrant(validator),
                "client_credentials": ClientCredentialsGrant(validator),
                "refresh_token": RefreshTokenGrant(validator),
            }
            endpoint = TokenEndpoint("authorization_code", bearer, grants)
            given, body, status = endpoint.create_token_response(uri, "POST", request.body.kept.decode(), headers)
            answer = Answer(status, list(given.items()), body.encode())
        else:
            return Finding("malformed", None, as_json(404, {"error": "not_found"}), "another method or path")
        if status >= 400:
            return Finding("wrong", None, answer, answer.body.decode())
        finding = passed(anybody)
        finding.answered = answer
        return finding

    def _consent(self, endpoint, uri, headers):
        try:
            scopes, credentials = endpoint.validate_authorization_request(uri, "GET", None, headers)
            given, body, status = endpoint.create_authorization_response(uri, "GET", None, headers, scopes, credentials)
        except OAuth2Error as error:
            return error.status_code, as_json(error.status_code, dict(error.twotuples))
        return status, Answer(status, list(given.items()), (body or "").encode())

    def answer(self, _request, finding, _state):
        return finding.answered or finding.refusal


class Api:
    """`oauth.partner.example`: an API behind those tokens, in the words of RFC 6750."""

    def judge(self, request, state):
        values = request.all("authorization")
        if len(values) > 1:
            return _no("twice", 400, "invalid_request")
        if any(name == "access_token" for name, _ in request.parameters):
            return _no("misplaced", 400, "invalid_request")
        if not values:
            return _no("missing", 401)
        token = state.token("oauth", values[0].removeprefix("Bearer ")) if values[0].startswith("Bearer ") else None
        if not token or token.is_expired(state.now()):
            return _no("expired" if token else "wrong", 401, "invalid_token")
        return passed(token.of)

    def answer(self, request, finding, state):
        return welcome(request, finding) if finding.has_passed else finding.refusal


def _no(verdict, status, error=None):
    challenge = 'Bearer realm="partner"' + (f', error="{error}"' if error else "")
    return Finding(
        verdict, None, as_json(status, {"error": error or "unauthorized"}, ("WWW-Authenticate", challenge)), verdict
    )


def _basic(header):
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return unquote_plus(user), unquote_plus(password)
