"""Services that take a bearer token or a pair in `Authorization`, some with more beside it."""

import re

from upstream.judging import Service, says
from upstream.secrets import basic
from upstream.wire import as_json, as_text

NOTION_VERSIONS = ("2022-06-28", "2025-09-03", "2026-03-11")


def asana():
    help = "For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors"
    return Service(
        types=("AsanaAccessToken",),
        expected=lambda one, _: {"Authorization": "Bearer " + one["fields"]["access_token"]},
        words=says(
            401, {"errors": [{"message": "Not Authorized", "help": help}]}, ("WWW-Authenticate", 'Bearer realm="Asana"')
        ),
        credentials=("Authorization",),
        parameters=("access_token",),
        paths={("GET", "/api/1.0/users/me"): says(200, {"data": {"gid": "1"}})},
    )


def cloudflare():
    def expected(one, _):
        fields = one["fields"]
        if one["type"] == "CloudflareAPIToken":
            return {"Authorization": "Bearer " + fields["api_token"]}
        return {"X-Auth-Email": fields["auth_email"], "X-Auth-Key": fields["global_api_key"]}

    def error(status, *errors):
        errors = [{"code": code, "message": message} for code, message in errors]
        return as_json(status, {"success": False, "errors": errors, "messages": [], "result": None})

    def words(verdict, request):
        value = request.one("authorization")
        if verdict == "missing":
            return error(400, (9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"))
        if verdict in ("twice", "misplaced"):
            return error(400, (6003, "Invalid request headers"))
        if value is None:
            return error(403, (9103, "Unknown X-Auth-Key or X-Auth-Email"))
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40,80}", value):
            return error(400, (6003, "Invalid request headers"), (6111, "Invalid format for Authorization header"))
        return error(401, (1000, "Invalid API Token"))

    def success(result):
        return as_json(200, {"success": True, "errors": [], "messages": [], "result": result})

    def verify(_, finding):
        variant = finding.identity["variant"]
        if finding.identity["type"] != "CloudflareAPIToken" or variant == "account":
            return error(401, (1000, "Invalid API Token"))
        return success({"id": "rig", "status": "disabled" if variant == "disabled" else "active"})

    def others(answer):
        # A disabled token is told so by the endpoint above, and refused by every other.
        def given(_, finding):
            return error(403, (9109, "Invalid access token")) if finding.identity["variant"] == "disabled" else answer

        return given

    return Service(
        types=("CloudflareAPIToken", "CloudflareGlobalAPIToken"),
        expected=expected,
        words=words,
        credentials=("Authorization", "X-Auth-Email", "X-Auth-Key", "X-Auth-User-Service-Key"),
        paths={
            ("GET", "/client/v4/user/tokens/verify"): verify,
            ("GET", "/client/v4/accounts"): others(success([{"id": "rig", "name": "Rig"}])),
            ("GET", "/client/v4/user"): others(success({"id": "rig", "email": "owner@partner.example"})),
            ("GET", "/client/v4/zones"): others(success([])),
        },
    )


def configcat():
    problem = {"type": "https://tools.ietf.org/html/rfc9110#section-15.5.2", "title": "Unauthorized", "status": 401}

    def expected(one, _):
        # The service itself looks at the SDK key where it is asked for values; here it must be right everywhere.
        fields = one["fields"]
        pair = basic(fields["api_username"], fields["api_password"])
        return {"Authorization": pair, "X-CONFIGCAT-SDKKEY": fields["sdk_key"]}

    return Service(
        types=("ConfigCatSDKKey",),
        expected=expected,
        words=says(401, problem, ("WWW-Authenticate", 'Basic realm="ConfigCat"')),
        credentials=("Authorization", "X-CONFIGCAT-SDKKEY"),
        paths={
            ("GET", "/v1/me"): says(200, {"email": "rig@partner.example", "fullName": "Rig"}),
            ("GET", "/v1/settings/rig/value"): says(200, {"value": True, "settingId": 1}),
        },
    )


def freshservice():
    def words(verdict, _):
        return as_json(
            401, {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
        )

    return Service(
        types=("FreshserviceAPIKey",),
        expected=lambda one, _: {"Authorization": basic(one["fields"]["api_key"], "X")},
        words=words,
        credentials=("Authorization",),
        limited=says(403, {"code": "access_denied", "message": "You are not authorized to perform this action."}),
        paths={
            ("GET", "/api/v2/agents/me"): says(200, {"agent": {"id": 1, "email": "rig@partner.example"}}),
            ("GET", "/api/v2/tickets"): says(200, {"tickets": []}),
        },
    )


def notion():
    def error(status, code, message):
        return as_json(
            status, {"object": "error", "status": status, "code": code, "message": message, "request_id": "rig"}
        )

    def pin(request):
        versions = request.all("notion-version")
        if not versions:
            return error(
                400,
                "missing_version",
                "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.",
            )
        if len(versions) > 1 or versions[0] not in NOTION_VERSIONS:
            return error(400, "validation_error", "Notion-Version header failed validation.")
        return None

    return Service(
        types=("NotionAPIKey",),
        expected=lambda one, _: {"Authorization": "Bearer " + one["fields"]["api_token"]},
        words=lambda *_: error(401, "unauthorized", "API token is invalid."),
        credentials=("Authorization",),
        limited=lambda _: error(403, "restricted_resource", "Insufficient permissions for this endpoint."),
        pin=pin,
        paths={
            ("GET", "/v1/users/me"): says(200, {"object": "user", "id": "rig", "type": "bot", "name": "Rig", "bot": {}})
        },
    )


def openai():
    def error(status, code, message):
        return as_json(
            status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
        )

    def words(verdict, _):
        if verdict == "missing":
            return error(
                401,
                None,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        return error(
            401,
            "invalid_api_key",
            "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
        )

    listed = {"object": "list", "data": [{"id": "gpt-rig", "object": "model", "created": 1, "owned_by": "rig"}]}
    return Service(
        types=("OpenAIAPIKey",),
        expected=lambda one, _: {"Authorization": "Bearer " + one["fields"]["api_token"]},
        words=words,
        credentials=("Authorization", "api-key"),
        limited=lambda _: error(
            403, None, "You have insufficient permissions for this operation. Missing scopes: api.model.read."
        ),
        paths={("GET", "/v1/models"): says(200, listed)},
    )


def servicenow():
    def words(verdict, _):
        body = {
            "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
            "status": "failure",
        }
        return as_json(401, body, ("WWW-Authenticate", 'BASIC realm="Service-now"'))

    def users(request, _):
        # It speaks XML to whoever does not ask otherwise.
        if (request.one("accept") or "").startswith("application/json"):
            return as_json(200, {"result": [{"sys_id": "rig"}]})
        return as_text(200, "<response><result><sys_id>rig</sys_id></result></response>", "application/xml")

    return Service(
        types=("ServiceNowBasicAuth",),
        expected=lambda one, _: {"Authorization": basic(one["fields"]["username"], one["fields"]["password"])},
        words=words,
        credentials=("Authorization",),
        limited=says(
            403,
            {
                "error": {
                    "message": "Insufficient rights to query records",
                    "detail": "ACL restricts the record retrieval",
                },
                "status": "failure",
            },
        ),
        paths={("GET", "/api/now/table/sys_user"): users},
    )
