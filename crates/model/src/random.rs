//! Randomness as a parameter.

/// A source of random bytes. The server uses the vault's; tests use [`crate::testing::SeededRandom`].
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes, fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}
