//! Blocks of four bytes with which forms begin, or that stand shortly behind: is one at this place of a text?

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::forms::{Form, Forms};

/// The length of a block.
pub(crate) const BLOCK: usize = 4;
/// Bits of the filter per block: how seldom others pass, against what stays in the processor's nearest cache.
const BITS_PER_BLOCK: usize = 64;
/// How many blocks are looked at in one place of a text: secrets can be made to have one block in common each.
const CHAIN_MAX: usize = 64;
/// However many blocks: half of the nearest cache.
const BITS_MAX: usize = 1 << 17;

/// All blocks, behind a filter.
pub(crate) struct Blocks {
    /// One bit for each hash of a block.
    filter: Zeroizing<Vec<u64>>,
    /// How much of a hash is cut off to be a place in the filter.
    shift: u32,
    list: Zeroizing<Vec<Block>>,
    /// The first block of each chain, by hash; counted from 1.
    chains: Vec<u32>,
    /// How many blocks of each form there are.
    offsets: usize,
}

/// A block, and where it is in a form.
#[derive(Clone, Copy, Default)]
struct Block {
    bytes: [u8; BLOCK],
    /// The form's own first place among all symbols.
    own: u32,
    /// How far behind it the block is.
    offset: u32,
    /// The next one of the same chain, counted from 1.
    next: u32,
}

impl DefaultIsZeroes for Block {}

impl Blocks {
    /// Of each form, the blocks at its own first place and at so many behind.
    pub(crate) fn new(forms: &Forms, offsets: usize) -> Self {
        // What forms share is in the first of them; those that begin with what neighbours share have a twin without.
        let own = forms.list().iter().filter(|form| form.own == form.first);
        let of = |form: &Form| form.shared.saturating_sub(BLOCK - 1)..offsets;
        let places = own.clone().flat_map(|form| of(form).map(|offset| form.own + offset));
        let ways = |place: usize| (place..place + BLOCK).map(|place| forms.symbol(place).count());
        let count: usize = places.map(|place| ways(place).product::<usize>()).sum();
        let bits = (BITS_PER_BLOCK * count).next_power_of_two().clamp(64, BITS_MAX);
        let mut blocks = Self {
            filter: Zeroizing::new(vec![0; bits / 64]),
            shift: 32 - bits.ilog2(),
            list: Zeroizing::new(Vec::with_capacity(count)),
            chains: vec![0; count.next_power_of_two()],
            offsets,
        };
        for form in own {
            for offset in of(form) {
                let block = Block { own: form.own as u32, offset: offset as u32, ..Block::default() };
                blocks.add_written(forms, block, 0);
            }
        }
        blocks
    }

    /// Adds every way to write a block, of which so much is chosen.
    fn add_written(&mut self, forms: &Forms, block: Block, chosen: usize) {
        if chosen == BLOCK {
            return self.add(block);
        }
        forms.symbol((block.own + block.offset) as usize + chosen).each(|byte| {
            let mut block = block;
            block.bytes[chosen] = byte;
            self.add_written(forms, block, chosen + 1);
        });
    }

    fn add(&mut self, block: Block) {
        let hash = hash(block.bytes);
        let (word, bit) = self.in_filter(hash);
        if let Some(word) = self.filter.get_mut(word) {
            *word |= bit;
        }
        let chain = self.chain(hash);
        if let Some(first) = self.chains.get_mut(chain) {
            self.list.push(Block { next: *first, ..block });
            *first = self.list.len() as u32;
        }
    }

    /// Whether there may be a block of a form; mostly right.
    pub(crate) fn may_be(&self, bytes: [u8; BLOCK]) -> bool {
        let (word, bit) = self.in_filter(hash(bytes));
        self.filter.get(word).is_some_and(|word| word & bit != 0)
    }

    /// If there is a block of a form here, and what stands before it is what stands before it in the form: where that
    /// form begins. The first, if there are several.
    #[cold]
    pub(crate) fn beginning(&self, forms: &Forms, text: &[u8], at: usize) -> Option<usize> {
        let bytes: [u8; BLOCK] = text.get(at..at + BLOCK)?.try_into().ok()?;
        let mut next = self.chains.get(self.chain(hash(bytes))).copied()?;
        let (mut earliest, mut looked_at) = (None, 0);
        while let Some(block) = self.list.get((next as usize).wrapping_sub(1)) {
            next = block.next;
            looked_at += 1;
            if looked_at > CHAIN_MAX {
                // As early as any form with a block here can begin.
                return Some((at + 1).saturating_sub(self.offsets));
            }
            let offset = block.offset as usize;
            let Some(start) = at.checked_sub(offset).filter(|_| block.bytes == bytes) else { continue };
            let before = text.get(start..at).unwrap_or_default().iter().enumerate();
            let mut before = before.rev();
            if before.all(|(place, byte)| forms.symbol(block.own as usize + place).takes(*byte)) {
                earliest = Some(earliest.map_or(start, |earliest: usize| earliest.min(start)));
            }
        }
        earliest
    }

    fn in_filter(&self, hash: u32) -> (usize, u64) {
        let place = hash >> self.shift;
        (place as usize / 64, 1 << (place % 64))
    }

    fn chain(&self, hash: u32) -> usize {
        // Other bits than those of the filter, where what does not belong together met already.
        hash as usize & (self.chains.len() - 1)
    }
}

fn hash(bytes: [u8; BLOCK]) -> u32 {
    let mixed = u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1);
    mixed ^ mixed >> 15
}
