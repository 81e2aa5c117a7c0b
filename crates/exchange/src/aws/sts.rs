//! STS AssumeRole: the operator's own credentials for those of a customer's role.

use bytes::Bytes;
use claviger_catalog::{SecretText, Signing};
use claviger_egress::Target;
use claviger_model::Timestamp;
use claviger_outbound::{Answer, Client, Request, SendError};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::xml::{self, Leaves};
use super::{Call, Credentials, Payload, sign};
use crate::tokens::{clean, retry_after};
use crate::{ANSWER_BYTES_MAX, ExchangeError, TOKEN_BYTES_MAX, form};

/// How long a role is lent. It is the default, and the most where the operator's own credentials are those of a role.
pub const LASTS_SECONDS: u32 = 3600;

/// What is asked for.
#[derive(Debug)]
pub struct AssumeRole<'a> {
    /// The role, as of [`role_arn`].
    pub role_arn: &'a str,
    /// The name under which the customer's records show it, as of [`session_name`].
    pub session_name: &'a str,
    /// What the role's trust asks for beside the operator's account, so that no other customer's connection opens it.
    pub external_id: &'a str,
}

/// A role that is lent.
#[derive(Debug)]
pub struct Session {
    /// What requests are signed with.
    pub credentials: Credentials,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The name of a role of an account.
pub fn role_arn(account_id: &str, role: &str) -> String {
    format!("arn:aws:iam::{account_id}:role/{role}")
}

/// A session's name that holds an id, as far as such names can.
pub fn session_name(id: &str) -> String {
    let id = id.chars().filter(|c| is_name(*c)).take(SESSION_NAME_CHARS_MAX - SESSION_PREFIX.len());
    SESSION_PREFIX.chars().chain(id).collect()
}

const SESSION_PREFIX: &str = "claviger-";
const SESSION_NAME_CHARS_MAX: usize = 64;

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// Asks the region's STS (`https://sts.<region>.amazonaws.com/`) for a role.
///
/// # Errors
/// When it is not lent. `AccessDenied` is a role that is not there, its trust, or the external id; AWS does not say which.
/// That the operator's own credentials are refused is [`ExchangeError::Operator`].
pub async fn assume_role(
    http: &Client,
    url: &Target,
    region: &str,
    operator: &Credentials,
    asked: &AssumeRole<'_>,
    now: Timestamp,
) -> Result<Session, ExchangeError> {
    let body = question(asked)?;
    let request = signed(url, region, operator, body, now)?;
    read(&http.send(request).await?, &operator.secret_access_key)
}

fn question(asked: &AssumeRole<'_>) -> Result<Bytes, ExchangeError> {
    let is_within = |text: &str, min: usize, max: usize| (min..=max).contains(&text.len());
    let is_external_id = |c: char| is_name(c) || ":/".contains(c);
    if !is_within(asked.role_arn, 20, 2048) || !asked.role_arn.chars().all(|c| c.is_ascii_graphic()) {
        return Err(ExchangeError::Unusable("the role's name is none"));
    }
    if !is_within(asked.session_name, 2, SESSION_NAME_CHARS_MAX) || !asked.session_name.chars().all(is_name) {
        return Err(ExchangeError::Unusable("the session's name is none"));
    }
    if !is_within(asked.external_id, 2, 1224) || !asked.external_id.chars().all(is_external_id) {
        return Err(ExchangeError::Unusable("the external id is none"));
    }
    Ok(form::body(&[
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", asked.role_arn),
        ("RoleSessionName", asked.session_name),
        ("ExternalId", asked.external_id),
        ("DurationSeconds", &LASTS_SECONDS.to_string()),
    ]))
}

fn signed(
    url: &Target,
    region: &str,
    operator: &Credentials,
    body: Bytes,
    now: Timestamp,
) -> Result<Request, ExchangeError> {
    let signing = Signing { service: "sts".to_owned(), region: region.to_owned() };
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
    let mut call = Call {
        method: &Method::POST,
        host: &url.origin().authority(),
        path_and_query: &url.path_and_query(),
        headers: &mut headers,
        payload: Payload::Whole(&body),
    };
    sign(&mut call, &signing, operator, now)
        .map_err(|_| ExchangeError::Operator { code: "sign_credentials".to_owned() })?;
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name?, value))).collect();
    Ok(Request { method: Method::POST, url: url.clone(), headers, body })
}

fn read(answer: &Answer, secret: &SecretText) -> Result<Session, ExchangeError> {
    if answer.status.is_redirection() {
        return Err(ExchangeError::Garbage("is a redirect"));
    }
    if answer.body.len() > ANSWER_BYTES_MAX {
        return Err(SendError::TooLarge.into());
    }
    let leaves = std::str::from_utf8(&answer.body).ok().and_then(xml::read);
    if !answer.status.is_success() {
        let code = leaves.as_ref().and_then(error_code);
        return Err(refusal(answer, &clean(code.unwrap_or_default(), &[secret])));
    }
    session(&leaves.ok_or(ExchangeError::Garbage("is no XML of STS"))?)
}

/// AWS's own place, and that of stand-ins (moto, LocalStack).
fn error_code(leaves: &Leaves) -> Option<&str> {
    leaves.one("ErrorResponse/Error/Code").or_else(|| leaves.one("ErrorResponse/Errors/Error/Code"))
}

fn session(leaves: &Leaves) -> Result<Session, ExchangeError> {
    let member = |name: &str| {
        let text = leaves.one(&format!("AssumeRoleResponse/AssumeRoleResult/Credentials/{name}"));
        let is_token = |text: &&str| {
            !text.is_empty()
                && text.len() <= TOKEN_BYTES_MAX
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        text.filter(is_token).ok_or(ExchangeError::Garbage("has no whole credentials"))
    };
    let access_key_id = member("AccessKeyId")?;
    // It stands in a header between separators.
    if !access_key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(ExchangeError::Garbage("has an AccessKeyId that is none"));
    }
    let expires_at = Timestamp::parse_rfc3339(member("Expiration")?)
        .ok_or(ExchangeError::Garbage("has an Expiration that is none"))?;
    let credentials = Credentials {
        access_key_id: access_key_id.to_owned(),
        secret_access_key: SecretText::new(member("SecretAccessKey")?.to_owned()),
        session_token: Some(SecretText::new(member("SessionToken")?.to_owned())),
    };
    Ok(Session { credentials, expires_at })
}

/// What an error of STS means, by its code or, where it has none, by its status.
fn refusal(answer: &Answer, code: &str) -> ExchangeError {
    let status = answer.status;
    match code {
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "RequestThrottled" => {
            ExchangeError::Limited { retry_after: retry_after(answer) }
        }
        _ if status == StatusCode::TOO_MANY_REQUESTS => {
            ExchangeError::Limited { retry_after: retry_after(answer) }
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "OptInRequired" => ExchangeError::Operator { code: code.to_owned() },
        _ if status.is_server_error() => ExchangeError::Failed { status: status.as_u16() },
        _ => ExchangeError::Refused { code: code.to_owned(), status: status.as_u16(), detail: None },
    }
}
