//! Base URLs, and the hosts that a secret may go to. What a host is and how it is compared, the model says.

use std::fmt;

use claviger_model::{Host, HostError, Origin, Target, TargetError};

/// An absolute URL that calls can be relative to: an origin and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Where.
    pub origin: Origin,
    /// The rest, empty or beginning with `/`.
    pub path: String,
}

/// Why a text is no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// More characters than URLs have.
    #[error("is longer than 2048 characters")]
    Long,
    /// Another scheme, or none.
    #[error("is neither an https nor an http URL")]
    Scheme,
    /// User info, a query, a fragment, a backslash, a space or what is not ASCII.
    #[error("has user info, a query, a fragment or characters that a URL does not have")]
    Surplus,
    /// No host name and no address.
    #[error("has no valid host")]
    Host,
    /// No number from 1 to 65535.
    #[error("has no valid port")]
    Port,
}

impl From<TargetError> for UrlError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Long => Self::Long,
            TargetError::Scheme => Self::Scheme,
            TargetError::Characters | TargetError::Fragment | TargetError::Userinfo => Self::Surplus,
            TargetError::Port => Self::Port,
            TargetError::Host(error) => error.into(),
        }
    }
}

impl From<HostError> for UrlError {
    fn from(_: HostError) -> Self {
        Self::Host
    }
}

impl BaseUrl {
    /// Reads a [`Target`] in ASCII, with its scheme in lower case and without a query.
    ///
    /// # Errors
    ///
    /// When it is none, with the reason.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(UrlError::Scheme)?;
        if rest.contains('?') || !rest.is_ascii() {
            return Err(UrlError::Surplus);
        }
        let target: Target = text.parse()?;
        let path = rest.find('/').map_or("", |start| &rest[start..]);
        Ok(Self { origin: target.origin().clone(), path: path.to_owned() })
    }
}

/// Hosts by name: one, or all below a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This one.
    Exact(Host),
    /// Every name that ends in this, which begins with a dot.
    Below(String),
}

impl HostPattern {
    /// Reads `host` or `*.name`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Some(rest) = text.strip_prefix("*.") else { return Ok(Self::Exact(text.parse()?)) };
        let host: Host = rest.parse()?;
        Ok(Self::Below(format!(".{}", host.name().ok_or(UrlError::Host)?)))
    }

    /// Whether a host is among them. Nothing is below an address.
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(this) => this == host,
            Self::Below(ending) => host
                .name()
                .and_then(|name| name.strip_suffix(ending.as_str()))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// The one form in which a pattern is written.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => host.fmt(f),
            Self::Below(ending) => write!(f, "*{ending}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_one_reading() {
        let origin = |text| BaseUrl::parse(text).map(|url| (url.origin.to_string(), url.path));
        let fits = [
            ("https://catfact.ninja", "https://catfact.ninja", ""),
            ("http://datadoghq.com", "http://datadoghq.com", ""),
            ("https://A.Example.:443/x/y", "https://a.example", "/x/y"),
            ("http://h:8080/", "http://h:8080", "/"),
            ("https://192.0.2.1/", "https://192.0.2.1", "/"),
            ("https://[2001:DB8::1]:8443/a:b", "https://[2001:db8::1]:8443", "/a:b"),
            ("https://[::1]", "https://[::1]", ""),
            ("https://h/@a", "https://h", "/@a"),
            ("https://h:0443", "https://h", ""),
            ("https://my_service.example", "https://my_service.example", ""),
            ("https://127.0.0.1.", "https://127.0.0.1", ""),
            ("https://[::ffff:192.0.2.1]", "https://192.0.2.1", ""),
            ("https://XN--bcher-kva.example", "https://xn--bcher-kva.example", ""),
        ];
        for (text, expected, path) in fits {
            assert_eq!(origin(text), Ok((expected.to_owned(), path.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_twice_is_refused() {
        let (label, long) = ("x".repeat(64), format!("https://h/{}", "x".repeat(2048)));
        let (label, name) = (format!("https://{label}"), format!("https://{}a", "a.".repeat(127)));
        let refused = [
            (long.as_str(), UrlError::Long),
            (label.as_str(), UrlError::Host),
            (name.as_str(), UrlError::Host),
            ("ftp://h", UrlError::Scheme),
            ("HTTPS://h", UrlError::Scheme),
            ("h", UrlError::Scheme),
            ("https://user@h", UrlError::Surplus),
            ("https://user:pw@h/a", UrlError::Surplus),
            ("https://h?x", UrlError::Surplus),
            ("https://h#x", UrlError::Surplus),
            ("https://h\\evil", UrlError::Surplus),
            ("https://h /", UrlError::Surplus),
            ("https://bücher.example", UrlError::Surplus),
            ("https://h/ü", UrlError::Surplus),
            ("https://h/{{name}}", UrlError::Surplus),
            ("https://h/<b>", UrlError::Surplus),
            ("https://", UrlError::Host),
            ("https://a..", UrlError::Host),
            ("https://a%2eb", UrlError::Host),
            ("https://xn--a.example", UrlError::Host),
            ("https://0177.0.0.1", UrlError::Host),
            ("https://127.0.0.01", UrlError::Host),
            ("https://a.0x7f", UrlError::Host),
            ("https://[127.0.0.1]", UrlError::Host),
            ("https:///x", UrlError::Host),
            ("https://a..b", UrlError::Host),
            ("https://-a", UrlError::Host),
            ("https://127.1", UrlError::Host),
            ("https://0x7f000001", UrlError::Host),
            ("https://2130706433", UrlError::Host),
            ("https://256.0.0.1", UrlError::Host),
            ("https://[::1", UrlError::Host),
            ("https://[fe80::1%25eth0]", UrlError::Host),
            ("https://h:0", UrlError::Port),
            ("https://h:65536", UrlError::Port),
            ("https://h:+1", UrlError::Port),
            ("https://h:", UrlError::Port),
        ];
        for (text, error) in refused {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn patterns_match_whole_labels() {
        let matches =
            |pattern, host: &str| HostPattern::parse(pattern).unwrap().matches(&host.parse().unwrap());
        assert!(matches("api.x.com", "API.X.com."));
        assert!(matches("*.x.com", "a.b.x.com"));
        for host in ["x.com", "evilx.com", "x.com.evil", "192.0.2.1", "[2001:db8::1]"] {
            assert!(!matches("*.x.com", host), "{host}");
        }
        assert!(matches("[2001:db8:0::1]", "[2001:DB8::1]") && !matches("192.0.2.1", "192.0.2.10"));
        for pattern in ["*.192.0.2.1", "*.[::1]", "*.", "*", "*.*.x.com", "a.*.com", "*x.com", "x.com:443"] {
            assert!(HostPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
