//! Webhooks and leaks.

use super::{Fold, Kind, Report};
use crate::webhooks::{COLUMN_COUNT, COLUMNS, read_webhook};
use crate::{Snapshot, StoreError, leaks, state};

impl Snapshot {
    pub(super) async fn compare_webhooks(
        &self,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {COLUMNS}, w.deleted_at, w.secret FROM webhooks w");
        self.each_thing(&sql, Kind::Webhook, fold, report, |row, fold, report| {
            let is_deleted = row.opt::<i64>(COLUMN_COUNT)?.is_some();
            if is_deleted == row.opt::<Vec<u8>>(COLUMN_COUNT + 1)?.is_some() {
                return Err(StoreError::damaged("its secret is not as its deletion has it"));
            }
            Ok(fold.meet(state::webhook(&read_webhook(row)?, is_deleted), &[], report))
        })
        .await
    }

    pub(super) async fn compare_leaks(&self, fold: &mut Fold, report: &mut Report) -> Result<(), StoreError> {
        self.each_thing(leaks::SELECT, Kind::Leak, fold, report, |row, fold, report| {
            Ok(fold.meet(state::leak(&leaks::read_leak(row)?), &[], report))
        })
        .await
    }
}
