//! A small model of connections and their changes, apart from the catalog's code: JSON in, JSON out. It knows the fields
//! from the catalog, and by itself what must happen with them.

use std::collections::{BTreeMap, BTreeSet};

use claviger_catalog::{CredentialType, Field, LIST_MAX, Place, Shape, StandsFor};
use serde_json::{Value, json};

/// The settings that say where a secret goes, one by one: a catalog that forgets one is found out.
const AIMS: [(&str, &str); 7] = [
    ("AzureTenant", "custom_scopes"),
    ("AzureTenant", "tenant_id"),
    ("DatadogAPIKey", "datacenter"),
    ("FreshserviceAPIKey", "domain"),
    ("HTTPTokenAuth", "base_url"),
    ("OktaAPIToken", "domain"),
    ("ServiceNowBasicAuth", "instance"),
];

/// A connection: what is shown of it, and its secrets by name. What the server makes is put in from outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) shown: Value,
    pub(crate) secrets: BTreeMap<String, String>,
}

/// Why the model refuses a change.
pub(crate) type Refusal = &'static str;

impl Model {
    /// Nothing yet.
    pub(crate) fn empty(integration: &str, credentials: &str) -> Self {
        let shown = json!({ "type": integration, "credentials": { "type": credentials } });
        Self { shown, secrets: BTreeMap::new() }
    }

    /// The model after a well-formed change, or after a create if there is nothing yet.
    pub(crate) fn after(&self, credential: &CredentialType, change: &Value) -> Result<Self, Refusal> {
        let is_create = *self == Self::empty(text(&self.shown["type"])?, credential.kind());
        let same = change["type"] == self.shown["type"]
            && change["credentials"]["type"] == self.shown["credentials"]["type"];
        if !same {
            return Err("another type");
        }
        no_surplus(credential, change, is_create)?;
        let mut next = self.clone();
        for field in credential.fields() {
            match at(field, change) {
                Some(given) => next.put(field, given, is_create)?,
                None if is_create && field.is_required() => return Err("a field is missing"),
                None => {}
            }
        }
        next.templates_hold()?;
        let aimed = AIMS.iter().any(|aim| self.meaning(credential, aim) != next.meaning(credential, aim));
        let settled = |name: &String| match name.split_once('/') {
            None => change["credentials"].get(name).is_some(),
            Some((list, item)) => items(&change["credentials"][list]).any(|given| given["name"] == item),
        };
        if !is_create && aimed && !self.secrets.keys().all(settled) {
            return Err("a secret would go elsewhere");
        }
        let stays = |name: &String| next.lines_with(name).is_subset(&self.lines_with(name));
        if !self.secrets.keys().all(|name| settled(name) || stays(name)) {
            return Err("a token would stand elsewhere");
        }
        Ok(next)
    }

    /// What is sent of a token, line by line, with its name where it stands. A body is one line, with the headers that
    /// tell what it is; so they change with it.
    fn lines_with(&self, secret: &str) -> BTreeSet<String> {
        let credentials = &self.shown["credentials"];
        let mut lines = BTreeSet::new();
        let Some(token) = secret.strip_prefix("tokens/") else { return lines };
        let mut add = |text: &Value, line: String| {
            if names_in(text.as_str().unwrap_or_default()).any(|name| name == Some(token)) {
                lines.insert(line);
            }
        };
        for header in items(&credentials["headers"]) {
            add(&header["value"], format!("{}: {}", header["name"], header["value"]));
        }
        for parameter in items(&credentials["url_parameters"]) {
            add(&parameter["value"], format!("?{}={}", parameter["name"], parameter["value"]));
        }
        let tells = |header: &&Value| {
            let name = header["name"].as_str().unwrap_or_default().to_lowercase();
            name.starts_with("content-") || name.starts_with("content_")
        };
        let telling: BTreeSet<String> =
            items(&credentials["headers"]).filter(tells).map(Value::to_string).collect();
        let body = &credentials["body"];
        add(&body["content"], format!("{telling:?} {} {}", body["content_type"], body["content"]));
        lines
    }

    fn put(&mut self, field: &Field, given: &Value, is_create: bool) -> Result<(), Refusal> {
        let (name, secret) = (field.name(), field.is_secret());
        let place = match field.place() {
            Place::Integration => &mut self.shown[name],
            Place::Credentials => &mut self.shown["credentials"][name],
        };
        match field.shape() {
            Shape::Text { .. } if secret => {
                *place = json!("");
                self.secrets.insert(name.to_owned(), text(given)?.to_owned());
            }
            Shape::Text { .. } => *place = json!(text(given)?),
            Shape::Made(_) if is_create || *given != *place => return Err("is made by the server"),
            Shape::Made(_) => {}
            Shape::HttpBody => {
                let members = given.as_object().ok_or("no object")?;
                let known = |name: &String| name == "content" || name == "content_type";
                if !members.iter().all(|(name, value)| known(name) && value.is_string()) {
                    return Err("no body");
                }
                *place = given.clone();
            }
            Shape::List { .. } => {
                let mut list: Vec<Value> = items(place).cloned().collect();
                let given = given.as_array().ok_or("no list")?;
                given.iter().try_for_each(|item| self.put_item(field, &mut list, item, is_create))?;
                let names = |of: &[Value]| of.iter().map(|item| item["name"].to_string()).collect::<Vec<_>>();
                if has_twice(names(given)) {
                    return Err("a name is there twice");
                }
                let lower = names(&list).iter().map(|name| name.to_ascii_lowercase()).collect();
                if name == "headers" && has_twice(lower) {
                    return Err("two headers are one");
                }
                if list.len() > LIST_MAX || given.len() > LIST_MAX {
                    return Err("too many items");
                }
                self.shown["credentials"][name] = Value::Array(list);
            }
        }
        Ok(())
    }

    fn put_item(
        &mut self,
        field: &Field,
        list: &mut Vec<Value>,
        item: &Value,
        is_create: bool,
    ) -> Result<(), Refusal> {
        let secret = field.is_secret();
        let known: &[&str] = match (secret, is_create) {
            (true, true) => &["name", "value", "type"],
            (true, false) => &["name", "value", "type", "deleted"],
            (false, true) => &["name", "value"],
            (false, false) => &["name", "value", "deleted"],
        };
        let members = item.as_object().ok_or("no item")?;
        if !members.keys().all(|name| known.contains(&name.as_str())) {
            return Err("a member of an item is surplus");
        }
        if secret && item["type"] != "SECRET" {
            return Err("a token without its type");
        }
        let name = text(&item["name"])?;
        let value = members.get("value").map(text).transpose()?;
        if secret && value.is_none() {
            return Err("a token without a value");
        }
        let deleted = members.get("deleted").is_some_and(|flag| *flag == json!(true));
        let known = list.iter().position(|item| item["name"] == name);
        let key = format!("{}/{name}", field.name());
        match (deleted, known, value) {
            (true, Some(index), _) => {
                list.remove(index);
                self.secrets.remove(&key);
            }
            (true, None, _) | (false, Some(_), None) => {}
            (false, None, None) => return Err("a new item without a value"),
            (false, known, Some(value)) => {
                let mut new = json!({ "name": name, "value": value });
                if secret {
                    new = json!({ "name": name, "value": "", "type": "SECRET" });
                    self.secrets.insert(key, value.to_owned());
                }
                match known {
                    Some(index) => list[index] = new,
                    None => list.push(new),
                }
            }
        }
        Ok(())
    }

    /// Every token that a text names is there.
    fn templates_hold(&self) -> Result<(), Refusal> {
        let credentials = &self.shown["credentials"];
        let tokens: BTreeSet<&str> =
            items(&credentials["tokens"]).filter_map(|token| token["name"].as_str()).collect();
        let lists = items(&credentials["headers"]).chain(items(&credentials["url_parameters"]));
        let texts = lists.map(|item| &item["value"]).chain([&credentials["body"]["content"]]);
        for text in texts.filter_map(Value::as_str) {
            for name in names_in(text) {
                if !tokens.contains(name.ok_or("a template does not end")?) {
                    return Err("a text names a token that there is not");
                }
            }
        }
        Ok(())
    }

    /// What a setting that aims stands for.
    fn meaning(&self, credential: &CredentialType, (kind, name): &(&str, &str)) -> Option<String> {
        let field = credential.field(name).filter(|_| credential.kind() == *kind)?;
        let text = at(field, &self.shown)?.as_str()?;
        Some(match field.shape() {
            Shape::Text { stands_for: StandsFor::Row(rows), .. } => rows.get(text)?.clone(),
            Shape::Text { stands_for: StandsFor::HostBelow(below), .. } if !text.contains('.') => {
                format!("{text}{}", below[0]).to_lowercase()
            }
            Shape::Text { stands_for: StandsFor::HostBelow(_), .. } => text.to_lowercase(),
            _ => text.to_owned(),
        })
    }
}

/// A field's value in a body.
pub(crate) fn at<'v>(field: &Field, body: &'v Value) -> Option<&'v Value> {
    match field.place() {
        Place::Integration => body.get(field.name()),
        Place::Credentials => body["credentials"].get(field.name()),
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// What stands between braces, without the blanks around it; none where they do not end.
fn names_in(text: &str) -> impl Iterator<Item = Option<&str>> {
    let opened = text.split("{{").skip(1);
    opened.map(|rest| rest.split_once("}}").map(|(name, _)| name.trim_matches([' ', '\t'])))
}

fn text(value: &Value) -> Result<&str, Refusal> {
    value.as_str().ok_or("no text")
}

fn has_twice(names: Vec<String>) -> bool {
    names.iter().collect::<BTreeSet<_>>().len() < names.len()
}

fn no_surplus(credential: &CredentialType, change: &Value, is_create: bool) -> Result<(), Refusal> {
    let is_known = |place: Place, name: &String| {
        credential.field(name).is_some_and(|field| field.place() == place) || name == "type"
    };
    let renew = |name: &String| {
        !is_create && credential.kind() == "AWSAssumeRole" && name == "generate_new_external_id"
    };
    let outer = change.as_object().ok_or("no object")?;
    let inner = change["credentials"].as_object().ok_or("no credentials")?;
    let outer_holds = outer.keys().all(|name| name == "credentials" || is_known(Place::Integration, name));
    let inner_holds = inner.keys().all(|name| is_known(Place::Credentials, name) || renew(name));
    if outer_holds && inner_holds { Ok(()) } else { Err("a member is surplus") }
}
