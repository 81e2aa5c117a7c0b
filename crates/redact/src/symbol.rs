//! One place of a form: which written bytes may stand there.

use zeroize::DefaultIsZeroes;

/// What may stand at one place of a form. Kind, mask and value in one word, so that a form is wiped a word at a time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Symbol(u32);

impl DefaultIsZeroes for Symbol {}

/// How a written byte is read before it is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The byte itself.
    Byte,
    /// A blank, which forms of web pages write as `+`.
    Blank,
    /// A digit of hex, of either case.
    Nibble,
    /// A character of base64, of either alphabet.
    Sextet,
}

/// What a byte is read as when it is none of its kind: no mask lets it pass.
const NONE: u8 = 0x80;

/// What each byte is read as, by kind.
static READ: [[u8; 256]; 4] = tables();

impl Symbol {
    const ENDS: u32 = 1;
    const FORKS: u32 = 2;
    /// What is said of a place beside what may stand there.
    const FLAGS: u32 = Self::ENDS | Self::FORKS;

    /// Past the last place of a form: nothing stands here.
    pub(crate) const END: Self = Self(0x0000_ff00 | Self::ENDS);

    /// A byte of a text.
    pub(crate) const fn text(byte: u8) -> Self {
        if byte == b' ' { Self::new(Kind::Blank, 0xff, 0) } else { Self::new(Kind::Byte, 0xff, byte) }
    }

    /// Half a byte, in hex.
    pub(crate) const fn nibble(value: u8) -> Self {
        Self::new(Kind::Nibble, 0xff, value)
    }

    /// Six bits in base64, of which those in `known` must be as in `value`.
    pub(crate) const fn sextet(value: u8, known: u8) -> Self {
        Self::new(Kind::Sextet, NONE | known, value & known)
    }

    /// The same, with a form being complete before it.
    pub(crate) const fn after_end(self) -> Self {
        Self(self.0 | Self::ENDS)
    }

    /// The same, with other forms going on otherwise from here.
    pub(crate) const fn with_fork(self) -> Self {
        Self(self.0 | Self::FORKS)
    }

    const fn new(kind: Kind, mask: u8, value: u8) -> Self {
        Self((kind as u32) << 24 | (mask as u32) << 16 | (value as u32) << 8)
    }

    /// Whether this byte may stand here.
    pub(crate) fn takes(self, byte: u8) -> bool {
        let [_, value, mask, kind] = self.0.to_le_bytes();
        READ[usize::from(kind & 3)][usize::from(byte)] & mask == value
    }

    /// Whether a form is complete before this place.
    pub(crate) fn ends(self) -> bool {
        self.0 & Self::ENDS != 0
    }

    /// Whether other forms, which began as this one, go on otherwise from here: see [`crate::tree`].
    pub(crate) fn forks(self) -> bool {
        self.0 & Self::FORKS != 0
    }

    /// Whether the same may stand at both places.
    pub(crate) fn is_same(self, other: Self) -> bool {
        self.0 | Self::FLAGS == other.0 | Self::FLAGS
    }

    /// Whether nothing can follow in the same form.
    pub(crate) fn is_end(self) -> bool {
        self.is_same(Self::END)
    }

    /// How many bytes may stand here.
    pub(crate) fn count(self) -> usize {
        let mut count = 0;
        self.each(|_| count += 1);
        count
    }

    /// Calls with every byte that may stand here.
    pub(crate) fn each(self, mut call: impl FnMut(u8)) {
        let [_, value, mask, kind] = self.0.to_le_bytes();
        match kind {
            _ if self.is_end() => {}
            0 => call(value),
            1 => {
                call(b' ');
                call(b'+');
            }
            2 => {
                call(DIGITS[usize::from(value & 15)]);
                if value > 9 {
                    call(DIGITS[usize::from(value & 15)].to_ascii_uppercase());
                }
            }
            _ if mask & 63 == 63 => each_of_sextet(value, &mut call),
            _ => (0..64u8).filter(|sextet| sextet & mask == value).for_each(|sextet| {
                each_of_sextet(sextet, &mut call);
            }),
        }
    }
}

/// Calls with the character of either alphabet.
fn each_of_sextet(sextet: u8, call: &mut impl FnMut(u8)) {
    call(ALPHABET[usize::from(sextet & 63)]);
    match sextet {
        62 => call(b'-'),
        63 => call(b'_'),
        _ => {}
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const fn tables() -> [[u8; 256]; 4] {
    let mut read = [[NONE; 256]; 4];
    let mut at = 0;
    while at < 256 {
        read[Kind::Byte as usize][at] = at as u8;
        at += 1;
    }
    read[Kind::Blank as usize][b' ' as usize] = 0;
    read[Kind::Blank as usize][b'+' as usize] = 0;
    let mut value = 0;
    while value < 16 {
        read[Kind::Nibble as usize][DIGITS[value] as usize] = value as u8;
        read[Kind::Nibble as usize][DIGITS[value].to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    value = 0;
    while value < 64 {
        read[Kind::Sextet as usize][ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    read[Kind::Sextet as usize][b'-' as usize] = 62;
    read[Kind::Sextet as usize][b'_' as usize] = 63;
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_what_is_taken() {
        let symbols = (0..=255)
            .map(Symbol::text)
            .chain((0..16).map(Symbol::nibble))
            .chain((0..64).flat_map(|value| {
                [0b111111, 0b110000, 0b111100, 0b001111, 0b000011].map(|known| Symbol::sextet(value, known))
            }))
            .chain([Symbol::END]);
        for symbol in symbols {
            let mut listed = Vec::new();
            symbol.each(|byte| listed.push(byte));
            listed.sort_unstable();
            let taken: Vec<u8> = (0..=255).filter(|byte| symbol.takes(*byte)).collect();
            assert_eq!(listed, taken);
        }
    }
}
