//! A connection in the import file, checked for shape.

use std::collections::BTreeSet;

use claviger_catalog::{Host, SecretJson};
use claviger_model::{ConnectionId, Principal, Relation, Restriction, TAGS_MAX, Tag, Tags, Terms, Timestamp};
use serde_json::Value;

use super::fault::Faults;
use super::reader::Object;
use crate::connections::{RESTRICTION_PRINCIPALS_MAX, read_terms};

/// What a connection's entry says.
pub(super) struct ConnectionEntry {
    pub(super) at: String,
    pub(super) id: Option<ConnectionId>,
    pub(super) name: Option<String>,
    pub(super) integration: Option<SecretJson>,
    pub(super) tags: Option<Tags>,
    pub(super) hosts: BTreeSet<Host>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) restriction: Option<Restriction>,
    pub(super) terms: Terms,
    /// An address or an id.
    pub(super) created_by: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    /// Whether everything of it was understood.
    pub(super) is_sound: bool,
}

const KNOWN: [&str; 10] = [
    "id",
    "name",
    "integration",
    "tags",
    "hosts",
    "expires_at",
    "restriction",
    "terms",
    "created_by",
    "created_at",
];

impl ConnectionEntry {
    pub(super) fn read(value: &Value, at: String, faults: &Faults) -> Self {
        let before = faults.count();
        let entry = Object::read(value, at, &KNOWN, faults);
        entry.require("name");
        entry.require("integration");
        Self {
            id: entry.parsed("id"),
            name: entry.name("name"),
            integration: entry.value("integration").map(|value| SecretJson::new(value.clone())),
            tags: tags(&entry, faults),
            hosts: hosts(&entry, faults),
            expires_at: entry.moment("expires_at"),
            restriction: restriction(&entry, faults),
            terms: terms(&entry, faults),
            created_by: entry.text("created_by").map(str::to_owned),
            created_at: entry.moment("created_at"),
            is_sound: faults.count() == before,
            at: entry.at,
        }
    }
}

fn tags(entry: &Object<'_>, faults: &Faults) -> Option<Tags> {
    let mut tags = Vec::new();
    for (at, text) in entry.texts("tags") {
        match text.parse::<Tag>() {
            Ok(tag) => tags.push(tag),
            Err(error) => faults.add(at, error.to_string()),
        }
    }
    if tags.len() > TAGS_MAX {
        entry.fault("tags", format!("must be at most {TAGS_MAX}"));
    }
    entry.has("tags").then(|| Tags::new(tags))
}

fn hosts(entry: &Object<'_>, faults: &Faults) -> BTreeSet<Host> {
    let mut hosts = BTreeSet::new();
    for (at, text) in entry.texts("hosts") {
        match text.parse::<Host>() {
            Ok(host) => drop(hosts.insert(host)),
            Err(_) => faults.add(at, "is no host name and no address"),
        }
    }
    hosts
}

pub(super) fn terms(entry: &Object<'_>, faults: &Faults) -> Terms {
    let Some(value) = entry.value("terms") else { return Terms::default() };
    read_terms(value).unwrap_or_else(|found| {
        found.into_iter().for_each(|fault| faults.add(format!("{}/{}", entry.at, fault.field), fault.reason));
        Terms::default()
    })
}

pub(super) fn restriction(entry: &Object<'_>, faults: &Faults) -> Option<Restriction> {
    let value = entry.value("restriction")?;
    let relations = Relation::ALL.map(Relation::as_str);
    let given = Object::read(value, entry.at("restriction"), &relations, faults);
    let mut all = Vec::new();
    for relation in Relation::ALL {
        for (at, text) in given.texts(relation.as_str()) {
            match text.parse::<Principal>() {
                Ok(principal) => all.push((relation, principal)),
                Err(_) => faults.add(at, "is none of org:ID, role:ID and user:ID"),
            }
        }
    }
    if all.len() > RESTRICTION_PRINCIPALS_MAX {
        entry.fault(
            "restriction",
            format!("must name at most {RESTRICTION_PRINCIPALS_MAX} principals in all"),
        );
    }
    if all.is_empty() {
        // Were it taken for none, the connection would be open to all.
        entry.fault("restriction", "must name somebody; without a restriction, leave it out".to_owned());
        return None;
    }
    Some(all.into_iter().collect())
}
