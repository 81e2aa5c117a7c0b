//! Passwords' hashes, which must open in their places.

use claviger_vault::Vault;

use super::{Fault, Fold, Kind, Report};
use crate::passwords::password_place;
use crate::{Snapshot, StoreError, state};

impl Snapshot {
    pub(super) async fn compare_passwords(
        &self,
        vault: &Vault,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = "SELECT user_id, org_id, revision, sealed FROM user_passwords";
        self.each_thing(sql, Kind::Password, fold, report, |row, fold, report| {
            let (user, org, revision) = (row.parsed(0)?, row.parsed(1)?, row.get(2)?);
            let (key, state) = state::password(org, user, revision);
            // That it is this hash and no other is what sealing says: each opens in its own place alone.
            match vault.open(&password_place(org, user, revision), &row.get::<Vec<u8>>(3)?) {
                Ok(_) => fold.meet((key, state), &[], report),
                Err(error) => fold.blame(key, Fault::Damaged(error.to_string()), report),
            }
            Ok(())
        })
        .await
    }
}
