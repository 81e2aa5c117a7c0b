//! `claviger kek`: rotation under load, interrupted and taken up again; removal; and what cannot be rotated.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use claviger_engine::{Engine, SystemClock};
use claviger_store::Database;
use claviger_vault::{KekRing, SystemRandom, Vault};
use program::{Home, Outcome, ask, on_both_engines, until, wait};
use serde_json::{Value, json};

/// Orgs, and so keys to wrap, enough for several changes.
const ORGS: usize = 150;

fn secret(org: usize) -> String {
    format!("{org:032x}")
}

/// Imports orgs with a key each.
fn populate(home: &Home, count: usize) {
    let org = |n: usize| {
        json!({
            "name": format!("Org {n}"),
            "users": [{"email": "a@b.c", "roles": ["Datadog Admin Role"]}],
            "api_keys": [{"name": "key", "secret": secret(n)}],
            "application_keys": [{"name": "key", "owner": "a@b.c", "secret": format!("{n:040x}")}],
        })
    };
    let orgs: Vec<Value> = (0..count).map(org).collect();
    home.import(&json!({ "orgs": orgs })).succeeds();
}

/// The ids of the master keys, the one that wraps first, as the file's comments tell them.
fn ids(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(home.file("kek")).unwrap();
    let ids = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.len() == 16);
    ids.map(str::to_owned).collect()
}

fn not_wrapped_by(home: &Home, id: &str) -> i64 {
    home.number(&format!("SELECT COUNT(*) FROM vault_keys WHERE kek_id <> '{id}'"))
}

fn rotations(home: &Home) -> i64 {
    home.number("SELECT COUNT(*) FROM ledger WHERE action = 'kek.rotated'")
}

/// No secret of the file is told.
fn says_no_key(home: &Home, outcome: Outcome) -> Outcome {
    let text = fs::read_to_string(home.file("kek")).unwrap();
    for key in text.lines().filter_map(|line| line.strip_prefix("claviger-kek-1:")) {
        assert!(!outcome.stdout().contains(key) && !outcome.stderr().contains(key));
    }
    outcome
}

/// What an org's API key is shown as: it is opened for that.
fn shown(server: &program::Server, org: usize) -> bool {
    let (key, application_key) = (secret(org), format!("{org:040x}"));
    let pair = [("dd-api-key", key.as_str()), ("dd-application-key", application_key.as_str())];
    let (status, body) = server.get("/api/v1/api_key", &pair);
    status == 200 && body.contains(&key)
}

on_both_engines! {
    fn a_server_under_load_is_rotated_without_a_refusal(home: &Home) {
        populate(home, ORGS);
        let old = ids(home);
        let server = home.serve();
        let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
        let address = server.address;
        let outcome = std::thread::scope(|scope| {
            for thread in 0..2 {
                let (stop, asked) = (&stop, &asked);
                scope.spawn(move || {
                    for org in (thread..ORGS).cycle() {
                        let (key, other) = (secret(org), format!("{org:040x}"));
                        let pair = [("dd-api-key", key.as_str()), ("dd-application-key", other.as_str())];
                        let (status, body) = ask(address, "GET", "/api/v1/api_key", &pair).unwrap();
                        assert_eq!(status, 200, "{body}");
                        assert!(body.contains(&key));
                        asked.fetch_add(1, Ordering::Relaxed);
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                });
            }
            let count = || asked.load(Ordering::Relaxed);
            until("requests are answered", || count() >= 2);
            let before = count();
            let outcome = says_no_key(home, home.run(&["kek", "rotate"]));
            assert!(count() > before, "no request overlapped the rotation");
            stop.store(true, Ordering::Relaxed);
            outcome
        });
        let outcome = outcome.succeeds();
        let now = ids(home);
        assert_eq!(now.len(), 2);
        assert_eq!(now[1], old[0]);
        assert!(outcome.stdout().contains(&format!("claviger kek remove {}", old[0])), "{}", outcome.stdout());
        assert_eq!(fs::metadata(home.file("kek")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((not_wrapped_by(home, &now[0]), rotations(home)), (0, 1));

        // What is made now is wrapped by the new one, and a server that starts now opens everything.
        home.import(&json!({"orgs": [{"name": "Later"}]})).succeeds();
        assert_eq!(not_wrapped_by(home, &now[0]), 0);
        home.run(&["kek", "remove", &old[0]]).succeeds();
        server.stop();
        let server = home.serve();
        assert!(shown(&server, 0) && shown(&server, ORGS - 1));
        server.stop();
    }

    fn a_rotation_that_was_killed_is_completed_by_the_next(home: &Home) {
        populate(home, ORGS);
        let server = home.serve();
        let rotation = home.command(&["kek", "rotate"]).stderr(std::process::Stdio::null()).spawn();
        let mut rotation = rotation.unwrap();
        // From the first key on that is wrapped anew; the kill comes wherever the rotation is by then.
        let old = ids(home).last().unwrap().clone();
        until("the rotation has begun", || not_wrapped_by(home, &old) > 0);
        server.kill();
        rotation.wait().unwrap();
        let after = ids(home);
        assert_eq!(after.len(), 2);
        let is_complete = not_wrapped_by(home, &after[0]) == 0;

        let server = home.serve();
        assert!(shown(&server, 0) && shown(&server, ORGS - 1));
        home.run(&["kek", "rotate"]).succeeds();
        let now = ids(home);
        // One that was complete before the kill is followed by another; any other is taken up again.
        assert_eq!(now.len(), if is_complete { 3 } else { 2 });
        assert_eq!(not_wrapped_by(home, &now[0]), 0);
        assert_eq!(rotations(home), if is_complete { 2 } else { 1 });
        for id in &now[1..] {
            home.run(&["kek", "remove", id]).succeeds();
        }
        server.stop();
        home.run(&["kek", "verify"]).succeeds();
    }

    fn wherever_a_rotation_stops_the_next_completes_it(home: &Home) {
        populate(home, ORGS);
        let total = ORGS as i64 + 3;
        // Stopped after the new key was kept and before anything was wrapped by it; after one change; after two.
        for (stop, changes) in [(0, 0), (1, 1), (2, 2)] {
            let before = ids(home);
            let (new, done) = wait(rotate_partly(home, changes));
            assert_eq!(ids(home), [vec![new.clone()], before.clone()].concat());
            assert_eq!(not_wrapped_by(home, &new), total - i64::try_from(done).unwrap());
            assert_eq!(rotations(home), stop);
            let verified = home.run(&["kek", "verify"]).succeeds().stdout();
            assert!(verified.contains(&format!("{new}  opens {done} keys, and wraps new ones")), "{verified}");
            home.run(&["kek", "remove", &before[0]]).fails(&["are wrapped by", "`claviger kek rotate` first"]);
            home.run(&["kek", "rotate"]).succeeds();
            assert_eq!(ids(home)[0], new, "no further key is made");
            assert_eq!((not_wrapped_by(home, &new), rotations(home)), (0, stop + 1));
            home.run(&["kek", "remove", &before[0]]).succeeds();
            assert_eq!(ids(home), [new]);
        }
        let server = home.serve();
        assert!(shown(&server, 0) && shown(&server, ORGS - 1));
        server.stop();
    }
}

/// Does what a rotation does up to a point, and drops everything there. Tells the new master key, and how many
/// keys it wraps.
async fn rotate_partly(home: &Home, changes: usize) -> (String, usize) {
    let clock = Arc::new(SystemClock);
    let mut database = Database::open(&home.location(), &*clock).await.unwrap();
    let mut keks = KekRing::parse(&fs::read_to_string(home.file("kek")).unwrap()).unwrap();
    let keys = database.list_vault_keys().await.unwrap();
    let vault = Arc::new(Vault::unlock(keks.clone(), Arc::new(SystemRandom), keys).unwrap());
    let (store, feed) = database.start(vault.clone(), clock.clone()).await.unwrap();
    let (engine, background) = Engine::start(store, feed, vault, clock).await.unwrap();
    keks.prepend_generated(&SystemRandom);
    fs::write(home.file("kek"), keks.to_text().as_bytes()).unwrap();
    let work = engine.kek_work().await;
    work.replace(keks.clone());
    let mut done = 0;
    for _ in 0..changes {
        done += work.rewrap_some(&keks).await.unwrap();
    }
    drop(work);
    background.stop(engine).await;
    (keks.first_id().to_string(), done)
}

#[test]
fn after_its_removal_the_old_master_key_opens_nothing() {
    let home = Home::new();
    populate(&home, 2);
    let old = fs::read(home.file("kek")).unwrap();
    let old_id = ids(&home)[0].clone();
    home.run(&["kek", "remove", &old_id]).fails(&["5 keys of the database are wrapped by", &old_id]);
    home.run(&["kek", "rotate"]).succeeds();
    home.run(&["kek", "remove", &old_id]).succeeds();
    home.run(&["kek", "remove", &old_id])
        .fails(&["there is no master key", "`claviger kek verify` lists them"]);
    assert_eq!(home.number("SELECT COUNT(*) FROM ledger WHERE action = 'kek.removed'"), 1);
    let new = fs::read(home.file("kek")).unwrap();
    assert!(!String::from_utf8(new.clone()).unwrap().contains(&old_id));
    fs::write(home.file("kek"), old).unwrap();
    home.run(&["kek", "verify"]).fails(&["not the master keys of this database"]);
    fs::write(home.file("kek"), new).unwrap();
    let server = home.serve();
    assert!(shown(&server, 1));
    server.stop();
}

#[test]
fn verifying_finds_a_master_key_file_that_would_not_open_the_database_again() {
    let home = Home::new();
    populate(&home, 1);
    let server = home.serve();
    let right = fs::read(home.file("kek")).unwrap();
    let verified = home.run(&["kek", "verify"]).succeeds();
    let line = format!("{}  opens 4 keys, and wraps new ones\n", ids(&home)[0]);
    assert_eq!(verified.stdout(), format!("every key of the database opens\n{line}"));
    // The running server would not notice before its next start.
    fs::write(home.file("kek"), KekRing::generate(&SystemRandom).to_text().as_bytes()).unwrap();
    for command in ["verify", "rotate"] {
        home.run(&["kek", command]).fails(&["4 of 4 keys of the database do not open", "is wanted"]);
    }
    fs::set_permissions(home.file("kek"), fs::Permissions::from_mode(0o644)).unwrap();
    home.run(&["kek", "verify"]).fails(&["chmod 600"]);
    fs::write(home.file("kek"), right).unwrap();
    fs::set_permissions(home.file("kek"), fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["kek", "rotate"]).succeeds();
    server.stop();
}

#[test]
fn verifying_finds_a_key_that_was_moved() {
    let home = Home::new();
    populate(&home, 2);
    let server = home.serve();
    let database = rusqlite::Connection::open(home.file("claviger.db")).unwrap();
    let sql = "UPDATE vault_keys SET wrapped = (SELECT wrapped FROM vault_keys WHERE purpose = 'digest')
               WHERE purpose = 'ledger_mac'";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    home.run(&["kek", "verify"]).fails(&["1 of 5 keys", "does not open: its row is damaged or was altered"]);
    home.run(&["kek", "rotate"]).fails(&["1 of 5 keys"]);
    assert_eq!(ids(&home).len(), 1, "nothing was begun");
    server.stop();
}

#[test]
fn master_keys_from_the_environment_are_rotated_by_giving_two() {
    let home = Home::new();
    populate(&home, 1);
    let old = fs::read_to_string(home.file("kek")).unwrap();
    let old_id = ids(&home)[0].clone();
    fs::remove_file(home.file("kek")).unwrap();
    let new = KekRing::generate(&SystemRandom);
    let new_id = new.first_id().to_string();
    let run = |kek: &str, arguments: &[&str]| {
        Outcome(home.command(arguments).env("CLAVIGER_KEK", kek).output().unwrap())
    };
    run(&old, &["kek", "rotate"]).fails(&[
        "write a new line",
        "above those that are there",
        "openssl rand -hex 32",
    ]);
    let both = format!("{}{old}", new.to_text().as_str());
    run(&both, &["kek", "remove", &old_id]).fails(&["`claviger kek rotate` first"]);
    run(&both, &["kek", "rotate"]).succeeds();
    assert_eq!(not_wrapped_by(&home, &new_id), 0);
    run(&both, &["kek", "remove", &old_id]).fails(&["take its line out of CLAVIGER_KEK"]);
    run(&new.to_text(), &["kek", "verify"]).succeeds();
    run(&old, &["kek", "verify"]).fails(&["not the master keys of this database"]);
    assert!(!home.file("kek").exists());
}

#[test]
fn a_master_key_from_a_passphrase_is_not_rotated() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let passphrase = ("CLAVIGER_KEK_PASSPHRASE", "correct horse battery");
        Outcome(home.command(arguments).env(passphrase.0, passphrase.1).output().unwrap())
    };
    run(&["init"]).succeeds();
    let verified = run(&["kek", "verify"]).succeeds().stdout();
    assert!(verified.contains("opens 4 keys"), "{verified}");
    run(&["kek", "rotate"]).fails(&["CLAVIGER_KEK_PASSPHRASE", "it cannot be rotated"]);
    assert!(!home.file("kek").exists());
}

#[test]
fn a_mistyped_directory_does_not_become_a_database() {
    let home = Home::new();
    home.run(&["kek", "verify"]).fails(&["there is no data directory", "--data"]);
    assert!(!home.data().exists());
    let outcome = home.run(&["kek", "remove", "nonsense"]);
    assert_eq!(outcome.0.status.code(), Some(2));
}
