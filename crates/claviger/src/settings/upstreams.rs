//! `[[broker.upstream]]`: the operator's own word on where a host is and whom to trust for it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;

use claviger_model::Host;
use serde::Deserialize;

use super::SettingsError;

/// `[broker]`.
#[derive(Default, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct TypedBroker {
    /// How many calls a minute each org may make through its connections [default: as many as they like]
    #[arg(
        id = "broker_requests_per_minute",
        long = "broker-requests-per-minute",
        value_name = "N",
        env = "CLAVIGER_BROKER_REQUESTS_PER_MINUTE",
        global = true
    )]
    pub requests_per_minute: Option<u32>,
    /// The hosts. They have no flag: what takes the address guard's place belongs into a file that somebody keeps.
    #[arg(skip)]
    pub upstream: Option<Vec<TypedUpstream>>,
}

/// One of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedUpstream {
    /// The host that connections name.
    pub host: String,
    /// Where it is: an IP address, with a port if that is another one than is called.
    pub address: String,
    /// The authorities that alone are trusted for it, in PEM form.
    pub ca_file: Option<PathBuf>,
}

/// One host, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The host that connections name.
    pub host: Host,
    /// Where it is.
    pub address: IpAddr,
    /// The port there, if it is another one than is called.
    pub port: Option<NonZeroU16>,
    /// The authorities that alone are trusted for it, if not the system's.
    pub ca_file: Option<PathBuf>,
}

impl TypedBroker {
    pub(super) fn or(self, below: Self) -> Self {
        Self {
            requests_per_minute: self.requests_per_minute.or(below.requests_per_minute),
            upstream: self.upstream.or(below.upstream),
        }
    }

    pub(super) fn check(self) -> Result<Vec<Upstream>, SettingsError> {
        let mut upstreams = Vec::<Upstream>::new();
        for typed in self.upstream.unwrap_or_default() {
            let upstream = typed.check()?;
            if upstreams.iter().any(|other| other.host == upstream.host) {
                return Err(SettingsError::UpstreamTwice { host: upstream.host });
            }
            upstreams.push(upstream);
        }
        Ok(upstreams)
    }
}

impl TypedUpstream {
    fn check(self) -> Result<Upstream, SettingsError> {
        let refused = |field, text: &str| SettingsError::Upstream { field, text: text.to_owned() };
        let host = self.host.parse().map_err(|_| refused("host", &self.host))?;
        let (address, port) = match self.address.parse::<SocketAddr>() {
            Ok(both) => (both.ip(), NonZeroU16::new(both.port())),
            Err(_) => (self.address.parse().map_err(|_| refused("address", &self.address))?, None),
        };
        Ok(Upstream { host, address, port, ca_file: self.ca_file })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port.get()).fmt(f),
            None => self.address.fmt(f),
        }
    }
}
