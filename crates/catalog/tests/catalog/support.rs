//! A valid body of each credential type, and short ways to use the catalog.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use claviger_catalog::{
    Catalog, Connection, Created, Faults, SecretName, Secrets, ServerValues, Settings, Updated,
};
use claviger_model::testing::SeededRandom;
use serde_json::{Value, json};

pub(crate) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

/// The account that the recordings show.
pub(crate) const PRINCIPAL: &str = "464622532012";
/// In every secret of the bodies here, and nowhere else.
pub(crate) const CANARY: &str = "canary";

/// Integration, credentials, body. Every field that there is, with the values of the vendor's own tests where those
/// are known.
pub(crate) fn bodies() -> Vec<Value> {
    let one = |integration: &str, credentials: &str, fields: Value| {
        let mut inner = fields;
        inner["type"] = json!(credentials);
        json!({ "type": integration, "credentials": inner })
    };
    let mut http = one(
        "HTTP",
        "HTTPTokenAuth",
        json!({
            "body": { "content": "{\"key\":\"{{ token1 }}\"}", "content_type": "application/json" },
            "headers": [{ "name": "header-name", "value": "{{ token2 }} test" }],
            "tokens": [
                { "name": "token1", "type": "SECRET", "value": "secret value canary-1" },
                { "name": "token2", "type": "SECRET", "value": "canary-2" },
            ],
            "url_parameters": [{ "name": "urlParamName", "value": "urlParamValue" }],
        }),
    );
    http["base_url"] = json!("https://catfact.ninja");
    vec![
        one("AWS", "AWSAssumeRole", json!({ "account_id": "123456789123", "role": "MyRole" })),
        one("Anthropic", "AnthropicAPIKey", json!({ "api_token": "canary" })),
        one("Asana", "AsanaAccessToken", json!({ "access_token": "canary" })),
        one(
            "Azure",
            "AzureTenant",
            json!({
                "app_client_id": "azure-client-id",
                "client_secret": "azure canary",
                "custom_scopes": "https://management.azure.com/.default",
                "tenant_id": "azure-tenant-id",
            }),
        ),
        one("CircleCI", "CircleCIAPIKey", json!({ "api_token": "canary" })),
        one("Clickup", "ClickupAPIKey", json!({ "api_token": "canary" })),
        one("Cloudflare", "CloudflareAPIToken", json!({ "api_token": "canary" })),
        one(
            "Cloudflare",
            "CloudflareGlobalAPIToken",
            json!({ "auth_email": "a@example.com", "global_api_key": "canary" }),
        ),
        one(
            "ConfigCat",
            "ConfigCatSDKKey",
            json!({ "api_username": "user", "api_password": "canary pass", "sdk_key": "canary/sdk" }),
        ),
        one(
            "Datadog",
            "DatadogAPIKey",
            json!({ "api_key": "canary1", "app_key": "canary2", "datacenter": "us1.datadoghq.com", "subdomain": "acme" }),
        ),
        one("Fastly", "FastlyAPIKey", json!({ "api_key": "canary" })),
        one(
            "Freshservice",
            "FreshserviceAPIKey",
            json!({ "api_key": "canary", "domain": "acme.freshservice.com" }),
        ),
        one(
            "GCP",
            "GCPServiceAccount",
            json!({ "private_key": "canary\nkey", "service_account_email": "a@b.example" }),
        ),
        one("Gemini", "GeminiAPIKey", json!({ "api_key": "canary" })),
        one("Gitlab", "GitlabAPIKey", json!({ "api_token": "canary" })),
        one("GreyNoise", "GreyNoiseAPIKey", json!({ "api_key": "canary" })),
        http,
        one("LaunchDarkly", "LaunchDarklyAPIKey", json!({ "api_token": "canary" })),
        one("Notion", "NotionAPIKey", json!({ "api_token": "canary" })),
        one("Okta", "OktaAPIToken", json!({ "api_token": "canary", "domain": "example.okta.com" })),
        one("OpenAI", "OpenAIAPIKey", json!({ "api_token": "canary" })),
        one(
            "ServiceNow",
            "ServiceNowBasicAuth",
            json!({ "instance": "dev1", "username": "u", "password": "canary pass" }),
        ),
        one("Split", "SplitAPIKey", json!({ "api_key": "canary" })),
        one("Statsig", "StatsigAPIKey", json!({ "api_key": "canary" })),
        one("VirusTotal", "VirusTotalAPIKey", json!({ "api_key": "canary" })),
    ]
}

/// The body of a credential type.
pub(crate) fn body(credentials: &str) -> Value {
    bodies().into_iter().find(|body| body["credentials"]["type"] == credentials).unwrap()
}

pub(crate) fn create(body: Value) -> Result<Created, Faults> {
    CATALOG.create(body, &ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(1) })
}

pub(crate) fn connection(settings: &Settings) -> Connection<'_> {
    CATALOG.connection(settings).unwrap()
}

/// A connection as the engine keeps it: settings as JSON, secrets by name.
pub(crate) struct Stored {
    pub(crate) settings: Settings,
    pub(crate) secrets: BTreeMap<String, String>,
}

impl Stored {
    pub(crate) fn new(body: Value) -> Self {
        let created = create(body).unwrap();
        Self { settings: stored(&created.settings), secrets: revealed(&created.secrets) }
    }

    pub(crate) fn kept(&self) -> BTreeSet<SecretName> {
        self.secrets.keys().map(|name| SecretName::parse(name).unwrap()).collect()
    }

    pub(crate) fn try_update(&self, change: Value) -> Result<Updated, Faults> {
        let server = ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(2) };
        connection(&self.settings).update(&self.kept(), change, &server)
    }

    pub(crate) fn apply(&mut self, updated: &Updated) {
        self.settings = stored(&updated.settings);
        for name in &updated.delete {
            assert!(self.secrets.remove(name.as_str()).is_some(), "{name} was not kept");
        }
        self.secrets.extend(revealed(&updated.write));
    }

    pub(crate) fn shown(&self) -> Value {
        connection(&self.settings).shown(&self.kept())
    }
}

/// Through the database and back.
fn stored(settings: &Settings) -> Settings {
    serde_json::from_str(&serde_json::to_string(settings).unwrap()).unwrap()
}

pub(crate) fn revealed(secrets: &Secrets) -> BTreeMap<String, String> {
    secrets.iter().map(|(name, secret)| (name.to_string(), secret.reveal().to_owned())).collect()
}

/// Where the faults are, sorted.
pub(crate) fn pointers(faults: &Faults) -> Vec<&str> {
    let mut pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    pointers.sort_unstable();
    pointers
}

/// That a body is refused at these places, and that no answer repeats a secret.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Faults>, at: &[&str]) -> Faults {
    let faults = result.unwrap_err();
    assert_eq!(pointers(&faults), at, "{faults}");
    assert!(!format!("{faults} {faults:?} {}", faults.vendor_detail()).contains(CANARY));
    faults
}

/// The members of an object.
pub(crate) fn names(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}
