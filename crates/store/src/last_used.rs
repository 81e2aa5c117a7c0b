//! When credentials were last used: a narrow table of its own, written in batches, never in the ledger.

use claviger_model::{CredentialId, Timestamp};

use crate::value::params;
use crate::{Change, CommitError, Store};

impl Store {
    /// Records when credentials were used; of two moments for the same one, the later stays.
    pub async fn record_last_used(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), CommitError> {
        let upsert = |change: Change, (id, at): &(CredentialId, Timestamp)| {
            change.any(
                "INSERT INTO last_used (credential_id, at) VALUES ($1, $2)
                 ON CONFLICT (credential_id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_used.at",
                params![*id, *at],
            )
        };
        self.commit(used.iter().fold(Change::unrecorded(), upsert)).await.map(|_| ())
    }
}
