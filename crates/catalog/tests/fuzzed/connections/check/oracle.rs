//! What must hold of every answer of the catalog.

use std::collections::BTreeSet;
use std::fmt::Debug;

use claviger_catalog::template::{Piece, parse};
use claviger_catalog::{
    Connection, CredentialType, Faults, Host, NamedValue, Origin, Scheme, Setting, Settings, Shape, Warning,
};
use serde_json::{Value, json};

use super::model::at;
use super::source::ELSEWHERE;

/// Whoever is refused is told where and why, and nothing of what was sent.
pub(crate) fn refusal(body: &Value, faults: &Faults, needle: &str) {
    assert!(!faults.is_empty(), "refused without a fault: {body}");
    for fault in faults.iter() {
        assert!(is_pointer_into(body, &fault.pointer), "{:?} is no pointer into {body}", fault.pointer);
        assert!(!fault.reason.is_empty(), "no reason at {:?}", fault.pointer);
    }
    hides(needle, "a fault", &format!("{faults} {faults:?} {}", faults.vendor_detail()));
}

/// It parses, and leads to something that was sent, or to what is missing in it.
fn is_pointer_into(body: &Value, pointer: &str) -> bool {
    let Some((parent, _)) = pointer.rsplit_once('/') else { return pointer.is_empty() };
    let mut escapes = pointer.split('~');
    escapes.next();
    escapes.all(|rest| rest.starts_with(['0', '1'])) && body.pointer(parent).is_some()
}

/// Warnings too say where, and nothing of what was sent.
pub(crate) fn warnings(body: &Value, warnings: &[Warning], needle: &str) {
    for warning in warnings {
        assert!(body.pointer(&warning.pointer).is_some(), "{warning:?} is not of {body}");
    }
    hides(needle, "a warning", &format!("{warnings:?}"));
}

pub(crate) fn hides(needle: &str, what: &str, text: &str) {
    assert!(!text.contains(needle), "{what} holds a secret: {text}");
}

/// What can be printed, stored in clear or shown holds no secret.
pub(crate) fn no_leak(needle: &str, answer: &impl Debug, settings: &Settings, shown: &Value) {
    hides(needle, "what is shown", &shown.to_string());
    hides(needle, "stored settings", &serde_json::to_string(settings).unwrap());
    hides(needle, "an answer", &format!("{answer:?}"));
}

/// Settings are stored and read back.
pub(crate) fn stored(settings: &Settings) -> Settings {
    let read: Settings = serde_json::from_str(&serde_json::to_string(settings).unwrap()).unwrap();
    assert_eq!(&read, settings, "settings are not read back as they were stored");
    read
}

/// No text that was taken can end a line of a request: keys in PEM and bodies have lines of their own.
pub(crate) fn one_line(name: &str, text: &str) {
    let may = ["private_key", "content"].contains(&name);
    assert!(may || !text.contains(['\r', '\n']), "{name} has lines: {text:?}");
    assert!(!text.contains('\0'), "{name} has a NUL: {text:?}");
}

/// All texts of a value, with the names that they stand under.
pub(crate) fn one_line_each(name: &str, value: &Value) {
    match value {
        Value::String(text) => one_line(name, text),
        Value::Array(items) => items.iter().for_each(|item| one_line_each(name, item)),
        Value::Object(members) => members.iter().for_each(|(name, value)| one_line_each(name, value)),
        _ => {}
    }
}

/// Everything that decides where a secret goes, as the broker asks for it.
pub(crate) fn destination(connection: &Connection<'_>, settings: &Settings) -> String {
    let named = ["named.example", "abc.execute-api.eu-west-1.amazonaws.com"]
        .map(|name| name.parse::<Host>().unwrap());
    let hosts = connection.allowed_hosts(&named);
    let base = connection.base_url();
    // A scope of Azure may bind to another host than that of the base URL.
    if let Some(base) = base.as_ref().filter(|_| settings.text("custom_scopes").is_none()) {
        assert!(hosts.check(&base.origin).is_ok(), "its own base URL is refused: {base:?} by {hosts:?}");
    }
    let elsewhere = Origin::new(Scheme::Https, ELSEWHERE.parse().unwrap());
    let names_it = serde_json::to_string(settings).unwrap().to_lowercase().contains(ELSEWHERE);
    assert!(names_it || hosts.check(&elsewhere).is_err(), "goes anywhere: {hosts:?}");
    let exchange = connection.credential().exchange().map(|exchange| exchange.url(settings, "eu-central-1"));
    format!("{hosts:?} {base:?} {exchange:?}")
}

/// Where a connection puts a token, with all that says how it is read there, as whoever fills the texts in reads them.
pub(crate) fn places(settings: &Settings, secret: &str) -> BTreeSet<String> {
    let names_it = |text: &str| {
        let pieces = parse(text).unwrap();
        pieces.iter().any(|piece| matches!(piece, Piece::Token(name) if secret == format!("tokens/{name}")))
    };
    let value = |item: &NamedValue| item.value.clone().unwrap_or_default();
    let mut places = BTreeSet::new();
    for list in ["headers", "url_parameters"] {
        let naming = settings.list(list).iter().filter(|item| names_it(&value(item)));
        places.extend(naming.map(|item| format!("{list} {item:?}")));
    }
    if let Some(Setting::Body(body)) = settings.field("body")
        && names_it(body.content.as_deref().unwrap_or_default())
    {
        let mut about: Vec<_> = settings.list("headers").iter().map(|item| format!("{item:?}")).collect();
        about.retain(|header| header.to_lowercase().replace('_', "-").contains("name: \"content-"));
        about.sort();
        places.insert(format!("{body:?} {about:?}"));
    }
    places
}

/// Whether a body has a canary where no secret belongs: then it is kept in clear, as it was given.
pub(crate) fn in_clear(credential: &CredentialType, body: &Value, needle: &str) -> bool {
    let mut rest = body.clone();
    for field in credential.secret_fields().filter(|field| at(field, body).is_some()) {
        let value = &mut rest["credentials"][field.name()];
        match (field.shape(), value) {
            (Shape::List { .. }, Value::Array(items)) => {
                for item in items.iter_mut().filter(|item| item.is_object()) {
                    item["value"] = json!("");
                }
            }
            (_, value) => *value = json!(""),
        }
    }
    rest.to_string().contains(needle)
}
