//! Which private places calls of an org may reach, beside the Internet.

use std::fmt;
use std::str::FromStr;

use crate::{Host, HostError, Network, NetworkError};

/// The most entries: each is a hole in the guard that somebody must keep in mind.
pub const PRIVATE_REACH_MAX: usize = 32;

/// What begins an entry that is a host in clear.
const CLEAR: &str = "http://";

/// Networks whose addresses may be called over TLS, and hosts among those that may be called in clear too.
///
/// Written as words: `10.1.0.0/16 http://git.house`. That a network is one of private addresses is the guard's to check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PrivateReach {
    /// The networks.
    pub networks: Vec<Network>,
    /// The hosts that may be called in clear, where their addresses are in those networks.
    pub clear_hosts: Vec<Host>,
}

/// A text that is none; what is wrong, to be read after the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateReachError {
    /// There are too many entries.
    Many,
    /// An entry is no network.
    Network(String, NetworkError),
    /// An entry is no host in clear.
    Host(String, HostError),
}

impl fmt::Display for PrivateReachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Many => write!(f, "must have at most {PRIVATE_REACH_MAX} entries"),
            Self::Network(entry, error) => write!(f, "has {entry}, which {error}"),
            Self::Host(entry, error) => write!(f, "has {entry}, whose host {error}"),
        }
    }
}

impl std::error::Error for PrivateReachError {}

impl PrivateReach {
    /// Whether there is nothing but the Internet.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.clear_hosts.is_empty()
    }

    /// Whether it allows whatever another one does.
    pub fn covers(&self, other: &Self) -> bool {
        let has = |network: &Network| self.networks.iter().any(|own| own.covers(network));
        other.networks.iter().all(has) && other.clear_hosts.iter().all(|host| self.clear_hosts.contains(host))
    }

    /// The entries, each as it is written.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        let hosts = self.clear_hosts.iter().map(|host| format!("{CLEAR}{host}"));
        self.networks.iter().map(ToString::to_string).chain(hosts)
    }
}

impl fmt::Display for PrivateReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries().enumerate() {
            write!(f, "{}{entry}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for PrivateReach {
    type Err = PrivateReachError;

    fn from_str(text: &str) -> Result<Self, PrivateReachError> {
        let mut reach = Self::default();
        for (index, entry) in text.split_ascii_whitespace().enumerate() {
            if index == PRIVATE_REACH_MAX {
                return Err(PrivateReachError::Many);
            }
            match entry.strip_prefix(CLEAR) {
                Some(host) => {
                    let host =
                        host.parse().map_err(|error| PrivateReachError::Host(entry.to_owned(), error))?;
                    reach.clear_hosts.push(host);
                }
                None => {
                    let network =
                        entry.parse().map_err(|error| PrivateReachError::Network(entry.to_owned(), error))?;
                    reach.networks.push(network);
                }
            }
        }
        Ok(reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_covers_what_is_no_wider() {
        let reach = |text: &str| text.parse::<PrivateReach>().unwrap();
        for (wide, narrow) in [
            ("", ""),
            ("10.0.0.0/8", ""),
            ("fd00::/8 10.0.0.0/8", "10.1.0.0/16 10.2.3.4"),
            ("10.0.0.0/8 http://git.house http://b.house", "10.0.0.0/8 http://git.house"),
        ] {
            assert!(reach(wide).covers(&reach(narrow)), "{wide} {narrow}");
            assert_eq!(reach(narrow).covers(&reach(wide)), wide == narrow, "{narrow} {wide}");
        }
        for (one, other) in [("10.1.0.0/16", "10.2.0.0/16"), ("10.0.0.0/8", "10.0.0.0/8 http://git.house")] {
            assert!(!reach(one).covers(&reach(other)), "{one} {other}");
        }
    }

    #[test]
    fn a_reach_is_read_as_it_was_written() {
        for text in ["", "10.1.0.0/16", "10.1.0.0/16 fd00::/8 http://git.house http://[fd00::1]"] {
            let reach: PrivateReach = text.parse().unwrap();
            assert_eq!(reach.to_string(), text);
            assert_eq!(reach.is_empty(), text.is_empty());
        }
        for text in ["10.1.0.0/33", "git.house", "http://git.house:80", "http://a/b", "https://git.house"] {
            assert!(text.parse::<PrivateReach>().is_err(), "{text}");
        }
        let many = "10.0.0.0/8 ".repeat(PRIVATE_REACH_MAX + 1);
        assert_eq!(many.parse::<PrivateReach>(), Err(PrivateReachError::Many));
    }
}
