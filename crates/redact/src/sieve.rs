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

/// How far escapes are looked for before blocks are: both find the text in the processor's cache.
const WINDOW: usize = 8 << 10;

/// How many blocks are looked at together.
const PROBES: usize = 4;

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
        let shortest = forms.list().iter().map(|form| form.own_end - form.own).min().unwrap_or(0);
        let stride = match shortest {
            19.. => 16,
            11.. => 8,
            _ => 4,
        };
        let mut early = ByteSet::default();
        for form in forms.list() {
            let symbols = (form.first..=form.first + stride + BLOCK).map(|place| forms.symbol(place));
            symbols
                .take_while(|symbol| !symbol.is_end())
                .for_each(|symbol| symbol.each(|byte| early.insert(byte)));
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
                // The shortest form has twice the length of a block.
                _ => self.block::<4>(from, end),
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
        let mut at = from;
        while at < end {
            at += self.blockless::<STRIDE>(at, end);
            for place in (at..end.min(at + PROBES * STRIDE)).step_by(STRIDE) {
                // One more before it, for what it may share with its neighbour.
                if let Some(start) = self.probe(place) {
                    return Some(Suspicion { from: start.saturating_sub(1), to: place });
                }
            }
            at += PROBES * STRIDE;
        }
        None
    }

    /// How much has no block for sure. Several are looked at before it is decided: one branch for all of them.
    fn blockless<const STRIDE: usize>(&self, from: usize, end: usize) -> usize {
        let text = self.text.get(from..end).unwrap_or_default();
        let groups = text.chunks_exact(PROBES * STRIDE);
        let is_blockless = |group: &&[u8]| {
            let probes = group.chunks_exact(STRIDE).map(|at| [at[0], at[1], at[2], at[3]]);
            !probes.fold(false, |found, block| found | self.sieve.blocks.may_be(block))
        };
        PROBES * STRIDE * groups.take_while(is_blockless).count()
    }

    /// Where a form begins that has a block here.
    fn probe(&self, at: usize) -> Option<usize> {
        let block = self.text.get(at..at + BLOCK)?.try_into().ok()?;
        let may_be = self.sieve.blocks.may_be(block);
        if may_be { self.sieve.blocks.beginning(self.forms, self.text, at) } else { None }
    }
}
