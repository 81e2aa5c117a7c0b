//! The secrets of connections: none is told, logged or stored as it is, and what seals one goes when it does.

use http::Method;
use serde_json::{Value, json};

use crate::places::Places;
use crate::support::connections::{ALL, Example, body, examples, gitlab, http, made, patch};
use crate::support::{Client, Setup, TestDatabase, TestServer, with_either_database};
use crate::{Answers, Canaries, log, random_text};

/// The examples, with secrets that nothing else has a part of.
fn fresh_examples(canaries: &mut Canaries) -> Vec<Example> {
    let mut examples = examples();
    for Example { credentials, create, update, secrets } in &mut examples {
        for (form, integration) in [("made", create), ("changed", update)] {
            for pointer in &*secrets {
                let secret = random_text();
                canaries.add(&format!("{credentials}{pointer}, {form}"), &secret);
                *integration.pointer_mut(pointer).unwrap() = json!(secret);
            }
        }
    }
    examples
}

/// Attributes with a secret where none has a place.
fn misplaced(example: &Example, secret: &str) -> Vec<Value> {
    let attributes = body("Wrong", &example.create)["data"]["attributes"].clone();
    let mut wrong = Vec::new();
    let mut put = |place: &str, value: Value| {
        let mut attributes = attributes.clone();
        let (parent, member) = place.rsplit_once('/').unwrap();
        if let Some(parent) = attributes.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.insert(member.to_owned(), value);
            wrong.push(attributes);
        }
    };
    put("/name", json!(secret.repeat(10)));
    for place in ["/name", "/tags", "/integration", "/integration/credentials"] {
        put(place, json!([secret]));
        put(place, json!({ secret: secret }));
    }
    for place in [
        "/tags",
        "/integration",
        "/integration/type",
        "/integration/credentials",
        "/integration/credentials/type",
    ] {
        put(place, json!(secret));
    }
    for tag in [secret.to_owned(), format!("default:{secret}"), format!("{secret}:{secret} {secret}")] {
        put("/tags", json!(["env:test", tag]));
    }
    for parent in ["", "/integration", "/integration/credentials"] {
        put(&format!("{parent}/{secret}"), json!(secret));
        put(&format!("{parent}/surplus"), json!({ "value": [secret] }));
    }
    for pointer in &example.secrets {
        put(&format!("/integration{pointer}"), json!([secret]));
        put(&format!("/integration{pointer}"), json!({ "value": secret }));
    }
    for member in ["account_id", "domain", "datacenter", "instance"] {
        let place = format!("/credentials/{member}");
        if example.create.pointer(&place).is_some() {
            put(&format!("/integration{place}"), json!(format!("{secret}/{secret}")));
        }
    }
    if example.create.get("base_url").is_some() {
        for base_url in
            [secret.to_owned(), format!("https://{secret}@example.com"), format!("ftp://{secret}.example")]
        {
            put("/integration/base_url", json!(base_url));
        }
        for list in ["tokens", "headers", "url_parameters"] {
            let place = format!("/integration/credentials/{list}");
            put(&place, json!([{ "name": format!("{secret}!"), "type": "SECRET", "value": secret }]));
            put(
                &place,
                json!([{ "name": "name", "type": secret, "value": [secret] }, { secret: secret }, secret]),
            );
        }
        put(
            "/integration/credentials/body",
            json!({ "content": [secret], "content_type": [secret], secret: secret }),
        );
    }
    wrong
}

/// Calls every operation on a connection of each type, rightly and wrongly; half of what it makes stays.
async fn live(server: &TestServer, canaries: &mut Canaries, answers: &mut Answers) {
    let admin = server.client();
    for (index, example) in fresh_examples(canaries).iter().enumerate() {
        let name = example.credentials.as_str();
        let answer = admin.post(ALL, &body(name, &example.create)).await.expect(201);
        let path = format!("{ALL}/{}", answer.json()["data"]["id"].as_str().unwrap());
        answers.keep(name, &answer);
        let secret = random_text();
        canaries.add(&format!("{name}, misplaced"), &secret);
        for attributes in misplaced(example, &secret) {
            answers.keep(name, &admin.post(ALL, &patch(attributes.clone())).await.expect(400));
            answers.keep(name, &admin.patch(&path, &patch(attributes)).await.expect(400));
        }
        answers.keep(name, &admin.get(&path).await.expect(200));
        let change = json!({ "name": "Changed", "integration": example.update });
        answers.keep(name, &admin.patch(&path, &patch(change)).await.expect(200));
        answers.keep(name, &admin.get(&path).await.expect(200));
        if index % 2 == 0 {
            answers.keep(name, &admin.delete(&path).await.expect(204));
        }
    }
    around_bodies(&admin, canaries, answers).await;
}

/// Secrets in paths, in queries, beside the attributes and in what is no JSON.
async fn around_bodies(admin: &Client, canaries: &mut Canaries, answers: &mut Answers) {
    let secret = random_text();
    canaries.add("a secret beside bodies", &secret);
    let path = format!("{ALL}/{}", made(admin, &gitlab(&secret)).await);
    for (method, path) in [
        (Method::GET, format!("{ALL}/{secret}")),
        (Method::DELETE, format!("{ALL}/{secret}")),
        (Method::PATCH, format!("{ALL}/{secret}")),
        (Method::GET, format!("{path}?token={secret}")),
        (Method::PUT, format!("{path}/{secret}")),
    ] {
        let body = json!({ "data": { "type": secret, "id": secret } }).to_string();
        answers.keep("a path", &admin.send(method, &path, &[], Some(body)).await);
    }
    for text in [
        format!("{{\"data\": \"{secret}"),
        format!("{{\"data\": {{\"{secret}\": {secret}}}}}"),
        secret.clone(),
        format!("\"{secret}\""),
        json!({ "data": secret }).to_string(),
        json!({ secret.as_str(): secret }).to_string(),
        json!({ "data": { "type": "action_connection", "attributes": secret } }).to_string(),
        json!({ "data": { "type": secret, "attributes": { "name": "x" } } }).to_string(),
    ] {
        for (method, path) in [(Method::POST, ALL), (Method::PATCH, path.as_str())] {
            answers.keep("a body", &admin.send(method, path, &[], Some(text.clone())).await.expect(400));
        }
    }
    // Ids are passed over, and go nowhere.
    let mut with_id = body("Id", &gitlab(&secret));
    with_id["data"]["id"] = json!(secret);
    answers.keep("an id", &admin.post(ALL, &with_id).await.expect(201));
}

with_either_database! {
    async fn no_secret_of_a_connection_is_told_logged_or_stored(database: TestDatabase) {
        log();
        let (mut canaries, mut answers, mut places) = (Canaries::default(), Answers::default(), Places::default());
        let server = TestServer::start(database).await;
        live(&server, &mut canaries, &mut answers).await;
        places.keep(&server).await;
        let server = places.keep_over_a_start(server, Setup::default()).await;
        answers.keep("another start", &server.client().post(ALL, &body("Later", &gitlab("later-later"))).await.expect(201));
        places.keep(&server).await;

        assert!(canaries.secrets.len() > 75, "{}", canaries.secrets.len());
        assert!(answers.0.len() > 1000, "{}", answers.0.len());
        places.assert_clean(&canaries, &answers, &[ALL]);
        server.verify_state().await;
        server.stop().await;
    }

    /// What sealed a secret goes with it: on SQLite at the next checkpoint, on PostgreSQL when VACUUM FULL writes the
    /// table anew. VACUUM alone gives the room back, but may leave in it what stood there.
    async fn what_sealed_a_secret_goes_with_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let long: String = (0..200).map(|_| random_text()).collect();
        let of_http = http("https://example.com", &long);
        let (replaced, deleted) = (made(&admin, &gitlab("replaced")).await, made(&admin, &gitlab("deleted")).await);
        let (long_replaced, long_deleted) = (made(&admin, &of_http).await, made(&admin, &of_http).await);
        let kept = made(&admin, &gitlab("kept")).await;
        let mut gone = Vec::new();
        for id in [&replaced, &deleted, &long_replaced, &long_deleted] {
            gone.push(sealed(&server, id).await);
        }
        let staying = sealed(&server, &kept).await;
        assert!(gone[2].len() > 2 * 8000 && staying.len() < 400, "long ones spill onto pages of their own");
        tidy(&server, false).await;
        for pieces in gone.iter().chain([&staying]) {
            assert!(is_stored(&server, pieces).await, "what is looked for is found");
        }

        let anew = patch(json!({ "integration": gitlab("anew") }));
        admin.patch(&format!("{ALL}/{replaced}"), &anew).await.expect(200);
        let anew = patch(json!({ "integration": http("https://example.com", "anew") }));
        admin.patch(&format!("{ALL}/{long_replaced}"), &anew).await.expect(200);
        for id in [&deleted, &long_deleted] {
            admin.delete(&format!("{ALL}/{id}")).await.expect(204);
        }
        tidy(&server, true).await;
        for pieces in &gone {
            assert!(!is_stored(&server, pieces).await, "a sealed value outlives its secret");
        }
        assert!(is_stored(&server, &staying).await);
        server.verify_state().await;
        server.stop().await;
    }
}

/// The bytes that seal a connection's only secret, in hexadecimal.
async fn sealed(server: &TestServer, id: &str) -> String {
    let hex = match server.database() {
        TestDatabase::Sqlite(_) => "hex(sealed)",
        TestDatabase::Postgres { .. } => "encode(sealed, 'hex')",
    };
    let sql = format!("SELECT {hex} FROM connection_secrets WHERE connection_id = '{id}'");
    server.database().scalar(&sql).await.to_lowercase()
}

/// Brings what is stored to where it stays, and lets the database clear away what is dead.
async fn tidy(server: &TestServer, is_clearing: bool) {
    let database = server.database();
    match database {
        TestDatabase::Sqlite(directory) => {
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            let log = std::fs::metadata(directory.path().join("claviger.db-wal")).unwrap();
            assert_eq!(log.len(), 0, "nobody was in the way");
        }
        TestDatabase::Postgres { .. } => {
            if is_clearing {
                database.execute("VACUUM FULL connection_secrets").await;
            }
            database.execute("CHECKPOINT").await;
        }
    }
}

/// Whether any piece of these bytes is in SQLite's files, or in those of PostgreSQL's table.
async fn is_stored(server: &TestServer, hex: &str) -> bool {
    let stored = match server.database() {
        TestDatabase::Sqlite(_) => {
            let files = server.database().contents().await;
            files.into_iter().flat_map(|(_, contents)| contents).collect::<Vec<u8>>()
        }
        TestDatabase::Postgres { .. } => {
            let mut stored = String::new();
            for table in ["oid", "reltoastrelid"] {
                let file = format!(
                    "SELECT pg_relation_filepath({table}) FROM pg_class WHERE relname = 'connection_secrets'"
                );
                stored += &server
                    .database()
                    .scalar(&format!("SELECT encode(pg_read_binary_file(({file})), 'hex')"))
                    .await;
            }
            unhex(&stored)
        }
    };
    // Long values are stored in pieces, wherever those begin.
    let pieces: std::collections::HashSet<[u8; PIECE]> =
        unhex(hex).chunks_exact(PIECE).map(|piece| piece.try_into().unwrap()).collect();
    stored.windows(PIECE).any(|window| pieces.contains(window))
}

/// More than two values have in common by chance, or by how sealed values begin.
const PIECE: usize = 32;

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
