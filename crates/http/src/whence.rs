//! Where a request comes from: its peer, or whom a trusted proxy says that it asks for.
//!
//! Each proxy adds the address of its own peer to the end of a list, so that the list is read from its end: what
//! trusted proxies wrote is believed, and the first address that is no trusted proxy's is the client's, whatever
//! stands before it. A peer that is not trusted may say what it likes.

use std::net::IpAddr;

use claviger_engine::Source;
use claviger_model::Network;
use http::header::{FORWARDED, GetAll};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::forwarded;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most trusted proxies that a request may have come through. Only they could write a longer list.
const HOPS_MAX: usize = 32;

/// The proxies whose word about the client's address is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Box<[Network]>);

/// Where a request comes from, found out when somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Whence<'a> {
    pub(crate) proxies: &'a TrustedProxies,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) headers: &'a HeaderMap,
}

impl Source for Whence<'_> {
    fn address(&self) -> Option<IpAddr> {
        self.proxies.client(self.peer?, self.headers)
    }
}

/// What one header says of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It is not there.
    Nothing,
    /// It has an entry that is no address where one is needed.
    Nonsense,
    Address(IpAddr),
}

impl TrustedProxies {
    /// These.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client's address, in its one form; none where trusted proxies leave it open. Both headers may be there,
    /// one of them the client's own: then both must say the same.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        let list = headers.get_all(X_FORWARDED_FOR);
        let list = self.read(list, |line| line.rsplit(|byte| *byte == b',').map(forwarded::address));
        let standard = self.read(headers.get_all(FORWARDED), |line| {
            // A line that cannot be read is one entry that is no address.
            forwarded::entries(line).unwrap_or_else(|| vec![None]).into_iter().rev()
        });
        match (list, standard) {
            // The proxy asks for itself.
            (Told::Nothing, Told::Nothing) => Some(peer),
            (Told::Address(client), Told::Nothing) | (Told::Nothing, Told::Address(client)) => Some(client),
            (Told::Address(client), Told::Address(same)) if client == same => Some(client),
            _ => None,
        }
    }

    /// The last entry of all lines that is no trusted proxy; the first where all are.
    fn read<'h, I: Iterator<Item = Option<IpAddr>>>(
        &self,
        lines: GetAll<'h, HeaderValue>,
        entries_reversed: impl Fn(&'h [u8]) -> I,
    ) -> Told {
        let mut told = Told::Nothing;
        let entries = lines.into_iter().rev().flat_map(|line| entries_reversed(line.as_bytes()));
        for (hop, entry) in entries.enumerate() {
            let Some(address) = entry.filter(|_| hop < HOPS_MAX) else { return Told::Nonsense };
            let address = address.to_canonical();
            told = Told::Address(address);
            if !self.trusts(address) {
                break;
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    /// What is known of the client of a request from a peer with these headers (`name: value`).
    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let whence = Whence { proxies: &proxies, peer: peer.parse().ok(), headers: &headers };
        whence.address().map_or("unknown".to_owned(), |address| address.to_string())
    }

    #[test]
    fn a_peer_that_is_not_trusted_may_say_what_it_likes() {
        for lines in
            [&["x-forwarded-for: 192.0.2.1"][..], &["forwarded: for=192.0.2.1"], &["x-forwarded-for: ?"], &[]]
        {
            assert_eq!(client("198.51.100.9", lines), "198.51.100.9");
            assert_eq!(client("::ffff:198.51.100.9", lines), "198.51.100.9");
        }
        assert_eq!(client("a local socket", &["x-forwarded-for: 192.0.2.1"]), "unknown");
    }

    #[test]
    fn the_last_entry_that_is_no_proxy_is_the_client() {
        for (lines, expected) in [
            (&["x-forwarded-for: 192.0.2.1"][..], "192.0.2.1"),
            (&["x-forwarded-for: 192.0.2.1, 198.51.100.9"], "198.51.100.9"),
            (&["x-forwarded-for: 192.0.2.1, 198.51.100.9, 10.0.0.2, fd00::2"], "198.51.100.9"),
            (&["x-forwarded-for: 192.0.2.1", "x-forwarded-for: 198.51.100.9"], "198.51.100.9"),
            (
                &["x-forwarded-for: 198.51.100.9", "x-forwarded-for: 10.0.0.2, ::ffff:10.0.0.3"],
                "198.51.100.9",
            ),
            (&["x-forwarded-for: ::ffff:192.0.2.1"], "192.0.2.1"),
            (&["x-forwarded-for: nonsense, 198.51.100.9"], "198.51.100.9"),
            (&["forwarded: for=192.0.2.1, for=\"198.51.100.9:80\";proto=https"], "198.51.100.9"),
            (&["forwarded: nonsense", "forwarded: for=198.51.100.9"], "198.51.100.9"),
            (&["forwarded: for=198.51.100.9, for=10.0.0.2", "forwarded: for=\"[fd00::3]\""], "198.51.100.9"),
            (
                &["x-forwarded-for: 198.51.100.9", "forwarded: for=192.0.2.1, for=198.51.100.9"],
                "198.51.100.9",
            ),
            // All are trusted: the first began it.
            (&["x-forwarded-for: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&[], PROXY),
            (&["x-real-ip: 192.0.2.1", "x-client-ip: 192.0.2.1"], PROXY),
        ] {
            assert_eq!(client(PROXY, lines), expected, "{lines:?}");
            assert_eq!(client(&format!("::ffff:{PROXY}"), lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_a_trusted_proxy_leaves_open_is_unknown() {
        let many = format!("x-forwarded-for: 192.0.2.1{}", ", 10.0.0.2".repeat(HOPS_MAX));
        for lines in [
            &["x-forwarded-for: unknown"][..],
            &["x-forwarded-for: "],
            &["x-forwarded-for: 192.0.2.1,"],
            &["x-forwarded-for: 192.0.2.1, _hidden"],
            &["x-forwarded-for: 192.0.2.1, _hidden, 10.0.0.2"],
            &["x-forwarded-for: 192.0.2.1", "x-forwarded-for: "],
            &["forwarded: for=unknown"],
            &["forwarded: proto=https"],
            &["forwarded: for=192.0.2.1, for=_hidden"],
            &["forwarded: for=192.0.2.1", "forwarded: for=\"198.51.100.9"],
            &["x-forwarded-for: 192.0.2.1", "forwarded: for=198.51.100.9"],
            &["x-forwarded-for: 192.0.2.1", "forwarded: for=unknown"],
            &["x-forwarded-for: unknown", "forwarded: for=192.0.2.1"],
            &[many.as_str()],
        ] {
            assert_eq!(client(PROXY, lines), "unknown", "{lines:?}");
        }
    }
}
