//! Who may do what with a connection: seeing it, deciding it, and leaving it to the permissions alone.
//!
//! Whoever may see a connection sees who else may; its editors decide. Whoever manages everybody's access
//! ([`crate::grants`]) does both whatever a restriction says, so that a connection whose editors are gone is not lost:
//! they could give themselves the editors' roles anyhow. A relation is no permission: those to whom it is given still
//! need theirs, and whatever else the management of connections takes.

use claviger_model::{Connection, ConnectionId, OrgId, Principal, Relation, Restriction};
use claviger_store::{Change, CommitError, Refusal};

use crate::credentials::STALE_RETRIES_MAX;
use crate::grants::manages_everybody;
use crate::permit::rights::{ConnectionsRead, ConnectionsWrite, RestrictionsRead, RestrictionsWrite};
use crate::{Caller, Changed, Engine, Error, FieldError, Permit, Right, Thing};

/// How many relations a restriction may give: far more than people keep in mind, and few enough to be read, compared
/// and searched with every use.
pub const RESTRICTION_PRINCIPALS_MAX: usize = 100;

/// Why somebody may not let go of a connection.
const SELF_LOCKOUT: &str = "This would take away access of your own";

/// Whether callers may take away access of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfLockout {
    /// They keep what they have.
    Refused,
    /// They may, where they manage everybody's access and so can get it back.
    Allowed,
}

impl Engine {
    /// Who may do what with a connection; none where the permission alone decides.
    ///
    /// # Errors
    /// [`Error::Absent`]; for whoever does not manage everybody's access, what seeing the connection would answer.
    pub async fn find_restriction(
        &self,
        permit: &Permit<RestrictionsRead>,
        id: ConnectionId,
    ) -> Result<Option<Restriction>, Error> {
        let found =
            self.connection_to_restrict::<ConnectionsRead>(permit.caller(), id, Relation::Viewer).await?;
        Ok(found.restriction)
    }

    /// Says who may do what with a connection; an empty restriction leaves it to the permission alone. What is so
    /// already is no change.
    ///
    /// # Errors
    /// [`Error::Absent`]; for whoever does not manage everybody's access, what changing the connection would answer;
    /// [`Error::Invalid`] with every principal that is nobody in the org; [`Error::Protected`] where it would take away
    /// access of the caller's own.
    pub async fn set_restriction(
        &self,
        permit: &Permit<RestrictionsWrite>,
        id: ConnectionId,
        restriction: Restriction,
        self_lockout: SelfLockout,
    ) -> Result<Changed<Option<Restriction>>, Error> {
        let restriction = (!restriction.is_empty()).then_some(restriction);
        for _ in 0..STALE_RETRIES_MAX {
            let caller = permit.caller();
            let read = self.connection_to_restrict::<ConnectionsWrite>(caller, id, Relation::Editor).await?;
            if let Some(restriction) = &restriction {
                self.check_principals(permit.org(), restriction).await?;
            }
            if read.restriction == restriction {
                self.settle().await?;
                return Ok(Changed { value: restriction, position: self.applied() });
            }
            let connection = Connection { restriction: restriction.clone(), ..read.clone() };
            let is_locked_out = self.relation_to(caller, &connection) < self.relation_to(caller, &read);
            let may_be = self_lockout == SelfLockout::Allowed && manages_everybody(caller);
            if is_locked_out && !may_be {
                return Err(Error::Protected(SELF_LOCKOUT));
            }
            match self.store.commit(Change::restrict_connection(&connection, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: restriction, position }),
                // Changed in between, perhaps by whoever took the caller's access: read and judged anew.
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Leaves a connection to the permission alone.
    ///
    /// # Errors
    /// As [`Engine::set_restriction`], but for principals and the caller's own access: nobody loses any.
    pub async fn remove_restriction(
        &self,
        permit: &Permit<RestrictionsWrite>,
        id: ConnectionId,
    ) -> Result<Changed<()>, Error> {
        let nothing = Restriction::default();
        let removed = self.set_restriction(permit, id, nothing, SelfLockout::Refused).await?;
        Ok(Changed { value: (), position: removed.position })
    }

    /// A connection for whoever manages everybody's access, or has a right to connections and comes so close to this
    /// one.
    async fn connection_to_restrict<R: Right>(
        &self,
        caller: &Caller,
        id: ConnectionId,
        wanted: Relation,
    ) -> Result<Connection, Error> {
        if !manages_everybody(caller) {
            caller.check::<R>()?;
            return Ok(self.connection_for(caller, id.into(), wanted).await?.0);
        }
        let Some((connection, _)) = self.store.find_connection(caller.org, id).await? else {
            self.settle().await?;
            return Err(Error::Absent(Thing::Connection));
        };
        Ok(connection)
    }

    /// Refuses a restriction that names too many, or somebody who is nobody in the org; every one of these.
    async fn check_principals(&self, org: OrgId, restriction: &Restriction) -> Result<(), Error> {
        if restriction.len() > RESTRICTION_PRINCIPALS_MAX {
            let reason = format!("must name at most {RESTRICTION_PRINCIPALS_MAX} principals in all");
            return Err(Error::Invalid(vec![FieldError { field: "bindings".to_owned(), reason }]));
        }
        let principals: Vec<Principal> = restriction.iter().map(|(_, principal)| principal).collect();
        let mut missing = self.store.find_missing_principals(org, &principals).await?;
        missing.sort_unstable();
        missing.dedup();
        let fault = |principal: Principal| FieldError {
            field: principal.to_string(),
            reason: match principal {
                Principal::Org(_) => "is another organization: cross-org principals are not supported",
                Principal::Role(_) | Principal::User(_) => "does not exist in the organization",
            }
            .to_owned(),
        };
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(missing.into_iter().map(fault).collect())),
        }
    }
}
