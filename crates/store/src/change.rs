//! Changes as values: statements, how many rows each must touch, what a mismatch means, and the ledger entry.
//!
//! Whoever asks for a change builds the whole of it first; the writer then runs it in a savepoint of its own,
//! beside whatever else is waiting, and commits all of them at once. Changes are built here in the store's
//! modules, one function each, so that no SQL is written elsewhere.

use std::borrow::Cow;

use claviger_model::{CredentialId, OrgId, RequestId, UserId};
use serde_json::{Value as Json, json};

use crate::Refusal;
use crate::value::{Value, params};

/// One statement of a change.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Value>,
    pub(crate) rows: Rows,
    /// What it means when the rows do not come out, or when a unique index refuses.
    pub(crate) otherwise: Refusal,
}

/// How many rows a statement must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// It must change exactly so many.
    Changed(u64),
    /// It may change any number.
    Any,
    /// It is a query, and must find at least one.
    Found,
}

/// A change, ready to be committed with [`crate::Store::commit`].
#[derive(Debug)]
#[must_use = "a change does nothing until it is committed"]
pub struct Change {
    pub(crate) steps: Vec<Step>,
    /// None only for what is not part of the record: last-used times, keys wrapped anew, and fences. Several only where
    /// one change concerns several orgs, or several connections, each of which has a history of its own.
    pub(crate) entries: Vec<Draft>,
}

/// A ledger entry before it has a place in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) org: Option<OrgId>,
    pub(crate) action: Action,
    pub(crate) subject: Subject,
    /// JSON text already: whoever asks has more time for writing it than the writer.
    pub(crate) actor: String,
    /// Likewise.
    pub(crate) change: String,
}

/// What was done, as the ledger names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action(pub(crate) Cow<'static, str>);

impl Action {
    /// The name, as in `credential.created`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a ledger entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `org`, `user`, `role`, `permission`, `credential`, `registration`, `kek`.
    pub kind: Cow<'static, str>,
    /// Its id.
    pub id: String,
}

/// Who asked for a change, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user in whose name it was done; none where the server did it.
    pub user: Option<UserId>,
    /// The credentials that were presented: each must still be alive when the change commits.
    pub credentials: Vec<CredentialId>,
    /// The application key that must still be registered then, where what is done takes a registered one.
    pub registered: Option<CredentialId>,
    /// The address that the request came from.
    pub from: Option<String>,
    /// The request.
    pub request: Option<RequestId>,
}

impl Actor {
    /// The server itself, as at first start or on the command line.
    pub const SERVER: Self =
        Self { user: None, credentials: Vec::new(), registered: None, from: None, request: None };

    /// Queries that all find something while the actor may act, from its org `home`.
    pub(crate) fn guards(&self, home: Option<OrgId>) -> Vec<(&'static str, Vec<Value>)> {
        const IS_ALIVE: &str = "SELECT 1 FROM credentials c LEFT JOIN users u ON u.id = c.owner_id
             WHERE c.id = $1 AND c.org_id = $2 AND c.revoked_at IS NULL AND u.disabled_at IS NULL";
        const IS_REGISTERED: &str =
            "SELECT 1 FROM app_key_registrations WHERE application_key_id = $1 AND org_id = $2";
        let alive = self.credentials.iter().map(|id| (IS_ALIVE, params![*id, home]));
        let registered = self.registered.iter().map(|id| (IS_REGISTERED, params![*id, home]));
        alive.chain(registered).collect()
    }

    pub(crate) fn to_json(&self) -> Json {
        json!({
            "user": self.user.map(|id| id.to_string()),
            "credentials": self.credentials.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "from": self.from,
            "request": self.request.map(|id| id.to_string()),
        })
    }
}

impl Change {
    /// A change that begins by making sure that its actor may still act: a credential that died, or an owner who
    /// was disabled, while the request was under way stops it, and so does a credential of another org.
    pub(crate) fn new(
        org: OrgId,
        actor: &Actor,
        action: &'static str,
        subject: (&'static str, String),
        change: Json,
    ) -> Self {
        Self::recorded(Some(org), Some(org), actor, action, subject, change)
    }

    /// The same for what an actor of one org, `home`, does to another.
    pub(crate) fn to_other_org(
        org: OrgId,
        home: Option<OrgId>,
        actor: &Actor,
        action: &'static str,
        subject: (&'static str, String),
        change: Json,
    ) -> Self {
        Self::recorded(Some(org), home, actor, action, subject, change)
    }

    /// The same for what concerns the whole server.
    pub(crate) fn of_server(
        actor: &Actor,
        action: &'static str,
        subject: (&'static str, String),
        change: Json,
    ) -> Self {
        Self::recorded(None, None, actor, action, subject, change)
    }

    fn recorded(
        org: Option<OrgId>,
        home: Option<OrgId>,
        actor: &Actor,
        action: &'static str,
        subject: (&'static str, String),
        change: Json,
    ) -> Self {
        let guard = |(sql, params)| Step { sql, params, rows: Rows::Found, otherwise: Refusal::ActorGone };
        Self {
            steps: actor.guards(home).into_iter().map(guard).collect(),
            entries: vec![Draft {
                org,
                action: Action(Cow::Borrowed(action)),
                subject: Subject { kind: Cow::Borrowed(subject.0), id: subject.1 },
                actor: actor.to_json().to_string(),
                change: change.to_string(),
            }],
        }
    }

    /// A change that the ledger does not record.
    pub(crate) fn unrecorded() -> Self {
        Self { steps: Vec::new(), entries: Vec::new() }
    }

    /// Both changes as one: they happen together or not at all.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self.entries.extend(other.entries);
        self
    }

    /// Adds a statement that must change exactly one row.
    pub(crate) fn one(self, sql: &'static str, params: Vec<Value>, otherwise: Refusal) -> Self {
        self.step(sql, params, Rows::Changed(1), otherwise)
    }

    /// Adds a statement that may change any number of rows.
    pub(crate) fn any(self, sql: &'static str, params: Vec<Value>) -> Self {
        self.step(sql, params, Rows::Any, Refusal::Conflict)
    }

    /// Adds a query that must find something.
    pub(crate) fn require(self, sql: &'static str, params: Vec<Value>, otherwise: Refusal) -> Self {
        self.step(sql, params, Rows::Found, otherwise)
    }

    pub(crate) fn step(
        mut self,
        sql: &'static str,
        params: Vec<Value>,
        rows: Rows,
        otherwise: Refusal,
    ) -> Self {
        self.steps.push(Step { sql, params, rows, otherwise });
        self
    }
}

impl Rows {
    /// Whether a count is what it must be.
    pub(crate) fn admits(self, count: u64) -> bool {
        match self {
            Self::Changed(wanted) => count == wanted,
            Self::Any => true,
            Self::Found => count > 0,
        }
    }
}
