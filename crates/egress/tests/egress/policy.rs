//! What a policy can allow, what an operator can deny, and plain http.

use std::collections::BTreeSet;

use claviger_egress::{Clear, Network, Origin, Policy, Settings, Target};

use crate::network::{Scene, Upstream, ip};
use crate::ranges;

async fn in_clear(change: impl FnOnce(&mut Settings)) -> Scene {
    let mut settings = Settings::new(claviger_egress::Roots::none());
    change(&mut settings);
    Scene::new(Upstream::start(None).await, settings)
}

fn code<T>(result: Result<T, (&'static str, String)>) -> &'static str {
    result.map_or_else(|(code, _)| code, |_| "ok")
}

fn origin(url: &str) -> Origin {
    url.parse::<Target>().unwrap().origin().clone()
}

#[test]
fn only_networks_of_private_addresses_can_be_allowed() {
    for range in ranges::V4.iter().chain(ranges::V6) {
        // IPv4-mapped is all of IPv4, which is too wide.
        let network: Network = range.network.parse().unwrap();
        let is_allowed = Policy::public().allow(network).is_ok();
        assert_eq!(is_allowed, range.is_private, "{}", range.network);
    }
    for network in ["10.1.2.0/24", "127.0.0.1/32", "fd00:1::/32", "::1/128"] {
        assert!(Policy::public().allow(network.parse().unwrap()).is_ok(), "{network}");
    }
    // Too wide, public, or nobody's.
    for network in
        ["0.0.0.0/0", "::/0", "8.0.0.0/6", "1.1.1.1/32", "168.63.129.16/32", "169.254.169.254/32", "f000::/4"]
    {
        assert!(Policy::public().allow(network.parse().unwrap()).is_err(), "{network}");
    }
}

#[tokio::test]
async fn plain_http_goes_to_named_private_hosts_only() {
    let scene = in_clear(|_| {}).await;
    scene.names.say("git.internal", &[ip("10.0.0.5")]);
    scene.names.say("wiki.internal", &[ip("10.0.0.6")]);
    scene.names.say("mixed.internal", &[ip("10.0.0.5"), ip("1.1.1.1")]);
    let named = ["git.internal", "mixed.internal", "10.0.0.7", "1.1.1.1"];
    let hosts: BTreeSet<_> = named.map(|host| host.parse().unwrap()).into();
    let https_only = Policy::public().allow("10.0.0.0/8".parse().unwrap()).unwrap();
    let policy = https_only.clone().with_clear(Clear::Hosts(hosts.clone()));
    for (url, expected) in [
        ("http://git.internal/", "ok"),
        ("http://GIT.internal.:8080/", "ok"),
        ("http://10.0.0.7/", "ok"),
        ("http://[::ffff:10.0.0.7]/", "ok"),
        ("http://wiki.internal/", "clear_text"),
        ("http://10.0.0.8/", "clear_text"),
        ("http://mixed.internal/", "clear_text"),
        ("http://1.1.1.1/", "clear_text"),
    ] {
        assert_eq!(code(scene.call(url, &policy).await), expected, "{url}");
        assert_ne!(code(scene.call(url, &https_only).await), "ok", "{url}");
        // The name alone does not do: its network must be allowed.
        let unallowed = Policy::public().with_clear(Clear::Hosts(hosts.clone()));
        assert_ne!(code(scene.call(url, &unallowed).await), "ok", "{url}");
    }
    assert_eq!(scene.detour.dialled().len(), 4);
}

#[tokio::test]
async fn what_the_operator_denies_no_policy_allows() {
    let networks = ["10.9.0.0/16", "2600:beef::/32", "93.184.0.0/16", "203.0.113.7/32"];
    let denied = networks.map(|network| network.parse().unwrap()).to_vec();
    let scene = in_clear(|settings| settings.denied = denied).await;
    scene.names.say("a.internal", &[ip("10.8.0.1"), ip("10.9.0.1")]);
    scene.names.say("b.internal", &[ip("10.8.0.1"), ip("10.8.0.2")]);
    for (url, expected) in [
        ("http://10.9.0.1/", "address_denied"),
        ("http://[::ffff:10.9.0.1]/", "address_denied"),
        ("http://[64:ff9b::10.9.0.1]/", "address_denied"),
        ("http://a.internal/", "address_denied"),
        ("http://203.0.113.7/", "address_denied"),
        ("https://93.184.216.34/", "address_denied"),
        ("https://[64:ff9b::93.184.216.34]/", "address_denied"),
        ("https://[2600:beef::1]/", "address_denied"),
        ("http://10.8.0.1/", "ok"),
        ("http://b.internal/", "ok"),
        ("http://203.0.113.8/", "ok"),
    ] {
        assert_eq!(code(scene.call(url, &Policy::private_too()).await), expected, "{url}");
    }
    assert_eq!(scene.detour.dialled().len(), 3);
}

#[test]
fn what_needs_no_lookup_is_refused_ahead_of_time() {
    let check = |url: &str, policy: &Policy| {
        policy.check(&origin(url)).map_or_else(|refusal| refusal.code(), |()| "ok")
    };
    let (public, private) = (Policy::public(), Policy::private_too());
    for (url, in_public, in_private) in [
        ("https://1.1.1.1/", "ok", "ok"),
        ("https://unknown.example/", "ok", "ok"),
        ("http://unknown.example/", "clear_text", "ok"),
        ("http://1.1.1.1/", "clear_text", "clear_text"),
        ("https://10.0.0.1/", "address_not_public", "ok"),
        ("http://10.0.0.1/", "clear_text", "ok"),
        ("https://169.254.169.254/", "address_metadata", "address_metadata"),
    ] {
        assert_eq!((check(url, &public), check(url, &private)), (in_public, in_private), "{url}");
    }
}

#[tokio::test]
async fn a_refusal_says_which_kind_of_place_and_not_which_address() {
    let scene = in_clear(|_| {}).await;
    scene.names.say("hidden.internal", &[ip("10.77.66.55")]);
    let origin = origin("https://hidden.internal/");
    let refused = scene.egress.connect(&origin, &Policy::public()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the host has an address that may not be called: private use (10.0.0.0/8)"
    );
    assert!(!format!("{refused:?}").contains("66.55"), "{refused:?}");
}
