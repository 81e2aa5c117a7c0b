//! Damaged catalogs are refused, and the error names the file, the entry and the field.

use claviger_catalog::Catalog;

/// A sound entry, of which each test damages a part.
const SOUND: &str = r#"
[[integration]]
type = "Own"
title = "Own"
base_url = "https://{domain}/v1"
hosts = ["{domain}", "api.own.example"]
docs = "https://own.example"

  [[integration.credentials]]
  type = "OwnKey"
  settings = [{ name = "domain", format = "host", host_suffixes = [".own.example"] }]
  secrets = [{ name = "key", format = "token" }]
  inject = [{ header = "X-Key", value = "{key}" }]
  probe = [{ path = "/me", ok = [200], bad = [401] }]
"#;

/// Appended to an entry, a second credential type.
fn second(text: &str) -> String {
    format!("{SOUND}\n  [[integration.credentials]]\n{text}")
}

#[track_caller]
fn check(text: &str, entry: &str, field: &str) {
    let error = Catalog::embedded().unwrap().with_extra("extra.toml", text).unwrap_err();
    assert_eq!(
        (error.file.as_str(), error.entry.as_str(), error.field.as_str()),
        ("extra.toml", entry, field),
        "{error}"
    );
}

/// With a part of the sound entry replaced.
#[track_caller]
fn damaged(part: &str, by: &str, field: &str) {
    assert!(SOUND.contains(part), "{part}");
    check(
        &SOUND.replacen(part, by, 1),
        if part.starts_with("type = \"Own\"") { "integration 1" } else { "Own" },
        field,
    );
}

#[test]
fn the_sound_one_is_taken() {
    Catalog::embedded().unwrap().with_extra("extra.toml", SOUND).unwrap();
}

#[test]
fn what_is_no_toml_or_not_known_is_refused() {
    check("[[integration", "the file", "as TOML");
    check("colour = 1", "the file", "colour");
    check("integration = 1", "the file", "integration");
    check("[formats]\nx = 1", "format x", "as a whole");
    damaged("title = \"Own\"\n", "", "as a whole");
    damaged("docs =", "colour = 1\ndocs =", "colour");
    damaged("type = \"Own\"\n", "", "as a whole");
    damaged("format = \"token\"", "format = \"token\", colour = 1", "credentials[0].secrets[0].colour");
    damaged("ok = [200]", "ok = [\"200\"]", "credentials[0].probe[0].ok[0]");
    damaged("bad = [401]", "bad = [401], colour = 1", "credentials[0].probe[0].colour");
}

#[test]
fn formats_must_be_sound() {
    let format = |rest: &str| format!("[formats.own]\nsays = \"x\"\n{rest}");
    check(&format("pattern = 'a'\nmax = 1"), "format own", "pattern");
    check(&format("pattern = '^($'\nmax = 1"), "format own", "pattern");
    check(&format("pattern = '^(?:[^x]{0,4096}){4096}$'\nmax = 1"), "format own", "pattern");
    check(&format("pattern = '^a$'\nmax = 0"), "format own", "max");
    check(&format("pattern = '^a$'\nmin = 3\nmax = 2"), "format own", "max");
    check(&format("pattern = '^a$'\nmax = 100000"), "format own", "max");
    check(&format("pattern = '^a$'\nmax = 1\ncheck = \"magic\""), "format own", "check");
    check("[formats.token]\nsays = \"x\"\npattern = '^a$'\nmax = 1", "format token", "name");
}

#[test]
fn names_are_there_once() {
    check(&SOUND.replace("\"Own\"", "\"Notion\""), "Notion", "type");
    damaged("\"OwnKey\"", "\"NotionAPIKey\"", "credentials");
    check(
        &second(
            "  type = \"OwnKey\"\n  settings = [{ name = \"domain\", format = \"host\" }]\n  secrets = [{ name = \"key\", format = \"token\" }]\n  inject = [{ bearer = \"{key}\" }]",
        ),
        "Own",
        "OwnKey",
    );
    damaged("name = \"key\"", "name = \"domain\"", "OwnKey.secrets.domain");
    check(&SOUND.replace("\"Own\"\n", "\"O wn\"\n"), "O wn", "type");
    damaged("name = \"key\"", "name = \"\"", "OwnKey.secrets");
    for name in ["Key", "a b", "a/b", "type", "token", "credentials"] {
        damaged("name = \"key\"", &format!("name = \"{name}\""), &format!("OwnKey.secrets.{name}"));
    }
}

#[test]
fn hosts_must_be_bounded() {
    damaged("hosts = [\"{domain}\", \"api.own.example\"]\n", "", "hosts");
    damaged("\"api.own.example\"", "\"https://api.own.example\"", "hosts");
    damaged("\"api.own.example\"", "\"API.own.example\"", "hosts");
    for host in ["api.own.example.", "bücher.example", "[2001:DB8::1]", "[::ffff:192.0.2.1]", "*.192.0.2.1"]
    {
        damaged("\"api.own.example\"", &format!("\"{host}\""), "hosts");
    }
    damaged("\"api.own.example\"", "\"*.com\"", "hosts");
    damaged("\"api.own.example\"", "\"{key}\"", "OwnKey.hosts");
    damaged("\"api.own.example\"", "\"{nothing}\"", "OwnKey.hosts");
    damaged("\"api.own.example\"", "\"{domain\"", "hosts");
    damaged("https://{domain}/v1", "https://other.example", "OwnKey.base_url");
    damaged("https://{domain}/v1", "http://{domain}", "OwnKey.base_url");
    damaged("https://{domain}/v1", "{domain}", "OwnKey.base_url");
    damaged("format = \"host\"", "optional = true, format = \"host\"", "OwnKey.base_url");
    damaged(
        "format = \"host\", host_suffixes = [\".own.example\"]",
        "format = \"password\"",
        "OwnKey.base_url",
    );
    for suffixes in [
        "",
        "\"own.example\"",
        "\".com\"",
        "\".Own.example\"",
        "\".own.example.\"",
        "\".2.3.4\"",
        "\".192.0.2.1\"",
        "\".bücher.example\"",
        "\".own.example\", \"\"",
    ] {
        damaged("[\".own.example\"]", &format!("[{suffixes}]"), "OwnKey.settings.domain.host_suffixes");
    }
    damaged("docs =", "schemes = [\"ftp\"]\ndocs =", "schemes");
    damaged("docs =", "schemes = []\ndocs =", "schemes");
    damaged("docs =", "host_rule = \"magic\"\ndocs =", "host_rule");
    damaged("docs =", "host_rule = \"http_origin\"\ndocs =", "hosts");
    damaged("docs =", "host_rule = \"azure_scope\"\ndocs =", "OwnKey.host_rule");
    let http = SOUND.replace("hosts = [\"{domain}\", \"api.own.example\"]", "host_rule = \"http_origin\"");
    check(
        &http.replace("\"domain\"", "\"base_url\"").replace("{domain}", "{base_url}"),
        "Own",
        "OwnKey.host_rule",
    );
}

#[test]
fn fields_must_be_sound() {
    let secret = "format = \"token\" }]\n  inject";
    let instead = |by: &str| format!("{by} }}]\n  inject");
    for (by, field) in [
        ("optional = false", "format"),
        ("format = \"magic\"", "format"),
        ("format = \"token\", hint = '('", "hint"),
        ("code = \"magic\"", "code"),
        ("code = \"external_id\"", "code"),
        ("format = \"token\", values = { a = \"b\" }", "format"),
        ("format = \"token\", list = \"magic\"", "list"),
        ("format = \"token\", list = \"http_name\", hint = 'x'", "list"),
    ] {
        damaged(secret, &instead(by), &format!("OwnKey.secrets.key.{field}"));
    }
    let setting = "format = \"host\", host_suffixes = [\".own.example\"]";
    for (by, field) in [
        ("code = \"magic\"", "code"),
        ("code = \"external_id\", format = \"host\"", "code"),
        ("format = \"host\", values = {}", "values"),
        ("format = \"host\", values = { \"a/b\" = \"x\" }", "values"),
        ("format = \"host\", values = { a = \"x\" }, host_suffixes = [\".a.b\"]", "values"),
        ("format = \"token\", host_suffixes = [\".own.example\"]", "format"),
    ] {
        damaged(setting, by, &format!("OwnKey.settings.domain.{field}"));
    }
}

#[test]
fn injections_must_be_sound() {
    let inject = "[{ header = \"X-Key\", value = \"{key}\" }]";
    for (by, field) in [
        ("[]", "OwnKey.secrets.key"),
        ("[{}]", "OwnKey.inject[0]"),
        ("[{ header = \"X-Key\" }]", "OwnKey.inject[0]"),
        ("[{ header = \"X-Key\", value = \"{key}\", bearer = \"x\" }]", "OwnKey.inject[0]"),
        ("[{ header = \"X Key\", value = \"{key}\" }]", "OwnKey.inject[0].header"),
        ("[{ header = \"X-Key\", value = \"{key\" }]", "OwnKey.inject[0].value"),
        ("[{ header = \"X-Key\", value = \"{other}\" }]", "OwnKey.inject[0]"),
        ("[{ header = \"X-Key\", value = \"{token}\" }]", "OwnKey.inject[0]"),
        ("[{ header = \"X-Key\", value = \"fixed\" }]", "OwnKey.secrets.key"),
        ("[{ query = \"a&b\", value = \"{key}\" }]", "OwnKey.inject[0].query"),
        ("[{ basic = [\"{key}\", \"x\"] }]", "OwnKey.inject[0].basic"),
        ("[{ bearer = \"{key}\", if_absent = true }]", "OwnKey.inject[0].if_absent"),
        ("[{ code = \"magic\" }]", "OwnKey.inject[0].code"),
        ("[{ code = \"aws_signature\" }]", "OwnKey.inject[0].code"),
        ("[{ code = \"http_template\" }]", "OwnKey.inject[0].code"),
        ("[{ bearer = \"{key}\", when = {} }]", "OwnKey.inject[0].when"),
        ("[{ bearer = \"{key}\", when = { url = \"http://x\" } }]", "OwnKey.inject[0].when.url"),
        (
            "[{ bearer = \"{key}\", unless = { field = \"key\", matches = '(' } }]",
            "OwnKey.inject[0].unless.matches",
        ),
        (
            "[{ bearer = \"{key}\", when = { url = \"https://x\" }, unless = { url = \"https://x\" } }]",
            "OwnKey.inject[0].when",
        ),
    ] {
        damaged(inject, by, field);
    }
    // What has several lines cannot stand in a header.
    damaged("format = \"token\"", "format = \"pem\"", "OwnKey.inject[0]");
    damaged("format = \"token\"", "optional = true, format = \"token\"", "OwnKey.inject[0]");
    damaged("  inject =", "  exchange = \"magic\"\n  inject =", "OwnKey.exchange");
    damaged("  inject =", "  exchange = \"azure\"\n  inject =", "OwnKey.exchange");
    // A list that no code fills in.
    damaged(
        "{ name = \"key\", format = \"token\" }",
        "{ name = \"key\", format = \"token\" }, { name = \"more\", list = \"http_name\", format = \"token\" }",
        "OwnKey.more",
    );
}

#[test]
fn probes_must_be_sound() {
    let probe = "{ path = \"/me\", ok = [200], bad = [401] }";
    for (by, field) in [
        ("{ path = \"me\", ok = [200] }", "path"),
        ("{ path = \"//evil\", ok = [200] }", "path"),
        ("{ path = \"/a b\", ok = [200] }", "path"),
        ("{ path = \"/me\", ok = [] }", "ok"),
        ("{ path = \"/me\", ok = [200], bad = [200] }", "ok"),
        ("{ path = \"/me\", ok = [20] }", "ok"),
        ("{ path = \"/me\", ok = [200], method = \"DELETE\" }", "method"),
        ("{ path = \"/me\", ok = [200], check = { pointer = \"x\", equals = 1 } }", "check.pointer"),
    ] {
        damaged(probe, by, &format!("OwnKey.probe[0].{field}"));
    }
    damaged("base_url = \"https://{domain}/v1\"\n", "", "OwnKey.probe[0].path");
    damaged("docs =", "retry = { statuses = [200] }\ndocs =", "retry.statuses");
    damaged(
        "docs =",
        "retry = { wait = [{ header = \"x\", unit = \"years\" }] }\ndocs =",
        "retry.wait[0].unit",
    );
}
