//! Name servers that do not answer, and how many names are looked up at once.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use claviger_egress::{ConnectError, Egress, Policy, Resolver, Roots, Settings, Target};
use claviger_model::OrgId;
use tokio::task::JoinSet;

use crate::network::{Detour, Upstream, ip};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the way out has room for.
const AT_ONCE_MAX: usize = 64;
const OF_ORG_AT_ONCE_MAX: usize = 8;
const OF_ORG_WAITING_MAX: usize = 256;

/// Name servers that answer for names that begin with `slow` once they are let, and at once for all others.
#[derive(Clone, Default)]
struct Slow(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    /// How often each was asked for.
    asked: BTreeMap<String, usize>,
    running: usize,
    most: usize,
}

impl Slow {
    fn running(&self) -> usize {
        self.0.state.lock().unwrap().running
    }

    fn most(&self) -> usize {
        self.0.state.lock().unwrap().most
    }

    fn asked(&self) -> BTreeMap<String, usize> {
        self.0.state.lock().unwrap().asked.clone()
    }

    fn open(&self) {
        self.0.state.lock().unwrap().is_open = true;
        self.0.opened.notify_all();
    }
}

impl Resolver for Slow {
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert!(!name.starts_with("panic"), "a resolver that panics");
        let mut state = self.0.state.lock().unwrap();
        *state.asked.entry(name.to_owned()).or_default() += 1;
        state.running += 1;
        state.most = state.most.max(state.running);
        if name.starts_with("slow") {
            state = self.0.opened.wait_while(state, |state| !state.is_open).unwrap();
        }
        state.running -= 1;
        Ok(vec![ip("10.0.0.1")])
    }
}

struct Scene {
    names: Slow,
    egress: Egress,
}

impl Scene {
    async fn new() -> Self {
        let names = Slow::default();
        let detour = Detour::to(&Upstream::start(None).await);
        let settings = Settings { connect_timeout: PATIENCE, ..Settings::new(Roots::none()) };
        Self { egress: Egress::over(settings, names.clone(), detour).unwrap(), names }
    }

    /// Connects to a host for an org.
    fn connect(
        &self,
        number: u128,
        host: &str,
    ) -> impl Future<Output = Result<(), ConnectError>> + Send + use<> {
        let egress = self.egress.for_org(org(number));
        let target: Target = format!("http://{host}/").parse().unwrap();
        async move { egress.connect(target.origin(), &Policy::private_too()).await.map(drop) }
    }

    /// Waits until so many names are being looked up.
    async fn running(&self, count: usize) {
        let all_there = async {
            while self.names.running() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all_there).await.expect("they are looked up");
    }
}

fn org(number: u128) -> OrgId {
    OrgId::from_uuid(uuid::Uuid::from_u128(number))
}

#[tokio::test]
async fn one_orgs_slow_names_take_its_share_and_no_other_ones() {
    let scene = Scene::new().await;
    let mut calls = JoinSet::new();
    for number in 0..OF_ORG_AT_ONCE_MAX + OF_ORG_WAITING_MAX + 100 {
        calls.spawn(scene.connect(1, &format!("slow{number}.example")));
    }
    // What is beyond its share is refused while all else waits.
    for _ in 0..100 {
        let refused = calls.join_next().await.unwrap().unwrap().unwrap_err();
        assert_eq!(refused.code(), "lookup_busy");
    }
    scene.running(OF_ORG_AT_ONCE_MAX).await;
    scene.connect(2, "fast.example").await.unwrap();
    // Its own are kept waiting by its own alone.
    assert_eq!(scene.connect(1, "fast.example").await.unwrap_err().code(), "lookup_busy");
    scene.names.open();
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(scene.names.most(), OF_ORG_AT_ONCE_MAX + 1);
    scene.connect(1, "fast.example").await.unwrap();
}

#[tokio::test]
async fn who_gives_up_frees_no_place_of_what_still_runs() {
    let scene = Scene::new().await;
    let mut calls = JoinSet::new();
    for number in 0..OF_ORG_AT_ONCE_MAX {
        calls.spawn(scene.connect(1, &format!("slow{number}.example")));
    }
    scene.running(OF_ORG_AT_ONCE_MAX).await;
    calls.shutdown().await;
    // They wait for the places, are given up, and the next have their room.
    for round in 0..3 {
        let mut waiting = Vec::new();
        for number in 0..OF_ORG_WAITING_MAX {
            let mut call = Box::pin(scene.connect(1, &format!("later{round}x{number}.example")));
            // Asked once what becomes of it, it waits.
            assert!(tokio::time::timeout(Duration::ZERO, &mut call).await.is_err(), "{round}: {number}");
            waiting.push(call);
        }
    }
    assert_eq!(scene.names.running(), OF_ORG_AT_ONCE_MAX);
    scene.names.open();
    scene.connect(1, "last.example").await.unwrap();
    let asked = scene.names.asked();
    assert!(asked.keys().all(|name| !name.starts_with("later")), "nobody waited for {asked:?}");
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_all_who_wait_for_it() {
    let scene = Scene::new().await;
    let mut calls = JoinSet::new();
    for _ in 0..500 {
        calls.spawn(scene.connect(1, "slow.example"));
    }
    // Another org's question is another one.
    calls.spawn(scene.connect(2, "slow.example"));
    scene.running(2).await;
    scene.names.open();
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(scene.names.asked()["slow.example"], 2);
    // What was answered is not kept.
    scene.connect(1, "slow.example").await.unwrap();
    assert_eq!(scene.names.asked()["slow.example"], 3);
}

#[tokio::test]
async fn all_orgs_have_their_turn_though_every_place_is_taken() {
    let scene = Scene::new().await;
    let mut calls = JoinSet::new();
    let orgs = u128::try_from(AT_ONCE_MAX / OF_ORG_AT_ONCE_MAX).unwrap();
    for number in 0..orgs {
        for name in 0..2 * OF_ORG_AT_ONCE_MAX {
            calls.spawn(scene.connect(number, &format!("slow{name}.example")));
        }
    }
    scene.running(AT_ONCE_MAX).await;
    calls.spawn(scene.connect(orgs, "slow.example"));
    scene.names.open();
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(scene.names.most(), AT_ONCE_MAX);
}

#[tokio::test]
async fn a_resolver_that_panics_takes_no_place_with_it() {
    let scene = Scene::new().await;
    for number in 0..2 * OF_ORG_AT_ONCE_MAX {
        let error = scene.connect(1, &format!("panic{number}.example")).await.unwrap_err();
        assert_eq!(error.code(), "lookup_failed");
    }
    scene.connect(1, "fast.example").await.unwrap();
}
