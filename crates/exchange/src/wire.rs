//! One question to a token endpoint.

use std::time::Duration;

use bytes::Bytes;
use claviger_egress::{Egress, Policy, Target};
use claviger_outbound::{Answer, Client, Request, SendError};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};

use crate::ExchangeError;

/// What is read of an answer. The largest honest ones are some KiB: a token of Entra's with many groups, a refresh token
/// and an id token beside it.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long one exchange may take. A caller waits for it, with a deadline of its own.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A client with the bounds that token endpoints need.
pub fn client(egress: Egress, policy: Policy) -> Client {
    Client::new(egress, policy, DEADLINE, ANSWER_BYTES_MAX)
}

/// Posts a form.
pub(crate) async fn post_form(http: &Client, url: &Target, form: Bytes) -> Result<Answer, ExchangeError> {
    let headers = vec![
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
    ];
    let answer = http.send(Request { method: Method::POST, url: url.clone(), headers, body: form }).await?;
    match answer.body.len() > ANSWER_BYTES_MAX {
        true => Err(SendError::TooLarge.into()),
        false => Ok(answer),
    }
}
