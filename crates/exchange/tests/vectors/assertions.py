"""Assertions of service accounts, by PyJWT. RS256 is deterministic, so that ours must be the same to the byte."""

import json

import jwt
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PKCS8, PKCS1 = form.PrivateFormat.PKCS8, form.PrivateFormat.TraditionalOpenSSL


def pem(key, shape, password=None):
    encryption = form.BestAvailableEncryption(password) if password else form.NoEncryption()
    return key.private_bytes(form.Encoding.PEM, shape, encryption).decode()


def assertion(key, email, scope, now):
    claims = {"aud": AUDIENCE, "exp": now + 3600, "iat": now, "iss": email, "scope": scope}
    token = jwt.api_jws.encode(
        json.dumps(claims, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode(),
        key,
        algorithm="RS256",
        sort_headers=True,
    )
    # The other way round, by the library's own rules.
    read = jwt.decode(token, key.public_key(), ["RS256"], audience=AUDIENCE, options={"verify_exp": False})
    assert read == claims, read
    return token


def make(path):
    good = []
    for bits in (2048, 3072, 4096):
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        for email, scope, now in (
            (f"robot-{bits}@project.iam.gserviceaccount.com", SCOPE, 1_795_000_000),
            ("a@b.iam.gserviceaccount.com", "https://www.googleapis.com/auth/a https://www.googleapis.com/auth/b", 1),
        ):
            token = assertion(key, email, scope, now)
            good.append({"pkcs8": pem(key, PKCS8), "pkcs1": pem(key, PKCS1), "email": email, "scope": scope,
                         "audience": AUDIENCE, "now": now, "assertion": token})
    other = ec.generate_private_key(ec.SECP256R1())
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    bad = {
        "elliptic": pem(other, PKCS8),
        "small": pem(small, PKCS8),
        "encrypted": pem(key, PKCS8, b"password"),
        "public": key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode(),
        # One form under the other's name.
        "misnamed": pem(key, PKCS1).replace("RSA PRIVATE", "PRIVATE"),
    }
    path.write_text(json.dumps({"good": good, "bad": bad}, indent=1) + "\n")
