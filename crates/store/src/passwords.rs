//! Passwords of users: their hashes, sealed, and who signs in by which.

use claviger_model::{Credential, CredentialState, Email, OrgId, Timestamp, User, UserId};
use claviger_vault::Place;
use serde_json::json;

use crate::people::{SELECT_USER, read_user};
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError, state, users};

/// A password's hash, as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// Which of the user's passwords it is; the sealed value is bound to it.
    pub revision: i64,
    /// The hash, sealed for [`password_place`].
    pub sealed: Vec<u8>,
}

/// Where the hash of a user's password stands, for sealing and opening it.
pub fn password_place(org: OrgId, user: UserId, revision: i64) -> Place<'static> {
    Place { org, table: "user_passwords", row: user.uuid(), column: "sealed", revision }
}

impl Change {
    /// Gives a user a password, or takes it away, and ends the user's sessions; `read` is the revision of the one there
    /// was, and `killed` the sessions that are alive.
    ///
    /// Refused with [`Refusal::Stale`] where either is not so any more.
    pub fn set_password(
        user: &User,
        password: Option<&StoredPassword>,
        read: Option<i64>,
        killed: &[Credential],
        at: Timestamp,
        actor: &Actor,
    ) -> Self {
        let action = if password.is_some() { "user.password_set" } else { "user.password_removed" };
        let now = match password {
            Some(password) => state::password(user.org, user.id, password.revision),
            None => state::gone(("password", user.id.to_string())),
        };
        let states = [now].into_iter().chain(dead(killed, at));
        let detail = state::with_states(json!({ "sessions": killed.len() }), states);
        let change = Self::new(user.org, actor, action, users::subject(user), detail);
        let change = match (password, read) {
            (Some(password), None) => change.one(
                "INSERT INTO user_passwords (user_id, org_id, revision, sealed, modified_at)
                 SELECT id, org_id, $1, $2, $3 FROM users WHERE id = $4 AND org_id = $5 AND kind = 'human'",
                params![password.revision, password.sealed.clone(), at, user.id, user.org],
                Refusal::Stale,
            ),
            (Some(password), Some(read)) => change.one(
                "UPDATE user_passwords SET revision = $1, sealed = $2, modified_at = $3
                 WHERE user_id = $4 AND org_id = $5 AND revision = $6",
                params![password.revision, password.sealed.clone(), at, user.id, user.org, read],
                Refusal::Stale,
            ),
            (None, read) => change.one(
                "DELETE FROM user_passwords WHERE user_id = $1 AND org_id = $2 AND revision = $3",
                params![user.id, user.org, read],
                Refusal::Stale,
            ),
        };
        change.ending_sessions(user, killed, at)
    }

    /// Refuses what somebody does by a password that is not the user's any more, or for a user who was changed since.
    pub(crate) fn requiring_password(self, user: &User, revision: i64) -> Self {
        self.require(
            "SELECT 1 FROM users u JOIN user_passwords p ON p.user_id = u.id AND p.org_id = u.org_id
             WHERE u.id = $1 AND u.org_id = $2 AND u.modified_at = $3 AND u.disabled_at IS NULL AND p.revision = $4",
            params![user.id, user.org, user.modified_at, revision],
            Refusal::Stale,
        )
    }
}

/// The states that the deaths of these credentials leave.
pub(crate) fn dead(killed: &[Credential], at: Timestamp) -> impl Iterator<Item = state::State> {
    killed.iter().flat_map(move |credential| {
        let dead = Credential { state: CredentialState::Revoked { at }, ..credential.clone() };
        state::dead(&dead).collect::<Vec<_>>()
    })
}

impl Store {
    /// The person of an org who has an address, without roles, and the password: in one question, whether or not there
    /// is such a person.
    pub async fn find_person(
        &self,
        org: OrgId,
        email: &Email,
    ) -> Result<Option<(User, Option<StoredPassword>)>, StoreError> {
        let columns = SELECT_USER.strip_suffix(" FROM users").unwrap_or(SELECT_USER);
        let sql = format!(
            "{columns}, revision, sealed FROM (
                 SELECT u.*, p.revision, p.sealed FROM users u
                 LEFT JOIN user_passwords p ON p.user_id = u.id AND p.org_id = u.org_id
                 WHERE u.org_id = $1 AND u.email = $2 AND u.kind = 'human') person"
        );
        self.find(sql, params![org, email.as_str()], |row| {
            let password = match (row.opt(11)?, row.opt(12)?) {
                (Some(revision), Some(sealed)) => Some(StoredPassword { revision, sealed }),
                _ => None,
            };
            Ok((read_user(row)?, password))
        })
        .await
    }

    /// Which of a user's passwords is the one, if there is one.
    pub async fn find_password_revision(&self, org: OrgId, user: UserId) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT revision FROM user_passwords WHERE user_id = $1 AND org_id = $2";
        self.row(sql, &params![user, org], |row| row.get(0)).await
    }

    /// The orgs that have a person of an address, with the person, up to so many; disabled ones too.
    pub async fn list_persons(&self, email: &Email, limit: u32) -> Result<Vec<(OrgId, UserId)>, StoreError> {
        let sql = "SELECT org_id, id FROM users WHERE email = $1 AND kind = 'human' ORDER BY org_id LIMIT $2";
        self.long_rows(sql.to_owned(), params![email.as_str(), limit], |row| {
            Ok((row.parsed(0)?, row.parsed(1)?))
        })
        .await
    }
}
