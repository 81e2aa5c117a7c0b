//! What connections of both kinds have in common in an import: whose an id is, who made one and when, and whether a
//! secret is the one that is kept.

use claviger_catalog::{Faults, SecretText};
use claviger_model::{Connection, ConnectionDialect, ConnectionId, Timestamp, UserId};
use claviger_store::{ConnectionSecret, connection_secret_place};

use super::plan::{Meant, PlannedOrg, Planner};
use crate::Error;
use crate::connections::internal;

impl Planner<'_> {
    /// The connection of an org that an entry's id means. An id is taken whoever has it.
    pub(super) async fn find_connection_by_id(
        &mut self,
        plan: &PlannedOrg<'_>,
        dialect: ConnectionDialect,
        id: ConnectionId,
        at: &str,
    ) -> Result<Meant<Connection>, Error> {
        let (org, at) = (plan.org.id, format!("{at}/id"));
        if !self.claim("connection", id, &at) {
            return Ok(Meant::Faulty);
        }
        let taken = match self.store.find_org_of_connection(id).await? {
            None => return Ok(Meant::New),
            Some(owner) if owner != org => "is taken: another org has a connection of this id",
            Some(_) => match self.store.find_connection(org, id).await? {
                None => return Ok(Meant::New),
                Some((there, _)) if there.dialect == dialect => {
                    return Ok(Meant::Existing(Box::new(there)));
                }
                Some(_) => "is taken: a connection of another kind has it",
            },
        };
        self.fault(at, taken);
        Ok(Meant::Faulty)
    }

    /// Who made something: whom the file names, else the first user.
    pub(super) fn maker(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: Option<&str>,
        at: &str,
        first_user: Option<UserId>,
    ) -> Option<UserId> {
        match given {
            Some(text) => self.find_user(plan, format!("{at}/created_by"), text),
            None => first_user,
        }
    }

    /// Notes what is wrong with when and by whom something new was made.
    pub(super) fn check_making(
        &mut self,
        at: &str,
        given: Option<&str>,
        maker: Option<UserId>,
        created_at: Option<Timestamp>,
    ) {
        if maker.is_none() && given.is_none() {
            let reason = "is missing, and the org has no user who could have made it";
            self.fault(format!("{at}/created_by"), reason);
        }
        if created_at.is_some_and(|created_at| created_at > self.now) {
            self.fault(format!("{at}/created_at"), "is in the future");
        }
    }

    /// Notes what the catalog finds wrong.
    pub(super) fn note(&mut self, at: &str, faults: &Faults) {
        for fault in faults.iter() {
            self.fault(format!("{at}{}", fault.pointer), &fault.reason);
        }
    }

    /// Whether a secret is the one that is kept. It is compared within the vault: whoever imports could open both anyway.
    pub(super) fn is_kept(
        &self,
        there: &Connection,
        sealed: &[ConnectionSecret],
        name: &str,
        secret: &SecretText,
    ) -> Result<bool, Error> {
        let Some(kept) = sealed.iter().find(|kept| kept.name == name) else { return Ok(false) };
        let place = connection_secret_place(there.org, there.id, &kept.name, kept.revision);
        self.vault.is_sealed(&place, &kept.sealed, secret.reveal().as_bytes()).map_err(internal)
    }
}
