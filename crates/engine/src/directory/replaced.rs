//! Secrets that go on beside a newer one.

use std::collections::HashMap;
use std::sync::Mutex;

use claviger_model::{CredentialId, OrgId, Timestamp};
use claviger_store::KnownSecret;
use claviger_vault::Digest;

/// The live secrets that a newer one has replaced, and until when each goes on. They are few: rotation leaves one at
/// most of each credential, for a while.
#[derive(Default)]
pub(super) struct ReplacedSecrets(Mutex<HashMap<Digest, Replaced>>);

struct Replaced {
    valid_until: Timestamp,
    org: OrgId,
    credential: CredentialId,
}

impl ReplacedSecrets {
    pub(super) fn put(&self, secret: &KnownSecret) {
        let mut replaced = self.0.lock().expect("nothing panics while it holds this lock");
        match secret.valid_until.filter(|_| secret.is_live) {
            // A start asks for every secret there is, before anything is here.
            None if replaced.is_empty() => {}
            None => drop(replaced.remove(&secret.digest)),
            Some(valid_until) => {
                let (org, credential) = (secret.org, secret.credential);
                replaced.insert(secret.digest, Replaced { valid_until, org, credential });
            }
        }
    }

    pub(super) fn over(&self, now: Timestamp) -> Vec<(OrgId, CredentialId)> {
        let replaced = self.0.lock().expect("nothing panics while it holds this lock");
        let over = replaced.values().filter(|secret| secret.valid_until <= now);
        over.map(|secret| (secret.org, secret.credential)).collect()
    }
}
