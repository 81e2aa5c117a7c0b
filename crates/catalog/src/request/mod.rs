//! Bodies of requests, taken apart by what the catalog says. Every fault is found; what nobody takes is cleared.

mod object;
mod reader;

use std::collections::BTreeMap;

use serde_json::Value;

use self::object::Object;
use self::reader::Reader;
use crate::catalog::Catalog;
use crate::entry::{CredentialType, Integration};
use crate::fault::{Faults, Warning};
use crate::field::Place;
use crate::secret::SecretText;
use crate::settings::{HttpBody, Settings};

/// The most items of a list: the vendor states no limit, and each token is a sealed row.
pub const LIST_MAX: usize = 100;

/// The longest content of an HTTP connection's body, in characters.
pub(crate) const CONTENT_MAX: usize = 65_536;
/// The longest media type, in characters.
pub(crate) const CONTENT_TYPE_MAX: usize = 256;

/// The flag of an update that asks for a new ExternalId. Source: the vendor's API reference, "Action Connection".
pub(crate) const RENEW: &str = "generate_new_external_id";

/// What a body brings.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) texts: BTreeMap<String, SecretText>,
    pub(crate) lists: BTreeMap<String, Vec<Item>>,
    pub(crate) body: Option<(String, HttpBody)>,
    pub(crate) renew: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// An item of a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// None where an update leaves it out, or deletes the item.
    pub(crate) value: Option<SecretText>,
    pub(crate) deleted: bool,
    pub(crate) at: String,
}

impl Given {
    /// An item that was given.
    pub(crate) fn item(&self, list: &str, name: &str) -> Option<&Item> {
        self.lists.get(list)?.iter().find(|item| item.name == name)
    }

    /// Whether a body of that name was given.
    pub(crate) fn has(&self, body: &str) -> bool {
        self.body.as_ref().is_some_and(|(name, _)| name == body)
    }
}

/// Takes a body apart. `stored` is what an update changes; a create has none.
pub(crate) fn read<'c>(
    catalog: &'c Catalog,
    stored: Option<&Settings>,
    body: Value,
    faults: &mut Faults,
) -> Option<(&'c Integration, &'c CredentialType, Given)> {
    let mut outer = Object::open(body, String::new(), faults)?;
    let integration =
        outer.required("type", faults).and_then(|kind| find_integration(catalog, stored, &kind, faults));
    let mut inner = match outer.take("credentials") {
        Some(credentials) => Object::open(credentials, "/credentials".to_owned(), faults),
        None => {
            faults.push("/credentials", "is required");
            None
        }
    };
    let kind = inner.as_mut().and_then(|inner| inner.required("type", faults));
    let integration = integration?;
    let known = kind.and_then(|kind| find_credential(catalog, integration, stored, &kind, faults));
    // What stands beside `credentials` is the same in every credential type, so that it is judged all the same.
    let credential = known.or(integration.credentials.first())?;
    let mut reader = Reader { credential, stored, given: Given::default(), faults };
    for field in &credential.fields {
        match (field.place, &mut inner) {
            (Place::Integration, _) => reader.read(field, &mut outer),
            (Place::Credentials, Some(inner)) if known.is_some() => reader.read(field, inner),
            (Place::Credentials, _) => {}
        }
    }
    let given = reader.given;
    outer.close(faults);
    let inner = inner?;
    known?;
    inner.close(faults);
    Some((integration, credential, given))
}

fn find_integration<'c>(
    catalog: &'c Catalog,
    stored: Option<&Settings>,
    kind: &str,
    faults: &mut Faults,
) -> Option<&'c Integration> {
    let found = catalog.integration(kind);
    match (found, stored) {
        (None, _) => faults.push("/type", "is not the type of an integration that is known"),
        (Some(_), Some(stored)) if stored.integration != kind => {
            faults.push(
                "/type",
                format!("cannot be changed: the connection is of the type {}", stored.integration),
            );
            return None;
        }
        _ => {}
    }
    found
}

fn find_credential<'c>(
    catalog: &'c Catalog,
    integration: &'c Integration,
    stored: Option<&Settings>,
    kind: &str,
    faults: &mut Faults,
) -> Option<&'c CredentialType> {
    let at = "/credentials/type";
    let found = integration.credential(kind);
    match (found, stored) {
        (None, _) => match catalog.integrations().iter().find(|other| other.credential(kind).is_some()) {
            Some(owner) => {
                faults.push(at, format!("{kind} is a type of {}, not of {}", owner.kind, integration.kind))
            }
            None => faults.push(at, "is not a type of credentials that is known"),
        },
        (Some(_), Some(stored)) if stored.credentials != kind => {
            faults.push(at, format!("cannot be changed: the connection has the type {}", stored.credentials));
            return None;
        }
        _ => {}
    }
    found
}
