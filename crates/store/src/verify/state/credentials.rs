//! Credentials with their secrets, and how many of them are said to be alive.

use std::collections::BTreeMap;

use claviger_model::{Credential, CredentialKind, OrgId, OwnNumber, Scopes};
use claviger_vault::Digest;

use super::{Fault, Finding, Fold, Kind, Report, shown_id};
use crate::credentials::{COLUMN_COUNT, COLUMNS, read_credential};
use crate::value::Row;
use crate::{LiveSecret, Snapshot, StoreError, own_permissions, state};

/// A credential of which not all secrets may have been read yet.
struct Group {
    credential: Credential,
    live: Vec<LiveSecret>,
    all: Vec<Digest>,
}

/// What is counted of live credentials.
#[derive(Default)]
struct Counts {
    /// How many there are of each org, kind and owner (empty for the org itself).
    live: BTreeMap<(String, String, String), i64>,
    /// How many name each of the orgs' own permissions.
    uses: BTreeMap<(OrgId, OwnNumber), i64>,
}

impl Snapshot {
    pub(super) async fn compare_credentials(
        &self,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, s.digest, s.org_id, s.dead_at, s.valid_until FROM credentials c
             LEFT JOIN last_used l ON l.credential_id = c.id LEFT JOIN secrets s ON s.credential_id = c.id
             ORDER BY c.id, s.revision"
        );
        let mut counts = Counts::default();
        let mut current: Option<Group> = None;
        let mut blamed = String::new();
        self.each_thing(&sql, Kind::Credential, fold, report, |row, fold, report| {
            let id = shown_id(row, 0);
            if id == blamed {
                return Ok(());
            }
            if current.as_ref().is_some_and(|group| group.credential.id.to_string() != id) {
                current.take().into_iter().for_each(|group| group.close(fold, &mut counts, report));
            }
            let read = Group::read(row, current.take());
            match read {
                Ok(group) => Ok(current = Some(group)),
                Err(error) => {
                    blamed = id;
                    Err(error)
                }
            }
        })
        .await?;
        current.into_iter().for_each(|group| group.close(fold, &mut counts, report));
        self.compare_orphans(report).await?;
        self.compare_own_permissions(counts.uses, fold, report).await?;
        self.compare_counts(counts.live, report).await
    }

    /// Secrets whose credential is gone: nothing but switched-off foreign keys lets them be.
    async fn compare_orphans(&self, report: &mut Report) -> Result<(), StoreError> {
        let sql = "SELECT s.credential_id FROM secrets s
                   WHERE NOT EXISTS (SELECT 1 FROM credentials c WHERE c.id = s.credential_id)";
        self.each(sql, &[], |row| {
            let row = format!("secrets of credential:{}", shown_id(row, 0));
            Ok(report.add(Finding::Row { row, fault: Fault::Surplus }))
        })
        .await
    }

    /// The orgs' own permissions, and how many credentials are said to name each.
    async fn compare_own_permissions(
        &self,
        mut uses: BTreeMap<(OrgId, OwnNumber), i64>,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.each_thing(own_permissions::SELECT, Kind::Permission, fold, report, |row, fold, report| {
            let permission = own_permissions::read(row)?;
            let (kept, counted) =
                (i64::from(permission.uses), uses.remove(&(permission.org, permission.number)).unwrap_or(0));
            if kept != counted {
                let row = format!("own_permissions {}", permission.id);
                report.add(Finding::Row { row, fault: Fault::Count { kept, counted } });
            }
            Ok(fold.meet(state::own_permission(&permission), &[], report))
        })
        .await?;
        for ((org, number), counted) in uses {
            let row = format!("own_permissions {org} {number}");
            report.add(Finding::Row { row, fault: Fault::Count { kept: 0, counted } });
        }
        Ok(())
    }

    async fn compare_counts(
        &self,
        mut counts: BTreeMap<(String, String, String), i64>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut differing = |(org, kind, owner): &(String, String, String), kept, counted| {
            if kept != counted {
                let row = format!("credential_counts {org} {kind} {owner}").trim_end().to_owned();
                report.add(Finding::Row { row, fault: Fault::Count { kept, counted } });
            }
        };
        let sql = "SELECT org_id, kind, owner_id, live FROM credential_counts";
        self.each(sql, &[], |row| {
            let key = (shown_id(row, 0), shown_id(row, 1), shown_id(row, 2));
            let counted = counts.remove(&key).unwrap_or(0);
            // What is no number is no count.
            let kept = row.int(3).ok().flatten().unwrap_or(-1);
            Ok(differing(&key, kept, counted))
        })
        .await?;
        for (key, counted) in counts {
            differing(&key, 0, counted);
        }
        Ok(())
    }
}

impl Group {
    /// The credential of a row with one more of its secrets.
    fn read(row: &dyn Row, so_far: Option<Self>) -> Result<Self, StoreError> {
        let mut group = match so_far {
            Some(group) => group,
            None => {
                let credential = read_credential(row)?;
                check_written(row, &credential)?;
                Self { credential, live: Vec::new(), all: Vec::new() }
            }
        };
        if let Some(digest) = row.opt::<Digest>(COLUMN_COUNT)? {
            if row.parsed::<OrgId>(COLUMN_COUNT + 1)? != group.credential.org {
                return Err(StoreError::damaged("its secret is in another org"));
            }
            group.all.push(digest);
            // Of the dead, only what it is of.
            let valid_until = row.opt(COLUMN_COUNT + 3)?;
            if row.opt::<i64>(COLUMN_COUNT + 2)?.is_none() {
                group.live.push(LiveSecret { digest, valid_until });
            }
        }
        Ok(group)
    }

    fn close(self, fold: &mut Fold, counts: &mut Counts, report: &mut Report) {
        let Credential { org, .. } = self.credential;
        if self.credential.state.is_live() {
            let kind = self.credential.kind().to_string();
            for number in self.credential.detail.scopes().into_iter().flat_map(Scopes::own) {
                *counts.uses.entry((org, number)).or_insert(0) += 1;
            }
            let mut count =
                |owner| *counts.live.entry((org.to_string(), kind.clone(), owner)).or_insert(0) += 1;
            count(String::new());
            if let Some(owner) = self.credential.detail.owner() {
                count(owner.to_string());
            }
        }
        fold.meet(state::credential(&self.credential, &self.live), &self.all, report);
    }
}

/// What reading a credential passes over: columns that its kind does not have, and another way to write the same
/// scopes.
fn check_written(row: &dyn Row, credential: &Credential) -> Result<(), StoreError> {
    // Columns that the kind does not have must be empty; those that it has are in the state.
    if credential.detail.public_portion().is_none() && row.text(17)?.is_some() {
        return Err(StoreError::damaged("it has a public portion, and is of no kind that has one"));
    }
    let is_native = credential.kind() == CredentialKind::NativeKey;
    if !is_native && (row.text(18)?.is_some() || row.text(19)?.is_some()) {
        return Err(StoreError::damaged("it has an external id or metadata, and is no native key"));
    }
    let is_bound = credential.kind() == CredentialKind::IntegrationToken;
    if !is_bound && (row.text(23)?.is_some() || row.text(24)?.is_some() || row.int(25)?.is_some()) {
        return Err(StoreError::damaged("it is bound to an integration, and is no integration token"));
    }
    let is_written = match credential.kind() {
        CredentialKind::ApiKey => row.text(3)?.is_none() && row.text(6)?.is_none(),
        CredentialKind::ApplicationKey
        | CredentialKind::PersonalAccessToken
        | CredentialKind::ServiceAccessToken
        | CredentialKind::NativeKey
        | CredentialKind::IntegrationToken
        | CredentialKind::Session => {
            row.int(8)? == Some(0)
                && row.text(6)?.map(str::to_owned) == credential.detail.scopes().map(Scopes::to_list)
                && row.text(3)?.map(str::to_owned) == credential.detail.owner().map(|owner| owner.to_string())
        }
    };
    match is_written {
        true => Ok(()),
        false => Err(StoreError::damaged("its scopes or its owner are not as they are written")),
    }
}
