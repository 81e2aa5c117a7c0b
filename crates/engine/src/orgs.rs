//! All orgs of a server: making, listing, renaming, disabling and enabling them.
//!
//! Who may: the machine's operator, over the control socket, and whoever may manage the founding org, which is the
//! parent of the others. Making an org hands out keys that may do everything in it, so that a narrowed credential
//! cannot. A disabled org's credentials stop at once and are good again once it is enabled; the founding org is never
//! disabled, since nobody would be left to enable it.

use claviger_model::{Email, Name, Org, OrgId, Subdomain};
use claviger_store::{Actor, Change, CommitError, Refusal};

use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::OrgManagement;
use crate::{Changed, Engine, Error, FirstOrg, Founded, Permit, Thing};

/// Why the founding org stays enabled.
const FOUNDING: &str = "The founding org cannot be disabled: it is the parent of the others";

/// Whoever may deal with all orgs. Only [`Engine::operator`] and [`Operator::of_machine`] make one.
#[derive(Debug, Clone)]
pub struct Operator {
    actor: Actor,
    home: Option<OrgId>,
    may_found: bool,
}

/// Changes of an org from outside; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct OrgChange {
    /// The name.
    pub name: Option<Name>,
    /// Whether it is disabled.
    pub is_disabled: Option<bool>,
    /// The subdomain by which the Zendesk dialect knows it; within, none for no such host.
    pub subdomain: Option<Option<Subdomain>>,
}

impl Operator {
    /// The machine's own operator, for commands that only the server's owner can give.
    pub fn of_machine() -> Self {
        Self { actor: Actor::SERVER, home: None, may_found: true }
    }

    /// Who it is, for the record.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl Engine {
    /// Whoever may manage the founding org, as the one who deals with all of them.
    ///
    /// # Errors
    /// [`Error::Refused`] for callers of any other org.
    pub async fn operator(&self, permit: &Permit<OrgManagement>) -> Result<Operator, Error> {
        match self.directory.founding_org() == Some(permit.org()) {
            true => Ok(Operator {
                actor: permit.actor(),
                home: Some(permit.org()),
                may_found: permit.caller().contains(None),
            }),
            false => Err(Error::Refused(&[])),
        }
    }

    /// Makes an org with its built-in roles, its first admin, an API key and an application key, as the first start
    /// does; the answer is the only one that shows the keys.
    ///
    /// # Errors
    /// [`Error::Refused`] for a narrowed credential.
    pub async fn create_org(
        &self,
        operator: &Operator,
        first: &FirstOrg,
    ) -> Result<Changed<(Org, Founded)>, Error> {
        if !operator.may_found {
            return Err(Error::Refused(&[]));
        }
        let draft = self.draft_org_by(first, operator.home, &operator.actor)?;
        let made = self.commit_org(draft).await?;
        let org = self.org(made.value.org).await?;
        Ok(Changed { value: (org, made.value), position: made.position })
    }

    /// The address that the caller of a permit goes by, for an org that it makes and does not name anybody else for.
    ///
    /// # Errors
    /// [`Error::CallerGone`] where the caller is not there any more.
    pub async fn own_address(&self, permit: &Permit<OrgManagement>) -> Result<Email, Error> {
        let user = self.store.find_user(permit.org(), permit.user()).await?;
        user.and_then(|user| Email::parse(&user.email).ok()).ok_or(Error::CallerGone)
    }

    /// Up to so many orgs whose number is beyond one, in the order in which they were made.
    pub async fn list_orgs(&self, _: &Operator, after: i64, limit: i64) -> Result<Vec<Org>, Error> {
        Ok(self.store.list_orgs_after(after, limit).await?)
    }

    /// One org, disabled or not.
    pub async fn find_org(&self, _: &Operator, id: OrgId) -> Result<Org, Error> {
        self.org(id).await
    }

    /// Renames, disables or enables an org, or gives it a subdomain. Nothing to change leaves it as it is, its time of change too.
    ///
    /// # Errors
    /// [`Error::Absent`] where there is no such org, [`Error::Protected`] for disabling the founding one,
    /// [`Error::Conflict`] for another org's subdomain.
    pub async fn change_org(
        &self,
        operator: &Operator,
        id: OrgId,
        change: &OrgChange,
    ) -> Result<Changed<Org>, Error> {
        if change.is_disabled == Some(true) && self.directory.founding_org() == Some(id) {
            return Err(Error::Protected(FOUNDING));
        }
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.store.find_org(id).await?.ok_or(Error::Absent(Thing::Org))?;
            let mut org = read.clone();
            if let Some(name) = &change.name {
                org.name = name.to_string();
            }
            match change.is_disabled {
                Some(true) => org.disabled_at = org.disabled_at.or_else(|| Some(self.clock.now())),
                Some(false) => org.disabled_at = None,
                None => {}
            }
            if let Some(subdomain) = &change.subdomain {
                org.subdomain.clone_from(subdomain);
            }
            if org == read {
                self.settle().await?;
                return Ok(Changed { value: org, position: self.applied() });
            }
            org.modified_at = self.later_than(read.modified_at);
            let home = operator.home.unwrap_or(id);
            match self.store.commit(Change::update_org(&org, &read, home, &operator.actor)).await {
                Ok(position) => return Ok(Changed { value: org, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::NameTaken)) => {
                    self.settle().await?;
                    let name = org.subdomain.map(|it| it.to_string()).unwrap_or_default();
                    return Err(Error::Conflict { thing: Thing::Subdomain, name });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}
