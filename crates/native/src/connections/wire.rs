//! Connections as answers show them: never with a secret.

use claviger_catalog::Warning;
use claviger_engine::{ShownConnection, shown_terms, terms_schema};
use claviger_model::{ConnectionStanding, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::guards::shown_time;

/// A page.
#[derive(Serialize, JsonSchema)]
pub(super) struct Connections {
    pub(super) connections: Vec<Connection>,
    /// How many the filters let through in all, of those that the caller may see.
    pub(super) total: i64,
}

/// A connection.
#[derive(Serialize, JsonSchema)]
pub(super) struct Connection {
    /// None of what was not made.
    id: Option<String>,
    /// By which API it was made: `datadog` or `zendesk`.
    dialect: &'static str,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    credential_type: String,
    tags: Vec<String>,
    /// The hosts that it names by itself.
    hosts: Vec<String>,
    /// Where its secrets may go.
    allowed_hosts: Vec<String>,
    /// Their names.
    secrets: Vec<String>,
    /// Whether a restriction says who may do what with it.
    restricted: bool,
    /// Whether the caller could use it.
    resolvable: bool,
    expires_at: Option<String>,
    expired: bool,
    created_at: String,
    created_by: String,
    modified_at: String,
    modified_by: String,
    last_used_at: Option<String>,
    health: Option<HealthShown>,
    /// Lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    integration: Option<Value>,
    /// On what terms it is used. Lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "terms_shown")]
    terms: Option<Value>,
    /// Only in the answer to a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<WarningShown>>,
    /// Whether nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// What the last test of a connection said.
#[derive(Serialize, JsonSchema)]
struct HealthShown {
    /// `ok`, `bad`, `limited` or `unknown`.
    status: &'static str,
    reason: Option<String>,
    at: String,
}

/// Something unusual about a body that was taken.
#[derive(Serialize, JsonSchema)]
struct WarningShown {
    field: String,
    detail: String,
}

/// In what answer a connection is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// To whoever reads it.
    Read,
    /// It was made or changed.
    Made,
    /// It would be made so.
    NotMade,
    /// It would be changed so.
    NotChanged,
}

impl Connection {
    /// As a list shows it.
    pub(super) fn listed(shown: ShownConnection, now: Timestamp) -> Self {
        let ShownConnection { connection, standing, allowed_hosts, is_resolvable, .. } = shown;
        let ConnectionStanding { last_used_at, health } = standing;
        let expired = connection.is_over(now);
        Self {
            id: Some(connection.id.to_string()),
            dialect: connection.dialect.as_str(),
            name: connection.name,
            kind: connection.integration,
            credential_type: connection.credentials,
            tags: connection.tags.iter().flat_map(|tags| tags.iter()).map(ToString::to_string).collect(),
            hosts: connection.hosts,
            allowed_hosts,
            secrets: connection.secrets.0.into_keys().collect(),
            restricted: connection.restriction.is_some(),
            resolvable: is_resolvable,
            expires_at: connection.expires_at.map(shown_time),
            expired,
            created_at: shown_time(connection.created_at),
            created_by: connection.created_by.to_string(),
            modified_at: shown_time(connection.modified_at),
            modified_by: connection.modified_by.to_string(),
            last_used_at: last_used_at.map(shown_time),
            health: health.map(|(health, reason, at)| HealthShown {
                status: health.as_str(),
                reason,
                at: shown_time(at),
            }),
            integration: None,
            terms: None,
            warnings: None,
            dry_run: None,
        }
    }

    /// As it is shown alone.
    pub(super) fn whole(mut shown: ShownConnection, now: Timestamp, seen: Seen) -> Self {
        let (integration, warnings) = (shown.integration.take(), std::mem::take(&mut shown.warnings));
        let warned = |Warning { pointer, reason }| WarningShown {
            field: format!("integration{pointer}"),
            detail: reason,
        };
        let warnings = (seen != Seen::Read).then(|| warnings.into_iter().map(warned).collect());
        let terms = shown_terms(&shown.connection.terms);
        let listed = Self::listed(shown, now);
        Self {
            id: listed.id.filter(|_| seen != Seen::NotMade),
            integration: Some(integration),
            terms: Some(terms),
            warnings,
            dry_run: matches!(seen, Seen::NotMade | Seen::NotChanged).then_some(true),
            ..listed
        }
    }
}

fn terms_shown(_: &mut SchemaGenerator) -> Schema {
    terms_schema().try_into().expect("it is an object")
}
