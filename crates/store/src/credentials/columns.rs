//! How a credential stands in the columns of its row.

use claviger_model::{
    AllowList, Credential, CredentialDetail, CredentialKind, CredentialState, Expiry, Guards, RequestLimit,
    Scopes, ZisIntegrationId,
};

use crate::StoreError;
use crate::value::Row;

/// The columns of a credential, joined with its last use; read by [`read_credential`].
pub(crate) const COLUMNS: &str = "c.id, c.org_id, c.kind, c.owner_id, c.name, c.last4, c.scopes, c.category,
     c.remote_config_read, c.revision, c.created_at, c.created_by, c.modified_at, c.modified_by, c.expires_at,
     c.revoked_at, l.at, c.public_portion, c.external_id, c.metadata, c.allow_list, c.requests_max,
     c.requests_period, c.zis_integration_id, c.zis_scopes, c.token_number";

/// How many columns [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 26;

pub(crate) fn read_credential(row: &dyn Row) -> Result<Credential, StoreError> {
    let detail = match row.parsed(2)? {
        CredentialKind::ApiKey => {
            CredentialDetail::ApiKey { category: row.get(7)?, remote_config_read: row.get(8)? }
        }
        CredentialKind::ApplicationKey => {
            CredentialDetail::ApplicationKey { owner: row.parsed(3)?, scopes: read_scopes(row, 6)? }
        }
        CredentialKind::PersonalAccessToken => CredentialDetail::PersonalAccessToken {
            owner: row.parsed(3)?,
            scopes: read_some_scopes(row, 6)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::ServiceAccessToken => CredentialDetail::ServiceAccessToken {
            owner: row.parsed(3)?,
            scopes: read_some_scopes(row, 6)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::NativeKey => CredentialDetail::NativeKey {
            prefix: row.parsed(17)?,
            permissions: read_scopes(row, 6)?,
            external_id: row.opt(18)?,
            metadata: row.opt(19)?,
        },
        CredentialKind::IntegrationToken => CredentialDetail::IntegrationToken {
            owner: row.parsed(3)?,
            integration: row.parsed(23)?,
            scopes: row.parsed(24)?,
            number: row.get(25)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::Session => CredentialDetail::Session { owner: row.parsed(3)? },
    };
    Ok(Credential {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        detail,
        name: row.get(4)?,
        last4: String::from_utf8(row.get(5)?).map_err(|_| StoreError::damaged("column 5 is not UTF-8"))?,
        revision: row.get(9)?,
        created_at: row.get(10)?,
        created_by: row.parsed(11)?,
        modified_at: row.get(12)?,
        modified_by: row.parsed(13)?,
        expiry: Expiry::from(row.opt(14)?),
        guards: read_guards(row, 20)?,
        state: row.opt(15)?.map_or(CredentialState::Live, |at| CredentialState::Revoked { at }),
        last_used: row.opt(16)?,
    })
}

pub(super) fn read_scopes(row: &dyn Row, column: usize) -> Result<Option<Scopes>, StoreError> {
    match row.text(column)? {
        None => Ok(None),
        Some(list) => Scopes::parse_stored(list.split_ascii_whitespace())
            .map_err(|_| StoreError::damaged("a credential has an unknown scope")),
    }
}

/// What guards a credential, in three columns from this one on.
pub(super) fn read_guards(row: &dyn Row, column: usize) -> Result<Guards, StoreError> {
    let allow_list = row.text(column)?.map(AllowList::parse_list).transpose();
    let request_limit = match (row.opt(column + 1)?, row.opt(column + 2)?) {
        (None, None) => None,
        (Some(requests), Some(period)) => Some(RequestLimit::new(requests, period)),
        _ => return Err(StoreError::damaged("a credential has half of a limit")),
    };
    Ok(Guards {
        allow_list: allow_list
            .map_err(|_| StoreError::damaged("a credential's allow-list does not parse"))?,
        request_limit: request_limit
            .transpose()
            .map_err(|_| StoreError::damaged("a credential's limit is out of bounds"))?,
    })
}

/// The scopes of a kind that always has some.
fn read_some_scopes(row: &dyn Row, column: usize) -> Result<Scopes, StoreError> {
    read_scopes(row, column)?.ok_or_else(|| StoreError::damaged("a token has no scopes"))
}

pub(super) fn api_key_columns(detail: &CredentialDetail) -> (String, bool) {
    match detail {
        CredentialDetail::ApiKey { category, remote_config_read } => (category.clone(), *remote_config_read),
        CredentialDetail::ApplicationKey { .. }
        | CredentialDetail::PersonalAccessToken { .. }
        | CredentialDetail::ServiceAccessToken { .. }
        | CredentialDetail::NativeKey { .. }
        | CredentialDetail::IntegrationToken { .. }
        | CredentialDetail::Session { .. } => (String::new(), false),
    }
}

/// `external_id` and `metadata`.
pub(super) fn native_key_columns(detail: &CredentialDetail) -> (Option<&str>, Option<&str>) {
    match detail {
        CredentialDetail::NativeKey { external_id, metadata, .. } => {
            (external_id.as_deref(), metadata.as_deref())
        }
        CredentialDetail::ApiKey { .. }
        | CredentialDetail::ApplicationKey { .. }
        | CredentialDetail::PersonalAccessToken { .. }
        | CredentialDetail::ServiceAccessToken { .. }
        | CredentialDetail::IntegrationToken { .. }
        | CredentialDetail::Session { .. } => (None, None),
    }
}

/// `zis_integration_id`, `zis_scopes` and `token_number`.
pub(super) fn binding_columns(
    detail: &CredentialDetail,
) -> (Option<ZisIntegrationId>, Option<String>, Option<i64>) {
    match detail {
        CredentialDetail::IntegrationToken { integration, scopes, number, .. } => {
            (Some(*integration), Some(scopes.to_string()), Some(*number))
        }
        _ => (None, None, None),
    }
}

/// `allow_list`, `requests_max` and `requests_period`.
pub(super) fn guard_columns(guards: &Guards) -> (Option<String>, Option<u32>, Option<u32>) {
    (
        guards.allow_list.as_ref().map(AllowList::to_list),
        guards.request_limit.map(RequestLimit::requests),
        guards.request_limit.map(RequestLimit::period_seconds),
    )
}
