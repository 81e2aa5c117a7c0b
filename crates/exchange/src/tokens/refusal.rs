//! Answers that say no.

use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_outbound::Answer;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::Members;
use crate::ExchangeError;

/// The longest code that is passed on.
const CODE_BYTES_MAX: usize = 64;

/// What stands in place of a code that is none.
const UNNAMED: &str = "unnamed";

/// The longest wait that is passed on; beyond it stands nobody's honest word.
const RETRY_AFTER_SECONDS_MAX: u64 = 24 * 60 * 60;

/// What an answer without readable members says by its status; nothing, if that is one of success.
pub(super) fn unreadable(answer: &Answer) -> Option<ExchangeError> {
    by_status(answer).or_else(|| {
        let status = answer.status.as_u16();
        let refused = || ExchangeError::Refused { code: UNNAMED.to_owned(), status, detail: None };
        (!answer.status.is_success()).then(refused)
    })
}

/// What an answer with readable members refuses; nothing, if it does not.
pub(super) fn of(answer: &Answer, members: &Members<'_>, sent: &[&SecretText]) -> Option<ExchangeError> {
    let code = members.error.and_then(code).map(|code| clean(&code, sent));
    let status = answer.status.as_u16();
    match code {
        None => unreadable(answer),
        Some(_) if answer.status == StatusCode::TOO_MANY_REQUESTS => by_status(answer),
        Some(code) => Some(match code.as_str() {
            "slow_down" => ExchangeError::Limited { retry_after: retry_after(answer) },
            "temporarily_unavailable" | "server_error" | "internal_failure" => {
                ExchangeError::Failed { status }
            }
            UNNAMED if answer.status.is_server_error() => ExchangeError::Failed { status },
            _ => {
                let detail = members.error_description.and_then(entra_number);
                ExchangeError::Refused { code, status, detail }
            }
        }),
    }
}

fn by_status(answer: &Answer) -> Option<ExchangeError> {
    let retry_after = retry_after(answer);
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => Some(ExchangeError::Limited { retry_after }),
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => {
            Some(ExchangeError::Limited { retry_after })
        }
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Some(ExchangeError::Failed { status: status.as_u16() })
        }
        _ => None,
    }
}

/// In seconds; a date says nothing here, where nobody knows the time.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_digits = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = seconds.parse().ok().filter(|_| is_digits)?;
    Some(Duration::from_secs(seconds.min(RETRY_AFTER_SECONDS_MAX)))
}

/// The code of the member `error`: a text, or an object of the provider's. That there is none is said by leaving it out,
/// by nothing, and by `false`.
fn code(error: &RawValue) -> Option<String> {
    match serde_json::from_str(error.get()).unwrap_or(Value::Null) {
        Value::Null | Value::Bool(false) => None,
        Value::String(code) if code.is_empty() => None,
        Value::String(code) => Some(code),
        Value::Object(members) => {
            let name = ["status", "type", "code"].into_iter().find_map(|name| members.get(name)?.as_str());
            Some(name.unwrap_or(UNNAMED).to_owned())
        }
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => Some(UNNAMED.to_owned()),
    }
}

/// A code as it may be shown: what looks like none is not passed on, and neither is what holds a secret of the request.
pub(crate) fn clean(code: &str, sent: &[&SecretText]) -> String {
    let is_code = code.len() <= CODE_BYTES_MAX
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let echoes = |secret: &&SecretText| !secret.reveal().is_empty() && code.contains(secret.reveal());
    if is_code && !code.is_empty() && !sent.iter().any(echoes) { code } else { UNNAMED }.to_owned()
}

/// The number at the beginning of Entra's descriptions.
fn entra_number(description: &RawValue) -> Option<String> {
    const PREFIX: &str = "AADSTS";
    let text: String = serde_json::from_str(description.get()).ok()?;
    let digits: String =
        text.strip_prefix(PREFIX)?.chars().take_while(char::is_ascii_digit).take(10).collect();
    (!digits.is_empty()).then(|| format!("{PREFIX}{digits}"))
}
