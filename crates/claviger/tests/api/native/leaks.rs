//! `/claviger/v1/leaks`: who holds a secret may report it.

use claviger_vault::sha256_hex;
use http::Method;
use serde_json::{Value, json};

use crate::support::sample::{self, Made, api_key, application_key};
use crate::support::{Answer, Client, Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/claviger/v1/leaks";
const MINUTE: i64 = 60 * 1_000_000;

/// Somebody whom nobody knows.
fn stranger(server: &TestServer) -> Client {
    server.client_with(Keys::default())
}

async fn report(server: &TestServer, secret: &str) -> Answer {
    let url = format!("https://paste.example.com/x?q={secret}");
    stranger(server).post(PATH, &json!({ "secret": secret, "source": "a scanner", "url": url })).await
}

async fn is_alive(server: &TestServer, made: &Made) -> bool {
    let answer =
        stranger(server).send(Method::GET, "/verify", &[("x-api-key", &made.secret)], None::<String>).await;
    match answer.status.as_u16() {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

on_both_engines! {
    async fn a_reported_key_is_dead_when_the_report_is_answered(server: &TestServer) {
        let admin = server.client();
        for made in [api_key(&admin).await, application_key(&admin, Value::Null).await] {
            assert!(is_alive(server, &made).await);
            report(server, &made.secret).await.expect(200);
            assert!(!is_alive(server, &made).await);
        }
    }

    async fn a_secret_that_was_replaced_stands_for_its_key_until_its_grace_is_over(server: &TestServer) {
        let admin = server.client();
        let (early, late) = (api_key(&admin).await, api_key(&admin).await);
        let rotate = async |made: &Made| {
            let path = format!("/claviger/v1/api_keys/{}/rotate", made.id);
            let rotated = admin.post(&path, &json!({ "grace_seconds": 60 })).await.expect(200).json();
            Made { id: made.id.clone(), secret: rotated["secret"].as_str().unwrap().to_owned() }
        };
        let (newer_of_early, newer_of_late) = (rotate(&early).await, rotate(&late).await);
        report(server, &early.secret).await.expect(200);
        assert!(!is_alive(server, &early).await && !is_alive(server, &newer_of_early).await);
        server.clock.advance_micros(MINUTE);
        report(server, &late.secret).await.expect(200);
        assert!(!is_alive(server, &late).await && is_alive(server, &newer_of_late).await);
    }

    async fn an_answer_does_not_tell_whether_there_was_such_a_key(server: &TestServer) {
        let admin = server.client();
        let (known, revoked) = (api_key(&admin).await, api_key(&admin).await);
        admin.delete(&format!("/api/v2/api_keys/{}", revoked.id)).await.expect(204);
        let shape = |answer: Answer| {
            let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            (answer.status, names, answer.text)
        };
        let expected = shape(report(server, &known.secret).await.expect(200));
        for secret in [&known.secret, &revoked.secret, "0123456789abcdef0123456789abcdee", "x"] {
            assert_eq!(shape(report(server, secret).await), expected);
        }
        assert_eq!(expected.2, r#"{"status":"received"}"#);
    }

    async fn a_leak_shows_at_its_key(server: &TestServer) {
        let admin = server.client();
        admin.patch("/claviger/v1/org", &json!({ "leaks": "mark" })).await.expect(200);
        let (key, whole, other) =
            (api_key(&admin).await, application_key(&admin, Value::Null).await, api_key(&admin).await);
        let mut leaks = Vec::new();
        for (made, paths) in [
            (&key, vec!["/api/v2/api_keys"]),
            (&whole, vec!["/api/v2/application_keys", "/api/v2/current_user/application_keys"]),
        ] {
            report(server, &made.secret).await.expect(200);
            // Marked, and alive; told again, it is marked once.
            assert!(is_alive(server, made).await);
            let before = server.engine.applied();
            report(server, &made.secret).await.expect(200);
            assert_eq!(server.engine.applied(), before);
            for path in paths {
                let list = admin.get(path).await.expect(200).json();
                let items = list["data"].as_array().unwrap();
                let related = |id: &str| items.iter().find(|item| item["id"] == id).unwrap()["relationships"]["leak_information"]["data"].clone();
                let leak = related(&made.id);
                assert_eq!(leak["type"], "leaked_keys");
                assert!(items.iter().filter(|item| item["relationships"]["leak_information"]["data"].is_null()).count() >= 1);
                let expected = json!({
                    "type": "leaked_keys",
                    "id": leak["id"],
                    "attributes": {
                        "date": "2026-03-04T05:06:07.123456+00:00",
                        "leak_source": "https://paste.example.com/x?q=[secret]",
                    },
                });
                assert_eq!(list["included"], json!([expected]));
                let one = admin.get(&format!("{path}/{}", made.id)).await.expect(200).json();
                assert_eq!(one["data"]["relationships"]["leak_information"]["data"], leak);
                assert!(one["included"].as_array().unwrap().contains(&expected));
                leaks.push(leak["id"].clone());
            }
        }
        let one = admin.get(&format!("/api/v2/api_keys/{}", other.id)).await.expect(200).json();
        assert_eq!((one.get("included"), &one["data"]["relationships"]["leak_information"]["data"]), (None, &Value::Null));
        assert_eq!(leaks[1], leaks[2]);
        // From when the org wants it, what was only marked dies by the next report, and stays marked.
        admin.patch("/claviger/v1/org", &json!({ "leaks": "revoke" })).await.expect(200);
        report(server, &key.secret).await.expect(200);
        assert!(!is_alive(server, &key).await);
        let dead = admin.get(&format!("/api/v2/api_keys/{}", key.id)).await.expect(200).json();
        assert_eq!(dead["data"]["attributes"]["status"], "revoked");
        assert_eq!(dead["data"]["relationships"]["leak_information"]["data"]["id"], leaks[0]);
    }

    async fn even_the_last_api_key_dies(server: &TestServer) {
        let keys = server.admin();
        let last = keys.api_key.clone().unwrap();
        report(server, &last).await.expect(200);
        server.client().get("/api/v1/validate").await.expect(403);
        // An application key alone still is who it was, so that an org is not lost with its last API key.
        let bearer = Keys { bearer: keys.application_key, ..Keys::default() };
        server.client_with(bearer).get("/claviger/v1/org").await.expect(200);
    }

    async fn an_address_reports_so_often_and_no_more(server: &TestServer) {
        let known = api_key(&server.client()).await;
        for number in 0..60 {
            report(server, &format!("{number:032x}")).await.expect(200);
        }
        let refused = report(server, &known.secret).await.expect(429);
        assert_eq!(refused.text, r#"{"errors":[{"code":"rate_limited","detail":"Rate limit exceeded"}]}"#);
        assert!(is_alive(server, &known).await);
        server.clock.advance_micros(MINUTE);
        report(server, &known.secret).await.expect(200);
        assert!(!is_alive(server, &known).await);
    }

    async fn every_fault_of_a_report_is_named(server: &TestServer) {
        let body = json!({ "secret": "a b", "source": "", "url": 1, "who": "me" });
        let errors = stranger(server).post(PATH, &body).await.expect(400).json()["errors"].clone();
        let fields: Vec<_> = errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["secret", "source", "url", "who"]);
        for body in [json!({}), json!({ "secret": "" }), json!({ "secret": "x".repeat(513) })] {
            stranger(server).post(PATH, &body).await.expect(400);
        }
    }

    async fn what_github_found_is_revoked_if_github_signed_it(server: &TestServer) {
        let admin = server.client();
        let made = api_key(&admin).await;
        let item = |token: &str| json!({ "token": token, "type": "claviger_api_key", "url": "https://github.com/o/r/blob/x", "source": "commit" });
        let unknown = "0123456789abcdef0123456789abcdee";
        let body = json!([item(&made.secret), item(unknown)]).to_string();
        let path = format!("{PATH}/github");
        let send = async |headers: &[(&str, &str)], body: String| {
            stranger(server).send(Method::POST, &path, headers, Some(body)).await
        };
        let identifier = ("github-public-key-identifier", "test");
        let signature = github::sign(&body);
        // Nobody's word but GitHub's.
        for headers in [
            vec![],
            vec![identifier],
            vec![("github-public-key-identifier", "other"), ("github-public-key-signature", signature.as_str())],
            vec![identifier, ("github-public-key-signature", sample::GITHUB_SIGNATURE)],
            vec![identifier, ("github-public-key-signature", "AAAA")],
        ] {
            let refused = send(&headers, body.clone()).await.expect(401);
            assert_eq!(refused.json()["errors"][0]["code"], "bad_signature");
        }
        let signed = [identifier, ("github-public-key-signature", signature.as_str())];
        send(&signed, body.replace("commit", "commits")).await.expect(401);
        assert!(is_alive(server, &made).await);

        let feedback = |token: &str, label: &str| json!({
            "token_hash": sha256_hex(token.as_bytes()), "token_type": "claviger_api_key", "label": label,
        });
        let expected = json!([feedback(&made.secret, "true_positive"), feedback(unknown, "false_positive")]);
        let answer = send(&signed, body.clone()).await.expect(200);
        assert_eq!(answer.json(), expected);
        assert!(!answer.text.contains(&made.secret));
        assert!(!is_alive(server, &made).await);
        // Told again, it is as true as before.
        assert_eq!(send(&signed, body).await.expect(200).json(), expected);
        let shown = admin.get(&format!("/api/v2/api_keys/{}", made.id)).await.expect(200).json();
        assert_eq!(shown["included"][0]["attributes"]["leak_source"], "https://github.com/o/r/blob/x");

        for body in ["", "{}", "[1]", r#"[{"token":"x"}]"#, r#"[{"token":1,"type":"t"}]"#] {
            let signature = github::sign(body);
            let signed = [identifier, ("github-public-key-signature", signature.as_str())];
            send(&signed, body.to_owned()).await.expect(400);
        }
        let large = " ".repeat(1024 * 1024 + 1);
        send(&signed, large).await.expect(413);
    }

    async fn strangers_try_signatures_so_often_and_no_more(server: &TestServer) {
        let path = format!("{PATH}/github");
        let route = server.routes.iter().find(|route| route.path == path).unwrap();
        for _ in 0..60 {
            stranger(server).post(&path, &json!([])).await.expect(401);
        }
        stranger(server).post(&path, &json!([])).await.expect(429);
        // What is signed goes on.
        let sample = sample::sample(route, &server.client()).await;
        sample::send(route, &sample, &stranger(server)).await.expect(200);
    }
}

/// GitHub's part, with the private half of the test's key.
mod github {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{KeyPair, SigningKey};

    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaz8uPuHvwi3oDHp8
+85+GRWcGBAqLnUswvcO+PA11fShRANCAAQd6K+L8gQXRdVIZyQxetCW6Ti9Yaiy
G7lllFYFt08YRLp8laHItMOeL6G9wIQZR0R99HpoptT7s80h5ehzQ6W3
-----END PRIVATE KEY-----
";

    pub(super) fn sign(body: &str) -> String {
        STANDARD.encode(KeyPair::from_pem(PRIVATE).unwrap().sign(body.as_bytes()).unwrap())
    }
}
