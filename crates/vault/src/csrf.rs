//! What a page proves by that it is the session's own: a token that follows from the session's secret, and from which
//! the secret does not follow. Pages of others can make a browser send the cookie, and cannot read this.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::hex;

/// The CSRF token of a session. It does not print.
pub struct CsrfToken(Zeroizing<String>);

impl CsrfToken {
    /// That of the session with this secret; the same each time. The secret is random and long, so that no key is
    /// needed to keep others from finding it by trial.
    pub fn of(session: &[u8]) -> Self {
        let derived =
            Zeroizing::new(blake3::derive_key("claviger-vault 2026-11 CSRF token of a session", session));
        let mut text = Zeroizing::new(String::with_capacity(2 * derived.len()));
        text.extend(hex::digits(derived.as_slice()));
        Self(text)
    }

    /// Whether a request presents this token, in constant time.
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(presented).into()
    }

    /// The token, for the answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_its_own_and_always_the_same() {
        let token = CsrfToken::of(b"one");
        assert_eq!(token.reveal().len(), 64);
        assert!(token.matches(CsrfToken::of(b"one").reveal().as_bytes()));
        assert!(!token.matches(CsrfToken::of(b"other").reveal().as_bytes()));
        assert!(!token.matches(b"") && !token.matches(&token.reveal().as_bytes()[1..]));
    }
}
