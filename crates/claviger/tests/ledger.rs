//! The record: what `ledger verify` finds, what it leaves alone, and that it may run beside a server.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "ledger/edits.rs"]
mod edits;
mod operator;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use claviger::checkpoints;
use claviger_model::testing::SeededRandom;
use claviger_store::{Check, Location, Report, Snapshot};
use claviger_vault::{KekRing, SystemRandom, Vault};
use edits::{Dice, edit};
use operator::{Home, Keys};
use rusqlite::Connection;
use serde_json::json;

/// The random edits that must all be found.
const EDITS: usize = 1000;

/// A database with a history, and nobody using it.
fn lived_in() -> Home {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    let api_keys: Vec<_> = (0..8).map(|n| server.create_api_key(&admin, &format!("api {n}")).0).collect();
    for n in 0..5 {
        let scopes = [&[][..], &["dashboards_read"], &["dashboards_read", "dashboards_write"]][n % 3];
        server.create_application_key(&admin, &format!("application {n}"), scopes);
    }
    let tokens = server.create_service_access_tokens(&admin, 3);
    server.expect(204, &admin, "DELETE", &format!("/api/v2/personal_access_tokens/{}", tokens[1].0), None);
    server.create_native_keys(&admin);
    api_keys[..3].iter().for_each(|id| server.revoke_api_key(&admin, id));
    let renamed =
        json!({ "data": { "type": "api_keys", "id": api_keys[4], "attributes": { "name": "renamed" } } });
    server.expect(200, &admin, "PATCH", &format!("/api/v2/api_keys/{}", api_keys[4]), Some(&renamed));
    for (n, grace_seconds) in [(4, 3600), (5, 3600), (6, 0)] {
        let guards = json!({ "allow_list": ["127.0.0.0/8", format!("192.0.2.{n}")],
            "request_limit": { "requests": 1000 + n, "period_seconds": 60 }, "expires_at": "2100-01-02T03:04:05Z" });
        let path = format!("/claviger/v1/api_keys/{}", api_keys[n]);
        server.expect(200, &admin, "PATCH", &path, Some(&guards));
        let grace = json!({ "grace_seconds": grace_seconds });
        server.expect(200, &admin, "POST", &format!("{path}/rotate"), Some(&grace));
    }
    for n in 0..3 {
        let aws = json!({ "type": "AWS",
            "credentials": { "type": "AWSAssumeRole", "account_id": "123456789012", "role": format!("r{n}") } });
        let gitlab = json!({ "type": "Gitlab",
            "credentials": { "type": "GitlabAPIKey", "api_token": format!("glpat-token-token-{n}") } });
        let bodies = [
            json!({ "name": format!("aws {n}"), "integration": aws, "expires_at": format!("2100-01-0{}T00:00:00Z", n + 1),
                "hosts": [format!("a{n}.execute-api.eu-west-1.amazonaws.com")] }),
            json!({ "name": format!("gitlab {n}"), "integration": gitlab }),
        ];
        for body in bodies {
            server.expect(201, &admin, "POST", "/claviger/v1/connections", Some(&body));
        }
    }
    // The last entry says that a key was shown, on which no row depends.
    server.expect(200, &admin, "GET", &format!("/api/v2/api_keys/{}", api_keys[5]), None);
    server.stop();
    home
}

/// A copy of a database file, to be edited and checked.
struct Copy {
    directory: tempfile::TempDir,
    kek: String,
}

impl Copy {
    fn of(home: &Home) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
            kek: fs::read_to_string(home.file("kek")).unwrap(),
        };
        // Whole without its log: the server has let go of it.
        fs::copy(home.file("claviger.db"), copy.path()).unwrap();
        let connection = copy.open();
        connection.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        drop(connection);
        fs::copy(copy.path(), copy.pristine()).unwrap();
        copy
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("claviger.db")
    }

    fn pristine(&self) -> PathBuf {
        self.directory.path().join("pristine.db")
    }

    fn reset(&self) {
        fs::copy(self.pristine(), self.path()).unwrap();
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(self.path()).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF",
            )
            .unwrap();
        connection
    }

    /// What the command's function finds; nothing where it does not even open.
    async fn check(&self, checkpoints: Option<&Path>) -> Option<Report> {
        let snapshot = Snapshot::open(&Location::Sqlite(self.path())).await.ok()?;
        let keys = snapshot.list_vault_keys().await.ok()?;
        let vault = Vault::unlock(KekRing::parse(&self.kek).unwrap(), Arc::new(SystemRandom), keys).ok()?;
        let checkpoints = checkpoints.map(|path| checkpoints::read(path).unwrap()).unwrap_or_default();
        let check = Check { vault: &vault, checkpoints: &checkpoints, is_state_wanted: true };
        snapshot.verify_ledger(&check).await.ok()
    }

    async fn is_clean(&self) -> bool {
        self.check(None).await.is_some_and(|report| report.is_clean())
    }
}

#[tokio::test]
async fn every_random_edit_of_the_file_is_found_and_none_where_there_is_none() {
    let copy = Copy::of(&lived_in());
    assert!(copy.is_clean().await, "{:?}", copy.check(None).await);
    let dice = Dice(SeededRandom::new(5));
    let (mut done, mut missed) = (0, Vec::new());
    let mut kinds = std::collections::BTreeMap::new();
    while done < EDITS {
        copy.reset();
        let database = copy.open();
        let Some(what) = edit(&database, &dice) else { continue };
        drop(database);
        done += 1;
        *kinds.entry(what.split(' ').next().unwrap().to_owned()).or_insert(0) += 1;
        if copy.is_clean().await {
            missed.push(what);
        }
    }
    println!("{done} edits: {kinds:?}");
    assert!(missed.is_empty(), "{} of {done} edits were missed: {missed:#?}", missed.len());
    assert!(
        ["flip", "toggle", "delete", "swap", "insert"].iter().all(|kind| kinds[*kind] >= 20),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn what_the_ledger_does_not_speak_of_is_left_alone() {
    let copy = Copy::of(&lived_in());
    for sql in [
        "INSERT OR REPLACE INTO last_used (credential_id, at) SELECT id, 7 FROM credentials",
        "UPDATE credentials SET modified_at = 7",
        "UPDATE users SET title = 'edited'",
        "UPDATE orgs SET api_keys_max = 7",
    ] {
        copy.reset();
        assert!(copy.open().execute(sql, []).unwrap() > 0);
        assert!(copy.is_clean().await, "{sql}: {:?}", copy.check(None).await);
    }
}

/// Cuts off the newest entry, and sets the head back so that what is left is whole.
fn truncate(database: &Connection) {
    database
        .execute_batch(
            "DELETE FROM ledger WHERE sequence = (SELECT MAX(sequence) FROM ledger);
             UPDATE ledger_head SET sequence = (SELECT MAX(sequence) FROM ledger),
                 mac = (SELECT mac FROM ledger ORDER BY sequence DESC LIMIT 1)",
        )
        .unwrap();
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_by_a_checkpoint_and_by_nothing_else() {
    let home = lived_in();
    let copy = Copy::of(&home);
    let signed = home.file("checkpoints.jsonl");
    let report = copy.check(Some(&signed)).await.unwrap();
    assert!(report.is_clean() && report.checkpoints >= 2, "{report:?}");
    truncate(&copy.open());
    assert!(copy.is_clean().await, "control: {:?}", copy.check(None).await);
    let report = copy.check(Some(&signed)).await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.to_string().contains("was cut off")), "{report:?}");
}

#[tokio::test]
async fn a_checkpoint_that_was_altered_or_is_anothers_is_found() {
    let (home, other) = (lived_in(), lived_in());
    let copy = Copy::of(&home);
    let text = fs::read_to_string(home.file("checkpoints.jsonl")).unwrap();
    let altered = home.file("altered.jsonl");
    let last = text.lines().next_back().unwrap();
    let check = async |text: String| {
        fs::write(&altered, text + "\n").unwrap();
        copy.check(Some(&altered)).await.unwrap()
    };
    assert!(check(last.to_owned()).await.is_clean());
    let at = last.find("\"at_micros\":").unwrap() + 12;
    let mut moved = last.to_owned();
    moved.replace_range(at..=at, "9");
    assert!(!check(moved).await.is_clean());
    let others = fs::read_to_string(other.file("checkpoints.jsonl")).unwrap();
    assert!(!check(others.trim_end().to_owned()).await.is_clean());
}

#[test]
fn the_command_says_what_was_edited() {
    let home = lived_in();
    let clean = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
    assert!(clean.contains("entries are as they were written") && !clean.contains("WRONG"), "{clean}");
    let edits: [(&str, &[&str]); 6] = [
        (
            "UPDATE ledger SET actor = '{}' WHERE sequence = 3",
            &["WRONG entry 3: its MAC", "state: not compared"],
        ),
        ("DELETE FROM ledger WHERE sequence = 4", &["WRONG entry 4: it is missing"]),
        ("UPDATE ledger_head SET sequence = 2", &["WRONG head: it stands at 1.2"]),
        (
            "UPDATE credentials SET revoked_at = NULL WHERE name = 'api 1'",
            &["WRONG credential:", "not what the ledger says", "WRONG credential_counts"],
        ),
        ("DELETE FROM user_roles", &["WRONG user:"]),
        ("UPDATE vault_keys SET created_at = 1 WHERE purpose = 'digest'", &["does not open"]),
    ];
    let file = fs::read(home.file("claviger.db")).unwrap();
    for (sql, expected) in edits {
        for stale in ["claviger.db-wal", "claviger.db-shm"] {
            let _ = fs::remove_file(home.file(stale));
        }
        fs::write(home.file("claviger.db"), &file).unwrap();
        let database = Connection::open(home.file("claviger.db")).unwrap();
        assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
        drop(database);
        home.run(&["ledger", "verify", "--state"]).fails(1, expected);
    }
}

#[test]
fn it_runs_beside_a_server_and_needs_the_master_keys() {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    for n in 0..5 {
        server.create_api_key(&admin, &format!("key {n}"));
        let checked = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(checked.starts_with(&format!("{} entries", n + 2)), "{checked}");
    }
    let shown = home.run(&["ledger", "tail", "-n", "3"]).succeeds().stdout();
    let actions: Vec<_> = shown
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["action"].clone())
        .collect();
    assert_eq!(actions, ["credential.created"; 3]);
    assert!(!shown.contains(&admin.api_key));
    server.stop();
    fs::rename(home.file("kek"), home.file("kek.away")).unwrap();
    home.run(&["ledger", "verify"]).fails(1, &["the master keys are missing"]);
    assert!(!home.file("kek").exists());
}

#[test]
fn following_shows_entries_as_they_are_written() {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    let mut tail =
        home.command(&["ledger", "tail", "--follow", "-n", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("org.created"));
    let (id, _) = server.create_api_key(&admin, "seen");
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("credential.created") && line.contains(&id), "{line}");
    tail.kill().unwrap();
    tail.wait().unwrap();
    server.stop();
}
