//! Connections that were made elsewhere: brought in as they were, and set against those that are here.
//!
//! An export shows a connection as every answer does, with empty secrets. Whoever brings it in fills those in; what a
//! server had made for it stays.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::connection::Connection;
use crate::create::{Created, ServerValues};
use crate::entry::CredentialType;
use crate::fault::Faults;
use crate::field::{Field, Made, Place, Shape};
use crate::secret::{SecretJson, SecretName, SecretText};
use crate::settings::Setting;

/// Of an empty secret.
pub(crate) const TO_BE_FILLED_IN: &str = "must be filled in: an export leaves secrets out";

/// How an `integration` value differs from a connection.
#[derive(Debug)]
pub struct Compared {
    /// Where it differs beside its secrets, as pointers into the value.
    pub differing: Vec<String>,
    /// The secrets that it gives, with their places: to be compared with those that are kept.
    pub secrets: Vec<(SecretName, String, SecretText)>,
}

impl Catalog {
    /// Like [`Catalog::create`], for a connection that was made elsewhere: an ExternalId that it brings stays, since the
    /// third party knows it by that. The account that assumes its role is this server's.
    ///
    /// # Errors
    ///
    /// As there. Of an empty secret it is said that it must be filled in.
    pub fn adopt(&self, mut integration: Value, server: &ServerValues<'_>) -> Result<Created, Faults> {
        let mut own = Faults::default();
        let mut external = None;
        if let Some(credential) = self.credential_of(&integration) {
            for place in empty_secrets(credential, &integration) {
                own.push(place, TO_BE_FILLED_IN);
            }
            for (field, made) in made_fields(credential) {
                let given = take(&mut integration, field);
                match given {
                    Some(Value::String(text)) if made == Made::ExternalId => match is_external_id(&text) {
                        true => external = Some((field.name.clone(), text)),
                        false => own.push(pointer(field), "must be 32 hexadecimal digits in lower case"),
                    },
                    Some(Value::String(_)) | None => {}
                    Some(_) => own.push(pointer(field), "must be a string"),
                }
            }
        }
        match self.create(integration, server) {
            Ok(mut created) => {
                if let Some((name, text)) = external {
                    created.settings.fields.insert(name, Setting::Text(text));
                }
                own.or(created)
            }
            Err(faults) => {
                let told: BTreeSet<String> = own.iter().map(|fault| fault.pointer.clone()).collect();
                let more = faults.iter().filter(|fault| !told.contains(&fault.pointer)).cloned();
                more.for_each(|fault| own.add(fault));
                Err(own)
            }
        }
    }

    fn credential_of(&self, integration: &Value) -> Option<&CredentialType> {
        let entry = self.integration(integration.get("type")?.as_str()?)?;
        entry.credential(integration.get("credentials")?.get("type")?.as_str()?)
    }
}

impl Connection<'_> {
    /// Sets an `integration` value against the connection, whose secrets are kept under the names `kept`. A secret that
    /// it leaves empty, as an export does, says nothing; nor does the account that assumes the connection's role.
    pub fn compare(&self, kept: &BTreeSet<SecretName>, mut integration: Value) -> Compared {
        let mut shown = self.shown(kept);
        let secrets = take_secrets(self.credential, &mut integration);
        for (field, made) in made_fields(self.credential) {
            let given = integration.pointer(&pointer(field)).is_some();
            if made == Made::PrincipalId || !given {
                take(&mut integration, field);
                take(&mut shown, field);
            }
        }
        let mut differing = Vec::new();
        match (integration.as_object_mut(), shown.as_object_mut()) {
            (Some(given), Some(shown)) => {
                let inner = (given.remove("credentials"), shown.remove("credentials"));
                compare_members("", given, shown, &mut differing);
                match inner {
                    (Some(Value::Object(given)), Some(Value::Object(shown))) => {
                        compare_members("/credentials", &given, &shown, &mut differing);
                    }
                    _ => differing.push("/credentials".to_owned()),
                }
            }
            _ => differing.push(String::new()),
        }
        // A text that nobody took may be a secret in a wrong place.
        drop(SecretJson::new(integration));
        Compared { differing, secrets }
    }
}

fn compare_members(
    at: &str,
    given: &Map<String, Value>,
    shown: &Map<String, Value>,
    differing: &mut Vec<String>,
) {
    let names: BTreeSet<&String> = given.keys().chain(shown.keys()).collect();
    let differs = names.into_iter().filter(|name| given.get(*name) != shown.get(*name));
    differing.extend(differs.map(|name| crate::fault::member(at, name)));
}

fn made_fields(credential: &CredentialType) -> impl Iterator<Item = (&Field, Made)> {
    credential.fields.iter().filter_map(|field| match field.shape {
        Shape::Made(made) => Some((field, made)),
        _ => None,
    })
}

fn pointer(field: &Field) -> String {
    match field.place {
        Place::Integration => format!("/{}", field.name),
        Place::Credentials => format!("/credentials/{}", field.name),
    }
}

fn take(integration: &mut Value, field: &Field) -> Option<Value> {
    let object = match field.place {
        Place::Integration => integration,
        Place::Credentials => integration.get_mut("credentials")?,
    };
    object.as_object_mut()?.remove(&field.name)
}

/// Where secrets are empty.
fn empty_secrets(credential: &CredentialType, integration: &Value) -> Vec<String> {
    let mut places = Vec::new();
    for field in credential.secret_fields() {
        let at = pointer(field);
        match integration.pointer(&at) {
            Some(Value::String(text)) if text.is_empty() => places.push(at),
            Some(Value::Array(items)) => {
                let empty = items.iter().enumerate().filter(|(_, item)| item["value"] == "");
                places.extend(empty.map(|(place, _)| format!("{at}/{place}/value")));
            }
            _ => {}
        }
    }
    places
}

/// Takes the secrets out, and leaves empty texts.
fn take_secrets(
    credential: &CredentialType,
    integration: &mut Value,
) -> Vec<(SecretName, String, SecretText)> {
    let mut secrets = Vec::new();
    let mut keep = |name: SecretName, at: String, text: &mut String| {
        if !text.is_empty() {
            secrets.push((name, at, SecretText::new(std::mem::take(text))));
        }
    };
    for field in credential.secret_fields() {
        let at = pointer(field);
        match integration.pointer_mut(&at) {
            Some(Value::String(text)) => keep(SecretName::field(&field.name), at, text),
            Some(Value::Array(items)) => {
                for (place, item) in items.iter_mut().enumerate() {
                    let Some(name) = item["name"].as_str().map(|name| SecretName::item(&field.name, name))
                    else {
                        continue;
                    };
                    if let Some(Value::String(text)) = item.get_mut("value") {
                        keep(name, format!("{at}/{place}/value"), text);
                    }
                }
            }
            _ => {}
        }
    }
    secrets
}

/// As [`Made::ExternalId`] makes them.
fn is_external_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
