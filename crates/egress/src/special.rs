//! Ranges of addresses that are not simply hosts of the Internet.
//!
//! Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (of 2025-10-09), IPv4 and IPv6 Address Space
//! registries for multicast and reserved space, RFC 4291 for the old embeddings, and the clouds' own documents for their
//! metadata services. Ranges that the registries call globally reachable are here as well: anycast services of the
//! network itself (AS112, AMT, PCP, TURN) are answered by whatever instance is nearest, which may be one of the house.
//! IPv6 is the other way round too: what is not global unicast (2000::/3) is special, assigned or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use claviger_model::Network;

/// A range and what it is for.
#[derive(Debug, PartialEq, Eq)]
pub struct Special {
    /// Its addresses.
    pub network: Network,
    /// What it is for, as the registries call it.
    pub name: &'static str,
    /// Who may be called there.
    pub reach: Reach,
}

/// Who may be called in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Hosts of a closed network, where it is allowed.
    Private,
    /// Nobody.
    Never,
    /// Nobody: it is a cloud's metadata service, which gives its credentials to whoever asks.
    Metadata,
}

/// The range that an address is in, the narrowest that has a meaning of its own; `None` for the Internet's hosts.
///
/// An IPv4 address in IPv6 form is taken for the IPv4 address.
pub fn find(address: IpAddr) -> Option<&'static Special> {
    let address = address.to_canonical();
    let table = match address {
        IpAddr::V4(_) => [METADATA, V4],
        IpAddr::V6(_) => [METADATA, V6],
    };
    let known = table.into_iter().flatten().find(|special| special.network.contains(address));
    match address {
        IpAddr::V6(address) if known.is_none() && !is_global(address) => Some(&NOT_GLOBAL_UNICAST),
        _ => known,
    }
}

/// The ranges in which hosts of a closed network may be.
pub fn private() -> impl Iterator<Item = &'static Special> {
    [V4, V6].into_iter().flatten().filter(|special| special.reach == Reach::Private)
}

/// Global unicast, or NAT64's well-known prefix (64:ff9b::/96), which is the Internet to a host without IPv4: which host
/// of it, says the IPv4 address inside.
fn is_global(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    segments[0] & 0xe000 == 0x2000 || segments.starts_with(&[0x64, 0xff9b, 0, 0, 0, 0])
}

static NOT_GLOBAL_UNICAST: Special = Special {
    network: network(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    name: "not global unicast",
    reach: Reach::Never,
};

const fn network(address: IpAddr, bits: u8) -> Network {
    Network::new(address, bits).expect("the table's addresses have as many bits as it says")
}

const fn v4(address: [u8; 4], bits: u8, name: &'static str, reach: Reach) -> Special {
    let [a, b, c, d] = address;
    Special { network: network(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits), name, reach }
}

const fn v6(segments: [u16; 8], bits: u8, name: &'static str, reach: Reach) -> Special {
    let [a, b, c, d, e, f, g, h] = segments;
    Special { network: network(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), bits), name, reach }
}

const fn metadata(address: IpAddr, name: &'static str) -> Special {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    Special { network: network(address, bits), name, reach: Reach::Metadata }
}

const fn metadata_v4(a: u8, b: u8, c: u8, d: u8, name: &'static str) -> Special {
    metadata(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), name)
}

const fn metadata_v6(segments: [u16; 8], name: &'static str) -> Special {
    let [a, b, c, d, e, f, g, h] = segments;
    metadata(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), name)
}

use Reach::{Never, Private};

/// Addresses that clouds answer themselves. Link-local ones that are not named are refused with their range.
static METADATA: &[Special] = &[
    metadata_v4(169, 254, 169, 254, "metadata service of most clouds"),
    metadata_v4(169, 254, 170, 2, "AWS ECS task credentials"),
    metadata_v4(169, 254, 170, 23, "AWS EKS pod identity"),
    metadata_v4(169, 254, 0, 23, "Tencent Cloud metadata service"),
    metadata_v4(169, 254, 42, 42, "Scaleway metadata service"),
    metadata_v4(100, 100, 100, 200, "Alibaba Cloud metadata service"),
    metadata_v4(168, 63, 129, 16, "Azure platform service"),
    metadata_v4(192, 0, 0, 192, "Oracle Cloud metadata service"),
    metadata_v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], "AWS metadata service"),
    metadata_v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], "AWS EKS pod identity"),
    metadata_v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], "Google Cloud metadata service"),
    metadata_v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], "Oracle Cloud metadata service"),
    metadata_v6([0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], "Akamai Cloud metadata service"),
    metadata_v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], "Scaleway metadata service"),
];

static V4: &[Special] = &[
    v4([0, 0, 0, 0], 8, "this network", Never),
    v4([10, 0, 0, 0], 8, "private use", Private),
    v4([100, 64, 0, 0], 10, "shared address space", Private),
    v4([127, 0, 0, 0], 8, "loopback", Private),
    v4([169, 254, 0, 0], 16, "link-local", Never),
    v4([172, 16, 0, 0], 12, "private use", Private),
    v4([192, 0, 0, 0], 24, "IETF protocol assignments", Never),
    v4([192, 0, 2, 0], 24, "documentation", Private),
    v4([192, 31, 196, 0], 24, "AS112", Never),
    v4([192, 52, 193, 0], 24, "AMT", Never),
    v4([192, 88, 99, 0], 24, "6to4 relay anycast", Never),
    v4([192, 168, 0, 0], 16, "private use", Private),
    v4([192, 175, 48, 0], 24, "AS112", Never),
    v4([198, 18, 0, 0], 15, "benchmarking", Private),
    v4([198, 51, 100, 0], 24, "documentation", Private),
    v4([203, 0, 113, 0], 24, "documentation", Private),
    v4([224, 0, 0, 0], 4, "multicast", Never),
    v4([255, 255, 255, 255], 32, "limited broadcast", Never),
    v4([240, 0, 0, 0], 4, "reserved", Never),
];

static V6: &[Special] = &[
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified", Never),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback", Private),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible", Never),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "IPv4-translated", Never),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "local-use NAT64", Never),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discard-only", Never),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, "dummy prefix", Never),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo", Never),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, "benchmarking", Private),
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32, "AMT", Never),
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48, "AS112", Never),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, "ORCHID", Never),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, "ORCHIDv2", Never),
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28, "drone remote ID", Never),
    // Among others 2001:1::1 to 3, which are PCP, TURN and DNS-SD anycast.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "IETF protocol assignments", Never),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation", Private),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4", Never),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "AS112", Never),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation", Private),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "SRv6 segment identifiers", Never),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local", Private),
    // Without a zone it cannot be connected to, and zones are no part of hosts.
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local", Never),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "site-local", Never),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast", Never),
];
