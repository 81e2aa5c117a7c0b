//! How each credential stands in a request: filled in here as a broker would, and compared with what the third
//! parties' documents and client libraries ask for.

use std::collections::BTreeMap;

use claviger_catalog::{Exchange, Presentation, WaitUnit};
use serde_json::{Value, json};

use crate::support::{CATALOG, Stored, bodies, body, connection};

/// What a connection adds to a GET of `url`, one line each.
fn added(stored: &Stored, url: &str) -> Vec<String> {
    let value_of = |name: &str| match name {
        "token" => Some("<token>"),
        _ => stored.secrets.get(name).map(String::as_str).or_else(|| stored.settings.text(name)),
    };
    let mut lines = Vec::new();
    for injection in connection(&stored.settings).credential().injections() {
        if injection.when.as_ref().is_some_and(|when| !when.holds(url, value_of)) {
            continue;
        }
        let fill = |text: &claviger_catalog::Text| text.fill(value_of).unwrap().to_string();
        let line = match &injection.what {
            Presentation::Header { name, value } => format!("{name}: {}", fill(value)),
            Presentation::Query { name, value } => format!("?{name}={}", fill(value)),
            Presentation::Bearer(value) => format!("Bearer {}", fill(value)),
            Presentation::Basic { user, password } => format!("Basic {}:{}", fill(user), fill(password)),
            Presentation::AwsSignature => "aws".to_owned(),
            Presentation::HttpTemplate => "template".to_owned(),
        };
        lines.push(if injection.if_absent { format!("{line} (unless sent)") } else { line });
    }
    lines
}

#[test]
fn each_credential_stands_where_its_service_wants_it() {
    let expected = json!({
        "AWSAssumeRole": ["aws"],
        "AnthropicAPIKey": ["x-api-key: canary", "anthropic-version: 2026-10-21 (unless sent)"],
        "AsanaAccessToken": ["Bearer canary"],
        "AzureTenant": ["Bearer <token>"],
        "CircleCIAPIKey": ["Circle-Token: canary", "Accept: application/json (unless sent)"],
        "ClickupAPIKey": ["Authorization: canary"],
        "CloudflareAPIToken": ["Bearer canary"],
        "CloudflareGlobalAPIToken": ["X-Auth-Email: a@example.com", "X-Auth-Key: canary"],
        "ConfigCatSDKKey": ["Basic user:canary pass", "X-CONFIGCAT-SDKKEY: canary/sdk"],
        "DatadogAPIKey": ["DD-API-KEY: canary1", "DD-APPLICATION-KEY: canary2"],
        "FastlyAPIKey": ["Fastly-Key: canary", "Accept: application/json (unless sent)"],
        "FreshserviceAPIKey": ["Basic canary:X"],
        "GCPServiceAccount": ["Bearer <token>"],
        "GeminiAPIKey": ["x-goog-api-key: canary"],
        "GitlabAPIKey": ["PRIVATE-TOKEN: canary"],
        "GreyNoiseAPIKey": ["key: canary"],
        "HTTPTokenAuth": ["template"],
        "LaunchDarklyAPIKey": ["Authorization: canary"],
        "NotionAPIKey": ["Bearer canary", "Notion-Version: 2026-03-11 (unless sent)"],
        "OktaAPIToken": ["Authorization: SSWS canary", "Accept: application/json (unless sent)"],
        "OpenAIAPIKey": ["Bearer canary"],
        "ServiceNowBasicAuth": ["Basic u:canary pass", "Accept: application/json (unless sent)"],
        "SplitAPIKey": ["Bearer canary"],
        "StatsigAPIKey": ["STATSIG-API-KEY: canary", "STATSIG-API-VERSION: 20240601 (unless sent)"],
        "VirusTotalAPIKey": ["x-apikey: canary"],
    });
    for body in bodies() {
        let lines = added(&Stored::new(body.clone()), "https://host/path");
        assert_eq!(json!(lines), expected[body["credentials"]["type"].as_str().unwrap()], "{}", body["type"]);
    }
}

fn with(credentials: &str, field: &str, value: &str) -> Stored {
    let mut sent = body(credentials);
    sent["credentials"][field] = json!(value);
    Stored::new(sent)
}

#[test]
fn two_services_take_two_forms() {
    let circle = Stored::new(body("CircleCIAPIKey"));
    assert_eq!(added(&circle, "https://circleci.com/api/v3/x")[0], "Bearer canary");
    assert_eq!(added(&circle, "https://runner.circleci.com/api/v3/x")[0], "Circle-Token: canary");
    assert_eq!(
        added(&with("SplitAPIKey", "api_key", "pat.canary"), "https://api.split.io"),
        ["x-api-key: pat.canary"]
    );
}

#[test]
fn probes_are_chosen_by_the_credential() {
    let path = |stored: &Stored| {
        let secret_of = |name: &str| stored.secrets.get(name).map(String::as_str);
        connection(&stored.settings).probe(secret_of).map(|probe| probe.path.clone())
    };
    let mut paths = BTreeMap::new();
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        paths.insert(kind, path(&Stored::new(body)));
    }
    let without: Vec<&str> =
        paths.iter().filter(|(_, path)| path.is_none()).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(without, ["AWSAssumeRole", "AzureTenant", "GCPServiceAccount", "HTTPTokenAuth"]);
    assert_eq!(paths["CloudflareAPIToken"].as_deref(), Some("/user/tokens/verify"));
    let owned = with("CloudflareAPIToken", "api_token", "cfat_canary");
    assert_eq!(path(&owned).as_deref(), Some("/accounts?per_page=1"));
}

#[test]
fn exchanges_go_to_their_addresses() {
    let urls: Vec<Value> = ["AWSAssumeRole", "AzureTenant", "GCPServiceAccount", "NotionAPIKey"]
        .map(|kind| {
            let stored = Stored::new(body(kind));
            let exchange = connection(&stored.settings).credential().exchange();
            json!(exchange.and_then(|exchange: Exchange| exchange.url(&stored.settings, "eu-west-1")))
        })
        .into();
    assert_eq!(
        urls,
        [
            json!("https://sts.eu-west-1.amazonaws.com/"),
            json!("https://login.microsoftonline.com/azure-tenant-id/oauth2/v2.0/token"),
            json!("https://oauth2.googleapis.com/token"),
            json!(null),
        ]
    );
}

#[test]
fn waits_are_in_the_units_of_each_service() {
    let waits = |kind: &str| CATALOG.integration(kind).unwrap().retry().waits.clone();
    assert_eq!(waits("LaunchDarkly")[1].unit, WaitUnit::EpochMillis);
    assert_eq!(waits("Datadog")[0].unit, WaitUnit::Seconds);
    assert_eq!(waits("Asana")[0].unit, WaitUnit::SecondsOrDate);
    assert!(waits("Statsig").is_empty());
    assert!(CATALOG.integration("Split").unwrap().retry().longest);
    assert_eq!(CATALOG.integration("Gemini").unwrap().strip().query, ["key", "access_token"]);
}
