//! Properties: whatever is done to a key, and in whatever order, none of its secrets may ever do more than it should.
//!
//! Random rotations, edits by an admin and by a narrowed caller, edits through the vendor's dialect and steps of the
//! clock. Beside the server runs a model of a few lines; after each step every secret that was ever issued is asked
//! for, from an address inside and one outside its list. The sequences follow from the seed, which a failure names.

use claviger_model::Random;
use claviger_model::testing::SeededRandom;
use http::Method;
use serde_json::{Value, json};

use crate::support::sample;
use crate::support::{Client, Setup, TestDatabase, TestServer, guarded, with_either_database};

const SEQUENCES: u64 = 12;
const STEPS: usize = 30;
const SECOND: i64 = 1_000_000;

/// Permissions that the key may have; the narrowed caller has the first two and what it needs.
const SCOPES: [&str; 4] = ["monitors_read", "dashboards_read", "api_keys_read", "org_management"];
const NETWORKS: [&str; 4] = ["203.0.113.0/24", "203.0.113.128/25", "203.0.113.200", "198.51.100.0/24"];
/// Where requests come from: each is in fewer of the networks.
const ADDRESSES: [&str; 4] = ["192.0.2.1", "203.0.113.1", "203.0.113.130", "203.0.113.200"];

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % end as u64) as usize
    }

    fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A secret, and until when it may be good at the latest; none for as long as its key.
struct Secret {
    text: String,
    ends: Option<i64>,
}

/// What the key is to be, by what was answered.
struct Model {
    /// Empty for no scopes.
    scopes: Vec<&'static str>,
    /// None for anywhere.
    network: Option<&'static str>,
    expires: Option<i64>,
    secrets: Vec<Secret>,
    now: i64,
}

impl Model {
    fn is_over(&self) -> bool {
        self.expires.is_some_and(|end| end <= self.now)
    }

    fn admits(&self, address: &str) -> bool {
        let network = |text: &str| text.parse::<claviger_model::Network>().unwrap();
        self.network.is_none_or(|allowed| network(allowed).contains(address.parse().unwrap()))
    }

    fn expects(&self, secret: &Secret, address: &str) -> bool {
        let is_over = self.is_over() || secret.ends.is_some_and(|end| end <= self.now);
        !is_over && self.admits(address)
    }

    /// Whether a change would loosen the key.
    fn is_looser(&self, network: Option<&str>, expires: Option<i64>) -> bool {
        let parse = |text: &str| text.parse::<claviger_model::Network>().unwrap();
        let is_wider = match (self.network, network) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => !parse(before).covers(&parse(after)),
        };
        let is_later = match (self.expires, expires) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => after > before,
        };
        is_wider || is_later
    }

    /// Whether the narrowed caller may do all that the key may.
    fn is_within_narrowed(&self) -> bool {
        !self.scopes.is_empty() && self.scopes.iter().all(|scope| SCOPES[..2].contains(scope))
    }
}

struct Walk<'a> {
    server: &'a TestServer,
    dice: Dice,
    path: String,
    id: String,
    narrowed: Client,
    model: Model,
    /// Rotations, edits that were taken, and edits that were refused.
    counts: [usize; 3],
}

/// A moment of the test's clock, which begins in the middle of a second.
fn moment(micros: i64) -> Value {
    // Within the day on which it begins, 5:06:07.
    let micros_of_day = micros.rem_euclid(24 * 3600 * SECOND);
    let (seconds, micros) = (micros_of_day / SECOND, micros_of_day % SECOND);
    json!(format!(
        "2026-03-04T{:02}:{:02}:{:02}.{micros:06}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ))
}

impl<'a> Walk<'a> {
    async fn begin(server: &'a TestServer, seed: u64) -> Self {
        let dice = Dice(SeededRandom::new(seed));
        let narrowed = json!(["user_app_keys", SCOPES[0], SCOPES[1]]);
        let narrowed = sample::application_key(&server.client(), narrowed).await;
        let scopes = vec![SCOPES[0], SCOPES[2]];
        let key = guarded::application_key(&server.client(), json!({ "scopes": scopes })).await;
        Self {
            server,
            dice,
            path: format!("/claviger/v1/application_keys/{}", key.id),
            narrowed: server.beside(&narrowed.secret),
            model: Model {
                scopes,
                network: None,
                expires: None,
                secrets: vec![Secret { text: key.secret, ends: None }],
                now: server.clock_micros(),
            },
            id: key.id,
            counts: [0; 3],
        }
    }

    async fn step(&mut self) {
        match self.dice.below(8) {
            0 | 1 => self.rotate().await,
            2 | 3 => self.guard().await,
            4 => self.scope().await,
            5 => self.rename().await,
            6 => self.server.engine.end_rotations().await.unwrap(),
            _ => {
                let seconds = *self.dice.pick(&[1, 30, 60, 400]);
                self.server.clock.advance_micros(seconds * SECOND);
                self.model.now += seconds * SECOND;
            }
        }
    }

    async fn rotate(&mut self) {
        let (is_narrowed, grace) = (self.dice.below(3) == 0, *self.dice.pick(&[0, 1, 45, 300, 3600]));
        let client = if is_narrowed { self.narrowed.clone() } else { self.server.client() };
        let answer = client.post(&format!("{}/rotate", self.path), &json!({ "grace_seconds": grace })).await;
        let model = &mut self.model;
        if is_narrowed && !model.is_within_narrowed() {
            drop(answer.expect(403));
            self.counts[2] += 1;
            return;
        }
        if model.is_over() {
            drop(answer.expect(400));
            return;
        }
        for secret in &mut model.secrets {
            let end = match secret.ends {
                // Those of before are dead, and the newest goes on for the grace.
                Some(_) => model.now,
                None => (model.now + grace * SECOND).min(model.expires.unwrap_or(i64::MAX)),
            };
            secret.ends = Some(secret.ends.map_or(end, |before| before.min(end)));
        }
        let new = guarded::made(answer.expect(200));
        model.secrets.push(Secret { text: new.secret, ends: None });
        self.counts[0] += 1;
    }

    async fn guard(&mut self) {
        let is_narrowed = self.dice.below(2) == 0;
        let client = if is_narrowed { self.narrowed.clone() } else { self.server.client() };
        let model = &mut self.model;
        let network = *self.dice.pick(&[
            None,
            Some(NETWORKS[0]),
            Some(NETWORKS[1]),
            Some(NETWORKS[2]),
            Some(NETWORKS[3]),
        ]);
        let expires = match self.dice.below(3) {
            0 => model.expires,
            1 => None,
            _ => Some(model.now + *self.dice.pick(&[20, 600, 7200]) * SECOND),
        };
        let patch = json!({ "allow_list": network.map(|it| [it]), "expires_at": expires.map(moment) });
        let answer = client.patch(&self.path, &patch).await;
        if is_narrowed && model.is_looser(network, expires) && !model.is_within_narrowed() {
            drop(answer.expect(403));
            self.counts[2] += 1;
            return;
        }
        drop(answer.expect(200));
        (model.network, model.expires) = (network, expires);
        self.counts[1] += 1;
    }

    /// Other scopes, through the vendor's dialect.
    async fn scope(&mut self) {
        let is_narrowed = self.dice.below(2) == 0;
        let client = if is_narrowed { self.narrowed.clone() } else { self.server.client() };
        let wanted: Vec<_> = SCOPES.into_iter().filter(|_| self.dice.below(2) == 0).collect();
        let answer = self.patch(&client, json!({ "scopes": wanted })).await;
        let is_more = wanted.is_empty() || wanted.iter().any(|scope| !SCOPES[..2].contains(scope));
        if is_narrowed && is_more {
            drop(answer.expect(403));
            self.counts[2] += 1;
            return;
        }
        drop(answer.expect(200));
        self.model.scopes = wanted;
        self.counts[1] += 1;
    }

    async fn rename(&mut self) {
        let name = format!("Name {}", self.dice.below(1000));
        drop(self.patch(&self.narrowed, json!({ "name": name })).await.expect(200));
    }

    async fn patch(&self, client: &Client, attributes: Value) -> crate::support::Answer {
        let body = json!({ "data": { "type": "application_keys", "id": self.id, "attributes": attributes } });
        client.patch(&format!("/api/v2/current_user/application_keys/{}", self.id), &body).await
    }

    /// Asks for every secret from everywhere.
    async fn check(&self, about: &str) {
        for (number, secret) in self.model.secrets.iter().enumerate() {
            for address in ADDRESSES {
                let about =
                    format!("{about}: secret {number} of {} from {address}", self.model.secrets.len());
                let headers = [("x-forwarded-for", address)];
                let answer = self
                    .server
                    .bearer(&secret.text)
                    .send(Method::GET, "/verify", &headers, None::<String>)
                    .await;
                let is_good = answer.status == 200;
                assert_eq!(is_good, self.model.expects(secret, address), "{about}: {}", answer.text);
                if is_good {
                    let expected = match self.model.scopes.as_slice() {
                        [] => Value::Null,
                        scopes => json!(scopes),
                    };
                    assert_eq!(answer.json()["scopes"], expected, "{about}");
                }
            }
        }
        let alive = self.model.secrets.iter().filter(|secret| self.model.expects(secret, ADDRESSES[3]));
        assert!(alive.count() <= 2, "{about}: one old secret lives on at most");
    }
}

with_either_database! {
    async fn no_sequence_of_changes_makes_a_secret_good_for_more(database: TestDatabase) {
        let proxies = claviger_http::TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
        let server = TestServer::start_with(database, Setup { proxies, ..Setup::default() }).await;
        let mut counts = [0; 3];
        for seed in 0..SEQUENCES {
            let mut walk = Walk::begin(&server, seed).await;
            for step in 0..STEPS {
                walk.step().await;
                walk.check(&format!("seed {seed}, step {step}")).await;
            }
            counts.iter_mut().zip(walk.counts).for_each(|(all, one)| *all += one);
        }
        println!("{counts:?} rotations, edits taken and refused");
        assert!(counts.iter().all(|count| *count >= 20), "{counts:?}");
        let report = server.check_record().await;
        assert!(report.is_clean(), "{report:?}");
        server.stop().await;
    }
}
