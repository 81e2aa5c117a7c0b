//! Bodies out of bytes: well-formed ones, of each credential type, with values that the catalog takes.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use claviger_catalog::{CredentialType, Field, Integration, LIST_MAX, Place, Shape, StandsFor};
use serde_json::{Value, json};

use super::model::Model;

/// In every secret, and nowhere else. So long that an error cuts it, wherever it stands.
pub(crate) const CANARY: &str = "canaryCANARYcanaryCANARY";

/// A host that no connection goes to, unless it names it.
pub(crate) const ELSEWHERE: &str = "elsewhere.invalid";

/// Values of the fields whose texts are free.
fn free(field: &str) -> &'static [&'static str] {
    match field {
        "account_id" => &["123456789012", "000000000001"],
        "role" => &["MyRole", "path/Other"],
        "tenant_id" => &["azure-tenant-id", "other.example"],
        "app_client_id" => &["azure-client-id", "00000000-0000-0000-0000-000000000000"],
        "custom_scopes" => &[
            "https://management.azure.com/.default",
            "https://vault.azure.net/.default",
            "api://own/.default",
        ],
        "auth_email" | "service_account_email" => &["a@example.com", "b@x.iam.gserviceaccount.com"],
        "api_username" | "username" => &["user", "another user"],
        "subdomain" => &["acme", "other"],
        "base_url" => &[
            "https://h0.example",
            "https://H1.example:8443/x",
            "http://h2.example.",
            "https://[::1]/",
            "http://192.0.2.1",
        ],
        other => panic!("no values for {other}"),
    }
}

/// Tokens' names.
const TOKENS: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// Texts with tokens in them, or none.
const TEMPLATES: [&str; 9] =
    ["plain", "", "Bearer {{ t0 }}", "{{t1}}-{{t0}}", "{{ t2\t}}", "\t{{t3}}", "} {", "{{ t0 }}", "{{t0}}"];

const MEDIA_TYPES: [&str; 2] = ["application/json", "text/plain; charset=utf-8"];

/// What a connection would be made of: every field that is required, and some that are not.
pub(crate) fn create(
    u: &mut Unstructured<'_>,
    integration: &Integration,
    credential: &CredentialType,
) -> Result<Value> {
    let empty = Model::empty(integration.kind(), credential.kind());
    let mut body = empty.shown.clone();
    for field in secrets_first(credential).filter(|field| !matches!(field.shape(), Shape::Made(_))) {
        if field.is_required() || u.ratio(1, 2)? {
            let value = value(u, field, &empty, &body)?;
            put(&mut body, field, value);
        }
    }
    Ok(body)
}

/// What a connection with everything would be made of.
pub(crate) fn full(integration: &Integration, credential: &CredentialType) -> Value {
    let mut body = Model::empty(integration.kind(), credential.kind()).shown;
    for field in credential.fields() {
        let value = match (field.shape(), field.name()) {
            (Shape::Made(_), _) => continue,
            (Shape::Text { .. }, _) if field.is_secret() => json!(CANARY),
            (Shape::Text { stands_for: StandsFor::Itself, .. }, name) => json!(free(name)[0]),
            (Shape::Text { stands_for: StandsFor::Row(rows), .. }, _) => json!(rows.keys().next()),
            (Shape::Text { stands_for: StandsFor::HostBelow(_), .. }, _) => json!("acme"),
            (Shape::HttpBody, _) => json!({ "content": TEMPLATES[3], "content_type": MEDIA_TYPES[0] }),
            (Shape::List { .. }, _) if field.is_secret() => ["t0", "t1"]
                .map(|name| json!({ "name": name, "type": "SECRET", "value": CANARY }))
                .into_iter()
                .collect(),
            (Shape::List { .. }, _) => json!([{ "name": "h0", "value": TEMPLATES[2] }]),
        };
        put(&mut body, field, value);
    }
    body
}

/// A change of some fields.
pub(crate) fn update(u: &mut Unstructured<'_>, credential: &CredentialType, model: &Model) -> Result<Value> {
    let mut body = Model::empty(model.shown["type"].as_str().unwrap_or_default(), credential.kind()).shown;
    // So that going elsewhere with everything is not left to chance.
    let everything = u.ratio(1, 4)?;
    for field in secrets_first(credential) {
        if (everything && field.is_secret()) || u.ratio(1, 3)? {
            let mut given = value(u, field, model, &body)?;
            if everything && let Some(items) = given.as_array_mut() {
                complete(items, field, model);
            }
            put(&mut body, field, given);
        }
        if field.name() == "external_id" && u.ratio(1, 3)? {
            body["credentials"]["generate_new_external_id"] = json!(u.arbitrary::<bool>()?);
        }
    }
    Ok(body)
}

fn put(body: &mut Value, field: &Field, value: Value) {
    match field.place() {
        Place::Integration => body[field.name()] = value,
        Place::Credentials => body["credentials"][field.name()] = value,
    }
}

/// So that texts can name tokens that are there.
fn secrets_first(credential: &CredentialType) -> impl Iterator<Item = &Field> {
    let plain = credential.fields().iter().filter(|field| !field.is_secret());
    credential.secret_fields().chain(plain)
}

/// A text that names tokens which are there, kept or brought; rarely, any.
fn template(u: &mut Unstructured<'_>, model: &Model, body: &Value) -> Result<&'static str> {
    let brought = |name: &str| {
        let mut items = body["credentials"]["tokens"].as_array().into_iter().flatten();
        items.find(|item| item["name"] == name).map(|item| item["deleted"] != true)
    };
    let is_there =
        |name: &str| brought(name).unwrap_or_else(|| model.secrets.contains_key(&format!("tokens/{name}")));
    let holds = |text: &&&str| TOKENS.iter().all(|name| !text.contains(name) || is_there(name));
    if u.ratio(1, 16)? {
        return u.choose(&TEMPLATES).copied();
    }
    u.choose_iter(TEMPLATES.iter().filter(holds).collect::<Vec<_>>()).copied()
}

/// `body`: what is given so far.
fn value(u: &mut Unstructured<'_>, field: &Field, model: &Model, body: &Value) -> Result<Value> {
    Ok(match field.shape() {
        Shape::Text { .. } if field.is_secret() => json!(secret(u)?),
        Shape::Text { stands_for, .. } => json!(plain(u, field, stands_for)?),
        Shape::HttpBody => {
            let mut given = json!({});
            if u.ratio(2, 3)? {
                given["content"] = json!(template(u, model, body)?);
            }
            if u.ratio(1, 3)? {
                given["content_type"] = json!(u.choose(&MEDIA_TYPES)?);
            }
            given
        }
        // What was shown may come back.
        Shape::Made(_) => model.shown["credentials"][field.name()].clone(),
        Shape::List { .. } => {
            let is_create =
                model.secrets.is_empty() && model.shown["credentials"].get(field.name()).is_none();
            // Two of these are more than a list may have.
            if u.ratio(1, 16)? {
                let letter = u.choose(&["a", "b"])?;
                return Ok((0..=LIST_MAX / 2)
                    .map(|index| many(field, &format!("{letter}{index}")))
                    .collect());
            }
            let items = 0..u.int_in_range(0..=4)?;
            let mut items =
                items.map(|_| item(u, field, is_create, model, body)).collect::<Result<Vec<_>>>()?;
            // Whoever names one twice is refused, and nothing else of it is tried.
            if u.ratio(7, 8)? {
                let mut seen = BTreeSet::new();
                items.retain(|item| seen.insert(item["name"].to_string()));
            }
            json!(items)
        }
    })
}

fn many(field: &Field, name: &str) -> Value {
    match field.is_secret() {
        true => json!({ "name": name, "type": "SECRET", "value": CANARY }),
        false => json!({ "name": name, "value": "" }),
    }
}

fn secret(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("{CANARY}{}", u.arbitrary::<u8>()?))
}

fn plain(u: &mut Unstructured<'_>, field: &Field, stands_for: &StandsFor) -> Result<String> {
    Ok(match stands_for {
        StandsFor::Itself => (*u.choose(free(field.name()))?).to_owned(),
        StandsFor::Row(rows) => u.choose_iter(rows.keys())?.clone(),
        StandsFor::HostBelow(below) => {
            let label = *u.choose(&["acme", "ACME", "evil", "a-0"])?;
            let suffix = if u.arbitrary()? { u.choose(below)?.as_str() } else { "" };
            format!("{label}{suffix}")
        }
    })
}

/// An item of a list: a new value, its name alone, or its end.
fn item(
    u: &mut Unstructured<'_>,
    field: &Field,
    is_create: bool,
    model: &Model,
    body: &Value,
) -> Result<Value> {
    // Headers are alike in upper and lower case; some of these are about the body, and some are parameters too.
    let names: &[&str] = match field.name() {
        "headers" => &["h0", "h1", "X-Key", "x-key", "Authorization", "Content-type", "content_type"],
        "url_parameters" => &["h0", "h1", "p0", "P0"],
        _ => &TOKENS,
    };
    let mut item = json!({ "name": u.choose(names)? });
    let value = |u: &mut Unstructured<'_>| match field.is_secret() {
        true => secret(u),
        false => template(u, model, body).map(str::to_owned),
    };
    if field.is_secret() {
        item["type"] = json!("SECRET");
    }
    match u.int_in_range(0..=7)? {
        5 if !is_create && !field.is_secret() => {}
        6 | 7 if !is_create => {
            item["deleted"] = json!(true);
            if field.is_secret() || u.arbitrary()? {
                item["value"] = json!("");
            }
        }
        choice => {
            item["value"] = json!(value(u)?);
            if choice == 4 && !is_create {
                item["deleted"] = json!(false);
            }
        }
    }
    Ok(item)
}

/// Adds the items that the connection has and the change leaves out.
fn complete(items: &mut Vec<Value>, field: &Field, model: &Model) {
    let list = format!("{}/", field.name());
    for name in model.secrets.keys().filter_map(|name| name.strip_prefix(&list)) {
        if !items.iter().any(|item| item["name"] == name) {
            items.push(json!({ "name": name, "type": "SECRET", "value": format!("{CANARY}new") }));
        }
    }
}
