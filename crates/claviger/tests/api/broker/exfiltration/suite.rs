//! Where the attempts are made: connections whose secrets stand in different places, and people who call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde_json::{Value, json};

use super::Case;
use super::call::By;
use super::judge::{self, check_control};
use crate::broker::{Scene, exchanges};
use crate::support::third_party::{Reply, Seen};
use crate::support::zis::Zis;
use crate::support::{Keys, connections, oauth, people, restrictions, tokens};

/// Which connection an attempt aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A header, at a fixed host below a path.
    Header,
    /// Templates in a header, a parameter and the body.
    Http,
    /// A bearer token, for one host, of a ZIS integration.
    Zis,
    /// The same for all hosts below a name.
    Wild,
    /// A password, in base64 beside its user.
    Basic,
    /// A role of AWS's: requests are signed, and have its session token beside that.
    Aws,
    /// A token of Entra's for one resource.
    Azure,
    /// A token of Google's for all of its services.
    Gcp,
    /// The token of an OAuth connection.
    OAuth,
}

impl Kind {
    /// Its secret, as it goes out. The digits keep it out of every other text.
    pub(crate) fn canary(self) -> &'static str {
        match self {
            Self::Header => "glpat-canary-7Qx2hK91",
            Self::Http => "http-canary-4Zt8pL35",
            Self::Zis => "zis-canary-9Wm3rV62",
            Self::Wild => "wild-canary-5Jn7dB84",
            Self::Basic => "basic-canary-2Hs6wN58",
            Self::Aws => exchanges::AWS_SESSION,
            Self::Azure => exchanges::AZURE_TOKEN,
            Self::Gcp => exchanges::GCP_TOKEN,
            Self::OAuth => exchanges::OAUTH_TOKEN,
        }
    }

    /// Those whose secrets are kept, each of which every attempt is made at.
    pub(crate) const KEPT: [Self; 4] = [Self::Header, Self::Http, Self::Zis, Self::Wild];

    /// Those that stand for a way to make a credential of what is kept; a part of the attempts is made at each.
    pub(crate) const MADE: [Self; 5] = [Self::Basic, Self::Aws, Self::Azure, Self::Gcp, Self::OAuth];

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::KEPT.into_iter().chain(Self::MADE)
    }

    /// Whether a host may have it.
    pub(crate) fn allows(self, name: &str) -> bool {
        match self {
            Self::Wild => name.ends_with(".zis.example.com"),
            _ => name == self.host(),
        }
    }

    /// Where calls go that name no other host.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Header => "gitlab.com",
            Self::Http => "hooks.example.com",
            Self::Zis => "api.zis.example.com",
            Self::Wild => "a.zis.example.com",
            Self::Basic => "dev1.service-now.com",
            Self::Aws => "dynamodb.eu-central-1.amazonaws.com",
            Self::Azure => "management.azure.com",
            Self::Gcp => "storage.googleapis.com",
            Self::OAuth => "auth.example.com",
        }
    }

    /// Whether callers must name the host.
    pub(crate) fn needs_host(self) -> bool {
        matches!(self, Self::Wild | Self::Aws | Self::Gcp)
    }

    /// Whether a refusal brings another token, and another call.
    pub(crate) fn is_renewed(self) -> bool {
        matches!(self, Self::Aws | Self::Azure | Self::Gcp | Self::OAuth)
    }

    /// The path below which everything is.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::Header => "/api/v4/",
            Self::Http => "/base/",
            _ => "/",
        }
    }
}

pub(crate) struct Suite<'s> {
    pub(crate) scene: &'s Scene,
    ids: Vec<String>,
    token: String,
    rightless: String,
    outsider: Keys,
    other_org: Keys,
    integrations: [String; 2],
    /// Counts attempts and controls.
    turn: AtomicUsize,
    /// What leaked by attempts whose turn was over.
    late_leaks: Mutex<Vec<String>>,
}

impl<'s> Suite<'s> {
    pub(crate) async fn new(scene: &'s Scene) -> Self {
        let admin = &scene.admin;
        scene.world.answer(answering(|| Reply::ok("ok")));
        let gitlab = scene.connection(&connections::gitlab(Kind::Header.canary())).await;
        let http = scene.connection(&http_with(Kind::Http.canary())).await;
        let zis_admin = Zis::admin(&scene.server).await;
        let (own, other) = (zis_admin.integration("own_one").await, zis_admin.integration("other_one").await);
        let mut integrations = [String::new(), String::new()];
        for (token, client) in integrations.iter_mut().zip([own, other]) {
            *token = zis_admin.token(client, &["read", "write"]).await.1;
        }
        let writer = Zis::bearer(&scene.server, &integrations[0]);
        for (name, domain, kind) in
            [("plain", "api.zis.example.com", Kind::Zis), ("wild", "*.zis.example.com", Kind::Wild)]
        {
            let body = json!({ "name": name, "allowed_domain": domain, "token": kind.canary() });
            let path = "/api/services/zis/integrations/own_one/connections/bearer_token";
            writer.post(path, &body).await.expect(201);
        }
        let outsider = restrictions::Someone::join(&scene.server).await;
        let me = people::id_of(&admin.get("/api/v2/current_user").await.expect(200).json());
        restrictions::restrict(admin, &gitlab, &[("editor", format!("user:{me}"))]).await;
        let other_org = Keys::of(&scene.server.found_another("Other").await);
        let rightless = tokens::personal_access_token(admin, json!(["monitors_read"])).await.secret;
        let mut ids = vec![gitlab, http, "zis:own_one:plain".to_owned(), "zis:own_one:wild".to_owned()];
        for made in [basic(), exchanges::aws(), exchanges::azure(), exchanges::gcp()] {
            ids.push(scene.connection(&made).await);
        }
        connect(&writer).await;
        ids.push("zis:own_one:oauth".to_owned());
        let outsider = outsider.client.keys().clone();
        let (turn, late_leaks, token) = (AtomicUsize::new(0), Mutex::default(), scene.token().await);
        let suite =
            Self { scene, ids, token, rightless, outsider, other_org, integrations, turn, late_leaks };
        // Tokens are there before the first attempt.
        for kind in Kind::all() {
            let case = Case::new("none", "", kind, super::Call::plain(kind));
            suite.control(&case).await.unwrap();
        }
        suite
    }

    pub(crate) fn id(&self, kind: Kind) -> &str {
        &self.ids[kind as usize]
    }

    pub(crate) fn fill(&self, text: &str, kind: Kind) -> String {
        text.replace("{id}", self.id(kind)).replace("{token}", &self.token)
    }

    /// The headers by which somebody calls.
    pub(crate) fn credentials(&self, by: By) -> Vec<(String, String)> {
        let bearer = |token: &str| vec![("authorization".to_owned(), format!("Bearer {token}"))];
        let keys = |keys: &Keys| {
            let named = [("dd-api-key", &keys.api_key), ("dd-application-key", &keys.application_key)];
            let pair = |(name, value): (&str, &Option<String>)| Some((name.to_owned(), value.clone()?));
            let mut all: Vec<_> = named.into_iter().filter_map(pair).collect();
            all.extend(keys.bearer.iter().map(|it| ("authorization".to_owned(), format!("Bearer {it}"))));
            all
        };
        match by {
            By::Token => bearer(&self.token),
            By::OwnIntegration => bearer(&self.integrations[0]),
            By::OtherIntegration => bearer(&self.integrations[1]),
            By::Outsider => keys(&self.outsider),
            By::OtherOrg => keys(&self.other_org),
            By::Rightless => bearer(&self.rightless),
            By::Nobody => Vec::new(),
        }
    }

    /// Everything that proves who somebody is.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = &str> {
        let own = [&self.token, &self.rightless].into_iter().chain(&self.integrations);
        let keys = [&self.outsider, &self.other_org].into_iter();
        let keys = keys.flat_map(|it| [&it.api_key, &it.application_key, &it.bearer]).flatten();
        own.chain(keys).map(String::as_str)
    }

    /// Makes an attempt, and says what leaked.
    pub(crate) async fn attempt(&self, case: &Case) -> Vec<String> {
        let world = &self.scene.world;
        if let Some(answer) = case.answer {
            world.answer(answering(answer));
        }
        for (name, answers) in &case.names {
            world.name_in_turn(name, answers);
        }
        let dialled = world.dialled().len();
        self.turn.fetch_add(1, Relaxed);
        let answer = case.attempt.send(self, case.kind, true).await;
        let (seen, dialled) = (self.calls(), world.dialled().split_off(dialled));
        if case.answer.is_some() {
            world.answer(answering(|| Reply::ok("ok")));
        }
        let mut leaks = judge::leaks(self, case, &seen, &dialled, &answer);
        leaks.append(&mut self.late_leaks.lock().unwrap());
        let told = |leak: String| format!("{} ({}): {leak}", case.technique, case.what);
        leaks.into_iter().map(told).collect()
    }

    /// Makes the same call without the twist: it reaches the right third party with the secret.
    pub(crate) async fn control(&self, case: &Case) -> Result<(), String> {
        self.turn.fetch_add(1, Relaxed);
        let answer = case.control.send(self, case.kind, false).await;
        check_control(case, &self.calls(), &String::from_utf8_lossy(&answer))
    }

    /// What a call bears that may be cut off once it has gone out: it may arrive in another's turn.
    pub(crate) fn mark(&self, kind: Kind) -> String {
        format!("{} {}", self.turn.load(Relaxed), kind as usize)
    }

    /// Whose such a call is that arrived late.
    fn late(&self, seen: &Seen) -> Option<Kind> {
        let (turn, kind) = seen.all("x-turn").first()?.split_once(' ')?;
        let kind = Kind::all().find(|it| (*it as usize).to_string() == kind);
        kind.filter(|_| turn != self.turn.load(Relaxed).to_string())
    }

    /// What arrived but exchanges, which hold what they are for and none of the tokens.
    fn calls(&self) -> Vec<Seen> {
        let (exchanges, calls): (Vec<_>, Vec<_>) =
            self.scene.world.take_seen().into_iter().partition(|seen| exchanges::answer(seen).is_some());
        for exchange in exchanges {
            let text = format!("{}{}", exchange.head, String::from_utf8_lossy(&exchange.body));
            assert!(Kind::all().all(|kind| !text.contains(kind.canary())), "{text}");
        }
        let (late, calls): (Vec<_>, Vec<_>) = calls.into_iter().partition(|seen| self.late(seen).is_some());
        for seen in late {
            let Some(kind) = self.late(&seen) else { continue };
            let case = Case::new("late", "", kind, super::Call::plain(kind));
            self.late_leaks.lock().unwrap().extend(judge::in_request(self, &case, &seen));
        }
        calls
    }
}

/// The places of exchanges answer as ever.
fn answering(answer: impl Fn() -> Reply) -> impl Fn(&Seen) -> Reply {
    move |seen| exchanges::answer(seen).unwrap_or_else(&answer)
}

fn http_with(secret: &str) -> Value {
    let mut value = connections::http("https://hooks.example.com/base", secret);
    value["credentials"]["url_parameters"] = json!([{ "name": "apikey", "value": "{{ token1 }}" }]);
    value
}

fn basic() -> Value {
    let credentials = json!({ "type": "ServiceNowBasicAuth", "instance": "dev1.service-now.com", "username": "u", "password": Kind::Basic.canary() });
    json!({ "type": "ServiceNow", "credentials": credentials })
}

/// An OAuth connection by client credentials, of the integration's own.
async fn connect(zis: &Zis) {
    let client = json!({ "name": "mine", "client_id": "my-client", "client_secret": exchanges::OAUTH_SECRET, "default_scopes": "read",
        "auth_url": "https://auth.example.com/authorize", "token_url": "https://auth.example.com/token" });
    zis.post("/api/services/zis/connections/oauth/clients/own_one", &client).await.expect(201);
    let begin = json!({ "name": "oauth", "oauth_client_name": "mine", "grant_type": "client_credentials" });
    let begun =
        zis.post("/api/services/zis/connections/oauth/start/own_one", &begin).await.expect(200).json();
    let code = oauth::query(begun["redirect_url"].as_str().unwrap())["verification_code"].clone();
    let finish = format!("/api/services/zis/connections/oauth/access_codes/own_one?verification_code={code}");
    zis.get(&finish).await.expect(200);
}
