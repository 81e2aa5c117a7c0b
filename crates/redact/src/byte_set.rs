//! A set of bytes.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A set of bytes.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }
}
