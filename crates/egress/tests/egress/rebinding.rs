//! Name servers that change their mind, names that stand for others, and names that do not answer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;
use std::time::Duration;

use claviger_egress::{Dialer, Egress, Policy, Resolver, Roots, Settings, Soon, SystemDialer, Target};
use tokio::net::TcpStream;

use crate::network::{Detour, Names, Scene, Upstream, ip};

const PRIVATE: [&str; 12] = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "0.0.0.0",
    "192.168.1.1",
    "::1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
];

#[tokio::test]
async fn what_was_checked_is_what_is_connected_to() {
    let scene = Scene::trusted(["rebind.example"]).await;
    let public = ip("93.184.216.34");
    for private in PRIVATE.map(ip) {
        // Public when it is first asked, private ever after: whoever asks again to connect ends inside.
        scene.names.say_in_turn("rebind.example", &[&[public], &[private]]);
        let asked = scene.names.asked();
        let connected = scene.call("https://rebind.example/", &Policy::public()).await.unwrap();
        assert_eq!(connected.address().ip(), public);
        assert_eq!(scene.names.asked(), asked + 1, "one question for one connection");
        assert_eq!(scene.detour.dialled(), [(public, 443).into()]);

        let (code, _) = scene.call("https://rebind.example/", &Policy::public()).await.unwrap_err();
        assert!(matches!(code, "address_not_public" | "address_metadata"), "{private}: {code}");
        assert_eq!(scene.detour.dialled(), []);

        // The other way round, nothing is remembered either.
        scene.names.say_in_turn("rebind.example", &[&[private], &[public]]);
        scene.call("https://rebind.example/", &Policy::public()).await.unwrap_err();
        scene.call("https://rebind.example/", &Policy::public()).await.unwrap();
        assert_eq!(scene.detour.dialled(), [(public, 443).into()]);
    }
    assert_eq!(scene.upstream.accepted(), 2 * PRIVATE.len());
}

#[tokio::test]
async fn an_alias_is_what_it_leads_to() {
    let scene = Scene::trusted(["*.alias.example"]).await;
    scene.names.say("public.example", &[ip("93.184.216.34")]);
    scene.names.say_alias("control.alias.example", "public.example");
    scene.names.say_alias("again.alias.example", "control.alias.example");
    for (number, private) in PRIVATE.into_iter().enumerate() {
        scene.names.say("inside.example", &[ip(private)]);
        let name = format!("n{number}.alias.example");
        scene.names.say_alias("step.example", "inside.example");
        scene.names.say_alias(&name, "step.example");
        scene.call(&format!("https://{name}/"), &Policy::public()).await.expect_err(private);
        assert_eq!(scene.detour.dialled(), []);
    }
    for control in ["https://control.alias.example/", "https://again.alias.example/"] {
        scene.call(control, &Policy::public()).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_may_be_written_in_any_way_and_is_asked_for_in_one() {
    // Names that lead inside in the real world, as their name servers answer.
    let scene = Scene::trusted(["control.example"]).await;
    scene.names.say("control.example", &[ip("93.184.216.34")]);
    for (name, address) in [
        ("localhost", "127.0.0.1"),
        ("ip6-localhost", "::1"),
        ("app.localhost", "127.0.0.1"),
        ("localhost.localdomain", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
        ("metadata.goog", "169.254.169.254"),
        ("instance-data.ec2.internal", "169.254.169.254"),
        ("metadata.tencentyun.com", "169.254.0.23"),
        ("host.docker.internal", "172.17.0.1"),
        ("kubernetes.default.svc", "10.96.0.1"),
        ("127.0.0.1.nip.io", "127.0.0.1"),
        ("169-254-169-254.nip.io", "169.254.169.254"),
        ("0x7f000001.nip.io", "127.0.0.1"),
        ("router.local", "192.168.0.1"),
        ("xn--lcalhost-55a.example", "127.0.0.1"),
    ] {
        scene.names.say(name, &[ip(address)]);
        let fullwidth: String =
            name.chars()
                .map(|c| {
                    if c.is_ascii_lowercase() { char::from_u32(c as u32 - 0x61 + 0xff41).unwrap() } else { c }
                })
                .collect();
        let ideographic = name.replace('.', "。");
        for form in [name.to_owned(), name.to_uppercase(), format!("{name}."), ideographic, fullwidth] {
            // A-labels have no other script.
            if form.starts_with("ｘｎ--") {
                continue;
            }
            let (code, why) = scene.call(&format!("https://{form}/"), &Policy::public()).await.unwrap_err();
            assert!(matches!(code, "address_not_public" | "address_metadata"), "{form}: {why}");
        }
    }
    assert_eq!(scene.detour.dialled(), []);
    for control in ["control.example", "CONTROL.example.", "ｃｏｎｔｒｏｌ。example", "contr\u{ad}ol.example"]
    {
        scene.call(&format!("https://{control}/"), &Policy::public()).await.unwrap();
        assert_eq!(scene.detour.dialled().len(), 1, "{control}");
    }
}

#[tokio::test]
async fn a_name_without_addresses_is_nowhere() {
    let scene = Scene::trusted(["a.example"]).await;
    scene.names.say("empty.example", &[]);
    for name in ["empty.example", "unknown.example"] {
        let (code, _) = scene.call(&format!("https://{name}/"), &Policy::public()).await.unwrap_err();
        assert_eq!(code, "lookup_failed");
    }
}

/// A name server that does not answer.
struct Silence;

impl Resolver for Silence {
    fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        loop {
            std::thread::park();
        }
    }
}

fn settings(connect_timeout: Duration) -> Settings {
    Settings { connect_timeout, ..Settings::new(Roots::none()) }
}

#[tokio::test(start_paused = true)]
async fn looking_up_takes_no_longer_than_connecting_may() {
    let egress = Egress::over(settings(Duration::from_secs(10)), Silence, SystemDialer).unwrap();
    let began = tokio::time::Instant::now();
    let target: Target = "https://a.example/".parse().unwrap();
    let error = egress.connect(target.origin(), &Policy::public()).await.unwrap_err();
    assert_eq!((error.code(), began.elapsed().as_secs()), ("connect_timeout", 10));
}

#[tokio::test]
async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
    let upstream = Upstream::start(None).await;
    let (names, mut detour) = (Names::default(), Detour::to(&upstream));
    let (silent, second) = (ip("10.0.0.1"), ip("10.0.0.2"));
    detour.silent.insert(silent);
    names.say("a.example", &[silent, second]);
    names.say("b.example", &[silent]);
    let egress = Egress::over(settings(Duration::from_secs(2)), names, detour.clone()).unwrap();
    let connect = async |url: &str| {
        let target: Target = url.parse().unwrap();
        egress.connect(target.origin(), &Policy::private_too()).await
    };
    assert_eq!(connect("http://a.example/").await.unwrap().address().ip(), second);
    assert_eq!(connect("http://b.example/").await.unwrap_err().code(), "connect_timeout");
    assert_eq!(detour.dialled().len(), 3);
}

/// A network on which time only passes from the first connection on: before that a thread of its own looks a name up,
/// which a clock that runs ahead where nothing happens does not wait for.
struct Timeless(Detour);

impl Dialer for Timeless {
    fn dial(&self, address: SocketAddr) -> Soon<'_, io::Result<TcpStream>> {
        static PAUSED: Once = Once::new();
        PAUSED.call_once(tokio::time::pause);
        self.0.dial(address)
    }
}

#[tokio::test]
async fn no_more_than_eight_addresses_are_tried() {
    let gone = Upstream::start(None).await;
    let mut detour = Detour::to(&gone);
    let names = Names::default();
    let addresses: Vec<_> = (1..=20).map(|last| ip(&format!("10.0.0.{last}"))).collect();
    detour.silent.extend(addresses.iter().copied());
    names.say("a.example", &addresses);
    let egress = Egress::over(settings(Duration::from_secs(10)), names, Timeless(detour.clone())).unwrap();
    let target: Target = "http://a.example/".parse().unwrap();
    egress.connect(target.origin(), &Policy::private_too()).await.unwrap_err();
    assert_eq!(detour.dialled().len(), 8);
}
