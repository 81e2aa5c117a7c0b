//! Whether a call may go on: asked again for as long as it takes.
//!
//! Whoever revokes a credential, or takes a connection away, must find that what goes on by it ends: within a second,
//! since that is asked every half second.

use std::sync::Arc;
use std::time::Duration;

use claviger_engine::UsableConnection;
use claviger_http::App;

use crate::by::By;
use crate::rules::Asked;

/// How often it is asked.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

/// The right of one call.
pub(crate) struct Right {
    pub(crate) app: App,
    pub(crate) by: By,
    pub(crate) usable: Arc<UsableConnection>,
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
        self.by.may_go_on(engine, &self.usable.connection)
    }
}
