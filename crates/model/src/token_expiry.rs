//! How long a token may live. Source: the vendor's API reference on personal and service access tokens, and its guide
//! on them, which names the year.

use std::fmt;
use std::time::Duration;

use crate::{Expiry, Timestamp};

/// A token lives at least so long.
const LIFE_MIN: Duration = Duration::from_secs(24 * 3600);
/// A token lives at most so long, not counting [`SLACK`].
const LIFE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// How much a client's clock may be ahead of ours: clients ask for a year from their own now.
const SLACK: Duration = Duration::from_secs(5 * 60);

/// The end of a token's life, within the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenExpiry(Timestamp);

impl TokenExpiry {
    /// Takes an end that is at least 24 hours and at most 365 days ahead.
    ///
    /// # Errors
    /// Which of the bounds it is beyond.
    pub fn check(end: Timestamp, now: Timestamp) -> Result<Self, TokenExpiryError> {
        if end < now + LIFE_MIN {
            Err(TokenExpiryError::TooSoon)
        } else if end > now + LIFE_MAX + SLACK {
            Err(TokenExpiryError::TooLate)
        } else {
            Ok(Self(end))
        }
    }
}

impl From<TokenExpiry> for Expiry {
    fn from(expiry: TokenExpiry) -> Self {
        Self::At(expiry.0)
    }
}

/// An end that no token may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExpiryError {
    /// Less than 24 hours ahead.
    TooSoon,
    /// More than 365 days ahead.
    TooLate,
}

impl fmt::Display for TokenExpiryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSoon => "must be at least 24 hours ahead",
            Self::TooLate => "must be at most 365 days ahead",
        })
    }
}

impl std::error::Error for TokenExpiryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_from_a_day_to_a_year_by_the_clients_clock() {
        let now = Timestamp::from_micros(1_000_000);
        let ends = |after: Duration| TokenExpiry::check(now + after, now).map(Expiry::from);
        let micro = Duration::from_micros(1);
        assert_eq!(ends(LIFE_MIN - micro), Err(TokenExpiryError::TooSoon));
        for life in [LIFE_MIN, LIFE_MAX, LIFE_MAX + SLACK] {
            assert_eq!(ends(life), Ok(Expiry::At(now + life)));
        }
        assert_eq!(ends(LIFE_MAX + SLACK + micro), Err(TokenExpiryError::TooLate));
        assert_eq!(TokenExpiry::check(Timestamp::from_micros(0), now), Err(TokenExpiryError::TooSoon));
    }
}
