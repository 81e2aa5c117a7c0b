//! ZIS integrations, with the digests of their OAuth clients' secrets.

use super::{Fold, Kind, Report};
use crate::zis_integrations::{COLUMN_COUNT, COLUMNS, read_integration};
use crate::{Snapshot, StoreError, state};

impl Snapshot {
    pub(super) async fn compare_zis_integrations(
        &self,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {COLUMNS}, z.client_secret FROM zis_integrations z");
        self.each_thing(&sql, Kind::ZisIntegration, fold, report, |row, fold, report| {
            let state = state::zis_integration(&read_integration(row)?, &row.get(COLUMN_COUNT)?);
            Ok(fold.meet(state, &[], report))
        })
        .await
    }
}
