//! Where the attempts are made: connections whose secrets stand in different places, and people who call.

use serde_json::{Value, json};

use super::Case;
use super::call::By;
use super::judge::{self, check_control};
use crate::broker::Scene;
use crate::support::third_party::{Reply, Seen};
use crate::support::zis::Zis;
use crate::support::{Keys, connections, people, restrictions, tokens};

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
}

impl Kind {
    /// Its secret. The digits keep it out of every other text.
    pub(crate) fn canary(self) -> &'static str {
        match self {
            Self::Header => "glpat-canary-7Qx2hK91",
            Self::Http => "http-canary-4Zt8pL35",
            Self::Zis => "zis-canary-9Wm3rV62",
            Self::Wild => "wild-canary-5Jn7dB84",
        }
    }

    pub(crate) const ALL: [Self; 4] = [Self::Header, Self::Http, Self::Zis, Self::Wild];

    /// Whether a host may have it.
    pub(crate) fn allows(self, name: &str) -> bool {
        match self {
            Self::Header => name == "gitlab.com",
            Self::Http => name == "hooks.example.com",
            Self::Zis => name == "api.zis.example.com",
            Self::Wild => name.ends_with(".zis.example.com"),
        }
    }

    /// The path below which everything is.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::Header => "/api/v4/",
            Self::Http => "/base/",
            Self::Zis | Self::Wild => "/",
        }
    }
}

pub(crate) struct Suite<'s> {
    pub(crate) scene: &'s Scene,
    ids: [String; 4],
    token: String,
    rightless: String,
    outsider: Keys,
    other_org: Keys,
    integrations: [String; 2],
}

impl<'s> Suite<'s> {
    pub(crate) async fn new(scene: &'s Scene) -> Self {
        let admin = &scene.admin;
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
        let ids = [gitlab, http, "zis:own_one:plain".to_owned(), "zis:own_one:wild".to_owned()];
        let outsider = outsider.client.keys().clone();
        Self { scene, ids, token: scene.token().await, rightless, outsider, other_org, integrations }
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
            world.answer(move |_| answer());
        }
        for (name, answers) in &case.names {
            world.name_in_turn(name, answers);
        }
        let dialled = world.dialled().len();
        let answer = case.attempt.send(self, case.kind, true).await;
        let (seen, dialled) = (world.take_seen(), world.dialled().split_off(dialled));
        if case.answer.is_some() {
            world.answer(|_| Reply::ok("ok"));
        }
        let leaks = judge::leaks(self, case, &seen, &dialled, &answer);
        let told = |leak: String| format!("{} ({}): {leak}", case.technique, case.what);
        leaks.into_iter().map(told).collect()
    }

    /// Makes the same call without the twist: it reaches the right third party with the secret.
    pub(crate) async fn control(&self, case: &Case) -> Result<(), String> {
        let answer = case.control.send(self, case.kind, false).await;
        let seen: Vec<Seen> = self.scene.world.take_seen();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        check_control(case, &seen, &answer)
    }
}

fn http_with(secret: &str) -> Value {
    let mut value = connections::http("https://hooks.example.com/base", secret);
    value["credentials"]["url_parameters"] = json!([{ "name": "apikey", "value": "{{ token1 }}" }]);
    value
}
