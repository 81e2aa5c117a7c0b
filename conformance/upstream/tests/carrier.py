"""Carries calls to the rig as a broker must, with the vendors' own libraries: what `calls` promises is judged by it."""

import json
from urllib.parse import quote, urlencode, urlsplit

import google.auth.transport.requests
import msal
import requests
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from google.oauth2.service_account import Credentials

from upstream.calls import HOSTILE
from upstream.tests.wire_facts import credentials, others

BASES = {
    "AnthropicAPIKey": "https://api.anthropic.com",
    "AsanaAccessToken": "https://app.asana.com/api/1.0",
    "AzureTenant": "https://management.azure.com",
    "CircleCIAPIKey": "https://circleci.com/api/v2",
    "ClickupAPIKey": "https://api.clickup.com/api/v2",
    "CloudflareAPIToken": "https://api.cloudflare.com/client/v4",
    "CloudflareGlobalAPIToken": "https://api.cloudflare.com/client/v4",
    "ConfigCatSDKKey": "https://api.configcat.com",
    "DatadogAPIKey": "https://api.us5.datadoghq.com",
    "FastlyAPIKey": "https://api.fastly.com",
    "FreshserviceAPIKey": "https://rig.freshservice.com/api/v2",
    "GeminiAPIKey": "https://generativelanguage.googleapis.com",
    "GitlabAPIKey": "https://gitlab.com/api/v4",
    "GreyNoiseAPIKey": "https://api.greynoise.io",
    "LaunchDarklyAPIKey": "https://app.launchdarkly.com",
    "NotionAPIKey": "https://api.notion.com",
    "OktaAPIToken": "https://rig.okta.com",
    "OpenAIAPIKey": "https://api.openai.com",
    "ServiceNowBasicAuth": "https://rig.service-now.com",
    "SplitAPIKey": "https://api.split.io",
    "StatsigAPIKey": "https://statsigapi.net",
    "VirusTotalAPIKey": "https://www.virustotal.com/api/v3",
}


def carry(call, one, assumed):
    """Sends a call as the broker does once it has the connection. `assumed` are keys of the AWS role."""
    base = (
        f"https://{call['host']}"
        if call["host"]
        else BASES.get(one["type"]) or one["create"].get("base_url") or f"https://{one['host']}"
    )
    url = f"{base}/{call['path']}"
    headers = {name: value for name, value in call["headers"].items() if name not in HOSTILE}
    body = (call["body"] or "").encode()
    present = {name.lower() for name in headers}
    add = {
        "AWSAssumeRole": _signed,
        "AzureTenant": _azure,
        "GCPServiceAccount": _google,
        "HTTPTokenAuth": _templated,
        "oauth": _oauth,
    }
    if one["type"] == "AWSAssumeRole":
        headers = _signed(call["method"], url, headers, body, assumed)
    elif one["type"] == "HTTPTokenAuth":
        url, headers, body = _templated(one, url, headers, body)
    elif one["type"] in add:
        headers |= {"Authorization": f"Bearer {add[one['type']](one, url)}"}
    elif one["type"] == "CircleCIAPIKey" and "/api/v3/" in url:
        headers["Authorization"] = f"Bearer {one['fields']['api_token']}"
    else:
        pins = {
            name: value for name, value in others(one["type"], one["fields"]).items() if name.lower() not in present
        }
        headers |= credentials(one["type"], one["fields"]) | pins
    # Prepared by hand, so that the path goes out as it is.
    with requests.Session() as session:
        prepared = requests.Request(call["method"], url, headers=headers, data=body).prepare()
        prepared.url = url
        settings = session.merge_environment_settings(url, {}, None, None, None)
        return session.send(prepared, allow_redirects=False, timeout=10, **settings)


def _signed(method, url, headers, body, keys):
    host = urlsplit(url).hostname
    labels = host.split(".")
    service = {"email": "ses"}.get(labels[-4], labels[-4])
    request = AWSRequest(method, url, headers={"Host": host} | headers, data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Keys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]), service, labels[-3]).add_auth(
        request
    )
    return dict(request.headers.items())


def _azure(one, url):
    fields, host = one["fields"], urlsplit(url).hostname
    families = {"vault.azure.net": "https://vault.azure.net", "blob.core.windows.net": "https://storage.azure.com"}
    resource = families.get(host.partition(".")[2], f"https://{host}")
    authority = f"https://login.microsoftonline.com/{fields['tenant_id']}"
    client = msal.ConfidentialClientApplication(
        fields["app_client_id"],
        client_credential=fields["client_secret"],
        authority=authority,
        instance_discovery=False,
    )
    return client.acquire_token_for_client([fields.get("custom_scopes", f"{resource}/.default")])["access_token"]


def _google(one, _url):
    fields = one["fields"]
    info = {
        "client_email": fields["service_account_email"],
        "private_key": fields["private_key"],
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    made = Credentials.from_service_account_info(info, scopes=["https://www.googleapis.com/auth/cloud-platform"])
    made.refresh(google.auth.transport.requests.Request())
    return made.token


def _oauth(one, _url):
    form = one["fields"] | {"grant_type": "client_credentials"}
    return requests.post(one["create"]["token_url"], data=form, timeout=10).json()["access_token"]


def _templated(one, url, headers, body):
    """The connection's own strings rendered: in headers, in parameters that replace the caller's, and in the body."""
    template = one["create"]["credentials"]

    def filled(text, write=str):
        for name, value in one["fields"].items():
            text = text.replace(f"{{{{ {name} }}}}", write(value)).replace(f"{{{{{name}}}}}", write(value))
        return text

    headers = headers | {item["name"]: filled(item["value"]) for item in template["headers"]}
    own = {item["name"]: filled(item["value"]) for item in template["url_parameters"]}
    url, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in own]
    kept += [urlencode([pair], quote_via=quote) for pair in own.items()]
    url += "?" + "&".join(kept) if kept else ""
    if "body" in template and body:
        content = template["body"]["content"]
        if template["body"]["content_type"] == "application/json":
            body = json.dumps(
                json.loads(body) | json.loads(filled(content, lambda value: json.dumps(value)[1:-1]))
            ).encode()
        else:
            body = filled(content).encode() + b"\r\n" + body
    return url, headers, body
