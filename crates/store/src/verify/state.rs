//! The state that the entries give, and the state that the rows give.
//!
//! Both are written by the same functions ([`crate::state`]) and compared by their hashes, so that each
//! credential takes a few hundred bytes and not the memory for two rows.

mod connections;
mod credentials;
mod events;
mod passwords;
mod zis_integrations;
mod zis_oauth_clients;

use std::collections::{HashMap, HashSet};

use claviger_model::{OrgId, UserId};
use claviger_vault::{Digest, KeyPurpose, Vault, hex};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Fault, Finding, Report};
use crate::people::{SELECT_ORG, SELECT_ROLE, SELECT_USER, read_org, read_role, read_user};
use crate::state::{self, State};
use crate::value::Row;
use crate::{Entry, Snapshot, StoreError};

/// What has a state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Org,
    Role,
    Permission,
    User,
    Password,
    Credential,
    Registration,
    Webhook,
    Leak,
    Connection,
    ZisIntegration,
    ZisOAuthClient,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Org,
        Self::Role,
        Self::Permission,
        Self::User,
        Self::Password,
        Self::Credential,
        Self::Registration,
        Self::Webhook,
        Self::Leak,
        Self::Connection,
        Self::ZisIntegration,
        Self::ZisOAuthClient,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::User => "user",
            Self::Password => "password",
            Self::Credential => "credential",
            Self::Registration => "registration",
            Self::Webhook => "webhook",
            Self::Leak => "leak",
            Self::Connection => "connection",
            Self::ZisIntegration => "zis_integration",
            Self::ZisOAuthClient => "zis_oauth_client",
        }
    }
}

/// The org is only told where the id alone does not say which thing it is: several orgs may register the same id.
type Key = (Kind, Option<OrgId>, Uuid);

fn parse(key: &str, org: Option<OrgId>) -> Option<Key> {
    let (kind, id) = key.split_once(':')?;
    let kind = Kind::ALL.into_iter().find(|it| it.as_str() == kind)?;
    Some((kind, org.filter(|_| kind == Kind::Registration), Uuid::try_parse(id).ok()?))
}

/// The org of a thing, by its state.
fn org_in(state: &Json) -> Option<OrgId> {
    state.get("org").and_then(Json::as_str)?.parse().ok()
}

fn hash(state: &Json) -> [u8; 32] {
    blake3::hash(state.to_string().as_bytes()).into()
}

/// What the entries say of one thing.
struct Expected {
    state: [u8; 32],
    /// Of users: their roles, in order. Not part of the hash above, since a role that is removed is nobody's any
    /// more, and no entry says so of each who had it.
    roles: Vec<Uuid>,
    /// Every secret that was ever alive: none of them may be forgotten.
    digests: Vec<Digest>,
}

/// What the entries say, folded.
#[derive(Default)]
pub(super) struct Fold {
    things: HashMap<Key, Expected>,
    removed_roles: HashSet<Uuid>,
    tombstones: Option<[u8; 32]>,
}

impl Fold {
    /// Takes what one more entry says.
    pub(super) fn take(&mut self, entry: &Entry) {
        for (key, state) in entry.states() {
            if key == state::TOMBSTONES {
                self.tombstones = Some(hash(&state));
            } else if let (Some(key), true) = (parse(&key, entry.org), state.is_null()) {
                self.things.remove(&key);
            } else if let Some(key) = parse(&key, entry.org) {
                if key.0 == Kind::Role && state.get(state::REMOVED) == Some(&Json::Bool(true)) {
                    self.removed_roles.insert(key.2);
                }
                let expected = self.things.entry(key).or_insert(Expected {
                    state: [0; 32],
                    roles: Vec::new(),
                    digests: Vec::new(),
                });
                (expected.state, expected.roles) = parted(key.0, &state);
                for digest in secrets(&state) {
                    if !expected.digests.contains(&digest) {
                        expected.digests.push(digest);
                    }
                }
            }
        }
    }

    /// Compares what a row gives, with every secret that it has or had.
    fn meet(&mut self, (key, state): State, digests: &[Digest], report: &mut Report) {
        report.rows += 1;
        let found = parse(&key, org_in(&state)).and_then(|key| Some((key.0, self.things.remove(&key)?)));
        let fault = match found {
            None => Fault::Surplus,
            Some((kind, expected)) if !self.is_met(kind, &expected, &state) => Fault::Differs,
            Some((_, expected)) if !is_same(&expected.digests, digests) => Fault::Differs,
            Some(_) => return,
        };
        report.add(Finding::Row { row: key, fault });
    }

    fn is_met(&self, kind: Kind, expected: &Expected, state: &Json) -> bool {
        let (hash, roles) = parted(kind, state);
        let is_there = |role: &&Uuid| !self.removed_roles.contains(role);
        hash == expected.state && expected.roles.iter().filter(is_there).eq(roles.iter().filter(is_there))
    }

    /// Tells of a row that cannot be read, or that has what it must not have.
    fn blame(&mut self, key: String, fault: Fault, report: &mut Report) {
        report.rows += 1;
        if let Some((kind, _, id)) = parse(&key, None) {
            // Of which org it is cannot be known where the row cannot be read.
            let is_meant = |key: &Key| key.0 == kind && key.2 == id;
            let key = match kind {
                Kind::Registration => self.things.keys().copied().find(is_meant),
                _ => Some((kind, None, id)),
            };
            key.and_then(|key| self.things.remove(&key));
        }
        report.add(Finding::Row { row: key, fault });
    }

    /// Whatever no row has met is missing.
    fn finish(self, report: &mut Report) {
        let mut missing: Vec<_> =
            self.things.into_keys().map(|(kind, _, id)| format!("{}:{id}", kind.as_str())).collect();
        missing.sort_unstable();
        for row in missing {
            report.add(Finding::Row { row, fault: Fault::Missing });
        }
    }
}

/// The hash of a state, and apart from it the roles of a user.
fn parted(kind: Kind, state: &Json) -> ([u8; 32], Vec<Uuid>) {
    let Some(roles) = state.get("roles").and_then(Json::as_array).filter(|_| kind == Kind::User) else {
        return (hash(state), Vec::new());
    };
    // One that is no id is nobody's.
    let ids = roles.iter().map(|role| role.as_str().and_then(|id| Uuid::try_parse(id).ok()));
    let ids = ids.map(Option::unwrap_or_default).collect();
    let mut rest = state.clone();
    rest["roles"] = Json::Null;
    (hash(&rest), ids)
}

fn secrets(state: &Json) -> impl Iterator<Item = Digest> {
    let secrets = state.get("secrets").and_then(Json::as_array);
    secrets.into_iter().flatten().filter_map(Json::as_str).filter_map(|text| {
        let mut bytes = [0; 32];
        hex::decode(text, &mut bytes).map(|()| Digest::from_bytes(bytes))
    })
}

fn is_same(one: &[Digest], other: &[Digest]) -> bool {
    one.len() == other.len() && one.iter().all(|digest| other.contains(digest))
}

/// The id that a row shows, for a finding about it.
fn shown_id(row: &dyn Row, column: usize) -> String {
    row.text(column).ok().flatten().unwrap_or("?").to_owned()
}

impl Snapshot {
    /// Compares the rows with what the entries say.
    pub(super) async fn compare_state(
        &self,
        mut fold: Fold,
        vault: &Vault,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.compare_orgs(&mut fold, report).await?;
        self.compare_roles(&mut fold, report).await?;
        self.compare_users(&mut fold, report).await?;
        self.compare_passwords(vault, &mut fold, report).await?;
        self.compare_credentials(&mut fold, report).await?;
        self.compare_registrations(&mut fold, report).await?;
        self.compare_webhooks(&mut fold, report).await?;
        self.compare_leaks(&mut fold, report).await?;
        self.compare_connections(vault, &mut fold, report).await?;
        self.compare_zis_integrations(vault, &mut fold, report).await?;
        self.compare_zis_oauth_clients(vault, &mut fold, report).await?;
        self.compare_tombstones(&fold, report).await?;
        fold.finish(report);
        Ok(())
    }

    /// Each row of a query; one that is damaged is told by the id in its first column.
    async fn each_thing(
        &self,
        sql: &str,
        kind: Kind,
        fold: &mut Fold,
        report: &mut Report,
        mut visit: impl FnMut(&dyn Row, &mut Fold, &mut Report) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        self.each(sql, &[], |row| match visit(row, fold, report) {
            Err(StoreError::Damaged(what)) => {
                let key = format!("{}:{}", kind.as_str(), shown_id(row, 0));
                Ok(fold.blame(key, Fault::Damaged(what), report))
            }
            other => other,
        })
        .await
    }

    async fn compare_orgs(&self, fold: &mut Fold, report: &mut Report) -> Result<(), StoreError> {
        let keys = self.list_vault_keys().await?;
        let has_key = |org| keys.iter().any(|key| key.purpose == KeyPurpose::OrgData && key.org == Some(org));
        self.each_thing(SELECT_ORG, Kind::Org, fold, report, |row, fold, report| {
            let org = read_org(row)?;
            if !has_key(org.id) {
                report.add(Finding::Row {
                    row: format!("vault_keys of org:{}", org.id),
                    fault: Fault::Missing,
                });
            }
            Ok(fold.meet(state::org(&org), &[], report))
        })
        .await
    }

    async fn compare_roles(&self, fold: &mut Fold, report: &mut Report) -> Result<(), StoreError> {
        self.each_thing(SELECT_ROLE, Kind::Role, fold, report, |row, fold, report| {
            let role = read_role(row)?;
            let kept = row.text(4)?.unwrap_or_default();
            let expected = if role.managed.is_some() { String::new() } else { role.permissions.to_list() };
            match kept == expected {
                true => {
                    let is_removed = row.int(7)?.is_some();
                    let state = if is_removed { state::removed_role(&role) } else { state::role(&role) };
                    Ok(fold.meet(state, &[], report))
                }
                false => Err(StoreError::damaged("its permissions are not as they are written")),
            }
        })
        .await
    }

    async fn compare_users(&self, fold: &mut Fold, report: &mut Report) -> Result<(), StoreError> {
        let mut held: HashMap<String, Vec<(OrgId, claviger_model::RoleId)>> = HashMap::new();
        let sql = "SELECT user_id, org_id, role_id FROM user_roles";
        self.each_thing(sql, Kind::User, fold, report, |row, _, _| {
            let user: UserId = row.parsed(0)?;
            held.entry(user.to_string()).or_default().push((row.parsed(1)?, row.parsed(2)?));
            Ok(())
        })
        .await?;
        self.each_thing(SELECT_USER, Kind::User, fold, report, |row, fold, report| {
            let mut user = read_user(row)?;
            let held = held.remove(&user.id.to_string()).unwrap_or_default();
            if held.iter().any(|(org, _)| *org != user.org) {
                return Err(StoreError::damaged("it has a role of another org"));
            }
            user.roles = held.into_iter().map(|(_, role)| role).collect();
            Ok(fold.meet(state::user(&user), &[], report))
        })
        .await?;
        for user in held.into_keys() {
            report.add(Finding::Row { row: format!("user_roles of user:{user}"), fault: Fault::Surplus });
        }
        Ok(())
    }

    async fn compare_registrations(&self, fold: &mut Fold, report: &mut Report) -> Result<(), StoreError> {
        let sql = "SELECT application_key_id, org_id FROM app_key_registrations";
        self.each_thing(sql, Kind::Registration, fold, report, |row, fold, report| {
            Ok(fold.meet(state::registration(row.parsed(1)?, row.parsed(0)?), &[], report))
        })
        .await
    }

    async fn compare_tombstones(&self, fold: &Fold, report: &mut Report) -> Result<(), StoreError> {
        let mut tombstones = Tombstones::default();
        self.each(Tombstones::SELECT, &[], |row| tombstones.take(row)).await?;
        let (row, state) = tombstones.state();
        report.rows += tombstones.count;
        let expected = fold.tombstones.unwrap_or_else(|| hash(&Tombstones::default().state().1));
        if expected != hash(&state) {
            report.add(Finding::Row { row, fault: Fault::Differs });
        }
        Ok(())
    }
}

/// All tombstones, as one state.
#[derive(Default)]
pub(crate) struct Tombstones {
    count: u64,
    hasher: blake3::Hasher,
}

impl Tombstones {
    pub(crate) const SELECT: &str = "SELECT digest FROM tombstones ORDER BY digest";

    pub(crate) fn take(&mut self, row: &dyn Row) -> Result<(), StoreError> {
        self.count += 1;
        self.hasher.update(row.bytes(0)?.unwrap_or_default());
        Ok(())
    }

    pub(crate) fn state(&self) -> State {
        state::tombstones(self.count, &self.hasher.finalize())
    }
}
