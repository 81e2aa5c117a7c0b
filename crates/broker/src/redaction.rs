//! What an answer echoes of the connection's secrets is masked on its way back: the second line behind host binding.

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
    /// Whether what was held back can go out too, once that is gone.
    is_over: bool,
}

impl Redaction {
    pub(crate) fn new(needles: &Needles) -> Self {
        Self { redactor: Redactor::new(needles.clone()), pieces: Pieces::default(), is_over: false }
    }

    /// Masks what headers echo; one whose name does is left out.
    pub(crate) fn mask_headers(&mut self, headers: &mut HeaderMap) {
        let mut is_told =
            |name: &&HeaderName| !USUAL.contains(name) && self.redactor.is_in_name(name.as_str().as_bytes());
        let telling: Vec<_> = headers.keys().filter(|name| is_told(name)).cloned().collect();
        for name in telling {
            headers.remove(name);
        }
        for value in headers.values_mut() {
            if let Some(masked) = self.redactor.mask_header(value.as_bytes()) {
                // Masks are stars, and all else was a header's value before.
                *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static("*"));
            }
        }
    }

    /// Takes the next part of the body. To be called once [`Redaction::next`] gives nothing more.
    pub(crate) fn push(&mut self, data: Bytes) {
        self.pieces = self.redactor.push(data);
    }

    /// The body is over.
    pub(crate) fn finish(&mut self) {
        self.is_over = true;
    }

    /// The next part that can go out.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let piece = self.pieces.next();
        if piece.is_none() && std::mem::take(&mut self.is_over) {
            self.pieces = self.redactor.finish();
            return self.pieces.next();
        }
        piece
    }

    /// How often something was masked.
    pub(crate) fn found(&self) -> u64 {
        self.redactor.found().map(|(_, times)| times).sum()
    }
}
