//! Bytes that are held back: a queue, whose memory is wiped wherever it goes.

use zeroize::Zeroizing;

/// Below this, growing is not worth its copies.
const ROOM_MIN: usize = 256;

#[derive(Default)]
pub(crate) struct Held {
    bytes: Zeroizing<Vec<u8>>,
    /// So many at the beginning are gone already.
    gone: usize,
}

impl Held {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.gone..).unwrap_or_default()
    }

    pub(crate) fn append(&mut self, more: &[u8]) {
        if more.is_empty() {
            return;
        }
        let length = self.bytes().len() + more.len();
        if self.bytes.len() + more.len() > self.bytes.capacity() {
            // A vector that grows by itself would leave what it held behind; the old one is wiped here.
            let room = if length * 2 > self.bytes.capacity() { length * 2 } else { self.bytes.capacity() };
            let mut grown = Zeroizing::new(Vec::with_capacity(room.max(ROOM_MIN)));
            grown.extend_from_slice(self.bytes());
            self.bytes = grown;
            self.gone = 0;
        }
        self.bytes.extend_from_slice(more);
    }

    /// Takes bytes off the beginning.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let taken = self.bytes().get(..length).unwrap_or_default().to_vec();
        self.gone += taken.len();
        if self.bytes().is_empty() {
            *self = Self::default();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order_however_it_is_taken() {
        let mut held = Held::default();
        let (mut sent, mut taken) = (Vec::new(), Vec::new());
        for round in 0..2_000_usize {
            let more: Vec<u8> = (0..round * 7 % 50).map(|at| (round + at) as u8).collect();
            held.append(&more);
            sent.extend_from_slice(&more);
            taken.extend_from_slice(&held.take(round * 5 % 51));
            assert_eq!(held.bytes(), &sent[taken.len()..]);
        }
        taken.extend_from_slice(&held.take(held.bytes().len()));
        assert_eq!(taken, sent);
        assert!(held.bytes.capacity() == 0, "an empty one keeps nothing");
    }
}
