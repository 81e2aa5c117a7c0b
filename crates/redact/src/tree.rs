//! All forms as one tree: those that begin alike are one until they part, so that following a text costs the same
//! however many of them there are.
//!
//! A node is named by a place among all symbols: what comes next in the form that was there first. Where others go on
//! otherwise, the place *forks*; the rest of theirs is where it always was.

use std::collections::HashMap;

use zeroize::Zeroizing;

use crate::forms::Forms;
use crate::symbol::Symbol;

/// How many secrets are told of that end in one node: nothing tells those apart there.
const OWNERS_MAX: usize = 4;

pub(crate) struct Tree {
    /// Where the places of each byte end.
    ends: Zeroizing<Vec<u32>>,
    /// Behind the first symbols of forms, by which bytes may stand there.
    places: Zeroizing<Vec<u32>>,
    /// By place and byte: the place behind the symbol by which another form goes on.
    forks: Zeroizing<Vec<(u64, u32)>>,
    /// The secrets that are complete at a place, in order.
    owners: Vec<(u32, u32)>,
}

impl Tree {
    /// Notes in the forms where they fork and end, too.
    pub(crate) fn new(forms: &mut Forms) -> Self {
        let mut growing = Growing::default();
        for index in 0..forms.list().len() {
            growing.add(forms, index);
        }
        growing.finish(forms)
    }

    /// The places behind the first symbols that this byte may stand for.
    pub(crate) fn starts(&self, byte: u8) -> &[u32] {
        let end_of = |byte: usize| self.ends.get(byte).map_or(0, |end| *end as usize);
        let start = usize::from(byte).checked_sub(1).map_or(0, end_of);
        self.places.get(start..end_of(usize::from(byte))).unwrap_or_default()
    }

    /// The places at which others are behind this byte, where a place forks.
    pub(crate) fn others(&self, place: usize, byte: u8) -> impl Iterator<Item = usize> {
        let key = key(place, byte);
        let first = self.forks.partition_point(|(fork, _)| *fork < key);
        let rest = self.forks.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(fork, _)| *fork == key).map(|(_, reached)| *reached as usize)
    }

    /// The secrets of which a form is complete at a place.
    pub(crate) fn owners(&self, place: usize) -> impl Iterator<Item = usize> {
        let first = self.owners.partition_point(|(at, _)| (*at as usize) < place);
        let rest = self.owners.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(at, _)| *at as usize == place).map(|(_, secret)| *secret as usize)
    }
}

fn key(place: usize, byte: u8) -> u64 {
    (place as u64) << 8 | u64::from(byte)
}

/// A tree to which forms are added. It knows places alone, and no symbol of a secret.
#[derive(Default)]
struct Growing {
    /// The first symbols of forms that begin as none before them.
    firsts: Vec<usize>,
    branches: Vec<Branch>,
    /// The last branch at a place that forks.
    last: HashMap<usize, usize>,
    owners: Vec<(u32, u32)>,
}

struct Branch {
    from: usize,
    /// The symbol by which it goes on.
    place: usize,
    /// The one at the same place before it.
    before: Option<usize>,
}

impl Growing {
    fn add(&mut self, forms: &mut Forms, index: usize) {
        let Some(form) = forms.list().get(index) else { return };
        let (first, end, own_end, secret) = (form.first, form.end, form.own_end, form.secret);
        // The root, then whatever is reached.
        let mut node = None;
        let mut shared = None;
        for place in first..end {
            let known =
                if shared.is_none() { self.child(forms, node, forms.symbol(place)) } else { Some(place) };
            let child = known.unwrap_or_else(|| {
                self.part(forms, node, place);
                shared = Some(place - first);
                place
            });
            let reached = child + 1;
            node = Some(reached);
            if place + 1 == own_end || place + 1 == end {
                forms.note_end(reached);
                self.owners.push((reached as u32, secret as u32));
            }
        }
        forms.note_shared(index, shared.unwrap_or(end - first));
    }

    /// The symbol by which a node goes on that is the same as this one.
    fn child(&self, forms: &Forms, node: Option<usize>, symbol: Symbol) -> Option<usize> {
        let is_it = |place: &usize| forms.symbol(*place).is_same(symbol);
        let Some(node) = node else { return self.firsts.iter().copied().find(is_it) };
        if is_it(&node) {
            return Some(node);
        }
        let mut next = self.last.get(&node).copied();
        while let Some(branch) = next.and_then(|index| self.branches.get(index)) {
            if is_it(&branch.place) {
                return Some(branch.place);
            }
            next = branch.before;
        }
        None
    }

    /// From this node on, a form goes on by itself, with the symbol at this place.
    fn part(&mut self, forms: &mut Forms, node: Option<usize>, place: usize) {
        let Some(from) = node else { return self.firsts.push(place) };
        let before = self.last.insert(from, self.branches.len());
        self.branches.push(Branch { from, place, before });
        forms.note_fork(from);
    }

    fn finish(self, forms: &Forms) -> Tree {
        // Counted, then put where the counts say.
        let mut ends = Zeroizing::new(vec![0_u32; 257]);
        let firsts = || self.firsts.iter().copied();
        firsts().for_each(|place| forms.symbol(place).each(|byte| ends[usize::from(byte) + 1] += 1));
        for byte in 0..256 {
            ends[byte + 1] += ends[byte];
        }
        let mut places = Zeroizing::new(vec![0; ends[256] as usize]);
        for place in firsts() {
            forms.symbol(place).each(|byte| {
                let end = &mut ends[usize::from(byte)];
                places[*end as usize] = place as u32 + 1;
                *end += 1;
            });
        }
        let count = self.branches.iter().map(|branch| forms.symbol(branch.place).count()).sum();
        let mut forks = Zeroizing::new(Vec::with_capacity(count));
        for branch in &self.branches {
            let reached = branch.place as u32 + 1;
            forms.symbol(branch.place).each(|byte| forks.push((key(branch.from, byte), reached)));
        }
        forks.sort_unstable();
        let mut owners = self.owners;
        owners.sort_unstable();
        owners.dedup();
        let (mut last, mut told) = (None, 0);
        owners.retain(|(place, _)| {
            told = if last.replace(*place) == Some(*place) { told + 1 } else { 1 };
            told <= OWNERS_MAX
        });
        Tree { ends, places, forks, owners }
    }
}
