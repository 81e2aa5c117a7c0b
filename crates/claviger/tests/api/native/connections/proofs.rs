//! Credentials that are exchanged for tokens are proved by the exchange, and OAuth connections by having a token.

use std::sync::Arc;

use claviger_catalog::SecretText;
use claviger_engine::AwsPrincipal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, Semaphore};

use super::calls::listed;
use super::{PATH, aws};
use crate::broker::{Scene, with_a_world};
use crate::support::oauth::{Stage, id_of};
use crate::support::provider::Mood;
use crate::support::third_party::{Reply, Seen, ThirdParty};
use crate::support::{Client, Keys, Setup, TestDatabase, tokens, with_either_database};

const JSON: &str = "content-type: application/json\r\n";
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"canary-minted-token"}"#;
const SECRET: &str = "canary~Azure.secret-0123456789";

/// What a test says: result, reason, detail, status.
async fn said(client: &Client, id: &str) -> [Value; 4] {
    let said = client.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
    ["result", "reason", "detail", "status"].map(|member| said[member].clone())
}

fn told(result: &str, reason: &str, detail: Option<&str>, status: Option<u16>) -> [Value; 4] {
    [json!(result), json!(reason), json!(detail), json!(status)]
}

async fn health(client: &Client, id: &str) -> [Value; 2] {
    let shown = client.get(&format!("{PATH}/{id}")).await.expect(200).json();
    ["status", "reason"].map(|member| shown["health"][member].clone())
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    form_urlencoded::parse(&seen.body).into_owned().collect()
}

fn azure(scopes: Option<&str>) -> Value {
    let mut credentials = json!({ "type": "AzureTenant", "tenant_id": "contoso.example", "app_client_id": "app", "client_secret": SECRET });
    if let Some(scopes) = scopes {
        credentials["custom_scopes"] = json!(scopes);
    }
    json!({ "type": "Azure", "credentials": credentials })
}

fn gcp(private_key: &str) -> Value {
    let credentials = json!({ "type": "GCPServiceAccount", "service_account_email": "ci@project.iam.gserviceaccount.com", "private_key": private_key });
    json!({ "type": "GCP", "credentials": credentials })
}

/// An RSA key of nobody's, of the vectors that the assertions are tested with.
fn private_key() -> String {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../../exchange/tests/vectors/jwt.json")).unwrap();
    vectors["good"][0]["pkcs8"].as_str().unwrap().to_owned()
}

with_a_world! {
    async fn azures_exchange_is_its_proof(scene: &Scene) {
        let id = scene.connection(&azure(None)).await;
        scene.world.answer(|_| Reply::with("200 OK", JSON, TOKEN));
        // Each time anew, though the last token would be good for an hour.
        for _ in 0..2 {
            assert_eq!(said(&scene.admin, &id).await, told("ok", "accepted", None, Some(200)));
            let seen = scene.world.only();
            assert_eq!((seen.name.as_str(), seen.line()), ("login.microsoftonline.com", "POST /contoso.example/oauth2/v2.0/token"));
            let form = form(&seen);
            let sent = |name: &str, value: &str| form.contains(&(name.to_owned(), value.to_owned()));
            assert!(sent("scope", "https://management.azure.com/.default") && sent("client_secret", SECRET), "{form:?}");
        }
        assert_eq!(health(&scene.admin, &id).await, [json!("ok"), json!("accepted")]);

        let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}"#;
        for (line, body, expected) in [
            ("401 Unauthorized", refusal, told("bad", "exchange_refused", Some("AADSTS7000222"), Some(401))),
            ("400 Bad Request", r#"{"error":"unauthorized_client"}"#, told("bad", "exchange_refused", Some("unauthorized_client"), Some(400))),
            ("500 Oops", "", told("unknown", "exchange_failed", None, Some(500))),
            ("429 Too Many Requests", "{}", told("unknown", "exchange_limited", None, None)),
            ("200 OK", "{}", told("unknown", "exchange_garbage", None, None)),
            ("302 Found", "", told("unknown", "exchange_garbage", None, None)),
        ] {
            scene.world.answer(move |_| Reply::with(line, JSON, body));
            assert_eq!(said(&scene.admin, &id).await, expected, "{line}");
            assert_eq!(health(&scene.admin, &id).await, [expected[0].clone(), expected[1].clone()]);
            assert_eq!(scene.world.take_seen().len(), 1, "{line}");
        }
        // Each is in the record like a call.
        let list = listed(&scene.admin, &id, 8).await;
        let calls = list["calls"].as_array().unwrap();
        for call in calls {
            assert_eq!([&call["method"], &call["host"], &call["path"]], ["POST", "login.microsoftonline.com", "/contoso.example/oauth2/v2.0/token"]);
            assert!(call["user"].is_string());
        }
        assert_eq!(calls.iter().filter(|call| call["status"] == 200 && call["error"].is_null()).count(), 2);
        assert_eq!(calls.iter().filter(|call| call["error"] == "exchange_refused").count(), 2);
        assert!(!list.to_string().contains("canary"), "{list}");
    }

    async fn a_scope_of_ones_own_is_asked_for(scene: &Scene) {
        let id = scene.connection(&azure(Some("https://graph.microsoft.com/.default"))).await;
        scene.world.answer(|_| Reply::with("200 OK", JSON, TOKEN));
        assert_eq!(said(&scene.admin, &id).await[0], "ok");
        let form = form(&scene.world.only());
        assert!(form.contains(&("scope".to_owned(), "https://graph.microsoft.com/.default".to_owned())), "{form:?}");
    }

    /// A token that was had before its secret was taken away says nothing of the secret; and a test takes it from nobody.
    async fn a_token_that_is_kept_proves_nothing(scene: &Scene) {
        let id = scene.connection(&azure(None)).await;
        scene.world.answer(|seen| match seen.name.as_str() {
            "login.microsoftonline.com" => Reply::with("200 OK", JSON, TOKEN),
            _ => Reply::ok("yes"),
        });
        scene.admin.get(&format!("/broker/{id}/subscriptions")).await.expect(200);
        assert_eq!(scene.world.take_seen().len(), 2);
        scene.world.answer(|seen| match seen.name.as_str() {
            "login.microsoftonline.com" => Reply::with("401 Unauthorized", JSON, r#"{"error":"invalid_client"}"#),
            _ => Reply::ok("yes"),
        });
        assert_eq!(said(&scene.admin, &id).await, told("bad", "exchange_refused", Some("invalid_client"), Some(401)));
        assert_eq!(scene.world.only().name, "login.microsoftonline.com");
        scene.admin.get(&format!("/broker/{id}/subscriptions")).await.expect(200);
        assert_eq!(scene.world.only().header("authorization"), "Bearer canary-minted-token");
    }

    async fn googles_exchange_is_its_proof(scene: &Scene) {
        let id = scene.connection(&gcp(&private_key())).await;
        scene.world.answer(|_| Reply::with("200 OK", JSON, TOKEN));
        assert_eq!(said(&scene.admin, &id).await, told("ok", "accepted", None, Some(200)));
        let seen = scene.world.only();
        assert_eq!((seen.name.as_str(), seen.line()), ("oauth2.googleapis.com", "POST /token"));
        scene.world.answer(|_| Reply::with("400 Bad Request", JSON, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#));
        assert_eq!(said(&scene.admin, &id).await, told("bad", "exchange_refused", Some("invalid_grant"), Some(400)));
        scene.world.take_seen();
        // What is no key is taken, and found out here: nobody need be asked.
        let id = scene.connection(&gcp("no key at all")).await;
        assert_eq!(said(&scene.admin, &id).await, told("bad", "exchange_unusable", None, None));
        assert_eq!(scene.world.take_seen().len(), 0);
    }

    /// What a provider says is nothing for whoever lost the right to it meanwhile.
    async fn an_exchange_is_told_only_to_whom_may_still_know(scene: &Scene) {
        let id = scene.connection(&azure(None)).await;
        let (asked, answers) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let (begun, turns) = (asked.clone(), answers.clone());
        scene.world.script(move |mut line| {
            let (begun, turns) = (begun.clone(), turns.clone());
            async move {
                let mut read = Vec::new();
                while !read.windows(13).any(|part| part == b"client_secret") {
                    if line.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                begun.notify_one();
                turns.acquire().await.unwrap().forget();
                for part in Reply::with("200 OK", JSON, TOKEN).bytes {
                    let _ = line.write_all(&part).await;
                }
            }
        });
        for (is_revoked, status) in [(false, 200), (true, 503)] {
            let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
            let caller = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
            let path = format!("{PATH}/{id}/test");
            let under_way = tokio::spawn(async move { caller.post(&path, &Value::Null).await });
            asked.notified().await;
            if is_revoked {
                scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
                scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "integration": azure(None) })).await.expect(200);
            }
            answers.add_permits(1);
            under_way.await.unwrap().expect(status);
        }
        assert_eq!(health(&scene.admin, &id).await, [Value::Null, Value::Null]);
    }

    /// The end of a connection, and the guard of addresses.
    async fn an_exchange_goes_nowhere_that_it_should_not(scene: &Scene) {
        let id = scene.connection(&azure(None)).await;
        for address in ["169.254.169.254", "10.1.2.3", "::1"] {
            scene.world.name("login.microsoftonline.com", &[address]);
            assert_eq!(said(&scene.admin, &id).await, told("unknown", "exchange_unreachable", None, None));
        }
        scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "expires_at": "2026-03-04T05:06:08Z" })).await.expect(200);
        scene.server.clock.advance_micros(3_600_000_000);
        assert_eq!(said(&scene.admin, &id).await, told("unknown", "connection_expired", None, None));
        assert_eq!((scene.world.take_seen().len(), scene.world.dialled().len()), (0, 0));
    }
}

const LENT: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>canary/wJalrXUtnFEMI/K7MDENG</SecretAccessKey>
<SessionToken>canary//////////wEXAMPLE==</SessionToken><Expiration>2026-03-04T06:06:07Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"#;

fn refused_by_sts(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>no</Message></Error></ErrorResponse>"
    )
}

with_either_database! {
    /// No test could have told that anything is wrong with what the customer did.
    async fn without_a_principal_of_its_own_the_server_cannot_tell_of_aws(database: TestDatabase) {
        let scene = Scene::start_with(database, Setup::default()).await;
        let id = scene.connection(&aws()).await;
        assert_eq!(said(&scene.admin, &id).await, told("unknown", "exchange_operator", Some("not_configured"), None));
        assert_eq!(scene.world.dialled().len(), 0);
        scene.server.stop().await;
    }

    async fn the_role_that_sts_lends_is_the_proof_of_aws(database: TestDatabase) {
        let own = AwsPrincipal {
            principal_id: "210987654321".to_owned(),
            region: "eu-west-1".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: SecretText::new("canary-operator-secret-key".to_owned()),
        };
        let scene = Scene::start_with(database, Setup { aws: Some(Arc::new(own)), ..Setup::default() }).await;
        let id = scene.connection(&aws()).await;
        let xml = |line: &'static str, body: String| move |_: &Seen| Reply::with(line, "content-type: text/xml\r\n", &body);
        scene.world.answer(xml("200 OK", LENT.to_owned()));
        assert_eq!(said(&scene.admin, &id).await, told("ok", "accepted", None, Some(200)));
        let seen = scene.world.only();
        assert_eq!((seen.name.as_str(), seen.line()), ("sts.eu-west-1.amazonaws.com", "POST /"));
        let form = form(&seen);
        assert!(form.contains(&("RoleArn".to_owned(), "arn:aws:iam::123456789012:role/deployer".to_owned())), "{form:?}");
        for (code, expected) in [
            ("AccessDenied", told("bad", "exchange_refused", Some("AccessDenied"), Some(403))),
            // Of the server's own key: no fault of the connection's.
            ("InvalidClientTokenId", told("unknown", "exchange_operator", Some("InvalidClientTokenId"), None)),
        ] {
            scene.world.answer(xml("403 Forbidden", refused_by_sts(code)));
            assert_eq!(said(&scene.admin, &id).await, expected);
        }
        assert_eq!(health(&scene.admin, &id).await, [json!("unknown"), json!("exchange_operator")]);
        let list = listed(&scene.admin, &id, 3).await;
        assert!(list["calls"].as_array().unwrap().iter().all(|call| call["host"] == "sts.eu-west-1.amazonaws.com"), "{list}");
        scene.server.verify_state().await;
        scene.server.stop().await;
    }

    async fn an_oauth_connection_is_proved_by_its_token(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let stage = Stage::set_with(database, std::time::Duration::from_secs(30), |setup| setup.egress = Some(world.egress())).await;
        stage.client().await;
        let admin = stage.server.client();
        let id = id_of(&stage.connect("one").await).to_string();
        let asked = || stage.provider.asked().len();
        let before = asked();
        // While it has one, nobody is asked.
        assert_eq!(said(&admin, &id).await, told("ok", "token_held", None, None));
        assert_eq!((asked(), health(&admin, &id).await), (before, [json!("ok"), json!("token_held")]));
        // Its last minute: another is had, and that is kept of the connection as it is with it.
        stage.wait_seconds(3600);
        assert_eq!(said(&admin, &id).await, told("ok", "token_held", None, None));
        assert_eq!((asked(), health(&admin, &id).await), (before + 1, [json!("ok"), json!("token_held")]));
        let shown = admin.get(&format!("{PATH}/{id}")).await.expect(200).json();
        assert_eq!(shown["health"]["at"], "2026-03-04T06:06:07.123456Z");
        // A renewal by whoever uses it leaves that as it is.
        stage.wait_seconds(3600);
        stage.token(id.parse().unwrap()).await.unwrap();
        assert_eq!(health(&admin, &id).await, [json!("ok"), json!("token_held")]);

        stage.wait_seconds(3600);
        stage.provider.set(Mood::Broken(500));
        assert_eq!(said(&admin, &id).await, told("unknown", "token_not_renewed", Some("provider_failed"), None));
        // What has just failed is not tried again at once.
        stage.wait_seconds(3600);
        stage.provider.set(Mood::Refusing("invalid_grant"));
        for _ in 0..2 {
            assert_eq!(said(&admin, &id).await, told("bad", "grant_refused", Some("invalid_grant"), None));
            assert_eq!(health(&admin, &id).await, [json!("bad"), json!("oauth: invalid_grant")]);
        }
        // Somebody agrees anew: nothing is known of those tokens yet.
        stage.provider.set(Mood::Good);
        stage.connect("one").await;
        assert_eq!(health(&admin, &id).await, [Value::Null, Value::Null]);
        assert_eq!(said(&admin, &id).await, told("ok", "token_held", None, None));
        stage.connect("one").await;
        assert_eq!(health(&admin, &id).await, [Value::Null, Value::Null]);

        stage.provider.set(Mood::Fleeting);
        let fleeting = id_of(&stage.connect("fleeting").await).to_string();
        stage.wait_seconds(3600);
        assert_eq!(said(&admin, &fleeting).await, told("bad", "token_over", None, None));
        assert_eq!(health(&admin, &fleeting).await, [json!("bad"), json!("token_over")]);
        stage.stop().await;
    }
}
