//! What all kinds of credential have in common: issuing, showing, changing, revoking.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, CredentialState, Expiry, Guards, Name, OrgId,
    Position, Random, UserId,
};
use claviger_store::{
    Actor, Change, CommitError, CredentialFilter, CredentialPage, CredentialSort, FIRST_SECRET_REVISION,
    KnownSecret, LiveSecret, Names, NewSecret, Page, Refusal,
};
use claviger_vault::{IssuedSecret, Place, SealError};
use serde_json::Value as Json;

use crate::{Engine, Error, FieldError, Thing};

/// How often a change is made anew because somebody else changed the same thing in between.
pub(crate) const STALE_RETRIES_MAX: u32 = 5;

/// What a change brought, and where it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// The new state.
    pub value: T,
    /// The position from which on it holds everywhere.
    pub position: Position,
}

/// A credential with its secret, for an answer that shows it. Such an answer is in the ledger before it is given.
#[derive(Debug)]
pub struct Shown {
    /// The credential.
    pub credential: Credential,
    /// Its secret; none where it is not to be shown (any more).
    pub secret: Option<IssuedSecret>,
}

/// How a request names a credential.
#[derive(Clone, Copy)]
pub enum KeyRef<'a> {
    /// By its id.
    Id(CredentialId),
    /// By its secret, as version 1 of the vendor's API does.
    Secret(&'a str),
}

/// Which live credential a use case is about.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) org: OrgId,
    pub(crate) kind: CredentialKind,
    pub(crate) key: KeyRef<'a>,
    /// Only if it is this user's; none for anybody's.
    pub(crate) owner: Option<UserId>,
}

/// A credential about to be issued.
pub(crate) struct Draft {
    pub(crate) org: OrgId,
    pub(crate) detail: CredentialDetail,
    pub(crate) name: Name,
    pub(crate) by: UserId,
    pub(crate) expiry: Expiry,
    pub(crate) guards: Guards,
}

/// Why a credential was not issued.
pub(crate) enum IssueError {
    /// A limit, or a name that is taken.
    Refused(Refusal),
    /// Anything else.
    Other(Error),
}

impl From<Error> for IssueError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// A change of a credential that is to be tried: what it shall become, and a word on what changed; none where
/// nothing does.
pub(crate) type Edit<'a> = dyn Fn(&mut Credential) -> Option<Json> + Send + Sync + 'a;

/// The same, where what was read may be a reason to refuse.
pub(crate) type TryEdit<'a> = dyn Fn(&mut Credential) -> Result<Option<Json>, Error> + Send + Sync + 'a;

pub(crate) fn place(org: OrgId, credential: CredentialId, revision: i64) -> Place<'static> {
    Place { org, table: "secrets", row: credential.uuid(), column: "sealed", revision }
}

/// A credential that is made but not yet committed.
pub(crate) struct Made {
    pub(crate) credential: Credential,
    pub(crate) stored: NewSecret,
    pub(crate) secret: IssuedSecret,
}

/// A new secret in the format of a credential's kind, and of an org's own where it has one.
pub(crate) fn new_secret(detail: &CredentialDetail, random: &dyn Random) -> IssuedSecret {
    match detail {
        CredentialDetail::NativeKey { prefix, .. } => IssuedSecret::generate_native(*prefix, random),
        _ => IssuedSecret::generate(detail.kind(), random),
    }
}

impl Engine {
    /// Makes a credential with a new secret of its kind's format.
    pub(crate) fn make(&self, draft: Draft) -> Result<Made, SealError> {
        let random = self.vault.random();
        let kind = draft.detail.kind();
        let secret = new_secret(&draft.detail, random);
        let now = self.clock.now();
        let mut detail = draft.detail;
        if let (Some(portion), Some(shown)) = (detail.public_portion_mut(), secret.public_portion(kind)) {
            *portion = shown.to_owned();
        }
        let credential = Credential {
            id: CredentialId::generate_at(random, now),
            org: draft.org,
            detail,
            name: draft.name.to_string(),
            last4: secret.last4().to_owned(),
            revision: 1,
            created_at: now,
            created_by: draft.by,
            modified_at: now,
            modified_by: draft.by,
            expiry: draft.expiry,
            guards: draft.guards,
            state: CredentialState::Live,
            last_used: None,
        };
        let stored = self.stored(&credential, &secret, FIRST_SECRET_REVISION)?;
        Ok(Made { credential, stored, secret })
    }

    /// What is kept of a credential's secret.
    pub(crate) fn stored(
        &self,
        credential: &Credential,
        secret: &IssuedSecret,
        revision: i64,
    ) -> Result<NewSecret, SealError> {
        let place = place(credential.org, credential.id, revision);
        Ok(NewSecret {
            digest: self.vault.digest(secret.bytes()),
            digest_key: self.vault.digest_key_id(),
            sealed: match credential.kind().is_shown_again() {
                true => Some(self.vault.seal(&place, secret.bytes())?),
                false => None,
            },
        })
    }

    /// Makes a credential and commits it. A refusal by what is stored is handed out as it is: what it means
    /// depends on the kind.
    pub(crate) async fn issue(
        &self,
        draft: Draft,
        names: Names,
        actor: &Actor,
    ) -> Result<Changed<Shown>, IssueError> {
        if draft.expiry.is_over(self.clock.now()) {
            let reason = "must be in the future".to_owned();
            return Err(Error::Invalid(vec![FieldError { field: "expires_at".to_owned(), reason }]).into());
        }
        let Made { credential, stored, secret } = self.make(draft).map_err(Error::from)?;
        match self.store.commit(Change::create_credential(&credential, &stored, names, actor)).await {
            Ok(position) => Ok(Changed { value: Shown { credential, secret: Some(secret) }, position }),
            Err(CommitError::Refused(refusal @ (Refusal::LimitReached | Refusal::NameTaken))) => {
                Err(IssueError::Refused(refusal))
            }
            Err(error) => Err(IssueError::Other(error.into())),
        }
    }

    /// The credential's secret, if it can be shown again.
    pub(crate) async fn open_secret(&self, credential: &Credential) -> Result<Option<IssuedSecret>, Error> {
        let Some(found) = self.store.find_sealed_secret(credential.org, credential.id).await? else {
            return Ok(None);
        };
        let opened = self.vault.open(&place(credential.org, credential.id, found.revision), &found.sealed)?;
        IssuedSecret::from_opened(opened).map(Some).map_err(|error| Error::Internal(error.into()))
    }

    /// A page of an org's live credentials of a kind that belongs to nobody else.
    pub(crate) async fn list_unowned(
        &self,
        org: OrgId,
        kind: CredentialKind,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let filter = CredentialFilter { org, kind, owner: None, ..filter.clone() };
        Ok(self.store.list_credentials(&filter, sort, page).await?)
    }

    /// Puts into the ledger that these secrets are about to be shown.
    pub(crate) async fn record_shown(
        &self,
        org: OrgId,
        shown: &[CredentialId],
        actor: &Actor,
    ) -> Result<Position, Error> {
        Ok(self.store.commit(Change::show_secrets(org, shown, actor)).await?)
    }

    /// Changes a credential: reads it, edits what was read, and commits that, as often as it takes for nobody to
    /// come in between. Tells the position, or none where there was nothing to change.
    pub(crate) async fn edit(
        &self,
        target: &Target<'_>,
        edit: &Edit<'_>,
        names: Names,
        by: UserId,
        actor: &Actor,
    ) -> Result<(Credential, Option<Position>), Error> {
        self.try_edit(target, &|credential| Ok(edit(credential)), names, by, actor).await
    }

    /// Like [`edit`](Self::edit), where what was read may be a reason to refuse.
    pub(crate) async fn try_edit(
        &self,
        target: &Target<'_>,
        edit: &TryEdit<'_>,
        names: Names,
        by: UserId,
        actor: &Actor,
    ) -> Result<(Credential, Option<Position>), Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.settled(target).await?;
            let mut credential = read.clone();
            let Some(changed) = edit(&mut credential)? else { return Ok((read, None)) };
            credential.modified_at = self.clock.now().max(read.modified_at);
            credential.modified_by = by;
            let live = self.live_secrets(credential.id).await?;
            let change = Change::update_credential(&credential, &live, changed, names, actor);
            match self.store.commit(change).await {
                Ok(position) => {
                    credential.revision += 1;
                    return Ok((credential, Some(position)));
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::NameTaken)) => {
                    return Err(Error::Conflict {
                        thing: Thing::of(credential.kind()),
                        name: credential.name,
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Kills a credential for good.
    pub(crate) async fn revoke(
        &self,
        target: &Target<'_>,
        by: UserId,
        actor: &Actor,
    ) -> Result<Changed<Credential>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let credential = self.settled(target).await?;
            let at = self.clock.now();
            match self.store.commit(Change::revoke_credential(&credential, at, by, actor)).await {
                Ok(position) => {
                    let state = CredentialState::Revoked { at };
                    return Ok(Changed { value: Credential { state, ..credential }, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::LastOne)) => {
                    let org = self.org(credential.org).await?;
                    let thing = Thing::of(credential.kind());
                    return Err(Error::LastOne {
                        thing,
                        org_number: org.number,
                        max: org.settings.api_keys_max,
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The live secrets of a credential, for the record.
    pub(crate) async fn live_secrets(&self, id: CredentialId) -> Result<Vec<LiveSecret>, Error> {
        let known = self.store.list_known_secrets(id).await?.into_iter().filter(|secret| secret.is_live);
        Ok(known.map(|KnownSecret { digest, valid_until, .. }| LiveSecret { digest, valid_until }).collect())
    }

    /// The live credential that is meant; none where there is none in reach.
    pub(crate) async fn find_live(&self, target: &Target<'_>) -> Result<Option<Credential>, Error> {
        let is_meant = |credential: &Credential| {
            credential.kind() == target.kind
                && credential.state.is_live()
                && target.owner.is_none_or(|owner| credential.detail.owner() == Some(owner))
        };
        let found = match target.key {
            KeyRef::Id(id) => self.store.find_credential(target.org, id).await?,
            KeyRef::Secret(secret) => self.find_by_secret(target.org, secret).await?,
        };
        Ok(found.filter(is_meant))
    }

    async fn find_by_secret(&self, org: OrgId, secret: &str) -> Result<Option<Credential>, Error> {
        let digests: Vec<_> = self.vault.digests(secret.as_bytes()).collect();
        for digest in digests {
            let Some(found) = self.store.find_credential_by_digest(org, &digest).await? else { continue };
            // A secret that a newer one has replaced names its credential only as long as it goes on.
            let known = self.store.find_known_secret(&digest).await?.filter(|known| known.is_live);
            let now = self.clock.now();
            let is_good = known.is_some_and(|known| known.valid_until.is_none_or(|end| now < end));
            return Ok((is_good || !found.state.is_live()).then_some(found));
        }
        Ok(None)
    }

    /// Finds a live credential for a change; where there is none, that is only said once everything that may
    /// have removed it is applied.
    pub(crate) async fn settled(&self, target: &Target<'_>) -> Result<Credential, Error> {
        match self.find_live(target).await? {
            Some(found) => Ok(found),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::of(target.kind)))
            }
        }
    }
}
