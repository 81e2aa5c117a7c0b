//! A request that proves a connection's credential, as whoever owns the connection knows it.

use std::fmt;
use std::str::FromStr;

use super::{RulePath, TermsError};
use crate::Host;

/// The longest query of a probe, in bytes: as long as its path may be.
pub const PROBE_QUERY_BYTES_MAX: usize = 1_024;

/// See the module's documentation. It has no body and no headers of its own, and changes nothing where methods mean what
/// they should: it is made again and again.
///
/// Written as `GET|api.example.com|/v1/me?fields=id`, without a host as `GET||/me`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallProbe {
    /// How.
    pub method: ProbeMethod,
    /// Of this host, from its root; none for below the connection's base URL.
    pub host: Option<Host>,
    /// What.
    pub path: ProbePath,
}

/// A method that only asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProbeMethod {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
}

impl ProbeMethod {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Get, Self::Head];

    /// The name, as in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }
}

impl FromStr for ProbeMethod {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(TermsError::ProbeMethod)
    }
}

/// A path, with a query or without: plain ones, as rules have them, so that no two readings of one can differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbePath(String);

impl ProbePath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProbePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProbePath {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, query),
            None => (text, ""),
        };
        path.parse::<RulePath>()?;
        let is_plain = query.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\'));
        match is_plain {
            _ if query.len() > PROBE_QUERY_BYTES_MAX => Err(TermsError::LongQuery),
            true => Ok(Self(text.to_owned())),
            false => Err(TermsError::Query),
        }
    }
}

impl fmt::Display for CallProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|", self.method.as_str())?;
        if let Some(host) = &self.host {
            write!(f, "{host}")?;
        }
        write!(f, "|{}", self.path)
    }
}

impl FromStr for CallProbe {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let mut parts = text.splitn(3, '|');
        let mut next = || parts.next().ok_or(TermsError::Words);
        let (method, host, path) = (next()?, next()?, next()?);
        let host = Some(host).filter(|host| !host.is_empty()).map(str::parse).transpose();
        Ok(Self { method: method.parse()?, host: host.map_err(|_| TermsError::Words)?, path: path.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_read_as_it_was_written() {
        for text in
            ["GET||/me", "HEAD|api.example.com|/v1/me?fields=id,name&a=b|c%20d", "GET|[2001:db8::1]|/"]
        {
            assert_eq!(text.parse::<CallProbe>().unwrap().to_string(), text);
        }
        for (text, fault) in [
            ("", TermsError::Words),
            ("GET", TermsError::Words),
            ("POST||/", TermsError::ProbeMethod),
            ("get||/", TermsError::ProbeMethod),
            ("GET|a b|/", TermsError::Words),
            ("GET||", TermsError::Path),
        ] {
            assert_eq!(text.parse::<CallProbe>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_otherwise_is_no_place() {
        for path in ["me", "//me", "/a/../me", "/me#x", "/a b", "/me;x", "?a=b", "/a|b"] {
            assert_eq!(path.parse::<ProbePath>(), Err(TermsError::Path), "{path}");
        }
        for path in ["/me?a b", "/me?a#b", "/me?a\\b", "/me?ü"] {
            assert_eq!(path.parse::<ProbePath>(), Err(TermsError::Query), "{path}");
        }
        let of = |length: usize| format!("/me?{}", "a".repeat(length)).parse::<ProbePath>();
        assert!(of(PROBE_QUERY_BYTES_MAX).is_ok());
        assert_eq!(of(PROBE_QUERY_BYTES_MAX + 1), Err(TermsError::LongQuery));
    }
}
