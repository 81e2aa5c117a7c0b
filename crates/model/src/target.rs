//! Where calls go: addresses on the web, and what of them says where to connect.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use crate::{Host, HostError};

/// Longer than any address that people use; most servers refuse more.
const BYTES_MAX: usize = 2048;

/// How a target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Over TLS.
    Https,
    /// In clear.
    Http,
}

impl Scheme {
    /// As it is written.
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

/// Scheme, host and port: whom to connect to, and how.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// This host on the scheme's own port.
    pub fn new(scheme: Scheme, host: Host) -> Self {
        Self { scheme, host, port: scheme.port() }
    }

    /// The same on another port.
    pub fn with_port(self, port: NonZeroU16) -> Self {
        Self { port: port.get(), ..self }
    }

    /// Reads `host` or `host:port`, with an IPv6 address in brackets.
    ///
    /// # Errors
    /// When it is neither, or has a user or password.
    pub fn parse(scheme: Scheme, authority: &str) -> Result<Self, TargetError> {
        if authority.contains('@') {
            return Err(TargetError::Userinfo);
        }
        // An IPv6 address has colons too, but they are followed by its bracket.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let origin = Self::new(scheme, host.parse()?);
        Ok(match port {
            None => origin,
            Some(port) => origin.with_port(number(port)?),
        })
    }

    /// How to speak.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whom to connect to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, given or the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is called over TLS.
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Host and port for the header `Host`: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        match self.port == self.scheme.port() {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn number(port: &str) -> Result<NonZeroU16, TargetError> {
    let is_digits = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|_| is_digits).ok_or(TargetError::Port)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// An absolute `https` or `http` address without user, password and fragment.
///
/// What follows the host goes through byte for byte; the text is kept as it was given. Two that name the same host in
/// other words have equal origins.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    origin: Origin,
    /// Where the path begins in the text.
    path: usize,
}

/// A text that is no such address; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetError {
    /// Too long.
    Long,
    /// Neither `https` nor `http`.
    Scheme,
    /// Characters that are read differently by different readers.
    Characters,
    /// It has a fragment.
    Fragment,
    /// It has a user or password.
    Userinfo,
    /// No port, or one that cannot be.
    Port,
    /// No host.
    Host(HostError),
}

impl TargetError {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Long => "url_long",
            Self::Scheme => "url_scheme",
            Self::Characters => "url_characters",
            Self::Fragment => "url_fragment",
            Self::Userinfo => "url_userinfo",
            Self::Port => "url_port",
            Self::Host(error) => error.code(),
        }
    }
}

impl From<HostError> for TargetError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Long => "is longer than 2048 characters",
            Self::Scheme => "must begin with https://",
            Self::Characters => "has characters that must be written as % with two digits",
            Self::Fragment => "must not have a fragment",
            Self::Userinfo => "must not hold a user or password",
            Self::Port => "has a port that is no number from 1 to 65535",
            Self::Host(error) => return error.fmt(f),
        })
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// The whole address, as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whom to connect to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path with its query, as they were given; at least `/`.
    pub fn path_and_query(&self) -> String {
        match &self.text[self.path..] {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.len() > BYTES_MAX {
            return Err(TargetError::Long);
        }
        let (scheme, rest) = text.split_once("://").ok_or(TargetError::Scheme)?;
        let scheme = [Scheme::Https, Scheme::Http]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(scheme))
            .ok_or(TargetError::Scheme)?;
        // Some end the host at one of these, some do not.
        if rest.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace()) {
            return Err(TargetError::Characters);
        }
        if rest.contains('#') {
            return Err(TargetError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let is_path = |byte: u8| byte.is_ascii_graphic() && !b"\"<>^`{|}".contains(&byte);
        let origin = Origin::parse(scheme, &rest[..end])?;
        if !rest[end..].bytes().all(is_path) {
            return Err(TargetError::Characters);
        }
        Ok(Self { path: text.len() - rest.len() + end, text: text.to_owned(), origin })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The origin only: the rest of an address may be a secret of its receiver.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}..)", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let check = |text: &str, origin: &str, port: u16, path: &str| {
            let target: Target = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((target.as_str(), target.path_and_query().as_str()), (text, path));
            assert_eq!(
                (target.origin().to_string().as_str(), target.origin().port()),
                (origin, port),
                "{text}"
            );
        };
        check("https://hooks.example.com/a?b=c", "https://hooks.example.com", 443, "/a?b=c");
        check("https://hooks.example.com", "https://hooks.example.com", 443, "/");
        check("HTTPS://Hooks.Example.com.:443/A", "https://hooks.example.com", 443, "/A");
        check("http://localhost:8080?x", "http://localhost:8080", 8080, "/?x");
        check("http://localhost:80", "http://localhost", 80, "/");
        check("https://localhost:080/", "https://localhost:80", 80, "/");
        check("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443", 8443, "/x");
        check("https://[2001:db8::1]/x:y@z", "https://[2001:db8::1]", 443, "/x:y@z");
        check("https://bücher.example/%C3%BC//../x", "https://xn--bcher-kva.example", 443, "/%C3%BC//../x");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let long = format!("https://a.example/{}", "x".repeat(BYTES_MAX));
        for (text, code) in [
            ("", "url_scheme"),
            ("hooks.example.com", "url_scheme"),
            ("//a.example/", "url_scheme"),
            ("ftp://a.example", "url_scheme"),
            (" https://a.example", "url_scheme"),
            ("https:/a.example", "url_scheme"),
            ("https://", "host_invalid"),
            ("https:///x", "host_invalid"),
            ("https://?x", "host_invalid"),
            ("https://user@a.example/", "url_userinfo"),
            ("https://user:pw@a.example/", "url_userinfo"),
            ("https://@a.example/", "url_userinfo"),
            ("https://a.example:80@b.example/", "url_userinfo"),
            ("https://a.example/#x", "url_fragment"),
            ("https://a.example#@b.example/", "url_fragment"),
            ("https://a.example:0/", "url_port"),
            ("https://a.example:/", "url_port"),
            ("https://a.example:65536/", "url_port"),
            ("https://a.example:+1/", "url_port"),
            ("https://a.example:１/", "url_port"),
            ("https://a.example:80:80/", "host_invalid"),
            ("https://::1/", "host_invalid"),
            ("https://[::1/", "host_invalid"),
            ("https://[::1]x/", "host_invalid"),
            ("https://[fe80::1%25eth0]/", "host_zone"),
            ("https://2130706433/", "host_number"),
            ("https://a.example/ b", "url_characters"),
            ("https://a.example\t/", "url_characters"),
            ("https://a.example\r\nHost: b/", "url_characters"),
            ("https://a.example\u{a0}/", "url_characters"),
            ("https://a.example\\@b.example/", "url_characters"),
            ("https://a.example/\\b", "url_characters"),
            ("https://a.example/ü", "url_characters"),
            ("https://a.example/{{name}}", "url_characters"),
            (&long, "url_long"),
        ] {
            assert_eq!(text.parse::<Target>().map_err(TargetError::code), Err(code), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_path() {
        let target: Target = "https://hooks.example.com/services/hunter2?t=hunter2".parse().unwrap();
        assert_eq!(format!("{target:?}"), "Target(https://hooks.example.com..)");
    }
}
