//! Every route of the dialect × every way in which credentials can be wrong.

use std::time::Duration;

use claviger_http::{Bucket, Limits, Rate, RouteInfo, Who};
use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{self, CALLBACK, CLIENTS, CODES, ONE};
use crate::support::people::Member;
use crate::support::provider::Provider;
use crate::support::zis::{ADMIN_SCOPES, TOKENS, Zis, basic, registry};
use crate::support::zis_sample::{Sample, sample};
use crate::support::{
    Answer, Setup, TestDatabase, TestServer, on_both_engines, tokens, with_either_database,
};

/// A server that can ask an authorization server, and the origin to which samples send browsers.
async fn start(database: TestDatabase) -> (TestServer, Provider) {
    let provider = Provider::start().await;
    let server = TestServer::start_with(database, oauth::setup(&provider, Duration::from_secs(30))).await;
    (server, provider)
}

async fn allow_origin(server: &TestServer) {
    let body = json!({ "redirect_origins": ["https://app.example.com"] });
    server.client().patch("/claviger/v1/zis_integrations/my_integration", &body).await.expect(200);
}

/// The status, and what a client reads of an error, in each service's own shape.
pub(super) fn told(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = match (&body["errors"][0]["title"], &body["errors"][0]["detail"]) {
        (Value::String(title), _) => format!("{} {title}", text(&body["errors"][0]["code"])),
        (_, Value::String(detail)) => {
            assert_eq!(body["message"], **detail);
            format!("{} {detail}", text(&body["errors"][0]["code"]))
        }
        _ => format!("{} {}", text(&body["error"]), text(&body["description"])).trim().to_owned(),
    };
    (answer.status.as_u16(), said)
}

/// What a wrong `Authorization` header is told; of a token that is good elsewhere, its length alone counts.
pub(super) fn unauthorized(route: &RouteInfo, authorization: Option<&str>) -> (u16, String) {
    if route.path.contains("/connections/") {
        let token = authorization.and_then(|it| it.strip_prefix("Bearer "));
        return match authorization {
            Some(basic) if basic.starts_with("Basic ") => {
                (403, "Forbidden API token is not supported".to_owned())
            }
            _ if token.is_some_and(|token| token.len() != 64) => {
                (401, "InvalidCredentials Token length is invalid".to_owned())
            }
            _ => (401, "InvalidCredentials Authentication failed".to_owned()),
        };
    }
    match route.path.contains("/registry/") {
        true => (401, "1001 Authentication failed".to_owned()),
        false => (401, "Couldn't authenticate you".to_owned()),
    }
}

pub(super) fn forbidden(route: &RouteInfo) -> (u16, String) {
    let code = if route.path.contains("/registry/") { "1001" } else { "Forbidden" };
    (403, format!("{code} Only admin user is allowed"))
}

with_either_database! {
    async fn every_route_refuses_all_but_those_who_may(database: TestDatabase) {
        let (server, provider) = start(database).await;
        let server = &server;
        let (admin, mine) = (Zis::admin(server).await, server.client());
        let client = admin.integration("my_integration").await;
        allow_origin(server).await;
        let personal = async |scopes: &[&str]| tokens::personal_access_token(&mine, json!(scopes)).await;
        let good = personal(&ADMIN_SCOPES).await.secret;
        let revoked = personal(&ADMIN_SCOPES).await;
        mine.delete(&format!("/api/v2/personal_access_tokens/{}", revoked.id)).await.expect(204);
        let dead = admin.token(client, &["read", "write"]).await;
        admin.delete(&format!("{TOKENS}/{}", dead.0)).await.expect(204);
        let foreign = server.client_with(crate::support::Keys::of(&server.found_another("Foreign").await));
        let foreign = tokens::personal_access_token(&foreign, json!(ADMIN_SCOPES)).await.secret;
        let keys = server.admin();
        let garbage = "0".repeat(64);
        let wrong = [
            None,
            Some("Bearer".to_owned()),
            Some(format!("Bearer {garbage}")),
            Some(format!("Bearer {}", revoked.secret)),
            Some(format!("Bearer {}", dead.1)),
            Some(format!("Bearer {foreign}")),
            Some(format!("Bearer {}", keys.application_key.unwrap())),
            Some(format!("Bearer {}", keys.api_key.unwrap())),
            Some(format!("Token {good}")),
            Some(basic(&format!("admin@example.com/token:{}", revoked.secret))),
            Some(basic(&format!("admin@example.com/token:{garbage}"))),
            Some(basic(&format!("somebody@example.com/token:{good}"))),
            Some(basic(&format!("foreign@example.com/token:{foreign}"))),
            Some(basic(&format!("admin@example.com:{good}"))),
            Some(basic(&good)),
            Some("Basic !".to_owned()),
        ];
        let (_, bound) = admin.token(client, &["read", "write"]).await;
        let holder = Zis::bearer(server, &bound);
        // Others may call, but are no admins: by a token's scopes, and by the owner's role.
        let narrow = personal(&["connections_read", "connections_write"]).await.secret;
        let member = Member::join(server, "human", &["Datadog Standard Role"], Value::Null).await;
        let standard = tokens::personal_access_token(&server.client_with(member.keys), json!(ADMIN_SCOPES)).await;
        let admins = [admin.clone(), Zis::bearer(server, &good), Zis::basic(server, "ADMIN@example.com", &good)];
        let mut seen = 0;
        for route in &server.zendesk_routes {
            let about = format!("{} {}", route.method, route.path);
            let Sample { path, body, .. } = sample(route, &admin, &holder, client).await;
            if route.who == Who::Anybody {
                // Whatever is presented beside the state is not looked at.
                for authorization in [None, wrong[2].clone(), Some(format!("Bearer {good}"))] {
                    let Sample { path, body, success, .. } = sample(route, &admin, &holder, client).await;
                    Zis::with(server, authorization).send(route.method.clone(), &path, body).await.expect(success);
                }
                seen += 1;
                continue;
            }
            let before = server.engine.applied();
            let try_with = async |zis: Zis| zis.send(route.method.clone(), &path, body.clone()).await;
            for authorization in &wrong {
                let answer = try_with(Zis::with(server, authorization.clone())).await;
                let expected = unauthorized(route, authorization.as_deref());
                assert_eq!(told(&answer), expected, "{about}: {authorization:?}");
            }
            let callers = match route.who {
                Who::Admin(_) => {
                    for other in [&narrow, &standard.secret] {
                        assert_eq!(told(&try_with(Zis::bearer(server, other)).await), forbidden(route), "{about}");
                    }
                    assert_eq!(told(&try_with(holder.clone()).await), unauthorized(route, None), "{about}");
                    admins.to_vec()
                }
                Who::Integration => {
                    for other in &admins {
                        let expected = unauthorized(route, other.authorization());
                        assert_eq!(told(&try_with(other.clone()).await), expected, "{about}");
                    }
                    vec![holder.clone()]
                }
                who => panic!("{about} is for {who:?}"),
            };
            assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
            for caller in callers {
                let Sample { path, body, success, .. } = sample(route, &admin, &holder, client).await;
                caller.send(route.method.clone(), &path, body).await.expect(success);
            }
            seen += 1;
        }
        assert_eq!(seen, 34);
        server.verify_state().await;
        drop(provider);
    }
}

on_both_engines! {

    async fn what_is_no_route_is_told_in_the_services_own_words(server: &TestServer) {
        let nobody = Zis::with(server, None);
        let answer = nobody.send(Method::PUT, &registry("a"), Some(json!({}))).await;
        assert_eq!(told(&answer), (405, "1010 Method not allowed".to_owned()));
        assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
        assert_eq!(told(&nobody.get("/api/services/zis/nothing").await), (404, "NotFound Not Found".to_owned()));
        assert_eq!(told(&nobody.get("/api/v2/oauth/nothing").await), (404, "RecordNotFound Not found".to_owned()));
        let admin = Zis::admin(server).await;
        let large = json!({ "description": "x".repeat(64 * 1024) });
        let answer = admin.post(&registry("a"), &large).await;
        assert_eq!(told(&answer), (413, "1010 Payload too large".to_owned()));
    }
}

with_either_database! {
    async fn a_limit_is_told_in_the_vendors_headers(database: TestDatabase) {
        let limits = Limits::of([(Bucket::ZIS, Rate { limit: 2, period_seconds: 60 })]);
        let server = TestServer::start_with(database, Setup { limits, ..Setup::default() }).await;
        let admin = Zis::admin(&server).await;
        // Whoever has no credential uses nothing up.
        for _ in 0..3 {
            Zis::with(&server, None).get(TOKENS).await.expect(401);
        }
        let first = admin.get(TOKENS).await.expect(200);
        let headers = |answer: &Answer| {
            let names = ["x-rate-limit", "x-rate-limit-remaining", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
            names.map(|name| answer.header(name).to_owned())
        };
        // The clock stands at seven seconds past the minute.
        assert_eq!(headers(&first), ["2", "1", "2", "1", "53"]);
        assert_eq!(first.header("x-ratelimit-limit"), "");
        admin.get(TOKENS).await.expect(200);
        let beyond = admin.get("/api/services/zis/registry/integrations").await;
        assert_eq!(told(&beyond), (429, "1010 Too many requests".to_owned()));
        assert_eq!((headers(&beyond), beyond.header("retry-after")), (["2", "0", "2", "0", "53"].map(str::to_owned), "53"));
        server.clock.advance_micros(53_000_000);
        admin.get(TOKENS).await.expect(200);
        server.stop().await;
    }
}

with_either_database! {
    /// Whatever stands in a body's members, in a path or in a query, is refused or taken, and no fault of ours.
    async fn nothing_odd_is_our_fault(database: TestDatabase) {
        let (server, provider) = start(database).await;
        let server = &server;
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        allow_origin(server).await;
        let holder = Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1);
        let odd = [
            Value::Null, json!(true), json!(-1), json!(u64::MAX), json!(1e300), json!([]), json!({}), json!([null]),
            json!(""), json!("\0"), json!("\u{feff}"), json!("\u{202e}x"), json!("x".repeat(5000)), json!("a\r\nb"),
        ];
        let mut tried = 0;
        for route in &server.zendesk_routes {
            let caller = if matches!(route.who, Who::Admin(_)) { &admin } else { &holder };
            let Sample { path, body, .. } = sample(route, &admin, &holder, client).await;
            let Some(body) = body else { continue };
            let members = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let inner = body["token"].as_object().map(|_| members(&body["token"]));
            for value in &odd {
                let mut bodies = vec![value.clone()];
                for member in members(&body) {
                    let mut changed = body.clone();
                    changed[member] = value.clone();
                    bodies.push(changed);
                }
                for member in inner.iter().flatten() {
                    let mut changed = body.clone();
                    changed["token"][member] = value.clone();
                    bodies.push(changed);
                }
                for body in bodies {
                    let answer = caller.send(route.method.clone(), &path, Some(body.clone())).await;
                    assert!(answer.status.as_u16() < 500, "{} {path} {body}: {}", route.method, answer.text);
                    tried += 1;
                }
            }
        }
        assert!(tried > 500, "{tried}");
        let connections = "/api/services/zis/integrations/my_integration/connections";
        for path in [
            format!("{connections}/all?page[after]=%00&page[size]=1"),
            format!("{connections}/all?page[before]=%ff"),
            format!("{connections}/api_key/%00"),
            format!("{connections}/api_key/{}", "x".repeat(2000)),
        ] {
            assert!(holder.get(&path).await.status.as_u16() < 500, "{path}");
        }
        for path in [format!("{TOKENS}/99999999999999999999"), format!("{TOKENS}/-1"), format!("{TOKENS}/%00.json"), format!("{TOKENS}?page=1000000000")] {
            assert!(admin.get(&path).await.status.as_u16() < 500, "{path}");
        }
        assert!(admin.post(&registry("%00"), &json!({})).await.status.as_u16() < 500);
        for path in [
            format!("{CLIENTS}/%ff"),
            format!("{CALLBACK}?state=%00&code=%ff&error=%0d%0a"),
            format!("{CODES}?verification_code=%00"),
            format!("{ONE}?name=%ff"),
            format!("{ONE}?uuid=%00"),
        ] {
            assert!(holder.get(&path).await.status.as_u16() < 500, "{path}");
        }
        server.verify_state().await;
        drop(provider);
    }
}
