"""Whether a request is signed as AWS asks: recomputed by botocore's own signer over what arrived."""

import datetime
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Z0-9]{16,128})/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[A-Za-z0-9-]+)/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_TIME = "%Y%m%dT%H%M%SZ"
# How far the clocks may be apart, in seconds.
SKEW_MAX = {"s3": 900}
SKEW_MAX_USUAL = 300
# What S3 takes in place of a body's digest over TLS; the second where a checksum comes behind the body.
UNSIGNED, UNSIGNED_CHUNKS = "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


class Unsigned(Exception):
    """Why a signature does not count: the verdict, and the code that AWS gives, with its sentence."""

    def __init__(self, verdict, code, message):
        super().__init__(message)
        self.verdict, self.code, self.message = verdict, code, message


@dataclass
class Signed:
    """What a request says of its own signature."""

    key: str
    date: str
    region: str
    service: str
    headers: list
    signature: str


def parse(request):
    """Reads `Authorization`. Raises Unsigned."""
    if any(
        name.lower() in ("x-amz-signature", "x-amz-credential", "x-amz-security-token")
        for name, _ in request.parameters
    ):
        raise Unsigned("misplaced", "IncompleteSignature", "The signature is in the query.")
    values = request.all("authorization")
    if not values:
        raise Unsigned("missing", "MissingAuthenticationToken", "Missing Authentication Token")
    if len(values) > 1:
        raise Unsigned("twice", "IncompleteSignature", "More than one Authorization header.")
    found = _AUTHORIZATION.fullmatch(values[0])
    if not found:
        raise Unsigned("malformed", "IncompleteSignature", "Authorization header is not formed as AWS4-HMAC-SHA256 is.")
    names = found["headers"].split(";")
    return Signed(found["key"], found["date"], found["region"], found["service"], names, found["signature"])


def verify(request, signed, secret_key, service, region, now):
    """Checks everything but whose key it is. Raises Unsigned."""
    if (signed.service, signed.region) != (service, region):
        message = f"Credential should be scoped to correct service: '{service}' and region: '{region}'."
        raise Unsigned("wrong", "SignatureDoesNotMatch", message)
    stamp = _stamp(request, signed, service, now)
    _signed_enough(request, signed)
    _body(request, service)
    judge = _signer(S3SigV4Auth if service == "s3" else SigV4Auth, signed, request)(
        Credentials(signed.key, secret_key), service, region
    )
    copy = AWSRequest(request.method, f"https://{request.host}{_path(request, service)}{_query(request)}")
    for name, value in request.headers:
        if name.lower() in signed.headers:
            copy.headers.add_header(name.lower(), value)
    copy.context["timestamp"] = stamp
    right = judge.signature(judge.string_to_sign(copy, judge.canonical_request(copy)), copy)
    if not hmac.compare_digest(right, signed.signature):
        message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
        raise Unsigned("wrong", "SignatureDoesNotMatch", message)


def _signer(base, signed, request):
    """botocore's signer, which signs what the request says it signed, and has the digest of the body that arrived."""

    class Judge(base):
        def headers_to_sign(self, copy):
            return copy.headers

        def payload(self, _copy):
            return request.body.sha256

    return Judge


def _stamp(request, signed, service, now):
    stamps = request.all("x-amz-date")
    if len(stamps) != 1:
        raise Unsigned("malformed", "IncompleteSignature", "Not exactly one X-Amz-Date.")
    try:
        then = datetime.datetime.strptime(stamps[0], _TIME).replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        raise Unsigned("malformed", "IncompleteSignature", "X-Amz-Date is no time.") from None
    if not stamps[0].startswith(signed.date):
        raise Unsigned(
            "wrong",
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        )
    if abs(now - then) > SKEW_MAX.get(service, SKEW_MAX_USUAL):
        code = "RequestTimeTooSkewed" if service == "s3" else "SignatureDoesNotMatch"
        raise Unsigned("expired", code, f"Signature expired: {stamps[0]} is too far from the server's time.")
    return stamps[0]


def _signed_enough(request, signed):
    names = [name.lower() for name, _ in request.headers]
    if signed.headers != sorted(set(signed.headers)):
        raise Unsigned("malformed", "SignatureDoesNotMatch", "SignedHeaders are not sorted.")
    must = {"host"} | {name for name in names if name.startswith("x-amz-")}
    if not must <= set(signed.headers) or not set(signed.headers) <= set(names):
        raise Unsigned("wrong", "AccessDenied", "There were headers present in the request which were not signed")


def _body(request, service):
    digests = request.all("x-amz-content-sha256")
    if len(digests) > 1 or (service == "s3" and not digests):
        raise Unsigned("malformed", "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if not digests or digests[0] == request.body.sha256:
        return
    is_chunked = request.one("content-encoding") == "aws-chunked" and request.one("x-amz-decoded-content-length")
    if service != "s3" or digests[0] != (UNSIGNED_CHUNKS if is_chunked else UNSIGNED):
        raise Unsigned(
            "wrong",
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def _path(request, service):
    """S3 decodes a path and encodes it once; for the others the signer encodes what was sent once more."""
    return quote(unquote_to_bytes(request.path), safe="/-_.~") if service == "s3" else request.path


def _query(request):
    """Decoded and encoded again, as the service does, since the signer takes it as it is."""
    parts = [part.partition("=") for part in request.query.split("&") if part]
    again = (f"{_again(name)}={_again(value)}" for name, _, value in parts)
    return "?" + "&".join(again) if parts else ""


def _again(text):
    return quote(unquote_to_bytes(text), safe="-_.~")
