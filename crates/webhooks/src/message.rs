//! An event on its way: body, headers and signature, as the Standard Webhooks specification (1.0.0) has them.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, chosen over a
//! form of our own since receivers find libraries for it in most languages.

use bytes::Bytes;
use claviger_engine::Event;
use claviger_model::{Target, Timestamp};
use claviger_outbound::Request;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};

/// Signs what stands between: the event's id, the time of the attempt, and the body.
pub(crate) type Sign<'a> = dyn Fn(&str, i64, &[u8]) -> String + Sync + 'a;

/// The request that tells a receiver of an event.
pub(crate) fn request(url: &Target, event: &Event, now: Timestamp, sign: &Sign<'_>) -> Request {
    let body = event.body();
    let seconds = now.micros().div_euclid(1_000_000);
    let signatures = sign(&event.id, seconds, body.as_bytes());
    let text = |text: &str| HeaderValue::from_str(text).expect("ids, numbers and base64 are header text");
    Request {
        method: Method::POST,
        url: url.clone(),
        headers: vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("webhook-id"), text(&event.id)),
            (HeaderName::from_static("webhook-timestamp"), seconds.into()),
            (HeaderName::from_static("webhook-signature"), text(&signatures)),
        ],
        body: Bytes::from(body),
    }
}
