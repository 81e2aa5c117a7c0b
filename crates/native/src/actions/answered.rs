//! What came of an action, as it is shown.

use std::convert::Infallible;
use std::iter::once;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use claviger_broker::{Acted, Held};
use claviger_engine::Error as EngineError;
use claviger_model::RETRIES_MAX;
use futures_util::stream::iter;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use super::shown::Shown;
use crate::Error;

/// An answer.
pub(super) struct Answered {
    head: Head,
    body: Shown,
    tail: Tail,
    /// The memory that the body takes; none where it is small.
    held: Option<Held>,
}

/// What stands before the body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    status: u16,
    headers: Vec<Pair>,
    /// `json`, `text`, `base64` or `none`.
    body_type: &'static str,
}

/// What stands behind it.
#[derive(Serialize)]
struct Tail {
    /// How often the call was made.
    attempts: u8,
    timing: Timing,
}

#[derive(Serialize)]
struct Pair {
    key: String,
    value: String,
}

/// In milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    first_byte_ms: f64,
    total_ms: f64,
}

impl From<Acted> for Answered {
    fn from(acted: Acted) -> Self {
        let Acted { status, headers, body, held, attempts, until_answer, total } = acted;
        let body = Shown::new(body, says_json(&headers));
        let pair = |(name, value): (&http::HeaderName, &HeaderValue)| Pair {
            key: name.as_str().to_owned(),
            value: text_of(value),
        };
        let millis = |duration: std::time::Duration| duration.as_micros() as f64 / 1000.0;
        let head = Head {
            status: status.as_u16(),
            headers: headers.iter().map(pair).collect(),
            body_type: body.kind.name(),
        };
        let timing = Timing { first_byte_ms: millis(until_answer), total_ms: millis(total) };
        Self { head, body, tail: Tail { attempts, timing }, held }
    }
}

impl Answered {
    /// The answer to the caller. What is not small is written as the caller takes it, and its memory is held until then.
    ///
    /// # Errors
    /// Where what it says of the call cannot be written.
    pub(super) fn written(self) -> Result<Response, Error> {
        let Self { head, body, tail, held } = self;
        let failed = |error: serde_json::Error| EngineError::Internal(error.into());
        let head = serde_json::to_string(&head).map_err(failed)?;
        let tail = serde_json::to_string(&tail).map_err(failed)?;
        let (begin, end) = body.kind.around();
        let begin = format!("{},\"body\":{begin}", head.strip_suffix('}').unwrap_or(&head));
        let end = format!("{end},{}", tail.strip_prefix('{').unwrap_or(&tail));
        let whole = match held {
            None => {
                let pieces: Vec<Bytes> = body.collect();
                Body::from([begin.as_bytes(), &pieces.concat(), end.as_bytes()].concat())
            }
            Some(held) => {
                let pieces = once(Bytes::from(begin)).chain(body).chain(once(Bytes::from(end)));
                let pieces = pieces.map(move |piece| {
                    // As long as there is more to come.
                    let _ = &held;
                    Ok::<_, Infallible>(piece)
                });
                Body::from_stream(iter(pieces))
            }
        };
        let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(([content_type], whole).into_response())
    }
}

/// `application/json`, `application/problem+json`, `application/x-amz-json-1.1`, ...
fn says_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().to_ascii_lowercase().contains("json")
}

/// Headers are UTF-8 or, by older rules, Latin-1 (RFC 9110, 5.5).
fn text_of(value: &HeaderValue) -> String {
    let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
    std::str::from_utf8(value.as_bytes()).map_or_else(|_| latin(value.as_bytes()), str::to_owned)
}

impl Answered {
    /// Its schema, by hand: a body may be whatever a third party answers.
    pub(super) fn schema() -> Value {
        let pair = json!({
            "type": "object",
            "properties": { "key": { "type": "string" }, "value": { "type": "string" } },
            "required": ["key", "value"],
        });
        let millis = json!({ "type": "number", "minimum": 0 });
        json!({
            "type": "object",
            "properties": {
                "status": { "type": "integer", "minimum": 200, "maximum": 999 },
                "headers": { "type": "array", "items": pair },
                "bodyType": { "type": "string", "enum": ["json", "text", "base64", "none"] },
                "attempts": { "type": "integer", "minimum": 1, "maximum": 1 + RETRIES_MAX },
                "body": { "description": "JSON as it is, a text, bytes in base64, or null, as bodyType says" },
                "timing": {
                    "type": "object",
                    "properties": { "firstByteMs": millis, "totalMs": millis },
                    "required": ["firstByteMs", "totalMs"],
                },
            },
            "required": ["status", "headers", "bodyType", "body", "attempts", "timing"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_say_json() {
        for (media_type, expected) in [
            ("application/json", true),
            ("application/problem+json; charset=utf-8", true),
            ("application/x-amz-json-1.1", true),
            ("Application/JSON", true),
            ("text/plain", false),
            ("text/html; a=json", false),
        ] {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(media_type))].into_iter().collect();
            assert_eq!(says_json(&headers), expected, "{media_type}");
        }
        assert!(!says_json(&HeaderMap::new()));
    }

    #[test]
    fn headers_are_shown_whatever_their_bytes() {
        let shown = |bytes: &[u8]| text_of(&HeaderValue::from_bytes(bytes).unwrap());
        assert_eq!(shown("é".as_bytes()), "é");
        assert_eq!(shown(b"\xe9"), "é");
    }
}
