//! Which tokens of OAuth connections were replaced of late because a third party refused them.
//!
//! What a third party answers with a 401 is not always the token's fault, and any caller may find a call that it always
//! answers so. Each such call would have the token renewed, at the authorization server's cost and patience.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{ConnectionId, Timestamp};
use claviger_oauth::AccessToken;

/// For so long after a token was replaced, the one in its place is not. As long as for tokens that are exchanged for.
const PAUSE: Duration = Duration::from_secs(60);
/// Connections that are kept track of; beyond that, tokens are not replaced until others have had their pause.
const KEPT_MAX: usize = 4096;

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Replaced(Mutex<HashMap<ConnectionId, Last>>);

/// The token that was replaced last, and when.
struct Last {
    token: AccessToken,
    at: Timestamp,
}

impl Last {
    fn is_recent(&self, now: Timestamp) -> bool {
        // A clock that was set back does not make it last.
        self.at <= now && now < self.at + PAUSE
    }
}

impl Replaced {
    /// Whether a token that was refused may be replaced. All who were refused with the same may, and get one together.
    pub(crate) fn may_be(&self, connection: ConnectionId, token: &AccessToken, now: Timestamp) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = kept.get(&connection).filter(|last| last.is_recent(now)) {
            return last.token.reveal() == token.reveal();
        }
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, last| last.is_recent(now));
        }
        let has_room = kept.len() < KEPT_MAX;
        if has_room {
            kept.insert(connection, Last { token: token.clone(), at: now });
        }
        has_room
    }
}
