//! A search through one text that comes in parts: the sieve where nothing has begun, the matcher where something may
//! have.

use crate::escape::Readings;
use crate::hits::Hits;
use crate::matcher::Matcher;
use crate::needles::Searched;
use crate::sieve::{Sifting, Suspicion};

/// How much is looked at in one go: a fraction of a millisecond's work.
const WORK_MAX: u64 = 1 << 16;

#[derive(Default)]
pub(crate) struct Search {
    pub(crate) matcher: Matcher,
    pub(crate) hits: Hits,
    /// The next place to look at; all before it is done.
    pub(crate) at: u64,
}

impl Search {
    /// Goes through a part of the text that begins at `base`, as far as it can be told what is there. `is_last`:
    /// nothing follows. Otherwise it stops where that is too much work; gives how much of the part it is done with.
    pub(crate) fn run(&mut self, searched: &Searched, text: &[u8], base: u64, is_last: bool) -> usize {
        let work_max = if is_last { u64::MAX } else { self.matcher.work + WORK_MAX };
        let unsifted = if is_last { 0 } else { searched.sieve.reach() };
        let sifted_to = text.len().saturating_sub(unsifted);
        let mut sifting = Sifting::new(&searched.sieve, &searched.forms, text);
        while let Some(at) = self.place_in(text, base) {
            let mut watched = at;
            if self.matcher.is_idle() {
                let suspicion = sifting.next(at).unwrap_or(Suspicion { from: sifted_to, to: text.len() });
                self.at = base + at.max(suspicion.from) as u64;
                watched = suspicion.to;
            }
            // As far as the place that was found at least, and on while something has begun.
            while let Some(at) = self.place_in(text, base)
                && (at <= watched || !self.matcher.is_idle())
            {
                if self.matcher.work >= work_max {
                    return at;
                }
                if !self.step(searched, text, at, is_last) {
                    return text.len();
                }
            }
        }
        text.len()
    }

    /// Takes one byte of the text. Whether it could: not if it may be an escape of which more is to come.
    pub(crate) fn step(&mut self, searched: &Searched, text: &[u8], place: usize, is_last: bool) -> bool {
        let Some(byte) = text.get(place) else { return false };
        if Readings::begin_with(*byte) {
            let readings = Readings::of(text.get(place..).unwrap_or_default());
            if readings.is_undecided() && !is_last {
                return false;
            }
            self.matcher.step(searched, self.at, *byte, readings.list(), &mut self.hits);
        } else {
            self.matcher.step(searched, self.at, *byte, &[], &mut self.hits);
        }
        self.at += 1;
        true
    }

    /// Up to where no secret can be found any more but what was.
    pub(crate) fn settled(&self) -> u64 {
        self.matcher.earliest().map_or(self.at, |start| start.min(self.at))
    }

    /// The next place to look at within a part of the text.
    fn place_in(&self, text: &[u8], base: u64) -> Option<usize> {
        let place = self.at.checked_sub(base)? as usize;
        (place < text.len()).then_some(place)
    }
}
