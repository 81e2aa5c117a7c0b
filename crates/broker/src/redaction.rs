//! What an answer echoes of the connection's secrets is masked on its way back: the second line behind host binding.

use std::task::{Context, Poll};

use bytes::Bytes;
use claviger_engine::UsableConnection;
use claviger_redact::{Needles, Pieces, Redactor};
use http::header::{
    ACCEPT_RANGES, AGE, ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, DATE, ETAG, EXPIRES, LAST_MODIFIED, LOCATION, SERVER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::prepared::Prepared;

/// Names of headers that most answers have: no secret is one of them.
static USUAL: [HeaderName; 16] = [
    ACCEPT_RANGES,
    AGE,
    ALLOW,
    CACHE_CONTROL,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY,
    CONTENT_TYPE,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    LOCATION,
    SERVER,
    VARY,
    X_CONTENT_TYPE_OPTIONS,
];

/// What is searched for in the answers to a connection's calls: its secrets, what is made of several (a user and password
/// stand in one base64), and what else was sent beside them.
pub(crate) fn searched_for<'s>(
    usable: &'s UsableConnection,
    prepared: Option<&'s Prepared>,
    beside: impl IntoIterator<Item = &'s str>,
) -> Vec<&'s [u8]> {
    let secrets = usable.secrets.values().map(|secret| secret.reveal().as_bytes());
    let presented = prepared.into_iter().flat_map(Prepared::presented);
    secrets.chain(presented).chain(beside.into_iter().map(str::as_bytes)).collect()
}

/// The masking of one answer.
pub(crate) struct Redaction {
    redactor: Redactor,
    /// What can go out.
    pieces: Pieces,
    /// What came and was not looked at yet.
    rest: Bytes,
    /// Whether others had their turn since something of it was.
    has_paused: bool,
    /// Whether what was held back can go out too, once that is gone.
    is_over: bool,
}

impl Redaction {
    pub(crate) fn new(needles: &Needles) -> Self {
        let redactor = Redactor::new(needles.clone());
        Self { redactor, pieces: Pieces::default(), rest: Bytes::new(), has_paused: false, is_over: false }
    }

    /// Masks what headers echo; one whose name does is left out. The length of a body that follows is what it is; where
    /// none does, one that echoes a secret is left out.
    pub(crate) fn mask_headers(&mut self, headers: &mut HeaderMap, has_body: bool) {
        let mut is_told =
            |name: &&HeaderName| !USUAL.contains(name) && self.redactor.is_in_name(name.as_str().as_bytes());
        let telling: Vec<_> = headers.keys().filter(|name| is_told(name)).cloned().collect();
        for name in telling {
            headers.remove(name);
        }
        let length = headers.remove(CONTENT_LENGTH);
        for value in headers.values_mut() {
            if let Some(masked) = self.redactor.mask_header(value.as_bytes()) {
                // Masks are stars, and all else was a header's value before.
                *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static("*"));
            }
        }
        let is_length =
            |value: &HeaderValue| has_body || self.redactor.mask_header(value.as_bytes()).is_none();
        if let Some(length) = length.filter(is_length) {
            headers.insert(CONTENT_LENGTH, length);
        }
    }

    /// Takes the next part of the body. To be called once [`Redaction::poll_next`] gives nothing more.
    pub(crate) fn push(&mut self, data: Bytes) {
        self.rest = data;
        self.look_on();
    }

    fn look_on(&mut self) {
        self.pieces = self.redactor.push(&mut self.rest);
        self.has_paused = false;
    }

    /// The body is over.
    pub(crate) fn finish(&mut self) {
        self.is_over = true;
    }

    /// The next part that can go out. An answer that looks like secrets everywhere takes long to look at: after each part
    /// of that, others have their turn.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.pieces.next() {
                return Poll::Ready(Some(piece));
            }
            if self.rest.is_empty() {
                break;
            }
            if !std::mem::replace(&mut self.has_paused, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.look_on();
        }
        if std::mem::take(&mut self.is_over) {
            self.pieces = self.redactor.finish();
        }
        Poll::Ready(self.pieces.next())
    }

    /// How often something was masked.
    pub(crate) fn found(&self) -> u64 {
        self.redactor.found().map(|(_, times)| times).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// A length that happens to be a secret too is the length all the same.
    #[test]
    fn the_length_of_a_body_is_not_masked() {
        let number = HeaderValue::from_static("12345678");
        for (has_body, left) in [(true, Some(&number)), (false, None)] {
            let mut redaction = Redaction::new(&Needles::new(&["12345678"]));
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, number.clone());
            headers.insert(ETAG, number.clone());
            redaction.mask_headers(&mut headers, has_body);
            assert_eq!(headers.get(CONTENT_LENGTH), left);
            assert_eq!(headers[ETAG], "********");
        }
    }

    /// Whoever reads an answer that takes long to look at is not alone in the meantime.
    #[test]
    fn others_have_their_turn_within_a_long_part() {
        let secrets: Vec<String> = (10..110).map(|at| format!("{}{at}", "a".repeat(64))).collect();
        let mut context = Context::from_waker(Waker::noop());
        for (part, may_pause) in [("a", true), ("any text, ", false)] {
            let mut redaction = Redaction::new(&Needles::new(&secrets));
            let text = part.repeat(65_536 / part.len());
            redaction.push(Bytes::from(text.clone()));
            redaction.finish();
            let (mut pauses, mut out) = (0, 0);
            loop {
                match redaction.poll_next(&mut context) {
                    Poll::Pending => pauses += 1,
                    Poll::Ready(Some(piece)) => out += piece.len(),
                    Poll::Ready(None) => break,
                }
            }
            assert_eq!(out, text.len());
            assert_eq!(pauses > 20, may_pause, "{pauses} pauses");
        }
    }
}
