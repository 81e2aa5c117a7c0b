//! A 25th integration is an entry in a file, and no code.

use claviger_catalog::{Catalog, Presentation, SchemaOf, ServerValues};
use claviger_model::testing::SeededRandom;
use serde_json::json;

use crate::support::{PRINCIPAL, pointers, revealed};

const STATUSPAGE: &str = r#"
    [formats.page]
    pattern = '^[a-z0-9]+$'
    max = 12
    says = "lower-case letters and digits"

    [[integration]]
    type = "Statuspage"
    title = "Atlassian Statuspage"
    base_url = "https://{region}/v1"
    hosts = ["{region}"]
    docs = "https://developer.statuspage.io/"

      [[integration.credentials]]
      type = "StatuspageAPIKey"
      settings = [
        { name = "page", format = "page" },
        { name = "region", format = "host", host_suffixes = [".statuspage.io"] },
      ]
      secrets = [{ name = "api_key", format = "token", hint = '^sp-' }]
      inject = [
        { header = "Authorization", value = "OAuth {api_key}" },
        { query = "page", value = "{page}" },
      ]
      probe = [{ path = "/pages", ok = [200], bad = [401] }]
"#;

#[test]
fn a_file_adds_an_integration() {
    let catalog = Catalog::embedded().unwrap().with_extra("extra.toml", STATUSPAGE).unwrap();
    assert_eq!(catalog.integrations().len(), 25);
    let server = ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(1) };
    let body = json!({
        "type": "Statuspage",
        "credentials": { "type": "StatuspageAPIKey", "page": "x1", "region": "api", "api_key": "sp-canary" },
    });

    // Validation and splitting.
    let created = catalog.create(body.clone(), &server).unwrap();
    let secrets = revealed(&created.secrets);
    assert_eq!(secrets["api_key"], "sp-canary");
    let mut wrong = body.clone();
    wrong["credentials"] =
        json!({ "type": "StatuspageAPIKey", "page": "X", "region": "a.example", "colour": 1 });
    let faults = catalog.create(wrong, &server).unwrap_err();
    let expected = ["api_key", "colour", "page", "region"].map(|name| format!("/credentials/{name}"));
    assert_eq!(pointers(&faults), expected);

    // Redaction, hosts, injection, probe.
    let view = catalog.connection(&created.settings).unwrap();
    let kept = created.secrets.keys().cloned().collect();
    let mut shown = body.clone();
    shown["credentials"]["api_key"] = json!("");
    assert_eq!(view.shown(&kept), shown);
    let base = view.base_url().unwrap();
    assert_eq!(format!("{}{}", base.origin, base.path), "https://api.statuspage.io/v1");
    assert!(view.allowed_hosts(&[]).check(&base.origin).is_ok());
    let Presentation::Header { name, value } = &view.credential().injections()[0].what else { panic!() };
    assert_eq!(name, "Authorization");
    let filled = value.fill(|name| secrets.get(name).map(String::as_str)).unwrap();
    assert_eq!(filled.as_str(), "OAuth sp-canary");
    assert_eq!(view.probe(|_| None).unwrap().path, "/pages");

    // Repointing.
    let change =
        json!({ "type": "Statuspage", "credentials": { "type": "StatuspageAPIKey", "region": "evil" } });
    let faults = view.update(&kept, change, &server).unwrap_err();
    assert_eq!(pointers(&faults), ["/credentials/api_key"]);

    // Schemas.
    let schemas = catalog.schema(SchemaOf::Create);
    assert_eq!(schemas["oneOf"].as_array().unwrap().len(), 25);
    assert_eq!(schemas["oneOf"][24]["properties"]["credentials"]["properties"]["page"]["maxLength"], 12);
}

/// Without the file, its connections are still there, and say so.
#[test]
fn a_type_that_went_away_is_named() {
    let catalog = Catalog::embedded().unwrap().with_extra("extra.toml", STATUSPAGE).unwrap();
    let server = ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(1) };
    let body = json!({
        "type": "Statuspage",
        "credentials": { "type": "StatuspageAPIKey", "page": "x1", "region": "api", "api_key": "sp-canary" },
    });
    let created = catalog.create(body, &server).unwrap();
    let error = Catalog::embedded().unwrap().connection(&created.settings).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the catalog has no credentials StatuspageAPIKey of an integration Statuspage"
    );
}

/// Where an entry binds to the origin that its owner names, its schemes hold all the same.
#[test]
fn an_origin_of_ones_own_is_bound_to_the_entrys_schemes() {
    const SELF_HOSTED: &str = r#"
        [[integration]]
        type = "SelfHosted"
        title = "Self-hosted"
        base_url = "{base_url}"
        host_rule = "http_origin"
        settings = [{ name = "base_url", format = "http_url" }]
        docs = "https://example.com/"

          [[integration.credentials]]
          type = "SelfHostedToken"
          secrets = [{ name = "api_token", format = "token" }]
          inject = [{ header = "Authorization", value = "Bearer {api_token}" }]
    "#;
    let catalog = Catalog::embedded().unwrap().with_extra("extra.toml", SELF_HOSTED).unwrap();
    let server = ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(1) };
    for (base_url, is_allowed) in [("https://a.example", true), ("http://a.example", false)] {
        let credentials = json!({ "type": "SelfHostedToken", "api_token": "canary" });
        let body = json!({ "type": "SelfHosted", "base_url": base_url, "credentials": credentials });
        let created = catalog.create(body, &server).unwrap();
        let view = catalog.connection(&created.settings).unwrap();
        let checked = view.allowed_hosts(&[]).check(&view.base_url().unwrap().origin);
        assert_eq!(checked.is_ok(), is_allowed, "{base_url}");
    }
}
