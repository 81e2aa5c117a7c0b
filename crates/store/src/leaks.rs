//! Credentials whose secret was found where it should not be.

use claviger_model::{Credential, CredentialId, CredentialState, Leak, OrgId};
use serde_json::json;

use crate::value::{Row, Value, params};
use crate::{Actor, Change, LiveSecret, Refusal, Store, StoreError, state};

/// How many credentials [`Store::list_leaks_of`] asks for in one statement.
const ASKED_AT_ONCE: usize = 16;

pub(crate) const SELECT: &str = "SELECT id, org_id, credential_id, at, source, url FROM leaks";

pub(crate) fn read_leak(row: &dyn Row) -> Result<Leak, StoreError> {
    Ok(Leak {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        credential: row.parsed(2)?,
        at: row.get(3)?,
        source: row.opt(4)?,
        url: row.opt(5)?,
    })
}

impl Change {
    /// Marks a live credential as leaked and, with `live` none, kills it, the org's last API key too; else `live` are
    /// its secrets, which stay alive. `leak` is none where it is marked already.
    ///
    /// Refused with [`Refusal::Stale`] where the credential has another revision by now, or is dead, and with
    /// [`Refusal::Conflict`] where it was marked in between.
    pub fn report_leak(
        credential: &Credential,
        leak: &Leak,
        is_new: bool,
        live: Option<&[LiveSecret]>,
        actor: &Actor,
    ) -> Self {
        let mut states = Vec::new();
        if is_new {
            states.push(state::leak(leak));
        }
        match live {
            Some(live) => states.push(state::credential(credential, live)),
            None => {
                let dead =
                    Credential { state: CredentialState::Revoked { at: leak.at }, ..credential.clone() };
                states.extend(state::dead(&dead));
            }
        }
        let detail = json!({
            "kind": credential.kind().as_str(),
            "name": credential.name,
            "leak": leak.id.to_string(),
            "source": leak.source,
            "url": leak.url,
            "revoked": live.is_none(),
        });
        let detail = state::with_states(detail, states);
        let subject = ("credential", credential.id.to_string());
        let mut change = Self::new(credential.org, actor, "credential.leaked", subject, detail);
        if is_new {
            change = change.one(
                "INSERT INTO leaks (id, org_id, credential_id, at, source, url) VALUES ($1, $2, $3, $4, $5, $6)",
                params![
                    leak.id,
                    leak.org,
                    leak.credential,
                    leak.at,
                    leak.source.as_deref(),
                    leak.url.as_deref(),
                ],
                Refusal::Conflict,
            );
        }
        match live {
            Some(_) => change.require(
                "SELECT 1 FROM credentials WHERE id = $1 AND org_id = $2 AND revision = $3 AND revoked_at IS NULL",
                params![credential.id, credential.org, credential.revision],
                Refusal::Stale,
            ),
            None => change
                .killing_credential(credential, leak.at, credential.modified_by)
                .counting_even_the_last_less(credential),
        }
    }
}

impl Store {
    /// The leak of a credential of an org, if it was reported.
    pub async fn find_leak(&self, org: OrgId, credential: CredentialId) -> Result<Option<Leak>, StoreError> {
        Ok(self.list_leaks_of(org, &[credential]).await?.into_iter().next())
    }

    /// The leaks of these credentials of an org, as far as there are any.
    pub async fn list_leaks_of(&self, org: OrgId, ids: &[CredentialId]) -> Result<Vec<Leak>, StoreError> {
        let mut leaks = Vec::new();
        let sql = format!(
            "{SELECT} WHERE org_id = $17 AND credential_id IN
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        );
        for some in ids.chunks(ASKED_AT_ONCE) {
            // Filled up to the full number with the last, as where known secrets are asked for.
            let last = some.last().map(|last| Value::from(*last)).unwrap_or(Value::Null);
            let mut params: Vec<_> = some.iter().map(|id| Value::from(*id)).collect();
            params.resize(ASKED_AT_ONCE, last);
            params.push(Value::from(org));
            self.each(&sql, &params, |row| Ok(leaks.push(read_leak(row)?))).await?;
        }
        Ok(leaks)
    }
}
