//! Signature Version 4, in a header.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use claviger_catalog::Signing;
use claviger_model::Timestamp;
use http::header::{AUTHORIZATION, HeaderMap, InvalidHeaderValue};
use http::{HeaderName, HeaderValue, Method};
use zeroize::Zeroizing;

use super::{Credentials, canonical};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// What stands in place of a body's hash.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The same for one that comes in pieces with a checksum at the end.
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// What begins the name of every way to send a body in pieces.
const STREAMING: &str = "STREAMING-";

/// Names in signatures of what speaks S3's protocol: paths are encoded once, and the body's hash is a header. S3's newer
/// siblings (`s3tables`, `s3vectors`) do as all others.
const S3: [&str; 4] = ["s3", "s3-object-lambda", "s3-outposts", "s3express"];

/// A request that is to be signed, as it will be sent: nothing that is signed may change afterwards.
#[derive(Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a Method,
    /// The header `Host`.
    pub host: &'a str,
    /// Path and query, byte for byte.
    pub path_and_query: &'a str,
    /// The headers, to which those of the signature are added. What the request itself says in their place is dropped.
    pub headers: &'a mut HeaderMap,
    /// The body.
    pub payload: Payload<'a>,
}

/// What is said of the body.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// Its hash.
    Whole(&'a [u8]),
    /// Nothing; S3 takes that, and it is only good over TLS.
    Unsigned,
}

/// Why a request is not signed; what is wrong with it, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Services differ in what it means, and with it in what they compare the signature to.
    #[error("a + in the path of a request to S3 must be written as %2B, or as %20 if a blank is meant")]
    Plus,
    /// Each piece would need a signature of its own, by whoever knows the key.
    #[error(
        "a body whose pieces are signed cannot be sent on: turn chunked signing off, or send it unsigned"
    )]
    Streaming,
    /// Nobody but S3 takes a body without its hash.
    #[error("the body must be signed for this service")]
    Unsigned,
    /// Credentials that are no text of a header.
    #[error("the credentials cannot stand in a header")]
    Credentials,
}

impl From<InvalidHeaderValue> for SignError {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Credentials
    }
}

impl SignError {
    /// A name for programs, that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Plus => "sign_plus",
            Self::Streaming => "sign_streaming",
            Self::Unsigned => "sign_unsigned",
            Self::Credentials => "sign_credentials",
        }
    }
}

/// Signs a request for a service and a region, as of `now`; services allow for a clock that is off by some minutes.
///
/// # Errors
/// When a signature could not be right; the headers are then without one.
pub fn sign(
    call: &mut Call<'_>,
    signing: &Signing,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<(), SignError> {
    let moment = moment(now);
    let (path, query) = call.path_and_query.split_once('?').unwrap_or((call.path_and_query, ""));
    let content = prepare(call, signing, credentials, &moment)?;
    let path = if is_s3(signing) { canonical::path_of_s3(path) } else { canonical::path(path) };
    let headers = canonical::headers(call.host, call.headers);
    let head = format!("{}\n{path}\n{}\n", call.method, canonical::query(query));
    let request =
        [head.as_bytes(), &headers.lines, b"\n", headers.names.as_bytes(), b"\n", content.as_bytes()]
            .concat();

    let day = &moment[..8];
    let scope = format!("{day}/{}/{}/aws4_request", signing.region, signing.service);
    let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", hex(digest(&SHA256, &request).as_ref()));
    let key = key(credentials, day, signing);
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let mut value = HeaderValue::try_from(format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id, headers.names,
    ))?;
    value.set_sensitive(true);
    call.headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// Puts what is signed beside the caller's own into the headers, and says what stands for the body.
fn prepare(
    call: &mut Call<'_>,
    signing: &Signing,
    credentials: &Credentials,
    moment: &str,
) -> Result<String, SignError> {
    let named = call.headers.remove(&CONTENT);
    for name in [AUTHORIZATION, DATE, SESSION] {
        call.headers.remove(name);
    }
    let (path, _) = call.path_and_query.split_once('?').unwrap_or((call.path_and_query, ""));
    if is_s3(signing) && path.contains('+') {
        return Err(SignError::Plus);
    }
    let content = content(call.payload, named.as_ref(), is_s3(signing))?;
    // Others than S3 do not ask for it, but some (Glacier) have it from their callers.
    if is_s3(signing) || named.is_some() {
        call.headers.insert(CONTENT, HeaderValue::try_from(&content)?);
    }
    call.headers.insert(DATE, HeaderValue::try_from(moment)?);
    if let Some(token) = &credentials.session_token {
        let mut value = HeaderValue::try_from(token.reveal())?;
        value.set_sensitive(true);
        call.headers.insert(SESSION, value);
    }
    Ok(content)
}

fn content(payload: Payload<'_>, named: Option<&HeaderValue>, is_s3: bool) -> Result<String, SignError> {
    let named = named.map_or(&b""[..], HeaderValue::as_bytes);
    match payload {
        _ if named == UNSIGNED_TRAILER.as_bytes() && is_s3 => Ok(UNSIGNED_TRAILER.to_owned()),
        _ if named.starts_with(STREAMING.as_bytes()) => Err(SignError::Streaming),
        Payload::Whole(body) => Ok(hex(digest(&SHA256, body).as_ref())),
        Payload::Unsigned if is_s3 => Ok(UNSIGNED.to_owned()),
        Payload::Unsigned => Err(SignError::Unsigned),
    }
}

/// Whether a service takes a body without its hash.
pub fn takes_unsigned(signing: &Signing) -> bool {
    is_s3(signing)
}

fn is_s3(signing: &Signing) -> bool {
    S3.contains(&signing.service.as_str())
}

/// The key for one day, region and service, from which the secret cannot be told.
fn key(credentials: &Credentials, day: &str, signing: &Signing) -> Key {
    let secret = credentials.secret_access_key.reveal();
    let mut first = Zeroizing::new(String::with_capacity(4 + secret.len()));
    first.push_str("AWS4");
    first.push_str(secret);
    let parts = [day, &signing.region, &signing.service, "aws4_request"];
    parts.iter().fold(Key::new(HMAC_SHA256, first.as_bytes()), |key, part| {
        Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
    })
}

/// `20150830T123600Z`.
fn moment(now: Timestamp) -> String {
    let utc = now.utc();
    let (hour, minute, second) = utc.to_hms();
    format!("{:04}{:02}{:02}T{hour:02}{minute:02}{second:02}Z", utc.year(), u8::from(utc.month()), utc.day())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
