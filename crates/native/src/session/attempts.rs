//! How often somebody tries to sign in: from an address, and as an account.

use claviger_engine::Origin;
use claviger_http::{AddressLimits, App, Bucket, Limits, SessionCookie};
use claviger_model::{Email, OrgId};

use super::SessionOptions;

/// What an account's attempts are counted as; no route's.
const ATTEMPTS: Bucket = Bucket("sign_in");

/// What is counted of attempts to sign in.
pub(super) struct Attempts {
    pub(super) cookie: SessionCookie,
    from_addresses: AddressLimits,
    at_accounts: Limits,
}

impl Attempts {
    /// As the operator allows them.
    pub(super) fn new(options: &SessionOptions) -> Self {
        Self {
            cookie: options.cookie,
            from_addresses: AddressLimits::new(options.attempts_from_address),
            at_accounts: Limits::of([(ATTEMPTS, options.attempts_at_account)]),
        }
    }

    /// Counts an attempt, before anything is known of it, and tells whether it is beyond what its address or its account
    /// has.
    pub(super) fn are_too_many(&self, app: &App, origin: Origin, org: Option<OrgId>, email: &Email) -> bool {
        let now = app.engine().clock().now();
        if self.from_addresses.take(origin.address, now) {
            return true;
        }
        // Accounts that are not there are counted like others, each as itself.
        let account = format!("{} {email}", org.map(|org| org.to_string()).unwrap_or_default());
        let Some(first) = app.engine().founding_org() else { return false };
        self.at_accounts.take_of(first, Some(&account), ATTEMPTS, || now).is_some_and(|it| it.is_exceeded)
    }
}
