"""The identities themselves: for each type its settings, its secrets in their usual shapes, and what a probe finds."""

import string

from upstream.seeded import changed

# What a probe says: ok, bad, limited, or none where the catalog has no probe.
GOOD, BAD, LIMITED, NONE = "ok", "bad", "limited", "none"

ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
# Where the rig plays services that nobody has heard of.
PARTNER = "partner.example"


def every(seeded):
    """All identities, of each type the good one first."""
    for of_some in (_catalog, _aws, _azure, _gcp, _http, _zendesk):
        yield from of_some(seeded)


def _identity(type, variant, create, fields, secret, *, probe=GOOD, face="datadog", host=None, **more):
    return {
        "type": type,
        "variant": variant,
        "face": face,
        # What the catalog's probe must say.
        "probe": probe,
        # `bad` ones are not known: they must not be told from noise.
        "is_known": variant != "bad",
        "create": create,
        "fields": fields,
        "secret": secret,
        "host": host,
        **more,
    }


def _catalog(seeded):
    """The types whose secrets are sent as they are."""
    text = seeded.text
    email = "owner@partner.example"
    # Integration, type, settings, secrets, and what a probe finds of a key that is real but may do nothing.
    table = [
        ("Anthropic", "AnthropicAPIKey", {}, {"api_token": lambda: "sk-ant-api03-" + text(93)}, LIMITED),
        (
            "Asana",
            "AsanaAccessToken",
            {},
            {"access_token": lambda: f"2/{text(16, '123456789')}/{text(16, '123456789')}:{text(32, HEX)}"},
            None,
        ),
        ("CircleCI", "CircleCIAPIKey", {}, {"api_token": lambda: f"CCIPAT_{text(22)}_{text(40, HEX)}"}, None),
        (
            "Clickup",
            "ClickupAPIKey",
            {},
            {"api_token": lambda: f"pk_{text(8, '123456789')}_{text(32, string.ascii_uppercase)}"},
            None,
        ),
        ("Cloudflare", "CloudflareAPIToken", {}, {"api_token": lambda: f"cfut_{text(40)}{text(8, HEX)}"}, None),
        (
            "Cloudflare",
            "CloudflareGlobalAPIToken",
            {"auth_email": email},
            {"global_api_key": lambda: f"cfk_{text(40)}{text(8, HEX)}"},
            None,
        ),
        (
            "ConfigCat",
            "ConfigCatSDKKey",
            {"api_username": "rig-user"},
            {"api_password": lambda: text(43), "sdk_key": lambda: f"configcat-sdk-1/{text(22)}/{text(22)}"},
            None,
        ),
        (
            "Datadog",
            "DatadogAPIKey",
            {"datacenter": "us5.datadoghq.com"},
            {"api_key": lambda: text(32, HEX), "app_key": lambda: text(40, HEX)},
            None,
        ),
        ("Fastly", "FastlyAPIKey", {}, {"api_key": lambda: text(32, ALPHANUMERIC + "_-")}, None),
        (
            "Freshservice",
            "FreshserviceAPIKey",
            {"domain": "rig.freshservice.com"},
            {"api_key": lambda: text(20)},
            LIMITED,
        ),
        ("Gemini", "GeminiAPIKey", {}, {"api_key": lambda: "AQ." + text(50, ALPHANUMERIC + "_-")}, LIMITED),
        ("Gitlab", "GitlabAPIKey", {}, {"api_token": lambda: "glpat-" + text(20)}, LIMITED),
        ("GreyNoise", "GreyNoiseAPIKey", {}, {"api_key": lambda: text(64)}, None),
        ("LaunchDarkly", "LaunchDarklyAPIKey", {}, {"api_token": lambda: "api-" + seeded.uuid()}, None),
        ("Notion", "NotionAPIKey", {}, {"api_token": lambda: "ntn_" + text(46)}, LIMITED),
        (
            "Okta",
            "OktaAPIToken",
            {"domain": "rig.okta.com"},
            {"api_token": lambda: "00" + text(40, ALPHANUMERIC + "_-")},
            LIMITED,
        ),
        ("OpenAI", "OpenAIAPIKey", {}, {"api_token": lambda: "sk-proj-" + text(60, ALPHANUMERIC + "_-")}, LIMITED),
        # Beyond ASCII on purpose: the pair is encoded as UTF-8.
        (
            "ServiceNow",
            "ServiceNowBasicAuth",
            {"instance": "rig", "username": "integration.user"},
            {"password": lambda: "pä:ss wörd " + text(16)},
            LIMITED,
        ),
        ("Split", "SplitAPIKey", {}, {"api_key": lambda: text(52, string.ascii_lowercase + string.digits)}, LIMITED),
        ("Statsig", "StatsigAPIKey", {}, {"api_key": lambda: "console-" + text(43)}, None),
        ("VirusTotal", "VirusTotalAPIKey", {}, {"api_key": lambda: text(64, HEX)}, LIMITED),
    ]

    def one(integration, type, settings, values, variant, probe):
        fields = settings | values
        create = {"type": integration, "credentials": {"type": type} | fields}
        return _identity(type, variant, create, fields, list(values), probe=probe)

    for integration, type, settings, makers, limited in table:
        values = {name: maker() for name, maker in makers.items()}
        yield one(integration, type, settings, values, "good", GOOD)
        # Wrong by one character of the last secret alone: a rig that looked at less would not see it.
        *_, last = values
        yield one(integration, type, settings, values | {last: changed(values[last])}, "bad", BAD)
        if limited:
            yield one(
                integration, type, settings, {name: maker() for name, maker in makers.items()}, "limited", limited
            )
    yield one("Cloudflare", "CloudflareAPIToken", {}, {"api_token": f"cfut_{text(40)}{text(8, HEX)}"}, "disabled", BAD)
    yield one("Cloudflare", "CloudflareAPIToken", {}, {"api_token": f"cfat_{text(40)}{text(8, HEX)}"}, "account", GOOD)
    yield one("Split", "SplitAPIKey", {}, {"api_key": f"sat.{text(22)}.{text(24, HEX)}.{text(20)}"}, "harness", GOOD)


def _aws(seeded):
    """A role is all there is to know; its external id is the server's, and told to the rig when it is known."""
    for variant, role, probe in [("good", "ClavigerRole", GOOD), ("bad", "NobodysRole", BAD)]:
        fields = {"account_id": "123456789012", "role": role}
        create = {"type": "AWS", "credentials": {"type": "AWSAssumeRole"} | fields}
        yield _identity("AWSAssumeRole", variant, create, fields, [], probe=probe)


def _azure(seeded):
    tenant, app = seeded.uuid(), seeded.uuid()
    secrets = {
        "good": seeded.text(3) + "8Q~" + seeded.text(34, ALPHANUMERIC + "._-"),
        "expired": seeded.text(3) + "7Q~" + seeded.text(34),
    }
    secrets["bad"] = changed(secrets["good"])
    secrets["scoped"] = secrets["good"]
    for variant, probe in [("good", GOOD), ("expired", BAD), ("bad", BAD), ("scoped", GOOD)]:
        fields = {"tenant_id": tenant, "app_client_id": app, "client_secret": secrets[variant]}
        if variant == "scoped":
            fields["custom_scopes"] = "https://graph.microsoft.com/.default"
        create = {"type": "Azure", "credentials": {"type": "AzureTenant"} | fields}
        yield _identity("AzureTenant", variant, create, fields, ["client_secret"], probe=probe)


def _gcp(seeded):
    email = "rig-account@rig-project.iam.gserviceaccount.com"
    for variant, probe in [("good", GOOD), ("bad", BAD)]:
        fields = {"service_account_email": email, "private_key": seeded.rsa_pem()}
        create = {"type": "GCP", "credentials": {"type": "GCPServiceAccount"} | fields}
        yield _identity("GCPServiceAccount", variant, create, fields, ["private_key"], probe=probe)


def _http(seeded):
    """Tokens in a header, in a parameter and in a body; each with characters that its place must encode."""

    def one(variant, base_url, body, values, headers, parameters):
        credentials = {
            "type": "HTTPTokenAuth",
            "tokens": [{"name": name, "type": "SECRET", "value": value} for name, value in values.items()],
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "url_parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        }
        if body:
            credentials["body"] = {"content": body[1], "content_type": body[0]}
        create = {"type": "HTTP", "base_url": base_url, "credentials": credentials}
        host = base_url.split("/")[2]
        return _identity("HTTPTokenAuth", variant, create, values, list(values), probe=NONE, host=host)

    def values(*names):
        return {name: seeded.text(24) + suffix for name, suffix in names}

    header, parameter, body = ("headerToken", ""), ("queryToken", "+/=&?#% x"), ("bodyToken", '"}\\ü')
    bearer = {"Authorization": "Bearer {{ headerToken }}", "X-Plain": "as it is"}
    document = '{"auth": {"secret": "{{ bodyToken }}"}, "fixed": true}'
    for variant in ("good", "bad"):
        yield one(
            variant,
            f"https://http.{PARTNER}/base",
            ("application/json", document),
            values(header, parameter, body),
            bearer,
            {"key": "{{ queryToken }}", "fixed": "1"},
        )
    yield one("text", f"https://text.{PARTNER}", ("text/plain", "secret={{bodyToken}}"), values(body), {}, {})
    # Stored by the API, and for the broker to refuse unless the org allows that host in clear.
    yield one("plain", f"http://plain.{PARTNER}", None, values(header), {"X-Plain-Key": "{{ headerToken }}"}, {})


def _zendesk(seeded):
    def one(type, variant, domain, fields, secret, host=None):
        return _identity(
            type,
            variant,
            {"allowed_domain": domain} | fields,
            fields,
            secret,
            face="zendesk",
            host=host or domain,
            probe=NONE,
        )

    key, basic, token = (
        seeded.text(40),
        {"username": "agent@partner.example/token", "password": seeded.text(40)},
        seeded.text(64, HEX),
    )
    domain = f"keys.{PARTNER}"
    yield one("api_key", "good", domain, {"header_name": "X-Partner-Key", "api_key": key}, ["api_key"])
    yield one("api_key", "bad", domain, {"header_name": "X-Partner-Key", "api_key": changed(key)}, ["api_key"])
    # A scheme of one's own, which the type for bearer tokens cannot have.
    yield one(
        "api_key",
        "authorization",
        domain,
        {"header_name": "Authorization", "api_key": "Token token=" + seeded.text(32)},
        ["api_key"],
    )
    domain = f"basic.{PARTNER}"
    yield one("basic_auth", "good", domain, basic, ["password"])
    yield one("basic_auth", "bad", domain, basic | {"password": changed(basic["password"])}, ["password"])
    domain = f"bearer.{PARTNER}"
    yield one("bearer_token", "good", domain, {"token": token}, ["token"])
    yield one("bearer_token", "bad", domain, {"token": changed(token)}, ["token"])
    yield one(
        "bearer_token",
        "wildcard",
        "*.partner-wild.example",
        {"token": seeded.text(64, HEX)},
        ["token"],
        "any.partner-wild.example",
    )
    yield from _oauth(seeded)


def _oauth(seeded):
    """Clients at the rig's own OAuth server, one for each grant."""
    login = f"https://login.{PARTNER}/oauth"
    secret = seeded.text(48)
    variants = [
        ("good", "client_credentials", secret),
        ("bad", "client_credentials", changed(secret)),
        ("code", "authorization_code", seeded.text(48)),
    ]
    for variant, grant, value in variants:
        fields = {"client_id": "rig-" + grant.replace("_", "-"), "client_secret": value}
        create = fields | {
            "name": f"rig_{variant}",
            "token_url": f"{login}/token",
            "grant_type": grant,
            "default_scopes": "tickets:read",
            "allowed_domain": f"oauth.{PARTNER}",
        }
        if grant == "authorization_code":
            create["auth_url"] = f"{login}/authorize"
        start = {"oauth_client_name": f"rig_{variant}", "grant_type": grant, "permission_scopes": "tickets:read"}
        if grant == "authorization_code":
            start |= {"allow_offline_access": True, "origin_oauth_redirect_url": f"https://app.{PARTNER}/done"}
        yield _identity(
            "oauth",
            variant,
            create,
            fields,
            ["client_secret"],
            face="zendesk",
            host=f"oauth.{PARTNER}",
            # A token that is held proves it, and none is ever had with a wrong secret.
            probe=NONE if variant == "bad" else GOOD,
            start=start,
        )
