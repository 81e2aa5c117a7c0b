//! How to serve.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_egress::Policy;
use claviger_model::Network;
use claviger_zendesk::Options as ZendeskOptions;

use super::faults::Faults;
use super::{Calls, RateLimits, SettingsError, Typed, Upstream, listen, zendesk};
use crate::certificate::CertificateFiles;
use crate::data_dir::DataDir;

/// How long requests that are under way may take to end: what most supervisors wait before they kill.
const DRAIN_SECONDS: u64 = 10;
/// Longer than any request may take.
const DRAIN_SECONDS_MAX: u64 = 300;

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to show metrics, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate and key for TLS; none means plain HTTP.
    pub tls: Option<CertificateFiles>,
    /// Whether a proxy that speaks TLS stands in front.
    pub is_behind_proxy: bool,
    /// The proxies whose word about the client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where checkpoints go.
    pub checkpoints: CheckpointPlace,
    /// How often a caller may call.
    pub limits: RateLimits,
    /// How many requests a minute the Zendesk dialect takes, whatever [`Serve::limits`] says of it.
    pub zis_requests_per_minute: Option<u32>,
    /// How many calls a minute each org may make through its connections.
    pub broker_requests_per_minute: Option<u32>,
    /// How long requests that are under way may take to end once the server was asked to stop.
    pub drain: Duration,
    /// How far webhooks may reach.
    pub webhook_policy: Policy,
    /// Where authorization servers of OAuth connections may be.
    pub oauth_policy: Policy,
    /// Where GitHub's public keys are, if anywhere.
    pub github_keys: Option<PathBuf>,
    /// How many calls through connections may be under way.
    pub calls: Calls,
    /// Hosts that the operator has a word on.
    pub upstreams: Vec<Upstream>,
    /// How the Zendesk dialect tells orgs apart, and what else the operator decided for it.
    pub zendesk: ZendeskOptions,
}

/// Where signed checkpoints of the ledger go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointPlace {
    /// To the end of a file.
    File(PathBuf),
    /// To standard output, for whoever collects it.
    StandardOutput,
}

impl Serve {
    pub(super) fn check(typed: Typed, data: &Path, faults: &mut Faults) -> Option<Self> {
        let is_behind_proxy = typed.behind_proxy.unwrap_or(false);
        let has_tls = typed.tls_cert.is_some() || typed.tls_key.is_some();
        let tls = faults.note(listen::tls(typed.tls_cert, typed.tls_key));
        let (listen, metrics_listen) = (typed.listen.as_deref(), typed.metrics_listen.as_deref());
        let addresses = listen::addresses(listen, metrics_listen, has_tls, is_behind_proxy, faults);
        let trusted_proxies = listen::proxies(typed.trusted_proxy.unwrap_or_default(), faults);
        let minutely = |setting, number| zendesk::positive(setting, number);
        let zis_requests_per_minute =
            faults.note(minutely("--zendesk-requests-per-minute", typed.zendesk_requests_per_minute));
        let broker_requests_per_minute =
            faults.note(minutely("--broker-requests-per-minute", typed.broker.requests_per_minute));
        let drain = faults.note(drain(typed.drain_seconds.unwrap_or(DRAIN_SECONDS)));
        let calls = faults.note(typed.broker.calls());
        let upstreams = faults.note(typed.broker.check());
        let shows_tokens = typed.zendesk_show_tokens.unwrap_or(false);
        let zendesk =
            zendesk::options(typed.zendesk_base_domain, typed.zendesk_public_url, shows_tokens, faults);
        let (listen, metrics_listen) = addresses?;
        Some(Self {
            listen,
            metrics_listen,
            tls: tls?,
            is_behind_proxy,
            trusted_proxies,
            checkpoints: match typed.checkpoint_file {
                None => CheckpointPlace::File(DataDir::checkpoint_file(data)),
                Some(path) if path.as_os_str() == "-" => CheckpointPlace::StandardOutput,
                Some(path) => CheckpointPlace::File(path),
            },
            limits: typed.limits.unwrap_or_default(),
            zis_requests_per_minute: zis_requests_per_minute?,
            broker_requests_per_minute: broker_requests_per_minute?,
            drain: drain?,
            webhook_policy: policy(typed.webhooks_anywhere),
            oauth_policy: policy(typed.zendesk_oauth_anywhere),
            github_keys: typed.github_keys,
            calls: calls?,
            upstreams: upstreams?,
            zendesk: zendesk?,
        })
    }
}

fn policy(is_anywhere: Option<bool>) -> Policy {
    if is_anywhere.unwrap_or(false) { Policy::private_too() } else { Policy::public() }
}

fn drain(seconds: u64) -> Result<Duration, SettingsError> {
    if seconds <= DRAIN_SECONDS_MAX {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(SettingsError::DrainSeconds { seconds, max: DRAIN_SECONDS_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::testing::{check, refused};

    #[test]
    fn draining_is_bounded() {
        let drain = |seconds| check(|typed| typed.drain_seconds = Some(seconds)).map(|it| it.serve.drain);
        assert_eq!(drain(0).unwrap(), Duration::ZERO);
        assert_eq!(drain(300).unwrap(), Duration::from_secs(300));
        refused(|typed| typed.drain_seconds = Some(301), "0 to 300");
    }
}
