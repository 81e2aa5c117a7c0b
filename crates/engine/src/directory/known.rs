//! What the directory keeps of secrets and of users.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use claviger_model::{CredentialId, CredentialKind, OrgId, PermissionSet, RoleId, Scopes, Timestamp, UserId};
use claviger_store::KnownSecret;

use crate::guarding::KnownGuards;

/// What only some kinds of credential have.
#[derive(Debug)]
pub(crate) enum SpecialDetail {
    /// Native keys, as they were given it.
    Native { external_id: Option<Box<str>>, metadata: Option<Box<str>> },
    /// Integration tokens.
    Bound { integration: Box<str>, rights: PermissionSet },
}

impl SpecialDetail {
    pub(super) fn of(secret: &KnownSecret) -> Option<Arc<Self>> {
        let boxed = |text: &Option<String>| text.as_deref().map(Into::into);
        let special = match (&secret.binding, &secret.external_id, &secret.metadata) {
            (Some(binding), ..) => {
                Self::Bound { integration: binding.name.as_str().into(), rights: binding.scopes.rights() }
            }
            (None, None, None) => return None,
            (None, external_id, metadata) => {
                Self::Native { external_id: boxed(external_id), metadata: boxed(metadata) }
            }
        };
        Some(Arc::new(special))
    }
}

/// The end of what has none.
pub(super) const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What is kept of one secret. There may be millions: small, and one allocation.
pub(super) struct Known {
    pub(super) credential: CredentialId,
    pub(super) org: OrgId,
    pub(super) owner: Option<UserId>,
    pub(super) kind: CredentialKind,
    pub(super) remote_config_read: bool,
    /// Of an application key: whether it is registered. It takes up what was padding.
    pub(super) is_registered: bool,
    /// [`NEVER`] for no end: an [`claviger_model::Expiry`] is twice as large.
    pub(super) end: Timestamp,
    pub(super) scopes: Option<Arc<Scopes>>,
    /// None for most: verifying those costs no more than this being looked at.
    pub(super) guards: Option<Arc<KnownGuards>>,
    /// One word for all others.
    pub(super) special: Option<Arc<SpecialDetail>>,
    /// In microseconds; 0 for never.
    pub(super) last_used: AtomicI64,
}

impl Known {
    /// What it has of its owner's rights.
    pub(super) fn narrowed(&self, owners: PermissionSet) -> PermissionSet {
        match (self.kind, self.special.as_deref(), &self.scopes) {
            (_, Some(SpecialDetail::Bound { rights, .. }), _) => owners & *rights,
            // Bound to nothing that is there.
            (CredentialKind::IntegrationToken, ..) => PermissionSet::EMPTY,
            (.., Some(scopes)) => owners & *scopes.set(),
            (.., None) => owners,
        }
    }
}

pub(super) struct KnownUser {
    pub(super) is_disabled: bool,
    pub(super) roles: Box<[RoleId]>,
}

/// Digests are pseudorandom already: eight of their bytes are a hash.
#[derive(Default)]
pub(super) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of the digest, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be millions: whoever adds a field should know what it costs.
    #[test]
    fn what_is_known_of_a_secret_is_small() {
        assert!(size_of::<Known>() <= 96, "{}", size_of::<Known>());
    }
}
