//! What belongs to a user, application keys and tokens: who may make it, and who may widen it.
//!
//! A caller that is narrowed by scopes hands on no more than it may do itself, be it to itself or to others. Whoever
//! makes or widens what is somebody else's, a service account's above all, moreover gives it no right of the owner's
//! that they lack themselves, unless they manage everybody's access ([`crate::grants`]): otherwise a key of the
//! mightiest machine would be as good as its rights. To register a key widens it.

use claviger_model::{
    Credential, CredentialDetail, Expiry, Guards, Name, Permission, PermissionSet, Scopes, UserId,
};
use claviger_store::{Names, Refusal};

use crate::credentials::{Draft, IssueError, Target};
use crate::grants::check_grant;
use crate::{Changed, Engine, Error, Permit, Right, Shown, Thing};

impl Engine {
    /// Makes a credential that acts for its owner, who need not be the caller.
    ///
    /// # Errors
    /// [`Error::Refused`] where it would have a right that the caller may not hand on, [`Error::LimitReached`] beyond
    /// the limit per owner, which counts each kind for itself, [`Error::Conflict`] for a name that is taken and must
    /// be unique.
    pub(crate) async fn issue_owned<R: Right>(
        &self,
        permit: &Permit<R>,
        detail: CredentialDetail,
        name: Name,
        expiry: Expiry,
        guards: Guards,
        names: Names,
    ) -> Result<Changed<Shown>, Error> {
        self.check_handing_on(permit, &detail).await?;
        let thing = Thing::of(detail.kind());
        let draft =
            Draft { org: permit.org(), detail, name: name.clone(), by: permit.user(), expiry, guards };
        match self.issue(draft, names, &permit.actor()).await {
            Ok(issued) => Ok(issued),
            Err(IssueError::Refused(Refusal::NameTaken)) => {
                Err(Error::Conflict { thing, name: name.to_string() })
            }
            Err(IssueError::Refused(_)) => {
                let max = self.org(permit.org()).await?.settings.application_keys_per_user_max;
                Err(Error::LimitReached { thing, max })
            }
            Err(IssueError::Other(error)) => Err(error),
        }
    }

    /// Refuses to hand on a secret that may do what the caller may not hand on.
    pub(crate) async fn check_handing_on<R: Right>(
        &self,
        permit: &Permit<R>,
        detail: &CredentialDetail,
    ) -> Result<(), Error> {
        permit.caller().hand_on(detail.scopes())?;
        let Some(owner) = detail.owner().filter(|owner| *owner != permit.user()) else { return Ok(()) };
        let rights = self.rights_of(permit, owner).await?;
        check_grant(permit.caller(), &narrowed(rights, detail.scopes()))
    }

    /// Refuses new scopes that would add what the caller may not hand on. Taking away is never refused on these
    /// grounds; what is not there is for the change itself to say.
    pub(crate) async fn check_scopes<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        scopes: Option<&Scopes>,
    ) -> Result<(), Error> {
        permit.caller().hand_on(scopes)?;
        match self.find_live(target).await? {
            Some(credential) => self.check_widening(permit, &credential, scopes).await,
            None => Ok(()),
        }
    }

    /// Refuses to add to somebody else's credential what the caller may not hand on.
    pub(crate) async fn check_widening<R: Right>(
        &self,
        permit: &Permit<R>,
        credential: &Credential,
        scopes: Option<&Scopes>,
    ) -> Result<(), Error> {
        let Some(owner) = credential.detail.owner().filter(|owner| *owner != permit.user()) else {
            return Ok(());
        };
        let rights = self.rights_of(permit, owner).await?;
        let before = narrowed(rights, credential.detail.scopes());
        let after = narrowed(rights, scopes);
        check_grant(permit.caller(), &after.without(&before))
    }

    /// Refuses to register a key that would manage connections which the caller may not manage.
    pub(crate) async fn check_registering<R: Right>(
        &self,
        permit: &Permit<R>,
        key: &Credential,
    ) -> Result<(), Error> {
        let managing = [Permission::CONNECTIONS_READ, Permission::CONNECTIONS_WRITE].into_iter().collect();
        let Some(owner) = key.detail.owner() else { return Ok(()) };
        let rights = self.rights_of(permit, owner).await?;
        check_grant(permit.caller(), &(narrowed(rights, key.detail.scopes()) & managing))
    }

    /// What a user of the org may do by its roles.
    async fn rights_of<R: Right>(&self, permit: &Permit<R>, user: UserId) -> Result<PermissionSet, Error> {
        let Some(user) = self.store.find_user(permit.org(), user).await? else {
            return Ok(PermissionSet::EMPTY);
        };
        let roles = self.roles_of(&user).await?;
        Ok(roles.iter().fold(PermissionSet::EMPTY, |set, role| set | role.rights()))
    }
}

fn narrowed(rights: PermissionSet, scopes: Option<&Scopes>) -> PermissionSet {
    scopes.map_or(rights, |scopes| rights & *scopes.set())
}
