//! In which forms a secret may be written.
//!
//! A form is a sequence of [`Symbol`]s, each of which may itself be escaped in any way (see [`crate::escape`]), so
//! that `%2B` within base64, or `\u0061bc`, need no forms of their own:
//!
//! - the bytes themselves; of a secret that is not ASCII also what is left of it when its UTF-8 is taken for Latin-1,
//!   or when it is written in Latin-1, which is what happens to header values;
//! - UTF-16 of either byte order;
//! - hex, each digit of either case;
//! - base64 of either alphabet, in the three ways in which the secret can lie within what is encoded. The characters
//!   that it shares with its neighbours are masked too if they are there and fit; they hold up to four of its bits.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::byte_set::ByteSet;
use crate::symbol::Symbol;

/// Secrets and forms below this length are not searched: they would be found where they are not meant.
pub(crate) const LENGTH_MIN: usize = 8;

/// How often a form may begin within itself; see [`pieces`].
const BEGINNINGS_MAX: usize = 32;
/// The shortest rest of a form that was cut: no shorter part than this is masked by itself.
const REST_MIN: usize = BEGINNINGS_MAX;

/// How many of a form's first symbols are looked for, to see whether it may begin so often.
const HEAD: usize = 4;

/// Where a form stands among all symbols, and whose it is.
pub(crate) struct Form {
    /// Its first symbol.
    pub(crate) first: usize,
    /// Behind its last symbol.
    pub(crate) end: usize,
    /// Its first symbol that the secret alone decides: the first, or the one behind it.
    pub(crate) own: usize,
    /// Behind its last symbol that the secret alone decides.
    pub(crate) own_end: usize,
    /// The secret, by its index among those given.
    pub(crate) secret: usize,
    /// How many of its first symbols are those of one before it.
    pub(crate) shared: usize,
}

/// All forms of all secrets, one after another.
pub(crate) struct Forms {
    symbols: Zeroizing<Vec<Symbol>>,
    list: Vec<Form>,
}

impl Forms {
    /// Makes room for the forms of some secrets, so that no copy of them is left behind by growing.
    pub(crate) fn with_room<'a>(secrets: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut symbols, mut forms) = (0, 0);
        for secret in secrets {
            // Of each byte: itself, two in UTF-16 or four, two digits, five times 4/3 characters, three in Latin-1; and
            // the ends.
            symbols += if secret.is_ascii() { 12 } else { 17 } * secret.len() + 33;
            forms += 11;
        }
        Self { symbols: Zeroizing::new(Vec::with_capacity(symbols)), list: Vec::with_capacity(forms) }
    }

    /// Adds every form of a secret.
    pub(crate) fn add(&mut self, secret: usize, bytes: &[u8]) {
        self.add_text(secret, bytes.iter().copied());
        if !bytes.is_ascii() {
            self.add_text(secret, bytes.iter().flat_map(|byte| utf8_of_latin1(*byte)));
            if let Some(latin1) = latin1_of_utf8(bytes)
                && latin1.len() >= LENGTH_MIN
            {
                self.add_text(secret, latin1.iter().copied());
            }
        }
        self.add_utf16(secret, bytes);
        let first = self.symbols.len();
        self.symbols
            .extend(bytes.iter().flat_map(|byte| [Symbol::nibble(byte >> 4), Symbol::nibble(byte & 15)]));
        self.end(secret, first, 0, 0);
        for before in 0..3 {
            self.add_base64(secret, bytes, before, true);
        }
        // What the secret alone decides, wherever what it shares is cut off or does not fit.
        for before in 1..3 {
            self.add_base64(secret, bytes, before, false);
        }
    }

    pub(crate) fn list(&self) -> &[Form] {
        &self.list
    }

    /// What may stand at a place.
    pub(crate) fn symbol(&self, place: usize) -> Symbol {
        self.symbols.get(place).copied().unwrap_or(Symbol::END)
    }

    /// All that may stand at any place.
    pub(crate) fn bytes(&self) -> ByteSet {
        let mut bytes = ByteSet::default();
        self.symbols.iter().for_each(|symbol| symbol.each(|byte| bytes.insert(byte)));
        bytes
    }

    /// How many symbols the longest form has.
    pub(crate) fn longest(&self) -> usize {
        self.list.iter().map(|form| form.end - form.first).max().unwrap_or(0)
    }

    /// Notes that a form is complete before a place.
    pub(crate) fn note_end(&mut self, place: usize) {
        self.symbols.get_mut(place).into_iter().for_each(|symbol| *symbol = symbol.after_end());
    }

    /// Notes that other forms go on otherwise from a place.
    pub(crate) fn note_fork(&mut self, place: usize) {
        self.symbols.get_mut(place).into_iter().for_each(|symbol| *symbol = symbol.with_fork());
    }

    /// Notes how many of a form's first symbols are those of one before it.
    pub(crate) fn note_shared(&mut self, form: usize, shared: usize) {
        self.list.get_mut(form).into_iter().for_each(|form| form.shared = shared);
    }

    /// Whose form a place is in.
    pub(crate) fn secret_at(&self, place: usize) -> usize {
        let after = self.list.partition_point(|form| form.first <= place);
        self.list.get(after.saturating_sub(1)).map_or(0, |form| form.secret)
    }

    fn add_text(&mut self, secret: usize, bytes: impl Iterator<Item = u8>) {
        let first = self.symbols.len();
        self.symbols.extend(bytes.map(Symbol::text));
        self.end(secret, first, 0, 0);
    }

    /// In the order of either byte: of ASCII that is one, with a zero between each two characters.
    fn add_utf16(&mut self, secret: usize, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if text.is_ascii() {
            let zeros = bytes.iter().flat_map(|byte| [0, *byte]).skip(1);
            return self.add_text(secret, zeros);
        }
        self.add_text(secret, text.encode_utf16().flat_map(u16::to_le_bytes));
        self.add_text(secret, text.encode_utf16().flat_map(u16::to_be_bytes));
    }

    /// Base64 of a secret that `before` bytes precede since the last whole group of three, with the character that it
    /// may share with them or without.
    fn add_base64(&mut self, secret: usize, bytes: &[u8], before: usize, is_shared: bool) {
        let first = self.symbols.len();
        let (from, to) = (8 * before, 8 * (before + bytes.len()));
        let byte = |place: usize| {
            place.checked_sub(before).and_then(|place| bytes.get(place)).copied().map_or(0, u16::from)
        };
        let mut shared = [0; 2];
        for start in (from / 6 * 6..to).step_by(6) {
            let window = byte(start / 8) << 8 | byte(start / 8 + 1);
            let value = (window >> (10 - start % 8)) as u8 & 63;
            let before_it = 63 >> from.saturating_sub(start);
            let known = before_it & 63 << (start + 6).saturating_sub(to);
            let symbol = Symbol::sextet(value, known & 63);
            let at_end = known & 63 != 63 && start >= from;
            if start < from && !is_shared {
                continue;
            }
            self.symbols.push(if at_end { symbol.after_end() } else { symbol });
            shared[usize::from(at_end)] += usize::from(known & 63 != 63);
        }
        self.end(secret, first, shared[0], shared[1]);
    }

    /// Closes a form, of whose symbols so many at the beginning and the end are shared with neighbours.
    fn end(&mut self, secret: usize, first: usize, shared_before: usize, shared_after: usize) {
        let own_end = self.symbols.len() - shared_after;
        let pieces = self.symbols.get(first..).map(pieces).unwrap_or_default();
        self.push(secret, first, shared_before, own_end);
        if pieces.len() > 1 {
            self.split(&pieces, shared_before, shared_after);
        }
    }

    /// Puts pieces of the last form in its place.
    fn split(&mut self, pieces: &[Range<usize>], shared_before: usize, shared_after: usize) {
        let Some(form) = self.list.pop() else { return };
        let whole = Zeroizing::new(self.symbols.get(form.first..).unwrap_or_default().to_vec());
        let more = whole.len() + pieces.len() + REST_MIN;
        let mut grown = Zeroizing::new(Vec::with_capacity(self.symbols.capacity() + more));
        grown.extend_from_slice(self.symbols.get(..form.first).unwrap_or_default());
        self.symbols = grown;
        let last = pieces.len() - 1;
        for (index, piece) in pieces.iter().enumerate() {
            let (first, symbols) = (self.symbols.len(), whole.get(piece.clone()).unwrap_or_default());
            let shared_before = if index == 0 { shared_before } else { 0 };
            let shared_after = if index == last { shared_after } else { 0 };
            if index > 0 && index < last && pieces[..index].iter().any(|other| is_equal(&whole, other, piece))
            {
                continue;
            }
            self.symbols.extend_from_slice(symbols);
            let own_end = self.symbols.len() - shared_after;
            self.push(form.secret, first, shared_before, own_end);
        }
    }

    fn push(&mut self, secret: usize, first: usize, shared_before: usize, own_end: usize) {
        let end = self.symbols.len();
        self.symbols.push(Symbol::END);
        self.list.push(Form { first, end, own: first + shared_before, own_end, secret, shared: 0 });
    }
}

/// What a form is searched by: itself, or several parts of it that follow or overlap each other.
///
/// A text that repeats itself, as `aaaa…`, begins anew at each repetition, and each of these beginnings must be followed:
/// a secret of four thousand of them would cost four thousand times its answer's length. So before it has begun
/// [`BEGINNINGS_MAX`] times within itself, a form is cut, and a part of such a secret is masked too.
fn pieces(symbols: &[Symbol]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(length) = repeating(symbols.get(from..).unwrap_or_default()) {
        pieces.push(from..from + length);
        from += length;
    }
    // The rest, with as much of what precedes it as it takes not to be found everywhere.
    pieces.push(from.min(symbols.len().saturating_sub(REST_MIN))..symbols.len());
    pieces
}

/// How long the first symbols can be without beginning too often within themselves, if that is not all of them.
fn repeating(symbols: &[Symbol]) -> Option<usize> {
    // Mostly it is clear at once: what begins so often has its first symbols so often.
    let head = symbols.get(..HEAD)?;
    let is_head = |at: &&[Symbol]| at.iter().zip(head).all(|(one, other)| one.is_same(*other));
    let shorter = HEAD - 1;
    if symbols.windows(HEAD).skip(1).filter(is_head).count() + shorter < BEGINNINGS_MAX {
        return None;
    }
    // Of each beginning: the longest shorter one that it ends with, and how many there are that it ends with.
    let mut longest = vec![0; symbols.len() + 1];
    let mut depth = vec![0; symbols.len() + 1];
    let mut length = 0;
    for at in 1..symbols.len() {
        while length > 0 && !symbols[at].is_same(symbols[length]) {
            length = longest[length];
        }
        length += usize::from(symbols[at].is_same(symbols[length]));
        longest[at + 1] = length;
        depth[at + 1] = depth[length] + usize::from(length > 0);
        if depth[at + 1] >= BEGINNINGS_MAX {
            return Some(at + 1);
        }
    }
    None
}

fn is_equal(symbols: &[Symbol], one: &Range<usize>, other: &Range<usize>) -> bool {
    let of = |range: &Range<usize>| symbols.get(range.clone()).unwrap_or_default();
    one.len() == other.len() && of(one).iter().zip(of(other)).all(|(one, other)| one.is_same(*other))
}

/// A byte that was taken for a character of Latin-1, in UTF-8.
fn utf8_of_latin1(byte: u8) -> impl Iterator<Item = u8> {
    let lead = (byte >= 0x80).then_some(0xc0 | byte >> 6);
    lead.into_iter().chain([if byte >= 0x80 { 0x80 | byte & 0x3f } else { byte }])
}

/// A text in Latin-1, if it has only such characters.
fn latin1_of_utf8(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut latin1 = Zeroizing::new(Vec::with_capacity(bytes.len()));
    for character in std::str::from_utf8(bytes).ok()?.chars() {
        latin1.push(u8::try_from(u32::from(character)).ok()?);
    }
    Some(latin1)
}
