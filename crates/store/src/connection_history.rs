//! What the ledger tells of one connection, also once it is gone.

use claviger_model::{ConnectionId, OrgId};

use crate::connections::subject;
use crate::credential_list::Page;
use crate::value::params;
use crate::{Entry, Store, StoreError};

const ENTRIES: &str =
    "SELECT sequence, epoch, id, at, org_id, action, subject_kind, subject_id, actor, change, mac_key, mac
     FROM ledger WHERE subject_id = $1 AND org_id = $2 AND subject_kind = $3
     ORDER BY sequence DESC LIMIT $4 OFFSET $5";

impl Store {
    /// A page of the entries about a connection, the newest first, and how many there are.
    pub async fn list_entries_of_connection(
        &self,
        org: OrgId,
        id: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Entry>, i64), StoreError> {
        let (kind, id) = subject(id);
        let sql = "SELECT COUNT(*) FROM ledger WHERE subject_id = $1 AND org_id = $2 AND subject_kind = $3";
        let total = self.count(sql.to_owned(), params![id.as_str(), org, kind]).await?;
        let params = params![id.as_str(), org, kind, page.limit, page.offset];
        Ok((self.rows(ENTRIES, &params, Entry::read).await?, total))
    }
}
