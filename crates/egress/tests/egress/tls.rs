//! TLS is verified against the name, by the authorities that are meant for it.

use std::num::NonZeroU16;
use std::time::Duration;

use claviger_egress::{Egress, Policy, Roots, Settings, Target, Upstream as Override};
use rcgen::{CertificateParams, date_time_ymd};
use tokio::net::TcpListener;

use crate::network::{Authority, Scene, Upstream, ip};

async fn code(scene: &Scene, url: &str) -> &'static str {
    scene.call(url, &Policy::public()).await.map_or_else(|(code, _)| code, |_| "ok")
}

#[tokio::test]
async fn a_certificate_is_for_the_name_that_was_called() {
    let scene =
        Scene::trusted(["api.example", "93.184.216.34", "2606:4700::1", "xn--bcher-kva.example"]).await;
    for name in ["api.example", "other.example", "xn--bcher-kva.example"] {
        scene.names.say(name, &[ip("93.184.216.34")]);
    }
    for (url, expected) in [
        ("https://api.example/", "ok"),
        ("https://API.example.:8443/", "ok"),
        ("https://bücher.example/", "ok"),
        ("https://93.184.216.34/", "ok"),
        ("https://[2606:4700::1]/", "ok"),
        // The address is the same, the name is not.
        ("https://other.example/", "tls_failed"),
        ("https://93.184.216.35/", "tls_failed"),
    ] {
        assert_eq!(code(&scene, url).await, expected, "{url}");
    }
}

#[tokio::test]
async fn a_stranger_signs_in_vain() {
    let (ours, stranger) = (Authority::new(), Authority::new());
    let upstream = Upstream::start(Some(stranger.acceptor(["api.example"]))).await;
    for (roots, expected) in
        [(ours.roots(), "tls_failed"), (Roots::none(), "tls_failed"), (stranger.roots(), "ok")]
    {
        let scene = Scene::new(upstream.clone(), Settings::new(roots));
        scene.names.say("api.example", &[ip("93.184.216.34")]);
        assert_eq!(code(&scene, "https://api.example/").await, expected);
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_is_none() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(["api.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    for (last_year, expected) in [(2021, "tls_failed"), (2999, "ok")] {
        params.not_after = date_time_ymd(last_year, 1, 1);
        let upstream = Upstream::start(Some(authority.acceptor_with(params.clone()))).await;
        let scene = Scene::new(upstream, Settings::new(authority.roots()));
        scene.names.say("api.example", &[ip("93.184.216.34")]);
        assert_eq!(code(&scene, "https://api.example/").await, expected);
    }
}

#[tokio::test]
async fn an_upstream_of_the_operator_has_its_own_place_and_authority() {
    let (house, world) = (Authority::new(), Authority::new());
    let inside = Upstream::start(Some(house.acceptor(["git.example", "93.184.216.34"]))).await;
    let elsewhere = |host: &str, roots| Override {
        host: host.parse().unwrap(),
        named_port: None,
        address: inside.address.ip(),
        port: NonZeroU16::new(inside.address.port()),
        roots,
    };
    let settings = |upstreams| Settings { upstreams, ..Settings::new(world.roots()) };

    // By its own authority alone; the name is not looked up, and the address is not checked.
    let scene = Scene::new(inside.clone(), settings(vec![elsewhere("git.example", Some(house.roots()))]));
    let connected = scene.call("https://Git.example./", &Policy::public()).await.unwrap();
    assert_eq!((connected.address(), scene.names.asked()), (inside.address, 0));

    // Without it, by the authorities for all, who did not sign this one.
    let scene = Scene::new(inside.clone(), settings(vec![elsewhere("git.example", None)]));
    assert_eq!(code(&scene, "https://git.example/").await, "tls_failed");

    // The authorities for all are none for it, and its own is none for others.
    let outside = Upstream::start(Some(world.acceptor(["git.example"]))).await;
    let scene = Scene::new(outside, settings(vec![elsewhere("git.example", Some(house.roots()))]));
    assert_eq!(code(&scene, "https://git.example/").await, "tls_failed");
    let scene = Scene::new(inside.clone(), settings(vec![elsewhere("other.example", Some(house.roots()))]));
    scene.names.say("git.example", &[ip("93.184.216.34")]);
    assert_eq!(code(&scene, "https://git.example/").await, "tls_failed");
    // Nor do they open the way for another name to the same address.
    assert_eq!(code(&scene, &format!("https://{}/", inside.address)).await, "address_not_public");

    // In clear, it needs a policy that allows so, like everybody.
    assert_eq!(code(&scene, "http://other.example/").await, "clear_text");

    let twice = vec![elsewhere("git.example", None), elsewhere("GIT.example.", None)];
    assert!(Egress::new(settings(twice)).is_err());
}

#[tokio::test]
async fn an_upstream_is_of_one_port_that_callers_name() {
    let upstream = Upstream::start(None).await;
    let place = |named: u16, address: &str, port: u16| Override {
        host: "git.example".parse().unwrap(),
        named_port: NonZeroU16::new(named),
        address: ip(address),
        port: NonZeroU16::new(port),
        roots: None,
    };
    let upstreams = vec![place(0, "10.0.0.9", 0), place(8081, "10.0.0.8", 0), place(8082, "10.0.0.7", 9000)];
    let scene = Scene::new(upstream, Settings { upstreams, ..Settings::new(Roots::none()) });
    scene.names.say("git.example", &[ip("93.184.216.34")]);
    for (url, dialled) in [
        ("http://git.example/", "10.0.0.9:80"),
        ("http://git.example:8081/", "10.0.0.8:8081"),
        ("http://git.example:8082/", "10.0.0.7:9000"),
    ] {
        scene.call(url, &Policy::private_too()).await.unwrap();
        assert_eq!(scene.detour.dialled(), [dialled.parse().unwrap()], "{url}");
    }
    // Whatever else listens there is out of reach: by other ports the host is where its name servers say.
    for url in ["https://git.example:22/", "https://git.example:80/", "https://git.example:9000/"] {
        scene.call(url, &Policy::private_too()).await.unwrap_err();
        let dialled = scene.detour.dialled();
        assert_eq!(dialled.iter().map(|at| at.ip()).collect::<Vec<_>>(), [ip("93.184.216.34")], "{url}");
    }
    let twice = vec![place(8081, "10.0.0.8", 0), place(8081, "10.0.0.9", 0)];
    assert!(Egress::new(Settings { upstreams: twice, ..Settings::new(Roots::none()) }).is_err());
}

#[tokio::test]
async fn a_handshake_takes_no_longer_than_connecting_may() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let settings = Settings { connect_timeout: Duration::from_millis(300), ..Settings::new(Roots::none()) };
    // Accepts, and says nothing.
    let target: Target = url.parse().unwrap();
    let egress = Egress::new(settings).unwrap();
    let error = egress.connect(target.origin(), &Policy::private_too()).await.unwrap_err();
    assert_eq!(error.code(), "connect_timeout");
}
