//! Addresses on the web that we call: what can be said of one before any name is looked up.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Longer than any address that people use; most servers refuse more.
const CHARS_MAX: usize = 2048;

/// An absolute `https` or `http` address of ASCII characters without user, password and fragment.
///
/// It is not normalised: what was given is what is called and shown.
#[derive(Clone, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    is_tls: bool,
    host: Host,
    port: u16,
    /// Where the path begins in the text.
    path: usize,
}

#[derive(Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

/// A text that is no such address; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebUrlError(&'static str);

impl fmt::Display for WebUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WebUrlError {}

impl WebUrl {
    /// The whole address, as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is called over TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host without the brackets of an IPv6 address.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => address.to_string(),
        }
    }

    /// The address that stands in place of a name, if one does.
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Name(_) => None,
            Host::Address(address) => Some(*address),
        }
    }

    /// The port, given or the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as they were given, for the header of that name.
    pub fn authority(&self) -> &str {
        let start = if self.is_tls { "https://".len() } else { "http://".len() };
        &self.text[start..self.path]
    }

    /// The path with its query; at least `/`.
    pub fn path_and_query(&self) -> String {
        match &self.text[self.path..] {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        }
    }
}

impl FromStr for WebUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        if text.len() > CHARS_MAX {
            return Err(WebUrlError("is longer than 2048 characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err(WebUrlError("has characters that must be written as % with two digits"));
        }
        let (is_tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(WebUrlError("must begin with https://")),
        };
        if text.contains('#') {
            return Err(WebUrlError("must not have a fragment"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let authority = &rest[..end];
        if authority.contains('@') {
            return Err(WebUrlError("must not hold a user or password"));
        }
        let (host, port) = split(authority)?;
        let port = match port {
            None => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            Some(port) => number(port)?,
        };
        Ok(Self { path: text.len() - rest.len() + end, text: text.to_owned(), is_tls, host, port })
    }
}

fn split(authority: &str) -> Result<(Host, Option<&str>), WebUrlError> {
    const NO_HOST: WebUrlError = WebUrlError("has no host that could be looked up");
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(NO_HOST)?;
        let address: Ipv6Addr = address.parse().map_err(|_| NO_HOST)?;
        let port = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':').ok_or(NO_HOST)?),
        };
        return Ok((Host::Address(address.into()), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok((Host::Address(address), port));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_name = host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    // What ends in a number is an address to some resolvers, in one of several ways to write it.
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if !is_name || is_number {
        return Err(NO_HOST);
    }
    Ok((Host::Name(host.to_owned()), port))
}

fn number(port: &str) -> Result<u16, WebUrlError> {
    let is_digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|port| is_digits && *port != 0);
    number.ok_or(WebUrlError("has a port that is no number from 1 to 65535"))
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Host and port only: the rest of an address may be a secret of its receiver.
impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({}..)", &self.text[..self.path])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let check = |text: &str, host: &str, port: u16, path: &str| {
            let url: WebUrl = text.parse().unwrap();
            assert_eq!((url.host().as_str(), url.port()), (host, port), "{text}");
            assert_eq!(url.path_and_query(), path, "{text}");
            assert_eq!(url.is_tls(), text.starts_with("https"));
            assert!(format!("{text}/").contains(&format!("//{}", url.authority())));
        };
        check("https://hooks.example.com/a?b=c", "hooks.example.com", 443, "/a?b=c");
        check("https://hooks.example.com", "hooks.example.com", 443, "/");
        check("http://localhost:8080?x", "localhost", 8080, "/?x");
        check("https://[2001:db8::1]:8443/x", "2001:db8::1", 8443, "/x");
        check("http://127.0.0.1/", "127.0.0.1", 80, "/");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "hooks.example.com",
            "ftp://a.example",
            "HTTPS://a.example",
            "https://",
            "https:///x",
            "https://user@a.example/",
            "https://user:pw@a.example/",
            "https://a.example/#x",
            "https://a.example:0/",
            "https://a.example:/",
            "https://a.example:65536/",
            "https://a.example:+1/",
            "https://a..example/",
            "https://2130706433/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://127.0.0.0x1/",
            "https://a.0x7f000001/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "https://a.example/ b",
            "https://a.example\\@b.example/",
            "https://ä.example/",
        ] {
            assert!(text.parse::<WebUrl>().is_err(), "{text}");
        }
        assert!(format!("https://a.example/{}", "x".repeat(2048)).parse::<WebUrl>().is_err());
    }

    #[test]
    fn debug_shows_no_path() {
        let url: WebUrl = "https://hooks.example.com/services/hunter2?t=hunter2".parse().unwrap();
        assert_eq!(format!("{url:?}"), "WebUrl(https://hooks.example.com..)");
    }
}
