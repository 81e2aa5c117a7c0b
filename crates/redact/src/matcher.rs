//! Follows forms through a text, byte by byte: which of them may have begun where, and how far each has come.
//!
//! A place of a form can be reached by a byte, or by an escape that stands for one. So two ways through one text may
//! lead to one place at once; then only the one that began first goes on, since what both would mask, it masks.
//!
//! Texts and secrets can be made so that very many beginnings agree at once. No more than
//! [`crate::needles::FOLLOWED_MAX`] are followed: beyond, all of them are given up, and what they may be is masked as a
//! *flood*, for as long as any of them could go on.

use crate::escape::{ESCAPE_MAX, Reading};
use crate::hits::Hits;
use crate::needles::Searched;

/// A beginning of a form that the text agrees with so far.
#[derive(Clone, Copy)]
struct Beginning {
    /// What comes next, as a place among all symbols.
    place: usize,
    /// Where in the text it begins.
    start: u64,
}

/// As many as an escape is long, as a power of two.
const AHEAD: usize = (ESCAPE_MAX + 1).next_power_of_two();

#[derive(Default)]
pub(crate) struct Matcher {
    /// Those that go on at the next byte, none of them complete.
    now: Vec<Beginning>,
    /// Those that go on behind an escape, by where that is. Empty until there is one.
    later: Vec<Vec<Beginning>>,
    waiting: usize,
    /// Those that go on at the next byte by another form than the one they began as.
    parted: Vec<Beginning>,
    flood: Option<Flood>,
    /// How often a beginning was looked at.
    pub(crate) work: u64,
}

/// What masks while nothing is followed that began before it.
struct Flood {
    /// How many bytes may still belong to what was given up, at the most that a symbol can be written in.
    left: usize,
    /// Before this, a byte may be within an escape.
    escaped_to: u64,
}

impl Matcher {
    /// Whether no form has begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.now.is_empty() && self.waiting == 0 && self.flood.is_none()
    }

    /// Where the first form that has begun does so.
    pub(crate) fn earliest(&self) -> Option<u64> {
        self.now.iter().chain(self.later.iter().flatten()).map(|beginning| beginning.start).min()
    }

    /// Forgets all that has begun.
    pub(crate) fn clear(&mut self) {
        self.now.clear();
        self.later.iter_mut().for_each(Vec::clear);
        self.waiting = 0;
        self.flood = None;
    }

    /// Takes one byte of the text, and the escapes that begin with it.
    pub(crate) fn step(
        &mut self,
        searched: &Searched,
        at: u64,
        byte: u8,
        escapes: &[Reading],
        hits: &mut Hits,
    ) {
        for escape in escapes {
            self.follow_escape(searched, at, escape);
        }
        self.work += 1 + self.now.len() as u64;
        let parted = &mut self.parted;
        self.now.retain_mut(|beginning| {
            let symbol = searched.forms.symbol(beginning.place);
            if symbol.forks() {
                let others = searched.tree.others(beginning.place, byte);
                let others = others.map(|place| Beginning { place, ..*beginning });
                parted.extend(others.filter(|other| note(searched, other, at + 1, hits)));
            }
            let takes = symbol.takes(byte);
            beginning.place += usize::from(takes);
            takes && note(searched, beginning, at + 1, hits)
        });
        if !self.parted.is_empty() {
            self.now.append(&mut self.parted);
        }
        let starts = searched.tree.starts(byte);
        self.work += starts.len() as u64;
        self.now.extend(starts.iter().map(|place| Beginning { place: *place as usize, start: at }));
        if self.waiting > 0 {
            self.arrive(searched, at + 1, hits);
        }
        self.flood(searched, at, byte, escapes, hits);
    }

    /// Masks what is not followed any more, and gives up what cannot be followed.
    fn flood(&mut self, searched: &Searched, at: u64, byte: u8, escapes: &[Reading], hits: &mut Hits) {
        self.flood = self.flood.take().and_then(|mut flood| {
            let ends = escapes.iter().map(|escape| at + escape.length() as u64);
            flood.escaped_to = ends.fold(flood.escaped_to, u64::max);
            // A symbol is written in a byte, or in an escape.
            let is_escaped = at < flood.escaped_to;
            let cost = if is_escaped { 1 } else { ESCAPE_MAX };
            let goes_on = is_escaped || searched.bytes.contains(byte);
            flood.left = flood.left.checked_sub(cost).filter(|_| goes_on)?;
            hits.mask_too(at, at + 1);
            Some(flood)
        });
        if self.now.len() + self.waiting <= searched.followed_max {
            return;
        }
        let all = self.now.iter().chain(self.later.iter().flatten());
        if let Some(first) = all.min_by_key(|beginning| beginning.start) {
            hits.add(searched.forms.secret_at(first.place), first.start, at + 1);
        }
        self.clear();
        // What comes out of an escape that began already is given up too.
        let escaped_to = at + 1 + ESCAPE_MAX as u64;
        self.flood = Some(Flood { left: (searched.longest + 1) * ESCAPE_MAX, escaped_to });
    }

    /// Whatever may go on or begin here goes on behind the escape, if that stands for what comes next.
    fn follow_escape(&mut self, searched: &Searched, at: u64, escape: &Reading) {
        if self.later.is_empty() {
            self.later.resize_with(AHEAD, Vec::new);
        }
        let Some((first, more)) = escape.bytes().split_first() else { return };
        let starts = searched.tree.starts(*first);
        self.work += (self.now.len() + starts.len()) as u64;
        let Some(then) = self.later.get_mut((at as usize + escape.length()) % AHEAD) else { return };
        let before = then.len();
        for beginning in &self.now {
            go_on(searched, *beginning, escape.bytes(), then);
        }
        for place in starts {
            go_on(searched, Beginning { place: *place as usize, start: at }, more, then);
        }
        self.waiting += then.len() - before;
    }

    /// Those that came through escapes to here join those that came byte by byte.
    fn arrive(&mut self, searched: &Searched, at: u64, hits: &mut Hits) {
        let Some(arriving) = self.later.get_mut(at as usize % AHEAD) else { return };
        if arriving.is_empty() {
            return;
        }
        self.waiting -= arriving.len();
        arriving.retain(|beginning| note(searched, beginning, at, hits));
        self.now.append(arriving);
        self.now.sort_unstable_by_key(|beginning| (beginning.place, beginning.start));
        self.now.dedup_by_key(|beginning| beginning.place);
        self.work += self.now.len() as u64;
    }
}

/// Adds wherever a beginning comes by some bytes at once.
fn go_on(searched: &Searched, beginning: Beginning, bytes: &[u8], reached: &mut Vec<Beginning>) {
    let Some((byte, more)) = bytes.split_first() else { return reached.push(beginning) };
    let symbol = searched.forms.symbol(beginning.place);
    if symbol.takes(*byte) {
        go_on(searched, Beginning { place: beginning.place + 1, ..beginning }, more, reached);
    }
    if symbol.forks() {
        for place in searched.tree.others(beginning.place, *byte) {
            go_on(searched, Beginning { place, ..beginning }, more, reached);
        }
    }
}

/// Notes a form that is complete here. Whether it goes on.
fn note(searched: &Searched, beginning: &Beginning, at: u64, hits: &mut Hits) -> bool {
    let symbol = searched.forms.symbol(beginning.place);
    if symbol.ends() {
        let owners = searched.tree.owners(beginning.place);
        owners.for_each(|secret| hits.add(secret, beginning.start, at));
    }
    !symbol.is_end() || symbol.forks()
}
