//! The program tells a real receiver of what happens, killed in between as often as it likes.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod operator;
mod receiver;

use std::collections::HashSet;

use operator::{Home, Keys, Server};
use receiver::{Delivery, Receiver};
use serde_json::json;

const PATH: &str = "/claviger/v1/webhooks";

fn subject(delivery: &Delivery) -> String {
    delivery.json()["data"]["subject"]["id"].as_str().unwrap().to_owned()
}

fn serve(home: &Home) -> Server {
    home.serve_with(&["--webhooks-anywhere", "--log", "warn,claviger::server=info"])
}

/// Every change that was answered is told, in order, though the server is killed after each round; what is told
/// again is told under the same id.
#[test]
fn what_was_answered_is_told_whatever_happens_to_the_server() {
    let (home, receiver) = (Home::new(), Receiver::start());
    let mut server = serve(&home);
    let keys = Keys::of(&home);
    let made = server.expect(201, &keys, "POST", PATH, Some(&json!({ "url": receiver.url() })));
    let mut expected = Vec::new();
    for round in 0..6 {
        // In every other round the receiver hangs, so that the server dies with an event in its hands.
        receiver.answer(if round % 2 == 0 { 204 } else { 0 });
        for number in 0..5 {
            let (id, _) = server.create_api_key(&keys, &format!("{round}.{number}"));
            server.revoke_api_key(&keys, &id);
            expected.extend([
                ("credential.created".to_owned(), id.clone()),
                ("credential.revoked".to_owned(), id),
            ]);
        }
        server.kill();
        receiver.answer(204);
        server = serve(&home);
    }
    let told = receiver.wait_until(|told| {
        let accepted = told.iter().filter(|delivery| delivery.status == 204);
        accepted.map(Delivery::id).collect::<HashSet<_>>().len() >= expected.len()
    });
    server.stop();
    let mut seen = HashSet::new();
    let accepted = told.iter().filter(|delivery| delivery.status == 204);
    let first: Vec<_> = accepted.filter(|delivery| seen.insert(delivery.id().to_owned())).collect();
    let heard: Vec<_> = first.iter().map(|delivery| (delivery.kind(), subject(delivery))).collect();
    assert_eq!(heard, expected);
    let secret = made["secret"].as_str().unwrap();
    assert!(told.iter().all(|delivery| delivery.is_signed_by(secret)));
}

/// The record holds with webhooks and leaks in it, a backup takes them along, and a hand in their tables is seen.
#[test]
fn webhooks_and_leaks_are_in_the_record_and_in_backups() {
    let home = Home::new();
    let server = home.serve();
    let keys = Keys::of(&home);
    let hook = json!({ "url": "https://hooks.example.com/" });
    let made = server.expect(201, &keys, "POST", PATH, Some(&hook));
    let id = made["id"].as_str().unwrap();
    let gone = server.expect(201, &keys, "POST", PATH, Some(&hook));
    server.expect(200, &keys, "PATCH", &format!("{PATH}/{id}"), Some(&json!({ "rotate_secret": true })));
    server.expect(204, &keys, "DELETE", &format!("{PATH}/{}", gone["id"].as_str().unwrap()), None);
    server.expect(200, &keys, "PATCH", "/claviger/v1/org", Some(&json!({ "leaks": "mark" })));
    let (_, marked) = server.create_api_key(&keys, "marked");
    server.expect(200, &keys, "POST", "/claviger/v1/leaks", Some(&json!({ "secret": marked })));
    server.expect(200, &keys, "PATCH", "/claviger/v1/org", Some(&json!({ "leaks": "revoke" })));
    let (_, dead) = server.create_api_key(&keys, "dead");
    server.expect(200, &keys, "POST", "/claviger/v1/leaks", Some(&json!({ "secret": dead })));
    home.run(&["backup", "all.backup"]).succeeds();
    server.stop();
    home.run(&["ledger", "verify", "--state"]).succeeds();

    // Elsewhere, from the backup: the webhook is there, and what leaked is as dead as it was.
    let other = Home::new();
    other.take(&["kek", "dead.jsonl"], &home);
    std::fs::copy(home.directory.path().join("all.backup"), other.directory.path().join("all.backup"))
        .unwrap();
    other.run(&["restore", "all.backup"]).succeeds();
    other.run(&["ledger", "verify", "--state"]).succeeds();
    let server = other.serve();
    assert_eq!(server.expect(200, &keys, "GET", &format!("{PATH}/{id}"), None)["url"], hook["url"]);
    assert!(server.is_valid(&marked) && !server.is_valid(&dead));
    server.stop();

    for (edit, blamed) in [
        ("UPDATE webhooks SET url = 'https://evil.example.com/' WHERE deleted_at IS NULL", "webhook:"),
        ("UPDATE webhooks SET enabled = 0", "webhook:"),
        ("DELETE FROM leaks", "leak:"),
        ("UPDATE orgs SET leaks = 'mark'", "org:"),
    ] {
        let file = home.file("claviger.db");
        let kept = std::fs::read(&file).unwrap();
        rusqlite::Connection::open(&file).unwrap().execute_batch(edit).unwrap();
        home.run(&["ledger", "verify", "--state"]).fails(1, &[blamed]);
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(home.file(&format!("claviger.db{suffix}")));
        }
        std::fs::write(&file, kept).unwrap();
    }
    home.run(&["ledger", "verify", "--state"]).succeeds();
}
