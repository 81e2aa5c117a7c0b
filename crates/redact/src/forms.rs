//! In which forms a secret may be written.
//!
//! A form is a sequence of [`Symbol`]s, each of which may itself be escaped in any way (see [`crate::escape`]), so
//! that `%2B` within base64, or `\u0061bc`, need no forms of their own:
//!
//! - the bytes themselves; of a secret that is not ASCII also what is left of it when its UTF-8 is taken for Latin-1,
//!   or when it is written in Latin-1, which is what happens to header values;
//! - hex, each digit of either case;
//! - base64 of either alphabet, in the three ways in which the secret can lie within what is encoded. The characters
//!   that it shares with its neighbours are masked too if they are there and fit; they hold up to four of its bits.

use zeroize::Zeroizing;

use crate::symbol::Symbol;

/// Secrets and forms below this length are not searched: they would be found where they are not meant.
pub(crate) const LENGTH_MIN: usize = 8;

/// Where a form stands among all symbols, and whose it is.
pub(crate) struct Form {
    /// Its first symbol.
    pub(crate) first: usize,
    /// Its first symbol that the secret alone decides: the first, or the one behind it.
    pub(crate) own: usize,
    /// Behind its last symbol that the secret alone decides.
    pub(crate) own_end: usize,
    /// The secret, by its index among those given.
    pub(crate) secret: usize,
}

/// All forms of all secrets, one after another.
pub(crate) struct Forms {
    symbols: Zeroizing<Vec<Symbol>>,
    list: Vec<Form>,
}

impl Forms {
    /// Makes room for the forms of so many bytes of secrets, so that no copy is left behind by growing.
    pub(crate) fn with_room(secrets: usize, bytes: usize) -> Self {
        // Of each byte: itself, two digits, three times 4/3 characters, three in Latin-1; of each secret: ends.
        Self {
            symbols: Zeroizing::new(Vec::with_capacity(10 * bytes + 24 * secrets)),
            list: Vec::with_capacity(7 * secrets),
        }
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
        let first = self.symbols.len();
        self.symbols
            .extend(bytes.iter().flat_map(|byte| [Symbol::nibble(byte >> 4), Symbol::nibble(byte & 15)]));
        self.end(secret, first, 0, 0);
        for before in 0..3 {
            self.add_base64(secret, bytes, before);
        }
    }

    pub(crate) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    pub(crate) fn list(&self) -> &[Form] {
        &self.list
    }

    /// What may stand at a place.
    pub(crate) fn symbol(&self, place: usize) -> Symbol {
        self.symbols.get(place).copied().unwrap_or(Symbol::END)
    }

    /// How many symbols the longest form has.
    pub(crate) fn longest(&self) -> usize {
        let ends = self.list.iter().skip(1).map(|form| form.first).chain([self.symbols.len()]);
        self.list.iter().zip(ends).map(|(form, end)| end - form.first - 1).max().unwrap_or(0)
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

    /// Base64 of a secret that `before` bytes precede since the last whole group of three.
    fn add_base64(&mut self, secret: usize, bytes: &[u8], before: usize) {
        let first = self.symbols.len();
        let (from, to) = (8 * before, 8 * (before + bytes.len()));
        let mut shared = [0; 2];
        for start in (from / 6 * 6..to).step_by(6) {
            let known =
                (start..start + 6).fold(0, |mask, bit| mask << 1 | u8::from((from..to).contains(&bit)));
            let value = (start..start + 6).fold(0, |value, bit| {
                let byte = bit.checked_sub(from).and_then(|bit| bytes.get(bit / 8)).copied().unwrap_or(0);
                value << 1 | byte >> (7 - bit % 8) & 1
            });
            let symbol = Symbol::sextet(value, known);
            let at_end = known != 0b11_1111 && start >= from;
            self.symbols.push(if at_end { symbol.after_end() } else { symbol });
            shared[usize::from(at_end)] += usize::from(known != 0b11_1111);
        }
        self.end(secret, first, shared[0], shared[1]);
    }

    /// Closes a form, of whose symbols so many at the beginning and the end are shared with neighbours.
    fn end(&mut self, secret: usize, first: usize, shared_before: usize, shared_after: usize) {
        let own_end = self.symbols.len() - shared_after;
        self.symbols.push(Symbol::END);
        self.list.push(Form { first, own: first + shared_before, own_end, secret });
    }
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
