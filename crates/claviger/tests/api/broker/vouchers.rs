//! `X-ZIS-Authorization`: by what a third party knows a ZIS integration's calls.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use super::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::oauth::Stage;
use crate::support::third_party::{Reply, Seen, ThirdParty};
use crate::support::zis::{Zis, registry};
use crate::support::{TestDatabase, with_either_database};

const HEADER: &str = "x-zis-authorization";
const LIST: &str = "/api/services/zis/registry/integrations";
const SECRET: &str = "canary-bearer-7Qx2";

/// The claims of a token that a key checks.
fn checked(pem: &str, token: &str) -> Option<Value> {
    let body =
        pem.strip_prefix("-----BEGIN PUBLIC KEY-----\n")?.strip_suffix("\n-----END PUBLIC KEY-----\n")?;
    let der = STANDARD.decode(body.replace('\n', "")).ok()?;
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(signed.as_bytes(), &signature).ok()?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(header), json!({ "alg": "RS256", "typ": "JWT" }));
    Some(read(claims))
}

/// The token of a request, of which there is one.
#[track_caller]
fn token(seen: &Seen) -> String {
    seen.header(HEADER).strip_prefix("Bearer ").unwrap().to_owned()
}

/// The key that the registry shows for an integration.
async fn key(admin: &Zis, integration: &str) -> String {
    let all = admin.get(LIST).await.expect(200).json();
    let one = all["integrations"].as_array().unwrap().iter().find(|it| it["name"] == integration).unwrap();
    one["jwt_public_key"].as_str().unwrap().to_owned()
}

/// A bearer connection in a new integration, whose token is given.
async fn connect(scene: &Scene, admin: &Zis, integration: &str, name: &str, domain: &str) -> Zis {
    let number = admin.integration(integration).await;
    let zis = Zis::bearer(&scene.server, &admin.token(number, &["read", "write"]).await.1);
    let body = json!({ "name": name, "allowed_domain": domain, "token": SECRET });
    let path = format!("/api/services/zis/integrations/{integration}/connections/bearer_token");
    zis.post(&path, &body).await.expect(201);
    zis
}

fn wait_seconds(scene: &Scene, seconds: i64) {
    scene.server.clock.advance_micros(seconds * 1_000_000);
}

with_a_world! {
    async fn a_call_proves_whose_it_is_and_to_whom(scene: &Scene) {
        let admin = Zis::admin(&scene.server).await;
        connect(scene, &admin, "one", "mine", "api.example.com").await;
        connect(scene, &admin, "two", "mine", "api.example.com").await;
        let call = async |integration: &str| {
            let path = format!("/broker/zis:{integration}:mine/x");
            // What the caller sends under that name, however written, is nothing.
            let headers = [(HEADER, "Bearer forged"), ("x_zis_authorization", "Bearer forged"), ("x-zis-other", "1")];
            scene.admin.send(Method::GET, &path, &headers, None::<String>).await.expect(200);
            scene.world.only()
        };
        let seen = call("one").await;
        assert!(!seen.head.contains("forged") && seen.all("x-zis-other").is_empty(), "{}", seen.head);
        assert_eq!(seen.header("authorization"), format!("Bearer {SECRET}"));
        let (one, two) = (key(&admin, "one").await, key(&admin, "two").await);
        let iat = scene.server.clock_micros() / 1_000_000;
        let claims = json!({ "iss": "zis:one", "sub": "zis:one:mine", "aud": "https://api.example.com",
            "iat": iat, "exp": iat + 60 });
        assert_eq!(checked(&one, &token(&seen)), Some(claims));
        assert_eq!(checked(&two, &token(&seen)), None, "another integration's key");
        let other = call("two").await;
        assert_eq!(checked(&two, &token(&other)).unwrap()["iss"], "zis:two");
        assert_eq!(checked(&one, &token(&other)), None);
        scene.server.verify_state().await;
    }

    async fn a_token_is_kept_for_a_while_and_replaced_before_it_ends(scene: &Scene) {
        let admin = Zis::admin(&scene.server).await;
        connect(scene, &admin, "one", "mine", "api.example.com").await;
        let call = async || {
            scene.admin.get("/broker/zis:one:mine/x").await.expect(200);
            token(&scene.world.only())
        };
        let first = call().await;
        wait_seconds(scene, 29);
        assert_eq!(call().await, first);
        // So late that a call waits for the next.
        wait_seconds(scene, 20);
        let second = call().await;
        let pem = key(&admin, "one").await;
        let ends = |token: &str| checked(&pem, token).unwrap()["exp"].as_i64().unwrap();
        assert_eq!(ends(&second), ends(&first) + 49);
        // After a pause of any length, none is sent that is over.
        wait_seconds(scene, 3600);
        assert!(ends(&call().await) > scene.server.clock_micros() / 1_000_000);
    }

    async fn a_token_is_good_at_one_host(scene: &Scene) {
        let admin = Zis::admin(&scene.server).await;
        connect(scene, &admin, "one", "mine", "*.example.com").await;
        let pem = key(&admin, "one").await;
        for host in ["a.example.com", "b.example.com", "example.com"] {
            let headers = [("claviger-host", host)];
            scene.admin.send(Method::GET, "/broker/zis:one:mine/x", &headers, None::<String>).await.expect(200);
            let seen = scene.world.only();
            assert_eq!(seen.name, host);
            assert_eq!(checked(&pem, &token(&seen)).unwrap()["aud"], format!("https://{host}"));
        }
    }

    async fn what_is_echoed_of_it_is_masked(scene: &Scene) {
        let admin = Zis::admin(&scene.server).await;
        connect(scene, &admin, "one", "mine", "api.example.com").await;
        scene.world.answer(|seen| {
            let encoded = STANDARD.encode(token(seen));
            Reply::with("200 OK", &format!("x-echo: {}\r\n", seen.header(HEADER)), format!("{}{encoded}", seen.head))
        });
        for _ in 0..2 {
            let answer = scene.admin.get("/broker/zis:one:mine/x").await.expect(200);
            let sent = token(&scene.world.only());
            for gone in [&*sent, SECRET, &STANDARD.encode(&sent)[..40]] {
                assert!(!answer.text.contains(gone), "{}", answer.text);
            }
            assert_eq!(answer.header("x-echo"), format!("Bearer {}", "*".repeat(sent.len())));
            wait_seconds(scene, 60);
        }
    }

    /// While the token of before is still good.
    async fn a_secret_that_was_changed_is_masked_beside_it(scene: &Scene) {
        const OTHER: &str = "canary-changed-5Kd8";
        let admin = Zis::admin(&scene.server).await;
        let zis = connect(scene, &admin, "one", "mine", "api.example.com").await;
        scene.world.answer(|seen| Reply::ok(&seen.head));
        scene.admin.get("/broker/zis:one:mine/x").await.expect(200);
        let path = "/api/services/zis/integrations/one/connections/bearer_token/mine";
        zis.send(Method::PATCH, path, Some(json!({ "token": OTHER }))).await.expect(204);
        let answer = scene.admin.get("/broker/zis:one:mine/x").await.expect(200);
        let seen = scene.world.take_seen();
        assert_eq!(seen[1].header("authorization"), format!("Bearer {OTHER}"));
        assert!(!answer.text.contains(OTHER), "{}", answer.text);
    }

    async fn no_other_connections_calls_have_one(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let headers = [(HEADER, "Bearer forged")];
        scene.admin.send(Method::GET, &format!("/broker/{id}/x"), &headers, None::<String>).await.expect(200);
        assert_eq!(scene.world.only().all(HEADER), Vec::<&str>::new());
    }

    /// As one that is older than such keys.
    async fn an_imported_integration_gets_its_key_when_it_is_needed(scene: &Scene) {
        let connection = |integration: &str| json!({ "integration": integration, "type": "bearer_token", "name": "mine",
            "allowed_domain": "api.example.com", "token": SECRET });
        let document = json!({ "orgs": [{ "id": scene.server.founded.org.to_string(),
            "zis_integrations": [{ "name": "called" }, { "name": "listed" }, { "name": "described" }],
            "zis_connections": [connection("called"), connection("listed"), connection("described")] }] });
        scene.server.engine.import(&document).await.unwrap();
        scene.server.verify_state().await;
        // However many need it at once, one is made.
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let client = scene.admin.clone();
            calls.spawn(async move { client.get("/broker/zis:called:mine/x").await });
        }
        for answer in calls.join_all().await {
            answer.expect(200);
        }
        let admin = Zis::admin(&scene.server).await;
        let described = admin.post(&registry("described"), &json!({})).await.expect(200).json();
        let described = described["jwt_public_key"].as_str().unwrap().to_owned();
        let called = key(&admin, "called").await;
        for seen in scene.world.take_seen() {
            assert_eq!(checked(&called, &token(&seen)).unwrap()["sub"], "zis:called:mine");
        }
        let listed = key(&admin, "listed").await;
        assert_eq!(key(&admin, "described").await, described);
        for (integration, pem) in [("listed", listed), ("described", described)] {
            scene.admin.get(&format!("/broker/zis:{integration}:mine/x")).await.expect(200);
            assert!(checked(&pem, &token(&scene.world.only())).is_some(), "{integration}");
        }
        scene.server.verify_state().await;
    }
}

with_either_database! {
    async fn an_oauth_connections_calls_have_both_tokens(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let egress = world.egress();
        let stage = Stage::set_with(database, std::time::Duration::from_secs(30), |setup| setup.egress = Some(egress)).await;
        stage.client().await;
        stage.connect("one").await;
        world.answer(|seen| Reply::ok(&seen.head));
        for access in ["canary-access-1", "canary-access-2"] {
            let answer = stage.zis.get("/broker/zis:my_integration:one/x").await.expect(200);
            let seen = world.only();
            assert_eq!(seen.header("authorization"), format!("Bearer {access}"));
            let claims = checked(&key(&stage.admin, "my_integration").await, &token(&seen)).unwrap();
            assert_eq!(claims["aud"], "https://auth.example.com");
            for gone in [access, &token(&seen)] {
                assert!(!answer.text.contains(gone), "{}", answer.text);
            }
            stage.wait_seconds(3600);
        }
        stage.stop().await;
    }

    /// What refuses a token may take longer than a voucher lasts.
    async fn a_call_that_is_made_once_more_proves_it_anew(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let egress = world.egress();
        let stage = Stage::set_with(database, std::time::Duration::from_secs(30), |setup| setup.egress = Some(egress)).await;
        stage.client().await;
        stage.connect("one").await;
        let clock = stage.server.clock.clone();
        world.answer(move |seen| match seen.header("authorization") {
            "Bearer canary-access-1" => {
                clock.advance_micros(61_000_000);
                Reply::with("401 Unauthorized", "", "")
            }
            _ => Reply::ok(&seen.head),
        });
        let answer = stage.zis.get("/broker/zis:my_integration:one/x").await.expect(200);
        let seen = world.take_seen();
        let pem = key(&stage.admin, "my_integration").await;
        let ends: Vec<_> = seen.iter().map(|seen| checked(&pem, &token(seen)).unwrap()["exp"].as_i64().unwrap()).collect();
        let now = stage.server.clock_micros() / 1_000_000;
        assert!(ends.len() == 2 && ends[0] < now && ends[1] > now, "{ends:?} {now}");
        // It is the second that is masked.
        assert!(!answer.text.contains(&token(&seen[1])) && answer.text.contains("x-zis-authorization"), "{}", answer.text);
        stage.stop().await;
    }
}
