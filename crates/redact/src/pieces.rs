//! What goes out at once.

use bytes::Bytes;

/// What was held back; up to the first mask; from it to the last; the rest.
const COUNT_MAX: usize = 4;

/// Parts of a body that can go out, in order, none of them empty.
#[derive(Default)]
pub struct Pieces {
    list: [Bytes; COUNT_MAX],
    count: usize,
    taken: usize,
}

impl Pieces {
    pub(crate) fn one(piece: Bytes) -> Self {
        let mut pieces = Self::default();
        pieces.add(piece);
        pieces
    }

    pub(crate) fn add(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        if let Some(free) = self.list.get_mut(self.count) {
            *free = piece;
            self.count += 1;
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = self.list.get_mut(..self.count)?.get_mut(self.taken)?;
        self.taken += 1;
        Some(std::mem::take(piece))
    }
}
