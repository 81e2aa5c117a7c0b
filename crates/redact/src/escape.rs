//! What escapes at a place of a text can be read as.
//!
//! | written | read in |
//! |---|---|
//! | `%41`, `%2541`, `%252541` | URLs and forms, up to three layers |
//! | `\u0041`, `\ud83d\ude00`, `\n`, `\/`, `\"` | JSON, with up to four backslashes: JSON within JSON |
//! | `\x41`, `\0`, `\v`, `\'`, and a backslash before any other sign | programs' literals, quoted header values |
//! | `&amp;`, `&#65;`, `&#x41;`, `&amp;#65;` | HTML and XML, up to two layers |
//!
//! One text can be read in several ways (`%2541` is `%41` or `A`), and each of them is tried.

use crate::byte_set::ByteSet;

/// The longest escape: two halves of a character beyond the first plane, with four backslashes each.
pub(crate) const ESCAPE_MAX: usize = 2 * (BACKSLASHES_MAX + 5);
/// JSON within JSON doubles each backslash.
const BACKSLASHES_MAX: usize = 4;
/// Layers of percent-encoding: a proxy's, within a redirect's.
const PERCENTS_MAX: usize = 3;
/// Layers of HTML.
const AMPERSANDS_MAX: usize = 2;
/// The three layers, or four lengths of backslashes, or both readings of `\xe9`.
const READINGS_MAX: usize = 6;

/// Named characters that HTML escapers write.
const NAMED: [(&[u8], u8); 5] =
    [(b"amp;", b'&'), (b"lt;", b'<'), (b"gt;", b'>'), (b"quot;", b'"'), (b"apos;", b'\'')];

/// What can follow on the first byte of an escape that stands for one of these bytes, or for a character that begins
/// with one.
pub(crate) fn second_bytes(first: u8, meant: &ByteSet) -> ByteSet {
    let mut second = ByteSet::default();
    let always: &[u8] = match first {
        // Of further layers, and of escapes by number.
        b'%' => b"2",
        b'\\' => b"\\ux",
        _ => b"a#",
    };
    always.iter().for_each(|byte| second.insert(*byte));
    for byte in 0..=255 {
        match first {
            b'%' if meant.contains(byte) => {
                let digit = char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0');
                second.insert(digit as u8);
                second.insert(digit.to_ascii_uppercase() as u8);
            }
            b'\\' if after_backslash(byte).is_some_and(|stands_for| meant.contains(stands_for)) => {
                second.insert(byte)
            }
            _ => {}
        }
    }
    if first == b'&' {
        let meant = NAMED.iter().filter(|(_, byte)| meant.contains(*byte));
        meant.filter_map(|(name, _)| name.first()).for_each(|byte| second.insert(*byte));
    }
    second
}

/// One way to read the beginning of a text.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    length: u8,
    count: u8,
    bytes: [u8; 4],
}

impl Reading {
    /// How much of the text is read.
    pub(crate) fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// What it stands for: a byte, or a character in UTF-8.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// Every way to read the beginning of a text as an escape.
#[derive(Default)]
pub(crate) struct Readings {
    list: [Reading; READINGS_MAX],
    count: usize,
    undecided: bool,
}

/// Why a text is no escape.
enum Not {
    /// It ended too early to tell.
    Yet,
    Ever,
}

impl Readings {
    /// Whether an escape can begin with this byte.
    pub(crate) fn begin_with(byte: u8) -> bool {
        matches!(byte, b'%' | b'\\' | b'&')
    }

    /// Reads the beginning of a text.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut readings = Self::default();
        let end = match text.first() {
            Some(b'%') => readings.percent(text),
            Some(b'\\') => readings.backslash(text),
            Some(b'&') => readings.ampersand(text),
            _ => Ok(()),
        };
        readings.undecided = matches!(end, Err(Not::Yet));
        readings
    }

    /// Whether the text ended before all that it may be was clear.
    pub(crate) fn is_undecided(&self) -> bool {
        self.undecided
    }

    pub(crate) fn list(&self) -> &[Reading] {
        self.list.get(..self.count).unwrap_or_default()
    }

    fn percent(&mut self, text: &[u8]) -> Result<(), Not> {
        for layer in 0..PERCENTS_MAX {
            let end = 3 + 2 * layer;
            let value = hex(text, end - 2, 2)? as u8;
            self.byte(end, value);
            if value != b'%' {
                break;
            }
        }
        Ok(())
    }

    fn backslash(&mut self, text: &[u8]) -> Result<(), Not> {
        let run = text.iter().take(BACKSLASHES_MAX + 1).take_while(|byte| **byte == b'\\').count();
        for length in 2..=run.min(BACKSLASHES_MAX) {
            self.byte(length, b'\\');
        }
        if run > BACKSLASHES_MAX {
            return Ok(());
        }
        match at(text, run)? {
            b'u' => self.unicode(text, run)?,
            b'x' => {
                let value = hex(text, run + 1, 2)?;
                self.byte(run + 3, value as u8);
                if value >= 0x80 {
                    self.character(run + 3, value);
                }
            }
            letter => {
                if let Some(byte) = after_backslash(letter) {
                    self.byte(run + 1, byte);
                }
            }
        }
        Ok(())
    }

    /// `\u0041`, or two of them for a character beyond the first plane.
    fn unicode(&mut self, text: &[u8], run: usize) -> Result<(), Not> {
        let end = run + 5;
        let unit = hex(text, run + 1, 4)?;
        if !(0xd800..0xdc00).contains(&unit) {
            self.character(end, unit);
            return Ok(());
        }
        for offset in 0..=run {
            let expected = if offset < run { b'\\' } else { b'u' };
            if at(text, end + offset)? != expected {
                return Err(Not::Ever);
            }
        }
        let low = hex(text, end + run + 1, 4)?;
        if (0xdc00..0xe000).contains(&low) {
            self.character(2 * end, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        }
        Ok(())
    }

    fn ampersand(&mut self, text: &[u8]) -> Result<(), Not> {
        let mut from = 1;
        for _ in 0..AMPERSANDS_MAX {
            let (end, value) = entity(text, from)?;
            self.character(end, value);
            if text.get(from..end) != Some(NAMED[0].0) {
                break;
            }
            from = end;
        }
        Ok(())
    }

    fn byte(&mut self, length: usize, byte: u8) {
        self.add(length, &[byte]);
    }

    fn character(&mut self, length: usize, value: u32) {
        if let Some(character) = char::from_u32(value) {
            self.add(length, character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn add(&mut self, length: usize, stands_for: &[u8]) {
        let Some(free) = self.list.get_mut(self.count) else { return };
        let mut bytes = [0; 4];
        bytes[..stands_for.len()].copy_from_slice(stands_for);
        *free = Reading { length: length as u8, count: stands_for.len() as u8, bytes };
        self.count += 1;
    }
}

/// What stands behind `&`, up to its semicolon: where it ends, and what it is.
fn entity(text: &[u8], from: usize) -> Result<(usize, u32), Not> {
    if at(text, from)? != b'#' {
        return named(text, from);
    }
    let is_hex = at(text, from + 1)? | 0x20 == b'x';
    let (first, radix, digits_max) = if is_hex { (from + 2, 16, 6) } else { (from + 1, 10, 7) };
    let mut value = 0;
    for place in first..=first + digits_max {
        match at(text, place)? {
            b';' if place > first => return Ok((place + 1, value)),
            digit if place < first + digits_max => {
                value = value * radix + char::from(digit).to_digit(radix).ok_or(Not::Ever)?;
            }
            _ => break,
        }
    }
    Err(Not::Ever)
}

fn named(text: &[u8], from: usize) -> Result<(usize, u32), Not> {
    let rest = text.get(from..).unwrap_or_default();
    for (name, byte) in NAMED {
        if rest.starts_with(name) {
            return Ok((from + name.len(), u32::from(byte)));
        }
        if name.starts_with(rest) {
            return Err(Not::Yet);
        }
    }
    Err(Not::Ever)
}

/// What a backslash makes of the next byte: a control character, or any sign itself.
fn after_backslash(byte: u8) -> Option<u8> {
    match byte {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'b' => Some(8),
        b'f' => Some(12),
        b'v' => Some(11),
        b'0' => Some(0),
        b' ' => Some(b' '),
        sign if sign.is_ascii_punctuation() => Some(sign),
        _ => None,
    }
}

fn hex(text: &[u8], from: usize, digits: usize) -> Result<u32, Not> {
    let mut value = 0;
    for place in from..from + digits {
        value = value << 4 | char::from(at(text, place)?).to_digit(16).ok_or(Not::Ever)?;
    }
    Ok(value)
}

fn at(text: &[u8], place: usize) -> Result<u8, Not> {
    text.get(place).copied().ok_or(Not::Yet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, String)> {
        let readings = Readings::of(text.as_bytes());
        let texts = readings.list().iter();
        texts.map(|reading| (reading.length(), reading.bytes().escape_ascii().to_string())).collect()
    }

    fn one(length: usize, text: &str) -> Vec<(usize, String)> {
        vec![(length, text.to_owned())]
    }

    #[test]
    fn each_escape_is_read_as_what_it_stands_for() {
        assert_eq!(read("%4a!"), one(3, "J"));
        assert_eq!(read("%2541"), [(3, "%".to_owned()), (5, "A".to_owned())]);
        assert_eq!(read("%252541").last(), Some(&(7, "A".to_owned())));
        assert_eq!(read("%zz"), []);
        assert_eq!(read(r"\u004Ax"), one(6, "J"));
        assert_eq!(read(r"\\u004Ax"), [(2, r"\\".to_owned()), (7, "J".to_owned())]);
        assert_eq!(read(r"\ud83d\ude00x"), one(12, r"\xf0\x9f\x98\x80"));
        assert_eq!(read(r"\ud83dxxxxxxxxx"), []);
        assert_eq!(read(r"\/x"), one(2, "/"));
        assert_eq!(read(r"\nx"), one(2, r"\n"));
        assert_eq!(read(r"\qx"), []);
        assert_eq!(read(r"\xe9"), [(4, r"\xe9".to_owned()), (4, r"\xc3\xa9".to_owned())]);
        assert_eq!(read("&amp;x"), one(5, "&"));
        assert_eq!(read("&amp;lt;"), [(5, "&".to_owned()), (8, "<".to_owned())]);
        assert_eq!(read("&#0065;"), one(7, "A"));
        assert_eq!(read("&#x41;"), one(6, "A"));
        assert_eq!(read("&#;&#x;"), []);
        assert_eq!(read("&#00000065;"), []);
        assert_eq!(read("A"), []);
    }

    #[test]
    fn what_is_cut_off_is_undecided_and_what_is_whole_is_not() {
        for whole in
            ["%252541", r"\u0041", r"\\\\u0041", r"\ud83d\ude00", r"\\\\ud83d\\\\ude00", "&amp;#0000065;"]
        {
            for length in 1..whole.len() {
                assert!(Readings::of(&whole.as_bytes()[..length]).is_undecided(), "{}", &whole[..length]);
            }
            assert!(!Readings::of(whole.as_bytes()).is_undecided(), "{whole}");
            assert!(whole.len() <= ESCAPE_MAX);
        }
    }
}
