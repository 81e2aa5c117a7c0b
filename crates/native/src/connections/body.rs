//! What the bodies of connections may say.

use claviger_catalog::{Catalog, Host, SchemaOf, SecretJson};
use claviger_engine::{CONNECTION_HOSTS_MAX, ConnectionPatch, NewConnection, read_terms, terms_schema};
use claviger_model::{NAME_CHARS_MAX, Name, TAGS_MAX, Tag, Tags, Terms, Timestamp};
use serde_json::{Value, json};

use crate::reading::{Faults, or_null, text};

/// A body, read.
#[derive(Default)]
pub(super) struct Given {
    patch: ConnectionPatch,
    faults: Faults,
}

impl Given {
    /// Reads a body; what is wrong with it beside the `integration` value is noted.
    pub(super) fn read(mut body: Value, of: SchemaOf) -> Self {
        let mut given = Self::default();
        let Some(members) = body.as_object_mut() else {
            // Any text of it may be a secret, and is cleared.
            drop(SecretJson::new(body));
            given.faults.add("", "the body must be an object");
            return given;
        };
        if of == SchemaOf::Create {
            for name in ["name", "integration"].into_iter().filter(|name| !members.contains_key(*name)) {
                given.faults.add(name, "must be there");
            }
        }
        for (field, value) in members.iter_mut() {
            let value = value.take();
            if field == "integration" {
                given.patch.integration = Some(SecretJson::new(value));
            } else {
                given.read_member(field, &value);
                drop(SecretJson::new(value));
            }
        }
        given
    }

    fn read_member(&mut self, field: &str, value: &Value) {
        let Self { patch, faults } = self;
        match field {
            "name" => patch.name = faults.note(field, text(value, Name::parse)),
            "tags" => patch.tags = read_tags(value, faults),
            "hosts" => patch.hosts = read_hosts(value, faults),
            "expires_at" => patch.expires_at = faults.note(field, or_null(value, read_moment)),
            "terms" if value.is_null() => patch.terms = Some(Terms::default()),
            "terms" => match read_terms(value) {
                Ok(terms) => patch.terms = Some(terms),
                Err(found) => found.into_iter().for_each(|fault| faults.add(&fault.field, fault.reason)),
            },
            _ => faults.add(field, "is not known here"),
        }
    }

    /// As a new connection; none where it has no `integration` value. Where it has faults, it is only good for
    /// finding more.
    pub(super) fn into_new(self) -> (Option<NewConnection>, Faults) {
        let ConnectionPatch { name, integration, tags, hosts, expires_at, terms } = self.patch;
        let name = name.unwrap_or_else(|| Name::parse("-").expect("a dash is a name"));
        let new = integration.map(|integration| NewConnection {
            name,
            integration,
            tags,
            hosts: hosts.unwrap_or_default(),
            expires_at: expires_at.flatten(),
            terms: terms.unwrap_or_default(),
        });
        (new, self.faults)
    }

    /// As a change.
    pub(super) fn into_patch(self) -> (ConnectionPatch, Faults) {
        (self.patch, self.faults)
    }
}

fn read_tags(value: &Value, faults: &mut Faults) -> Option<Tags> {
    let items = list("tags", value, faults)?;
    if items.len() > TAGS_MAX {
        faults.add("tags", format!("must be at most {TAGS_MAX}"));
        return None;
    }
    let read = |(place, item)| faults.note(&format!("tags/{place}"), text(item, str::parse::<Tag>));
    let tags: Vec<Option<Tag>> = items.iter().enumerate().map(read).collect();
    tags.into_iter().collect::<Option<Vec<_>>>().map(Tags::new)
}

fn read_hosts(value: &Value, faults: &mut Faults) -> Option<Vec<Host>> {
    let items = list("hosts", value, faults)?;
    if items.len() > CONNECTION_HOSTS_MAX {
        faults.add("hosts", format!("must have at most {CONNECTION_HOSTS_MAX} items"));
        return None;
    }
    let read = |(place, item)| {
        let host = text(item, |text| text.parse::<Host>().map_err(|_| "is no host name and no address"));
        faults.note(&format!("hosts/{place}"), host)
    };
    let hosts: Vec<Option<Host>> = items.iter().enumerate().map(read).collect();
    let mut hosts = hosts.into_iter().collect::<Option<Vec<_>>>()?;
    // The order and what is given twice mean nothing.
    hosts.sort();
    hosts.dedup();
    Some(hosts)
}

fn list<'v>(field: &str, value: &'v Value, faults: &mut Faults) -> Option<&'v Vec<Value>> {
    let items = value.as_array();
    if items.is_none() {
        faults.add(field, "must be a list");
    }
    items
}

fn read_moment(value: &Value) -> Result<Timestamp, String> {
    let read = value.as_str().and_then(Timestamp::parse_rfc3339);
    read.ok_or_else(|| "must be a moment as in 2030-01-02T03:04:05Z, or null for no end".to_owned())
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!(["object", "null"]);
    schema
}

/// What [`Given::read`] takes.
pub(super) fn schema(catalog: &Catalog, of: SchemaOf) -> Value {
    let required: &[&str] = if of == SchemaOf::Create { &["name", "integration"] } else { &[] };
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": NAME_CHARS_MAX },
            "integration": catalog.schema(of),
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": TAGS_MAX },
            "hosts": {
                "type": "array",
                "items": { "type": "string" },
                "maxItems": CONNECTION_HOSTS_MAX,
                "description": "Hosts that its secrets may go to beside those that follow from its settings: \
                                customers' APIs at AWS, and the resources of Azure's own scopes",
            },
            "expires_at": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "From when on it is not used any more",
            },
            "terms": nullable(terms_schema()),
        },
        "required": required,
        "additionalProperties": false,
    })
}
