"""AWS by its own client library: what botocore signs passes, and whatever is changed on the way does not."""

import datetime

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from upstream.services.aws import GLOBAL, SERVICES, service_of

ROLE = {"account_id": "123456789012", "role": "ClavigerRole"}
EXTERNAL_ID = "0123456789abcdef0123456789abcdef"
ARN = "arn:aws:iam::123456789012:role/ClavigerRole"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def aws(routed, monkeypatch):
    """The rig, with a role that trusts the server's principal."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    routed.order("/trust", **ROLE, external_id=EXTERNAL_ID, principal_id=routed.secrets["principal"]["account_id"])
    yield routed
    routed.order("/lifetime", seconds=None)


def client(service, keys, region="eu-west-1", **config):
    return boto3.client(service, region_name=region, config=ONCE.merge(Config(**config)), **keys)


def own(rig):
    principal = rig.secrets["principal"]
    return {"aws_access_key_id": principal["access_key_id"], "aws_secret_access_key": principal["secret_access_key"]}


def assume(rig, keys=None, **changes):
    """Assumes the role; what is not formed goes out too, so that the rig is what refuses it."""
    asked = {
        "RoleArn": ARN,
        "RoleSessionName": "connection-1",
        "ExternalId": EXTERNAL_ID,
        "DurationSeconds": 900,
    } | changes
    asked = {name: value for name, value in asked.items() if value is not None}
    return client("sts", keys or own(rig), parameter_validation=False).assume_role(**asked)


def temporary(rig):
    given = assume(rig)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def refused(code, status, act):
    with pytest.raises(ClientError) as caught:
        act()
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer


def test_a_role_is_assumed_and_used(aws):
    answer = assume(aws)
    lives = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=880) < lives <= datetime.timedelta(seconds=901)
    keys = temporary(aws)
    assert client("sts", keys).get_caller_identity()["Account"] == ROLE["account_id"]
    assert client("sts", own(aws)).get_caller_identity()["Account"] == aws.secrets["principal"]["account_id"]
    assert client("dynamodb", keys).list_tables()["TableNames"] == ["rig"]
    assert client("s3", keys).list_buckets()["Buckets"][0]["Name"] == "rig"
    client("sqs", keys, "us-east-1").list_queues()
    client("lambda", keys).list_functions()
    assert (aws.last["type"], aws.last["variant"], aws.last["verdict"]) == ("AWSAssumeRole", "good", "ok")


@pytest.mark.parametrize("key", ["plain", "a b/ü+c.txt", "a//b/../c", "~t*(x)'!&=,;:@"])
def test_names_of_objects_are_signed_as_s3_does(aws, key):
    """With the body's digest, and as the library sends bodies unless told otherwise: signed but for the body."""
    s3 = client("s3", temporary(aws), request_checksum_calculation="when_required")
    assert s3.put_object(Bucket="rig", Key=key, Body=b"content" * 1000)["ETag"]
    assert aws.last["body"]["length"] == 7000
    s3.head_object(Bucket="rig", Key=key)
    assert client("s3", temporary(aws)).put_object(Bucket="rig", Key=key, Body=b"content" * 1000)["ETag"]
    assert "STREAMING-UNSIGNED-PAYLOAD-TRAILER" in aws.last["head"]


def test_paths_of_others_are_encoded_twice(aws):
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:rig"
    client("lambda", temporary(aws)).get_function(FunctionName=arn)
    assert "%3A" in aws.last["target"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ExternalId": EXTERNAL_ID[:-1] + "0"},
        {"ExternalId": None},
        {"RoleArn": ARN + "x"},
        {"RoleArn": ARN.replace("123456789012", "123456789013")},
    ],
    ids=["another external id", "no external id", "another role", "another account"],
)
def test_who_is_not_trusted_is_denied(aws, changes):
    refused("AccessDenied", 403, lambda: assume(aws, **changes))


def test_what_is_not_formed_is_told(aws):
    refused("ValidationError", 400, lambda: assume(aws, DurationSeconds=899))
    refused("ValidationError", 400, lambda: assume(aws, RoleSessionName="a b"))


def test_keys_that_are_not_right(aws):
    keys = own(aws)
    refused(
        "SignatureDoesNotMatch",
        403,
        lambda: assume(aws, keys | {"aws_secret_access_key": keys["aws_secret_access_key"][:-1] + "!"}),
    )
    refused("InvalidClientTokenId", 403, lambda: assume(aws, keys | {"aws_access_key_id": "AKIAAAAAAAAAAAAAAAAA"}))
    # A chain of roles is not trusted; the server's own keys open nothing but the token service.
    refused("AccessDenied", 403, lambda: assume(aws, temporary(aws)))
    refused("AccessDeniedException", 400, lambda: client("dynamodb", keys).list_tables())
    given = temporary(aws)
    for changed in ({"aws_session_token": given["aws_session_token"][:-1] + "!"}, {"aws_session_token": None}):
        refused("UnrecognizedClientException", 400, client("dynamodb", given | changed).list_tables)
    refused(
        "InvalidSignatureException",
        400,
        lambda: client("dynamodb", given | {"aws_secret_access_key": "x" * 40}).list_tables(),
    )
    refused(
        "SignatureDoesNotMatch", 403, lambda: client("s3", given | {"aws_secret_access_key": "x" * 40}).list_buckets()
    )


def test_keys_end(aws):
    keys = temporary(aws)
    aws.order("/forget")
    refused("UnrecognizedClientException", 400, lambda: client("dynamodb", keys).list_tables())
    aws.order("/lifetime", seconds=0)
    keys = temporary(aws)
    refused("ExpiredTokenException", 400, lambda: client("dynamodb", keys).list_tables())
    refused("ExpiredToken", 400, lambda: client("s3", keys).list_buckets())
    assert aws.last["verdict"] == "expired"


class Signed:
    """A request signed by botocore, to be sent with one thing changed."""

    def __init__(
        self, aws, url, method="POST", body=b"{}", service="dynamodb", region="eu-west-1", when=None, **headers
    ):
        keys = temporary(aws)
        self.rig, self.body = aws, body
        credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"])
        request = AWSRequest(method, url, headers={"Host": url.split("/")[2], **headers}, data=body)
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region)
        if when:
            request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
            signer._modify_request_before_signing(request)
            text = signer.string_to_sign(request, signer.canonical_request(request))
            signer._inject_signature_to_request(request, signer.signature(text, request))
        else:
            signer.add_auth(request)
        self.method, self.host = method, url.split("/")[2]
        self.target = "/" + url.split("/", 3)[3]
        self.headers = list(request.headers.items())

    def send(self, *, target=None, body=None, method=None, change=None, add=(), drop=()):
        headers = [(name, change(name, value) if change else value) for name, value in self.headers if name not in drop]
        body = self.body if body is None else body
        lines = [f"{name}: {value}" for name, value in [*headers, *add]]
        head = [
            f"{method or self.method} {target or self.target} HTTP/1.1",
            *lines,
            f"Content-Length: {len(body)}",
            "",
            "",
        ]
        status, _, _ = self.rig.raw(self.host, "\r\n".join(head).encode() + body)
        return status, self.rig.last["verdict"]


def test_each_part_is_signed(aws):
    one = Signed(aws, "https://dynamodb.eu-west-1.amazonaws.com/a?x=1&y=2", **{"X-Amz-Target": "a.B"})
    assert one.send() == (200, "ok")
    # The order of parameters is none of the signature's; all else is.
    assert one.send(target="/a?y=2&x=1") == (200, "ok")
    assert one.send(add=[("User-Agent", "anything")]) == (200, "ok")
    wrong = (400, "wrong")
    assert one.send(target="/b?x=1&y=2") == wrong
    assert one.send(target="/a?x=1&y=3") == wrong
    assert one.send(body=b"{ }") == wrong
    assert one.send(method="PUT") == wrong
    assert one.send(change=lambda name, value: "a.C" if name == "X-Amz-Target" else value) == wrong
    assert one.send(add=[("X-Amz-Other", "unsigned")]) == wrong
    assert one.send(drop=["X-Amz-Target"]) == wrong
    assert one.send(drop=["X-Amz-Date"]) == (400, "malformed")
    assert one.send(drop=["Authorization"]) == (400, "missing")
    assert one.send(add=[("Authorization", "Bearer other")]) == (400, "twice")
    assert one.send(add=[("X-Amz-Security-Token", "other")]) == (400, "twice")
    assert one.send(target=one.target + "&X-Amz-Security-Token=x") == (400, "misplaced")
    swap = lambda name, value: value[:-1] + ("0" if value[-1] != "0" else "1") if name == "Authorization" else value
    assert one.send(change=swap) == wrong


def test_where_and_when_it_was_signed_for(aws):
    url = "https://dynamodb.eu-west-1.amazonaws.com/"
    assert Signed(aws, url).send() == (200, "ok")
    assert Signed(aws, url, service="sqs").send() == (400, "wrong")
    assert Signed(aws, url, region="us-east-1").send() == (400, "wrong")
    now = datetime.datetime.now(datetime.timezone.utc)
    minutes = lambda count: now - datetime.timedelta(minutes=count)
    assert Signed(aws, url, when=minutes(4)).send() == (200, "ok")
    assert Signed(aws, url, when=minutes(6)).send() == (400, "expired")
    assert Signed(aws, url, when=minutes(-6)).send() == (400, "expired")


def test_s3_wants_the_digest_of_the_body(aws):
    url = "https://rig.s3.eu-west-1.amazonaws.com/a%20b?list-type=2&prefix=a%2Fb"
    one = Signed(aws, url, "PUT", b"content", "s3")
    assert one.send() == (200, "ok")
    assert one.send(body=b"tamper!") == (403, "wrong")
    assert one.send(drop=["X-Amz-Content-SHA256"])[0] == 403
    assert one.send(target="/a%20b?list-type=2&prefix=a/b") == (200, "ok")
    assert one.send(target="/a+b?list-type=2&prefix=a%2Fb") == (403, "wrong")


# The client's own names, where they are not the ends of the hosts' names.
CLIENTS = {"api.ecr": "ecr", "email": "sesv2", "monitoring": "cloudwatch", "streams.dynamodb": "dynamodbstreams"}


@pytest.mark.parametrize("name", SERVICES)
def test_names_of_services_are_botocores(name):
    made = client(CLIENTS.get(name, name), {"aws_access_key_id": "a", "aws_secret_access_key": "b"})
    host = made.meta.endpoint_url.removeprefix("https://")
    service, region, _ = service_of(host)
    assert (service, region) == (made.meta.service_model.signing_name, "eu-west-1"), host


def test_other_names_of_amazon_are_nobodys():
    assert service_of("rig.s3.eu-west-1.amazonaws.com") == ("s3", "eu-west-1", "s3")
    assert service_of("rig.s3.amazonaws.com") == ("s3", "us-east-1", "s3")
    assert service_of("s3.dualstack.eu-west-1.amazonaws.com") == ("s3", "eu-west-1", "s3")
    assert service_of("dynamodb.eu-west-1.api.aws") == ("dynamodb", "eu-west-1", "json")
    assert all(service_of(host) == (service, "us-east-1", "query") for host, service in GLOBAL.items())
    for host in (
        "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com",
        "my.elb.eu-west-1.amazonaws.com",
        "x.elb.amazonaws.com",
        "amazonaws.com",
        "s3.eu-west-1.amazonaws.com.evil.example",
    ):
        assert service_of(host) is None
