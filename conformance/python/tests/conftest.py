"""Clients as whoever a test wants to be, and objects that go away with the test that made them."""

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.key_management_api import KeyManagementApi as KeyManagementApiV1
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.roles_api import RolesApi
from datadog_api_client.v2.api.service_accounts_api import ServiceAccountsApi
from datadog_api_client.v2.api.users_api import UsersApi
from datadog_api_client.v2.model.api_key_create_attributes import APIKeyCreateAttributes
from datadog_api_client.v2.model.api_key_create_data import APIKeyCreateData
from datadog_api_client.v2.model.api_key_create_request import APIKeyCreateRequest
from datadog_api_client.v2.model.api_keys_type import APIKeysType
from datadog_api_client.v2.model.application_key_create_attributes import ApplicationKeyCreateAttributes
from datadog_api_client.v2.model.application_key_create_data import ApplicationKeyCreateData
from datadog_api_client.v2.model.application_key_create_request import ApplicationKeyCreateRequest
from datadog_api_client.v2.model.application_keys_type import ApplicationKeysType

from support import API_KEY, APPLICATION_KEY, URL, resource, send, understood, unique, unique_email


@pytest.fixture(scope="session")
def configuration():
    """Makes a client's configuration for given credentials. Retries are off: the first answer counts."""

    def configure(api_key=API_KEY, application_key=APPLICATION_KEY, token=None):
        keys = {"apiKeyAuth": api_key, "appKeyAuth": application_key}
        return Configuration(
            host=URL,
            access_token=token,
            api_key={scheme: key for scheme, key in keys.items() if key},
            enable_retry=False,
            retry_policy=False,
        )

    return configure


@pytest.fixture(scope="session")
def client(configuration):
    """The official client of the org's first user."""
    with ApiClient(configuration()) as client:
        yield client


@pytest.fixture
def client_with(configuration):
    """Makes the official client for given credentials."""
    return lambda **keys: ApiClient(configuration(**keys))


@pytest.fixture
def keys(client):
    """Key management, v2."""
    return KeyManagementApi(client)


@pytest.fixture
def keys_v1(client):
    """Key management, v1."""
    return KeyManagementApiV1(client)


@pytest.fixture
def users(client):
    """Users, invitations and the current user."""
    return UsersApi(client)


@pytest.fixture
def roles(client):
    """Roles and permissions."""
    return RolesApi(client)


@pytest.fixture
def service_accounts(client):
    """Service accounts, their application keys and tokens."""
    return ServiceAccountsApi(client)


@pytest.fixture
def clean_up():
    """Takes paths, and deletes them when the test is over, whether or not the test has done so."""
    paths = []
    yield paths.append
    for path in reversed(paths):
        assert send("DELETE", path).status in (200, 204, 404), path


@pytest.fixture
def make_api_key(keys, clean_up):
    """Makes an API key through the client and returns its data."""

    def make(name=None, **attributes):
        attributes = APIKeyCreateAttributes(name=name or unique(), **attributes)
        body = APIKeyCreateRequest(data=APIKeyCreateData(attributes=attributes, type=APIKeysType.API_KEYS))
        created = understood(keys.create_api_key(body)).data
        clean_up(f"/api/v2/api_keys/{created.id}")
        return created

    return make


@pytest.fixture
def make_application_key(keys, clean_up):
    """Makes an application key of the first user through the client and returns its data."""

    def make(name=None, **attributes):
        attributes = ApplicationKeyCreateAttributes(name=name or unique(), **attributes)
        data = ApplicationKeyCreateData(attributes=attributes, type=ApplicationKeysType.APPLICATION_KEYS)
        created = understood(
            keys.create_current_user_application_key(ApplicationKeyCreateRequest(data=data))
        ).data
        clean_up(f"/api/v2/current_user/application_keys/{created.id}")
        return created

    return make


@pytest.fixture
def make_user(users, clean_up):
    """Makes a user through the client and returns their data."""

    def make(*, roles=None, **attributes):
        links = {} if roles is None else {"roles": [("roles", role) for role in roles]}
        body = resource("users", {"email": unique_email()} | attributes, **links)
        created = understood(users.create_user(body)).data
        clean_up(f"/api/v2/users/{created.id}")
        return created

    return make


@pytest.fixture
def make_role(roles, clean_up):
    """Makes a role through the client and returns its data; without `permissions`, the default ones are all it has."""

    def make(name=None, *, permissions=None, **attributes):
        links = {} if permissions is None else {"permissions": [("permissions", id) for id in permissions]}
        body = resource("roles", {"name": name or unique("role")} | attributes, **links)
        created = understood(roles.create_role(body)).data
        clean_up(f"/api/v2/roles/{created.id}")
        return created

    return make


@pytest.fixture
def make_service_account(service_accounts, clean_up):
    """Makes a service account through the client and returns its data."""

    def make(*, roles=None, **attributes):
        links = {} if roles is None else {"roles": [("roles", role) for role in roles]}
        attributes = {"email": unique_email(), "service_account": True} | attributes
        created = understood(service_accounts.create_service_account(resource("users", attributes, **links))).data
        clean_up(f"/api/v2/users/{created.id}")
        return created

    return make


@pytest.fixture(scope="session")
def permission_ids(client):
    """The id of every permission, by its name."""
    listed = understood(RolesApi(client).list_permissions()).data
    return {permission.attributes.name: permission.id for permission in listed}
