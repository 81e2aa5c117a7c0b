"""What the tests share: where the server is, plain HTTP, and the forms that values have on the wire."""

import json
import os
import re
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
import urllib3
from datadog_api_client.exceptions import ApiException

URL = os.environ["CLAVIGER_URL"].rstrip("/")
API_KEY = os.environ["CLAVIGER_API_KEY"]
APPLICATION_KEY = os.environ["CLAVIGER_APPLICATION_KEY"]
APPLICATION_KEY_ID = os.environ["CLAVIGER_APPLICATION_KEY_ID"]
ORG_ID = os.environ["CLAVIGER_ORG_ID"]
USER_ID = os.environ["CLAVIGER_USER_ID"]
EMAIL = os.environ["CLAVIGER_EMAIL"]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME_V1 = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
TIME_V2 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
# Of roles and permissions.
TIME_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# Of tokens: to the nanosecond when they are made, later without trailing zeros.
TIME_TOKEN_MADE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
TIME_TOKEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z")
API_KEY_SECRET = re.compile(r"[0-9a-f]{32}")
APPLICATION_KEY_SECRET = re.compile(r"[a-f0-9]{40}|ddapp_[a-zA-Z0-9]{34}")
PAT_SECRET = re.compile(r"ddpat_([0-9A-Za-z]{22})_[0-9A-Za-z]{36}")
SAT_SECRET = re.compile(r"(ddsat_[0-9A-Za-z]{22})_[0-9A-Za-z]{36}")

UNKNOWN_API_KEY = "0" * 32
UNKNOWN_APPLICATION_KEY = "0" * 40

API_KEY_REQUIRED = '{"errors":["API key required"]}'
NOT_AUTHORISED = {"errors": ["Unauthorized"]}
NO_PERMISSION = ["Forbidden", "Failed permission authorization checks"]
# To the byte: clients and scripts compare with it.
UNKNOWN_API_KEY_BODY = (
    '{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com",'
    '"twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}\n'
)
NAME_MISSING_V1 = """{"errors": ["Required parameter 'name' is missing"]}"""


@dataclass
class Answer:
    """What came back, undigested."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def data(self):
        return self.json["data"]

    @property
    def attributes(self):
        return self.data["attributes"]

    @property
    def content_type(self):
        return self.headers.get("content-type")

    def has_failed_with(self, status, *errors):
        """Asserts a failure in the form of the key services: a list of strings, as JSON; any, where none are given."""
        assert (self.status, self.content_type) == (status, "application/json"), self.text
        assert list(self.json) == ["errors"]
        assert self.json["errors"] and all(isinstance(error, str) for error in self.json["errors"])
        if errors:
            assert self.json["errors"] == list(errors)


_pool = urllib3.PoolManager(retries=False, timeout=30)


def send(
    method,
    path,
    body=None,
    *,
    query=None,
    api_key=API_KEY,
    application_key=APPLICATION_KEY,
    token=None,
    headers=None,
):
    """Sends one request by plain HTTP. `body` is text as it is, or anything else as JSON; a key of None is not sent."""
    headers = {"Accept": "application/json"} | (headers or {})
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if api_key is not None:
        headers["DD-API-KEY"] = api_key
    if application_key is not None:
        headers["DD-APPLICATION-KEY"] = application_key
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, str) else json.dumps(body)
    target = f"{URL}{path}?{urlencode(query)}" if query else URL + path
    answer = _pool.request(method, target, body=body, headers=headers, redirect=False)
    return Answer(answer.status, answer.headers, answer.data.decode())


@contextmanager
def refused(status, *errors):
    """Asserts that the client's call within fails so."""
    with pytest.raises(ApiException) as caught:
        yield
    assert (caught.value.status, caught.value.body) == (status, {"errors": list(errors)})


def understood(model):
    """The client's answer, once the client says that it knew how to read all of it."""
    assert not model._unparsed, model
    return model


def unique(name="key"):
    """A name that nothing else has, and that no other is part of."""
    return f"conformance {uuid.uuid4().hex} {name}"


def unique_email():
    """An address that nobody has, as long and in as mixed a case as those of the vendor's own suites."""
    return f"Test-Conformance_creates_somebody_with_a_long_name_{uuid.uuid4()}@Example.com"


def resource(kind, attributes, id=None, **relationships):
    """A body with one object; each relationship is a pair, or a list of pairs, of type and id."""

    def linkage(to):
        return [linkage(one) for one in to] if isinstance(to, list) else {"type": to[0], "id": to[1]}

    data = {"type": kind, "attributes": attributes}
    if id is not None:
        data["id"] = id
    if relationships:
        data["relationships"] = {name: {"data": linkage(to)} for name, to in relationships.items()}
    return {"data": data}


def to(kind, id):
    """A body that points at an object."""
    return {"data": {"type": kind, "id": id}}


def unknown_id():
    return str(uuid.uuid4())


def is_of_the_newer_services(answer, status):
    """Asserts a success with the media type that tokens, roles and permissions have."""
    assert (answer.status, answer.content_type) == (status, "application/vnd.api+json"), answer.text


def follow(data, *names):
    """The `type` and `id` that relationship `names` of an object on the wire points at."""
    return {name: data["relationships"][name]["data"] for name in names}


THE_USER = {"type": "users", "id": USER_ID}
