//! The secrets of the Zendesk dialect: of connections of every type, of OAuth clients and of integration tokens.

use std::time::Duration;

use claviger_http::{RouteInfo, Who};
use http::Method;
use serde_json::{Value, json};

use crate::oauth::Walk;
use crate::places::Places;
use crate::support::oauth::{CALLBACK, CLIENTS, CODES, ONE, REFRESH, START, query, setup, showing};
use crate::support::provider::Provider;
use crate::support::sample::unique_name;
use crate::support::zis::{ADMIN_SCOPES, TOKENS, Zis, basic, registry};
use crate::support::zis_sample::{INTEGRATION, sample};
use crate::support::{Answer, Keys, Setup, TestDatabase, TestServer, tokens, with_either_database};
use crate::{Answers, Canaries, log, random_text};

const TYPES: [&str; 3] = ["api_key", "basic_auth", "bearer_token"];

fn path(of: &str) -> String {
    format!("/api/services/zis/integrations/{INTEGRATION}/connections/{of}")
}

/// A body for any type.
fn body(name: &str, secret: &str) -> Value {
    json!({ "name": name, "allowed_domain": "api.example.com", "header_name": "x-api-key", "api_key": secret,
        "username": "ada", "password": secret, "token": secret })
}

/// Bodies with a secret where none has a place, and where it has one beside what is wrong.
fn misplaced(of: &str, secret: &str) -> Vec<Value> {
    let mut wrong = vec![json!(secret), json!([secret]), json!({ secret: secret })];
    for member in ["name", "allowed_domain", "header_name", "api_key", "username", "password", "token"] {
        for value in [
            // Alone, it could be a name, and names are shown.
            json!(format!("{secret} ")),
            json!([secret]),
            json!({ secret: secret }),
            json!(format!("{secret}\r\n{secret}")),
            json!(format!("https://{secret}@example.com/")),
            json!(format!("*.{secret}")),
            json!(secret.repeat(200)),
        ] {
            let mut body = body("A Bad Name", secret);
            body[member] = value;
            wrong.push(body);
        }
    }
    if of == "api_key" {
        let mut reserved = body("zendesk", secret);
        reserved[secret] = json!(secret);
        wrong.push(reserved);
    }
    wrong
}

/// What the registry and the tokens' service show once, and where an OAuth connection is begun.
pub(crate) fn note_shown(about: &str, answer: &Answer, canaries: &mut Canaries) -> Vec<String> {
    let shown = answer.json();
    let text = |pointer: &str| shown.pointer(pointer).and_then(Value::as_str);
    let once = ["/zendesk_oauth_client/secret", "/token/full_token"].into_iter().filter_map(text);
    let once = once.filter(|it| !it.starts_with('*')).map(str::to_owned);
    let way = query(text("/redirect_url").unwrap_or_default()).into_iter();
    let way = way.filter(|(name, _)| ["state", "verification_code"].contains(&name.as_str()));
    let found: Vec<_> = once.chain(way.map(|(_, value)| value)).collect();
    found.iter().for_each(|secret| canaries.add(about, secret));
    found
}

/// Whether an answer of a route may hold a secret: those that make one.
fn may_show(route: &RouteInfo) -> bool {
    route.method == Method::POST
        && (matches!(route.who, Who::Admin(_)) || route.path.contains("/connections/oauth/start/"))
}

/// Keeps all of an answer but what its route has to show.
fn keep(route: &RouteInfo, answer: &Answer, canaries: &mut Canaries, answers: &mut Answers) {
    let about = format!("{} {}", route.method, route.path);
    let shown = match answer.status.is_success() && may_show(route) {
        true => note_shown(&about, answer, canaries),
        false => Vec::new(),
    };
    answers.keep_but(&about, answer, &shown);
}

async fn live(server: &TestServer, canaries: &mut Canaries, answers: &mut Answers) -> Zis {
    let mine = server.client();
    let personal = tokens::personal_access_token(&mine, json!(ADMIN_SCOPES)).await.secret;
    canaries.add("an admin's token", &personal);
    let admin = Zis::bearer(server, &personal);
    let made = admin.post(&registry(INTEGRATION), &json!({})).await.expect(200);
    note_shown("an OAuth client", &made, canaries);
    let origins = json!({ "redirect_origins": ["https://app.example.com"] });
    mine.patch(&format!("/claviger/v1/zis_integrations/{INTEGRATION}"), &origins).await.expect(200);
    let client = made.json()["zendesk_oauth_client"]["id"].as_i64().unwrap();
    let mut token = async |client, scopes: &[&str]| {
        let (number, token) = admin.token(client, scopes).await;
        canaries.add("an integration token", &token);
        (number, token)
    };
    let (_, own) = token(client, &["read", "write"]).await;
    let (number, dead) = token(client, &["read", "write"]).await;
    let (_, narrow) = token(client, &[]).await;
    let other = admin.integration("other").await;
    let (_, of_other) = token(other, &["read", "write"]).await;
    admin.delete(&format!("{TOKENS}/{number}")).await.expect(204);
    let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
    let foreign = tokens::personal_access_token(&foreign, json!(ADMIN_SCOPES)).await.secret;
    canaries.add("another org's token", &foreign);
    let holder = Zis::bearer(server, &own);
    // What is mistyped, or stands in the wrong place, is as good as the secret.
    let mut strangers = vec![Zis::with(server, None)];
    for secret in [&personal, &own, &dead, &narrow, &of_other, &foreign] {
        let forms = [
            format!("Bearer {secret}"),
            format!("Bearer {secret}!"),
            format!("Token {secret}"),
            secret.clone(),
            basic(secret),
            basic(&format!("admin@example.com/token:{secret}")),
            basic(&format!("{secret}/token:{secret}")),
            basic(&format!("admin@example.com:{secret}")),
        ];
        strangers.extend(forms.map(|form| Zis::with(server, Some(form))));
    }
    let anybody = Zis::with(server, None);
    for route in &server.zendesk_routes {
        let about = format!("{} {}", route.method, route.path);
        let right = match route.who {
            Who::Admin(_) => &admin,
            Who::Anybody => &anybody,
            _ => &holder,
        };
        let one = sample(route, &admin, &holder, client).await;
        one.secrets.iter().for_each(|secret| canaries.add(&about, secret));
        for stranger in &strangers {
            let answer = stranger.send(route.method.clone(), &one.path, one.body.clone()).await;
            keep(route, &answer, canaries, answers);
        }
        let one = sample(route, &admin, &holder, client).await;
        one.secrets.iter().for_each(|secret| canaries.add(&about, secret));
        let answer = right.send(route.method.clone(), &one.path, one.body).await.expect(one.success);
        keep(route, &answer, canaries, answers);
    }
    for of in TYPES {
        each_type(of, &holder, canaries, answers).await;
    }
    around(server, &admin, &holder, &own, canaries, answers).await;
    holder
}

/// A connection made, shown, changed, listed and half of them deleted, and everything wrong in between.
async fn each_type(of: &str, holder: &Zis, canaries: &mut Canaries, answers: &mut Answers) {
    for is_deleted in [false, true] {
        let (name, first, second) = (unique_name(), random_text(), random_text());
        canaries.add(&format!("{of}, made"), &first);
        canaries.add(&format!("{of}, changed"), &second);
        let one = format!("{}/{name}", path(of));
        let made = body(&name, &first);
        answers.keep(of, &holder.post(&path(of), &made).await.expect(201));
        answers.keep(of, &holder.post(&path(of), &made).await.expect(409));
        answers.keep(of, &holder.get(&one).await.expect(200));
        let change = json!({ "api_key": second, "password": second, "token": second });
        answers.keep(of, &holder.send(Method::PATCH, &one, Some(change)).await.expect(204));
        for of in ["all", "all?page[size]=1"] {
            answers.keep(of, &holder.get(&path(of)).await.expect(200));
        }
        let secret = random_text();
        canaries.add(&format!("{of}, misplaced"), &secret);
        for wrong in misplaced(of, &secret) {
            answers.keep(of, &holder.post(&path(of), &wrong).await.expect(400));
            let mut wrong = wrong;
            if let Some(members) = wrong.as_object_mut() {
                members.insert("name".to_owned(), json!([secret]));
            }
            answers.keep(of, &holder.send(Method::PATCH, &one, Some(wrong)).await.expect(400));
        }
        if is_deleted {
            answers.keep(of, &holder.delete(&one).await.expect(204));
        }
    }
}

/// Secrets in paths, in queries, in hosts and in what is no JSON.
async fn around(
    server: &TestServer,
    admin: &Zis,
    holder: &Zis,
    own: &str,
    canaries: &mut Canaries,
    answers: &mut Answers,
) {
    let secret = random_text();
    canaries.add("a secret beside bodies", &secret);
    for text in [secret.as_str(), own] {
        for path in [
            format!("{}/{text}", path("api_key")),
            format!("{}/{text}", path("nothing")),
            format!("{}?page[size]={text}", path("all")),
            format!("{}?page[after]={text}&page[before]={text}", path("all")),
            path("all").replace(INTEGRATION, text),
            format!("{}?token={text}", path("basic_auth")),
            format!("{TOKENS}/{text}"),
            format!("{TOKENS}?page={text}"),
            registry(&text.to_uppercase()),
            format!("/api/services/zis/{text}"),
            format!("/claviger/v1/zis_integrations/{text}"),
            CLIENTS.replace(INTEGRATION, text),
            format!("{CLIENTS}/{text}"),
            START.replace(INTEGRATION, text),
            format!("{CALLBACK}?state={text}&code={text}"),
            format!("{CALLBACK}?state={text}&error={text}&{text}={text}"),
            format!("{CODES}?verification_code={text}"),
            format!("{ONE}?name={text}"),
            format!("{ONE}?uuid={text}"),
            format!("{REFRESH}?name={text}&{text}={text}"),
        ] {
            for method in [Method::GET, Method::POST, Method::DELETE, Method::PATCH, Method::PUT] {
                for zis in [admin, holder, &holder.at(&format!("{text}.example"))] {
                    let answer = zis.send(method.clone(), &path, Some(json!({ text: text }))).await;
                    // A cursor may be any name, and what is passed over is not told.
                    answers.keep("a path", &answer);
                }
            }
        }
    }
    let plain = server.client_with(Keys { bearer: Some(own.to_owned()), ..Keys::default() });
    for text in [
        format!("{{\"api_key\": \"{secret}"),
        format!("{{\"{secret}\": {secret}}}"),
        format!("{{\"name\": \"{secret}\", \"name\": \"{secret}\"}}"),
        secret.clone(),
        format!("\"{secret}\""),
    ] {
        for of in TYPES {
            let answer = plain.send(Method::POST, &path(of), &[], Some(text.clone())).await.expect(400);
            answers.keep("a body", &answer);
        }
    }
    for body in [
        json!({ "token": secret }),
        json!({ "token": { "client_id": secret, "scopes": [secret, 1] } }),
        json!({ "token": { "client_id": 1, "scopes": [format!("{secret} x")] } }),
        json!({ "token": { secret.as_str(): secret } }),
    ] {
        answers.keep("a token's body", &admin.post(TOKENS, &body).await.expect(422));
    }
    let described = json!({ "description": [secret], secret.as_str(): secret });
    answers.keep("a description", &admin.post(&registry("described"), &described).await.expect(400));
}

with_either_database! {
    async fn no_secret_of_the_zendesk_dialect_is_told_logged_or_stored(database: TestDatabase) {
        log();
        let (mut canaries, mut answers, mut places) = (Canaries::default(), Answers::default(), Places::default());
        let provider = Provider::start().await;
        let asking = || setup(&provider, Duration::from_secs(30));
        let server = TestServer::start_with(database, asking()).await;
        let holder = live(&server, &mut canaries, &mut answers).await;
        let mut walk = Walk::new(&server, &provider, &holder, &mut canaries, &mut answers);
        walk.go().await;
        let under_way = walk.leave_under_way().await;
        places.keep(&server).await;
        let server = places.keep_over_a_start(server, Setup { zendesk: showing(), ..asking() }).await;
        let holder = holder.to(&server);
        answers.keep("another start", &holder.get(&path("all")).await.expect(200));
        let later = random_text();
        canaries.add("made after another start", &later);
        answers.keep("another start", &holder.post(&path("api_key"), &body("later", &later)).await.expect(201));
        Walk::new(&server, &provider, &holder, &mut canaries, &mut answers).end(under_way).await;
        places.keep(&server).await;
        crate::oauth::note_asked(&provider, &mut canaries);

        assert!(canaries.secrets.len() > 150, "{}", canaries.secrets.len());
        assert!(answers.0.len() > 3000, "{}", answers.0.len());
        let pattern = path("api_key").replace(INTEGRATION, "{integration}");
        places.assert_clean(&canaries, &answers, &[&pattern, CALLBACK]);
        server.verify_state().await;
        server.stop().await;
    }
}
