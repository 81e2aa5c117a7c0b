"""What drivers are given: bodies that make connections, and calls whose outcome the rig confirms."""

import json
import subprocess
import sys
import tomllib

import boto3
import pytest

from upstream import calls, secrets
from upstream.journal import TOKENS_MAX, Sightings
from upstream.services import hosts, service_for
from upstream.tests.carrier import carry
from upstream.tests.conftest import FOLDER

SECRETS = secrets.make("tests")
# Those that arrive; a token of the grant with a browser is what test_oauth gets.
CALLS = [call for call in calls.every(SECRETS) if "status" in call["expect"] and call["variant"] != "code"]
TYPES = json.loads((FOLDER.parent / "connections.json").read_text())


def id_of(call):
    return f"{call['type']}-{call['variant']}-{call['name']}".replace(" ", "_")


@pytest.fixture(scope="module")
def external_id():
    return "fedcba9876543210fedcba9876543210"


@pytest.fixture
def assumed(routed, external_id):
    fields = routed.identity("AWSAssumeRole")["fields"]
    principal = routed.secrets["principal"]
    routed.order("/trust", **fields, external_id=external_id, principal_id=principal["account_id"])
    sts = boto3.client(
        "sts",
        "eu-west-1",
        aws_access_key_id=principal["access_key_id"],
        aws_secret_access_key=principal["secret_access_key"],
    )
    arn = f"arn:aws:iam::{fields['account_id']}:role/{fields['role']}"
    return sts.assume_role(RoleArn=arn, RoleSessionName="calls", ExternalId=external_id)["Credentials"]


@pytest.mark.parametrize("call", CALLS, ids=id_of)
def test_a_call_has_its_outcome(routed, request, call):
    one = secrets.identity(SECRETS, call["type"], call["variant"])
    keys = request.getfixturevalue("assumed") if call["type"] == "AWSAssumeRole" else None
    answer = carry(call, one, keys)
    found = routed.last
    assert {"status": answer.status_code, "verdict": found["verdict"]} == call["expect"], (answer.text, found["why"])
    assert not found["unwelcome"] or set(found["unwelcome"]) == {"connection"}
    if found["verdict"] == "ok":
        assert (found["type"], found["variant"]) == (call["type"], call["variant"]) or call["variant"] == "scoped"


def test_every_type_has_a_connection_and_calls():
    types = {one["type"] for one in SECRETS["identities"] if one["variant"] == "good"}
    assert types == {example["credentials"] for example in TYPES} | {"api_key", "basic_auth", "bearer_token", "oauth"}
    assert len(types) == 29
    assert types == {call["type"] for call in CALLS if call["variant"] == "good"}
    assert {(one["type"], one["variant"]) for one in SECRETS["identities"]} == {
        (probe["type"], probe["variant"]) for probe in calls.probes(SECRETS)
    }
    # Wrong ones are refused, by the service or before it.
    assert {
        call["type"]
        for call in calls.every(SECRETS)
        if call["variant"] == "bad" and call["expect"] != {"status": 200, "verdict": "ok"}
    } == types


def test_every_host_of_a_call_is_played():
    known = hosts(SECRETS)
    assert all(service_for(host) for host in known)
    assert {call["host"] for call in CALLS if call["host"]} <= set(known)


def test_the_settings_name_every_host(rig):
    ports = rig.folder / "ports"
    told = subprocess.run(
        [sys.executable, str(FOLDER), "config", rig.secrets_file, "--ports", ports, "--ca", rig.ca],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    tables = tomllib.loads(told)["broker"]["upstream"]
    assert [table["host"] for table in tables] == hosts(rig.secrets)
    for table in tables:
        port = rig.clear if table["host"] == "plain.partner.example" else rig.tls
        assert table["address"] == f"127.0.0.1:{port}" and ("ca_file" in table) == (port == rig.tls)


def test_a_seed_is_a_file(tmp_path):
    run = [sys.executable, str(FOLDER)]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        subprocess.run([*run, "secrets", "--seed", seed, tmp_path / name], check=True)
    first, again, other = ((tmp_path / name).read_text() for name in ("a", "b", "c"))
    assert first == again != other
    assert (
        len(
            set(secrets.secret_values(json.loads(first)).values())
            & set(secrets.secret_values(json.loads(other)).values())
        )
        == 0
    )
    for verb in ("creates", "calls", "hosts"):
        told = subprocess.run([*run, verb, tmp_path / "a"], check=True, capture_output=True, text=True).stdout
        assert all(json.loads(line) for line in told.splitlines())


def test_old_tokens_are_sought_no_more_but_secrets_are():
    sought = Sightings({"kept": "a-secret-of-the-file"})
    for number in range(TOKENS_MAX + 1):
        sought.add(f"token {number}", f"token-{number:05}")
    assert sought.find(b"a-secret-of-the-file token-00000 token-00001") == [("kept", "raw"), ("token 1", "raw")]
