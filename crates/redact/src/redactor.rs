//! Masking one answer: its header values, each as a whole, and its body, as it comes.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::escape::ESCAPE_MAX;
use crate::held::Held;
use crate::needles::{Needles, Searched};
use crate::pieces::Pieces;
use crate::search::Search;

/// Masks secrets in one answer.
pub struct Redactor {
    needles: Needles,
    search: Search,
    /// What came but did not go out yet.
    held: Held,
    /// How much went out.
    released: u64,
    /// How much came.
    fed: u64,
}

impl Redactor {
    /// For one answer. Takes no memory until something is found, or held back.
    pub fn new(needles: Needles) -> Self {
        Self { needles, search: Search::default(), held: Held::default(), released: 0, fed: 0 }
    }

    /// Takes the next part of the body, and gives what can go out: parts of what came, themselves wherever there was
    /// nothing to mask.
    ///
    /// Nearly always all of it is taken. Of a text that looks like the secrets everywhere, no more than a fraction of a
    /// millisecond's work is done at once; the rest is left to be pushed again.
    pub fn push(&mut self, chunk: &mut Bytes) -> Pieces {
        let needles = self.needles.clone();
        let Some(searched) = needles.searched() else { return Pieces::one(std::mem::take(chunk)) };
        let base = self.fed;
        if self.search.at < base {
            self.bridge(searched, chunk, base);
        }
        let done = self.search.run(searched, chunk, base, false);
        self.fed += done as u64;
        self.release(self.search.settled(), chunk.split_to(done), base)
    }

    /// Says that the body is over, and gives what was held back.
    ///
    /// Another body may follow then, as a text of its own.
    pub fn finish(&mut self) -> Pieces {
        let needles = self.needles.clone();
        let Some(searched) = needles.searched() else { return Pieces::default() };
        let from = (self.search.at - self.released) as usize;
        for place in from..self.held.bytes().len() {
            self.search.step(searched, self.held.bytes(), place, true);
        }
        self.search.matcher.clear();
        self.release(self.fed, Bytes::new(), self.fed)
    }

    /// A header's value with its secrets masked; none if there are none in it.
    pub fn mask_header(&mut self, value: &[u8]) -> Option<Vec<u8>> {
        let searched = self.needles.searched()?;
        let mut search = Search::default();
        search.run(searched, value, 0, true);
        if search.hits.is_clean() {
            return None;
        }
        self.search.hits.count(&search.hits);
        let mut masked = value.to_vec();
        search.hits.mask(0, &mut masked);
        Some(masked)
    }

    /// Whether a header's name, in lower case as names are, has a secret in it, whose case may be lost too. Nothing could
    /// be put in its place, so that such a header should go no further.
    pub fn is_in_name(&mut self, name: &[u8]) -> bool {
        if name.len() < Needles::LENGTH_MIN {
            return false;
        }
        let needles = self.needles.clone();
        for searched in [needles.searched(), needles.folded()].into_iter().flatten() {
            let mut search = Search::default();
            search.run(searched, name, 0, true);
            if !search.hits.is_clean() {
                self.search.hits.count(&search.hits);
                return true;
            }
        }
        false
    }

    /// Which secrets occurred so far, by index, and how often. Occurrences that overlap count as one.
    pub fn found(&self) -> impl Iterator<Item = (usize, u64)> {
        self.search.hits.counts()
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.held.bytes().len()
    }

    /// Goes on at what was held back because an escape was cut off, with the beginning of what came now.
    fn bridge(&mut self, searched: &Searched, chunk: &[u8], base: u64) {
        let from = (self.search.at - self.released) as usize;
        let waiting = self.held.bytes().get(from..).unwrap_or_default();
        let head = chunk.get(..chunk.len().min(ESCAPE_MAX)).unwrap_or_default();
        let mut text = Zeroizing::new(Vec::with_capacity(waiting.len() + head.len()));
        text.extend_from_slice(waiting);
        text.extend_from_slice(head);
        let places = 0..waiting.len();
        for place in places {
            if !self.search.step(searched, &text, place, false) {
                break;
            }
        }
        debug_assert!(self.search.at <= base);
    }

    /// Gives out all before `settled`, and holds the rest of the chunk back, which begins at `base`.
    fn release(&mut self, settled: u64, chunk: Bytes, base: u64) -> Pieces {
        let mut pieces = Pieces::default();
        let before = (settled.min(base) - self.released) as usize;
        if before > 0 {
            let mut front = self.held.take(before);
            self.search.hits.mask(self.released, &mut front);
            pieces.add(Bytes::from(front));
        }
        let clear = (settled.max(base) - base) as usize;
        self.held.append(chunk.get(clear..).unwrap_or_default());
        if let Some(stretch) = self.search.hits.stretch(base, clear) {
            pieces.add(chunk.slice(..stretch.start));
            let mut masked = chunk.slice(stretch.clone()).to_vec();
            self.search.hits.mask(base + stretch.start as u64, &mut masked);
            pieces.add(Bytes::from(masked));
            pieces.add(chunk.slice(stretch.end..clear));
        } else if clear == chunk.len() {
            pieces.add(chunk);
        } else {
            pieces.add(chunk.slice(..clear));
        }
        self.released = settled;
        self.search.hits.drop_before(settled);
        pieces
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}
