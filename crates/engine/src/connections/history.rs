//! What was done about one connection, by whom, and from where: the ledger's entries, without any value.

use claviger_model::{
    ConnectionId, CredentialId, EntryId, Position, Relation, RequestId, Restriction, Timestamp, UserId,
};
use claviger_store::{Entry, Page};
use serde_json::Value as Json;

use crate::permit::rights::ConnectionsRead;
use crate::{Caller, Engine, Error, Permit, Thing};

/// One thing that was done about a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The ledger entry's id.
    pub id: EntryId,
    /// Where it stands.
    pub position: Position,
    /// When it was done.
    pub at: Timestamp,
    /// What: `connection.created`, `connection.imported`, `connection.updated`, `connection.restricted`,
    /// `connection.expiring`, `connection.shown`, `connection.refreshed`, `connection.refresh_refused` or
    /// `connection.deleted`.
    pub action: String,
    /// Who did it; none where the server or its operator did.
    pub user: Option<UserId>,
    /// Through which credentials.
    pub credentials: Vec<CredentialId>,
    /// From which address.
    pub from: Option<String>,
    /// By which request.
    pub request: Option<RequestId>,
    /// The name that the connection had then.
    pub name: Option<String>,
    /// What was changed, beside secrets: names alone.
    pub changed: Vec<String>,
    /// The names of secrets that were written.
    pub secrets_written: Vec<String>,
    /// The names of secrets that were erased.
    pub secrets_erased: Vec<String>,
    /// What was said of who may do what; none where nothing was, and within, none where the permission alone decides
    /// from then on.
    pub restriction: Option<Option<Restriction>>,
}

impl Engine {
    /// A page of what was done about a connection, the newest first, and how much there is. Of one that was deleted
    /// too, for whom its last restriction would have made its viewer: what is hidden stays hidden.
    ///
    /// # Errors
    /// [`Error::Absent`] where there never was one; [`Error::Restricted`] where its restriction does not make the
    /// caller its viewer.
    pub async fn connection_history(
        &self,
        permit: &Permit<ConnectionsRead>,
        id: ConnectionId,
        page: Page,
    ) -> Result<(Vec<HistoryEntry>, i64), Error> {
        let caller = permit.caller();
        if self.store.find_connection(caller.org, id).await?.is_some() {
            self.connection_for(caller, id.into(), Relation::Viewer).await?;
        } else {
            self.check_last_restriction(caller, id).await?;
        }
        let (entries, total) = self.store.list_entries_of_connection(caller.org, id, page).await?;
        Ok((entries.into_iter().map(HistoryEntry::from).collect(), total))
    }

    /// The same check for a connection that is gone, by what the record says of it.
    async fn check_last_restriction(&self, caller: &Caller, id: ConnectionId) -> Result<(), Error> {
        let (mut offset, key) = (0, format!("connection:{id}"));
        loop {
            let page = Page { offset, limit: LAST_AT_ONCE };
            let (entries, total) = self.store.list_entries_of_connection(caller.org, id, page).await?;
            if total == 0 {
                self.settle().await?;
                return Err(Error::Absent(Thing::Connection));
            }
            // Its last state before there was none.
            let states = entries.iter().filter_map(|entry| entry.states().remove(&key));
            let last = states.filter(|state| !state.is_null()).map(|state| restriction_in(&state)).next();
            match last {
                Some(None) => return Ok(()),
                Some(Some(restriction)) => {
                    let relation = self.relation_by(caller, &restriction);
                    let is_viewer = relation >= Some(Relation::Viewer);
                    return if is_viewer { Ok(()) } else { Err(Error::Restricted(Relation::Viewer)) };
                }
                None if entries.is_empty() => return Err(Error::Restricted(Relation::Viewer)),
                None => offset += LAST_AT_ONCE,
            }
        }
    }
}

/// Entries that are looked through at once for the last state; it is nearly always in the second.
const LAST_AT_ONCE: i64 = 16;

/// One that cannot be read lets nobody see anything.
fn restriction_in(state: &Json) -> Option<Restriction> {
    let text = state["restriction"].as_str()?;
    Some(text.parse().unwrap_or_default())
}

impl From<Entry> for HistoryEntry {
    fn from(entry: Entry) -> Self {
        let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
        let (actor, change) = (parsed(&entry.actor), parsed(&entry.change));
        let texts = |list: &Json| -> Vec<String> {
            let items = list.as_array().into_iter().flatten();
            items.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let mut secrets_written = texts(&change["secrets_written"]);
        let state = entry.states().remove(&format!("connection:{}", entry.subject.id)).unwrap_or_default();
        let is_new = ["connection.created", "connection.imported"].contains(&entry.action.as_str());
        if is_new {
            let kept = state["secrets_kept"].as_str().unwrap_or_default().split(' ');
            secrets_written.extend(kept.filter_map(|one| Some(one.split_once('=')?.0.to_owned())));
        }
        let says_who =
            entry.action.as_str() == "connection.restricted" || (is_new && !state["restriction"].is_null());
        Self {
            id: entry.id,
            position: entry.position,
            at: entry.at,
            user: actor["user"].as_str().and_then(|id| id.parse().ok()),
            credentials: texts(&actor["credentials"]).iter().filter_map(|id| id.parse().ok()).collect(),
            from: text(&actor["from"]),
            request: actor["request"].as_str().and_then(|id| id.parse().ok()),
            name: text(&change["name"]),
            changed: texts(&change["changed"]),
            secrets_written,
            secrets_erased: texts(&change["secrets_erased"]),
            restriction: says_who.then(|| restriction_in(&state)),
            action: entry.action.as_str().to_owned(),
        }
    }
}
