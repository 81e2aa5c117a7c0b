//! Events: what the ledger's entries mean to those who watch an org's credentials and connections from outside.
//!
//! An event is made from its entry alone, which holds no secret, so that it can be made again at any time: it has the
//! entry's place, time and id. An entry that concerns several credentials is several events.

use claviger_model::{CredentialKind, EventType, OrgId, Position, Timestamp, WebhookId};
use claviger_store::Entry;
use serde_json::{Map, Value as Json, json};
use time::format_description::well_known::Rfc3339;

/// Something that happened to a credential or a connection of an org.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The entry's id; with a number after it where the entry is several events.
    pub id: String,
    /// What happened.
    pub kind: EventType,
    /// Where the entry stands.
    pub position: Position,
    org: OrgId,
    at: Timestamp,
    data: Json,
    /// The only webhook that is to be told; none for all.
    only: Option<WebhookId>,
}

impl Event {
    /// What an entry means; mostly nothing.
    pub(crate) fn all_of(entry: &Entry) -> Vec<Self> {
        let Some(org) = entry.org else { return Vec::new() };
        let mut only = None;
        let found = match entry.action.as_str() {
            "webhook.tested" => {
                only = entry.subject.id.parse().ok();
                vec![(EventType::WebhookTest, json!({ "webhook": entry.subject.id }))]
            }
            "credential.expiring" => expiring(entry).into_iter().collect(),
            action if action.starts_with("connection.") => of_connection(entry).into_iter().collect(),
            _ => changed(entry),
        };
        let count = found.len();
        let event = |(number, (kind, data)): (usize, (EventType, Json))| Self {
            id: match count {
                1 => entry.id.to_string(),
                _ => format!("{}.{number}", entry.id),
            },
            kind,
            position: entry.position,
            org,
            at: entry.at,
            data,
            only,
        };
        (1..).zip(found).map(event).collect()
    }

    /// Whether a webhook is to be told that asked for these.
    pub(crate) fn concerns(&self, webhook: WebhookId, asked_for: &[EventType]) -> bool {
        match self.only {
            Some(only) => only == webhook,
            None => asked_for.contains(&self.kind),
        }
    }

    /// The body of its delivery: JSON, the same each time.
    pub fn body(&self) -> String {
        let body = json!({
            "id": self.id,
            "type": self.kind.as_str(),
            "timestamp": rfc3339(self.at),
            "org": self.org.to_string(),
            "position": self.position.to_string(),
            "data": self.data,
        });
        body.to_string()
    }
}

fn rfc3339(at: Timestamp) -> String {
    at.utc().format(&Rfc3339).unwrap_or_default()
}

fn credential(id: &str, named: &Json) -> Json {
    json!({ "kind": named["kind"], "id": id, "name": named["name"], "last4": named["last4"] })
}

fn expiring(entry: &Entry) -> Option<(EventType, Json)> {
    let change: Json = serde_json::from_str(&entry.change).ok()?;
    let ends = change["expires_at"].as_i64().map(Timestamp::from_micros)?;
    let data = json!({
        "subject": credential(&entry.subject.id, &change),
        "expires_at": rfc3339(ends),
        "within_seconds": change["within_seconds"],
    });
    Some((EventType::CredentialExpiring, data))
}

/// What an entry about a connection means. What it tells of one, as the names of settings, goes to webhooks too.
fn of_connection(entry: &Entry) -> Option<(EventType, Json)> {
    let change: Json = serde_json::from_str(&entry.change).ok()?;
    let kind = match entry.action.as_str() {
        "connection.created" | "connection.imported" => EventType::ConnectionCreated,
        "connection.updated" => EventType::ConnectionUpdated,
        "connection.restricted" => EventType::ConnectionRestricted,
        "connection.deleted" => EventType::ConnectionDeleted,
        "connection.expiring" => EventType::ConnectionExpiring,
        _ => return None,
    };
    let mut data = json!({
        "subject": { "kind": "connection", "id": entry.subject.id, "name": change["name"] },
    });
    match kind {
        EventType::ConnectionUpdated => {
            for member in ["changed", "secrets_written", "secrets_erased"] {
                data[member] = change[member].clone();
            }
        }
        EventType::ConnectionRestricted => data["restricted"] = json!(!change["restriction"].is_null()),
        EventType::ConnectionExpiring => {
            data["expires_at"] = json!(rfc3339(change["expires_at"].as_i64().map(Timestamp::from_micros)?));
            data["within_seconds"] = change["within_seconds"].clone();
        }
        _ => {}
    }
    Some((kind, data))
}

/// What follows from the new states of credentials: whatever made one dead revoked it, be it the disabling of its
/// owner.
fn changed(entry: &Entry) -> Vec<(EventType, Json)> {
    let action = entry.action.as_str();
    let is_creation = matches!(action, "credential.created" | "org.created" | "org.imported");
    let mut found = Vec::new();
    for (key, state) in entry.states() {
        let Some(id) = key.strip_prefix("credential:") else { continue };
        // Who signs in and out is in the record. Nobody replaces a session, so that its end is no news.
        if state["kind"] == CredentialKind::Session.as_str() && action != "credential.leaked" {
            continue;
        }
        let subject = credential(id, &state);
        let is_dead = state["revoked"].as_bool().unwrap_or(false);
        if action == "credential.leaked" {
            let change: Map<String, Json> = serde_json::from_str(&entry.change).unwrap_or_default();
            let told = |name: &str| change.get(name).cloned().unwrap_or(Json::Null);
            let data = json!({
                "subject": subject,
                "source": told("source"),
                "url": told("url"),
                "revoked": is_dead,
            });
            found.push((EventType::CredentialLeaked, data));
        }
        match (is_dead, is_creation) {
            (true, _) => found.push((EventType::CredentialRevoked, json!({ "subject": subject }))),
            (false, true) => found.push((EventType::CredentialCreated, json!({ "subject": subject }))),
            (false, false) => {}
        }
    }
    found
}
