//! Who may call what: every route × every way in which credentials can be wrong.
//!
//! The cases are generated from the routes and from who may call each; what is expected follows from that and from
//! the vendor's failure matrix. A route for which [`sample`](crate::support::sample) has no request fails the test.

use std::collections::HashMap;

use claviger_http::{Bucket, Limits, Rate, RouteInfo, Who};
use claviger_model::{CredentialId, Permission, PermissionSet};
use serde_json::{Value, json};

use crate::support::actions;
use crate::support::edit::Edit;
use crate::support::people::{self, Member};
use crate::support::sample::{self, Made, REQUIRED, Sample};
use crate::support::tokens;
use crate::support::{Answer, Client, Keys, Setup, TestDatabase, TestServer, with_either_database};

/// A way in which the credentials of a request are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Case {
    NoCredential,
    UnknownApiKey,
    RevokedApiKey,
    ExpiredApiKey,
    ApplicationKeyAsApiKey,
    DisabledOrg,
    NoApplicationKey,
    UnknownApplicationKey,
    RevokedApplicationKey,
    ExpiredApplicationKey,
    ApiKeyAsApplicationKey,
    DisabledOwner,
    /// The application key is another org's.
    ForeignApplicationKey,
    /// The API key is another org's.
    ForeignApiKey,
    /// No role of the owner has any of the permissions, but all others.
    MissingPermission,
    /// The application key's scopes are all but these permissions.
    MissingScope,
    /// A bearer token that is nobody's, beside good keys.
    BearerGarbage,
    /// A personal access token that was revoked, beside good keys.
    RevokedToken,
    /// The same in an application key's place, beside a good API key.
    RevokedTokenAsApplicationKey,
    ExpiredToken,
    /// A service access token whose account was disabled through the API.
    DisabledAccountsToken,
    /// A token whose scopes are all but the permissions.
    TokenWithoutScope,
    /// The owner had a role that allows everything; it was taken away through the API.
    RoleTaken,
    /// The owner had a role that allows everything; the role was removed through the API.
    RoleRemoved,
    /// The owner was disabled through the API: the key is dead for good.
    UserDisabled,
    /// The same of a service account.
    ServiceAccountDisabled,
    /// The owner was disabled and enabled again: the key stays dead.
    UserEnabledAgain,
}

/// Which credential such a request fails by, and the native APIs' word for why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    ApiKey(&'static str),
    ApplicationKey(&'static str),
    Token(&'static str),
    Right,
}

impl Case {
    const ALL: [Self; 27] = [
        Self::NoCredential,
        Self::UnknownApiKey,
        Self::RevokedApiKey,
        Self::ExpiredApiKey,
        Self::ApplicationKeyAsApiKey,
        Self::DisabledOrg,
        Self::NoApplicationKey,
        Self::UnknownApplicationKey,
        Self::RevokedApplicationKey,
        Self::ExpiredApplicationKey,
        Self::ApiKeyAsApplicationKey,
        Self::DisabledOwner,
        Self::ForeignApplicationKey,
        Self::ForeignApiKey,
        Self::MissingPermission,
        Self::MissingScope,
        Self::BearerGarbage,
        Self::RevokedToken,
        Self::RevokedTokenAsApplicationKey,
        Self::ExpiredToken,
        Self::DisabledAccountsToken,
        Self::TokenWithoutScope,
        Self::RoleTaken,
        Self::RoleRemoved,
        Self::UserDisabled,
        Self::ServiceAccountDisabled,
        Self::UserEnabledAgain,
    ];

    fn fault(self) -> Fault {
        match self {
            Self::NoCredential => Fault::Nothing,
            Self::UnknownApiKey | Self::RevokedApiKey => Fault::ApiKey("unknown"),
            Self::ExpiredApiKey => Fault::ApiKey("expired"),
            Self::ApplicationKeyAsApiKey => Fault::ApiKey("wrong_kind"),
            Self::DisabledOrg => Fault::ApiKey("disabled"),
            Self::NoApplicationKey => Fault::ApplicationKey("missing"),
            Self::UnknownApplicationKey
            | Self::RevokedApplicationKey
            | Self::UserDisabled
            | Self::ServiceAccountDisabled
            | Self::UserEnabledAgain => Fault::ApplicationKey("unknown"),
            Self::ExpiredApplicationKey => Fault::ApplicationKey("expired"),
            Self::ApiKeyAsApplicationKey => Fault::ApplicationKey("wrong_kind"),
            Self::DisabledOwner => Fault::ApplicationKey("disabled"),
            // Both keys are good, but not together.
            Self::ForeignApplicationKey | Self::ForeignApiKey => Fault::ApplicationKey("other_org"),
            Self::MissingPermission
            | Self::MissingScope
            | Self::TokenWithoutScope
            | Self::RoleTaken
            | Self::RoleRemoved => Fault::Right,
            Self::BearerGarbage
            | Self::RevokedToken
            | Self::RevokedTokenAsApplicationKey
            | Self::DisabledAccountsToken => Fault::Token("unknown"),
            Self::ExpiredToken => Fault::Token("expired"),
        }
    }
}

/// How an API tells of refusals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// A list of texts.
    Keys,
    /// `/api/v2/validate`: a list of objects.
    ValidateV2,
    /// Without a right a list of objects, as JSON:API; else as `Keys`.
    Actions,
    /// A list of objects with codes.
    Native,
    /// One object with a reason.
    Verify,
}

fn family(route: &RouteInfo) -> Family {
    match route.path {
        "/api/v2/validate" => Family::ValidateV2,
        path if path.starts_with("/api/v2/actions/") => Family::Actions,
        path if path.starts_with("/api/") => Family::Keys,
        path if path.starts_with("/verify") => Family::Verify,
        _ => Family::Native,
    }
}

/// Any one of these opens the route; none where permissions do not matter to it.
fn permissions(route: &RouteInfo) -> Vec<Permission> {
    match route.who {
        Who::User(any_of) => any_of.to_vec(),
        Who::AnyCredential => vec![Permission::parse(REQUIRED).unwrap()],
        // The last three are the Zendesk dialect's and sessions', which have tables of their own.
        Who::Anybody | Who::ApiKey | Who::Admin(_) | Who::Integration | Who::Session => Vec::new(),
    }
}

/// A refusal, exactly.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: u16,
    body: String,
    headers: Vec<(&'static str, &'static str)>,
}

/// What makes keys that may do everything, or shows their new secrets, which no narrowed credential hands on, and so no
/// token.
const MAKES_THE_UNNARROWED: [(&str, &str); 4] = [
    ("POST", "/api/v1/application_key"),
    ("POST", "/api/v1/org"),
    ("POST", "/claviger/v1/orgs"),
    ("POST", "/claviger/v1/application_keys/{app_key_id}/rotate"),
];

const EDGE: &str = concat!(
    r#"{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com","#,
    r#""twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}"#,
    "\n"
);

/// What a route answers to a fault; none where it does not look at what is wrong.
fn expected(route: &RouteInfo, case: Case) -> Option<Refusal> {
    let fault = case.fault();
    let looks_at_it = match (route.who, fault) {
        (Who::Anybody, _) => false,
        (Who::ApiKey, fault) => matches!(fault, Fault::Nothing | Fault::ApiKey(_)),
        (_, Fault::Right) => !permissions(route).is_empty(),
        _ => true,
    };
    if !looks_at_it {
        return None;
    }
    let refusal =
        |status, body: String| Refusal { status, body, headers: vec![("content-type", "application/json")] };
    Some(match family(route) {
        Family::Actions if fault == Fault::Right => Refusal {
            status: 403,
            body: r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Failed permission authorization checks"}]}"#
                .into(),
            headers: vec![("content-type", "application/vnd.api+json")],
        },
        Family::Keys | Family::Actions => match fault {
            Fault::Nothing => refusal(403, r#"{"errors":["API key required"]}"#.into()),
            Fault::ApiKey(_) => {
                let mut edge = refusal(403, EDGE.into());
                edge.headers.push(("cache-control", "no-cache"));
                edge
            }
            Fault::ApplicationKey(_) | Fault::Token(_) => {
                refusal(401, r#"{"errors":["Unauthorized"]}"#.into())
            }
            Fault::Right => {
                refusal(403, r#"{"errors":["Forbidden","Failed permission authorization checks"]}"#.into())
            }
        },
        Family::ValidateV2 => {
            refusal(403, r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Forbidden"}]}"#.into())
        }
        Family::Native => {
            let (status, code, detail) = match fault {
                Fault::Right => {
                    let names: Vec<_> =
                        permissions(route).iter().map(|permission| permission.name()).collect();
                    (
                        403,
                        "forbidden",
                        format!("Any one of these permissions is needed: {}", names.join(", ")),
                    )
                }
                fault => (401, reason(fault), "The credentials are not valid".to_owned()),
            };
            refusal(status, format!(r#"{{"errors":[{{"code":"{code}","detail":"{detail}"}}]}}"#))
        }
        Family::Verify => {
            let (status, reason) = match (fault, case) {
                (Fault::Right, _) => (403, "missing_permission"),
                // An API key alone is an org, and an org has no permissions.
                (_, Case::NoApplicationKey) => (403, "no_permissions"),
                (fault, _) => (401, reason(fault)),
            };
            let mut refusal = refusal(status, format!(r#"{{"valid":false,"reason":"{reason}"}}"#));
            refusal.headers.extend([("cache-control", "no-store"), ("claviger-error", reason)]);
            refusal.headers.extend((status == 401).then_some(("www-authenticate", "Bearer")));
            refusal
        }
    })
}

fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::Nothing => "missing",
        Fault::ApiKey(reason) | Fault::ApplicationKey(reason) | Fault::Token(reason) => reason,
        Fault::Right => panic!("the credentials are good"),
    }
}

fn actual(answer: &Answer, expected: &Refusal) -> Refusal {
    let headers = expected.headers.iter().map(|(name, value)| {
        let same = answer.header(name) == *value;
        (*name, if same { *value } else { "another value" })
    });
    Refusal { status: answer.status.as_u16(), body: answer.text.clone(), headers: headers.collect() }
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 401 | 403 | 429)
}

/// Good keys and everything that can be wrong with keys.
struct World {
    server: TestServer,
    cases: HashMap<Case, Keys>,
    /// By the permissions of a route: an owner who lacks them, scopes of a key that lack them, and of a token.
    lacking: HashMap<Vec<Permission>, [Keys; 3]>,
    /// A token alone that may do everything.
    token: Keys,
    /// An owner who has one permission and no other.
    only: HashMap<Permission, Keys>,
}

fn id(made: &Made) -> CredentialId {
    made.id.parse().unwrap()
}

/// Those who were allowed everything until something was done about them through the API: the role taken away, the
/// role removed, a person disabled, a service account disabled, a person disabled and enabled again.
async fn people_gone(server: &TestServer, admin: &Client) -> [Keys; 5] {
    const ADMIN: &str = "Datadog Admin Role";
    let role = people::built_in_role(admin, ADMIN).await;
    let clone = json!({ "data": { "type": "roles", "attributes": { "name": "Everything" } } });
    let copy = admin.post(&format!("/api/v2/roles/{role}/clone"), &clone).await.expect(200).json();
    let copy = people::id_of(&copy);
    let mut members = Vec::new();
    for (kind, role) in [
        ("human", role.as_str()),
        ("human", &copy),
        ("human", ADMIN),
        ("service_account", ADMIN),
        ("human", ADMIN),
    ] {
        members.push(Member::join(server, kind, &[role], Value::Null).await);
    }
    for member in &members {
        server.client_with(member.keys.clone()).get("/api/v2/api_keys").await.expect(200);
    }
    let user = json!({ "data": { "type": "users", "id": members[0].id } }).to_string();
    let path = format!("/api/v2/roles/{role}/users");
    admin.send(http::Method::DELETE, &path, &[], Some(user)).await.expect(200);
    admin.delete(&format!("/api/v2/roles/{copy}")).await.expect(204);
    for member in &members[2..] {
        admin.delete(&format!("/api/v2/users/{}", member.id)).await.expect(204);
    }
    let enable =
        json!({ "data": { "type": "users", "id": members[4].id, "attributes": { "disabled": false } } });
    admin.patch(&format!("/api/v2/users/{}", members[4].id), &enable).await.expect(200);
    server.verify_state().await;
    let keys: Vec<_> = members.into_iter().map(|member| member.keys).collect();
    keys.try_into().ok().unwrap()
}

impl World {
    async fn build(database: TestDatabase) -> Self {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let (api_key, application_key) =
            (server.admin().api_key.unwrap(), server.admin().application_key.unwrap());
        let beside = |made: &Made| Keys { application_key: Some(made.secret.clone()), ..server.admin() };
        let instead = |made: &Made| Keys { api_key: Some(made.secret.clone()), ..server.admin() };
        let mut edit = Edit::default();
        let org = server.founded.org;

        let [revoked_api_key, expired_api_key] =
            [sample::api_key(&admin).await, sample::api_key(&admin).await];
        admin.delete(&format!("/api/v2/api_keys/{}", revoked_api_key.id)).await.expect(204);
        edit.expire(id(&expired_api_key));
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(sample::application_key(&admin, Value::Null).await);
        }
        let [revoked, expired, disabled] = keys.try_into().ok().unwrap();
        admin.delete(&format!("/api/v2/application_keys/{}", revoked.id)).await.expect(204);
        edit.expire(id(&expired));
        let disabled_owner = edit.add_user(org, &PermissionSet::all());
        edit.give(id(&disabled), disabled_owner);
        edit.disable_user(disabled_owner);
        let foreign = Keys::of(&server.found_another("Foreign").await);
        let closed = server.found_another("Closed").await;
        edit.disable_org(closed.org);

        let [role_taken, role_removed, disabled_user, disabled_account, enabled_again] =
            people_gone(&server, &admin).await;
        let with_token = |made: &Made| Keys { bearer: Some(made.secret.clone()), ..server.admin() };
        let everything: Vec<_> = Permission::all().map(Permission::name).collect();
        let revoked_token = tokens::personal_access_token(&admin, json!(everything)).await;
        admin.delete(&format!("/api/v2/personal_access_tokens/{}", revoked_token.id)).await.expect(204);
        let expired_token = tokens::personal_access_token(&admin, json!(everything)).await;
        edit.expire(id(&expired_token));
        let token = tokens::personal_access_token(&admin, json!(everything)).await;
        let account = tokens::service_account(&admin, json!([])).await;
        let disabled_accounts_token = tokens::service_access_token(&admin, &account, json!(everything)).await;
        admin.delete(&format!("/api/v2/users/{account}")).await.expect(204);
        let nobodys = Some("0123456789abcdef0123456789abcdef".to_owned());
        let cases = HashMap::from([
            (Case::NoCredential, Keys::default()),
            (Case::UnknownApiKey, Keys { api_key: nobodys.clone(), ..server.admin() }),
            (Case::RevokedApiKey, instead(&revoked_api_key)),
            (Case::ExpiredApiKey, instead(&expired_api_key)),
            (Case::ApplicationKeyAsApiKey, Keys { api_key: Some(application_key), ..server.admin() }),
            (Case::DisabledOrg, Keys::of(&closed)),
            (Case::NoApplicationKey, Keys { application_key: None, ..server.admin() }),
            (Case::UnknownApplicationKey, Keys { application_key: nobodys.clone(), ..server.admin() }),
            (Case::RevokedApplicationKey, beside(&revoked)),
            (Case::ExpiredApplicationKey, beside(&expired)),
            (Case::ApiKeyAsApplicationKey, Keys { application_key: Some(api_key), ..server.admin() }),
            (Case::DisabledOwner, beside(&disabled)),
            (
                Case::ForeignApplicationKey,
                Keys { application_key: foreign.application_key, ..server.admin() },
            ),
            (Case::ForeignApiKey, Keys { api_key: foreign.api_key, ..server.admin() }),
            (Case::RoleTaken, role_taken),
            (Case::RoleRemoved, role_removed),
            (Case::UserDisabled, disabled_user),
            (Case::ServiceAccountDisabled, disabled_account),
            (Case::UserEnabledAgain, enabled_again),
            (Case::BearerGarbage, Keys { bearer: nobodys, ..server.admin() }),
            (Case::RevokedToken, with_token(&revoked_token)),
            (
                Case::RevokedTokenAsApplicationKey,
                Keys { application_key: Some(revoked_token.secret.clone()), ..server.admin() },
            ),
            (Case::ExpiredToken, with_token(&expired_token)),
            (Case::DisabledAccountsToken, with_token(&disabled_accounts_token)),
        ]);

        let (mut lacking, mut only) = (HashMap::new(), HashMap::new());
        for route in &server.routes {
            let permissions = permissions(route);
            if permissions.is_empty() || lacking.contains_key(&permissions) {
                continue;
            }
            let rest: PermissionSet = Permission::all().filter(|one| !permissions.contains(one)).collect();
            let by_role = sample::application_key(&admin, Value::Null).await;
            let owner = edit.add_user(org, &rest);
            edit.give(id(&by_role), owner);
            let names: Vec<_> = rest.iter().map(|permission| permission.name()).collect();
            let by_scope = sample::application_key(&admin, json!(names)).await;
            let by_tokens_scope = tokens::personal_access_token(&admin, json!(names)).await;
            for one in &permissions {
                let key = sample::application_key(&admin, Value::Null).await;
                let owner = edit.add_user(org, &[*one].into_iter().collect());
                edit.give(id(&key), owner);
                actions::register(&admin, &key.id).await;
                only.insert(*one, beside(&key));
            }
            let keys = [beside(&by_role), beside(&by_scope), with_token(&by_tokens_scope)];
            lacking.insert(permissions, keys);
        }
        let token = Keys { bearer: Some(token.secret), ..Keys::default() };
        let halted = server.halt().await;
        edit.run(&halted.database).await;
        Self { server: halted.start(Setup::default()).await, cases, lacking, token, only }
    }

    fn keys(&self, route: &RouteInfo, case: Case) -> Option<&Keys> {
        let lacking = || self.lacking.get(&permissions(route));
        match case {
            Case::MissingPermission => lacking().map(|[by_role, ..]| by_role),
            Case::MissingScope => lacking().map(|[_, by_scope, _]| by_scope),
            Case::TokenWithoutScope => lacking().map(|[.., by_tokens_scope]| by_tokens_scope),
            case => Some(&self.cases[&case]),
        }
    }

    fn client(&self, keys: &Keys) -> Client {
        self.server.client_with(keys.clone())
    }
}

with_either_database! {
    async fn every_route_refuses_all_but_those_who_may(database: TestDatabase) {
        let world = World::build(database).await;
        let admin = world.server.client();
        for route in &world.server.routes {
            let about = format!("{} {}", route.method, route.path);
            let sample = sample::sample(route, &admin).await;
            let before = world.server.engine.applied();
            for case in Case::ALL {
                let Some(keys) = world.keys(route, case) else { continue };
                let Some(expected) = expected(route, case) else { continue };
                let answer = sample::send(route, &sample, &world.client(keys)).await;
                assert_eq!(actual(&answer, &expected), expected, "{about}: {case:?}");
            }
            assert_eq!(world.server.engine.applied(), before, "{about}: a refused request changes nothing");
            // What a route does not look at does not close it.
            for case in Case::ALL.into_iter().filter(|case| expected(route, *case).is_none()) {
                let Some(keys) = world.keys(route, case) else { continue };
                let sample = sample::sample(route, &admin).await;
                sample::send(route, &sample, &world.client(keys)).await.expect(sample.success);
            }
            // A token alone opens what is for users.
            if matches!(route.who, Who::User(_)) {
                let sample = sample::sample(route, &admin).await;
                let makes_all = MAKES_THE_UNNARROWED.contains(&(route.method.as_str(), route.path));
                let status = if makes_all { 403 } else { sample.success };
                let answer = sample::send(route, &sample, &world.client(&world.token)).await;
                assert_eq!(answer.status.as_u16(), status, "{about}: {}", answer.text);
            }
            // Any one of the permissions opens it, whatever it then finds in its reach.
            for permission in permissions(route) {
                let sample = sample::sample(route, &admin).await;
                let answer = sample::send(route, &sample, &world.client(&world.only[&permission])).await;
                assert!(!is_refused(&answer), "{about} with {}: {}", permission.name(), answer.text);
            }
            // Connections are managed by registered keys alone, whatever they may do otherwise, and used by all.
            if route.path.contains("/connections") {
                let mut keys = world.server.admin();
                keys.application_key = Some(sample::application_key(&admin, Value::Null).await.secret);
                let answer = sample::send(route, &sample, &world.client(&keys)).await;
                let is_use = permissions(route).iter().all(|it| *it == Permission::CONNECTIONS_RESOLVE);
                assert_eq!(answer.text.contains("not registered"), !is_use, "{about}: {}", answer.text);
                answer.expect(if is_use { sample.success } else { 403 });
            }
            sample::send(route, &sample, &admin).await.expect(sample.success);
        }
        world.server.stop().await;
    }

    async fn every_route_with_a_bucket_keeps_its_limit(database: TestDatabase) {
        const HOUR: u32 = 3600;
        let server = TestServer::start(database).await;
        let mut samples: Vec<Sample> = Vec::new();
        for route in &server.routes {
            samples.push(sample::sample(route, &server.client()).await);
        }
        let foreign = Keys::of(&server.found_another("Foreign").await);
        let halted = server.halt().await;
        let limits = Limits::of(Bucket::ALL.map(|bucket| (bucket, Rate { limit: 1, period_seconds: HOUR })));
        let server = halted.start(Setup { limits, ..Setup::default() }).await;
        let routes: Vec<_> = server.routes.iter().zip(&samples).filter(|(route, _)| route.who != Who::Anybody).collect();
        for (route, sample) in routes {
            let about = format!("{} {}", route.method, route.path);
            server.clock.advance_micros(i64::from(HOUR) * 1_000_000);
            // Those who are refused take nothing of anybody's share.
            sample::send(route, sample, &server.client_with(Keys::default())).await;
            let first = sample::send(route, sample, &server.client()).await.expect(sample.success);
            let headers = |answer: &Answer| {
                ["limit", "period", "remaining", "reset"]
                    .map(|name| answer.header(&format!("x-ratelimit-{name}")).parse::<u32>().unwrap_or(u32::MAX))
            };
            let [limit, period, remaining, reset] = headers(&first);
            assert_eq!((limit, period, remaining), (1, HOUR, 0), "{about}");
            assert!((1..=HOUR).contains(&reset), "{about}: {reset}");
            let before = server.engine.applied();
            let second = sample::send(route, sample, &server.client()).await.expect(429);
            assert_eq!(headers(&second), [1, HOUR, 0, reset], "{about}");
            assert_eq!(second.text, exceeded(route), "{about}");
            assert_eq!(second.header("content-type"), "application/json", "{about}");
            assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
            // Another org has a share of its own.
            let other = sample::send(route, sample, &server.client_with(foreign.clone())).await;
            assert_ne!(other.status.as_u16(), 429, "{about}");
        }
        server.stop().await;
    }
}

fn exceeded(route: &RouteInfo) -> &'static str {
    match family(route) {
        Family::Keys | Family::Actions => r#"{"errors":["Rate limit exceeded"]}"#,
        Family::ValidateV2 => {
            r#"{"errors":[{"status":"429","title":"Too many requests","detail":"Rate limit exceeded"}]}"#
        }
        Family::Native => r#"{"errors":[{"code":"rate_limited","detail":"Rate limit exceeded"}]}"#,
        Family::Verify => r#"{"valid":false,"reason":"rate_limited"}"#,
    }
}
