//! Connections whose secrets are exchanged for tokens: where the exchanges go, and that they go nowhere else.

use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_engine::AwsPrincipal;
use http::Method;
use serde_json::{Value, json};

use super::{Scene, with_a_world};
use crate::support::third_party::{Reply, Seen};

/// What exchanges bring; the digits keep them out of every other text.
pub(crate) const AWS_SESSION: &str = "aws-session-canary-6Kd1qX73";
pub(crate) const AZURE_TOKEN: &str = "azure-token-canary-8Rv4mT26";
pub(crate) const GCP_TOKEN: &str = "gcp-token-canary-1Yb9cF57";
pub(crate) const OAUTH_TOKEN: &str = "oauth-token-canary-3Lg6zS48";

/// What is exchanged, and what never travels.
pub(crate) const AWS_SECRET: &str = "aws-secret-canary-2Pn5jW91";
pub(crate) const AWS_OPERATOR: &str = "aws-operator-canary-7Ue3kD64";
pub(crate) const AZURE_SECRET: &str = "azure-secret-canary-5Xo2bG83";
pub(crate) const OAUTH_SECRET: &str = "oauth-secret-canary-9Iq7vH15";

/// As whom the tests' servers assume roles.
pub(crate) fn principal() -> AwsPrincipal {
    AwsPrincipal {
        principal_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        access_key_id: "AKIAOPERATOR".to_owned(),
        secret_access_key: SecretText::new(AWS_OPERATOR.to_owned()),
    }
}

pub(crate) fn aws() -> Value {
    let credentials = json!({ "type": "AWSAssumeRole", "account_id": "123456789123", "role": "MyRole" });
    json!({ "type": "AWS", "credentials": credentials })
}

pub(crate) fn azure() -> Value {
    let credentials = json!({ "type": "AzureTenant", "app_client_id": "azure-client-id", "tenant_id": "azure-tenant-id", "client_secret": AZURE_SECRET });
    json!({ "type": "Azure", "credentials": credentials })
}

/// With a key that a test of the exchange has made.
pub(crate) fn gcp() -> Value {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../exchange/tests/vectors/jwt.json")).unwrap();
    let credentials = json!({ "type": "GCPServiceAccount", "service_account_email": "a@b.iam.gserviceaccount.com", "private_key": vectors["good"][0]["pkcs8"] });
    json!({ "type": "GCP", "credentials": credentials })
}

/// How the places of exchanges answer; none for a request that is no exchange.
pub(crate) fn answer(seen: &Seen) -> Option<Reply> {
    let json = |token: &str| {
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }).to_string();
        Reply::with("200 OK", "content-type: application/json\r\n", body)
    };
    match seen.name.as_str() {
        "sts.us-east-1.amazonaws.com" => Some(Reply::with(
            "200 OK",
            "content-type: text/xml\r\n",
            format!(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIACANARY</AccessKeyId><SecretAccessKey>{AWS_SECRET}</SecretAccessKey>\
             <SessionToken>{AWS_SESSION}</SessionToken><Expiration>2026-03-04T06:06:07Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        )),
        "login.microsoftonline.com" => Some(json(AZURE_TOKEN)),
        "oauth2.googleapis.com" => Some(json(GCP_TOKEN)),
        "auth.example.com" if seen.line() == "POST /token" => Some(json(OAUTH_TOKEN)),
        _ => None,
    }
}

/// Calls through a connection, at a host.
async fn call(scene: &Scene, id: &str, host: &str) -> (u16, String) {
    let path = format!("/broker/{id}/x");
    let answer = scene.admin.send(Method::GET, &path, &[("claviger-host", host)], None::<String>).await;
    (answer.status.as_u16(), answer.header("claviger-error").to_owned())
}

with_a_world! {
    async fn an_exchange_goes_to_no_private_place(scene: &Scene) {
        scene.world.answer(|seen| answer(seen).unwrap_or_else(|| Reply::ok("ok")));
        let mut attempts = 0;
        for (integration, provider, host) in [
            (aws(), "sts.us-east-1.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com"),
            (azure(), "login.microsoftonline.com", "management.azure.com"),
            (gcp(), "oauth2.googleapis.com", "storage.googleapis.com"),
        ] {
            let id = scene.connection(&integration).await;
            for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"] {
                for answers in [vec![address], vec!["93.184.216.34", address], vec![address, "93.184.216.34"]] {
                    let before = scene.world.dialled().len();
                    scene.world.name(provider, &answers);
                    assert_eq!(call(scene, &id, host).await, (502, "exchange_unreachable".to_owned()), "{provider} {answers:?}");
                    assert_eq!(scene.world.dialled().len(), before, "{provider} {answers:?}");
                    // What failed is not asked again at once.
                    scene.server.clock.advance_micros(i64::try_from(Duration::from_secs(11).as_micros()).unwrap());
                    attempts += 1;
                }
            }
            scene.world.name(provider, &["93.184.216.34"]);
            assert_eq!(call(scene, &id, host).await.0, 200, "control of {provider}");
            let seen = scene.world.take_seen();
            assert_eq!(seen.iter().map(|seen| seen.name.as_str()).collect::<Vec<_>>(), [provider, host]);
        }
        println!("{attempts} exchanges");
    }

    /// A provider that sends the secret elsewhere is not followed.
    async fn an_exchange_follows_nobody(scene: &Scene) {
        for (integration, provider, host) in [
            (aws(), "sts.us-east-1.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com"),
            (azure(), "login.microsoftonline.com", "management.azure.com"),
            (gcp(), "oauth2.googleapis.com", "storage.googleapis.com"),
        ] {
            let id = scene.connection(&integration).await;
            for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
                for location in ["https://thief.example/token", "http://169.254.169.254/", "/elsewhere", "//thief.example/"] {
                    let line = format!("location: {location}\r\n");
                    scene.world.answer(move |_| Reply::with(status, &line, ""));
                    assert_eq!(call(scene, &id, host).await, (502, "exchange_garbage".to_owned()), "{provider} {status}");
                    let seen = scene.world.take_seen();
                    assert_eq!(seen.iter().map(|seen| seen.name.as_str()).collect::<Vec<_>>(), [provider]);
                    scene.server.clock.advance_micros(11_000_000);
                }
            }
        }
    }
}
