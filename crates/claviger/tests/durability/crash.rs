//! `kill -9` at random moments of concurrent creates, renames and revocations, on SQLite.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use claviger_model::Random;
use claviger_model::testing::SeededRandom;
use serde_json::{Value, json};

use crate::http::Connection;
use crate::server::Home;

const ROUNDS: &str = "CLAVIGER_CRASH_ROUNDS";
const ROUNDS_DEFAULT: u64 = 200;
const CLIENTS: u64 = 8;

/// What a client knows of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Named(String),
    Revoked,
}

/// What a client knows when the server dies under it.
#[derive(Debug, Default)]
struct Knowledge {
    /// What was acknowledged, by id.
    acknowledged: HashMap<String, Known>,
    /// The change under way, whose answer never came: what it would have made of which key.
    under_way: Option<(Option<String>, Known)>,
    acknowledgements: u64,
}

/// A number below `end`.
fn below(random: &SeededRandom, end: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % end
}

/// Changes one thing after the other until the server is gone.
fn work(home: &Home, client: u64, round: u64) -> Knowledge {
    let random = SeededRandom::new(round * CLIENTS + client);
    let mut knowledge = Knowledge::default();
    let Some(mut connection) = home.connect() else { return knowledge };
    for step in 0_u64.. {
        let live: Vec<_> = knowledge
            .acknowledged
            .iter()
            .filter(|(_, known)| **known != Known::Revoked)
            .map(|(id, _)| id.clone())
            .collect();
        let name = format!("round {round} client {client} step {step}");
        let done = match (below(&random, 3), live.is_empty()) {
            (0, _) | (_, true) => create(&mut connection, &mut knowledge, name),
            (1, false) => {
                let id = live[below(&random, live.len() as u64) as usize].clone();
                let body =
                    json!({ "data": { "type": "api_keys", "id": id, "attributes": { "name": name } } });
                change(&mut connection, &mut knowledge, "PATCH", id, Some(&body), Known::Named(name))
            }
            (_, false) => {
                let id = live[below(&random, live.len() as u64) as usize].clone();
                change(&mut connection, &mut knowledge, "DELETE", id, None, Known::Revoked)
            }
        };
        if done.is_none() {
            break;
        }
    }
    knowledge
}

fn create(connection: &mut Connection, knowledge: &mut Knowledge, name: String) -> Option<()> {
    knowledge.under_way = Some((None, Known::Named(name.clone())));
    let body = json!({ "data": { "type": "api_keys", "attributes": { "name": name } } });
    let answer = connection.send("POST", "/api/v2/api_keys", Some(&body))?;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.body["data"]["id"].as_str().unwrap().to_owned();
    knowledge.acknowledge(id, Known::Named(name));
    Some(())
}

fn change(
    connection: &mut Connection,
    knowledge: &mut Knowledge,
    method: &str,
    id: String,
    body: Option<&Value>,
    becomes: Known,
) -> Option<()> {
    knowledge.under_way = Some((Some(id.clone()), becomes.clone()));
    let answer = connection.send(method, &format!("/api/v2/api_keys/{id}"), body)?;
    assert!([200, 204].contains(&answer.status), "{answer:?}");
    knowledge.acknowledge(id, becomes);
    Some(())
}

impl Knowledge {
    fn acknowledge(&mut self, id: String, known: Known) {
        self.acknowledged.insert(id, known);
        self.under_way = None;
        self.acknowledgements += 1;
    }
}

/// Everything acknowledged is there; of what was under way, all or nothing.
fn check(home: &Home, knowledge: &Knowledge) {
    let mut connection = home.connect().unwrap();
    for (id, known) in &knowledge.acknowledged {
        let found = read(&mut connection, id);
        let may_also_be = match &knowledge.under_way {
            Some((Some(changed), becomes)) if changed == id => Some(becomes),
            _ => None,
        };
        assert!(
            found.as_ref() == Some(known) || found.as_ref() == may_also_be,
            "{id}: {known:?}, found {found:?}"
        );
    }
    if let Some((None, Known::Named(name))) = &knowledge.under_way {
        let query = name.replace(' ', "%20");
        let list = connection.send("GET", &format!("/api/v2/api_keys?filter={query}"), None).unwrap().body;
        let named = |item: &&Value| item["attributes"]["name"] == name.as_str();
        let found: Vec<_> = list["data"].as_array().unwrap().iter().filter(named).collect();
        assert!(found.len() <= 1);
        if let [made] = found[..] {
            // A key that is there without an acknowledgement is a whole one: it can be read, and it is good.
            let whole =
                connection.send("GET", &format!("/api/v2/api_keys/{}", made["id"].as_str().unwrap()), None);
            let secret = whole.unwrap().body["data"]["attributes"]["key"].as_str().unwrap().to_owned();
            assert!(home.is_valid(&secret));
        }
    }
}

fn read(connection: &mut Connection, id: &str) -> Option<Known> {
    let answer = connection.send("GET", &format!("/api/v2/api_keys/{id}"), None).unwrap();
    let attributes = &answer.body["data"]["attributes"];
    match (answer.status, attributes["status"].as_str()) {
        (200, Some("revoked")) => Some(Known::Revoked),
        (200, _) => Some(Known::Named(attributes["name"].as_str().unwrap().to_owned())),
        _ => None,
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    let rounds = std::env::var(ROUNDS).map_or(ROUNDS_DEFAULT, |rounds| rounds.parse().unwrap());
    let home = Home::founded();
    let random = SeededRandom::new(rounds);
    let mut server = home.serve(&[], &[]);
    home.lift_limits();
    let (mut acknowledged, mut under_way) = (0, 0);
    for round in 0..rounds {
        let moment = Instant::now() + Duration::from_millis(20 + below(&random, 200));
        let knowledge: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let home = &home;
                    scope.spawn(move || work(home, client, round))
                })
                .collect();
            while Instant::now() < moment {
                std::thread::yield_now();
            }
            server.kill();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        server = home.serve(&[], &[]);
        for client in &knowledge {
            check(&home, client);
            acknowledged += client.acknowledgements;
            under_way += u64::from(client.under_way.is_some());
        }
        let verified = home.command(&["ledger", "verify", "--state"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
    println!("{rounds} rounds: {acknowledged} changes acknowledged, {under_way} under way at a kill");
    assert!(acknowledged > rounds, "the server was killed before it did anything");
}
