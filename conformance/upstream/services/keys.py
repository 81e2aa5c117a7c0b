"""Services that take one key in one header of their own, or bare in `Authorization`."""

from upstream.judging import Service, says
from upstream.wire import as_json, as_text

EVERY = ("Authorization",)
ANTHROPIC_VERSIONS = ("2023-06-01", "2026-10-21")


def anthropic():
    def error(status, type, message):
        return as_json(status, {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_rig"})

    def words(verdict, _):
        said = "x-api-key header is required" if verdict == "missing" else "invalid x-api-key"
        return error(401, "authentication_error", said)

    def pin(request):
        versions = request.all("anthropic-version")
        if not versions:
            return error(400, "invalid_request_error", "anthropic-version: header is required")
        if len(versions) > 1 or versions[0] not in ANTHROPIC_VERSIONS:
            said = f'anthropic-version: "{", ".join(versions)}" is not a valid version'
            return error(400, "invalid_request_error", said)
        return None

    model = {"type": "model", "id": "claude-rig", "display_name": "Rig", "created_at": "2026-01-01T00:00:00Z"}
    listed = {"data": [model], "has_more": False, "first_id": model["id"], "last_id": model["id"]}
    message = {
        "id": "msg_rig",
        "type": "message",
        "role": "assistant",
        "model": model["id"],
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "pong"}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    return Service(
        types=("AnthropicAPIKey",),
        expected=lambda one, _: {"x-api-key": one["fields"]["api_token"]},
        words=words,
        credentials=("x-api-key", *EVERY),
        limited=lambda _: error(
            403, "permission_error", "Your API key does not have permission to use the specified resource."
        ),
        pin=pin,
        paths={("GET", "/v1/models"): says(200, listed), ("POST", "/v1/messages"): says(200, message)},
    )


def circleci():
    def expected(one, request):
        token = one["fields"]["api_token"]
        is_third = request.host == "circleci.com" and request.path.startswith("/api/v3/")
        return {"Authorization": f"Bearer {token}"} if is_third else {"Circle-Token": token}

    def listed(request, finding):
        # The first API speaks EDN to whoever does not ask otherwise.
        if (request.one("accept") or "").startswith("application/json"):
            return as_json(200, {"login": "rig", "name": "Rig"})
        return as_text(200, '{:login "rig", :name "Rig"}', "application/edn")

    me = says(200, {"id": "00000000-0000-4000-8000-000000000001", "login": "rig", "name": "Rig"})
    return Service(
        types=("CircleCIAPIKey",),
        expected=expected,
        words=says(401, {"message": "You must log in first."}, ("WWW-Authenticate", 'Basic realm="CircleCI"')),
        credentials=("Circle-Token", *EVERY),
        parameters=("circle-token",),
        paths={("GET", "/api/v2/me"): me, ("GET", "/api/v1.1/me"): listed, ("GET", "/api/v3/me"): me},
    )


def clickup():
    def words(verdict, request):
        value = request.one("authorization") or ""
        if verdict == "missing":
            return as_json(401, {"err": "Authorization header required", "ECODE": "OAUTH_017"})
        code = "OAUTH_019" if value.startswith("Bearer ") else "OAUTH_025"
        return as_json(401, {"err": "Token invalid", "ECODE": code})

    return Service(
        types=("ClickupAPIKey",),
        expected=lambda one, _: {"Authorization": one["fields"]["api_token"]},
        words=words,
        credentials=EVERY,
        paths={
            ("GET", "/api/v2/user"): says(200, {"user": {"id": 1, "username": "Rig", "email": "rig@partner.example"}})
        },
    )


def datadog():
    def words(verdict, request):
        if verdict == "missing":
            return as_json(401, {"errors": ["API key required"]})
        return as_json(403, {"errors": ["Forbidden"]})

    return Service(
        types=("DatadogAPIKey",),
        expected=lambda one, _: {
            "DD-API-KEY": one["fields"]["api_key"],
            "DD-APPLICATION-KEY": one["fields"]["app_key"],
        },
        words=words,
        credentials=("DD-API-KEY", "DD-APPLICATION-KEY", *EVERY),
        parameters=("api_key", "application_key"),
        paths={
            ("GET", "/api/v2/validate_keys"): says(200, {"status": "ok"}),
            ("GET", "/api/v1/validate"): says(200, {"valid": True}),
        },
    )


def fastly():
    token = {"id": "rig", "name": "Rig", "user_id": "rig", "scope": "global", "expires_at": None}
    return Service(
        types=("FastlyAPIKey",),
        expected=lambda one, _: {"Fastly-Key": one["fields"]["api_key"]},
        words=says(401, {"msg": "Provided credentials are missing or invalid"}),
        credentials=("Fastly-Key", *EVERY),
        paths={("GET", "/tokens/self"): says(200, token)},
    )


def gitlab():
    token = {"id": 1, "name": "rig", "revoked": False, "scopes": ["read_api"], "active": True, "expires_at": None}
    limited = {"message": "400 Bad request - This endpoint requires token type to be a personal access token"}
    return Service(
        types=("GitlabAPIKey",),
        expected=lambda one, _: {"PRIVATE-TOKEN": one["fields"]["api_token"]},
        words=says(401, {"message": "401 Unauthorized"}),
        credentials=("PRIVATE-TOKEN", "JOB-TOKEN", *EVERY),
        parameters=("private_token", "access_token", "job_token"),
        limited=says(400, limited),
        paths={("GET", "/api/v4/personal_access_tokens/self"): says(200, token)},
    )


def greynoise():
    pong = {"message": "pong", "offering": "enterprise", "expiration": "2027-12-31"}
    return Service(
        types=("GreyNoiseAPIKey",),
        expected=lambda one, _: {"key": one["fields"]["api_key"]},
        words=says(401, {"message": "Invalid API key"}),
        credentials=("key", *EVERY),
        parameters=("key",),
        paths={("GET", "/ping"): says(200, pong)},
    )


def launchdarkly():
    identity = {"accountId": "rig", "tokenName": "rig", "tokenKind": "auth", "serviceToken": True}
    return Service(
        types=("LaunchDarklyAPIKey",),
        expected=lambda one, _: {"Authorization": one["fields"]["api_token"]},
        words=says(401, {"code": "unauthorized", "message": "invalid access token"}),
        credentials=EVERY,
        paths={("GET", "/api/v2/caller-identity"): says(200, identity)},
    )


def okta():
    def error(status, code, summary):
        return as_json(
            status,
            {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oaerig", "errorCauses": []},
        )

    def words(verdict, _):
        if verdict == "missing":
            return error(401, "E0000005", "Invalid session")
        return error(401, "E0000011", "Invalid token provided")

    return Service(
        types=("OktaAPIToken",),
        expected=lambda one, _: {"Authorization": "SSWS " + one["fields"]["api_token"]},
        words=words,
        credentials=EVERY,
        limited=lambda _: error(403, "E0000006", "You do not have permission to perform the requested action"),
        paths={
            ("GET", "/api/v1/users/me"): says(
                200, {"id": "00urig", "status": "ACTIVE", "profile": {"login": "rig@partner.example"}}
            )
        },
    )


def statsig():
    def pin(request):
        versions = request.all("statsig-api-version")
        # Not mandatory yet.
        return (
            None
            if versions in ([], ["20240601"])
            else as_json(400, {"status": 400, "message": "Invalid STATSIG-API-VERSION"})
        )

    listed = {
        "message": "Gates listed successfully.",
        "data": [],
        "pagination": {"itemsPerPage": 1, "pageNumber": 1, "totalItems": 0},
    }
    return Service(
        types=("StatsigAPIKey",),
        expected=lambda one, _: {"STATSIG-API-KEY": one["fields"]["api_key"]},
        words=lambda verdict, _: as_json(
            401, {"status": 401, "message": "No API key" if verdict == "missing" else "Invalid API key"}
        ),
        credentials=("STATSIG-API-KEY", *EVERY),
        pin=pin,
        paths={("GET", "/console/v1/gates"): says(200, listed)},
    )


def virustotal():
    def error(status, code, message):
        return as_json(status, {"error": {"code": code, "message": message}})

    def words(verdict, _):
        if verdict == "missing":
            return error(401, "AuthenticationRequiredError", "X-Apikey header is missing")
        return error(401, "WrongCredentialsError", "Wrong API key")

    return Service(
        types=("VirusTotalAPIKey",),
        expected=lambda one, _: {"x-apikey": one["fields"]["api_key"]},
        words=words,
        credentials=("x-apikey", *EVERY),
        parameters=("apikey",),
        limited=lambda _: error(403, "ForbiddenError", "You are not authorized to perform the requested operation"),
        paths={
            ("GET", "/api/v3/metadata"): says(200, {"data": {"engines": {}, "privileges": {}, "relationships": {}}})
        },
    )


def split():
    def expected(one, _):
        key = one["fields"]["api_key"]
        is_harness = key.startswith(("pat.", "sat."))
        return {"x-api-key": key} if is_harness else {"Authorization": f"Bearer {key}"}

    workspaces = {
        "objects": [{"id": "rig", "name": "Default", "type": "workspace"}],
        "offset": 0,
        "limit": 1,
        "totalCount": 1,
    }
    return Service(
        types=("SplitAPIKey",),
        expected=expected,
        words=says(401, {"code": 401, "message": "Unauthorized", "details": "", "transactionId": "rig"}),
        credentials=("x-api-key", *EVERY),
        limited=says(403, {"code": 403, "message": "Forbidden", "details": "", "transactionId": "rig"}),
        paths={("GET", "/internal/api/v2/workspaces"): says(200, workspaces)},
    )
