//! `/claviger/v1/webhooks`, and what webhooks are told.

use std::time::Duration;

use claviger_egress::{Egress, Policy, Roots};
use claviger_native::Options as NativeOptions;
use claviger_outbound::Client as OutboundClient;
use serde_json::{Value, json};

use crate::receiver::{Delivery, Receiver};
use crate::support::sample::{api_key, application_key};
use crate::support::{
    Answer, Client, Keys, Setup, TestDatabase, TestServer, on_both_engines, until, with_either_database,
};

const PATH: &str = "/claviger/v1/webhooks";
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A server that tells webhooks of events, on this machine too.
pub(crate) fn telling() -> Setup {
    let outbound = self::outbound(Policy::private_too());
    Setup { outbound: Some(outbound), native: anywhere(), ..Setup::default() }
}

fn outbound(policy: Policy) -> OutboundClient {
    OutboundClient::new(Egress::trusting(Roots::none()), policy, Duration::from_secs(5), 1024)
}

fn anywhere() -> NativeOptions {
    NativeOptions { webhook_policy: Policy::private_too().into(), ..Setup::default().native }
}

pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) secret: String,
}

pub(crate) async fn hook(client: &Client, url: &str, events: Option<Value>) -> Hook {
    let mut body = json!({ "url": url });
    if let Some(events) = events {
        body["events"] = events;
    }
    let made = client.post(PATH, &body).await.expect(201).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Hook { id: text("id"), secret: text("secret") }
}

async fn show(client: &Client, id: &str) -> Value {
    client.get(&format!("{PATH}/{id}")).await.expect(200).json()
}

/// Waits until a webhook's standing is as it should be.
async fn wait_for(client: &Client, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let shown = show(client, id).await;
        if is_so(&shown) { Ok(shown) } else { Err(shown) }
    })
    .await
}

async fn revoke(client: &Client, id: &str) -> Answer {
    client.delete(&format!("/api/v2/api_keys/{id}")).await.expect(204)
}

/// The subjects' ids, in the order in which they were told.
fn subjects(told: &[Delivery]) -> Vec<String> {
    told.iter()
        .map(|delivery| delivery.json()["data"]["subject"]["id"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn a_webhook_lives_from_create_to_delete(server: &TestServer) {
        let client = server.client();
        let url = "https://hooks.example.com/claviger?a=b";
        let answer = client.post(PATH, &json!({ "url": url, "events": ["credential.revoked"] })).await.expect(201);
        assert!(answer.header("claviger-position").starts_with("1."));
        let mut made = answer.json();
        let secret = made["secret"].take();
        assert!(secret.as_str().unwrap().starts_with("whsec_"));
        made.as_object_mut().unwrap().remove("secret");
        assert_eq!((&made["url"], &made["events"]), (&json!(url), &json!(["credential.revoked"])));
        assert_eq!((&made["enabled"], &made["status"]), (&json!(true), &json!("active")));

        let id = made["id"].as_str().unwrap();
        let path = format!("{PATH}/{id}");
        assert_eq!(client.get(&path).await.expect(200).json(), made, "the secret is shown once");
        assert_eq!(client.get(PATH).await.expect(200).json(), json!({ "webhooks": [made] }));

        let patch = json!({ "events": ["credential.leaked", "credential.created", "credential.leaked"], "enabled": false });
        let changed = client.patch(&path, &patch).await.expect(200).json();
        assert_eq!(changed["events"], json!(["credential.created", "credential.leaked"]));
        assert_eq!((&changed["status"], changed.get("secret")), (&json!("disabled"), None));
        client.post(&format!("{path}/test"), &json!({})).await.expect(400);

        let rotated = client.patch(&path, &json!({ "rotate_secret": true })).await.expect(200).json();
        assert_ne!(rotated["secret"], secret);
        assert_eq!(rotated["previous_secret_until"], "2026-03-05T05:06:07.123456Z");

        client.delete(&path).await.expect(204);
        for answer in [
            client.get(&path).await,
            client.delete(&path).await,
            client.patch(&path, &patch).await,
            client.post(&format!("{path}/test"), &json!({})).await,
            client.get(&format!("{PATH}/nothing")).await,
        ] {
            assert_eq!(answer.expect(404).text, r#"{"errors":[{"code":"not_found","detail":"Webhook not found"}]}"#);
        }
        assert_eq!(client.get(PATH).await.expect(200).json(), json!({ "webhooks": [] }));
    }

    async fn every_fault_of_a_webhook_is_named(server: &TestServer) {
        let client = server.client();
        let body = json!({ "url": "ftp://example.com", "events": ["credential.eaten"], "enabled": 1, "x": 1 });
        let errors = client.post(PATH, &body).await.expect(400).json()["errors"].clone();
        let fields: Vec<_> = errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["url", "events", "enabled", "x"]);
        for url in ["http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
            "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "https://user:pw@example.com/",
            "https://127.1/", "https://0x7f000001/", "https://0177.0.0.1/", "https://2130706433/",
            "https://[fe80::1%25eth0]/", "https://１２７.0.0.1/", "https://[64:ff9b::10.0.0.1]/",
            "https://[2002:808:808::1]/", "https://[2600::5efe:a00:1]/", "https://xn--a.example/"] {
            let refused = client.post(PATH, &json!({ "url": url })).await.expect(400).json();
            assert_eq!(refused["errors"][0]["field"], "url", "{url}");
        }
        for body in [json!({}), json!({ "url": "https://example.com", "events": [] })] {
            client.post(PATH, &body).await.expect(400);
        }
        assert_eq!(client.get(PATH).await.expect(200).json(), json!({ "webhooks": [] }));
    }

    async fn an_org_has_so_many_webhooks_and_no_more(server: &TestServer) {
        let client = server.client();
        let mut last = String::new();
        for _ in 0..20 {
            last = hook(&client, "https://example.com/", None).await.id;
        }
        client.post(PATH, &json!({ "url": "https://example.com/" })).await.expect(409);
        client.delete(&format!("{PATH}/{last}")).await.expect(204);
        hook(&client, "https://example.com/", None).await;
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        hook(&other, "https://example.com/", None).await;
    }
}

with_either_database! {
    async fn events_come_in_order_signed_and_without_secrets(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (client, receiver) = (server.client(), Receiver::start());
        let hook = hook(&client, &receiver.url(), None).await;
        client.post(&format!("{PATH}/{}/test", hook.id), &json!({})).await.expect(202);
        let (one, two) = (api_key(&client).await, application_key(&client, Value::Null).await);
        let position = revoke(&client, &one.id).await.header("claviger-position").to_owned();
        let told = receiver.wait_for(4);

        let kinds: Vec<_> = told.iter().map(Delivery::kind).collect();
        assert_eq!(kinds, ["webhook.test", "credential.created", "credential.created", "credential.revoked"]);
        assert_eq!(told[0].json()["data"], json!({ "webhook": hook.id }));
        assert_eq!(subjects(&told[1..]), [one.id.as_str(), &two.id, &one.id]);
        let last = told[3].json();
        assert_eq!(last["data"]["subject"], json!({
            "kind": "api_key", "id": one.id, "name": "Made", "last4": one.secret[28..],
        }));
        assert_eq!((&last["position"], &last["org"]), (&json!(position), &json!(server.founded.org.to_string())));
        assert_eq!(last["timestamp"], "2026-03-04T05:06:07.123456Z");
        assert_eq!(last["id"], told[3].id());
        for delivery in &told {
            assert!(delivery.is_signed_by(&hook.secret));
            assert_eq!(delivery.headers["content-type"], "application/json");
            assert_eq!(delivery.path, "/hook?for=claviger");
            let all = format!("{delivery:?}");
            for secret in [&one.secret, &two.secret, &hook.secret, server.admin().api_key.as_ref().unwrap(),
                server.admin().application_key.as_ref().unwrap()] {
                assert!(!all.contains(&secret[6..20]), "{all}");
            }
        }
        wait_for(&client, &hook.id, "a standing", |shown| shown["last_success_at"].is_string()).await;
        server.stop().await;
    }

    async fn a_webhook_hears_what_it_asked_for_in_its_own_org(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (client, receiver) = (server.client(), Receiver::start());
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        let hook = hook(&client, &receiver.url(), Some(json!(["credential.revoked"]))).await;
        let foreign = api_key(&other).await;
        revoke(&other, &foreign.id).await;
        let made = api_key(&client).await;
        revoke(&client, &made.id).await;
        // Disabled, it misses what happens; enabled again, it hears what happens from then on.
        receiver.wait_for(1);
        let path = format!("{PATH}/{}", hook.id);
        client.patch(&path, &json!({ "enabled": false })).await.expect(200);
        let missed = api_key(&client).await;
        revoke(&client, &missed.id).await;
        client.patch(&path, &json!({ "enabled": true })).await.expect(200);
        let heard = api_key(&client).await;
        revoke(&client, &heard.id).await;
        let told = receiver.wait_until(|told| subjects(told).contains(&heard.id));
        assert_eq!(subjects(&told), [made.id, heard.id]);
        server.stop().await;
    }

    async fn a_receiver_that_fails_is_tried_again_and_holds_up_nobody_else(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (client, bad, good) = (server.client(), Receiver::start(), Receiver::start());
        let hung = Receiver::start();
        hung.answer(0);
        bad.answer(500);
        let hook_of_bad = hook(&client, &bad.url(), None).await;
        hook(&client, &hung.url(), None).await;
        hook(&client, &good.url(), None).await;
        let (one, two) = (api_key(&client).await, api_key(&client).await);
        assert_eq!(subjects(&good.wait_for(2)), [one.id.as_str(), &two.id]);

        let retrying = |attempts: u64| move |shown: &Value| shown["attempts"] == attempts;
        let shown = wait_for(&client, &hook_of_bad.id, "a failure", retrying(1)).await;
        assert_eq!((&shown["status"], &shown["last_error"]), (&json!("retrying"), &json!("the receiver answered 500")));
        // A redirect is not followed, and not taken for a yes.
        bad.answer(302);
        server.clock.advance_micros(5 * SECOND);
        let shown = wait_for(&client, &hook_of_bad.id, "a second failure", retrying(2)).await;
        assert_eq!(shown["last_error"], "the receiver answered 302");
        assert!(bad.told().iter().all(|delivery| delivery.path == "/hook?for=claviger"));
        // Each pause is longer than the one before: half of ten seconds are not over after four.
        server.clock.advance_micros(4 * SECOND);
        api_key(&client).await;
        good.wait_for(3);
        assert_eq!(bad.told().len(), 2);
        server.clock.advance_micros(DAY);
        let shown = wait_for(&client, &hook_of_bad.id, "a third failure", retrying(3)).await;
        assert_eq!(shown["status"], "failing");

        bad.answer(204);
        server.clock.advance_micros(HOUR);
        let told = bad.wait_until(|told| told.iter().filter(|delivery| delivery.status == 204).count() >= 3);
        let accepted: Vec<_> = told.iter().filter(|delivery| delivery.status == 204).cloned().collect();
        assert_eq!(subjects(&accepted)[..2], [one.id, two.id], "in order, and none is left out");
        let tried: Vec<_> = told.iter().map(Delivery::id).collect();
        assert!(tried[..4].iter().all(|id| *id == tried[0]), "the same event, under the same id");
        wait_for(&client, &hook_of_bad.id, "recovery", |shown| shown["status"] == "active").await;
        server.stop().await;
    }

    async fn what_happens_while_nobody_tells_is_told_later(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let receiver = Receiver::start();
        let hook = hook(&server.client(), &receiver.url(), None).await;
        let before = api_key(&server.client()).await;
        receiver.wait_for(1);
        let silent = server.halt().await.start(Setup { native: anywhere(), ..Setup::default() }).await;
        let meanwhile = api_key(&silent.client()).await;
        let rotated =
            silent.client().patch(&format!("{PATH}/{}", hook.id), &json!({ "rotate_secret": true })).await.expect(200).json();
        let server = silent.halt().await.start(telling()).await;
        let told = receiver.wait_until(|told| subjects(told).contains(&meanwhile.id));
        let mut heard = subjects(&told);
        heard.dedup();
        assert_eq!(heard, [before.id, meanwhile.id]);
        // For a day, receivers that still know the old secret alone understand what they are told.
        let last = told.last().unwrap();
        assert!(last.is_signed_by(&hook.secret) && last.is_signed_by(rotated["secret"].as_str().unwrap()));
        server.clock.advance_micros(DAY + SECOND);
        let later = api_key(&server.client()).await;
        let told = receiver.wait_until(|told| subjects(told).contains(&later.id));
        let last = told.last().unwrap();
        assert!(!last.is_signed_by(&hook.secret) && last.is_signed_by(rotated["secret"].as_str().unwrap()));
        server.stop().await;
    }

    async fn the_end_of_a_credential_is_told_a_week_and_a_day_before_and_not_again(database: TestDatabase) {
        let server = TestServer::start_with(database, Setup::default()).await;
        let receiver = Receiver::start();
        let client = server.client();
        let (key, soon, dead) = (api_key(&client).await, api_key(&client).await, api_key(&client).await);
        let now = claviger_model::Clock::now(&*server.clock).micros();
        let halted = server.halt().await;
        for (made, at) in [(&key, now + 10 * DAY), (&soon, now + HOUR), (&dead, now + HOUR)] {
            halted.database.execute(&format!("UPDATE credentials SET expires_at = {at} WHERE id = '{}'", made.id)).await;
        }
        let server = halted.start(telling()).await;
        let client = server.client();
        revoke(&client, &dead.id).await;
        hook(&client, &receiver.url(), Some(json!(["credential.expiring"]))).await;
        let told = receiver.wait_for(1);
        assert_eq!(told[0].json()["data"], json!({
            "subject": { "kind": "api_key", "id": soon.id, "name": "Made", "last4": soon.secret[28..] },
            "expires_at": "2026-03-04T06:06:07.123456Z",
            "within_seconds": 86_400,
        }));
        server.clock.advance_micros(4 * DAY);
        receiver.wait_for(2);
        // Looked for again and again, and told once.
        for _ in 0..3 {
            server.clock.advance_micros(HOUR);
            let marker = api_key(&client).await;
            revoke(&client, &marker.id).await;
        }
        let server = server.halt().await.start(telling()).await;
        server.clock.advance_micros(5 * DAY);
        let told = receiver.wait_for(3);
        assert_eq!(subjects(&told), [soon.id, key.id.clone(), key.id]);
        let within: Vec<_> = told.iter().map(|delivery| delivery.json()["data"]["within_seconds"].clone()).collect();
        assert_eq!(within, [json!(86_400), json!(604_800), json!(86_400)]);
        server.stop().await;
    }

    async fn no_event_goes_to_this_machine_unless_the_operator_says_so(database: TestDatabase) {
        let receiver = Receiver::start();
        let outbound = self::outbound(Policy::public());
        let server = TestServer::start_with(database, Setup { outbound: Some(outbound), ..Setup::default() }).await;
        let client = server.client();
        // The name is only looked up when something is to be told.
        let hook = hook(&client, &format!("https://localhost:{}/", receiver.port()), None).await;
        api_key(&client).await;
        let shown = wait_for(&client, &hook.id, "a refusal", |shown| shown["attempts"] == 1).await;
        let why = shown["last_error"].as_str().unwrap();
        assert!(why.starts_with("the host has an address that may not be called: loopback"), "{why}");
        assert!(receiver.told().is_empty());
        server.stop().await;
    }
}
