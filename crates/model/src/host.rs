//! Hosts: the one form in which they are compared, looked up and shown.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Longer than any name in whatever script; what is within is measured again once it is in ASCII.
const BYTES_MAX: usize = 1024;

/// Everything of ASCII but letters, digits, `-`, `.` and `_` (not of host names, but of many that are in use).
const DENIED: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");

/// A host in its one canonical form: a name in lower-case ASCII (A-labels, UTS #46) without a trailing dot, or an IP
/// address. Two hosts are the same if and only if these are equal.
///
/// Whatever is read in several ways by those who look names up is no host: numbers in place of addresses (`2130706433`,
/// `127.1`, `0x7f.0.0.1`, `0177.0.0.1`), percent signs, zones. An IPv4 address in IPv6 form (`::ffff:10.0.0.1`) is that
/// IPv4 address, since that is where packets to it go.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Kind);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Name(String),
    Address(IpAddr),
}

/// A text that is no host; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// Neither a name nor an address.
    Invalid,
    /// It ends in a number without being an address of four decimal numbers.
    Number,
    /// An IPv6 address with a zone, which means something on one machine only.
    Zone,
}

impl HostError {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "host_invalid",
            Self::Number => "host_number",
            Self::Zone => "host_zone",
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "has no host that could be looked up",
            Self::Number => "has a host that ends in a number and is no address of four decimal numbers",
            Self::Zone => "has an IPv6 address with a zone",
        })
    }
}

impl std::error::Error for HostError {}

impl Host {
    /// The name, if it is one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Name(name) => Some(name),
            Kind::Address(_) => None,
        }
    }

    /// The address that stands in place of a name, if one does; never an IPv4 address in IPv6 form.
    pub fn address(&self) -> Option<IpAddr> {
        match self.0 {
            Kind::Name(_) => None,
            Kind::Address(address) => Some(address),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self(Kind::Address(address.to_canonical()))
    }
}

/// As it is in an address on the web: IPv6 in brackets, no port.
impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Some(literal) = text.strip_prefix('[') {
            return bracketed(literal);
        }
        if text.len() > BYTES_MAX {
            return Err(HostError::Invalid);
        }
        let name = Uts46::new()
            .to_ascii(text.as_bytes(), DENIED, Hyphens::CheckFirstLast, DnsLength::VerifyAllowRootDot)
            .map_err(|_| HostError::Invalid)?;
        // One dot at the end says that the name is complete, as all of ours are.
        let name = name.strip_suffix('.').unwrap_or(&name);
        if !ends_in_number(name) {
            return Ok(Self(Kind::Name(name.to_owned())));
        }
        // The standard library takes four decimal numbers without leading zeros, and nothing else.
        let address: Ipv4Addr = name.parse().map_err(|_| HostError::Number)?;
        Ok(Self(Kind::Address(address.into())))
    }
}

fn bracketed(literal: &str) -> Result<Host, HostError> {
    let address = literal.strip_suffix(']').ok_or(HostError::Invalid)?;
    if address.contains('%') {
        return Err(HostError::Zone);
    }
    let address: Ipv6Addr = address.parse().map_err(|_| HostError::Invalid)?;
    Ok(IpAddr::V6(address).into())
}

/// Whether there is somebody who reads this as a number in place of an address: the rule of the WHATWG's URL standard,
/// "ends in a number checker". Nothing that is registered ends so.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_decimal || last.strip_prefix("0x").is_some_and(is_hex)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Name(name) => f.write_str(name),
            Kind::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Kind::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for (text, canonical) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("localhost", "localhost"),
            ("my_service", "my_service"),
            ("r3---sn-x.example", "r3---sn-x.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("日本。example", "xn--wgv71a.example"),
            ("ａｐｉ．example", "api.example"),
            ("api\u{ad}.example", "api.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("１２７．０．０．１", "127.0.0.1"),
            ("①②⑦.0.0.1", "127.0.0.1"),
            ("1a.example", "1a.example"),
            ("0x7f.example", "0x7f.example"),
            ("a.0xyz", "a.0xyz"),
            ("[::1]", "[::1]"),
            ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
            ("[::127.0.0.1]", "[::7f00:1]"),
        ] {
            let host: Host = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(host.to_string(), canonical, "{text}");
            assert_eq!(host, canonical.parse().unwrap(), "{text}");
            assert_eq!(host.name().is_none(), host.address().is_some());
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_host() {
        for (text, error) in [
            ("", HostError::Invalid),
            (".", HostError::Invalid),
            ("a..example", HostError::Invalid),
            (".example", HostError::Invalid),
            ("example..", HostError::Invalid),
            ("-a.example", HostError::Invalid),
            ("a-.example", HostError::Invalid),
            ("a b.example", HostError::Invalid),
            ("a%2eexample", HostError::Invalid),
            ("a@b.example", HostError::Invalid),
            ("a/b.example", HostError::Invalid),
            ("a\\b.example", HostError::Invalid),
            ("a:80", HostError::Invalid),
            ("a／b.example", HostError::Invalid),
            ("a＠b.example", HostError::Invalid),
            ("a：80", HostError::Invalid),
            ("％61.example", HostError::Invalid),
            ("a\0.example", HostError::Invalid),
            ("a\r\n.example", HostError::Invalid),
            ("xn--a.example", HostError::Invalid),
            ("xn--.example", HostError::Invalid),
            ("xn--example.example", HostError::Invalid),
            ("::1", HostError::Invalid),
            ("[::1", HostError::Invalid),
            ("[]", HostError::Invalid),
            ("[127.0.0.1]", HostError::Invalid),
            ("[v1.x]", HostError::Invalid),
            ("[::1]x", HostError::Invalid),
            ("[fe80::1%25eth0]", HostError::Zone),
            ("[fe80::1%1]", HostError::Zone),
            ("2130706433", HostError::Number),
            ("127.1", HostError::Number),
            ("127.0.1", HostError::Number),
            ("0x7f.0.0.1", HostError::Number),
            ("0177.0.0.1", HostError::Number),
            ("127.0.0.01", HostError::Number),
            ("0X7F000001", HostError::Number),
            ("0x", HostError::Number),
            ("1.2.3.4.5", HostError::Number),
            ("256.0.0.1", HostError::Number),
            ("a.1", HostError::Number),
            ("a.0x7f", HostError::Number),
            ("２１３０７０６４３３", HostError::Number),
        ] {
            assert_eq!(text.parse::<Host>(), Err(error), "{text}");
        }
        let label = "x".repeat(63);
        assert!(format!("{label}.example").parse::<Host>().is_ok());
        assert!(format!("x{label}.example").parse::<Host>().is_err());
        assert!(format!("{label}.{label}.{label}.{label}").parse::<Host>().is_err());
        assert!("é".repeat(BYTES_MAX).parse::<Host>().is_err());
    }

    proptest! {
        #[test]
        fn the_form_is_final(text in any::<String>()) {
            if let Ok(host) = text.parse::<Host>() {
                prop_assert!(host.to_string().is_ascii());
                prop_assert_eq!(&host.to_string().parse::<Host>().unwrap(), &host);
            }
        }

        #[test]
        fn digits_and_dots_are_an_address_or_nothing(text in "[0-9a-fxX.]{1,20}[0-9]") {
            if let Ok(host) = text.parse::<Host>() {
                let last = text.rsplit('.').next().unwrap();
                let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
                prop_assert!(host.address().is_some() || !is_number, "{}", host);
            }
        }
    }
}
