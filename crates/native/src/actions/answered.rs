//! What came of an action, as it is shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claviger_broker::Acted;
use claviger_model::RETRIES_MAX;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    status: u16,
    headers: Vec<Pair>,
    /// `json`, `text`, `base64` or `none`.
    body_type: &'static str,
    body: Body,
    /// How often the call was made.
    attempts: u8,
    timing: Timing,
}

#[derive(Serialize)]
struct Pair {
    key: String,
    value: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    /// As it was written: no digit of a number is lost.
    Json(Box<RawValue>),
    Text(String),
    None(()),
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
        let Acted { status, headers, body, attempts, until_answer, total } = acted;
        let (body_type, body) = shown(body, &headers);
        let pair = |(name, value): (&http::HeaderName, &HeaderValue)| Pair {
            key: name.as_str().to_owned(),
            value: text_of(value),
        };
        let millis = |duration: std::time::Duration| duration.as_micros() as f64 / 1000.0;
        Self {
            status: status.as_u16(),
            headers: headers.iter().map(pair).collect(),
            body_type,
            body,
            attempts,
            timing: Timing { first_byte_ms: millis(until_answer), total_ms: millis(total) },
        }
    }
}

/// JSON is what says that it is, and is; what is no text is shown in base64.
fn shown(body: Bytes, headers: &HeaderMap) -> (&'static str, Body) {
    if body.is_empty() {
        return ("none", Body::None(()));
    }
    if says_json(headers)
        && let Ok(json) = serde_json::from_slice::<Box<RawValue>>(&body)
    {
        return ("json", Body::Json(json));
    }
    match String::from_utf8(body.into()) {
        Ok(text) => ("text", Body::Text(text)),
        Err(bytes) => ("base64", Body::Text(STANDARD.encode(bytes.as_bytes()))),
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

    fn shown_as(media_type: &str, body: &'static [u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        let (kind, body) = shown(Bytes::from_static(body), &headers);
        format!("{kind} {}", serde_json::to_string(&body).unwrap())
    }

    #[test]
    fn a_body_is_shown_as_what_it_is() {
        for (media_type, body, expected) in [
            (
                "application/json",
                &b" {\"b\": 12345678901234567890123, \"a\": 1.0} "[..],
                "json {\"b\": 12345678901234567890123, \"a\": 1.0}",
            ),
            ("application/problem+json; charset=utf-8", b"[]", "json []"),
            ("application/x-amz-json-1.1", b"null", "json null"),
            ("application/json", b"{\"a\": ********}", r#"text "{\"a\": ********}""#),
            ("text/plain", b"17", r#"text "17""#),
            ("text/html", b"<p>\xc3\xa9", "text \"<p>é\""),
            ("application/json", b"\"\xff\"", "base64 \"Iv8i\""),
            ("image/png", b"\x89PNG", "base64 \"iVBORw==\""),
            ("application/json", b"", "none null"),
        ] {
            assert_eq!(shown_as(media_type, body), expected);
        }
    }

    #[test]
    fn headers_are_shown_whatever_their_bytes() {
        let shown = |bytes: &[u8]| text_of(&HeaderValue::from_bytes(bytes).unwrap());
        assert_eq!(shown("é".as_bytes()), "é");
        assert_eq!(shown(b"\xe9"), "é");
    }
}
