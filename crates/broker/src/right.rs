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
use crate::rules::Asked;

/// How often it is asked.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

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
    /// Whether the call may go on. What cannot be known counts as no.
    pub(crate) async fn holds(&mut self) -> bool {
        let engine = self.app.engine();
        if self.usable.is_changed() {
            match engine.usable_again(&self.usable).await {
                Ok(Some(usable)) if self.asked.is_admitted(&usable.connection.terms) => self.usable = usable,
                Ok(_) | Err(_) => return false,
            }
        }
        let connection = &self.usable.connection;
        self.by.may_go_on(engine, connection)
            && self.slot.is_reached_by(engine.private_reach(connection.org).as_ref())
    }
}
