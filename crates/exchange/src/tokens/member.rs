//! Single members, as they come and as they should.

use std::time::Duration;

use claviger_catalog::SecretText;
use serde_json::value::RawValue;

use super::TOKEN_BYTES_MAX;
use crate::ExchangeError;

const TOKEN_TYPE_BYTES_MAX: usize = 64;
const SCOPE_BYTES_MAX: usize = 8 * 1024;

/// Ten years. Some write the end of time, which no calendar holds.
const EXPIRES_IN_SECONDS_MAX: f64 = 315_360_000.0;

/// A member that is a text, or is not there: `null` and nothing between the quotes are no values either.
fn text(member: Option<&RawValue>) -> Result<Option<SecretText>, ExchangeError> {
    let Some(member) = member else { return Ok(None) };
    let text: Option<String> = serde_json::from_str(member.get())
        .map_err(|_| ExchangeError::Garbage("has a member that should be a text and is none"))?;
    Ok(text.map(SecretText::new).filter(|text| !text.reveal().is_empty()))
}

/// A token: what stands in a header without being read in two ways.
pub(super) fn token(member: Option<&RawValue>) -> Result<Option<SecretText>, ExchangeError> {
    let Some(token) = text(member)? else { return Ok(None) };
    if token.reveal().len() > TOKEN_BYTES_MAX {
        return Err(ExchangeError::Garbage("has a token that is too long"));
    }
    match token.reveal().bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Some(token)),
        false => Err(ExchangeError::Garbage("has a token with characters that no token has")),
    }
}

pub(super) fn token_type(member: Option<&RawValue>) -> Result<Option<String>, ExchangeError> {
    let Some(kind) = text(member)? else { return Ok(None) };
    let kind = kind.reveal();
    // A name, or an address (RFC 6749, A.13).
    let is_kind = kind.len() <= TOKEN_TYPE_BYTES_MAX && kind.bytes().all(|byte| byte.is_ascii_graphic());
    match is_kind {
        true => Ok(Some(kind.to_owned())),
        false => Err(ExchangeError::Garbage("has a token_type that is none")),
    }
}

/// Seconds: a number, a number as a text, a number with a fraction. What does not reach beyond now says nothing: some
/// write 0 for what does not end.
pub(super) fn seconds(member: Option<&RawValue>) -> Result<Option<Duration>, ExchangeError> {
    let Some(member) = member.map(|member| member.get()).filter(|text| *text != "null") else {
        return Ok(None);
    };
    let garbage = || ExchangeError::Garbage("has an expires_in that is no number");
    let seconds: f64 = match member.starts_with('"') {
        false => serde_json::from_str(member).map_err(|_| garbage())?,
        true => {
            let text: String = serde_json::from_str(member).map_err(|_| garbage())?;
            match text.trim() {
                "" => return Ok(None),
                digits if digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') => {
                    digits.parse().map_err(|_| garbage())?
                }
                _ => return Err(garbage()),
            }
        }
    };
    Ok((seconds >= 1.0).then(|| Duration::from_secs_f64(seconds.min(EXPIRES_IN_SECONDS_MAX).floor())))
}

/// Scopes: names with blanks between, or a list of them.
pub(super) fn scope(member: Option<&RawValue>) -> Result<Option<String>, ExchangeError> {
    let garbage = || ExchangeError::Garbage("has a scope that is none");
    let scope = match member.filter(|member| member.get().starts_with('[')) {
        Some(list) => serde_json::from_str::<Vec<String>>(list.get()).map_err(|_| garbage())?.join(" "),
        None => text(member)?.map(|text| text.reveal().to_owned()).unwrap_or_default(),
    };
    if scope.len() > SCOPE_BYTES_MAX || scope.chars().any(char::is_control) {
        return Err(garbage());
    }
    Ok(Some(scope).filter(|scope| !scope.is_empty()))
}
