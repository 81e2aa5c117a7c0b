//! Blocks of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses of one family, as `10.0.0.0/8` or `fc00::/7`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    /// How many leading bits all of its addresses share.
    bits: u8,
}

/// A text that is no block of addresses; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkError {
    /// Not an address, a slash and a number.
    Form,
    /// The number is larger than the address has bits.
    Bits,
    /// The address is inside the block, not its first.
    NotFirst,
    /// An IPv4 address in IPv6 form.
    Mapped,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "is no block of addresses such as 10.0.0.0/8 or fd00::/8",
            Self::Bits => "has more bits than its address",
            Self::NotFirst => "does not begin with the first address of the block",
            Self::Mapped => "is a block of IPv4 addresses in IPv6 form",
        })
    }
}

impl std::error::Error for NetworkError {}

impl Network {
    /// The block of IPv4 addresses that share so many bits (at most 32) with this one.
    pub const fn v4(address: [u8; 4], bits: u8) -> Self {
        assert!(bits <= 32, "an IPv4 address has 32 bits");
        let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
        let first = Ipv4Addr::from_bits(u32::from_be_bytes(address) & mask);
        Self { first: IpAddr::V4(first), bits }
    }

    /// The block of IPv6 addresses that share so many bits (at most 128) with this one.
    pub const fn v6(address: Ipv6Addr, bits: u8) -> Self {
        assert!(bits <= 128, "an IPv6 address has 128 bits");
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
        Self { first: IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask)), bits }
    }

    /// The first address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => {
                let rest = u32::MAX.checked_shr(self.bits.into()).unwrap_or(0);
                Ipv4Addr::from_bits(first.to_bits() | rest).into()
            }
            IpAddr::V6(first) => {
                let rest = u128::MAX.checked_shr(self.bits.into()).unwrap_or(0);
                Ipv6Addr::from_bits(first.to_bits() | rest).into()
            }
        }
    }

    /// Whether an address is in it. The two families are apart: an IPv4 address in IPv6 form is in no block of IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last()
    }

    /// Whether all of another block is in it.
    pub fn covers(self, other: Self) -> bool {
        self.contains(other.first) && self.contains(other.last())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = text.split_once('/').ok_or(NetworkError::Form)?;
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let is_number =
            matches!(bits.len(), 1..=3) && bits.bytes().all(|byte| byte.is_ascii_digit()) && !has_zero(bits);
        let bits: u16 = bits.parse().ok().filter(|_| is_number).ok_or(NetworkError::Form)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = u8::try_from(bits).ok().filter(|bits| *bits <= bits_max).ok_or(NetworkError::Bits)?;
        let network = match address {
            IpAddr::V4(address) => Self::v4(address.octets(), bits),
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return Err(NetworkError::Mapped),
            IpAddr::V6(address) => Self::v6(address, bits),
        };
        if network.first == address { Ok(network) } else { Err(NetworkError::NotFirst) }
    }
}

/// A leading zero, which some read as octal.
fn has_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_a_first_and_a_last_address() {
        let check = |text: &str, last: &str, outside: &[&str]| {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), text);
            assert_eq!(network.last(), last.parse::<IpAddr>().unwrap(), "{text}");
            assert!(network.contains(network.first()) && network.contains(network.last()), "{text}");
            assert!(network.covers(network), "{text}");
            for address in outside {
                assert!(!network.contains(address.parse().unwrap()), "{text} {address}");
            }
        };
        check(
            "10.0.0.0/8",
            "10.255.255.255",
            &["9.255.255.255", "11.0.0.0", "::ffff:10.0.0.1", "::10.0.0.1"],
        );
        check("192.0.2.7/32", "192.0.2.7", &["192.0.2.6", "192.0.2.8"]);
        check("0.0.0.0/0", "255.255.255.255", &["::"]);
        check("fc00::/7", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["fbff::", "fe00::", "10.0.0.1"]);
        check("::1/128", "::1", &["::", "::2"]);
        check("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["1.1.1.1"]);
    }

    #[test]
    fn a_block_covers_what_is_wholly_inside() {
        let check = |outer: &str, inner: &str, expected: bool| {
            let (outer, inner): (Network, Network) = (outer.parse().unwrap(), inner.parse().unwrap());
            assert_eq!(outer.covers(inner), expected, "{outer} {inner}");
        };
        check("10.0.0.0/8", "10.1.0.0/16", true);
        check("10.1.0.0/16", "10.0.0.0/8", false);
        check("10.0.0.0/8", "11.0.0.0/8", false);
        check("::/0", "10.0.0.0/8", false);
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for (text, error) in [
            ("", NetworkError::Form),
            ("10.0.0.0", NetworkError::Form),
            ("10.0.0/8", NetworkError::Form),
            ("010.0.0.0/8", NetworkError::Form),
            ("10.0.0.0/08", NetworkError::Form),
            ("10.0.0.0/+8", NetworkError::Form),
            ("10.0.0.0/", NetworkError::Form),
            ("[fc00::]/7", NetworkError::Form),
            ("fe80::%1/64", NetworkError::Form),
            ("10.0.0.0/33", NetworkError::Bits),
            ("fc00::/129", NetworkError::Bits),
            ("fc00::/300", NetworkError::Bits),
            ("10.0.0.1/8", NetworkError::NotFirst),
            ("fc00::1/7", NetworkError::NotFirst),
            ("::ffff:10.0.0.0/104", NetworkError::Mapped),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }
}
