"""How each service wants its credential, written down once more from the services' own documents.

The rig has its own words for it; these are apart from them on purpose, so that a mistake in one shows.
"""

import base64
import re


def b64(text):
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


# Type: the probe's URL, and the headers for a set of fields. `+` marks those that are not credentials.
FACTS = {
    "AnthropicAPIKey": (
        "https://api.anthropic.com/v1/models?limit=1",
        lambda f: {"x-api-key": f["api_token"], "+anthropic-version": "2026-10-21"},
    ),
    "AsanaAccessToken": (
        "https://app.asana.com/api/1.0/users/me?opt_fields=gid",
        lambda f: {"Authorization": f"Bearer {f['access_token']}"},
    ),
    "CircleCIAPIKey": ("https://circleci.com/api/v2/me", lambda f: {"Circle-Token": f["api_token"]}),
    "ClickupAPIKey": ("https://api.clickup.com/api/v2/user", lambda f: {"Authorization": f["api_token"]}),
    "CloudflareAPIToken": (
        "https://api.cloudflare.com/client/v4/user/tokens/verify",
        lambda f: {"Authorization": f"Bearer {f['api_token']}"},
    ),
    "CloudflareGlobalAPIToken": (
        "https://api.cloudflare.com/client/v4/user",
        lambda f: {"X-Auth-Email": f["auth_email"], "X-Auth-Key": f["global_api_key"]},
    ),
    "ConfigCatSDKKey": (
        "https://api.configcat.com/v1/me",
        lambda f: {
            "Authorization": "Basic " + b64(f"{f['api_username']}:{f['api_password']}"),
            "X-CONFIGCAT-SDKKEY": f["sdk_key"],
        },
    ),
    "DatadogAPIKey": (
        "https://api.us5.datadoghq.com/api/v2/validate_keys",
        lambda f: {"DD-API-KEY": f["api_key"], "DD-APPLICATION-KEY": f["app_key"]},
    ),
    "FastlyAPIKey": ("https://api.fastly.com/tokens/self", lambda f: {"Fastly-Key": f["api_key"]}),
    "FreshserviceAPIKey": (
        "https://rig.freshservice.com/api/v2/agents/me",
        lambda f: {"Authorization": "Basic " + b64(f"{f['api_key']}:X")},
    ),
    "GeminiAPIKey": (
        "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1",
        lambda f: {"x-goog-api-key": f["api_key"]},
    ),
    "GitlabAPIKey": (
        "https://gitlab.com/api/v4/personal_access_tokens/self",
        lambda f: {"PRIVATE-TOKEN": f["api_token"]},
    ),
    "GreyNoiseAPIKey": ("https://api.greynoise.io/ping", lambda f: {"key": f["api_key"]}),
    "LaunchDarklyAPIKey": (
        "https://app.launchdarkly.com/api/v2/caller-identity",
        lambda f: {"Authorization": f["api_token"]},
    ),
    "NotionAPIKey": (
        "https://api.notion.com/v1/users/me",
        lambda f: {"Authorization": f"Bearer {f['api_token']}", "+Notion-Version": "2026-03-11"},
    ),
    "OktaAPIToken": ("https://rig.okta.com/api/v1/users/me", lambda f: {"Authorization": f"SSWS {f['api_token']}"}),
    "OpenAIAPIKey": ("https://api.openai.com/v1/models", lambda f: {"Authorization": f"Bearer {f['api_token']}"}),
    "ServiceNowBasicAuth": (
        "https://rig.service-now.com/api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id",
        lambda f: {"Authorization": "Basic " + b64(f"{f['username']}:{f['password']}"), "+Accept": "application/json"},
    ),
    "SplitAPIKey": (
        "https://api.split.io/internal/api/v2/workspaces?limit=1",
        lambda f: (
            {"x-api-key": f["api_key"]}
            if re.match("(pat|sat)\\.", f["api_key"])
            else {"Authorization": f"Bearer {f['api_key']}"}
        ),
    ),
    "StatsigAPIKey": (
        "https://statsigapi.net/console/v1/gates?limit=1&page=1",
        lambda f: {"STATSIG-API-KEY": f["api_key"], "+STATSIG-API-VERSION": "20240601"},
    ),
    "VirusTotalAPIKey": ("https://www.virustotal.com/api/v3/metadata", lambda f: {"x-apikey": f["api_key"]}),
    "api_key": ("https://keys.partner.example/v1/things", lambda f: {f["header_name"]: f["api_key"]}),
    "basic_auth": (
        "https://basic.partner.example/v1/things",
        lambda f: {"Authorization": "Basic " + b64(f"{f['username']}:{f['password']}")},
    ),
    "bearer_token": ("https://bearer.partner.example/v1/things", lambda f: {"Authorization": f"Bearer {f['token']}"}),
}


def credentials(type, fields):
    """The headers that carry it."""
    return {name: value for name, value in FACTS[type][1](fields).items() if not name.startswith("+")}


def others(type, fields):
    """The headers that a right request has beside it."""
    return {name[1:]: value for name, value in FACTS[type][1](fields).items() if name.startswith("+")}
