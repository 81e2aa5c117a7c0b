//! Follows forms through a text, byte by byte: which of them may have begun where, and how far each has come.
//!
//! A place of a form can be reached by a byte, or by an escape that stands for one. So two ways through one text may
//! lead to one place at once; then only the one that began first goes on, since what both would mask, it masks.

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
    /// How often a beginning was looked at, for tests of how this grows.
    #[cfg(test)]
    pub(crate) work: u64,
}

impl Matcher {
    /// Whether no form has begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.now.is_empty() && self.waiting == 0
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
        self.count(self.now.len());
        self.now.retain_mut(|beginning| {
            let takes = searched.forms.symbol(beginning.place).takes(byte);
            beginning.place += usize::from(takes);
            takes && note(searched, beginning, at + 1, hits)
        });
        let starts = searched.starts.with(byte);
        self.count(starts.len());
        self.now.extend(starts.iter().map(|place| Beginning { place: *place as usize + 1, start: at }));
        if self.waiting > 0 {
            self.arrive(searched, at + 1, hits);
        }
    }

    /// Whatever may go on or begin here goes on behind the escape, if that stands for what comes next.
    fn follow_escape(&mut self, searched: &Searched, at: u64, escape: &Reading) {
        if self.later.is_empty() {
            self.later.resize_with(AHEAD, Vec::new);
        }
        let Some((first, more)) = escape.bytes().split_first() else { return };
        let starts = searched.starts.with(*first);
        self.count(self.now.len() + starts.len());
        let Some(then) = self.later.get_mut((at as usize + escape.length()) % AHEAD) else { return };
        let before = then.len();
        let going_on = self.now.iter().copied();
        let going_on = going_on.filter(|beginning| searched.forms.symbol(beginning.place).takes(*first));
        let new = starts.iter().map(|place| Beginning { place: *place as usize, start: at });
        then.extend(going_on.chain(new).filter_map(|beginning| {
            let mut place = beginning.place + 1;
            let agrees = more.iter().all(|byte| {
                place += 1;
                searched.forms.symbol(place - 1).takes(*byte)
            });
            agrees.then_some(Beginning { place, ..beginning })
        }));
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
        self.count(self.now.len());
    }

    #[cfg(test)]
    fn count(&mut self, work: usize) {
        self.work += work as u64;
    }

    #[cfg(not(test))]
    fn count(&mut self, _work: usize) {}
}

/// Notes a form that is complete here. Whether it goes on.
fn note(searched: &Searched, beginning: &Beginning, at: u64, hits: &mut Hits) -> bool {
    let symbol = searched.forms.symbol(beginning.place);
    if symbol.ends() {
        hits.add(searched.forms.secret_at(beginning.place), beginning.start, at);
    }
    !symbol.is_end()
}
