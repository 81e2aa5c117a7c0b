//! Invitations of users: that somebody was asked to join, and until when.

use claviger_model::{Invitation, InvitationId, OrgId};
use serde_json::json;

use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

impl Change {
    /// Invites users of one org, all of them or none.
    ///
    /// Refused with [`Refusal::Absent`] where one of them is not there.
    pub fn invite(org: OrgId, invitations: &[Invitation], actor: &Actor) -> Self {
        let invited: Vec<_> = invitations.iter().map(|invitation| invitation.user.to_string()).collect();
        let detail = state::with_states(json!({ "users": invited }), []);
        let change = Self::new(org, actor, "user.invited", ("org", org.to_string()), detail);
        invitations.iter().fold(change, |change, invitation| {
            change.one(
                "INSERT INTO user_invitations (id, org_id, user_id, created_at, expires_at)
                 SELECT $1, org_id, id, $2, $3 FROM users WHERE id = $4 AND org_id = $5",
                params![
                    invitation.id,
                    invitation.created_at,
                    invitation.expires_at,
                    invitation.user,
                    invitation.org,
                ],
                Refusal::Absent,
            )
        })
    }
}

impl Store {
    /// One invitation of an org.
    pub async fn find_invitation(
        &self,
        org: OrgId,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        let sql = "SELECT id, org_id, user_id, created_at, expires_at FROM user_invitations
                   WHERE id = $1 AND org_id = $2";
        let read = |row: &dyn Row| {
            Ok(Invitation {
                id: row.parsed(0)?,
                org: row.parsed(1)?,
                user: row.parsed(2)?,
                created_at: row.get(3)?,
                expires_at: row.get(4)?,
            })
        };
        self.row(sql, &params![id, org], read).await
    }
}
