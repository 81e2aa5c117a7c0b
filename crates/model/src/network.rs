//! Networks, and lists of them.
//!
//! An address has one form here: an IPv6 address that stands for an IPv4 one (`::ffff:192.0.2.1`) is that IPv4
//! address, in lists as in requests. Other ways to carry an IPv4 address in an IPv6 one (NAT64, 6to4) are
//! addresses of their own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// The most networks of one list: more would make a request's look-up long.
pub const NETWORKS_MAX: usize = 64;
/// The length of the prefix below which all addresses stand for IPv4 ones: `::ffff:0:0/96`.
const MAPPED_PREFIX: u8 = 96;

/// A network in CIDR notation; a single address is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

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
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of another network is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse::<IpNet>().map_err(|_| NetworkError::Syntax)?,
        };
        let network = Self(canonical(net.trunc()));
        if net.addr() == net.network() { Ok(network) } else { Err(NetworkError::HostBits { network }) }
    }
}

/// A network of addresses that stand for IPv4 ones is an IPv4 network.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped: Option<Ipv4Addr> = v6.addr().to_ipv4_mapped();
    match (mapped, v6.prefix_len().checked_sub(MAPPED_PREFIX)) {
        (Some(v4), Some(prefix)) => {
            Ipv4Net::new(v4, prefix).expect("128 - 96 bits are what an IPv4 prefix may have").into()
        }
        _ => net,
    }
}

impl fmt::Display for Network {
    /// A single address without its prefix's length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.prefix_len() == self.0.max_prefix_len() {
            true => self.0.addr().fmt(f),
            false => self.0.fmt(f),
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
            ("::ffff:0:0/95", "has bits beyond its prefix: the network is ::fffe:0:0/95"),
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
        for (text, network) in [("192.0.2.7/24", "192.0.2.0/24"), ("2001:db8::1/64", "2001:db8::/64")] {
            let network = network.parse().unwrap();
            assert_eq!(text.parse::<Network>(), Err(NetworkError::HostBits { network }));
        }
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
        for wider in ["192.0.0.0/16", "192.0.3.1", "::/0", "0.0.0.0/0"] {
            assert!(!wide.covers(&list(&["192.0.2.1", wider])), "{wider}");
        }
    }
}
