//! Rate limits for routes that anybody may call: each address has its own share.
//!
//! An IPv6 address counts by its /64, which is what one customer has. The table is bounded: where it is full of
//! addresses that called within the window, those that are not in it share one place.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use claviger_model::Timestamp;

use crate::Rate;

/// Addresses that are told apart: a few megabytes.
const ADDRESSES_MAX: usize = 65_536;

/// The limit, and what has been used of it.
#[derive(Debug)]
pub struct AddressLimits {
    rate: Rate,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    number: i64,
    used: HashMap<Option<IpAddr>, u32>,
}

impl AddressLimits {
    /// So many requests in so many seconds, for each address.
    pub fn new(rate: Rate) -> Self {
        Self { rate, window: Mutex::default() }
    }

    /// Takes a request from an address's share, and tells whether it is beyond the limit. Those without an address
    /// share one.
    pub fn take(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let number = now.micros().div_euclid(i64::from(self.rate.period_seconds.max(1)) * 1_000_000);
        let mut window = self.window.lock().expect("nothing panics while it holds this lock");
        if window.number != number {
            *window = Window { number, used: HashMap::new() };
        }
        let mut address = address.map(subscriber);
        if window.used.len() >= ADDRESSES_MAX && !window.used.contains_key(&address) {
            address = None;
        }
        let used = window.used.entry(address).or_insert(0);
        *used = used.saturating_add(1);
        *used > self.rate.limit
    }
}

/// What one subscriber of a network has.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_share_until_the_window_ends() {
        let limits = AddressLimits::new(Rate { limit: 2, period_seconds: 60 });
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let take = |address: &str, second| limits.take(Some(address.parse().unwrap()), at(second));
        assert_eq!([take("192.0.2.1", 0), take("192.0.2.1", 1), take("192.0.2.1", 59)], [false, false, true]);
        assert!(!take("192.0.2.2", 59));
        assert!(!take("192.0.2.1", 60));
        // One subscriber has all addresses of a /64, and an IPv4 address may come in the clothes of the other.
        assert_eq!(
            [take("2001:db8::1", 61), take("2001:db8::2", 61), take("2001:db8::3", 61)],
            [false, false, true]
        );
        assert!(!take("2001:db8:0:1::1", 61));
        assert_eq!([take("::ffff:192.0.2.1", 61), take("192.0.2.1", 61)], [false, true]);
    }

    #[test]
    fn those_beyond_the_table_share_one_place() {
        let limits = AddressLimits::new(Rate { limit: 1, period_seconds: 60 });
        let now = Timestamp::from_micros(0);
        for number in 0..ADDRESSES_MAX as u32 {
            assert!(!limits.take(Some(IpAddr::from(number.to_be_bytes())), now));
        }
        assert!(!limits.take(Some("192.0.2.1".parse().unwrap()), now));
        assert!(limits.take(Some("192.0.2.2".parse().unwrap()), now));
    }
}
