//! Ways to spoil a body, so that it must be refused. Secrets come into wrong places by that.

use arbitrary::{Result, Unstructured};
use claviger_catalog::{CredentialType, Integration, LIST_MAX, Shape, StandsFor};
use serde_json::{Value, json};

use super::source::{CANARY, ELSEWHERE};
use super::types;

/// What no member may be.
fn wrong(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=6)? {
        0 => json!(null),
        1 => json!(7),
        2 => json!(true),
        3 => json!([CANARY, { CANARY: CANARY }]),
        4 => json!({ CANARY: [CANARY] }),
        5 => json!(format!("\0{CANARY}")),
        _ => json!(CANARY.repeat(700)),
    })
}

/// What means something in URLs, hosts, headers, templates and names.
const PIECES: [&str; 20] = [
    ":", ":0", ":65536", "/", "//", "@", "?", "#", "\\", ".", "..", "[", "]", "%", "{{", "}}", "\r\n", " ",
    "é", "~",
];

/// Puts a piece into a text of a body, whatever comes of it. Secrets stay whole, so that they are known again.
pub(crate) fn blur(u: &mut Unstructured<'_>, body: &mut Value) -> Result<bool> {
    let mut texts = Vec::new();
    collect(body, &mut texts);
    if texts.is_empty() {
        return Ok(false);
    }
    let index = u.choose_index(texts.len())?;
    let text = &mut *texts[index];
    let boundaries: Vec<usize> = match text.contains(CANARY) {
        true => vec![0, text.len()],
        false => (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect(),
    };
    text.insert_str(*u.choose(&boundaries)?, u.choose(&PIECES)?);
    Ok(true)
}

fn collect<'v>(value: &'v mut Value, texts: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values_mut().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

/// Spoils a body, or leaves it when this way does not fit. Says whether it did.
pub(crate) fn spoil(u: &mut Unstructured<'_>, credential: &CredentialType, body: &mut Value) -> Result<bool> {
    let way = u.int_in_range(0..=10)?;
    match way {
        0 => body[CANARY] = json!(CANARY),
        1 => body["credentials"][CANARY] = wrong(u)?,
        2 => body["type"] = wrong(u)?,
        3 => body["credentials"]["type"] = wrong(u)?,
        4 => body["credentials"] = wrong(u)?,
        5 => *body = wrong(u)?,
        6 => return Ok(body.as_object_mut().is_some_and(|members| members.remove("type").is_some())),
        // Types that are there, but not this connection's.
        7 => body["type"] = json!(if body["type"] == "AWS" { "Notion" } else { "AWS" }),
        8 => {
            let others = types().into_iter().filter(|(_, other)| other.kind() != credential.kind());
            // The nearest first: one of the same integration.
            let near = |(entry, _): &(&Integration, _)| entry.credential(credential.kind()).is_none();
            let other = others.min_by_key(near).map(|(_, other)| other.kind());
            body["credentials"]["type"] = json!(other);
        }
        _ => return spoil_field(u, credential, body, way == 9),
    }
    Ok(true)
}

fn spoil_field(
    u: &mut Unstructured<'_>,
    credential: &CredentialType,
    body: &mut Value,
    whole: bool,
) -> Result<bool> {
    let field = u.choose(credential.fields())?;
    let object = match body.get(field.name()) {
        Some(_) => body,
        None => &mut body["credentials"],
    };
    let Some(value) = object.get_mut(field.name()) else { return Ok(false) };
    match (field.shape(), value) {
        (Shape::List { .. }, Value::Array(items)) if !whole => spoil_list(u, items, field.is_secret()),
        // A free text may name any host; these may not.
        (Shape::Text { stands_for: StandsFor::Row(_) | StandsFor::HostBelow(_), .. }, value) if !whole => {
            *value = json!(ELSEWHERE);
            Ok(true)
        }
        (_, value) => {
            *value = wrong(u)?;
            Ok(true)
        }
    }
}

fn spoil_list(u: &mut Unstructured<'_>, items: &mut Vec<Value>, secret: bool) -> Result<bool> {
    if items.is_empty() {
        return Ok(false);
    }
    let index = u.choose_index(items.len())?;
    match u.int_in_range(0..=8)? {
        0 => items.push(items[index].clone()),
        1 => items[index] = wrong(u)?,
        2 => items[index][CANARY] = json!(CANARY),
        3 => items[index]["name"] = json!(format!("{CANARY} {CANARY}")),
        4 => items[index]["deleted"] = json!(CANARY),
        5 => {
            let value = wrong(u)?;
            // The value of an item that goes away is not read.
            let is_read = !value.is_string() || items[index]["deleted"] != true;
            items[index]["value"] = value;
            return Ok(is_read);
        }
        // Of a token, that is a good value.
        6 => {
            items[index]["value"] = json!(format!("{{{{ {CANARY} }}}}"));
            return Ok(!secret && items[index]["deleted"] != true);
        }
        7 => return Ok(items[index].as_object_mut().is_some_and(|item| item.remove("name").is_some())),
        _ => items.extend((0..=LIST_MAX).map(|index| json!({ "name": format!("a{index}"), "value": "" }))),
    }
    Ok(true)
}
