//! Where forms begin, by the byte that they may begin with.

use zeroize::Zeroizing;

use crate::forms::Forms;

/// The first places of all forms, and their own first places, by which bytes may stand there.
pub(crate) struct Starts {
    /// Where the places of each byte end.
    ends: Zeroizing<Vec<u32>>,
    places: Zeroizing<Vec<u32>>,
}

impl Starts {
    pub(crate) fn new(forms: &Forms) -> Self {
        let each = |mut call: Box<dyn FnMut(u8, usize) + '_>| {
            for form in forms.list() {
                forms.symbol(form.first).each(|byte| call(byte, form.first));
                if form.own != form.first {
                    forms.symbol(form.own).each(|byte| call(byte, form.own));
                }
            }
        };
        // Counted, then put where the counts say.
        let mut ends = Zeroizing::new(vec![0_u32; 257]);
        each(Box::new(|byte, _| ends[usize::from(byte) + 1] += 1));
        for byte in 0..256 {
            ends[byte + 1] += ends[byte];
        }
        let mut places = Zeroizing::new(vec![0; ends[256] as usize]);
        each(Box::new(|byte, place| {
            let end = &mut ends[usize::from(byte)];
            places[*end as usize] = place as u32;
            *end += 1;
        }));
        Self { ends, places }
    }

    /// Those that may begin with this byte.
    pub(crate) fn with(&self, byte: u8) -> &[u32] {
        let end_of = |byte: usize| self.ends.get(byte).map_or(0, |end| *end as usize);
        let start = usize::from(byte).checked_sub(1).map_or(0, end_of);
        self.places.get(start..end_of(usize::from(byte))).unwrap_or_default()
    }
}
