//! Where the server listens, and who may reach it there in clear.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use claviger_model::Network;

use super::SettingsError;
use super::faults::Faults;
use crate::certificate::CertificateFiles;

/// Loopback, because TLS needs a certificate; the port is one that nothing common uses.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

pub(super) fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<CertificateFiles>, SettingsError> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(CertificateFiles { certificate, key })),
        (Some(_), None) => Err(SettingsError::HalfTls { missing: "--tls-key" }),
        (None, Some(_)) => Err(SettingsError::HalfTls { missing: "--tls-cert" }),
    }
}

pub(super) fn addresses(
    listen: Option<&str>,
    metrics_listen: Option<&str>,
    has_tls: bool,
    is_behind_proxy: bool,
    faults: &mut Faults,
) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let parse = |setting, text: &str| {
        text.parse().map_err(|_| SettingsError::Address { setting, text: text.to_owned() })
    };
    let is_safe = |address: &SocketAddr| address.ip().is_loopback() || is_behind_proxy;
    let listen = faults.note(listen.map_or(Ok(LISTEN), |text| parse("--listen", text)));
    let metrics = faults.note(metrics_listen.map(|text| parse("--metrics-listen", text)).transpose());
    if let Some(address) = listen.filter(|address| !has_tls && !is_safe(address)) {
        faults.add(SettingsError::OffLoopback { address });
    }
    if let Some(address) = metrics.flatten().filter(|address| !is_safe(address)) {
        faults.add(SettingsError::MetricsOffLoopback { address });
    }
    // Port 0 is whichever is free, and never the same twice.
    if let Some(address) = listen.filter(|it| metrics.flatten() == Some(*it) && it.port() != 0) {
        faults.add(SettingsError::SameAddress { address });
    }
    Some((listen?, metrics?))
}

pub(super) fn proxies(texts: Vec<String>, faults: &mut Faults) -> Vec<Network> {
    let parse = |text: String| text.parse().map_err(|error| SettingsError::TrustedProxy { text, error });
    texts.into_iter().filter_map(|text| faults.note(parse(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Typed;
    use crate::settings::testing::{check, refused};

    #[test]
    fn an_address_must_be_one() {
        refused(|typed| typed.listen = Some("localhost".into()), "write it as 127.0.0.1:7070");
        refused(|typed| typed.metrics_listen = Some("9090".into()), "--metrics-listen 9090");
    }

    #[test]
    fn other_machines_are_reached_over_tls_or_from_behind_a_proxy() {
        for address in ["0.0.0.0:7070", "[::]:7070", "192.0.2.1:7070"] {
            refused(|typed| typed.listen = Some(address.into()), "--behind-proxy");
            refused(|typed| typed.metrics_listen = Some(address.into()), "--behind-proxy");
            let behind_proxy = |typed: &mut Typed| {
                typed.listen = Some(address.into());
                typed.behind_proxy = Some(true);
            };
            assert_eq!(check(behind_proxy).unwrap().serve.listen, address.parse().unwrap());
        }
        for address in ["127.0.0.2:7070", "[::1]:7070"] {
            assert!(check(|typed| typed.listen = Some(address.into())).is_ok());
        }
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let named = |texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            check(|typed| typed.trusted_proxy = Some(texts)).map(|settings| settings.serve.trusted_proxies)
        };
        let expected = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(named(&["10.0.0.0/8", "::1"]).unwrap(), expected);
        for (text, expected) in [
            ("proxy.internal", "--trusted-proxy proxy.internal is not a network: write it as 192.0.2.0/24"),
            (
                "10.0.0.1/8",
                "--trusted-proxy 10.0.0.1/8 has bits beyond its prefix: the network is 10.0.0.0/8",
            ),
        ] {
            refused(|typed| typed.trusted_proxy = Some(vec!["::1".into(), text.into()]), expected);
        }
    }

    #[test]
    fn tls_needs_both_files_and_opens_the_listener_but_not_the_metrics() {
        let files = |typed: &mut Typed| {
            typed.tls_cert = Some("cert.pem".into());
            typed.tls_key = Some("key.pem".into());
        };
        refused(|typed| typed.tls_cert = Some("cert.pem".into()), "give --tls-key too");
        refused(|typed| typed.tls_key = Some("key.pem".into()), "give --tls-cert too");
        let off_loopback = |typed: &mut Typed| {
            files(typed);
            typed.listen = Some("0.0.0.0:7070".into());
        };
        let pair = CertificateFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
        assert_eq!(check(off_loopback).unwrap().serve.tls, Some(pair));
        let metrics = |typed: &mut Typed| {
            files(typed);
            typed.metrics_listen = Some("0.0.0.0:9090".into());
        };
        refused(metrics, "metrics are shown in clear");
    }

    #[test]
    fn metrics_have_an_address_of_their_own() {
        refused(|typed| typed.metrics_listen = Some("127.0.0.1:7070".into()), "give them another port");
        let any_port = |typed: &mut Typed| {
            typed.listen = Some("127.0.0.1:0".into());
            typed.metrics_listen = Some("127.0.0.1:0".into());
        };
        assert!(check(any_port).is_ok());
    }
}
