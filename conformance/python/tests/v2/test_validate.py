"""`GET /api/v2/validate`: an API key alone, its id and org, and what remote configuration it may read."""

import pytest
from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from support import ORG_ID, UNKNOWN_API_KEY, UNKNOWN_APPLICATION_KEY, send, understood


@pytest.mark.parametrize(("is_enabled", "scopes"), [(True, ["remote_config_read"]), (False, [])])
def test_good_api_key(client_with, make_api_key, is_enabled, scopes):
    created = make_api_key(remote_config_read_enabled=is_enabled)
    with client_with(api_key=created.attributes.key) as client:
        client.configuration.unstable_operations["validate"] = True
        data = understood(KeyManagementApi(client).validate()).data
    assert (data.id, str(data.type)) == (ORG_ID, "validate_v2")
    assert data.attributes.valid is True
    assert data.attributes.api_key_id == created.id
    assert data.attributes.api_key_scopes == scopes


@pytest.mark.parametrize("application_key", [None, UNKNOWN_APPLICATION_KEY])
def test_application_key_is_ignored(application_key):
    answer = send("GET", "/api/v2/validate", application_key=application_key)
    assert answer.status == 200
    assert answer.attributes["valid"] is True


@pytest.mark.parametrize("api_key", [None, UNKNOWN_API_KEY])
def test_no_or_unknown_api_key(api_key):
    answer = send("GET", "/api/v2/validate", api_key=api_key)
    assert answer.status == 403
    (error,) = answer.json["errors"]
    assert (error["status"], error["title"]) == ("403", "Forbidden")
