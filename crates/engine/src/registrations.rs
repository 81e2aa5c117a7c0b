//! Registrations: which application keys may manage connections. A permission for that is not enough, so that the keys of
//! agents and scripts do not open every connection that their owner may see ([`crate::Right::IS_REGISTERED_ONLY`]). It is no
//! second factor: an un-narrowed key registers itself where its owner may.
//!
//! Reach: `user_app_keys` reaches the caller's own application keys, `service_account_write` service accounts', and
//! `user_access_manage` every one, and where the credential is not narrowed also ids that no application key has: a
//! registration of such an id is taken, as by the vendor (recorded in the tests of its Terraform provider), and gives
//! nobody anything until the org has a key of that id. To callers who reach less, an id that is nobody's and somebody
//! else's key answer alike, as absent.
//!
//! Containment: to register is to widen. Nobody gives somebody else's key, and no narrowed caller gives any key, the
//! management of connections that they may not manage themselves, unless they manage everybody's access
//! ([`crate::grants`]). What a key may do by its owner's roles and its scopes is as of then; whoever widens these later
//! answers for it. Taking a registration away is never refused on these grounds.

use claviger_model::{Credential, CredentialId, CredentialKind, Permission};
use claviger_store::{Change, CommitError, Page, REGISTRATIONS_PER_ORG_MAX, Refusal};

use crate::credentials::{KeyRef, STALE_RETRIES_MAX, Target};
use crate::grants::manages_everybody;
use crate::permit::rights::{RegistrationsInReachWrite, RegistrationsRead};
use crate::{Changed, Engine, Error, OwnedKind, Permit, Thing};

impl Engine {
    /// A page of the ids that are registered, oldest registration first, and how many there are in all.
    pub async fn list_registrations(
        &self,
        permit: &Permit<RegistrationsRead>,
        page: Page,
    ) -> Result<(Vec<CredentialId>, i64), Error> {
        Ok(self.store.list_registrations(permit.org(), page).await?)
    }

    /// Makes sure that an id is registered.
    ///
    /// # Errors
    /// [`Error::Absent`] where it is not.
    pub async fn find_registration(
        &self,
        permit: &Permit<RegistrationsRead>,
        id: CredentialId,
    ) -> Result<(), Error> {
        match self.store.is_registered(permit.org(), id).await? {
            true => Ok(()),
            false => Err(Error::Absent(Thing::Registration)),
        }
    }

    /// Registers an id in reach; one that is registered is no change.
    ///
    /// # Errors
    /// [`Error::Absent`] where the id is out of reach, [`Error::Refused`] where its key would manage connections that
    /// the caller may not, [`Error::LimitReached`] beyond the limit for an org.
    pub async fn register_application_key(
        &self,
        permit: &Permit<RegistrationsInReachWrite>,
        id: CredentialId,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let key = self.registrable(permit, id).await?;
            if self.store.is_registered(permit.org(), id).await? {
                self.settle().await?;
                return Ok(Changed { value: (), position: self.applied() });
            }
            if let Some(key) = &key {
                self.check_registering(permit, key).await?;
            }
            let at = self.clock.now();
            let change = Change::register(permit.org(), id, key.as_ref(), at, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::LimitReached)) => {
                    let max = REGISTRATIONS_PER_ORG_MAX;
                    return Err(Error::LimitReached { thing: Thing::Registration, max });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Takes the registration of an id in reach away: from the answer on, its key manages no connections.
    ///
    /// # Errors
    /// [`Error::Absent`] where it is not registered, or out of reach.
    pub async fn unregister_application_key(
        &self,
        permit: &Permit<RegistrationsInReachWrite>,
        id: CredentialId,
    ) -> Result<Changed<()>, Error> {
        self.registrable(permit, id).await?;
        match self.store.commit(Change::unregister(permit.org(), id, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: (), position }),
            Err(CommitError::Refused(Refusal::Absent)) => {
                self.settle().await?;
                Err(Error::Absent(Thing::Registration))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The live application key of an id in reach; none where no such key has it, and the caller reaches every id.
    async fn registrable(
        &self,
        permit: &Permit<RegistrationsInReachWrite>,
        id: CredentialId,
    ) -> Result<Option<Credential>, Error> {
        const EVERY_ID: Permission = Permission::USER_ACCESS_MANAGE;
        if permit.caller().may(EVERY_ID) {
            let kind = CredentialKind::ApplicationKey;
            let target = Target { org: permit.org(), kind, key: KeyRef::Id(id), owner: None };
            let found = self.find_live(&target).await?;
            // Of an id that no key has yet nobody can say what is handed on by it.
            if found.is_none() && !manages_everybody(permit.caller()) {
                self.settle().await?;
                return Err(Error::Absent(Thing::Registration));
            }
            return Ok(found);
        }
        match self.owned(permit, OwnedKind::ApplicationKey, id, None).await? {
            Some(key) => Ok(Some(key)),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::Registration))
            }
        }
    }
}
