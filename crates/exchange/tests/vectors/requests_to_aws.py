"""Requests as odd as they come, signed by botocore.

What is sent is written in ways that botocore itself never would: it is told what is meant (`params`), and the tests
sign what is sent. Where services differ in what something means (`+` in a path of S3), nothing is made up.
"""

import base64
import datetime
import json
import random
from types import SimpleNamespace
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 360
PLACES = [
    ("sts", "eu-central-1", "sts.eu-central-1.amazonaws.com"),
    ("dynamodb", "us-east-1", "dynamodb.us-east-1.amazonaws.com"),
    ("es", "eu-west-3", "es.eu-west-3.amazonaws.com:8443"),
    ("execute-api", "ap-southeast-2", "abc123.execute-api.ap-southeast-2.amazonaws.com"),
    ("lambda", "il-central-1", "lambda.il-central-1.api.aws"),
    ("s3tables", "us-west-2", "s3tables.us-west-2.amazonaws.com"),
    ("s3", "us-east-1", "bucket.s3.amazonaws.com"),
    ("s3", "eu-west-1", "s3.dualstack.eu-west-1.amazonaws.com"),
    ("s3-object-lambda", "us-east-1", "a.s3-object-lambda.us-east-1.amazonaws.com"),
]
S3 = {"s3", "s3-object-lambda"}
CHARACTERS = list("abcXYZ019-._~") + list("!$&'()*,;=:@") + list(" %/?#[]\"<>|^`{}\\") + list("äßሴ€😀") + ["\n", "\0"]
IN_PATH = set("!$&'()*,;=:@")
IN_QUERY = set("!$'()*,;:@/?")
HEADERS = [
    "Accept", "accept-encoding", "Content-Type", "X-Amz-Target", "X-Amz-Meta-B", "x-amz-meta-a", "X-Amz-Acl", "Range",
    "If-None-Match", "Cache-Control", "X-Custom_Header", "x-zz", "A", "Content-MD5", "Origin",
]
UNSIGNED = [
    "User-Agent", "Connection", "Expect", "TE", "Trailer", "Upgrade", "X-Amzn-Trace-Id", "traceparent", "tracestate",
    "baggage", "Keep-Alive", "Proxy-Authorization", "Transfer-Encoding",
]


def text(rng, most):
    return "".join(rng.choice(CHARACTERS) for _ in range(rng.randint(0, most)))


def written(rng, meant, plain, space):
    """A text in one of the many ways to write it."""
    said = ""
    for char in meant:
        if char in plain and rng.random() < 0.7:
            said += char
        elif char.isascii() and (char.isalnum() or char in "-._~") and rng.random() < 0.9:
            said += char
        elif char == " " and space and rng.random() < 0.5:
            said += "+"
        else:
            escaped = "".join(f"%{byte:02X}" for byte in char.encode())
            said += escaped if rng.random() < 0.5 else escaped.lower()
    return said


def path_of(rng, service):
    """What botocore is told, and what is sent."""
    if service in S3:
        # Meant segments, encoded once by botocore's rule; slashes, dots and nothing between slashes all count.
        segments = [rng.choice([text(rng, 8).replace("/", ""), "", ".", ".."]) for _ in range(rng.randint(0, 5))]
        told = "/" + "/".join(quote(segment, safe="~") for segment in segments)
        sent = "/" + "/".join(written(rng, segment, IN_PATH, False) for segment in segments)
        return told, sent
    # As it stands, whatever it means.
    segments = [
        rng.choice([written(rng, text(rng, 8), IN_PATH | {"+"}, True), "", ".", "..", "%2e%2E", "a%2Fb", "%"])
        for _ in range(rng.randint(0, 5))
    ]
    sent = "/" + "/".join(segments)
    return sent, sent


def value(rng):
    words = ["a", "b=c", '"q  q"', "x,y", "1", "text/plain", "*/*"]
    blank = lambda: rng.choice([" ", "  ", "\t", " \t "])  # noqa: E731
    return rng.choice(["", " ", "  "]) + blank().join(rng.sample(words, rng.randint(0, 3))) + rng.choice(["", " "])


def headers_of(rng):
    names = rng.sample(HEADERS, rng.randint(0, 5)) + rng.sample(UNSIGNED, rng.randint(0, 3))
    headers = [(name, value(rng)) for name in names]
    headers += [(rng.choice([name, name.upper()]), value(rng)) for name in names if rng.random() < 0.25]
    rng.shuffle(headers)
    return headers


def one(rng):
    service, region, host = rng.choice(PLACES)
    told, sent = path_of(rng, service)
    names = [text(rng, 5) or "n" for _ in range(rng.randint(0, 4))]
    pairs = [(name, text(rng, 6)) for name in names + [rng.choice(names) for _ in range(2) if names]]
    pairs = [pair for pair in pairs if pair != ("", "")]
    rng.shuffle(pairs)
    query = "&".join(
        written(rng, name, IN_QUERY, True)
        + ("" if not meant and rng.random() < 0.5 else "=" + written(rng, meant, IN_QUERY | {"="}, True))
        for name, meant in pairs
    )
    body = rng.choice([b"", rng.randbytes(rng.randint(1, 40)), b'{"a": 1}'])
    unsigned = service in S3 and rng.random() < 0.3
    token = rng.choice([None, base64.b64encode(rng.randbytes(60)).decode()])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    key, secret = "TESTKEY" + "".join(rng.choices(letters, k=12)), base64.b64encode(rng.randbytes(30)).decode()
    now = rng.randint(946_684_800, 4_102_444_799)

    request = AWSRequest(rng.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]),
                         f"https://{host}{told}", data=body, params=pairs)
    headers = headers_of(rng)
    for name, it in headers:
        request.headers.add_header(name, it)
    # A checksum in a header makes botocore leave the body unsigned only for streams; it is told outright.
    request.context["client_config"] = SimpleNamespace(s3={"payload_signing_enabled": not unsigned})
    moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda: moment
    signer = botocore.auth.S3SigV4Auth if service in S3 else botocore.auth.SigV4Auth
    signer(Credentials(key, secret, token), service, region).add_auth(request)
    return {
        "method": request.method, "host": host, "path_and_query": sent + (f"?{query}" if query else ""),
        "headers": headers, "body": base64.b64encode(body).decode(), "unsigned": unsigned, "service": service,
        "region": region, "key": key, "secret": secret, "token": token, "now": now,
        "authorization": request.headers["Authorization"],
        "date": request.headers["X-Amz-Date"], "content": request.headers["X-Amz-Content-SHA256"],
    }


def make(path):
    rng = random.Random(4)
    lines = ",\n".join(json.dumps(one(rng)) for _ in range(COUNT))
    path.write_text(f"[\n{lines}\n]\n")
