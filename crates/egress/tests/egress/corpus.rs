//! Every special address, in every way to write it or to hide it behind a name: none is connected to, and beside each
//! stands what differs only in being public, or allowed, which is.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use claviger_egress::{Clear, Host, Policy, Settings, Target};

use crate::forms::{self, Form};
use crate::network::{Authority, Scene, Upstream, ip};
use crate::ranges::{self, Range};

/// One attempt.
struct Case {
    technique: String,
    call: Call,
    code: &'static str,
    /// What is connected to.
    control: Call,
    /// The network that, once it is allowed, lets the attempt itself through.
    allowing: Option<&'static str>,
}

/// What is called, and what its name leads to.
struct Call {
    host: String,
    answer: Vec<IpAddr>,
}

impl Call {
    fn literal(host: String) -> Self {
        Self { host, answer: Vec::new() }
    }
}

const METADATA: &str = "address_metadata";
const RANGE: &str = "address_not_public";

/// All attempts on one address; beside it, a public one, and the network that makes it callable.
fn attempts(
    special: IpAddr,
    public: IpAddr,
    code: &'static str,
    allowing: Option<&'static str>,
) -> Vec<Case> {
    match (special, public) {
        (IpAddr::V4(a), IpAddr::V4(b)) => written(forms::V4, a, b, code, allowing),
        (IpAddr::V6(a), IpAddr::V6(b)) => written(forms::V6, a, b, code, allowing),
        _ => panic!("{special} and {public} are of one family"),
    }
    .into_iter()
    .chain(named(special, public, code, allowing))
    .collect()
}

fn written<A: Copy>(
    forms: &[Form<A>],
    special: A,
    public: A,
    code: &'static str,
    allowing: Option<&'static str>,
) -> Vec<Case> {
    let attempt = |form: &Form<A>| Case {
        technique: form.technique.to_owned(),
        call: Call::literal((form.write)(special)),
        code: form.code.unwrap_or(code),
        // Where the form itself is wrong, the control is the same kind of address without it.
        control: Call::literal(match form.code {
            None => (form.write)(public),
            Some(_) => (forms[0].write)(public),
        }),
        allowing: allowing.filter(|_| form.code.is_none()),
    };
    forms.iter().map(attempt).collect()
}

/// Behind a name: alone, before and after public addresses, and translated.
fn named(special: IpAddr, public: IpAddr, code: &'static str, allowing: Option<&'static str>) -> Vec<Case> {
    let (other, more) = (ip("8.8.4.4"), ip("2606:4700:4700::1001"));
    let case = |technique: &str, answer: Vec<IpAddr>, control: Vec<IpAddr>, code| Case {
        technique: format!("name, {technique}"),
        call: Call { host: String::new(), answer },
        code,
        control: Call { host: String::new(), answer: control },
        allowing: allowing.filter(|_| technique != "6to4"),
    };
    let mut cases = vec![
        case("alone", vec![special], vec![public], code),
        case("after public ones", vec![other, more, special], vec![other, more, public], code),
        case("before public ones", vec![special, more, other], vec![public, more, other], code),
        case(
            "the ninth",
            [&[other; 8][..], &[special]].concat(),
            [&[other; 8][..], &[public]].concat(),
            code,
        ),
    ];
    if let (IpAddr::V4(special), IpAddr::V4(public)) = (special, public) {
        let mapped = |a: Ipv4Addr| vec![a.to_ipv6_mapped().into()];
        let nat64 = |a: Ipv4Addr| vec![ip(&format!("64:ff9b::{a}"))];
        let [a, b, c, d] = special.octets().map(u16::from);
        let six_to_four = ip(&format!("2002:{:x}:{:x}::", a << 8 | b, c << 8 | d));
        cases.push(case("IPv4-mapped", mapped(special), mapped(public), code));
        cases.push(case("NAT64", nat64(special), nat64(public), code));
        cases.push(case("6to4", vec![six_to_four], vec![public.into()], RANGE));
    }
    cases
}

fn corpus() -> Vec<Case> {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    for (special, public) in ranges::METADATA {
        seen.insert(ip(special));
        cases.extend(attempts(ip(special), ip(public), METADATA, None));
    }
    for Range { network, addresses, public: [below, above], is_private } in
        ranges::V4.iter().chain(ranges::V6)
    {
        for (special, public) in addresses.iter().zip([below, above, above]) {
            if seen.insert(ip(special)) {
                let allowing = is_private.then_some(*network);
                cases.extend(attempts(ip(special), ip(public), RANGE, allowing));
            }
        }
    }
    // Names for those that are behind one, where they do not say which.
    for (number, case) in cases.iter_mut().enumerate() {
        for (call, prefix) in [(&mut case.call, "a"), (&mut case.control, "c")] {
            if call.host.is_empty() {
                call.host = format!("{prefix}{number}.corpus.example");
            }
        }
    }
    cases
}

/// A scene in which every host that a control or an allowed attempt calls has a certificate.
async fn scene(cases: &[Case]) -> Scene {
    let mut hosts = BTreeSet::from(["*.corpus.example".to_owned()]);
    let allowed = cases.iter().filter(|case| case.allowing.is_some()).map(|case| &case.call);
    for call in cases.iter().map(|case| &case.control).chain(allowed) {
        let host: Host = call.host.parse().unwrap_or_else(|error| panic!("{}: {error}", call.host));
        hosts.extend(host.address().map(|address| address.to_string()));
    }
    let authority = Authority::new();
    let acceptor = authority.acceptor(hosts.iter().map(String::as_str));
    let scene = Scene::new(Upstream::start(Some(acceptor)).await, Settings::new(authority.roots()));
    for call in cases.iter().flat_map(|case| [&case.call, &case.control]) {
        if !call.answer.is_empty() {
            scene.names.say(&call.host, &call.answer);
        }
    }
    scene
}

fn url(call: &Call) -> String {
    format!("https://{}/latest/meta-data/", call.host)
}

/// The first address that a call leads to.
fn first(call: &Call) -> IpAddr {
    let literal = || url(call).parse::<Target>().unwrap().origin().host().address().unwrap();
    call.answer.first().copied().unwrap_or_else(literal).to_canonical()
}

/// What the dialler saw and the upstream got; both forget it.
struct Counter(usize);

impl Counter {
    fn check_connected(&mut self, scene: &Scene, call: &Call) {
        self.0 += 1;
        let dialled: Vec<_> = scene.detour.dialled().iter().map(|address| address.ip()).collect();
        assert_eq!(dialled, [first(call)], "{}", call.host);
        assert_eq!(scene.upstream.accepted(), self.0, "{}", call.host);
    }

    fn check_nothing(&self, scene: &Scene, what: &str) {
        assert_eq!(scene.detour.dialled(), [], "{what}");
        assert_eq!(scene.upstream.accepted(), self.0, "{what}");
    }
}

#[tokio::test]
async fn no_special_address_is_connected_to() {
    let cases = corpus();
    let distinct: BTreeSet<_> = cases.iter().map(|case| (&case.call.host, &case.call.answer)).collect();
    let techniques: BTreeSet<_> = cases.iter().map(|case| &case.technique).collect();
    println!("{} attempts, {} distinct, by {} techniques", cases.len(), distinct.len(), techniques.len());
    assert!(distinct.len() >= 500 && techniques.len() >= 40);
    let scene = scene(&cases).await;
    let mut counter = Counter(0);
    for case in &cases {
        let what = format!("{}: {} {:?}", case.technique, case.call.host, case.call.answer);
        let refused = scene.call(&url(&case.call), &Policy::public()).await;
        let (code, _) = refused.expect_err(&what);
        assert_eq!(code, case.code, "{what}");
        // Not under the widest policy either, unless it is a private network.
        if case.allowing.is_none() {
            let refused = scene.call(&url(&case.call), &Policy::private_too()).await;
            assert_eq!(refused.expect_err(&what).0, case.code, "{what}");
        }
        counter.check_nothing(&scene, &what);

        let control = scene.call(&url(&case.control), &Policy::public()).await;
        control.unwrap_or_else(|error| panic!("control of {what}: {} {error:?}", case.control.host));
        counter.check_connected(&scene, &case.control);
    }
}

#[tokio::test]
async fn what_is_allowed_is_connected_to_and_nothing_beside_it() {
    let cases: Vec<_> = corpus().into_iter().filter(|case| case.allowing.is_some()).collect();
    let scene = scene(&cases).await;
    let mut counter = Counter(0);
    for case in &cases {
        let what = format!("{}: {} {:?}", case.technique, case.call.host, case.call.answer);
        let network = case.allowing.unwrap().parse().unwrap();
        for policy in [Policy::public().allow(network).unwrap(), Policy::private_too()] {
            let connected = scene.call(&url(&case.call), &policy).await;
            connected.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            counter.check_connected(&scene, &case.call);
        }
        let other = if network.contains(ip("10.0.0.0")) { "192.168.0.0/16" } else { "10.0.0.0/8" };
        let policy = Policy::public().allow(other.parse().unwrap()).unwrap();
        assert_eq!(scene.call(&url(&case.call), &policy).await.expect_err(&what).0, RANGE, "{what}");
        counter.check_nothing(&scene, &what);
    }
    assert!(counter.0 >= 500, "{}", counter.0);
}

#[tokio::test]
async fn nothing_goes_out_in_clear_by_itself() {
    let cases = corpus();
    let scene = scene(&cases).await;
    let counter = Counter(0);
    for case in &cases {
        for call in [&case.call, &case.control] {
            let url = url(call).replace("https:", "http:");
            scene.call(&url, &Policy::public()).await.expect_err(&url);
            // To what is public, not even where private hosts may be called so.
            if std::ptr::eq(call, &case.control) {
                let policy = Policy::private_too().with_clear(Clear::Private);
                assert_eq!(scene.call(&url, &policy).await.expect_err(&url).0, "clear_text", "{url}");
            }
            counter.check_nothing(&scene, &url);
        }
    }
}
