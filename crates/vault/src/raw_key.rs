//! The bytes of a key, before they are put to a use.

use claviger_model::Random;
use zeroize::Zeroizing;

/// Length of every symmetric key and seed here.
pub(crate) const KEY_BYTES: usize = 32;

/// 32 secret bytes, wiped when dropped. Without `Debug`, so that nothing that holds one can derive it.
pub(crate) struct RawKey(Zeroizing<[u8; KEY_BYTES]>);

impl RawKey {
    /// A new random key.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        Self::fill(|bytes| random.fill(bytes))
    }

    /// The key that `write` leaves in the buffer. Filled in place, so that fewer copies lie about.
    pub(crate) fn fill(write: impl FnOnce(&mut [u8; KEY_BYTES])) -> Self {
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        write(&mut key.0);
        key
    }

    /// The key with these bytes; nothing when they are not 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
        Some(Self::fill(|key| key.copy_from_slice(bytes)))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}
