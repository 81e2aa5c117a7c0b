//! `/api/services/zis/integrations/{integration}/connections`

use claviger_http::{Bucket, Limits, Rate};
use http::Method;
use serde_json::{Value, json};

use crate::support::zis::Zis;
use crate::support::{Answer, Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

/// The types, each with its secret, and its other member that only it has.
const TYPES: [(&str, &str, Option<&str>); 3] = [
    ("api_key", "api_key", Some("header_name")),
    ("basic_auth", "password", Some("username")),
    ("bearer_token", "token", None),
];

fn path(of: &str) -> String {
    format!("/api/services/zis/integrations/my_integration/connections/{of}")
}

fn one(of: &str, name: &str) -> String {
    format!("{}/{name}", path(of))
}

/// A body with all that a type needs.
fn body(of: &str, name: &str) -> Value {
    let (_, secret, other) = TYPES.into_iter().find(|(it, ..)| *it == of).unwrap();
    let mut body = json!({ "name": name, "allowed_domain": "api.example.com", secret: "MY_SECRET" });
    if let Some(other) = other {
        body[other] = json!("x-api-key");
    }
    body
}

/// Whoever may read and write in `my_integration`.
async fn holder(server: &TestServer) -> Zis {
    let admin = Zis::admin(server).await;
    let client = admin.integration("my_integration").await;
    Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1)
}

fn error(code: &str, title: &str) -> Value {
    json!({ "errors": [{ "code": code, "title": title }] })
}

fn titles(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["title"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn each_type_is_made_shown_changed_and_deleted(server: &TestServer) {
        let zis = holder(server).await;
        for (of, secret, other) in TYPES {
            let answer = zis.post(&path(of), &body(of, "My_Connection")).await.expect(201);
            assert!(answer.header("claviger-position").starts_with("1."));
            assert_eq!(answer.header("location"), "");
            let now = answer.json()[of]["created_at"].as_str().unwrap().to_owned();
            let mut shown = json!({ of: { "allowed_domain": "api.example.com", "created_at": now,
                "name": "My_Connection", "updated_at": now, secret: "*****" } });
            if let Some(other) = other {
                shown[of][other] = json!("x-api-key");
            }
            assert_eq!(answer.json(), shown);
            assert_eq!(zis.get(&one(of, "My_Connection")).await.expect(200).json(), shown);

            // Nothing to change leaves it as it is, whatever is said of what cannot be changed.
            server.clock.advance_micros(1_500_000);
            let same = json!({ "name": "My_Connection", "allowed_domain": "API.example.com", "created_at": "x" });
            for nothing in [json!({}), same] {
                let answer = zis.send(Method::PATCH, &one(of, "My_Connection"), Some(nothing)).await.expect(204);
                assert_eq!(answer.text, "");
            }
            assert_eq!(zis.get(&one(of, "My_Connection")).await.expect(200).json(), shown);
            let mut patch = json!({ secret: "ANOTHER_SECRET" });
            if let Some(other) = other {
                patch[other] = json!("X-Other");
                shown[of][other] = json!("X-Other");
            }
            zis.send(Method::PATCH, &one(of, "My_Connection"), Some(patch)).await.expect(204);
            let changed = zis.get(&one(of, "My_Connection")).await.expect(200).json();
            assert!(changed[of]["updated_at"].as_str().unwrap() > now.as_str());
            shown[of]["updated_at"] = changed[of]["updated_at"].clone();
            assert_eq!(changed, shown);
            server.verify_state().await;

            assert_eq!(zis.delete(&one(of, "My_Connection")).await.expect(204).text, "");
            let absent = error("NotFound", "Connection does not exist");
            for answer in [
                zis.delete(&one(of, "My_Connection")).await,
                zis.get(&one(of, "My_Connection")).await,
                zis.send(Method::PATCH, &one(of, "My_Connection"), Some(json!({}))).await,
                zis.get(&one(of, "my_connection")).await,
                zis.get(&one(of, "a")).await,
                zis.get(&one(of, "a%00b")).await,
            ] {
                assert_eq!(answer.expect(404).json(), absent);
            }
        }
        server.verify_state().await;
    }

    async fn a_name_is_one_connections_whatever_the_type(server: &TestServer) {
        let zis = holder(server).await;
        zis.post(&path("bearer_token"), &body("bearer_token", "mine")).await.expect(201);
        for (of, ..) in TYPES {
            let refused = zis.post(&path(of), &body(of, "mine")).await.expect(409).json();
            assert_eq!(refused, error("Conflict", "Resource conflict"));
        }
        // To the other types it is absent.
        for of in ["api_key", "basic_auth"] {
            zis.get(&one(of, "mine")).await.expect(404);
            zis.send(Method::PATCH, &one(of, "mine"), Some(json!({}))).await.expect(404);
            zis.delete(&one(of, "mine")).await.expect(404);
        }
        // Case matters, and a name is free once its connection is gone.
        zis.post(&path("api_key"), &body("api_key", "Mine")).await.expect(201);
        zis.delete(&one("bearer_token", "mine")).await.expect(204);
        zis.post(&path("basic_auth"), &body("basic_auth", "mine")).await.expect(201);
        server.verify_state().await;
    }

    async fn of_64_who_make_one_at_once_one_wins(server: &TestServer) {
        let zis = holder(server).await;
        let mut creates = tokio::task::JoinSet::new();
        for number in 0..64 {
            let (zis, of) = (zis.clone(), TYPES[number % TYPES.len()].0);
            creates.spawn(async move { zis.post(&path(of), &body(of, "mine")).await });
        }
        let answers = creates.join_all().await;
        let with = |status| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
        assert_eq!((with(201), with(409)), (1, 63));
        let all = zis.get(&path("all")).await.expect(200).json();
        let count: usize = TYPES.iter().map(|(of, ..)| all[*of].as_array().unwrap().len()).sum();
        assert_eq!(count, 1);
        server.verify_state().await;
    }

    async fn every_bad_member_is_named_and_no_secret_told(server: &TestServer) {
        let zis = holder(server).await;
        let long = "x".repeat(4097);
        for (body, expected) in [
            (json!({}), vec!["name is missing", "allowed_domain is missing", "header_name is missing", "api_key is missing"]),
            (
                json!({ "name": "a", "allowed_domain": "*.com", "header_name": "x-key-1", "api_key": "" }),
                vec![
                    "name must be 3 to 64 letters, digits, - and _",
                    "allowed_domain must not be a wildcard over a public suffix, below which names belong to different owners",
                    "header_name must have letters, - and _ only",
                    "api_key must not be empty",
                ],
            ),
            (
                json!({ "name": "zendesk", "allowed_domain": "https://a.example", "header_name": "Host", "api_key": "a\r\nb" }),
                vec![
                    "name must not be zendesk, which is reserved",
                    "allowed_domain must be a domain name alone, without scheme, user, port, path and blanks",
                    "api_key must not contain control characters or anything beyond ASCII",
                ],
            ),
            (json!({ "name": 1, "allowed_domain": "a.example", "header_name": "x", "api_key": long }),
                vec!["name must be a string", "api_key must not be longer than 4096 bytes"]),
            (json!([]), vec!["body must be an object"]),
        ] {
            let answer = zis.post(&path("api_key"), &body).await.expect(400);
            let told = titles(&answer);
            assert!(expected.iter().all(|title| told.iter().any(|it| it == title)), "{told:?}");
            assert!(answer.json()["errors"].as_array().unwrap().iter().all(|error| error["code"] == "BadRequest"));
        }
        let user = json!({ "name": "abc", "allowed_domain": "a.example", "username": "a:b", "password": "p\u{e4}ss\n" });
        let answer = zis.post(&path("basic_auth"), &user).await.expect(400);
        assert_eq!(titles(&answer), ["username must not contain a colon or control characters"]);
        // Live accounts have that name for the other types.
        zis.post(&path("basic_auth"), &body("basic_auth", "zendesk")).await.expect(201);

        zis.post(&path("api_key"), &body("api_key", "mine")).await.expect(201);
        let patch = json!({ "name": "other", "allowed_domain": "evil.example", "api_key": "NEW_SECRET" });
        let answer = zis.send(Method::PATCH, &one("api_key", "mine"), Some(patch)).await.expect(400);
        assert_eq!(titles(&answer), ["name cannot be changed", "allowed_domain cannot be changed"]);
        let patch = json!({ "header_name": "cookie", "api_key": 1 });
        let answer = zis.send(Method::PATCH, &one("api_key", "mine"), Some(patch)).await.expect(400);
        assert_eq!(titles(&answer).len(), 2);
        server.verify_state().await;
    }

    async fn scopes_and_integrations_are_kept_apart(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let (client, other) = (admin.integration("my_integration").await, admin.integration("other").await);
        let with = async |client, scopes: &[&str]| Zis::bearer(server, &admin.token(client, scopes).await.1);
        let (reads, writes) = (with(client, &["zis:read"]).await, with(client, &["write"]).await);
        let missing = |scope: &str| error("Forbidden", &format!("Cannot access this resource. Missing scope {scope}"));
        writes.post(&path("api_key"), &body("api_key", "mine")).await.expect(201);
        for path in [one("api_key", "mine"), path("all")] {
            reads.get(&path).await.expect(200);
            assert_eq!(writes.get(&path).await.expect(403).json(), missing("read"));
        }
        let refused = [
            reads.post(&path("api_key"), &body("api_key", "abc")).await,
            reads.send(Method::PATCH, &one("api_key", "mine"), Some(json!({}))).await,
            reads.delete(&one("api_key", "mine")).await,
            with(client, &["tickets:write"]).await.delete(&one("api_key", "mine")).await,
        ];
        for answer in refused {
            assert_eq!(answer.expect(403).json(), missing("write"));
        }
        let mismatch = error("InvalidCredentials", "Authorization failed due to integration mismatch");
        let stranger = with(other, &["read", "write"]).await;
        assert_eq!(stranger.get(&one("api_key", "mine")).await.expect(401).json(), mismatch);
        for nobodys in ["nobodys", "My_integration", "a%20b"] {
            let path = path("all").replace("my_integration", nobodys);
            assert_eq!(reads.get(&path).await.expect(401).json(), mismatch);
        }
        let refused = Zis::bearer(server, "short").get(&path("all")).await.expect(401).json();
        assert_eq!(refused, error("InvalidCredentials", "Token length is invalid"));
        assert_eq!(admin.get(&path("all")).await.expect(403).json(), error("Forbidden", "API token is not supported"));
        // The same name is another's in another integration.
        let theirs = path("bearer_token").replace("my_integration", "other");
        stranger.post(&theirs, &body("bearer_token", "mine")).await.expect(201);
        // An integration with connections stays.
        server.client().delete("/claviger/v1/zis_integrations/other").await.expect(409);
        stranger.delete(&format!("{theirs}/mine")).await.expect(204);
        server.client().delete("/claviger/v1/zis_integrations/other").await.expect(204);
        server.verify_state().await;
    }

    async fn all_connections_come_page_by_page(server: &TestServer) {
        let zis = holder(server).await;
        let empty = json!({ "api_key": [], "basic_auth": [], "bearer_token": [], "oauth": [],
            "meta": { "after": "", "before": "", "has_more": false } });
        assert_eq!(zis.get(&path("all")).await.expect(200).json(), empty);
        for (number, name) in ["aaa", "bbb", "ccc", "ddd", "eee"].into_iter().enumerate() {
            let of = TYPES[number % TYPES.len()].0;
            zis.post(&path(of), &body(of, name)).await.expect(201);
        }
        let page = async |query: &str| zis.get(&format!("{}?{query}", path("all"))).await.expect(200).json();
        let names = |page: &Value| {
            let lists = TYPES.iter().flat_map(|(of, ..)| page[*of].as_array().unwrap());
            let mut names: Vec<_> = lists.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        let meta = |page: &Value| {
            let meta = &page["meta"];
            let text = |name: &str| meta[name].as_str().unwrap().to_owned();
            (text("before"), text("after"), meta["has_more"].as_bool().unwrap())
        };
        let told = |before: &str, after: &str, has_more| (before.to_owned(), after.to_owned(), has_more);
        let first = page("page%5Bsize%5D=2").await;
        assert_eq!((names(&first), meta(&first)), (vec!["aaa".into(), "bbb".into()], told("aaa", "bbb", true)));
        assert_eq!(first["api_key"][0]["api_key"], "*****");
        let second = page("page[size]=2&page[after]=bbb").await;
        assert_eq!((names(&second), meta(&second)), (vec!["ccc".into(), "ddd".into()], told("ccc", "ddd", true)));
        let last = page("page[size]=2&page[after]=ddd").await;
        assert_eq!((names(&last), meta(&last)), (vec!["eee".into()], told("eee", "eee", false)));
        let back = page("page[size]=2&page[before]=ddd").await;
        assert_eq!((names(&back), meta(&back)), (vec!["bbb".into(), "ccc".into()], told("bbb", "ccc", true)));
        // A cursor that is nobody's any more still says where to go on.
        zis.delete(&one("basic_auth", "bbb")).await.expect(204);
        assert_eq!(names(&page("page[size]=2&page[after]=bbb").await), ["ccc", "ddd"]);
        assert_eq!(names(&page("").await).len(), 4);
        for query in ["page[size]=0", "page[size]=101", "page[size]=x", "page[after]=a&page[before]=b"] {
            zis.get(&format!("{}?{query}", path("all"))).await.expect(400);
        }
    }

    async fn a_body_that_is_no_json_is_refused(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let (_, token) = admin.token(client, &["read", "write"]).await;
        let plain = server.client_with(crate::support::Keys { bearer: Some(token), ..Default::default() });
        let answer = plain.send(Method::POST, &path("api_key"), &[], Some("{")).await.expect(400);
        assert_eq!(answer.json()["errors"][0]["code"], "BadRequest");
        let answer = plain.send(Method::PUT, &path("api_key"), &[], Some("{}")).await.expect(405);
        assert_eq!(answer.json(), error("MethodNotAllowed", "Method not allowed"));
        let large = format!("{{\"api_key\":\"{}\"}}", "x".repeat(64 * 1024));
        let answer = plain.send(Method::POST, &path("api_key"), &[], Some(large)).await.expect(413);
        assert_eq!(answer.json(), error("PayloadTooLarge", "Payload too large"));
    }
}

with_either_database! {
    async fn beyond_the_limit_is_told_in_the_services_words(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let zis = holder(&server).await;
        let admin = Zis::admin(&server).await;
        let other = admin.integration("other").await;
        let other = Zis::bearer(&server, &admin.token(other, &["read"]).await.1);
        let limits = Limits::of([(Bucket::ZIS, Rate { limit: 1, period_seconds: 60 })]);
        let server = server.halt().await.start(Setup { limits, ..Setup::default() }).await;
        let zis = zis.to(&server);
        zis.get(&path("all")).await.expect(200);
        let beyond = zis.get(&path("all")).await.expect(429);
        assert_eq!(beyond.json(), error("TooManyRequests", "Too many requests"));
        assert!(!beyond.header("retry-after").is_empty());
        // Each integration has its own share.
        other.to(&server).get(&path("all").replace("my_integration", "other")).await.expect(200);
        server.stop().await;
    }
}
