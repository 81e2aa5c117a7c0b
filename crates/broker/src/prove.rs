//! Proofs that are no calls: of a credential that is exchanged for tokens, the exchange itself, and of an OAuth
//! connection, that there is a token.

use std::sync::Arc;

use claviger_catalog::Exchange;
use claviger_engine::{Error as EngineError, UsableConnection, UsedBy};
use claviger_exchange::ExchangeError;
use claviger_model::{Audit, Health};
use claviger_oauth::AccessError;
use http::Method;

use crate::broker::Broker;
use crate::by::By;
use crate::mint;
use crate::prepared::host_header;
use crate::probe::Judged;
use crate::record::Noted;

/// Of a connection whose time is over: nobody is asked.
const EXPIRED: Judged = Judged::new(Health::Unknown, "connection_expired");

impl Broker {
    /// Exchanges a connection's secret for a token that nobody uses. One that is kept from before proves nothing: it
    /// outlives the right to it, by an hour at AWS. It is recorded as a call to where the exchange goes.
    pub(crate) async fn prove_by_exchange(
        &self,
        by: By,
        usable: &Arc<UsableConnection>,
        exchange: Exchange,
    ) -> Result<Judged, EngineError> {
        let engine = self.app.engine();
        if self.is_over(usable) {
            return Ok(EXPIRED);
        }
        let used = self.used(usable);
        let (true, Ok(_seat)) = (self.recorder.has_room(), used.room.take(used.seats)) else {
            return Err(EngineError::Unavailable(None));
        };
        let (app, recorder) = (self.app.clone(), self.recorder.clone());
        let mut noted = Noted::new(app, recorder, &by, &usable.connection, Method::POST);
        if let Ok(target) = mint::target(engine, usable, exchange) {
            let host = host_header(target.origin()).map_err(|_| EngineError::Unavailable(None))?;
            if let Ok(path) = target.path_and_query().parse() {
                noted.aimed_at(host, path);
            }
        }
        if usable.connection.terms.audit == Audit::Strict {
            noted.begin().await.map_err(|_| EngineError::Unavailable(None))?;
        }
        let proved = self.mint.prove(usable, exchange).await;
        match &proved {
            Ok(()) => noted.answered(200),
            Err(error) => {
                let (status, code, _) = mint::refusal(error).told();
                noted.refused(status.as_u16(), code);
            }
        }
        // It may have changed, or who asked may have lost the right, while the provider was waited for.
        let present = engine.usable_again(usable).await?;
        let may_know = present.is_some_and(|present| by.may_go_on(engine, &present.connection));
        match (may_know, proved) {
            (false, _) | (_, Err(ExchangeError::Busy)) => Err(EngineError::Unavailable(None)),
            (true, Ok(())) => Ok(Judged { status: Some(200), ..Judged::ACCEPTED }),
            (true, Err(error)) => Ok(of_exchange(error)),
        }
    }

    /// Whether an OAuth connection has a token that is good, or comes by one. While it has, its authorization server is
    /// not asked: with what a token is renewed is often good once only, and an answer that gets lost would be the end of
    /// the connection. `usable` is then the connection that has it.
    pub(crate) async fn prove_by_token(
        &self,
        by: &By,
        usable: &mut Arc<UsableConnection>,
    ) -> Result<Judged, EngineError> {
        let engine = self.app.engine();
        if self.is_over(usable) {
            return Ok(EXPIRED);
        }
        let used_by = UsedBy { credential: by.acting(), user: by.user() };
        let granted = self.mint.grant(&usable.connection, used_by).await;
        let present = engine.usable_again(usable).await?;
        let present = present.filter(|present| by.may_go_on(engine, &present.connection));
        let present = present.ok_or(EngineError::Unavailable(None))?;
        match granted {
            Ok(()) => {
                *usable = present;
                Ok(Judged::new(Health::Ok, "token_held"))
            }
            Err(AccessError::Absent) => Err(EngineError::Absent(claviger_engine::Thing::Connection)),
            Err(AccessError::Busy | AccessError::Engine(_)) => Err(EngineError::Unavailable(None)),
            Err(error @ (AccessError::Lost | AccessError::Over)) => {
                Ok(Judged::new(Health::Bad, error.code()))
            }
            Err(AccessError::Refused(code)) => {
                Ok(Judged { detail: Some(code), ..Judged::new(Health::Bad, "grant_refused") })
            }
            Err(AccessError::Provider(fault)) => {
                Ok(Judged { detail: Some(fault.code), ..Judged::new(Health::Unknown, "token_not_renewed") })
            }
        }
    }

    fn is_over(&self, usable: &UsableConnection) -> bool {
        usable.connection.is_over(self.app.engine().clock().now())
    }
}

/// What an exchange that brought nothing says of the credential.
fn of_exchange(error: ExchangeError) -> Judged {
    let reason = mint::refusal(&error).code();
    match error {
        ExchangeError::Refused { code, status, detail } => {
            let detail = Some(detail.unwrap_or(code));
            Judged { status: Some(status), detail, ..Judged::new(Health::Bad, reason) }
        }
        // A private key that is none, or a name that can be nobody's: no provider need be asked.
        ExchangeError::Unusable(_) => Judged::new(Health::Bad, reason),
        ExchangeError::Operator { code } => {
            Judged { detail: Some(code), ..Judged::new(Health::Unknown, reason) }
        }
        ExchangeError::Failed { status } => {
            Judged { status: Some(status), ..Judged::new(Health::Unknown, reason) }
        }
        ExchangeError::Limited { .. }
        | ExchangeError::Unreachable(_)
        | ExchangeError::Garbage(_)
        | ExchangeError::Busy => Judged::new(Health::Unknown, reason),
    }
}
