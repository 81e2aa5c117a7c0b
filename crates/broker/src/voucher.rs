//! By what a third party knows that a call is a ZIS integration's: the header `X-ZIS-Authorization`, whose token the
//! integration's `jwt_public_key` checks.
//!
//! A token is for one connection and one origin, so that whoever receives it cannot show it elsewhere. It is kept for some of
//! its minute, since a signature costs more than all else of a call.

use std::sync::{Arc, Mutex, PoisonError};

use claviger_catalog::SecretText;
use claviger_engine::{Error as EngineError, UsableConnection, ZIS_TOKEN_LASTS};
use claviger_exchange::ExchangeError;
use claviger_exchange::cache::{Cache, Fresh};
use claviger_http::App;
use claviger_model::{Connection, ConnectionDialect, ConnectionId, OrgId, Origin};
use claviger_redact::Needles;
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::broker::Broker;
use crate::draft::Draft;
use crate::mint::{EngineClock, Minted};
use crate::prepared::{Prepared, header_value};
use crate::redaction::searched_for;
use crate::refusal::Refusal;
use crate::retry::WAITING_MAX;

pub(crate) const X_ZIS_AUTHORIZATION: HeaderName = HeaderName::from_static("x-zis-authorization");

/// A header, and what must be masked in answers to calls that have it.
pub(crate) struct Voucher {
    pub(crate) header: HeaderValue,
    token: SecretText,
    masked: Mutex<Option<Masked>>,
}

/// What is searched for where a call had this token beside it.
struct Masked {
    beside: Option<Arc<Minted>>,
    needles: Needles,
}

/// The tokens of all ZIS connections, each for one origin.
pub(crate) struct Vouchers {
    app: App,
    kept: Cache<Key, Voucher>,
}

/// Whose, at which revision, since its secrets are masked by what is kept, and for which origin.
type Key = (OrgId, ConnectionId, i64, String);

// A voucher is renewed for a call where it has less than a quarter of its time left. By then no attempt of the call begins
// any more, so that one is enough for all: but where a token was refused, which may come late.
const _: () = assert!(WAITING_MAX.as_secs() < ZIS_TOKEN_LASTS.as_secs() / 4);

impl Vouchers {
    pub(crate) fn new(app: App) -> Self {
        let kept = Cache::new(Arc::new(EngineClock(app.clone())), |(org, ..): &Key| *org);
        Self { kept, app }
    }

    /// What a connection's calls to an origin have; none where it is no ZIS connection.
    ///
    /// # Errors
    /// Where nothing can be signed: the call must not go without.
    pub(crate) async fn of(
        &self,
        usable: &Arc<UsableConnection>,
        origin: &Origin,
    ) -> Result<Option<Arc<Voucher>>, Refusal> {
        let Connection { org, id, revision, dialect, .. } = usable.connection;
        if dialect != ConnectionDialect::Zendesk {
            return Ok(None);
        }
        let (app, usable, audience) = (self.app.clone(), usable.clone(), origin.to_string());
        let key = (org, id, revision, audience.clone());
        let sign = move || async move { sign(&app, &usable, &audience).await };
        let kept = self.kept.get(&key, ZIS_TOKEN_LASTS / 2, sign).await;
        kept.map(Some).map_err(|error| match *error {
            ExchangeError::Busy => Refusal::Unavailable,
            _ => Refusal::Internal,
        })
    }
}

impl Broker {
    /// Gives a draft what its connection's calls to an origin have, in the place of what it had.
    ///
    /// # Errors
    /// As [`Vouchers::of`].
    pub(crate) async fn vouch(
        &self,
        draft: &mut Draft,
        usable: &Arc<UsableConnection>,
        origin: &Origin,
    ) -> Result<Option<Arc<Voucher>>, Refusal> {
        let voucher = self.vouchers.of(usable, origin).await?;
        if let Some(voucher) = &voucher {
            draft.vouch(voucher);
        }
        Ok(voucher)
    }
}

async fn sign(app: &App, usable: &UsableConnection, audience: &str) -> Result<Fresh<Voucher>, ExchangeError> {
    const UNSIGNED: ExchangeError = ExchangeError::Unusable("the call cannot be signed");
    let connection = &usable.connection;
    let integration = connection.container.as_deref().unwrap_or_default();
    let signed = app.engine().sign_zis_call(connection.org, integration, &connection.name, audience).await;
    let signed = signed.map_err(|error| match error {
        EngineError::Unavailable(_) => ExchangeError::Busy,
        error => {
            tracing::error!(error = claviger_model::chain(&error), "a call cannot be signed");
            UNSIGNED
        }
    })?;
    let text = Zeroizing::new(format!("Bearer {}", signed.text.reveal()));
    let header = header_value(&text).map_err(|_| UNSIGNED)?;
    let value = Voucher { header, token: signed.text, masked: Mutex::default() };
    Ok(Fresh { value, expires_at: signed.expires_at })
}

impl Voucher {
    /// What is searched for in an answer: this token, the connection's secrets as they are and as they were sent, and the
    /// token that was sent beside it. Worked out again only where that is another one.
    pub(crate) fn needles(
        &self,
        usable: &UsableConnection,
        prepared: &Prepared,
        beside: Option<&Arc<Minted>>,
    ) -> Needles {
        let mut masked = self.masked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |masked: &&Masked| match (&masked.beside, beside) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        if let Some(masked) = masked.as_ref().filter(is_same) {
            return masked.needles.clone();
        }
        let beside_it = beside.and_then(|minted| minted.token());
        let sent = beside_it.into_iter().chain([self.token.reveal()]);
        let secrets = searched_for(usable, Some(prepared), sent);
        let needles = Needles::new(&secrets);
        *masked = Some(Masked { beside: beside.cloned(), needles: needles.clone() });
        needles
    }
}
