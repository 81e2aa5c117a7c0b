//! `[broker]`: how many calls there may be at once; and `[[broker.upstream]]`, the operator's own word on where a host is
//! and whom to trust for it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;

use claviger_broker::Options as BrokerOptions;
use claviger_model::Host;
use serde::Deserialize;

use super::SettingsError;
use super::zendesk::positive;

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
    /// How many calls through connections may be under way at a time [default: 4096]
    #[arg(
        id = "broker_calls_max",
        long = "broker-calls-max",
        value_name = "N",
        env = "CLAVIGER_BROKER_CALLS_MAX",
        global = true
    )]
    pub calls_max: Option<u32>,
    /// How many of these may be of one org [default: half of them]
    #[arg(
        id = "broker_calls_per_org_max",
        long = "broker-calls-per-org-max",
        value_name = "N",
        env = "CLAVIGER_BROKER_CALLS_PER_ORG_MAX",
        global = true
    )]
    pub calls_per_org_max: Option<u32>,
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

/// How many calls may be under way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// In all.
    pub max: usize,
    /// Of one org.
    pub per_org_max: usize,
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
            calls_max: self.calls_max.or(below.calls_max),
            calls_per_org_max: self.calls_per_org_max.or(below.calls_per_org_max),
            upstream: self.upstream.or(below.upstream),
        }
    }

    pub(super) fn calls(&self) -> Result<Calls, SettingsError> {
        let usual = BrokerOptions::default().calls_max;
        let size = |number: Option<u32>, usual| number.map_or(usual, |number| number as usize);
        let max = size(positive("--broker-calls-max", self.calls_max)?, usual);
        let per_org_max = positive("--broker-calls-per-org-max", self.calls_per_org_max)?;
        Ok(Calls { max, per_org_max: size(per_org_max, max.div_ceil(2)) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::testing::{check, refused};

    #[test]
    fn calls_at_once_are_some_and_an_orgs_are_half_of_them() {
        let calls = |max, per_org_max| {
            let checked = check(|typed| {
                (typed.broker.calls_max, typed.broker.calls_per_org_max) = (max, per_org_max);
            });
            let Calls { max, per_org_max } = checked.unwrap().serve.calls;
            (max, per_org_max)
        };
        let usual = BrokerOptions::default();
        assert_eq!(calls(None, None), (usual.calls_max, usual.calls_per_org_max));
        assert_eq!(calls(Some(7), None), (7, 4));
        assert_eq!(calls(None, Some(10)), (usual.calls_max, 10));
        refused(|typed| typed.broker.calls_max = Some(0), "--broker-calls-max");
        refused(|typed| typed.broker.calls_per_org_max = Some(0), "--broker-calls-per-org-max");
    }
}
