//! Where forms begin, by the byte that they may begin with.

use zeroize::Zeroizing;

use crate::forms::{Form, Forms};

/// The first places of all forms, and their own first places, by which bytes may stand there.
pub(crate) struct Starts {
    /// Where the places of each byte end.
    ends: Zeroizing<Vec<u32>>,
    places: Zeroizing<Vec<u32>>,
}

impl Starts {
    pub(crate) fn new(forms: &Forms) -> Self {
        let own = |form: &Form| (form.own != form.first).then_some(form.own);
        let all = || forms.list().iter().flat_map(|form| [Some(form.first), own(form)]).flatten();
        // Counted, then put where the counts say.
        let mut ends = Zeroizing::new(vec![0_u32; 257]);
        all().for_each(|place| forms.symbol(place).each(|byte| ends[usize::from(byte) + 1] += 1));
        for byte in 0..256 {
            ends[byte + 1] += ends[byte];
        }
        let mut places = Zeroizing::new(vec![0; ends[256] as usize]);
        for place in all() {
            forms.symbol(place).each(|byte| {
                let end = &mut ends[usize::from(byte)];
                places[*end as usize] = place as u32;
                *end += 1;
            });
        }
        Self { ends, places }
    }

    /// Those that may begin with this byte.
    pub(crate) fn with(&self, byte: u8) -> &[u32] {
        let end_of = |byte: usize| self.ends.get(byte).map_or(0, |end| *end as usize);
        let start = usize::from(byte).checked_sub(1).map_or(0, end_of);
        self.places.get(start..end_of(usize::from(byte))).unwrap_or_default()
    }
}
