//! Backups: from each engine into the other, what stays dead, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[allow(dead_code, reason = "only PostgreSQL is needed here")]
#[path = "api/support/database.rs"]
mod database;
mod operator;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use claviger_store::Location;
use database::TestDatabase;
use operator::{Home, Keys, Server};
use serde_json::{Value, json};

/// A home with this KEK and dead list, and nothing else.
fn beside(home: &Home, database: Option<String>) -> Home {
    let new = Home { database, ..Home::new() };
    new.take(&["kek"], home);
    if home.file("dead.jsonl").exists() {
        new.take(&["dead.jsonl"], home);
    }
    new
}

fn backup(home: &Home, name: &str) -> String {
    let file = home.directory.path().join(name).display().to_string();
    let said = home.run(&["backup", &file]).succeeds().stdout();
    assert!(said.contains("It holds no master key") && said.contains("found whole"), "{said}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    file
}

fn is_application_key_good(server: &Server, keys: &Keys) -> bool {
    server.call(keys, "GET", "/api/v2/api_keys", None).0 == 200
}

fn registration(id: &str) -> String {
    format!("/api/v2/actions/app_key_registrations/{id}")
}

const REGISTRY: &str = "/api/services/zis/registry";

/// A token for the registry of integrations.
fn integrations_token(server: &Server, admin: &Keys) -> String {
    let day = std::time::Duration::from_secs(86_400);
    let end = claviger_model::Clock::now(&claviger_engine::SystemClock) + day + day;
    let end = format!("{}T00:00:00Z", end.utc().date());
    let attributes = json!({ "name": "registry", "scopes": ["org_management"], "expires_at": end });
    let body = json!({ "data": { "type": "personal_access_tokens", "attributes": attributes } });
    let made = server.expect(201, admin, "POST", "/api/v2/personal_access_tokens", Some(&body));
    made["data"]["attributes"]["key"].as_str().unwrap().to_owned()
}

/// The epoch at which the ledger stands.
fn epoch(home: &Home) -> String {
    let newest = home.run(&["ledger", "tail", "-n", "1"]).succeeds().stdout();
    let newest: Value = serde_json::from_str(newest.lines().next().unwrap()).unwrap();
    newest["position"].as_str().unwrap().split_once('.').unwrap().0.to_owned()
}

/// The whole round: what lives goes on living, what died after the backup stays dead, wherever it is restored.
fn round(from: Home, to: Option<String>) -> Home {
    let server = from.serve();
    let admin = Keys::of(&from);
    let (dead_before, before) = server.create_api_key(&admin, "dead before");
    server.revoke_api_key(&admin, &dead_before);
    let (victim, revoked) = server.create_api_key(&admin, "revoked after");
    let (_, kept) = server.create_api_key(&admin, "kept");
    let (_, application_key) = server.create_application_key(&admin, "scoped", &["api_keys_read"]);
    let scoped = Keys { application_key, ..admin.clone() };
    let native = server.create_native_keys(&admin);
    // Registered keys, of which one dies after the backup.
    let [registered, doomed] = ["registered", "doomed"].map(|name| {
        let (id, _) = server.create_application_key(&admin, name, &["connections_read"]);
        server.expect(201, &admin, "PUT", &registration(&id), None);
        id
    });
    let secret = "glpat-canary-canary-1";
    let connection = json!({ "name": "kept", "integration": { "type": "Gitlab",
        "credentials": { "type": "GitlabAPIKey", "api_token": secret } } });
    let connected = server.expect(201, &admin, "POST", "/claviger/v1/connections", Some(&connection));
    let org = server.expect(200, &admin, "GET", "/claviger/v1/org", None)["id"].clone();
    // An integration, with the key that its calls are signed with.
    let token = integrations_token(&server, &admin);
    let signed_by = server.ask(&token, "POST", &format!("{REGISTRY}/signer"), Some(&json!({})));
    let signed_by = signed_by["jwt_public_key"].clone();
    assert!(signed_by.as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"), "{signed_by}");
    // The server goes on running.
    let file = backup(&from, "one.backup");
    server.revoke_api_key(&admin, &victim);
    server.expect(204, &admin, "DELETE", &format!("/api/v2/application_keys/{doomed}"), None);
    server.expect(204, &admin, "DELETE", &format!("/claviger/v1/keys/{}", native[1].0), None);
    let (unknown, unknown_secret) = server.create_api_key(&admin, "made and revoked after");
    server.revoke_api_key(&admin, &unknown);
    server.kill();
    let text = fs::read_to_string(&file).unwrap();
    for secret in [&admin.api_key, &admin.application_key, &revoked, &kept]
        .map(String::as_str)
        .into_iter()
        .chain([secret])
    {
        assert!(!text.contains(secret));
    }
    let kek = fs::read_to_string(from.file("kek")).unwrap();
    let key = kek.lines().find_map(|line| line.strip_prefix("claviger-kek-1:")).unwrap();
    assert!(!text.contains(key));

    let to = beside(&from, to);
    let said = to.run(&["restore", &file]).succeeds().stdout();
    assert!(said.contains("3 credentials revoked, 1 tombstones kept"), "{said}");
    let grown: u32 = epoch(&from).parse().unwrap();
    assert_eq!(epoch(&to), (grown + 1).to_string());
    let checked = to.run(&["ledger", "verify", "--state"]).succeeds().stdout();
    assert!(checked.contains("entries are as they were written"), "{checked}");
    // Of the old epoch, what was signed beyond the backup's end is lost by a restore that stands in the ledger.
    let signed = from.file("checkpoints.jsonl").display().to_string();
    to.run(&["ledger", "verify", "--checkpoint", &signed]).succeeds();

    let server = to.serve();
    assert!(server.is_valid(&admin.api_key) && server.is_valid(&kept));
    assert!(is_application_key_good(&server, &admin) && is_application_key_good(&server, &scoped));
    for dead in [&before, &revoked, &unknown_secret] {
        assert!(!server.is_valid(dead));
    }
    // That the private key opens and is the one to it, the check of the state has said.
    let integrations = server.ask(&token, "GET", &format!("{REGISTRY}/integrations"), None);
    assert_eq!(integrations["integrations"][0]["jwt_public_key"], signed_by);
    // By what they may do too, which is counted anew; the dead one's permission is free.
    assert_eq!(
        native.iter().map(|(_, secret)| server.verify(secret)).collect::<Vec<_>>(),
        [200, 401, 200, 401]
    );
    // What the dead list kills is registered no more.
    server.expect(200, &admin, "GET", &registration(&registered), None);
    server.expect(404, &admin, "GET", &registration(&doomed), None);
    // A connection's secret is what it was, and opens: an import of it finds it there, and of another finds a fault.
    let import = |api_token: &str| {
        let integration =
            json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": api_token } });
        let connections = json!([{ "id": connected["id"], "name": "kept", "integration": integration }]);
        let file = to.directory.path().join("import.json");
        fs::write(&file, json!({ "orgs": [{ "id": org, "connections": connections }] }).to_string()).unwrap();
        to.run(&["import", &file.display().to_string()])
    };
    let said = import(secret).succeeds().stderr();
    assert!(said.contains("nothing to import"), "{said}");
    import("glpat-other-other-2").fails(1, &["/credentials/api_token: differs from what is there"]);
    let (fresh, fresh_secret) = server.create_api_key(&admin, "new");
    assert!(server.is_valid(&fresh_secret));
    server.revoke_api_key(&admin, &fresh);
    server.stop();
    to.run(&[
        "ledger",
        "verify",
        "--state",
        "--checkpoint",
        &to.file("checkpoints.jsonl").display().to_string(),
    ])
    .succeeds();
    // The list goes with the database: what was unknown to it is on the new list too.
    let listed = |home: &Home| {
        let list = fs::read_to_string(home.file("dead.jsonl")).unwrap();
        list.lines().filter(|line| line.contains("\"dead\"")).count()
    };
    assert_eq!(listed(&to), listed(&from) + 1);
    // The next round is called by the same admin.
    fs::copy(from.file("bootstrap.json"), to.file("bootstrap.json")).unwrap();
    to
}

#[test]
fn from_sqlite_to_sqlite() {
    round(Home::new(), None);
}

#[tokio::test]
async fn from_sqlite_to_postgresql_and_back() {
    let Some(postgres) = TestDatabase::postgres().await else { return };
    let Location::Postgres(address) = postgres.location() else { panic!("it is PostgreSQL") };
    let home = round(Home::new(), Some(address));
    let home = tokio::task::spawn_blocking(|| {
        let first = backup(&home, "first.backup");
        let second = backup(&home, "second.backup");
        let body = |path: &str| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().skip(1).filter(|line| !line.starts_with('{')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(body(&first), body(&second), "nothing changed in between");
        round(home, None)
    })
    .await
    .unwrap();
    assert_eq!(epoch(&home), "3");
    postgres.remove().await;
}

#[test]
fn without_a_dead_list_only_if_accepted() {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    let (id, secret) = server.create_api_key(&admin, "revoked after");
    let file = backup(&home, "one.backup");
    server.revoke_api_key(&admin, &id);
    server.stop();
    let new = beside(&home, None);
    fs::remove_file(new.file("dead.jsonl")).unwrap();
    new.run(&["restore", &file]).fails(1, &["dead.jsonl is not there", "--accept-resurrected-keys"]);
    assert!(!new.file("claviger.db").exists());

    // Control: the list is what keeps it dead.
    let said = new.run(&["restore", &file, "--accept-resurrected-keys"]).succeeds().stdout();
    assert!(said.contains("ALIVE AGAIN"), "{said}");
    let server = new.serve();
    assert!(server.is_valid(&secret));
    server.stop();

    let named = Home::new();
    named.take(&["kek"], &home);
    let list = home.file("dead.jsonl").display().to_string();
    named.run(&["restore", &file, "--dead-list", &list]).succeeds();
    let server = named.serve();
    assert!(!server.is_valid(&secret));
    server.stop();
}

#[test]
fn refused_and_nothing_made() {
    let (home, other) = (Home::new(), Home::new());
    for home in [&home, &other] {
        let server = home.serve();
        let admin = Keys::of(home);
        let (id, _) = server.create_api_key(&admin, "dead");
        server.revoke_api_key(&admin, &id);
        server.stop();
    }
    let file = backup(&home, "one.backup");
    home.run(&["backup", &file]).fails(1, &["one.backup is there already"]);
    home.run(&["restore", &file]).fails(1, &["the database is not empty"]);

    let wanted = fs::read_to_string(&file).unwrap();
    let header: Value = serde_json::from_str(wanted.lines().next().unwrap()).unwrap();
    let id = header["master_keys"][0].as_str().unwrap();
    let wrong = Home::new();
    wrong.take(&["kek"], &other);
    wrong.take(&["dead.jsonl"], &home);
    wrong.run(&["restore", &file]).fails(1, &["nothing was restored", &format!("master key {id} is wanted")]);

    let mixed = Home::new();
    mixed.take(&["kek"], &home);
    mixed.take(&["dead.jsonl"], &other);
    mixed.run(&["restore", &file]).fails(1, &["the dead list", "line 1 is not as this database wrote it"]);

    // Damage of any kind: a byte, a line less, an end less, a line more.
    let damaged = home.directory.path().join("damaged.backup");
    let lines: Vec<_> = wanted.lines().collect();
    let without = |place: usize| [&lines[..place], &lines[place + 1..]].concat().join("\n") + "\n";
    let middle = lines.len() / 2;
    for text in [
        wanted.replacen("admin@claviger.local", "owner@claviger.local", 1),
        without(middle),
        without(lines.len() - 1),
        wanted.clone() + lines[middle] + "\n",
        wanted[..wanted.len() / 2].to_owned(),
        "{}\n".to_owned(),
        String::new(),
    ] {
        assert_ne!(text, wanted);
        fs::write(&damaged, text).unwrap();
        let new = beside(&home, None);
        new.run(&["restore", &damaged.display().to_string()]).fails(1, &["the backup is damaged at line"]);
        assert!(!new.file("claviger.db").exists());
    }
    // Whoever makes the hash right again still lacks the key of the MAC.
    let edited = wanted.replacen("admin@claviger.local", "owner@claviger.local", 1);
    let body: String = edited.lines().take(lines.len() - 1).map(|line| line.to_owned() + "\n").collect();
    let mut end: Value = serde_json::from_str(lines[lines.len() - 1]).unwrap();
    end["blake3"] = blake3::hash(body.as_bytes()).to_hex().as_str().into();
    fs::write(&damaged, format!("{body}{end}\n")).unwrap();
    let new = beside(&home, None);
    let said = new.run(&["restore", &damaged.display().to_string()]);
    said.fails(1, &["its MAC does not match"]);
    new.run(&["restore", &file]).succeeds();
}

#[test]
fn an_older_database_put_back_by_hand_does_not_start() {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    server.stop();
    let old = fs::read(home.file("claviger.db")).unwrap();
    let server = home.serve();
    let (id, _) = server.create_api_key(&admin, "dead");
    server.revoke_api_key(&admin, &id);
    server.stop();
    for name in ["claviger.db-wal", "claviger.db-shm"] {
        let _ = fs::remove_file(home.file(name));
    }
    fs::write(home.file("claviger.db"), old).unwrap();
    home.run(&["init"]).fails(1, &["is older than what was answered for", "dead.jsonl"]);
    fs::rename(home.file("dead.jsonl"), home.file("dead.away")).unwrap();
    home.run(&["init"]).succeeds();
}

#[test]
fn a_death_that_a_crash_kept_from_the_list_is_on_it_after_the_next_start() {
    let home = Home::new();
    let server = home.serve();
    let admin = Keys::of(&home);
    let before = fs::read_to_string(home.file("dead.jsonl")).unwrap();
    let (id, _) = server.create_api_key(&admin, "dead");
    server.revoke_api_key(&admin, &id);
    // Nobody is told that it is dead before the list has it.
    let after = fs::read_to_string(home.file("dead.jsonl")).unwrap();
    assert_eq!(after.lines().filter(|line| line.contains("\"dead\"")).count(), 1, "{after}");
    server.kill();
    // As if the crash had come between the commit and the list, in the middle of a line.
    fs::write(home.file("dead.jsonl"), before + &after.lines().next_back().unwrap()[..40]).unwrap();
    home.run(&["init"]).succeeds();
    let mended = fs::read_to_string(home.file("dead.jsonl")).unwrap();
    let dead = |text: &str| {
        let line = text.lines().find(|line| line.contains("\"dead\"")).unwrap().to_owned();
        serde_json::from_str::<Value>(&line).unwrap()["dead"].clone()
    };
    assert_eq!(dead(&mended), dead(&after));
    assert_eq!(mended.lines().count(), 2, "{mended}");
}
