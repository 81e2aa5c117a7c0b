//! Bodies of the dialect that do not fit, made from the ones that do: refused in the service's own shape, and nothing is
//! changed.

use claviger_http::{BODY_BYTES_MAX, RouteInfo};
use http::Method;
use serde_json::{Value, json};

use super::refusals::told;
use crate::bad_input::mutations::{Mutation, MutationKind, mutations};
use crate::support::oauth::Stage;
use crate::support::sample::unique_name;
use crate::support::zis::TOKENS;
use crate::support::zis_sample::{Sample, sample};
use crate::support::{Answer, Keys, TestDatabase, with_either_database};

const CLIENT: [&str; 8] = [
    "/name",
    "/auth_url",
    "/token_url",
    "/client_id",
    "/client_secret",
    "/default_scopes",
    "/grant_type",
    "/allowed_domain",
];
const BEGINNING: [&str; 7] = [
    "/name",
    "/oauth_client_name",
    "/oauth_client_uuid",
    "/grant_type",
    "/permission_scopes",
    "/origin_oauth_redirect_url",
    "/allow_offline_access",
];

/// The members that matter to a route's body, by their places.
fn members(route: &RouteInfo) -> &'static [&'static str] {
    let of = |of: &str| route.path.contains(&format!("/connections/{of}"));
    match route.method == Method::PATCH {
        _ if of("oauth/clients") => &CLIENT,
        _ if of("oauth/start") => &BEGINNING,
        true if of("api_key") => &["/header_name", "/api_key"],
        true if of("basic_auth") => &["/username", "/password"],
        true => &["/token"],
        false if of("api_key") => &["/name", "/allowed_domain", "/header_name", "/api_key"],
        false if of("basic_auth") => &["/name", "/allowed_domain", "/username", "/password"],
        false if of("bearer_token") => &["/name", "/allowed_domain", "/token"],
        false if route.path.starts_with(TOKENS) => {
            &["/token", "/token/client_id", "/token/scopes", "/token/scopes/0"]
        }
        false => &["/description"],
    }
}

/// Whether a route takes a body that was changed so: what nobody knows is passed over.
fn is_harmless(route: &RouteInfo, Mutation { place, kind, .. }: &Mutation) -> bool {
    let is_known = place.is_empty() || members(route).contains(&place.as_str());
    let is_of = |of: &str| route.path.contains(&format!("/connections/oauth/{of}"));
    let is_change = route.method == Method::PATCH;
    match kind {
        // There, nothing is said by null, as by what is missing; of a client's members that are optional, one grant needs
        // the address for browsers.
        MutationKind::Nulled | MutationKind::Removed if is_of("start") => !["", "/name"].contains(&&**place),
        MutationKind::Nulled | MutationKind::Removed if is_of("clients") && !is_change => {
            !["", "/auth_url", "/token_url", "/client_id", "/client_secret"].contains(&&**place)
        }
        // The host of its address for tokens is meant again.
        MutationKind::Nulled if is_of("clients") => place == "/allowed_domain",
        MutationKind::Added => true,
        MutationKind::Removed => !is_known || is_change || place == "/description" || place.ends_with("/0"),
        MutationKind::Nulled => !is_known || place == "/description",
        MutationKind::Retyped => !is_known,
    }
}

/// The dialect's shapes, of which [`told`] reads the words.
#[track_caller]
fn assert_refused(about: &str, route: &RouteInfo, answer: &Answer) {
    let (status, words) = told(answer);
    let fields = if route.path.starts_with(TOKENS) { [400, 422] } else { [400, 400] };
    assert!(fields.contains(&status), "{about}: {status} {}", answer.text);
    assert!(
        !words.is_empty() && answer.header("content-type") == "application/json",
        "{about}: {}",
        answer.text
    );
    assert!(answer.text.len() < 4096, "{about}: a refusal does not give back what was sent");
}

/// A body with a name of its own, where it has one.
fn renamed(mut body: Value) -> Value {
    if body["name"].is_string() {
        body["name"] = json!(unique_name());
    }
    body
}

with_either_database! {
    async fn every_body_that_does_not_fit_is_refused_and_changes_nothing(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let Stage { server, admin, zis: holder, number: client, .. } = &stage;
        let (mut refused, mut taken) = (0, 0);
        for route in &server.zendesk_routes {
            let caller = if matches!(route.who, claviger_http::Who::Admin(_)) { admin } else { holder };
            let Sample { path, body: Some(body), success, .. } = sample(route, admin, holder, *client).await else {
                continue;
            };
            for mutation in mutations(&body) {
                let about = format!("{} {}: {}", route.method, route.path, mutation.what);
                let before = server.engine.applied();
                let sent = if is_harmless(route, &mutation) { renamed(mutation.body.clone()) } else { mutation.body.clone() };
                let answer = caller.send(route.method.clone(), &path, Some(sent)).await;
                if is_harmless(route, &mutation) {
                    assert_eq!(answer.status.as_u16(), success, "{about}: {}", answer.text);
                    taken += 1;
                } else {
                    assert_refused(&about, route, &answer);
                    assert_eq!(server.engine.applied(), before, "{about}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 330 && taken > 140, "{refused} refused, {taken} taken");
        stage.stop().await;
    }

    async fn what_is_no_json_is_refused_whatever_it_is(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let Stage { server, admin, zis: holder, number: client, .. } = &stage;
        let plain = server.client_with(Keys::default());
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let texts: [&[u8]; 12] = [b"", b"{", b"[1", b"\xff\xfe", b"{\"name\":1,}", b"nul", b"NaN", b"{}{}", b"{'name':'x'}",
            b"\xef\xbb\xbf{}", b"{\"name\":\"\\ud800\"}", deep.as_bytes()];
        let mut tried = 0;
        for route in &server.zendesk_routes {
            let caller = if matches!(route.who, claviger_http::Who::Admin(_)) { admin } else { holder };
            let Sample { path, body: Some(body), .. } = sample(route, admin, holder, *client).await else { continue };
            let before = server.engine.applied();
            let send = async |text: Vec<u8>, media: Option<&str>| {
                let authorization = ("authorization", caller.authorization().unwrap());
                let media = media.map(|media| ("content-type", media));
                let headers: Vec<_> = [authorization].into_iter().chain(media).collect();
                plain.send(route.method.clone(), &path, &headers, Some(text)).await
            };
            for text in texts {
                let about = format!("{} {}: {:?}", route.method, route.path, String::from_utf8_lossy(&text[..text.len().min(20)]));
                assert_refused(&about, route, &send(text.to_vec(), None).await);
                tried += 1;
            }
            let large = format!("{{\"x\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
            assert_eq!(told(&send(large.into_bytes(), None).await).0, 413, "{}", route.path);
            assert_eq!(server.engine.applied(), before, "{}", route.path);
            // Connections are asked for as JSON; other services never said so.
            if route.path.contains("/connections/") {
                for media in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
                    let answer = send(body.to_string().into_bytes(), Some(media)).await;
                    assert_eq!(told(&answer), (415, "UnsupportedMediaType Unsupported media type".to_owned()), "{media}");
                }
            }
            assert_eq!(server.engine.applied(), before, "{}", route.path);
        }
        assert!(tried > 130, "{tried}");
        stage.stop().await;
    }
}
