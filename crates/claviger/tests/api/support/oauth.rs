//! OAuth connections of ZIS integrations, as tests make them.

use std::collections::HashMap;
use std::time::Duration;

use claviger_model::{ConnectionId, OrgId};
use claviger_zendesk::Options as ZendeskOptions;
use http::Method;
use serde_json::{Value, json};

use super::provider::{CODE, Provider, SECRET};
use super::zis::Zis;
use super::{Answer, Keys, PUBLIC_URL, Setup, TestDatabase, TestServer};

pub(crate) const CLIENTS: &str = "/api/services/zis/connections/oauth/clients/my_integration";
pub(crate) const START: &str = "/api/services/zis/connections/oauth/start/my_integration";
pub(crate) const CODES: &str = "/api/services/zis/connections/oauth/access_codes/my_integration";
pub(crate) const CALLBACK: &str = "/api/services/zis/connections/oauth/callback";
pub(crate) const ONE: &str = "/api/services/zis/connections/my_integration";
pub(crate) const REFRESH: &str = "/api/services/zis/connections/refresh/my_integration";
/// Where browsers are sent on to.
pub(crate) const APP: &str = "https://app.example.com/done?from=claviger";

/// A server with an integration, and an authorization server that its clients know.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) provider: Provider,
    pub(crate) admin: Zis,
    /// Whoever may read and write in `my_integration`.
    pub(crate) zis: Zis,
    /// The number of the integration's own client, by which tokens are made.
    pub(crate) number: i64,
}

/// A server that asks an authorization server, with so much time for each exchange.
pub(crate) fn setup(provider: &Provider, deadline: Duration) -> Setup {
    Setup { exchange: Some(provider.exchange(deadline)), ..Setup::default() }
}

/// Where one connection is shown with its tokens in clear.
pub(crate) fn showing() -> ZendeskOptions {
    ZendeskOptions::default().with_public_url(PUBLIC_URL).unwrap().showing_tokens(true)
}

impl Stage {
    pub(crate) async fn set(database: TestDatabase) -> Self {
        Self::set_with(database, Duration::from_secs(30), |_| ()).await
    }

    pub(crate) async fn set_with(
        database: TestDatabase,
        deadline: Duration,
        edit: impl FnOnce(&mut Setup),
    ) -> Self {
        let provider = Provider::start().await;
        let mut setup = setup(&provider, deadline);
        edit(&mut setup);
        let server = TestServer::start_with(database, setup).await;
        let admin = Zis::admin(&server).await;
        let number = admin.integration("my_integration").await;
        let zis = Zis::bearer(&server, &admin.token(number, &["read", "write"]).await.1);
        let origins = json!({ "redirect_origins": ["https://app.example.com"] });
        server.client().patch("/claviger/v1/zis_integrations/my_integration", &origins).await.expect(200);
        Self { server, provider, admin, zis, number }
    }

    pub(crate) async fn client(&self) -> String {
        make_client(&self.zis, &client_body()).await
    }

    /// Begins, comes back with the provider's code, and finishes: the connection as the last answer shows it.
    pub(crate) async fn connect(&self, name: &str) -> Value {
        let way = self.begin(name).await;
        self.provider.expect_challenge(&way["code_challenge"]);
        let code = self.come_back(&way).await;
        self.finish(&code).await.expect(200).json()
    }

    /// The members of the address that a browser is sent to.
    pub(crate) async fn begin(&self, name: &str) -> HashMap<String, String> {
        let body = json!({ "name": name, "oauth_client_name": "mine", "origin_oauth_redirect_url": APP });
        let begun = self.zis.post(START, &body).await.expect(200).json();
        query(begun["redirect_url"].as_str().unwrap())
    }

    /// The verification code with which the browser is sent on.
    pub(crate) async fn come_back(&self, way: &HashMap<String, String>) -> String {
        let answer = self.callback(&format!("state={}&code={CODE}", way["state"])).await.expect(302);
        let location = answer.header("location").to_owned();
        assert!(location.starts_with(&format!("{APP}&")), "{location}");
        query(&location)["verification_token"].clone()
    }

    pub(crate) async fn callback(&self, query: &str) -> Answer {
        self.server.client_with(Keys::default()).get(&format!("{CALLBACK}?{query}")).await
    }

    pub(crate) async fn finish(&self, code: &str) -> Answer {
        self.zis.get(&format!("{CODES}?verification_code={code}")).await
    }

    /// A connection by client credentials.
    pub(crate) async fn connect_by_credentials(&self, name: &str) -> Value {
        let body = json!({ "name": name, "oauth_client_name": "mine", "grant_type": "client_credentials" });
        let begun = self.zis.post(START, &body).await.expect(200).json();
        self.finish(&query(begun["redirect_url"].as_str().unwrap())["verification_code"])
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn show(&self, name: &str) -> Value {
        self.zis.get(&format!("{ONE}?name={name}")).await.expect(200).json()
    }

    pub(crate) async fn refresh(&self, name: &str) -> Answer {
        self.zis.send(Method::POST, &format!("{REFRESH}?name={name}"), None).await
    }

    pub(crate) fn org(&self) -> OrgId {
        self.server.founded.org
    }

    /// The token that whoever uses the connection gets.
    pub(crate) async fn token(&self, id: ConnectionId) -> Result<String, claviger_oauth::AccessError> {
        self.server.oauth.access_token(self.org(), id).await.map(|token| token.reveal().to_owned())
    }

    /// Lets the test's clock go on.
    pub(crate) fn wait_seconds(&self, seconds: i64) {
        self.server.clock.advance_micros(seconds * 1_000_000);
    }

    pub(crate) async fn stop(self) {
        self.server.verify_state().await;
        self.server.stop().await;
    }
}

pub(crate) async fn make_client(zis: &Zis, body: &Value) -> String {
    let made = zis.post(CLIENTS, body).await.expect(201).json();
    assert_eq!(made.as_object().unwrap().len(), 1, "{made}");
    made["uuid"].as_str().unwrap().to_owned()
}

pub(crate) fn client_body() -> Value {
    json!({ "name": "mine", "client_id": "my-client", "client_secret": SECRET, "default_scopes": "read write",
        "auth_url": "https://auth.example.com/authorize?prompt=consent", "token_url": "https://auth.example.com/token" })
}

pub(crate) fn id_of(connection: &Value) -> ConnectionId {
    connection["uuid"].as_str().unwrap().parse().unwrap()
}

/// The members of an address's query.
pub(crate) fn query(url: &str) -> HashMap<String, String> {
    let (_, query) = url.split_once('?').unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
