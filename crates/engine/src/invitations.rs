//! Invitations: that users were asked to join. No mail is sent; whoever invites tells them.

use std::time::Duration;

use claviger_model::{Invitation, InvitationId, UserId};
use claviger_store::{Change, CommitError, Refusal};

use crate::permit::rights::PeopleInvite;
use crate::{Changed, Engine, Error, Permit, Thing};

/// How long an invitation holds, as recorded.
const PATIENCE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

impl Engine {
    /// Invites users of the org, all of them or none.
    ///
    /// # Errors
    /// [`Error::Absent`] where one of them is not there.
    pub async fn invite(
        &self,
        permit: &Permit<PeopleInvite>,
        users: &[UserId],
    ) -> Result<Changed<Vec<Invitation>>, Error> {
        let created_at = self.clock.now();
        let invitation = |user: &UserId| Invitation {
            id: InvitationId::generate(self.vault.random()),
            org: permit.org(),
            user: *user,
            created_at,
            expires_at: created_at + PATIENCE,
        };
        let invitations: Vec<_> = users.iter().map(invitation).collect();
        match self.store.commit(Change::invite(permit.org(), &invitations, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: invitations, position }),
            Err(CommitError::Refused(Refusal::Absent)) => Err(Error::Absent(Thing::User)),
            Err(error) => Err(error.into()),
        }
    }

    /// One invitation of the org.
    pub async fn find_invitation(
        &self,
        permit: &Permit<PeopleInvite>,
        id: InvitationId,
    ) -> Result<Invitation, Error> {
        let found = self.store.find_invitation(permit.org(), id).await?;
        found.ok_or(Error::Absent(Thing::Invitation))
    }
}
