"""The check of `X-ZIS-Authorization`, with tokens of a signer that is not the server's."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from upstream import vouching

HOST, CONNECTION = "api.partner.example", "zis:rig_integration:mine"


@pytest.fixture(scope="module")
def keys():
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


def public(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def head(*values):
    return "GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-ZIS-Authorization: {value}\r\n" for value in values) + "\r\n"


def claims(**other):
    now = int(time.time())
    own = {"iss": "zis:rig_integration", "sub": CONNECTION, "aud": f"https://{HOST}", "iat": now, "exp": now + 60}
    return own | other


def found(key, token_claims, signer=None, algorithm="RS256"):
    token = jwt.encode(token_claims, signer or key, algorithm)
    return vouching.problem(head(f"Bearer {token}"), public(key), HOST, CONNECTION)


def test_a_good_one_passes(keys):
    assert found(keys[0], claims()) is None


def test_others_do_not(keys):
    key, other = keys
    past = int(time.time()) - 3600
    for wrong in (
        {"aud": "https://evil.example"},
        {"iss": "zis:other"},
        {"sub": "zis:rig_integration:other"},
        {"exp": past},
        {"exp": claims()["iat"] + 3600},
        {"iat": past + 7200},
        {"admin": True},
    ):
        assert found(key, claims(**wrong)), wrong
    assert found(key, {name: value for name, value in claims().items() if name != "sub"})
    assert found(key, claims(), signer=other)
    assert found(key, claims(), signer="x" * 32, algorithm="HS256")


def test_there_is_one_and_it_is_a_bearer(keys):
    token = jwt.encode(claims(), keys[0], "RS256")
    for wrong in (head(), head(token), head(f"Bearer {token}", f"Bearer {token}"), head(f"Basic {token}")):
        assert vouching.problem(wrong, public(keys[0]), HOST, CONNECTION)
