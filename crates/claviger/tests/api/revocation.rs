//! Revoked is revoked: no verification that starts after the answer to a revocation says yes.
//!
//! Connections verify a few credentials as fast as they can, several requests at a time, while these credentials are
//! revoked, deleted or narrowed one after the other. Whether a verification started after the answer arrived is
//! known for certain: it is looked at before the request's first byte is sent.
//!
//! `CLAVIGER_TEST_REVOCATIONS=1000 cargo xtask postgres -- cargo test -p claviger --test api revocation -- --nocapture`
//! makes a million verifications around a thousand revocations on each engine; without the variable it is a fifth
//! of that. How many there were of each kind, and how many overlapped the revocation, is printed.

mod kinds;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use http::Method;
use kinds::{KINDS, Kind, Loss, OWN_PERMISSION, prepare};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::people::People;
use crate::support::{Client, Setup, TestDatabase, TestServer, with_either_database};

/// How many revocations a run makes.
const REVOCATIONS: &str = "CLAVIGER_TEST_REVOCATIONS";
/// Verifications of each credential, before and after together.
const VERIFICATIONS_EACH: u64 = 1_000;
/// At least so many must say yes before, and no after.
const CERTAIN_EACH: u64 = 20;
/// Credentials that are revoked at the same time.
const SLOTS: usize = 4;
const CONNECTIONS: usize = 6;
/// Requests sent on a connection before its first answer is read.
const PIPELINED: usize = 12;
const PATIENCE: Duration = Duration::from_secs(60);

/// A credential that is being verified, and where its revocation stands.
struct Target {
    kind: Kind,
    /// The verification, ready to be sent.
    request: Vec<u8>,
    is_begun: AtomicBool,
    is_answered: AtomicBool,
    valid: AtomicU64,
    refused_after: AtomicU64,
    total: AtomicU64,
    overlapped: AtomicU64,
    /// Said yes to what started after the answer to the revocation.
    violations: AtomicU64,
    /// Said no to what started after the answer to the making, and before the revocation began.
    not_yet_known: AtomicU64,
    progress: Notify,
}

impl Target {
    fn new(kind: Kind, path: &str, headers: &str) -> Arc<Self> {
        Arc::new(Self {
            kind,
            request: format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n").into_bytes(),
            is_begun: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            valid: AtomicU64::new(0),
            refused_after: AtomicU64::new(0),
            total: AtomicU64::new(0),
            overlapped: AtomicU64::new(0),
            violations: AtomicU64::new(0),
            not_yet_known: AtomicU64::new(0),
            progress: Notify::new(),
        })
    }

    fn count(&self, is_after: bool, status: u16) {
        self.total.fetch_add(1, SeqCst);
        match (status, is_after) {
            (200, true) => drop(self.violations.fetch_add(1, SeqCst)),
            (200, false) => drop(self.valid.fetch_add(1, SeqCst)),
            (401 | 403, true) => drop(self.refused_after.fetch_add(1, SeqCst)),
            (401 | 403, false) if self.is_begun.load(SeqCst) => {}
            (401 | 403, false) => drop(self.not_yet_known.fetch_add(1, SeqCst)),
            _ => panic!("{:?}: a verification was answered with {status}", self.kind),
        }
        if !is_after && self.is_begun.load(SeqCst) {
            self.overlapped.fetch_add(1, SeqCst);
        }
        self.progress.notify_one();
    }

    async fn until(&self, is_reached: impl Fn(&Self) -> bool) {
        let reached = async {
            while !is_reached(self) {
                self.progress.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("the verifications go on");
    }
}

/// What is verified at the moment.
type Board = Arc<Vec<RwLock<Option<Arc<Target>>>>>;

async fn verify(address: SocketAddr, board: Board, is_over: Arc<AtomicBool>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    while !is_over.load(SeqCst) {
        let targets: Vec<_> = board.iter().filter_map(|slot| slot.read().unwrap().clone()).collect();
        if targets.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let asked: Vec<_> = targets
            .iter()
            .cycle()
            .take(PIPELINED)
            .map(|target| (target, target.is_answered.load(SeqCst)))
            .collect();
        sent.clear();
        asked.iter().for_each(|(target, _)| sent.extend_from_slice(&target.request));
        stream.write_all(&sent).await.unwrap();
        for (target, is_after) in asked {
            target.count(is_after, status(&mut stream, &mut received).await);
        }
    }
}

/// The status of the next answer, which is taken from what was received.
async fn status(stream: &mut TcpStream, received: &mut Vec<u8>) -> u16 {
    loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&received[..end]).unwrap();
            let length = head.split_once("content-length: ").unwrap().1;
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            let status = head[9..12].parse().unwrap();
            if received.len() >= end + 4 + length {
                received.drain(..end + 4 + length);
                return status;
            }
        }
        assert_ne!(stream.read_buf(received).await.unwrap(), 0, "the server ended a connection");
    }
}

/// Makes a credential, has it verified, revokes it, and has it verified again.
async fn revoke(
    admin: &Client,
    people: &People,
    kind: Kind,
    slot: &RwLock<Option<Arc<Target>>>,
    plan: Plan,
) -> Arc<Target> {
    let Loss { target, method, path, body } = prepare(admin, people, kind).await;
    *slot.write().unwrap() = Some(target.clone());
    target.until(|target| target.valid.load(SeqCst) >= CERTAIN_EACH).await;
    target.is_begun.store(true, SeqCst);
    let answer = admin.send(method, &path, &[], body.map(|body| body.to_string())).await;
    assert!(answer.status.is_success(), "{kind:?}: {}", answer.text);
    target.is_answered.store(true, SeqCst);
    let is_enough = |target: &Target| {
        let (refused, total) = (target.refused_after.load(SeqCst), target.total.load(SeqCst));
        (refused >= CERTAIN_EACH && total >= plan.verifications_each) || target.violations.load(SeqCst) > 0
    };
    target.until(is_enough).await;
    target
}

#[derive(Default)]
struct Tally {
    revocations: u64,
    verifications: u64,
    overlapped: u64,
    refused_after: u64,
    violations: u64,
    not_yet_known: u64,
}

type Report = BTreeMap<Kind, Tally>;

/// What a run does.
#[derive(Clone, Copy)]
struct Plan {
    revocations: usize,
    verifications_each: u64,
    ends_at_violation: bool,
}

/// Revokes credentials under verification.
async fn run(server: &TestServer, plan: Plan) -> Report {
    let own = json!({ "name": OWN_PERMISSION });
    let made = server.client().post("/claviger/v1/permissions", &own).await.expect(201);
    // Even of a server that answers first, it is known then.
    let after = [("claviger-after", made.header("claviger-position"))];
    server.client().send(Method::GET, "/claviger/v1/permissions", &after, None::<String>).await.expect(200);
    let board: Board = Arc::new((0..SLOTS).map(|_| RwLock::default()).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let verifying: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(verify(server.address, board.clone(), is_over.clone())))
        .collect();
    let next = Arc::new(AtomicU64::new(0));
    let is_violated = Arc::new(AtomicBool::new(false));
    let revoking: Vec<_> = (0..SLOTS)
        .map(|slot| {
            let (admin, board, next, is_violated) =
                (server.client(), board.clone(), next.clone(), is_violated.clone());
            let people = People::of(server);
            tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    let number = next.fetch_add(1, SeqCst) as usize;
                    if number >= plan.revocations || (plan.ends_at_violation && is_violated.load(SeqCst)) {
                        *board[slot].write().unwrap() = None;
                        return done;
                    }
                    let target =
                        revoke(&admin, &people, KINDS[number % KINDS.len()], &board[slot], plan).await;
                    is_violated.fetch_or(target.violations.load(SeqCst) > 0, SeqCst);
                    done.push(target);
                }
            })
        })
        .collect();
    let mut report = Report::new();
    let mut targets = Vec::new();
    for revoker in revoking {
        targets.extend(revoker.await.unwrap());
    }
    is_over.store(true, SeqCst);
    for verifier in verifying {
        verifier.await.unwrap();
    }
    for target in targets {
        let tally = report.entry(target.kind).or_default();
        tally.revocations += 1;
        tally.verifications += target.total.load(SeqCst);
        tally.overlapped += target.overlapped.load(SeqCst);
        tally.refused_after += target.refused_after.load(SeqCst);
        tally.violations += target.violations.load(SeqCst);
        tally.not_yet_known += target.not_yet_known.load(SeqCst);
    }
    report
}

#[allow(clippy::print_stdout, reason = "the numbers are part of what the test shows")]
fn print(report: &Report) {
    println!(
        "{:<24}{:>12}{:>15}{:>12}{:>15}{:>12}{:>15}",
        "kind", "revocations", "verifications", "overlapped", "refused after", "violations", "not yet known"
    );
    for (kind, tally) in report {
        let Tally { revocations, verifications, overlapped, refused_after, violations, not_yet_known } =
            tally;
        println!(
            "{:<24}{revocations:>12}{verifications:>15}{overlapped:>12}{refused_after:>15}{violations:>12}{not_yet_known:>15}",
            format!("{kind:?}")
        );
    }
}

with_either_database! {
    async fn no_verification_after_a_revocation_says_yes(database: TestDatabase) {
        let revocations = std::env::var(REVOCATIONS).map_or(200, |text| text.parse().expect("a number"));
        let plan = Plan { revocations, verifications_each: VERIFICATIONS_EACH, ends_at_violation: false };
        let server = TestServer::start(database).await;
        let report = run(&server, plan).await;
        print(&report);
        assert_eq!(report.len(), KINDS.len());
        for (kind, tally) in &report {
            assert_eq!(tally.violations, 0, "{kind:?}");
            assert_eq!(tally.not_yet_known, 0, "{kind:?}: a credential is good from the answer that made it on");
            assert!(tally.overlapped > 0, "{kind:?}: no verification was under way while it was revoked");
        }
        server.stop().await;
    }

    /// The test above notices a server that answers a revocation before its directory knows of it.
    async fn a_server_that_answers_first_is_found_out(database: TestDatabase) {
        let server = TestServer::start_with(database, Setup { is_answering_first: true, ..Setup::default() }).await;
        // It is a matter of luck, so that there are many tries, each with few verifications.
        let plan = Plan { revocations: 10_000, verifications_each: 100, ends_at_violation: true };
        let report = run(&server, plan).await;
        print(&report);
        assert!(report.values().any(|tally| tally.violations > 0));
        server.stop().await;
    }
}
