"""The services, and which of them answers under a name."""

from upstream.identities import PARTNER
from upstream.services import aws, azure, google, keys, oauth, partner, standard

_EXACT = {
    "api.anthropic.com": keys.anthropic(),
    "app.asana.com": standard.asana(),
    "circleci.com": keys.circleci(),
    "api.clickup.com": keys.clickup(),
    "api.cloudflare.com": standard.cloudflare(),
    "api.configcat.com": standard.configcat(),
    "api.us5.datadoghq.com": keys.datadog(),
    "api.fastly.com": keys.fastly(),
    "rig.freshservice.com": standard.freshservice(),
    google.GEMINI_HOST: google.Gemini(),
    google.TOKEN_HOST: google.Tokens(),
    "gitlab.com": keys.gitlab(),
    "api.greynoise.io": keys.greynoise(),
    "app.launchdarkly.com": keys.launchdarkly(),
    "api.notion.com": standard.notion(),
    "rig.okta.com": keys.okta(),
    "api.openai.com": standard.openai(),
    "rig.service-now.com": standard.servicenow(),
    "api.split.io": keys.split(),
    "statsigapi.net": keys.statsig(),
    "www.virustotal.com": keys.virustotal(),
    azure.LOGIN_HOST: azure.Login(),
    f"login.{PARTNER}": oauth.Login(),
    f"oauth.{PARTNER}": oauth.Api(),
}
# Hosts of a service that take the same credential.
_EXACT["runner.circleci.com"] = _EXACT["circleci.com"]
_EXACT["rt.fastly.com"] = _EXACT["api.fastly.com"]
_EXACT["app.eu.launchdarkly.com"] = _EXACT["app.launchdarkly.us"] = _EXACT["app.launchdarkly.com"]
for _region in ("us", "eu", "ae", "au", "in", "jp"):
    _EXACT[f"{_region}.api.openai.com"] = _EXACT["api.openai.com"]
_EXACT |= dict.fromkeys(partner.Templated.hosts, partner.Templated())
_ZENDESK, _AZURE, _GOOGLE, _AWS = partner.zendesk(), azure.Resources(), google.Services(), aws.Aws()
# The only host that is meant to be reached in clear.
CLEAR_HOSTS = (f"plain.{PARTNER}",)


def service_for(host):
    """Who answers there, or None: then nobody is to come here with a credential."""
    if host in _EXACT:
        return _EXACT[host]
    if any(host == known or host.endswith(".partner-wild.example") for known in partner.ZENDESK_HOSTS):
        return _ZENDESK
    if azure.resource_of(host):
        return _AZURE
    if aws.service_of(host):
        return _AWS
    return _GOOGLE if host.endswith(".googleapis.com") else None


def hosts(secrets):
    """Every host that a server under test must be told about, so that it comes here."""
    exact = set(_EXACT) | set(partner.ZENDESK_HOSTS) | {"any.partner-wild.example"}
    families = {
        "storage.googleapis.com",
        "pubsub.googleapis.com",
        "rig.vault.azure.net",
        "rig.blob.core.windows.net",
        "management.azure.com",
        "graph.microsoft.com",
    }
    regions = ("us-east-1", "eu-west-1")
    amazon = {f"{name}.{region}.amazonaws.com" for name in aws.SERVICES for region in regions} | set(aws.GLOBAL)
    amazon |= {f"rig.s3.{region}.amazonaws.com" for region in regions} | {"s3.amazonaws.com", "rig.s3.amazonaws.com"}
    own = {one["host"] for one in secrets["identities"] if one["host"]}
    return sorted(exact | families | amazon | {host for host in own if "*" not in host})
