//! OAuth clients of ZIS integrations, and whether their secrets open where they stand.

use claviger_vault::Vault;

use super::{Fold, Kind, Report};
use crate::zis_oauth_clients::{COLUMN_COUNT, COLUMNS, client_secret_place, read_client};
use crate::{Snapshot, StoreError, state};

impl Snapshot {
    pub(super) async fn compare_zis_oauth_clients(
        &self,
        vault: &Vault,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {COLUMNS}, o.client_secret FROM zis_oauth_clients o");
        self.each_thing(&sql, Kind::ZisOAuthClient, fold, report, |row, fold, report| {
            let client = read_client(row)?;
            // That a secret is this one and no other is what sealing says: each opens in its own place alone.
            let place = client_secret_place(client.org, client.id, client.secret_revision);
            let opened = vault.open(&place, &row.get::<Vec<u8>>(COLUMN_COUNT)?);
            opened.map_err(|error| StoreError::damaged(format!("its secret: {error}")))?;
            Ok(fold.meet(state::zis_oauth_client(&client), &[], report))
        })
        .await
    }
}
