//! Finds, at the speed of memory, the few places of a text near which a form may begin.
//!
//! Every form has a minimal length, whatever is escaped in it. Let [`Sieve::stride`] be a power of two that leaves room
//! for a block of four bytes within it. A form that begins at `s` then either has its first `stride + 4` bytes
//! unescaped, and a block of it stands at one of `s..=s + stride`: looking at every `stride`-th block of the text
//! finds it, by a table of bits that tells blocks of forms from others by their hash. Or an escape begins among these
//! bytes, which stands for one of the form's early bytes: looking at every escape finds it. So whatever is not found
//! here cannot be within [`Sieve::reach`] before a form.

use memchr::memchr3;
use zeroize::Zeroizing;

use crate::byte_set::ByteSet;
use crate::escape::Readings;
use crate::forms::{Form, Forms};

const BLOCK: usize = 4;
/// Beyond this, a text is looked at faster than memory brings it.
const STRIDE_MAX: usize = 16;
/// How far escapes are looked for before blocks are: both find the text in the processor's cache.
const WINDOW: usize = 8 << 10;
/// Bits of the table per block: how seldom others pass for one, against what stays in the cache.
const BITS_PER_BLOCK: usize = 64;
const BITS: (usize, usize) = (1 << 13, 1 << 18);

pub(crate) struct Sieve {
    /// One bit for each hash of a block.
    table: Zeroizing<Vec<u64>>,
    /// How much of a hash is cut off to be a place in the table.
    shift: u32,
    stride: usize,
    /// What a form's first escape can stand for.
    early: ByteSet,
}

impl Sieve {
    pub(crate) fn new(forms: &Forms) -> Self {
        let shortest = forms.list().iter().map(|form| form.own_end - form.own).min().unwrap_or(STRIDE_MAX);
        let room = (shortest.saturating_sub(BLOCK) + 1).clamp(1, STRIDE_MAX);
        let stride = 1 << room.ilog2();
        let blocks = 2 * stride * forms.list().len();
        let bits = (BITS_PER_BLOCK * blocks).next_power_of_two().clamp(BITS.0, BITS.1);
        let mut sieve = Self {
            table: Zeroizing::new(vec![0; bits / 64]),
            shift: 32 - bits.ilog2(),
            stride,
            early: ByteSet::default(),
        };
        for form in forms.list() {
            sieve.add(forms, form);
        }
        sieve
    }

    /// How far before a place that was found a form can begin; also how much of a text's end is not looked at.
    pub(crate) fn reach(&self) -> usize {
        self.stride + BLOCK
    }

    fn add(&mut self, forms: &Forms, form: &Form) {
        for offset in 0..self.stride {
            self.add_blocks(forms, form.own + offset, [0; BLOCK], 0);
        }
        let places = form.first..=form.first + self.reach();
        for symbol in places.map_while(|place| forms.symbols().get(place)) {
            symbol.each(|byte| self.early.insert(byte));
            if symbol.is_end() {
                break;
            }
        }
    }

    /// Adds what can stand from a place on, of which so much is chosen.
    fn add_blocks(&mut self, forms: &Forms, place: usize, block: [u8; BLOCK], chosen: usize) {
        if chosen == BLOCK {
            let (word, bit) = self.place(block);
            if let Some(word) = self.table.get_mut(word) {
                *word |= bit;
            }
            return;
        }
        forms.symbol(place + chosen).each(|byte| {
            let mut block = block;
            block[chosen] = byte;
            self.add_blocks(forms, place, block, chosen + 1);
        });
    }

    fn place(&self, block: [u8; BLOCK]) -> (usize, u64) {
        let hash = u32::from_le_bytes(block).wrapping_mul(0x9e37_79b1) >> self.shift;
        (hash as usize / 64, 1 << (hash % 64))
    }

    fn may_be_block(&self, block: [u8; BLOCK]) -> bool {
        let (word, bit) = self.place(block);
        self.table.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// A walk through one text.
pub(crate) struct Sifting<'a> {
    sieve: &'a Sieve,
    text: &'a [u8],
    /// Before this, no escape matters but the one of `escape`.
    looked_to: usize,
    escape: Option<usize>,
}

impl<'a> Sifting<'a> {
    pub(crate) fn new(sieve: &'a Sieve, text: &'a [u8]) -> Self {
        Self { sieve, text, looked_to: 0, escape: None }
    }

    /// The next place, from here on, that a form may be near.
    pub(crate) fn next(&mut self, mut from: usize) -> Option<usize> {
        while from < self.text.len() {
            let end = (from + WINDOW).min(self.text.len());
            let escape = self.escape(from, end);
            let block = match self.sieve.stride {
                16 => self.block::<16>(from, escape.unwrap_or(end)),
                8 => self.block::<8>(from, escape.unwrap_or(end)),
                4 => self.block::<4>(from, escape.unwrap_or(end)),
                _ => self.block::<1>(from, escape.unwrap_or(end)),
            };
            if block.or(escape).is_some() {
                return block.or(escape);
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
        let mut at = self.looked_to.max(from);
        self.escape = None;
        while let Some(next) = self.text.get(at..end).and_then(|text| memchr3(b'%', b'\\', b'&', text)) {
            if self.matters(at + next) {
                self.escape = Some(at + next);
                self.looked_to = at + next + 1;
                return self.escape;
            }
            at += next + 1;
        }
        self.looked_to = self.looked_to.max(end);
        None
    }

    /// Whether an escape stands, or may stand once the text goes on, for an early byte of a form.
    fn matters(&self, at: usize) -> bool {
        let readings = Readings::of(self.text.get(at..).unwrap_or_default());
        let mut first_bytes = readings.list().iter().filter_map(|reading| reading.bytes().first());
        readings.is_undecided() || first_bytes.any(|byte| self.sieve.early.contains(*byte))
    }

    /// The first block that may be one of a form, of those that begin in a range.
    fn block<const STRIDE: usize>(&self, from: usize, end: usize) -> Option<usize> {
        let end = (end + BLOCK - 1).min(self.text.len());
        let text = self.text.get(from..end).unwrap_or_default();
        let is_found = |at: usize| {
            text.get(at..at + BLOCK)
                .and_then(|block| block.try_into().ok())
                .is_some_and(|block| self.sieve.may_be_block(block))
        };
        let mut at = 0;
        // Four at a time: one branch for all of them.
        while at + 3 * STRIDE + BLOCK <= text.len() {
            let found = [0, 1, 2, 3].map(|step| is_found(at + step * STRIDE));
            if found != [false; 4] {
                break;
            }
            at += 4 * STRIDE;
        }
        (at..text.len()).step_by(STRIDE).find(|at| is_found(*at)).map(|at| from + at)
    }
}
