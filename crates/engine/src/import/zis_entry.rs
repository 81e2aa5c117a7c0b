//! A ZIS integration and a ZIS connection in the import file, checked for shape.

use claviger_catalog::{SecretJson, ZisType};
use claviger_model::{ConnectionId, Restriction, Terms, Timestamp, ZisName};
use serde_json::{Map, Value};

use super::connection_entry::{restriction, terms};
use super::fault::Faults;
use super::reader::Object;
use crate::zis_integrations::description_fault;

/// What an integration's entry says.
pub(super) struct ZisIntegrationEntry {
    pub(super) at: String,
    pub(super) name: Option<ZisName>,
    pub(super) description: Option<String>,
    /// An address or an id.
    pub(super) created_by: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    /// Whether everything of it was understood.
    pub(super) is_sound: bool,
}

impl ZisIntegrationEntry {
    pub(super) fn read(value: &Value, at: String, faults: &Faults) -> Self {
        let before = faults.count();
        let entry = Object::read(value, at, &["name", "description", "created_by", "created_at"], faults);
        entry.require("name");
        let description = entry.text("description").map(str::to_owned);
        if let Some(reason) = description.as_deref().and_then(description_fault) {
            entry.fault("description", reason);
        }
        Self {
            name: entry.parsed("name"),
            description,
            created_by: entry.text("created_by").map(str::to_owned),
            created_at: entry.moment("created_at"),
            is_sound: faults.count() == before,
            at: entry.at,
        }
    }
}

/// What a connection's entry says.
pub(super) struct ZisConnectionEntry {
    pub(super) at: String,
    pub(super) id: Option<ConnectionId>,
    pub(super) integration: Option<ZisName>,
    pub(super) of: Option<ZisType>,
    /// The name, if there is a text in its place.
    pub(super) name: Option<String>,
    /// What the dialect's API would take: the catalog says whether it is right.
    pub(super) body: SecretJson,
    pub(super) restriction: Option<Restriction>,
    pub(super) terms: Terms,
    /// An address or an id.
    pub(super) created_by: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    /// Whether everything but the body was understood.
    pub(super) is_sound: bool,
}

const KNOWN: [&str; 7] = ["id", "integration", "type", "restriction", "terms", "created_by", "created_at"];

impl ZisConnectionEntry {
    pub(super) fn read(value: &Value, at: String, faults: &Faults) -> Self {
        let before = faults.count();
        let of = value["type"].as_str().and_then(ZisType::parse).filter(|of| ZisType::BY_BODY.contains(of));
        let own = members(of);
        let entry = Object::read(value, at, &[&KNOWN[..], &own].concat(), faults);
        entry.require("integration");
        entry.require("type");
        if entry.text("type").is_some() && of.is_none() {
            entry.fault("type", "must be api_key, basic_auth or bearer_token");
        }
        let given = own.into_iter().filter_map(|name| Some((name.to_owned(), entry.value(name)?.clone())));
        Self {
            id: entry.parsed("id"),
            integration: entry.parsed("integration"),
            of,
            name: entry.value("name").and_then(Value::as_str).map(str::to_owned),
            body: SecretJson::new(Value::Object(Map::from_iter(given))),
            restriction: restriction(&entry, faults),
            terms: terms(&entry, faults),
            created_by: entry.text("created_by").map(str::to_owned),
            created_at: entry.moment("created_at"),
            is_sound: faults.count() == before,
            at: entry.at,
        }
    }
}

/// The members that say what a connection of a type is; of no type that is known, those of all.
fn members(of: Option<ZisType>) -> Vec<&'static str> {
    let own = |of: ZisType| of.clear_member().into_iter().chain([of.secret()]);
    let own = match of {
        Some(of) => own(of).collect::<Vec<_>>(),
        None => ZisType::BY_BODY.into_iter().flat_map(own).collect(),
    };
    [&["name", "allowed_domain"][..], &own].concat()
}
