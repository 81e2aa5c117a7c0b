"""AWS: the security token service, and services that take what it gave."""

import datetime
import re
from xml.sax.saxutils import escape

from upstream.judging import Finding, passed
from upstream.services.sigv4 import Unsigned, parse, verify
from upstream.state import random_text
from upstream.wire import Answer, as_json, as_text

_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]+")
# Signing name and protocol, by the end of the name before the region.
SERVICES = {
    "api.ecr": ("ecr", "json"),
    "bedrock-runtime": ("bedrock", "rest"),
    "dynamodb": ("dynamodb", "json"),
    "ec2": ("ec2", "query"),
    "email": ("ses", "rest"),
    "kms": ("kms", "json"),
    "lambda": ("lambda", "rest"),
    "logs": ("logs", "json"),
    "monitoring": ("monitoring", "query"),
    "s3": ("s3", "s3"),
    "secretsmanager": ("secretsmanager", "json"),
    "sqs": ("sqs", "json"),
    "ssm": ("ssm", "json"),
    "streams.dynamodb": ("dynamodb", "json"),
    "sts": ("sts", "query"),
}
GLOBAL = {"iam.amazonaws.com": "iam", "sts.amazonaws.com": "sts", "route53.amazonaws.com": "route53"}
# What services of the kinds `json` and `rest` call what the others call otherwise.
_JSON_CODES = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "ExpiredToken": "ExpiredTokenException",
    "AccessDenied": "AccessDeniedException",
}
_S3_CODES = {"InvalidClientTokenId": "InvalidAccessKeyId", "MissingAuthenticationToken": "AccessDenied"}
STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def service_of(host):
    """Signing name, region and protocol of a host, or None."""
    if host in GLOBAL:
        return GLOBAL[host], "us-east-1", "query"
    for suffix in (".amazonaws.com", ".api.aws"):
        if not host.endswith(suffix):
            continue
        labels = [label for label in host.removesuffix(suffix).split(".") if label != "dualstack"]
        # The oldest names of S3 have no region.
        region = labels.pop() if _REGION.fullmatch(labels[-1]) else "us-east-1" if labels[-1] == "s3" else None
        for count in (2, 1):
            known = SERVICES.get(".".join(labels[-count:]))
            if region and known:
                return known[0], region, known[1]
    return None


class Aws:
    """Every host of AWS that is known here."""

    def judge(self, request, state):
        service, region, protocol = service_of(request.host)
        try:
            signed = parse(request)
            owner, secret_key = self._key(signed.key, request, state)
            verify(request, signed, secret_key, service, region, state.now())
        except Unsigned as error:
            return Finding(error.verdict, None, _error(protocol, error.code, error.message), error.message)
        if service != "sts" and owner is None:
            said = "User: server's own principal is not authorized to perform this action"
            return Finding(
                "wrong", None, _error(protocol, "AccessDenied", said), "the server's own keys outside of STS"
            )
        return self._judge_sts(request, owner, state) if service == "sts" else passed(owner.of)

    def _key(self, key, request, state):
        """Whose key it is, and its secret. The server's own keys come without a session token, all others with theirs."""
        tokens = request.all("x-amz-security-token")
        if len(tokens) > 1:
            raise Unsigned("twice", "InvalidClientTokenId", "More than one security token.")
        principal = state.secrets["principal"]
        if key == principal["access_key_id"] and not tokens:
            return None, principal["secret_access_key"]
        issued = state.token("aws", key)
        if not issued or tokens != [issued.more["session_token"]]:
            raise Unsigned("wrong", "InvalidClientTokenId", "The security token included in the request is invalid.")
        if issued.is_expired(state.now()):
            raise Unsigned("expired", "ExpiredToken", "The security token included in the request is expired")
        return issued, issued.more["secret_access_key"]

    def _judge_sts(self, request, owner, state):
        form = request.form()
        names = [name for name, _ in form or []]
        if form is None or len(set(names)) != len(names) or request.method != "POST" or request.target != "/":
            return _invalid("malformed", "MalformedQueryString", "The query string contains a syntax error.")
        form = dict(form)
        if form.get("Version") != "2011-06-15":
            return _invalid(
                "malformed",
                "InvalidAction",
                f"Could not find operation {form.get('Action')} for version {form.get('Version')}",
            )
        if form.get("Action") == "GetCallerIdentity":
            finding = passed(owner.of if owner else {"type": "AWSAssumeRole", "variant": "principal"})
            finding.answered = _caller(owner, state)
            return finding
        if form.get("Action") != "AssumeRole":
            return _invalid(
                "malformed", "InvalidAction", f"Could not find operation {form.get('Action')} for version 2011-06-15"
            )
        return self._judge_assume_role(form, owner, state)

    def _judge_assume_role(self, form, owner, state):
        arn, session, external_id = form.get("RoleArn", ""), form.get("RoleSessionName", ""), form.get("ExternalId")
        seconds = form.get("DurationSeconds", "3600")
        wrong = [
            ("roleArn", 20 <= len(arn) <= 2048),
            ("roleSessionName", bool(_SESSION_NAME.fullmatch(session))),
            ("externalId", external_id is None or bool(_EXTERNAL_ID.fullmatch(external_id))),
            ("durationSeconds", bool(re.fullmatch(r"[0-9]{3,5}", seconds)) and 900 <= int(seconds) <= 43200),
        ]
        wrong = [name for name, is_right in wrong if not is_right]
        if wrong:
            return _invalid(
                "malformed",
                "ValidationError",
                f"{len(wrong)} validation error detected: Value at '{wrong[0]}' failed to satisfy constraint",
                400,
            )
        principal = state.secrets["principal"]["account_id"]
        trust = state.trust.get(arn)
        # AWS does not say which of them it was.
        if owner or not trust or trust["principal_id"] != principal or trust["external_id"] != external_id:
            said = f"User: arn:aws:iam::{principal}:user/claviger is not authorized to perform: sts:AssumeRole on resource: {arn}"
            return _invalid("wrong", "AccessDenied", said, 403)
        account, _, role = arn.removeprefix("arn:aws:iam::").partition(":role/")
        fields = {"account_id": account, "role": role}
        known = (one for one in state.identities("AWSAssumeRole") if one["fields"] == fields)
        owner = next(known, {"type": "AWSAssumeRole", "variant": "trusted", "fields": fields})
        finding = passed(owner)
        finding.answered = _assume(state, owner, arn, session, state.seconds(int(seconds)))
        return finding

    def answer(self, request, finding, state):
        if not finding.has_passed:
            return finding.refusal
        return finding.answered or _answer(request, service_of(request.host)[2])


def _assume(state, owner, arn, session, seconds):
    key, token = "ASIA" + random_text(16).upper(), random_text(300)
    secret = random_text(40)
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    assumed = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
    issued = state.issue(
        "aws", key, owner, seconds, secret_access_key=secret, session_token=token, arn=assumed, account=account
    )
    for field, value in (("secret_access_key", secret), ("session_token", token)):
        state.sightings.add(f"AWSAssumeRole.good.{field}.{key[-8:]}", value)
    return _xml(
        "AssumeRole",
        (
            f"<AssumedRoleUser><Arn>{escape(assumed)}</Arn><AssumedRoleId>AROARIGRIGRIGRIGRIG:{escape(session)}</AssumedRoleId></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{_time(issued.expires)}</Expiration></Credentials>"
        ),
    )


def _caller(owner, state):
    account = owner.more["account"] if owner else state.secrets["principal"]["account_id"]
    arn = owner.more["arn"] if owner else f"arn:aws:iam::{account}:user/claviger"
    return _xml(
        "GetCallerIdentity", f"<Arn>{escape(arn)}</Arn><UserId>AROARIGRIGRIGRIGRIG</UserId><Account>{account}</Account>"
    )


def _xml(action, result):
    text = (
        f'<{action}Response xmlns="{STS_NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>rig</RequestId></ResponseMetadata></{action}Response>"
    )
    return as_text(200, text, "text/xml")


def _time(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(request, protocol):
    """Enough of an answer for the vendor's own clients to read."""
    if protocol == "s3":
        if request.method == "GET" and request.path == "/" and request.host.startswith("s3."):
            text = '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>rig</ID></Owner><Buckets><Bucket><Name>rig</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>'
            return as_text(200, text, "application/xml")
        return Answer(200, [("ETag", f'"{request.body.sha256[:32]}"')])
    if protocol == "query":
        return as_text(200, "<RigResponse><RigResult/></RigResponse>", "text/xml")
    return as_json(
        200, {"TableNames": ["rig"], "QueueUrls": [], "Functions": [], "rig": {"body": {"sha256": request.body.sha256}}}
    )


def _invalid(verdict, code, message, status=400):
    return Finding(verdict, None, _error("query", code, message, status), message)


def _error(protocol, code, message, status=403):
    if protocol == "s3":
        text = f"<Error><Code>{_S3_CODES.get(code, code)}</Code><Message>{escape(message)}</Message><RequestId>rig</RequestId></Error>"
        return as_text(400 if code == "ExpiredToken" else status, text, "application/xml")
    if protocol == "query":
        text = f'<ErrorResponse xmlns="{STS_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error><RequestId>rig</RequestId></ErrorResponse>'
        return as_text(status, text, "text/xml")
    name = _JSON_CODES.get(code, code)
    if protocol == "json":
        return Answer(
            400,
            [("Content-Type", "application/x-amz-json-1.0")],
            as_json(0, {"__type": f"com.amazon.coral.service#{name}", "message": message}).body,
        )
    return as_json(status, {"message": message}, ("x-amzn-ErrorType", name))
