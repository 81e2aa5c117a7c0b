//! Sessions as the directory knows them: how long one goes on, and which have ended.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use claviger_model::{CredentialId, CredentialKind, OrgId, Timestamp, UserId};
use claviger_store::KnownSecret;

/// How long a session goes on at most: whoever works with it every day signs in once a day.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a session goes on that nobody uses: a working day. Uses are noted once a minute, so that it may be a minute
/// less.
pub const SESSION_IDLE: Duration = Duration::from_secs(8 * 3600);

/// Whether a session that ends at `end` was not used for too long. One that was never used counts from its beginning,
/// which is [`SESSION_LIFETIME`] before its end.
pub(crate) fn is_idle_too_long(last_used: Timestamp, end: Timestamp, now: Timestamp) -> bool {
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let begun = end.micros().saturating_sub(micros(SESSION_LIFETIME));
    now.micros() >= last_used.micros().max(begun).saturating_add(micros(SESSION_IDLE))
}

/// The sessions that are alive, by their ids. They are few beside other credentials: each user has a bounded number.
#[derive(Default)]
pub(crate) struct OpenSessions(Mutex<HashMap<CredentialId, OpenSession>>);

struct OpenSession {
    org: OrgId,
    owner: UserId,
    end: Timestamp,
}

impl OpenSessions {
    pub(crate) fn put(&self, secret: &KnownSecret) {
        let (CredentialKind::Session, Some(owner)) = (secret.kind, secret.owner) else { return };
        let mut open = self.0.lock().expect("nothing panics while it holds this lock");
        match secret.expiry.timestamp().filter(|_| secret.is_live) {
            Some(end) => {
                open.insert(secret.credential, OpenSession { org: secret.org, owner, end });
            }
            None => {
                open.remove(&secret.credential);
            }
        }
    }

    /// Those whose time is over, or whose owner is not what `is_admin` asks for.
    pub(crate) fn ended(
        &self,
        now: Timestamp,
        is_admin: impl Fn(UserId) -> bool,
    ) -> Vec<(OrgId, CredentialId)> {
        let open = self.0.lock().expect("nothing panics while it holds this lock");
        let ended = open.iter().filter(|(_, session)| session.end <= now || !is_admin(session.owner));
        ended.map(|(id, session)| (session.org, *id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_idles_from_its_last_use_or_its_beginning() {
        const HOUR: i64 = 3600 * 1_000_000;
        let at = |hours: i64| Timestamp::from_micros(1_000_000 * HOUR + hours * HOUR);
        let never = Timestamp::from_micros(0);
        assert!(!is_idle_too_long(never, at(24), at(7)));
        assert!(is_idle_too_long(never, at(24), at(8)));
        assert!(!is_idle_too_long(at(7), at(24), at(14)));
        assert!(is_idle_too_long(at(7), at(24), at(15)));
    }
}
