//! Finds, at the speed of memory, the few places of a text near which a form may begin.
//!
//! Every form has a minimal length, whatever is escaped in it. Let the *stride* be a power of two that leaves room for
//! a block of four bytes within it. A form that begins at `s` then either has its first `stride + 4` bytes unescaped,
//! and one of its blocks stands at one of `s..=s + stride`: looking at every `stride`-th block of the text finds it.
//! Or an escape begins among these bytes, which stands for one of the form's early bytes: looking at every escape
//! finds it.

use memchr::memchr3;

use crate::blocks::{BLOCK, Blocks};
use crate::byte_set::ByteSet;
use crate::escape::{self, Readings};
use crate::forms::Forms;

/// Beyond this, a text is looked at faster than memory brings it.
const STRIDE_MAX: usize = 16;
/// How far escapes are looked for before blocks are: both find the text in the processor's cache.
const WINDOW: usize = 8 << 10;

pub(crate) struct Sieve {
    stride: usize,
    blocks: Blocks,
    /// What a form's first escape can stand for.
    early: ByteSet,
    /// What can follow on `%`, `\` and `&` then.
    second: [ByteSet; 3],
}

/// Where a form may be.
pub(crate) struct Suspicion {
    /// Where the first form can begin that was not found before.
    pub(crate) from: usize,
    /// What was found begins here at the latest.
    pub(crate) to: usize,
}

impl Sieve {
    pub(crate) fn new(forms: &Forms) -> Self {
        let shortest = forms.list().iter().map(|form| form.own_end - form.own).min().unwrap_or(STRIDE_MAX);
        let room = (shortest.saturating_sub(BLOCK) + 1).clamp(1, STRIDE_MAX);
        let stride = 1 << room.ilog2();
        let mut early = ByteSet::default();
        for form in forms.list() {
            let symbols = (form.first..=form.first + stride + BLOCK).map(|place| forms.symbol(place));
            symbols.take_while(|symbol| !symbol.is_end()).for_each(|symbol| symbol.each(|byte| early.insert(byte)));
        }
        let second = [b'%', b'\\', b'&'].map(|first| escape::second_bytes(first, &early));
        Self { stride, blocks: Blocks::new(forms, stride), early, second }
    }

    /// How much of a text's end is not looked at.
    pub(crate) fn reach(&self) -> usize {
        self.stride + BLOCK
    }
}

/// A walk through one text.
pub(crate) struct Sifting<'a> {
    sieve: &'a Sieve,
    forms: &'a Forms,
    text: &'a [u8],
    /// Before this, no escape matters but the one of `escape`.
    looked_to: usize,
    escape: Option<usize>,
}

impl<'a> Sifting<'a> {
    pub(crate) fn new(sieve: &'a Sieve, forms: &'a Forms, text: &'a [u8]) -> Self {
        Self { sieve, forms, text, looked_to: 0, escape: None }
    }

    /// The next place, from here on, that a form may be near.
    pub(crate) fn next(&mut self, mut from: usize) -> Option<Suspicion> {
        while from < self.text.len() {
            let end = (from + WINDOW).min(self.text.len());
            // Also what begins within the last block.
            let escape = self.escape(from, (end + BLOCK).min(self.text.len()));
            let end = escape.unwrap_or(end);
            let block = match self.sieve.stride {
                16 => self.block::<16>(from, end),
                8 => self.block::<8>(from, end),
                4 => self.block::<4>(from, end),
                _ => self.block::<1>(from, end),
            };
            // A form whose block is cut by an escape is found by that only, and may begin before the other.
            let escape = escape.filter(|escape| block.as_ref().is_none_or(|block| escape - block.to < BLOCK));
            if let Some(escape) = escape {
                return Some(Suspicion { from: escape.saturating_sub(self.sieve.reach()), to: escape });
            }
            if block.is_some() {
                return block;
            }
            from = end;
        }
        None
    }

    /// The first escape that matters.
    fn escape(&mut self, from: usize, end: usize) -> Option<usize> {
        if let Some(escape) = self.escape.filter(|escape| *escape >= from) {
            return Some(escape).filter(|escape| *escape < end);
        }
        self.escape = None;
        let mut at = self.looked_to.max(from);
        while let Some(next) = self.text.get(at..end).and_then(|text| memchr3(b'%', b'\\', b'&', text)) {
            at += next + 1;
            if self.matters(at - 1) {
                self.escape = Some(at - 1);
                self.looked_to = at;
                return self.escape;
            }
        }
        self.looked_to = self.looked_to.max(end);
        None
    }

    /// Whether an escape stands, or may stand once the text goes on, for an early byte of a form.
    fn matters(&self, at: usize) -> bool {
        let [percent, backslash, ampersand] = &self.sieve.second;
        let second = match self.text.get(at) {
            Some(b'%') => percent,
            Some(b'\\') => backslash,
            _ => ampersand,
        };
        if self.text.get(at + 1).is_some_and(|byte| !second.contains(*byte)) {
            return false;
        }
        let readings = Readings::of(self.text.get(at..).unwrap_or_default());
        let mut first_bytes = readings.list().iter().filter_map(|reading| reading.bytes().first());
        readings.is_undecided() || first_bytes.any(|byte| self.sieve.early.contains(*byte))
    }

    /// The first block of a form, of those that begin in a range.
    fn block<const STRIDE: usize>(&self, from: usize, end: usize) -> Option<Suspicion> {
        let text = self.text.get(from..(end + BLOCK - 1).min(self.text.len())).unwrap_or_default();
        let may_be = |at: usize| {
            let block = text.get(at..at + BLOCK).and_then(|block| block.try_into().ok());
            block.is_some_and(|block| self.sieve.blocks.may_be(block))
        };
        let mut at = 0;
        while at < text.len() {
            // Four at a time: one branch for all of them.
            while at + 3 * STRIDE + BLOCK <= text.len()
                && !(may_be(at) | may_be(at + STRIDE) | may_be(at + 2 * STRIDE) | may_be(at + 3 * STRIDE))
            {
                at += 4 * STRIDE;
            }
            let four = (at..text.len().min(at + 4 * STRIDE)).step_by(STRIDE);
            for place in four.filter(|place| may_be(*place)) {
                let to = from + place;
                if let Some(start) = self.sieve.blocks.beginning(self.forms, self.text, to) {
                    // One more, for what it may share with its neighbour.
                    return Some(Suspicion { from: start.saturating_sub(1), to });
                }
            }
            at += 4 * STRIDE;
        }
        None
    }
}
