//! Where a call's own credential stands: where it always does, or in the header in which the third party would take its
//! own, so that an unmodified client library works with nothing but its base URL changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_engine::Presented;
use claviger_vault::{claims_to_be_token, is_integration_token_long};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

/// A credential, and the header that it was found in, if not in its usual place.
pub(crate) struct Found {
    token: Option<Zeroizing<Vec<u8>>>,
    header: Option<HeaderName>,
}

impl Found {
    /// One that stood in its usual place, or in no request at all.
    pub(crate) fn usual() -> Self {
        Self { token: None, header: None }
    }

    /// Looks for one wherever it may stand, unless there is one in its usual place.
    pub(crate) fn beside(usual: &Presented<'_>, headers: &HeaderMap) -> Self {
        let is_usual = usual.api_key.is_some()
            || usual.application_key.is_some()
            || usual.bearer.is_some_and(|token| !token.is_empty());
        if is_usual {
            return Self::usual();
        }
        for (name, value) in headers {
            if let Some(token) = token_in(name, value.as_bytes()) {
                return Self { token: Some(token), header: Some(name.clone()) };
            }
        }
        Self::usual()
    }

    /// What is to be authenticated.
    pub(crate) fn or_usual<'a>(&'a self, usual: Presented<'a>) -> Presented<'a> {
        match &self.token {
            Some(token) => Presented { bearer: Some(token), ..Presented::default() },
            None => usual,
        }
    }

    /// Whether it may stand where it does, for a third party that takes its credentials in these headers.
    pub(crate) fn fits(&self, credential_headers: &[HeaderName]) -> bool {
        self.header.as_ref().is_none_or(|header| credential_headers.contains(header))
    }
}

/// A token in a header of the third party's: alone, behind the word of some scheme, or in a pair in base64.
fn token_in(name: &HeaderName, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_token = |text: &[u8]| claims_to_be_token(text) || is_integration_token(text);
    let last = value.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    if is_token(last) {
        return Some(Zeroizing::new(last.to_vec()));
    }
    let is_basic =
        *name == AUTHORIZATION && value.get(..6).is_some_and(|it| it.eq_ignore_ascii_case(b"basic "));
    let pair = is_basic.then(|| STANDARD.decode(last).ok()).flatten().map(Zeroizing::new)?;
    let found = pair.split(|byte| *byte == b':').find(|part| is_token(part))?;
    Some(Zeroizing::new(found.to_vec()))
}

fn is_integration_token(text: &[u8]) -> bool {
    is_integration_token_long(text) && text.iter().all(u8::is_ascii_hexdigit)
}
