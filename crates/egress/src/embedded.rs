//! IPv4 addresses inside IPv6 ones: where packets really go.

use std::net::{IpAddr, Ipv4Addr};

/// The IPv4 address that packets to this one may end at, where it has one of the forms that are global unicast or NAT64
/// all the same. The forms that have a range of their own which is refused altogether (6to4, Teredo, IPv4-compatible,
/// IPv4-translated, local-use NAT64) are not looked into.
pub(crate) fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else { return None };
    let last = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into();
    match address.segments() {
        // NAT64's well-known prefix (RFC 6052, 2.1).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(last(high, low)),
        // ISATAP (RFC 5214, 6.1), in any prefix; the universal and group bits may be set.
        [.., first, 0x5efe, high, low] if first & !0x0300 == 0 => Some(last(high, low)),
        _ => None,
    }
}
