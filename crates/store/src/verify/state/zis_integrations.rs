//! ZIS integrations, with the digests of their OAuth clients' secrets, and whether their signing keys are those to the
//! public ones.

use claviger_model::ZisIntegration;
use claviger_vault::{SigningKey, Vault};

use super::{Fold, Kind, Report};
use crate::zis_integrations::{COLUMN_COUNT, COLUMNS, read_integration, signing_key_place};
use crate::{Snapshot, StoreError, state};

impl Snapshot {
    pub(super) async fn compare_zis_integrations(
        &self,
        vault: &Vault,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {COLUMNS}, z.client_secret, z.signing_key FROM zis_integrations z");
        self.each_thing(&sql, Kind::ZisIntegration, fold, report, |row, fold, report| {
            let integration = read_integration(row)?;
            check_signing_key(vault, &integration, row.opt(COLUMN_COUNT + 1)?)?;
            let state = state::zis_integration(&integration, &row.get(COLUMN_COUNT)?);
            Ok(fold.meet(state, &[], report))
        })
        .await
    }
}

/// What the public key is, the entries say; the private one must open in its place, and be the one to it.
fn check_signing_key(
    vault: &Vault,
    integration: &ZisIntegration,
    sealed: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let opened = match sealed {
        None => None,
        Some(sealed) => {
            let opened = vault.open(&signing_key_place(integration.org, integration.id), &sealed);
            let opened = opened.map_err(|error| StoreError::damaged(format!("its signing key: {error}")))?;
            let key = SigningKey::from_opened(&opened).and_then(|key| key.public_pem());
            Some(key.map_err(|error| StoreError::damaged(format!("its signing key: {error}")))?)
        }
    };
    match opened == integration.jwt_public_key {
        true => Ok(()),
        false => Err(StoreError::damaged("its signing key is not the one to its public key")),
    }
}
