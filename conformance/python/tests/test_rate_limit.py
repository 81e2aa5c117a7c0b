"""A key's limit of requests: what the client is told, and that it waits and asks again when it is let."""

import time

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from support import API_KEY, URL, send, unique


@pytest.fixture
def limited(clean_up):
    """Makes an application key that may be used once in so many seconds, and returns its secret."""

    def make(period_seconds):
        limit = {"requests": 1, "period_seconds": period_seconds}
        body = {"name": unique(), "scopes": None, "request_limit": limit}
        made = send("POST", "/claviger/v1/application_keys", body).json
        clean_up(f"/api/v2/application_keys/{made['id']}")
        return made["secret"]

    return make


def test_too_often(client_with, limited):
    secret = limited(60)
    with client_with(application_key=secret) as client, pytest.raises(ApiException) as caught:
        # A minute may end in between, once.
        for _ in range(3):
            KeyManagementApi(client).validate_api_key()
    assert (caught.value.status, caught.value.body) == (429, {"errors": ["Rate limit exceeded"]})
    headers = caught.value.headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-period"]) == ("1", "60")
    assert headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(headers["x-ratelimit-reset"]) <= 60


def test_the_client_waits_and_asks_again(limited):
    keys = {"apiKeyAuth": API_KEY, "appKeyAuth": limited(1)}
    start = time.monotonic()
    with ApiClient(Configuration(host=URL, api_key=keys, enable_retry=True)) as client:
        for _ in range(3):
            assert str(KeyManagementApi(client).validate_api_key().status) == "ok"
    # Three in three different seconds.
    assert time.monotonic() - start >= 1
