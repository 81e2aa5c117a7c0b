//! Uses of a connection's secret that no call makes, written among its calls: whoever reads those sees each.

use claviger_model::{Audit, Connection, CredentialId, Timestamp, UserId};
use claviger_store::CallBatch;

use super::Call;
use crate::{Caller, Engine, Error};

/// Whose a use is: the server's own, where there is no credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsedBy {
    /// The credential.
    pub credential: Option<CredentialId>,
    /// Whose that is, if it is a user's.
    pub user: Option<UserId>,
}

impl UsedBy {
    /// A caller.
    pub fn caller(caller: &Caller) -> Self {
        Self { credential: Some(caller.acting()), user: caller.user() }
    }
}

/// What a secret is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// By which method.
    pub method: &'static str,
    /// The host that it goes to; none where that cannot be told.
    pub host: Option<String>,
    /// The path there, without the query.
    pub path: Option<String>,
}

/// A use that has begun.
#[derive(Debug)]
pub struct BegunUse {
    batch: CallBatch,
    call: Call,
    at: Timestamp,
}

impl Engine {
    /// Begins a use of a connection's secret. Where its terms ask for strict recording, this is kept once it returns, and
    /// the use is not to be made where it fails.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn begin_use(&self, of: &Connection, by: UsedBy, what: Use) -> Result<BegunUse, Error> {
        let at = self.clock.now();
        let Use { method, host, path } = what;
        let call = Call {
            at,
            credential: by.credential.map_or("server".to_owned(), |id| id.to_string()),
            user: by.user.map(|id| id.to_string()),
            method: method.to_owned(),
            host,
            path,
            status: None,
            error: None,
            bytes_sent: 0,
            bytes_received: 0,
            duration_us: None,
            masked: 0,
        };
        let mut batch = CallBatch {
            id: self.new_batch_id(),
            org: of.org,
            connection: of.id,
            begun_at: None,
            first_at: at,
            last_at: at,
            calls: 1,
            lines: String::new(),
        };
        if of.terms.audit == Audit::Strict {
            batch.lines = call.written()?;
            self.record_calls(std::slice::from_ref(&batch)).await?;
            batch.begun_at = Some(at);
        }
        Ok(BegunUse { batch, call, at })
    }

    /// Writes how a use ended, in the place of how it began: a status, or ours and why not.
    ///
    /// # Errors
    /// When it cannot be written. Of a use that was to be recorded strictly there is then that it began.
    pub async fn end_use(&self, begun: BegunUse, status: u16, error: Option<&str>) -> Result<(), Error> {
        let BegunUse { batch, call, at } = begun;
        let now = self.clock.now().max(at);
        let took = u64::try_from(now.micros().saturating_sub(at.micros())).unwrap_or_default();
        let call = Call {
            at: now,
            status: Some(status),
            error: error.map(str::to_owned),
            duration_us: Some(took),
            ..call
        };
        let batch = CallBatch { first_at: now, last_at: now, lines: call.written()?, ..batch };
        self.record_calls(&[batch]).await
    }
}
