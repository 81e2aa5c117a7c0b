"""By what a third party knows a ZIS integration's calls: `X-ZIS-Authorization`, which the integration's key checks."""

import jwt

HEADER = "x-zis-authorization"
# Longer, and a token that was found somewhere would be worth something.
LASTS_MAX = 60
CLAIMS = ["aud", "exp", "iat", "iss", "sub"]


def values(head):
    """Those of the header in a request's head, in order."""
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return [value.strip() for name, _, value in lines if name.strip().lower() == HEADER]


def problem(head, public_key, host, connection):
    """What is wrong with a call of a connection, `zis:{integration}:{name}`, as its third party sees it; or nothing."""
    found = values(head)
    if len(found) != 1:
        return f"{len(found)} headers {HEADER}"
    scheme, _, token = found[0].partition(" ")
    if scheme != "Bearer":
        return f"the scheme is {scheme!r}"
    issuer = connection.rpartition(":")[0]
    try:
        claims = jwt.decode(
            token,
            public_key,
            algorithms=["RS256"],
            audience=f"https://{host}",
            issuer=issuer,
            options={"require": CLAIMS},
        )
    except jwt.PyJWTError as error:
        return f"{type(error).__name__}: {error}"
    if sorted(claims) != CLAIMS or claims["sub"] != connection:
        return f"the claims are {claims}"
    return None if claims["exp"] - claims["iat"] <= LASTS_MAX else "it lasts too long"
