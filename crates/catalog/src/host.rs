//! Host names, base URLs and the hosts that a secret may go to.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// In clear: HTTP connections may name such a service.
    Http,
}

impl Scheme {
    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// The port where none is named.
    pub fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// A host as names are compared: a DNS name in lower case without a trailing dot, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

/// Scheme, host and port: what a secret is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Which host.
    pub host: Host,
    /// Which port; the scheme's own where none was named.
    pub port: u16,
}

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

impl Host {
    /// Reads a DNS name, an IPv4 address or an IPv6 address in brackets.
    ///
    /// # Errors
    ///
    /// For anything else, also for the odd ways to write IPv4 addresses (`127.1`, `0x7f000001`), which resolvers
    /// take for addresses and a comparison of names does not.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| UrlError::Host)?;
            return Ok(Self(format!("[{address}]")));
        }
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = || text.split('.');
        let numeric = labels().next_back().is_some_and(is_numeric);
        let fits = match numeric {
            true => text.parse::<Ipv4Addr>().is_ok(),
            false => text.len() <= 253 && labels().all(is_label),
        };
        if fits { Ok(Self(text)) } else { Err(UrlError::Host) }
    }

    /// As URLs write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=63).contains(&label.len())
        && label.chars().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_numeric(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").map(|rest| rest.chars().all(|c| c.is_ascii_hexdigit()));
    hexadecimal.unwrap_or_else(|| label.starts_with(|c: char| c.is_ascii_digit()) && is_decimal(label))
}

fn is_decimal(label: &str) -> bool {
    label.chars().all(|c| c.is_ascii_digit())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl BaseUrl {
    /// Reads a URL without user info, query and fragment.
    ///
    /// # Errors
    ///
    /// When it is none, with the reason.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(UrlError::Scheme),
        };
        if !rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\')) {
            return Err(UrlError::Surplus);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::Surplus);
        }
        // The colons of an IPv6 address stand within its brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None => scheme.port(),
            Some(digits) if is_decimal(digits) => {
                digits.parse().ok().filter(|port| *port > 0).ok_or(UrlError::Port)?
            }
            Some(_) => return Err(UrlError::Port),
        };
        Ok(Self { origin: Origin { scheme, host: Host::parse(host)?, port }, path: path.to_owned() })
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
    /// Reads `host` or `*.host`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        match text.strip_prefix("*.") {
            Some(rest) => Ok(Self::Below(format!(".{}", Host::parse(rest)?))),
            None => Ok(Self::Exact(Host::parse(text)?)),
        }
    }

    /// Whether a host is among them.
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(this) => this == host,
            Self::Below(ending) => {
                host.as_str().strip_suffix(ending.as_str()).is_some_and(|rest| !rest.is_empty())
            }
        }
    }
}

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
        ];
        for (text, expected, path) in fits {
            assert_eq!(origin(text), Ok((expected.to_owned(), path.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_twice_is_refused() {
        let refused = [
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
            ("https://", UrlError::Host),
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
            |pattern, host| HostPattern::parse(pattern).unwrap().matches(&Host::parse(host).unwrap());
        assert!(matches("api.x.com", "API.X.com."));
        assert!(matches("*.x.com", "a.b.x.com"));
        for host in ["x.com", "evilx.com", "x.com.evil"] {
            assert!(!matches("*.x.com", host), "{host}");
        }
    }
}
