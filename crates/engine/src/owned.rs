//! Issuing what belongs to a user: application keys and tokens.

use claviger_model::{CredentialDetail, Expiry, Guards, Name};
use claviger_store::{Names, Refusal};

use crate::credentials::{Draft, IssueError};
use crate::{Changed, Engine, Error, Permit, Right, Shown, Thing};

impl Engine {
    /// Makes a credential that acts for its owner, who need not be the caller.
    ///
    /// # Errors
    /// [`Error::Refused`] where it would have a right that a narrowed caller lacks, [`Error::LimitReached`] beyond
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
        permit.caller().hand_on(detail.scopes())?;
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
}
