"""`POST /api/v1/org`: a new org with its first admin, API key and application key, apart from every other org."""

import uuid

import pytest
from datadog_api_client.v1.api.organizations_api import OrganizationsApi
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.users_api import UsersApi

from support import (
    API_KEY_SECRET,
    APPLICATION_KEY_SECRET,
    NAME_MISSING_V1,
    NOT_AUTHORISED,
    ORG_ID,
    TIME_V1,
    UUID,
    send,
    understood,
)

PATH = "/api/v1/org"


def org_name():
    """A name that no other org has; longer ones the client neither sends nor reads."""
    return uuid.uuid4().hex


@pytest.fixture
def make(client):
    """Makes an org, which is disabled when the test is over: no vendor's endpoint takes one away."""
    made = []

    def make(name=None):
        created = understood(OrganizationsApi(client).create_child_org({"name": name or org_name()}))
        made.append(created.org.public_id)
        return created

    yield make
    for id in made:
        assert send("PATCH", f"/claviger/v1/orgs/{id}", {"disabled": True}).status == 200


def test_by_the_client(make):
    name = org_name()
    created = make(name)
    assert created.org.name == name
    assert UUID.fullmatch(created.org.public_id) and created.org.public_id != ORG_ID
    assert API_KEY_SECRET.fullmatch(created.api_key.key)
    assert APPLICATION_KEY_SECRET.fullmatch(created.application_key.hash)
    assert created.user.email == created.user.handle


def test_on_the_wire():
    answer = send("POST", PATH, {"name": org_name()})
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert set(answer.json) == {"org", "api_key", "application_key", "user"}
    key = answer.json["api_key"]
    assert set(key) == {"key", "name", "created", "created_by", "is_active", "disabled", "disabled_by"}
    assert (key["is_active"], key["disabled"], key["disabled_by"]) == (True, False, None)
    assert TIME_V1.fullmatch(key["created"]) and TIME_V1.fullmatch(answer.json["org"]["created"])
    assert send("PATCH", f"/claviger/v1/orgs/{answer.json['org']['public_id']}", {"disabled": True}).status == 200


def test_its_keys_open_it_and_nothing_else(make, client_with, make_api_key):
    created = make()
    other = make_api_key().id
    with client_with(api_key=created.api_key.key, application_key=created.application_key.hash) as client:
        caller = understood(UsersApi(client).get_current_user()).data
        assert caller.relationships.org.data.id == created.org.public_id
        assert len(KeyManagementApi(client).list_api_keys().data) == 1
    keys = {"api_key": created.api_key.key, "application_key": created.application_key.hash}
    assert send("GET", f"/api/v2/api_keys/{other}", **keys).status == 404
    crossed = send("GET", "/api/v2/api_keys", application_key=created.application_key.hash)
    assert (crossed.status, crossed.json) == (401, NOT_AUTHORISED)


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_name_that_is_none(name):
    send("POST", PATH, {"name": name}).has_failed_with(400)


def test_missing_name():
    answer = send("POST", PATH, {})
    assert (answer.status, answer.text) == (400, NAME_MISSING_V1)
