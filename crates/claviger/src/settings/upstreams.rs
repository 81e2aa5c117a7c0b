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
    /// The host that connections name, with a port where they name another than the usual one.
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
    /// The port that they name, if not the usual one of their scheme.
    pub named_port: Option<NonZeroU16>,
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
        let (mut upstreams, mut faults) = (Vec::<Option<Upstream>>::new(), Vec::new());
        for (place, typed) in self.upstream.unwrap_or_default().into_iter().enumerate() {
            let upstream = typed.check(&mut |fault| faults.push((place + 1, fault)));
            let named = upstream.as_ref().map(Upstream::named);
            let is_there =
                |other: &Option<Upstream>| named.is_some() && other.as_ref().map(Upstream::named) == named;
            if let Some(first) = upstreams.iter().position(is_there) {
                faults.push((place + 1, UpstreamFault::Twice { first: first + 1 }));
            }
            upstreams.push(upstream);
        }
        match faults.is_empty() {
            true => Ok(upstreams.into_iter().flatten().collect()),
            false => Err(SettingsError::Upstreams { faults }),
        }
    }
}

/// What is wrong with an entry.
#[derive(Debug, PartialEq, Eq)]
pub enum UpstreamFault {
    /// This is no host.
    Host(String),
    /// This is no address.
    Address(String),
    /// It is of the same host and port as the entry of this number.
    Twice {
        /// Counted from one.
        first: usize,
    },
}

impl fmt::Display for UpstreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(text) => {
                write!(
                    f,
                    "host {text} is no host name with or without a port: write it as git.example or git.example:8443"
                )
            }
            Self::Address(text) => {
                write!(
                    f,
                    "address {text} is no IP address with or without a port: write it as 10.1.2.3 or 10.1.2.3:8443"
                )
            }
            Self::Twice { first } => write!(f, "host is that of number {first}: leave one of them out"),
        }
    }
}

impl TypedUpstream {
    /// None where it has faults.
    fn check(self, fault: &mut dyn FnMut(UpstreamFault)) -> Option<Upstream> {
        let (named, placed) = (named(&self.host), placed(&self.address));
        if named.is_none() {
            fault(UpstreamFault::Host(self.host));
        }
        if placed.is_none() {
            fault(UpstreamFault::Address(self.address));
        }
        let ((host, named_port), (address, port)) = (named?, placed?);
        Some(Upstream { host, named_port, address, port, ca_file: self.ca_file })
    }
}

/// A host as connections name it, with the port that they name.
fn named(text: &str) -> Option<(Host, Option<NonZeroU16>)> {
    match text.rsplit_once(':') {
        // An IPv6 address has its colons in brackets.
        Some((host, port)) if !port.ends_with(']') => {
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            Some((host.parse().ok()?, Some(port.parse().ok().filter(|_| is_number)?)))
        }
        _ => Some((text.parse().ok()?, None)),
    }
}

/// An address, with the port there.
fn placed(text: &str) -> Option<(IpAddr, Option<NonZeroU16>)> {
    match text.parse::<SocketAddr>() {
        Ok(both) => Some((both.ip(), Some(NonZeroU16::new(both.port())?))),
        Err(_) => Some((text.parse().ok()?, None)),
    }
}

impl Upstream {
    /// What connections name.
    fn named(&self) -> (&Host, Option<NonZeroU16>) {
        (&self.host, self.named_port)
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

    fn typed(entries: &[(&str, &str)]) -> TypedBroker {
        let upstream = |(host, address): &(&str, &str)| TypedUpstream {
            host: (*host).to_owned(),
            address: (*address).to_owned(),
            ca_file: None,
        };
        TypedBroker { upstream: Some(entries.iter().map(upstream).collect()), ..TypedBroker::default() }
    }

    #[test]
    fn a_host_is_of_the_usual_port_or_of_the_one_that_it_names() {
        let settings = check(|all| {
            all.broker = typed(&[
                ("Git.example.", "10.0.0.1"),
                ("git.example:8443", "10.0.0.2:443"),
                ("[fd00::1]", "[fd00::2]:8443"),
                ("[fd00::1]:22", "fd00::2"),
            ]);
        });
        let told: Vec<_> = settings
            .unwrap()
            .serve
            .upstreams
            .iter()
            .map(|it| (it.host.to_string(), it.named_port.map(u16::from), it.to_string()))
            .collect();
        let expected = [
            ("git.example", None, "10.0.0.1"),
            ("git.example", Some(8443), "10.0.0.2:443"),
            ("[fd00::1]", None, "[fd00::2]:8443"),
            ("[fd00::1]", Some(22), "fd00::2"),
        ];
        assert_eq!(told, expected.map(|(host, named, place)| (host.to_owned(), named, place.to_owned())));
    }

    #[test]
    fn every_fault_of_every_entry_is_named() {
        let entries = [
            ("git.example", "10.0.0.1"),
            ("a b", "here"),
            ("git.example:+1", "10.0.0.1:0"),
            ("GIT.example.", "10.0.0.2"),
            ("git.example:8443", "10.0.0.2"),
            ("git.example:0", "10.0.0.2"),
        ];
        for fault in [
            "number 2: host a b is no host name",
            "number 2: address here is no IP address",
            "number 3: host git.example:+1 is no host name",
            "number 3: address 10.0.0.1:0 is no IP address",
            "number 4: host is that of number 1: leave one of them out",
            "number 6: host git.example:0 is no host name",
        ] {
            refused(|all| all.broker = typed(&entries), fault);
        }
        let errors = check(|all| all.broker = typed(&entries)).unwrap_err();
        let Some(SettingsError::Upstreams { faults }) = errors.iter().next() else { panic!("{errors}") };
        assert_eq!(faults.len(), 6, "{faults:?}");
    }
}
