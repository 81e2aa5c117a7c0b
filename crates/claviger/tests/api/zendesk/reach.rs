//! Every route of the dialect × credentials that are good, but not here: another integration's, another org's, those
//! of people who lost what they had. What each says is in [`super::refusals`]; here is who is kept from what.

use std::time::Duration;

use claviger_http::{Bucket, Limits, Rate, RouteInfo, Who};
use claviger_zendesk::Options;
use http::Method;
use serde_json::{Value, json};

use super::refusals::{forbidden, told, unauthorized};
use crate::support::oauth::{
    APP, CALLBACK, CODES, ONE, START, Stage, client_body, make_client, query, setup,
};
use crate::support::people::{self, Member};
use crate::support::provider::{CODE, Provider};
use crate::support::sample::unique_name;
use crate::support::zis::{ADMIN_SCOPES, TOKENS, Zis};
use crate::support::zis_sample::{INTEGRATION, Sample, sample};
use crate::support::{
    Answer, Keys, Setup, TestDatabase, TestServer, sample as samples, tokens, with_either_database,
};

const HOST: &str = "first.claviger.example";
const OTHER_HOST: &str = "second.claviger.example";

/// What becomes of a request whose credentials are not the right ones.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// The credentials are nobody's here.
    Unknown,
    /// A token of the org, but another integration's.
    Mismatch,
    /// A token of the integration without the scope that the method needs.
    Scopeless,
    /// Somebody of the org, who is no admin.
    NoAdmin,
    /// It is done.
    Done,
}

/// Somebody, and what becomes of their requests within the integration, to the token that they present, and as an admin.
struct Stranger {
    name: &'static str,
    zis: Zis,
    fates: [Fate; 3],
}

fn place(route: &RouteInfo) -> usize {
    match (route.who, route.path.contains("{integration}")) {
        (Who::Integration, true) => 0,
        (Who::Integration, false) => 1,
        (Who::Admin(_), _) => 2,
        (who, _) => panic!("{} is for {who:?}", route.path),
    }
}

fn expected(route: &RouteInfo, stranger: &Stranger) -> Option<(u16, String)> {
    Some(match stranger.fates[place(route)] {
        Fate::Unknown => unauthorized(route, stranger.zis.authorization()),
        Fate::Mismatch => {
            (401, "InvalidCredentials Authorization failed due to integration mismatch".to_owned())
        }
        Fate::Scopeless => {
            // What is finished by a code is made, whatever the method.
            let is_read = route.method == Method::GET && !route.path.contains("/access_codes/");
            let scope = if is_read { "read" } else { "write" };
            (403, format!("Forbidden Cannot access this resource. Missing scope {scope}"))
        }
        Fate::NoAdmin => forbidden(route),
        Fate::Done => return None,
    })
}

/// Two orgs at their hosts, each with an integration of the same name.
struct World {
    server: TestServer,
    provider: Provider,
    admin: Zis,
    client: i64,
    holder: Zis,
    strangers: Vec<Stranger>,
    /// The other org's admin and holder, at their own host.
    others: (Zis, Zis),
}

impl World {
    async fn build(database: TestDatabase) -> Self {
        let zendesk = Options::under("claviger.example").unwrap();
        let zendesk = zendesk.with_public_url("https://zis.claviger.example").unwrap();
        let provider = Provider::start().await;
        let asking = setup(&provider, Duration::from_secs(30));
        let server = TestServer::start_with(database, Setup { zendesk, ..asking }).await;
        let mine = server.client();
        let second = server.found_another("Second").await;
        for (org, subdomain) in [(server.founded.org, "first"), (second.org, "second")] {
            let body = json!({ "subdomain": subdomain });
            mine.patch(&format!("/claviger/v1/orgs/{org}"), &body).await.expect(200);
        }
        let admin = Zis::admin(&server).await.at(HOST);
        let client = admin.integration(INTEGRATION).await;
        let (_, token) = admin.token(client, &["read", "write"]).await;
        let bearer = |token: &str| Zis::bearer(&server, token).at(HOST);
        let holder = bearer(&token);

        let personal = async |keys: Keys| {
            tokens::personal_access_token(&server.client_with(keys), json!(ADMIN_SCOPES)).await.secret
        };
        let theirs = personal(Keys::of(&second)).await;
        let their_admin = Zis::bearer(&server, &theirs).at(OTHER_HOST);
        let their_client = their_admin.integration(INTEGRATION).await;
        let (_, their_token) = their_admin.token(their_client, &["read", "write"]).await;
        let their_holder = Zis::bearer(&server, &their_token).at(OTHER_HOST);
        let origins = json!({ "redirect_origins": ["https://app.example.com"] });
        for native in [&mine, &server.client_with(Keys::of(&second))] {
            native.patch(&format!("/claviger/v1/zis_integrations/{INTEGRATION}"), &origins).await.expect(200);
        }

        let mut strangers = Vec::new();
        let mut add = |name, zis: Zis, fates| strangers.push(Stranger { name, zis, fates });
        use Fate::{Done, Mismatch, NoAdmin, Scopeless, Unknown};
        add("the other org's token", bearer(&their_token), [Unknown; 3]);
        add("the other org's admin", bearer(&theirs), [Unknown; 3]);
        let their_basic = Zis::basic(&server, "second@example.com", &theirs).at(HOST);
        add("the other org's admin by address", their_basic, [Unknown; 3]);
        add("a token at the other org's host", holder.at(OTHER_HOST), [Unknown; 3]);
        add("an admin at the other org's host", admin.at(OTHER_HOST), [Unknown; 3]);

        let other = admin.integration("other").await;
        add(
            "another integration's token",
            bearer(&admin.token(other, &["read", "write"]).await.1),
            [Mismatch, Done, Unknown],
        );
        let gone = admin.integration("gone").await;
        let (_, of_gone) = admin.token(gone, &["read", "write"]).await;
        mine.delete("/claviger/v1/zis_integrations/gone").await.expect(204);
        add("a deleted integration's token", bearer(&of_gone), [Unknown; 3]);
        for scopes in [&[][..], &["READ", "WRITE"], &["tickets:read", "zis:*"]] {
            let (_, token) = admin.token(client, scopes).await;
            add("a token whose scopes mean nothing", bearer(&token), [Scopeless, Done, Unknown]);
        }

        // Admins until something was done about them: a role taken, a person disabled, a machine disabled.
        let role = people::built_in_role(&mine, "Datadog Admin Role").await;
        for (name, kind, fates) in [
            ("a demoted admin", "human", [[Unknown, Unknown, NoAdmin], [Scopeless, Done, Unknown]]),
            ("a disabled admin", "human", [[Unknown; 3]; 2]),
            ("an admin who was enabled again", "human", [[Unknown; 3]; 2]),
        ] {
            let member = Member::join(&server, kind, &["Datadog Admin Role"], Value::Null).await;
            let own = personal(member.keys.clone()).await;
            let (_, token) = bearer(&own).token(client, &["read", "write"]).await;
            bearer(&own).get(TOKENS).await.expect(200);
            bearer(&token).get(&format!("{TOKENS}/current")).await.expect(200);
            let user = format!("/api/v2/users/{}", member.id);
            if name.contains("demoted") {
                let body = json!({ "data": { "type": "users", "id": member.id } }).to_string();
                mine.send(Method::DELETE, &format!("/api/v2/roles/{role}/users"), &[], Some(body))
                    .await
                    .expect(200);
            } else {
                mine.delete(&user).await.expect(204);
            }
            if name.contains("again") {
                let body = json!({ "data": { "type": "users", "id": member.id, "attributes": { "disabled": false } } });
                mine.patch(&user, &body).await.expect(200);
            }
            add(name, bearer(&own), fates[0]);
            add("the token that they made", bearer(&token), fates[1]);
        }

        // Machines are admins by their tokens, as far as these say so.
        let roles = json!([{ "type": "roles", "id": role }]);
        let account = tokens::service_account(&mine, roles.clone()).await;
        let good = tokens::service_access_token(&mine, &account, json!(ADMIN_SCOPES)).await;
        add("a service account", bearer(&good.secret), [Unknown, Unknown, Done]);
        let narrow = tokens::service_access_token(&mine, &account, json!(ADMIN_SCOPES[1..])).await;
        add("a narrow service account", bearer(&narrow.secret), [Unknown, Unknown, NoAdmin]);
        let closed = tokens::service_account(&mine, roles).await;
        let of_closed = tokens::service_access_token(&mine, &closed, json!(ADMIN_SCOPES)).await;
        mine.delete(&format!("/api/v2/users/{closed}")).await.expect(204);
        add("a disabled service account", bearer(&of_closed.secret), [Unknown; 3]);
        let native = samples::native_key(&mine, &json!({ "name": "Native" })).await;
        add("a native key", bearer(&native.secret), [Unknown; 3]);
        let expiring = tokens::personal_access_token(&mine, json!(ADMIN_SCOPES)).await;
        let ends = json!({ "expires_at": "2026-03-05T06:06:08Z" });
        mine.patch(&format!("/claviger/v1/tokens/{}", expiring.id), &ends).await.expect(200);
        server.clock.advance_micros(25 * 3_600_000_000 + 2_000_000);
        add("an admin whose token ended", bearer(&expiring.secret), [Unknown; 3]);
        server.verify_state().await;
        Self { server, provider, admin, client, holder, strangers, others: (their_admin, their_holder) }
    }

    async fn disable_the_other(&self) {
        let mine = self.server.client();
        let orgs = mine.get("/claviger/v1/orgs").await.expect(200).json();
        let second = orgs["orgs"].as_array().unwrap().iter().find(|org| org["name"] == "Second").unwrap();
        let path = format!("/claviger/v1/orgs/{}", second["id"].as_str().unwrap());
        mine.patch(&path, &json!({ "disabled": true })).await.expect(200);
    }
}

/// All but where browsers come back, with a state and nothing else: that is
/// [`a_state_is_good_at_any_host_and_leads_to_its_own_org_alone`].
fn routes_with_credentials(server: &TestServer) -> impl Iterator<Item = &RouteInfo> {
    server.zendesk_routes.iter().filter(|route| route.who != Who::Anybody)
}

with_either_database! {
    async fn good_credentials_are_good_where_they_belong_and_nowhere_else(database: TestDatabase) {
        let world = World::build(database).await;
        let World { server, admin, client, holder, strangers, others, .. } = &world;
        assert!(strangers.len() > 15);
        let mut tried = 0;
        for route in routes_with_credentials(server) {
            let about = format!("{} {}", route.method, route.path);
            let Sample { path, body, .. } = sample(route, admin, holder, *client).await;
            let before = server.engine.applied();
            let mut doing = Vec::new();
            for stranger in strangers {
                let Some(expected) = expected(route, stranger) else {
                    doing.push(stranger);
                    continue;
                };
                let answer = stranger.zis.send(route.method.clone(), &path, body.clone()).await;
                assert_eq!(told(&answer), expected, "{about}: {}", stranger.name);
                tried += 1;
            }
            assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
            for stranger in doing {
                let Sample { path, body, success, .. } = sample(route, admin, holder, *client).await;
                stranger.zis.send(route.method.clone(), &path, body).await.expect(success);
            }
            // At their own host, others find nothing of it, by whatever they have of it.
            let theirs = if matches!(route.who, Who::Admin(_)) { &others.0 } else { &others.1 };
            let Sample { path, body, success, secrets } = sample(route, admin, holder, *client).await;
            let answer = theirs.send(route.method.clone(), &path, body.clone()).await;
            let is_about_one = path != route.path.replace("{integration}", INTEGRATION) && !path.contains("/registry/");
            let has = |member: &str, is: fn(&Value) -> bool| body.as_ref().is_some_and(|body| is(&body[member]));
            let expected = match is_about_one || has("oauth_client_uuid", Value::is_string) {
                _ if route.path.contains("/access_codes/") => 400,
                true => 404,
                false if has("token", Value::is_object) => 422,
                false => success,
            };
            assert_eq!(answer.status.as_u16(), expected, "{about}: {}", answer.text);
            for secret in secrets {
                assert!(!answer.text.contains(&secret[..10]), "{about}");
            }
            // And for those whose it is, it is there as it was.
            let mine = if matches!(route.who, Who::Admin(_)) { admin } else { holder };
            mine.send(route.method.clone(), &path, body).await.expect(success);
        }
        assert!(tried > 650, "{tried}");
        let all = others.1.get(&format!("/api/services/zis/integrations/{INTEGRATION}/connections/all")).await.expect(200).json();
        assert_eq!((&all["meta"]["has_more"], &all["oauth"]), (&json!(false), &json!([])));

        // A disabled org has nobody.
        world.disable_the_other().await;
        for route in routes_with_credentials(server) {
            let theirs = if matches!(route.who, Who::Admin(_)) { &others.0 } else { &others.1 };
            let path = route.path.replace("{integration}", INTEGRATION).replace("{token_id}", "1").replace("{name}", "abc")
                .replace("{uuid}", "0198c0de-0000-7000-8000-000000000000");
            let status = theirs.send(route.method.clone(), &path, None).await.status.as_u16();
            assert!(matches!(status, 401 | 404), "{} {path}: {status}", route.method);
        }
        server.verify_state().await;
        world.server.stop().await;
    }

    /// Authorization servers know one address for all orgs: whoever brings a state back needs nothing else, at whatever
    /// host, and whatever else they bring is not looked at. What comes of it is the org's that began.
    async fn a_state_is_good_at_any_host_and_leads_to_its_own_org_alone(database: TestDatabase) {
        let world = World::build(database).await;
        let World { server, provider, holder, others: (_, their_holder), .. } = &world;
        for zis in [holder, their_holder] {
            make_client(zis, &client_body()).await;
        }
        let begin = async |zis: &Zis, name: &str, url: Value| {
            let body = json!({ "name": name, "oauth_client_name": "mine", "origin_oauth_redirect_url": url });
            let way = query(zis.post(START, &body).await.expect(200).json()["redirect_url"].as_str().unwrap());
            provider.expect_challenge(&way["code_challenge"]);
            format!("{CALLBACK}?state={}&code={CODE}", way["state"])
        };
        let nobody = Zis::with(server, None);
        let unknown = (400, "BadRequest state is not known, was used already, or is over".to_owned());
        for (mine, theirs) in [(holder, their_holder), (their_holder, holder)] {
            let hosts = [HOST, OTHER_HOST, "zis.claviger.example", "elsewhere.example"];
            for bringer in hosts.map(|host| nobody.at(host)).iter().chain([theirs]) {
                let name = unique_name();
                let back = begin(mine, &name, json!(APP)).await;
                let answer = bringer.get(&back).await.expect(302);
                let code = &query(answer.header("location"))["verification_token"];
                assert_eq!(told(&bringer.get(&back).await), unknown);
                let finish = format!("{CODES}?verification_code={code}");
                theirs.get(&finish).await.expect(400);
                let made = mine.get(&finish).await.expect(200).json();
                // Without an address to be sent on to, it is made at once, and there too.
                let other = unique_name();
                bringer.get(&begin(mine, &other, Value::Null).await).await.expect(200);
                for query in [format!("name={name}"), format!("name={other}"), format!("uuid={}", made["uuid"].as_str().unwrap())] {
                    mine.get(&format!("{ONE}?{query}")).await.expect(200);
                    theirs.get(&format!("{ONE}?{query}")).await.expect(404);
                }
            }
        }
        // Of a disabled org's states nobody is asked.
        let back = begin(their_holder, &unique_name(), Value::Null).await;
        world.disable_the_other().await;
        let asked = provider.asked().len();
        for host in [HOST, OTHER_HOST] {
            assert_eq!(told(&nobody.at(host).get(&back).await), unknown);
        }
        assert_eq!(provider.asked().len(), asked);
        server.verify_state().await;
        world.server.stop().await;
    }

    /// Outside the dialect, an integration token opens nothing that asks who one is.
    async fn an_integration_token_opens_no_other_route(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = Zis::admin(&server).await;
        let client = admin.integration(INTEGRATION).await;
        let (_, token) = admin.token(client, &["read", "write"]).await;
        let mut closed = 0;
        for route in server.routes.iter().filter(|route| !matches!(route.who, Who::Anybody | Who::ApiKey)) {
            let sample = samples::sample(route, &server.client()).await;
            let before = server.engine.applied();
            let token = Some(token.clone());
            for keys in [
                Keys { bearer: token.clone(), ..Keys::default() },
                Keys { bearer: token.clone(), ..server.admin() },
                Keys { application_key: token.clone(), ..server.admin() },
                Keys { api_key: token.clone(), ..server.admin() },
            ] {
                let status = samples::send(route, &sample, &server.client_with(keys)).await.status.as_u16();
                // It may call through its own integration's connections, of which the sample's is none.
                let is_call = route.path == "/claviger/v1/actions/http" && status == 404;
                assert!(matches!(status, 401 | 403) || is_call, "{} {}: {status}", route.method, route.path);
                closed += 1;
            }
            assert_eq!(server.engine.applied(), before, "{} {}", route.method, route.path);
        }
        assert!(closed > 400, "{closed}");
        server.stop().await;
    }

    async fn every_route_keeps_its_limit_and_says_so(database: TestDatabase) {
        let Stage { server, provider, admin, zis: holder, number } = Stage::set(database).await;
        let mut samples = Vec::new();
        for route in routes_with_credentials(&server) {
            samples.push((route.clone(), sample(route, &admin, &holder, number).await));
        }
        // Short, so that all are tried before what was begun is over.
        let limits = Limits::of([(Bucket::ZIS, Rate { limit: 1, period_seconds: 10 })]);
        let asking = setup(&provider, Duration::from_secs(30));
        let server = server.halt().await.start(Setup { limits, ..asking }).await;
        let (admin, holder) = (admin.to(&server), holder.to(&server));
        let headers = |answer: &Answer| {
            let names = ["x-rate-limit", "x-rate-limit-remaining", "ratelimit-limit", "ratelimit-remaining"];
            let seconds: u32 = answer.header("ratelimit-reset").parse().unwrap();
            assert!((1..=10).contains(&seconds));
            names.map(|name| answer.header(name).to_owned())
        };
        for (route, Sample { path, body, success, .. }) in samples {
            let about = format!("{} {}", route.method, route.path);
            server.clock.advance_micros(10_000_000);
            let caller = if matches!(route.who, Who::Admin(_)) { &admin } else { &holder };
            let send = async |zis: &Zis| zis.send(route.method.clone(), &path, body.clone()).await;
            // Whoever is nobody takes nothing of anybody's share.
            let nobody = send(&Zis::with(&server, None)).await.expect(401);
            assert_eq!(nobody.header("x-rate-limit"), "", "{about}");
            let first = send(caller).await.expect(success);
            assert_eq!(headers(&first), ["1", "0", "1", "0"], "{about}");
            assert_eq!(first.header("retry-after"), "", "{about}");
            let before = server.engine.applied();
            let beyond = send(caller).await.expect(429);
            assert_eq!(headers(&beyond), ["1", "0", "1", "0"], "{about}");
            assert_eq!(beyond.header("retry-after"), beyond.header("ratelimit-reset"), "{about}");
            assert!(beyond.text.contains("Too many requests"), "{about}: {}", beyond.text);
            assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
        }
        server.stop().await;
    }
}
