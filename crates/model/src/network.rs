//! Networks, and lists of them.
//!
//! An address has one form here: an IPv6 address that stands for an IPv4 one (`::ffff:192.0.2.1`) is that IPv4
//! address, in lists as in requests. Other ways to carry an IPv4 address in an IPv6 one (NAT64, 6to4) are
//! addresses of their own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The most networks of one list: more would make a request's look-up long.
pub const NETWORKS_MAX: usize = 64;
/// The bits of the prefix below which all addresses stand for IPv4 ones: `::ffff:0:0/96`.
const MAPPED_BITS: u8 = 96;
const V4_BITS: u8 = 32;
const V6_BITS: u8 = 128;

/// A network as CIDR notation writes it, `192.0.2.0/24`; a single address is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    /// How many leading bits all of its addresses share.
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkError {
    /// Not an address, perhaps with `/` and a prefix's length.
    Syntax,
    /// The address has bits beyond the prefix, so that it is not clear what was meant.
    HostBits {
        /// The network that the address is in.
        network: Network,
    },
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("is not a network: write it as 192.0.2.0/24 or 2001:db8::/32"),
            Self::HostBits { network } => write!(f, "has bits beyond its prefix: the network is {network}"),
        }
    }
}

impl std::error::Error for NetworkError {}

impl Network {
    /// The network of all addresses that share so many leading bits with this one; none, if it has fewer.
    pub const fn new(address: IpAddr, bits: u8) -> Option<Self> {
        match address {
            IpAddr::V4(address) if bits <= V4_BITS => {
                let first = Ipv4Addr::from_bits(address.to_bits() & mask_v4(bits));
                Some(Self { first: IpAddr::V4(first), bits })
            }
            IpAddr::V6(address) if bits <= V6_BITS => match address.to_ipv4_mapped() {
                Some(address) if bits >= MAPPED_BITS => Self::new(IpAddr::V4(address), bits - MAPPED_BITS),
                _ => {
                    let first = Ipv6Addr::from_bits(address.to_bits() & mask_v6(bits));
                    Some(Self { first: IpAddr::V6(first), bits })
                }
            },
            _ => None,
        }
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (first.to_bits() ^ address.to_bits()) & mask_v4(self.bits) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (first.to_bits() ^ address.to_bits()) & mask_v6(self.bits) == 0
            }
            _ => false,
        }
    }

    /// Whether every address of another network is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }

    fn is_single(&self) -> bool {
        self.bits == if self.first.is_ipv4() { V4_BITS } else { V6_BITS }
    }
}

/// Ones where the prefix is.
const fn mask_v4(bits: u8) -> u32 {
    if bits == 0 { 0 } else { u32::MAX << (V4_BITS - bits) }
}

const fn mask_v6(bits: u8) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (V6_BITS - bits) }
}

/// Numbers with leading zeros, which some read as octal, are none: neither in the address nor after the slash.
impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(number(bits).ok_or(NetworkError::Syntax)?)),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Syntax)?;
        let bits = bits.unwrap_or(if address.is_ipv4() { V4_BITS } else { V6_BITS });
        let network = Self::new(address, bits).ok_or(NetworkError::Syntax)?;
        match network.first == address.to_canonical() {
            true => Ok(network),
            false => Err(NetworkError::HostBits { network }),
        }
    }
}

fn number(digits: &str) -> Option<u8> {
    let is_plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| is_plain)
}

impl fmt::Display for Network {
    /// A single address without its prefix's length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_single() {
            true => self.first.fmt(f),
            false => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}

/// The networks from which something may be done: at least one, in the order given, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList(Box<[Network]>);

/// Texts that are no list of networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowListError {
    /// There is none, which would allow nobody.
    Empty,
    /// There are more than [`NETWORKS_MAX`].
    TooMany,
    /// Some are no networks: their places, counted from 0, and why.
    Networks(Vec<(usize, NetworkError)>),
}

impl AllowList {
    /// Reads a list.
    ///
    /// # Errors
    /// With everything that is no network.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, AllowListError> {
        let (mut networks, mut wrong) = (Vec::new(), Vec::new());
        for (place, text) in texts.into_iter().enumerate() {
            match text.parse() {
                _ if place >= NETWORKS_MAX => return Err(AllowListError::TooMany),
                Ok(network) if networks.contains(&network) => {}
                Ok(network) => networks.push(network),
                Err(error) => wrong.push((place, error)),
            }
        }
        match (networks.is_empty(), wrong.is_empty()) {
            (_, false) => Err(AllowListError::Networks(wrong)),
            (true, true) => Err(AllowListError::Empty),
            (false, true) => Ok(Self(networks.into())),
        }
    }

    /// Reads what [`to_list`](Self::to_list) wrote.
    ///
    /// # Errors
    /// When it did not.
    pub fn parse_list(list: &str) -> Result<Self, AllowListError> {
        let read = Self::parse(list.split(' '))?;
        if read.to_list() == list { Ok(read) } else { Err(AllowListError::Empty) }
    }

    /// The networks, parted by spaces.
    pub fn to_list(&self) -> String {
        self.0.iter().map(Network::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The networks.
    pub fn networks(&self) -> &[Network] {
        &self.0
    }

    /// Whether an address is in any of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether every network of another list lies in one of this list's.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|inner| self.0.iter().any(|outer| outer.covers(inner)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(texts: &[&str]) -> AllowList {
        AllowList::parse(texts.iter().copied()).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_have_one_form() {
        for (text, expected) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0:0::/32", "2001:db8::/32"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("::/0", "::/0"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:c000:207", "192.0.2.7"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/95", "has bits beyond its prefix: the network is ::fffe:0:0/95"),
            ("::ffff:192.0.2.7/120", "has bits beyond its prefix: the network is 192.0.2.0/24"),
        ] {
            let read = text.parse::<Network>().map_or_else(|error| error.to_string(), |it| it.to_string());
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let wrong = [
            "",
            " ",
            "localhost",
            "192.0.2",
            "192.0.2.1.1",
            "192.0.02.1",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/00",
            "10.0.0.0/+8",
            "10.0.0/8",
            "[fc00::]/7",
            "fe80::%1/64",
            "fc00::/300",
            "0xc0.0.2.1",
            "3221225985",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2.0/",
            "192.0.2.0/24/24",
            "192.0.2.0/255.255.255.0",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "2001:db8::/129",
            "fe80::1%eth0",
            "192.0.2.0/24 ",
            "*",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Syntax), "{text:?}");
        }
        for (text, network) in [
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("fc00::1/7", "fc00::/7"),
        ] {
            let network = network.parse().unwrap();
            assert_eq!(text.parse::<Network>(), Err(NetworkError::HostBits { network }));
        }
    }

    #[test]
    fn a_network_ends_where_its_prefix_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("192.0.2.7", ["192.0.2.7", "192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
            ("fc00::/7", ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], ["fbff::", "fe00::"]),
            ("::1", ["::1", "::1"], ["::", "::2"]),
            ("::/0", ["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], ["1.1.1.1", "::ffff:1.1.1.1"]),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.covers(&network), "{network}");
            assert!(inside.iter().all(|it| network.contains(address(it))), "{network}");
            assert!(!outside.iter().any(|it| network.contains(address(it))), "{network}");
        }
    }

    #[test]
    fn a_network_is_made_of_any_of_its_addresses() {
        let new = |text, bits| Network::new(address(text), bits).map(|network| network.to_string());
        assert_eq!(new("10.1.2.3", 8).as_deref(), Some("10.0.0.0/8"));
        assert_eq!(new("fd12::1", 7).as_deref(), Some("fc00::/7"));
        assert_eq!(new("::ffff:10.1.2.3", 104).as_deref(), Some("10.0.0.0/8"));
        assert_eq!((new("10.1.2.3", 33), new("::1", 129)), (None, None));
    }

    #[test]
    fn an_address_is_let_in_whatever_its_form_and_no_other() {
        let v4 = list(&["192.0.2.0/24", "198.51.100.7"]);
        for text in ["192.0.2.0", "192.0.2.255", "198.51.100.7", "::ffff:192.0.2.1", "::ffff:c633:6407"] {
            assert!(v4.contains(address(text)), "{text}");
        }
        for text in
            ["192.0.3.0", "198.51.100.8", "::192.0.2.1", "64:ff9b::c000:201", "2002:c000:201::", "::1"]
        {
            assert!(!v4.contains(address(text)), "{text}");
        }
        let v6 = list(&["2001:db8::/32"]);
        assert!(v6.contains(address("2001:0db8:0000::0001")));
        assert!(!v6.contains(address("2001:db9::")));
        assert!(!list(&["::/0"]).contains(address("::ffff:192.0.2.1")), "all of IPv6 is none of IPv4");
        assert!(!list(&["0.0.0.0/0"]).contains(address("::1")));
    }

    #[test]
    fn a_list_names_all_that_is_wrong_and_is_never_empty() {
        let parse = |texts: &[&str]| AllowList::parse(texts.iter().copied());
        assert_eq!(parse(&[]), Err(AllowListError::Empty));
        let wrong = vec![(0, NetworkError::Syntax), (2, NetworkError::Syntax)];
        assert_eq!(parse(&["a", "192.0.2.1", "b"]), Err(AllowListError::Networks(wrong)));
        assert_eq!(parse(&["192.0.2.1"; NETWORKS_MAX]).unwrap().networks().len(), 1);
        assert_eq!(parse(&["192.0.2.1"; NETWORKS_MAX + 1]), Err(AllowListError::TooMany));
    }

    #[test]
    fn a_list_survives_its_text_and_only_its_own() {
        let both = list(&["2001:db8::/32", "192.0.2.0/24"]);
        assert_eq!(both.to_list(), "2001:db8::/32 192.0.2.0/24");
        assert_eq!(AllowList::parse_list(&both.to_list()), Ok(both));
        for text in ["", "192.0.2.1/32", "192.0.2.1 192.0.2.1", "192.0.2.1  192.0.2.2", "::ffff:192.0.2.1"] {
            assert!(AllowList::parse_list(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_list_covers_what_is_no_wider() {
        let wide = list(&["192.0.2.0/24", "2001:db8::/32"]);
        assert!(wide.covers(&wide));
        assert!(wide.covers(&list(&["192.0.2.128/25", "192.0.2.1", "2001:db8:1::/48"])));
        for wider in ["192.0.0.0/16", "192.0.2.0/23", "192.0.3.1", "::/0", "0.0.0.0/0"] {
            assert!(!wide.covers(&list(&["192.0.2.1", wider])), "{wider}");
        }
    }
    /// The bits of an address, written out.
    fn bits_of(address: IpAddr) -> String {
        match address.to_canonical() {
            IpAddr::V4(address) => format!("4:{:032b}", address.to_bits()),
            IpAddr::V6(address) => format!("6:{:0128b}", address.to_bits()),
        }
    }

    proptest! {
        #[test]
        fn an_address_is_in_a_network_if_it_begins_alike(
            first in any::<IpAddr>(),
            flipped in 0..128_u32,
            bits in 0..=128_u8,
        ) {
            let first = first.to_canonical();
            let other: IpAddr = match first {
                IpAddr::V4(it) => Ipv4Addr::from_bits(it.to_bits() ^ 1_u32.wrapping_shl(flipped)).into(),
                IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() ^ 1 << flipped).into(),
            };
            if let Some(network) = Network::new(first, bits) {
                let prefix = &bits_of(first)[..2 + usize::from(network.bits)];
                prop_assert!(network.contains(first));
                prop_assert_eq!(network.contains(other), bits_of(other).starts_with(prefix));
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            }
        }
    }
}
