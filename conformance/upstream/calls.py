"""Calls through the broker, for each identity, with what must come of them.

A call goes to `/broker/{connection}/{path}`, with `Claviger-Host` where `host` is given. `expect` says what the rig
answers and writes into its journal: `status`, and `verdict`. Where `expect` is `{"refused": …}`, the call must not reach
the service, and the caller gets a refusal of the broker's own.

Which connection it is: the one made of the identity with that `type` and `variant`; see `secrets.create_request`.
"""

import json

# What the service answers to a key that it does not know.
UNKNOWN = {"DatadogAPIKey": 403, "GeminiAPIKey": 400, "CloudflareGlobalAPIToken": 403}
# What a real key gets that may do nothing, if not 403.
LIMITED = {"GitlabAPIKey": 400}
# Types whose wrong secret shows when it is exchanged, so that no call is made.
EXCHANGED = ("AWSAssumeRole", "AzureTenant", "GCPServiceAccount", "oauth")
JSON = {"Content-Type": "application/json"}

# For each type: the header in which an unmodified client would send its key, with how it is written there; the probe of
# the catalog; and one call that changes something. Paths are relative to the base URL, or to the root with a host.
BY_TYPE = {
    "AnthropicAPIKey": ("x-api-key", "{}", "v1/models?limit=1", ("POST", "v1/messages")),
    "AsanaAccessToken": ("Authorization", "Bearer {}", "users/me?opt_fields=gid", ("PUT", "tasks/1")),
    "CircleCIAPIKey": ("Circle-Token", "{}", "me", ("POST", "project/gh/rig/rig/pipeline")),
    "ClickupAPIKey": ("Authorization", "{}", "user", ("POST", "list/1/task")),
    "CloudflareAPIToken": ("Authorization", "Bearer {}", "user/tokens/verify", ("PATCH", "zones/rig")),
    "CloudflareGlobalAPIToken": ("X-Auth-Key", "{}", "user", ("DELETE", "zones/rig")),
    "ConfigCatSDKKey": ("X-CONFIGCAT-SDKKEY", "{}", "v1/me", ("PUT", "v1/settings/rig/value")),
    "DatadogAPIKey": ("DD-API-KEY", "{}", "api/v2/validate_keys", ("POST", "api/v2/series")),
    "FastlyAPIKey": ("Fastly-Key", "{}", "tokens/self", ("POST", "service")),
    "FreshserviceAPIKey": ("Authorization", "Basic {}", "agents/me", ("POST", "tickets")),
    "GeminiAPIKey": (
        "x-goog-api-key",
        "{}",
        "v1beta/models?pageSize=1",
        ("POST", "v1beta/models/gemini-rig:generateContent"),
    ),
    "GitlabAPIKey": ("PRIVATE-TOKEN", "{}", "personal_access_tokens/self", ("POST", "projects/1/issues")),
    "GreyNoiseAPIKey": ("key", "{}", "ping", ("POST", "v2/noise/multi/context")),
    "LaunchDarklyAPIKey": ("Authorization", "{}", "api/v2/caller-identity", ("PATCH", "api/v2/flags/rig/rig")),
    "NotionAPIKey": ("Authorization", "Bearer {}", "v1/users/me", ("POST", "v1/pages")),
    "OktaAPIToken": ("Authorization", "SSWS {}", "api/v1/users/me", ("POST", "api/v1/users")),
    "OpenAIAPIKey": ("Authorization", "Bearer {}", "v1/models", ("POST", "v1/responses")),
    "ServiceNowBasicAuth": (
        "Authorization",
        "Basic {}",
        "api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id",
        ("POST", "api/now/table/incident"),
    ),
    "SplitAPIKey": (
        "Authorization",
        "Bearer {}",
        "internal/api/v2/workspaces?limit=1",
        ("POST", "internal/api/v2/tags"),
    ),
    "StatsigAPIKey": ("STATSIG-API-KEY", "{}", "console/v1/gates?limit=1&page=1", ("POST", "console/v1/gates")),
    "VirusTotalAPIKey": ("x-apikey", "{}", "metadata", ("POST", "urls")),
    "api_key": ("X-Partner-Key", "{}", "v1/things?page=2", ("POST", "v1/things")),
    "basic_auth": ("Authorization", "Basic {}", "v1/things", ("PUT", "v1/things/1")),
    "bearer_token": ("Authorization", "Bearer {}", "v1/things", ("DELETE", "v1/things/1")),
    "oauth": ("Authorization", "Bearer {}", "v1/tickets", ("POST", "v1/tickets")),
    "HTTPTokenAuth": ("Authorization", "Bearer {}", "things", ("POST", "things")),
}
# What a caller may send along, and what must not arrive; see `upstream.server.UNWELCOME`. Not here: the headers in which
# the server under test takes credentials of its own.
HOSTILE = {
    "Cookie": "session=callers",
    "X-Forwarded-For": "192.0.2.1",
    "Forwarded": "for=192.0.2.1",
    "Via": "1.1 callers",
    "X-Forwarded-Host": "evil.example",
    "Proxy-Authorization": "Basic Zm9v",
    "TE": "trailers",
    "Claviger-Rig": "1",
}
OWN = ("authorization", "dd-api-key")


def every(secrets):
    """All calls, in the order of the identities."""
    for one in secrets["identities"]:
        made = {"AWSAssumeRole": _aws, "AzureTenant": _azure, "GCPServiceAccount": _gcp, "HTTPTokenAuth": _http}
        yield from made.get(one["type"], _plain)(one)


def reflections(secrets):
    """Calls that come back full of the credentials that they carried: none of these may reach the caller."""
    hosts = {"AWSAssumeRole": "rig.s3.eu-west-1.amazonaws.com", "GCPServiceAccount": "storage.googleapis.com"}
    for one in secrets["identities"]:
        if one["variant"] in ("good", "harness", "account", "scoped", "authorization"):
            host = "graph.microsoft.com" if one["variant"] == "scoped" else hosts.get(one["type"])
            for name, path in (
                ("whole", "__reflect"),
                ("byte by byte", "__reflect?only=body&chunk=1"),
                ("in pieces", "__reflect?only=body&chunk=13"),
            ):
                yield _call(one, f"reflected {name}", "GET", path, host=host)


def probes(secrets):
    """For each identity what a test of its connection must answer: ok, bad or limited; unknown without a probe."""
    for one in secrets["identities"]:
        yield {
            "type": one["type"],
            "variant": one["variant"],
            "is": "unknown" if one["probe"] == "none" else one["probe"],
        }


def _call(one, name, method, path, *, host=None, headers=None, body=None, status=200, verdict="ok", is_as_client=False):
    if one["type"] in EXCHANGED and one["variant"] in ("bad", "expired"):
        expect = {"refused": "the exchange failed"}
    elif one["variant"] == "plain":
        expect = {"refused": "clear text, unless the org allows that host"}
    else:
        expect = {"status": status, "verdict": verdict}
    sdk = BY_TYPE.get(one["type"], ("Authorization", "Bearer {}"))
    sdk = (one["fields"].get("header_name", sdk[0]), *sdk[1:])
    return {
        "type": one["type"],
        "variant": one["variant"],
        "name": name,
        "method": method,
        "path": path,
        "host": host,
        "headers": headers or {},
        "body": body,
        "expect": expect,
        # Where a caller may put its Claviger token, as a client of that service does with its key; and whether it is to.
        "sdk": {"header": sdk[0], "value": sdk[1]},
        "is_as_client": is_as_client,
    }


def _plain(one):
    header, _, path, (method, change) = BY_TYPE[one["type"]]
    header, outcome = one["fields"].get("header_name", header), _outcome(one)
    # A wildcard names no host by itself.
    there = {"host": one["host"]} if one["variant"] == "wildcard" else {}
    yield _call(
        one,
        "probe",
        "GET",
        path,
        **there,
        status=200 if one["variant"] == "disabled" else outcome["status"],
        verdict=outcome["verdict"],
    )
    if one["variant"] in ("bad", "limited", "disabled"):
        return
    has_body = method != "DELETE"
    yield _call(
        one,
        "change",
        method,
        change,
        **there,
        headers=JSON if has_body else {},
        body='{"name":"rig"}' if has_body else None,
    )
    # A value of the caller's for the very header that the secret goes into.
    own = {} if header.lower() in OWN else {header: "callers-own"}
    yield _call(one, "hostile headers", "GET", path, **there, headers=HOSTILE | own, **outcome)
    if header.lower() not in OWN[1:]:
        yield _call(one, "as an unmodified client", "GET", path, **there, is_as_client=True, **outcome)
    yield from _special(one)


def _outcome(one):
    type, variant = one["type"], one["variant"]
    if variant == "bad":
        return {"status": UNKNOWN.get(type, 401), "verdict": "wrong"}
    if variant == "limited":
        return {"status": LIMITED.get(type, 403), "verdict": "ok"}
    if variant == "account":
        # Account tokens are unknown to the endpoint for those of users; see the next call.
        return {"status": 401, "verdict": "ok"}
    return {"status": 200, "verdict": "ok"}


def _special(one):
    """What single services have beside the rule."""
    type = one["type"]
    if type == "AnthropicAPIKey":
        yield _call(one, "the caller's own version", "GET", "v1/models", headers={"anthropic-version": "2023-06-01"})
        yield _call(
            one,
            "a version that nobody has",
            "GET",
            "v1/models",
            headers={"anthropic-version": "1999-01-01"},
            status=400,
            verdict="pin",
        )
    elif type == "NotionAPIKey":
        yield _call(one, "the caller's own version", "GET", "v1/users/me", headers={"Notion-Version": "2022-06-28"})
    elif type == "CircleCIAPIKey":
        yield _call(one, "the third API", "GET", "api/v3/me", host="circleci.com")
        yield _call(one, "runners", "GET", "api/v2/runner", host="runner.circleci.com")
    elif type == "FastlyAPIKey":
        yield _call(one, "analytics", "GET", "v1/channel/rig/ts/0", host="rt.fastly.com")
    elif type == "LaunchDarklyAPIKey":
        yield _call(one, "Europe", "GET", "api/v2/caller-identity", host="app.eu.launchdarkly.com")
    elif type == "OpenAIAPIKey":
        yield _call(one, "Europe", "GET", "v1/models", host="eu.api.openai.com")
    elif type == "CloudflareAPIToken" and one["variant"] == "account":
        yield _call(one, "accounts", "GET", "accounts?per_page=1")
    elif type == "ConfigCatSDKKey":
        yield _call(one, "a value", "GET", "v1/settings/rig/value")
    elif one["variant"] == "wildcard":
        yield _call(one, "the bare name", "GET", "v1/things", host="partner-wild.example")


def _aws(one):
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    yield _call(
        one,
        "who am I",
        "POST",
        "",
        host="sts.us-east-1.amazonaws.com",
        headers=form,
        body="Action=GetCallerIdentity&Version=2011-06-15",
    )
    table = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    yield _call(one, "JSON", "POST", "", host="dynamodb.eu-west-1.amazonaws.com", headers=table, body="{}")
    yield _call(
        one,
        "an object",
        "PUT",
        "a%20b/%C3%BC%2Bc.txt",
        host="rig.s3.eu-west-1.amazonaws.com",
        headers={"Content-Type": "text/plain"},
        body="content",
    )
    yield _call(
        one, "a query", "GET", "?prefix=a%2Fb&list-type=2&empty=&prefix=A", host="rig.s3.eu-west-1.amazonaws.com"
    )
    yield _call(
        one,
        "a path that is encoded twice",
        "GET",
        "2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Arig",
        host="lambda.eu-west-1.amazonaws.com",
    )
    yield _call(one, "another signing name", "GET", "v2/email/identities", host="email.eu-west-1.amazonaws.com")


def _azure(one):
    scoped = one["variant"] == "scoped"
    if not scoped:
        yield _call(one, "ARM", "GET", "subscriptions?api-version=2022-12-01")
        yield _call(one, "Key Vault", "GET", "secrets?api-version=7.4", host="rig.vault.azure.net")
        yield _call(one, "Storage", "GET", "?comp=list", host="rig.blob.core.windows.net")
    yield _call(one, "Graph", "GET", "v1.0/users", host="graph.microsoft.com")


def _gcp(one):
    yield _call(one, "Storage", "GET", "storage/v1/b?project=rig", host="storage.googleapis.com")
    yield _call(
        one, "a change", "POST", "v2/projects/rig/topics", host="pubsub.googleapis.com", headers=JSON, body="{}"
    )


def _http(one):
    if one["variant"] == "text":
        yield _call(
            one,
            "the connection's text first",
            "POST",
            "things",
            headers={"Content-Type": "text/plain"},
            body="the caller's",
        )
    elif one["variant"] == "plain":
        yield _call(one, "in clear", "GET", "things")
    else:
        outcome = _outcome(one)
        body = json.dumps({"auth": {"secret": "{{ bodyToken }}"}, "callers": "{{ headerToken }}"})
        yield _call(
            one,
            "the connection's members win",
            "POST",
            "things?key=callers&other=1",
            headers=JSON | {"X-Callers": "{{ headerToken }}"},
            body=body,
            **outcome,
        )
