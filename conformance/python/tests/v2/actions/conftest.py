"""Connections that go away with their test, and an ear at every answer."""

import pytest
import urllib3
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v2.api.action_connection_api import ActionConnectionApi
from datadog_api_client.v2.model.create_action_connection_request import CreateActionConnectionRequest
from datadog_api_client.v2.model.update_action_connection_request import UpdateActionConnectionRequest

from connections import CANARY, PATH, body, secrets
from support import understood, unique


@pytest.fixture
def actions(client):
    return ActionConnectionApi(client)


@pytest.fixture(autouse=True)
def overheard(monkeypatch):
    """Every answer of the test as it came in, to the client or by plain HTTP. None tells a secret."""
    answers, urlopen = [], urllib3.PoolManager.urlopen

    def listen(*args, **kwargs):
        answer = urlopen(*args, **kwargs)
        answers.append(f"{dict(answer.headers)}\n{answer.data.decode()}")
        return answer

    monkeypatch.setattr(urllib3.PoolManager, "urlopen", listen)
    yield answers
    for answer in answers:
        told = [secret for secret in [CANARY, *secrets()] if secret in answer]
        assert not told, answer


@pytest.fixture
def typed(client):
    """Makes a body of the client's own types from JSON; the client has known every part of it."""

    def convert(kind, json):
        model = validate_and_convert_types(json, (kind,), ["body"], True, True, client.configuration)
        return understood(model)

    return convert


@pytest.fixture
def create(actions, typed, clean_up):
    """Makes a connection through the client's models and returns its data."""

    def create(integration, name=None, **attributes):
        request = body(name=name or unique("connection"), integration=integration, **attributes)
        created = understood(actions.create_action_connection(typed(CreateActionConnectionRequest, request))).data
        clean_up(f"{PATH}/{created.id}")
        return created

    return create


@pytest.fixture
def update(actions, typed):
    """Changes a connection through the client's models and returns its data."""

    def update(id, **attributes):
        request = typed(UpdateActionConnectionRequest, body(**attributes))
        return understood(actions.update_action_connection(id, request)).data

    return update
