//! Whether a call may go on: asked again for as long as it takes.
//!
//! Whoever revokes a credential, takes a connection away, or narrows what an org may reach, must find that what goes on by
//! it ends: within a second, since that is asked every half second.

use std::sync::Arc;
use std::time::Duration;

use claviger_engine::UsableConnection;
use claviger_http::App;

use crate::by::By;
use crate::pool::Slot;
use crate::refusal::Refusal;
use crate::rules::Asked;

/// How often it is asked.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

/// What is known of a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The call may go on.
    Yes,
    /// Whoever calls, the connection, or the way to the third party came to its end.
    Ended,
    /// It cannot be known now: the database is away.
    Unknown,
}

/// The right of one call.
pub(crate) struct Right {
    pub(crate) app: App,
    pub(crate) by: By,
    pub(crate) usable: Arc<UsableConnection>,
    /// The way to the third party: its org may come to reach less.
    pub(crate) slot: Arc<Slot>,
    /// What it is to: the connection's rules may become narrower.
    pub(crate) asked: Asked,
}

impl Right {
    /// Whether the call may go on.
    pub(crate) async fn holds(&mut self) -> Holds {
        let engine = self.app.engine();
        if !engine.is_available() {
            return Holds::Unknown;
        }
        if self.usable.is_changed() {
            match engine.usable_again(&self.usable).await {
                Ok(Some(usable)) if self.asked.is_admitted(&usable.connection.terms) => self.usable = usable,
                Ok(_) => return Holds::Ended,
                Err(error) => {
                    let error = claviger_model::chain(&error);
                    tracing::warn!(error, "a call was ended: whether it may go on could not be known");
                    return Holds::Unknown;
                }
            }
        }
        let connection = &self.usable.connection;
        let may_go_on = self.by.may_go_on(engine, connection)
            && self.slot.is_reached_by(engine.private_reach(connection.org).as_ref());
        if may_go_on { Holds::Yes } else { Holds::Ended }
    }

    /// Asks for a call of which something may have gone out.
    ///
    /// # Errors
    /// [`Refusal::Ended`], [`Refusal::RightUnknown`].
    pub(crate) async fn check(&mut self) -> Result<(), Refusal> {
        match self.holds().await {
            Holds::Yes => Ok(()),
            Holds::Ended => Err(Refusal::Ended),
            Holds::Unknown => Err(Refusal::RightUnknown),
        }
    }

    /// Asks for a call that was drafted a while ago, and does no harm if it is made by another try: nothing of it went out,
    /// or what did may be repeated. Besides, nobody may have changed since where the connection goes and with what.
    ///
    /// # Errors
    /// [`Refusal::Ended`], [`Refusal::Changed`]; [`Refusal::Unavailable`] where it cannot be known.
    pub(crate) async fn check_unsent(&mut self, drafted: &UsableConnection) -> Result<(), Refusal> {
        match self.holds().await {
            Holds::Yes if self.usable.is_used_like(drafted) => Ok(()),
            Holds::Yes => Err(Refusal::Changed),
            Holds::Ended => Err(Refusal::Ended),
            Holds::Unknown => Err(Refusal::Unavailable),
        }
    }
}
