//! Base URLs, and the hosts that secrets may go to.

use std::num::NonZeroU16;

use claviger_catalog::{BaseUrl, Destination, Host, HostRefusal, Origin};
use serde_json::{Value, json};

use crate::support::{Stored, bodies, body, connection};

fn origin(text: &str) -> Origin {
    BaseUrl::parse(text).unwrap().origin
}

fn allows(body: Value, named: &[&str], url: &str) -> Result<Destination, HostRefusal> {
    let named: Vec<Host> = named.iter().map(|name| name.parse().unwrap()).collect();
    connection(&Stored::new(body).settings).allowed_hosts(&named).check(&origin(url))
}

#[test]
fn base_urls_are_these() {
    let expected = json!({
        "AWSAssumeRole": null,
        "AnthropicAPIKey": "https://api.anthropic.com",
        "AsanaAccessToken": "https://app.asana.com/api/1.0",
        "AzureTenant": "https://management.azure.com",
        "CircleCIAPIKey": "https://circleci.com/api/v2",
        "ClickupAPIKey": "https://api.clickup.com/api/v2",
        "CloudflareAPIToken": "https://api.cloudflare.com/client/v4",
        "CloudflareGlobalAPIToken": "https://api.cloudflare.com/client/v4",
        "ConfigCatSDKKey": "https://api.configcat.com",
        "DatadogAPIKey": "https://api.datadoghq.com",
        "FastlyAPIKey": "https://api.fastly.com",
        "FreshserviceAPIKey": "https://acme.freshservice.com/api/v2",
        "GCPServiceAccount": null,
        "GeminiAPIKey": "https://generativelanguage.googleapis.com",
        "GitlabAPIKey": "https://gitlab.com/api/v4",
        "GreyNoiseAPIKey": "https://api.greynoise.io",
        "HTTPTokenAuth": "https://catfact.ninja",
        "LaunchDarklyAPIKey": "https://app.launchdarkly.com",
        "NotionAPIKey": "https://api.notion.com",
        "OktaAPIToken": "https://example.okta.com",
        "OpenAIAPIKey": "https://api.openai.com",
        "ServiceNowBasicAuth": "https://dev1.service-now.com",
        "SplitAPIKey": "https://api.split.io",
        "StatsigAPIKey": "https://statsigapi.net",
        "VirusTotalAPIKey": "https://www.virustotal.com/api/v3",
    });
    for body in bodies() {
        let stored = Stored::new(body.clone());
        let url = connection(&stored.settings).base_url().map(|url| format!("{}{}", url.origin, url.path));
        assert_eq!(json!(url), expected[body["credentials"]["type"].as_str().unwrap()]);
    }
}

#[test]
fn each_may_go_to_its_own_base_url_and_nowhere_near() {
    for body in bodies() {
        let stored = Stored::new(body.clone());
        let view = connection(&stored.settings);
        let hosts = view.allowed_hosts(&[]);
        let Some(base) = view.base_url() else { continue };
        let own = base.origin.clone();
        assert!(hosts.check(&own).is_ok(), "{own}");
        let refused = |origin: Origin, reason| assert_eq!(hosts.check(&origin), Err(reason), "{origin}");
        let host = |text: String| Origin::new(own.scheme(), text.parse().unwrap());
        refused(host("evil.example".to_owned()), HostRefusal::Host);
        refused(host(format!("{}.evil.example", own.host())), HostRefusal::Host);
        refused(host(format!("evil{}", own.host())), HostRefusal::Host);
        refused(host("169.254.169.254".to_owned()), HostRefusal::Host);
        refused(own.clone().with_port(const { NonZeroU16::new(8443).unwrap() }), HostRefusal::Port);
        refused(origin(&own.to_string().replace("https", "http")), HostRefusal::Scheme);
    }
}

#[test]
fn an_http_connection_goes_to_its_origin_alone() {
    let mut sent = body("HTTPTokenAuth");
    sent["base_url"] = json!("http://H.example:8080/x");
    assert!(allows(sent.clone(), &[], "http://h.example.:8080/other").is_ok());
    for (url, reason) in [
        ("https://h.example:8080", HostRefusal::Scheme),
        ("http://h.example", HostRefusal::Port),
        ("http://i.example:8080", HostRefusal::Host),
    ] {
        assert_eq!(allows(sent.clone(), &["i.example"], url), Err(reason), "{url}");
    }
}

#[test]
fn aws_goes_to_listed_services() {
    let check = |named: &[&str], url: &str| allows(body("AWSAssumeRole"), named, url);
    let signing = check(&[], "https://email.eu-west-1.amazonaws.com").unwrap().signing.unwrap();
    assert_eq!((signing.service.as_str(), signing.region.as_str()), ("ses", "eu-west-1"));
    assert!(check(&[], "https://lambda.eu-west-1.api.aws").is_ok());
    assert_eq!(check(&[], "http://s3.amazonaws.com"), Err(HostRefusal::Scheme));
    assert_eq!(check(&[], "https://s3.amazonaws.com:8443"), Err(HostRefusal::Port));
    assert_eq!(check(&["evil.example"], "https://evil.example"), Err(HostRefusal::Host));
    let machine = "ec2-203-0-113-1.eu-west-1.compute.amazonaws.com";
    assert_eq!(check(&[machine], &format!("https://{machine}")), Err(HostRefusal::Service));
    let api = "abc.execute-api.eu-west-1.amazonaws.com";
    assert_eq!(check(&[], &format!("https://{api}")), Err(HostRefusal::Service));
    assert!(check(&[api], &format!("https://{api}")).is_ok());
}

#[test]
fn azure_goes_where_its_scope_says() {
    let with = |scope: Option<&str>| {
        let mut sent = body("AzureTenant");
        match scope {
            Some(scope) => sent["credentials"]["custom_scopes"] = json!(scope),
            None => _ = sent["credentials"].as_object_mut().unwrap().remove("custom_scopes"),
        }
        sent
    };
    let scope = |sent: Value, named: &[&str], url: &str| allows(sent, named, url).map(|to| to.scope.unwrap());
    // Without one, it follows from the host.
    let graph = "https://graph.microsoft.com";
    assert_eq!(scope(with(None), &[], graph).unwrap(), "https://graph.microsoft.com/.default");
    assert_eq!(
        scope(with(None), &[], "https://x.vault.azure.net").unwrap(),
        "https://vault.azure.net/.default"
    );
    assert_eq!(scope(with(None), &["own.example"], "https://own.example"), Err(HostRefusal::Host));
    // With one, the host follows from it.
    let own = "https://own.example/.default";
    assert_eq!(scope(with(Some(own)), &[], "https://own.example").unwrap(), own);
    assert_eq!(scope(with(Some(own)), &[], graph), Err(HostRefusal::Host));
    // Where none does, the connection must name it.
    let opaque = "api://7f3c/.default";
    assert_eq!(scope(with(Some(opaque)), &[], graph), Err(HostRefusal::Host));
    assert_eq!(scope(with(Some(opaque)), &["own.example"], "https://own.example").unwrap(), opaque);
}

/// Whoever edits a row, or takes a suffix out of the catalog, cuts a connection off rather than aiming it elsewhere.
#[test]
fn settings_that_no_longer_fit_lead_nowhere() {
    for (credentials, good, bad, url) in [
        ("OktaAPIToken", "example.okta.com", "evil.example", "https://evil.example"),
        ("FreshserviceAPIKey", "acme.freshservice.com", "evil.example/", "https://evil.example"),
        ("DatadogAPIKey", "us1.datadoghq.com", "evil.example", "https://api.evil.example"),
        (
            "HTTPTokenAuth",
            "https://catfact.ninja",
            "https://catfact.ninja@evil.example",
            "https://evil.example",
        ),
    ] {
        let stored = Stored::new(body(credentials));
        let text = serde_json::to_string(&stored.settings).unwrap();
        assert!(text.contains(good));
        let settings = serde_json::from_str(&text.replace(good, bad)).unwrap();
        let view = connection(&settings);
        assert_eq!(view.base_url(), None, "{credentials}");
        for url in [url, "https://catfact.ninja", "https://example.okta.com"] {
            assert_eq!(
                view.allowed_hosts(&[]).check(&origin(url)),
                Err(HostRefusal::Host),
                "{credentials} {url}"
            );
        }
    }
}
