//! What a token endpoint answers.

mod json;
mod member;
mod refusal;
mod urlencoded;

use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_outbound::Answer;

use crate::ExchangeError;

pub(crate) use refusal::{clean, retry_after};

/// The largest token that is taken: with others beside it, it has to fit into a header, and few servers take more.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What came for the grant (RFC 6749, section 5.1).
#[derive(Debug)]
pub struct Tokens {
    /// The token: visible ASCII, at most [`TOKEN_BYTES_MAX`].
    pub access_token: SecretText,
    /// What kind it is; providers leave it out, and write `Bearer` in every case.
    pub token_type: Option<String>,
    /// What a new token can be asked for with.
    pub refresh_token: Option<SecretText>,
    /// How long the token is good for, from when it was asked for; nothing, if the provider does not say.
    pub expires_in: Option<Duration>,
    /// What the token is good for, if the provider says so.
    pub scope: Option<String>,
    /// The answer as JSON: the text as it came, or the members of a form-encoded one.
    pub body: SecretText,
}

/// Reads an answer. `sent` are the secrets of the request: no code of a refusal may hold one.
pub(crate) fn read(answer: &Answer, sent: &[&SecretText]) -> Result<Tokens, ExchangeError> {
    let status = answer.status;
    if status.is_redirection() {
        // Whom it names is not whom the secret is for.
        return Err(ExchangeError::Garbage("is a redirect"));
    }
    let text = std::str::from_utf8(&answer.body).map(|text| text.trim_start_matches('\u{feff}').trim());
    let Ok(text) = text else {
        return Err(refusal::unreadable(answer).unwrap_or(ExchangeError::Garbage("is no text")));
    };
    let converted;
    let text = match text.starts_with('{') {
        true => text,
        false => {
            converted = urlencoded::to_json(answer, text);
            match &converted {
                Some(json) => json.reveal(),
                None => {
                    let garbage = ExchangeError::Garbage("is no JSON object");
                    return Err(refusal::unreadable(answer).unwrap_or(garbage));
                }
            }
        }
    };
    json::read(answer, text, sent)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode, header};
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, kind: &'static str, body: Vec<u8>) -> Answer {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    /// JSON that looks like an answer, with members of any kind.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let value = prop_oneof![
            "\"[!#-\\[\\]-~]{0,12}\"",
            "\"[ -~]{0,12}\"",
            "\"(\\\\\\\\[nrt\"u/]|[a-z0-9]|\\PC){0,8}\"",
            "-?[0-9]{1,20}(\\.[0-9]{1,3})?(e[0-9]{1,3})?",
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("[\"a\",\"b\"]".to_owned()),
            Just("{\"code\":\"x\"}".to_owned()),
        ];
        let member = |name: &'static str, often: f64| {
            let value = value.clone().prop_map(move |value| format!("\"{name}\":{value}"));
            prop::option::weighted(often, value)
        };
        let members = [
            member("access_token", 0.95),
            member("refresh_token", 0.3),
            member("token_type", 0.2),
            member("expires_in", 0.2),
            member("scope", 0.2),
            member("error", 0.2),
            member("error_description", 0.2),
            member("access_token", 0.05),
            member("other", 0.2),
        ];
        let object = members.prop_map(|members| {
            let members: Vec<String> = members.into_iter().flatten().collect();
            format!("{{{}}}", members.join(",")).into_bytes()
        });
        prop_oneof![4 => object, 1 => any::<Vec<u8>>(), 1 => "[a-z_=&%0-9]{0,60}".prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_token_that_can_be_used_or_an_error_that_can_be_shown(
            status in prop::sample::select(vec![200, 200, 200, 201, 302, 400, 401, 429, 500]),
            kind in prop::sample::select(vec![
                "application/json", "text/html", "text/plain", "application/x-www-form-urlencoded",
            ]),
            body in body(),
        ) {
            let sent = SecretText::new("x".to_owned());
            match read(&answer(status, kind, body), &[&sent]) {
                Ok(tokens) => {
                    prop_assert!((200..300).contains(&status));
                    let all = [Some(tokens.access_token), tokens.refresh_token];
                    for token in all.iter().flatten().map(SecretText::reveal) {
                        let is_whole = !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
                        prop_assert!(is_whole && token.bytes().all(|byte| byte.is_ascii_graphic()));
                    }
                    prop_assert!(tokens.expires_in.is_none_or(|lasts| lasts.as_secs() >= 1));
                    prop_assert!(!tokens.scope.unwrap_or_default().contains(char::is_control));
                    let body: Result<serde_json::Value, _> = serde_json::from_str(tokens.body.reveal());
                    prop_assert!(body.unwrap().is_object());
                }
                Err(ExchangeError::Refused { code, detail, .. }) => {
                    for shown in [Some(code), detail].into_iter().flatten() {
                        let is_code = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                        prop_assert!(!shown.is_empty() && shown.len() <= 64 && shown.chars().all(is_code));
                        prop_assert!(!shown.contains(sent.reveal()));
                    }
                }
                Err(_) => {}
            }
        }
    }
}
