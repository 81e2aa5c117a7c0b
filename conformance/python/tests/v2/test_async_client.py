"""The official client's asynchronous variant, which sends DELETE with the body `null` as text/plain."""

import asyncio

from datadog_api_client import AsyncApiClient
from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from support import send, unique


def delete_asynchronously(configuration, operation, id):
    async def delete():
        async with AsyncApiClient(configuration) as client:
            return await getattr(KeyManagementApi(client), operation)(id)

    return asyncio.run(delete())


def test_delete_api_key(configuration, make_api_key):
    id = make_api_key().id
    assert delete_asynchronously(configuration(), "delete_api_key", id) is None
    assert send("GET", f"/api/v2/api_keys/{id}").attributes["status"] == "revoked"


def test_delete_application_key(configuration, make_application_key):
    id = make_application_key().id
    assert delete_asynchronously(configuration(), "delete_application_key", id) is None
    assert send("GET", f"/api/v2/application_keys/{id}").status == 404


def test_delete_own_application_key(configuration, make_application_key):
    id = make_application_key().id
    assert delete_asynchronously(configuration(), "delete_current_user_application_key", id) is None
    assert send("GET", f"/api/v2/application_keys/{id}").status == 404


def test_list(configuration, make_api_key):
    name = unique()
    created = make_api_key(name)

    async def listed():
        async with AsyncApiClient(configuration()) as client:
            return await KeyManagementApi(client).list_api_keys(filter=name)

    assert [key.id for key in asyncio.run(listed()).data] == [created.id]
