//! Places in the ledger.

use std::fmt;
use std::str::FromStr;

/// A place in the ledger, written `<epoch>.<sequence>`. Later places are greater; a restore begins a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Grows by one with each restore; the first is 1.
    pub epoch: i64,
    /// Grows by one with each entry, across epochs; the first entry has 1.
    pub sequence: i64,
}

impl Position {
    /// Before the first entry.
    pub const ORIGIN: Self = Self { epoch: 1, sequence: 0 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsePositionError;

impl fmt::Display for ParsePositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position is <epoch>.<sequence>, as in 1.42")
    }
}

impl std::error::Error for ParsePositionError {}

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<i64>().map_err(|_| ParsePositionError),
            false => Err(ParsePositionError),
        };
        let (epoch, sequence) = text.split_once('.').ok_or(ParsePositionError)?;
        Ok(Self { epoch: number(epoch)?, sequence: number(sequence)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_order_by_epoch_then_sequence() {
        let at = |text: &str| text.parse::<Position>().unwrap();
        assert!(at("1.10") > at("1.9"));
        assert!(at("2.1") > at("1.99"));
        assert_eq!(at("3.7").to_string(), "3.7");
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in ["", "1", "1.", ".1", "1.-2", "+1.2", "1.2.3", "a.b", "99999999999999999999.1"] {
            assert_eq!(text.parse::<Position>(), Err(ParsePositionError), "{text:?}");
        }
    }
}
