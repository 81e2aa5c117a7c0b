//! Without a guard something leaks: the attempts would notice.

use std::collections::BTreeMap;
use std::sync::Arc;

use claviger_broker::Options;
use claviger_broker::{Faults, Guard};
use serde_json::json;

use super::{Call, Case, Kind, Suite, all};
use crate::broker::Scene;
use crate::broker::exchanges::principal;
use crate::support::third_party::Reply;
use crate::support::{Keys, Setup, TestDatabase, connections};

/// The guards, with the techniques that each alone stands against.
const GUARDS: [(Guard, &[&str]); 11] = [
    (Guard::Host, &["Claviger-Host, another", "Claviger-Host, below a thief's"]),
    (Guard::Address, &["a name with a private address", "rebinding, private at once"]),
    (
        Guard::Path,
        &[
            "encoded dots",
            "dots encoded twice",
            "encoded slashes",
            "empty segments",
            "path parameters",
            "dots before an escaped query",
            "dots of another width",
            "slashes of another width",
        ],
    ),
    (Guard::HeaderStrip, &["header that names a host", "cookies", "Range", "the injected header"]),
    (Guard::QueryStrip, &["parameters that are the connection's"]),
    (Guard::Redirect, &["redirect"]),
    (Guard::Redaction, &["an echo"]),
    (Guard::AnswerStrip, &["answers that speak for us"]),
    (Guard::Template, &["template in a header"]),
    (Guard::Binding, &["an integration token of another integration"]),
    (Guard::Restriction, &["a caller whom the restriction keeps out"]),
];

/// A third party that answers with what it was sent.
fn echo() -> Case {
    let mut case = Case::new("an echo", "", Kind::Header, Call::plain(Kind::Header));
    case.answer = Some(|| {
        Reply::with("200 OK", "x-echo: glpat-canary-7Qx2hK91\r\n", "{\"token\":\"glpat-canary-7Qx2hK91\"}")
    });
    case
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_guard_is_missed() {
    let faults = Faults::default();
    let options = Options { faults: faults.clone(), ..Options::default() };
    let aws = Some(Arc::new(principal()));
    let setup = Setup { broker: options, aws, ..Setup::default() };
    let scene = Scene::start_with(TestDatabase::sqlite(), setup).await;
    let suite = Suite::new(&scene).await;
    let mut cases = all();
    cases.push(echo());
    let mut unmissed = Vec::new();
    for (guard, techniques) in GUARDS {
        let against: Vec<_> = cases.iter().filter(|case| techniques.contains(&case.technique)).collect();
        for technique in techniques {
            assert!(against.iter().any(|case| case.technique == *technique), "{technique}");
        }
        for case in &against {
            assert_eq!(suite.attempt(case).await, Vec::<String>::new(), "with all guards");
        }
        faults.switch_off(guard);
        let mut leaks: BTreeMap<_, usize> = techniques.iter().map(|technique| (*technique, 0)).collect();
        for case in &against {
            *leaks.entry(case.technique).or_default() += usize::from(!suite.attempt(case).await.is_empty());
        }
        faults.switch_on();
        println!("without {guard:?}, of {}: {leaks:?}", against.len());
        let without = |(technique, leaks): (&'static str, usize)| (leaks == 0).then_some((guard, technique));
        unmissed.extend(leaks.into_iter().filter_map(without));
    }
    assert!(unmissed.is_empty(), "nothing leaks without the guard: {unmissed:?}");
    scene.server.stop().await;
}

/// An org that may reach a private place opened a connection there; another org calls the same host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orgs_open_connections_are_its_own() {
    let faults = Faults::default();
    let options = Options { faults: faults.clone(), ..Options::default() };
    let setup = Setup { broker: options, ..Setup::default() };
    let scene = Scene::start_with(TestDatabase::sqlite(), setup).await;
    scene.world.name("git.house", &["10.1.2.3"]);
    let other = scene.server.client_with(Keys::of(&scene.server.found_another("Other").await));
    let connection = connections::http("https://git.house", "canary-7Qx2-value");
    let own = scene.connection(&connection).await;
    let theirs = connections::made(&other, &connection).await;
    let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
    scene.admin.patch(&org, &json!({ "private_reach": ["10.1.0.0/16"] })).await.expect(200);
    for (is_shared, status) in [(false, 403), (true, 200)] {
        if is_shared {
            faults.switch_off(Guard::Pool);
        }
        scene.admin.get(&format!("/broker/{own}/x")).await.expect(200);
        let answer = other.get(&format!("/broker/{theirs}/x")).await.expect(status);
        assert_eq!(answer.header("claviger-error"), if is_shared { "" } else { "address_not_public" });
        // The first org's own place is open to it, and stays so.
        scene.admin.get(&format!("/broker/{own}/x")).await.expect(200);
    }
    scene.server.stop().await;
}

/// A name that is looked up again to be dialled, and a call in clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_guard_of_the_way_out_is_missed() {
    let scene = Scene::start(TestDatabase::sqlite()).await;
    let suite = Suite::new(&scene).await;
    let rebinding: Vec<_> =
        all().into_iter().filter(|case| case.technique == "rebinding, private later").collect();
    for case in &rebinding {
        assert_eq!(suite.attempt(case).await, Vec::<String>::new(), "with all guards");
        // Public when it is checked: each has a host of its own, since open connections ask no name server.
        let [(name, answers)] = &case.names[..] else { panic!("{} has one name", case.technique) };
        let name: &'static str = format!("again-{name}").leak();
        let attempt = Call::plain(Kind::Wild).line(format!("Claviger-Host: {name}"));
        let mut again = Case::new(case.technique, name, Kind::Wild, attempt);
        again.names = vec![(name, answers.clone())];
        scene.world.faults().switch_off(claviger_egress::Guard::Resolution);
        let leaks = suite.attempt(&again).await;
        scene.world.faults().switch_on();
        assert!(leaks.iter().any(|leak| leak.contains("was called")), "{name}: {leaks:?}");
    }
    let in_clear =
        scene.connection(&connections::http("http://hooks.example.com", "canary-7Qx2-value")).await;
    for (is_switched_off, status) in [(false, 403), (true, 200)] {
        if is_switched_off {
            scene.world.faults().switch_off(claviger_egress::Guard::Clear);
        }
        scene.admin.get(&format!("/broker/{in_clear}/x")).await.expect(status);
        let seen = scene.world.take_seen();
        assert_eq!(
            seen.iter()
                .filter(|seen| seen.name.is_empty() && seen.head.contains("canary-7Qx2-value"))
                .count(),
            usize::from(is_switched_off)
        );
    }
    scene.server.stop().await;
}
