//! The master keys of a server, and the text in which an operator keeps them.
//!
//! Where the text is kept (a file, an environment variable) is the caller's matter.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use claviger_model::Random;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::hex;
use crate::kek::{Kek, KekId};
use crate::raw_key::{KEY_BYTES, RawKey};

/// Fewest characters of a passphrase.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// Most characters of a passphrase: beyond it, somebody has passed a file by mistake.
pub const PASSPHRASE_CHARS_MAX: usize = 1024;

const LINE_PREFIX: &str = "claviger-kek-1:";
const HEADER: &str = "\
# Master keys of a Claviger server. Whoever has them and the database can read every secret in it.
# Without them nobody can, not even you: back this file up, apart from the database and its backups.
# One key per line. The first one wraps, every one unwraps; a comment above each key is its id.
";

/// Master keys: the first wraps, every one unwraps. Never empty; no key is in it twice.
///
/// A clone shares the key bytes, which are wiped when the last one is dropped. `Debug` shows the ids alone.
#[derive(Clone)]
pub struct KekRing(Vec<Arc<Kek>>);

impl KekRing {
    /// A ring of one new key.
    pub fn generate(random: &dyn Random) -> Self {
        Self(vec![Arc::new(Kek::new(RawKey::generate(random)))])
    }

    /// Reads `claviger-kek-1:` and 64 lower-case hexadecimal digits per line. Blank lines and those that begin
    /// with `#` say nothing.
    ///
    /// # Errors
    ///
    /// When a line is something else or repeats a key, or there is no key. Lines are named by number, counted
    /// from one; an error never contains what stands there.
    pub fn parse(text: &str) -> Result<Self, KekError> {
        let mut ring = Self(Vec::new());
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let kek = parse_line(content).ok_or(KekError::NotAKey { line })?;
            if ring.find(&kek.id).is_some() {
                return Err(KekError::Doubled { line });
            }
            ring.0.push(Arc::new(kek));
        }
        if ring.0.is_empty() { Err(KekError::NoKey) } else { Ok(ring) }
    }

    /// A ring of the one key that follows from a passphrase, by Argon2id with 64 MiB, three passes and one lane.
    /// Takes a good part of a second, on purpose.
    ///
    /// # Errors
    ///
    /// When the passphrase is shorter than [`PASSPHRASE_CHARS_MIN`] or longer than [`PASSPHRASE_CHARS_MAX`].
    pub fn from_passphrase(passphrase: &str, salt: &[u8; 16]) -> Result<Self, KekError> {
        if !(PASSPHRASE_CHARS_MIN..=PASSPHRASE_CHARS_MAX).contains(&passphrase.chars().count()) {
            return Err(KekError::PassphraseLength);
        }
        let params = Params::new(64 * 1024, 3, 1, Some(KEY_BYTES)).expect("these are within Argon2's limits");
        // Our own memory, because it can be wiped: the key follows from what is left in it.
        let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let raw = RawKey::fill(|bytes| {
            argon2
                .hash_password_into_with_memory(passphrase.as_bytes(), salt, bytes, memory.as_mut_slice())
                .expect("the lengths of passphrase, salt, output and memory were all set above");
        });
        Ok(Self(vec![Arc::new(Kek::new(raw))]))
    }

    /// The text that [`parse`](Self::parse) reads, with comments that tell an operator what it is.
    pub fn to_text(&self) -> Zeroizing<String> {
        // With enough capacity from the start, growing leaves no copy behind.
        let line_bytes = LINE_PREFIX.len() + 2 * KEY_BYTES + "# 0123456789abcdef\n\n".len();
        let mut text = Zeroizing::new(String::with_capacity(HEADER.len() + self.0.len() * line_bytes));
        text.push_str(HEADER);
        for kek in &self.0 {
            writeln!(text, "# {}", kek.id).expect("writing to a string does not fail");
            text.push_str(LINE_PREFIX);
            text.extend(hex::digits(kek.raw.bytes()));
            text.push('\n');
        }
        text
    }

    /// The id of the key that wraps.
    pub fn first_id(&self) -> &KekId {
        &self.first().id
    }

    /// The ids of all keys, the one that wraps first.
    pub fn ids(&self) -> impl Iterator<Item = &KekId> {
        self.0.iter().map(|kek| &kek.id)
    }

    /// Makes a new key the one that wraps. The others go on unwrapping.
    pub fn prepend_generated(&mut self, random: &dyn Random) {
        self.0.insert(0, Arc::new(Kek::new(RawKey::generate(random))));
    }

    /// Takes a key out. Returns false, and changes nothing, when it is not there or is the last.
    ///
    /// What it wraps and was not rewrapped before is lost without it.
    pub fn remove(&mut self, id: &KekId) -> bool {
        if self.0.len() == 1 || self.find(id).is_none() {
            return false;
        }
        self.0.retain(|kek| kek.id != *id);
        true
    }

    pub(crate) fn first(&self) -> &Kek {
        self.0.first().expect("a ring begins with a key and `remove` leaves the last")
    }

    pub(crate) fn find(&self, id: &KekId) -> Option<&Kek> {
        self.0.iter().map(Arc::as_ref).find(|kek| kek.id == *id)
    }
}

impl fmt::Debug for KekRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KekRing").field(&self.ids().collect::<Vec<_>>()).finish()
    }
}

/// Why there are no master keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KekError {
    /// A line is neither a key nor blank nor a comment.
    #[error("line {line} of the master keys is not `claviger-kek-1:` and 64 lower-case hexadecimal digits")]
    NotAKey {
        /// Which line, counted from one.
        line: usize,
    },
    /// A key stands there a second time. Which of the two places was meant decides which key wraps.
    #[error("line {line} of the master keys repeats a key")]
    Doubled {
        /// The line of the repetition, counted from one.
        line: usize,
    },
    /// There is no key.
    #[error("the master keys' text holds no key")]
    NoKey,
    /// The passphrase is too short or too long.
    #[error("a passphrase has {PASSPHRASE_CHARS_MIN} to {PASSPHRASE_CHARS_MAX} characters")]
    PassphraseLength,
}

fn parse_line(line: &str) -> Option<Kek> {
    let digits = line.strip_prefix(LINE_PREFIX)?;
    let mut read = None;
    let raw = RawKey::fill(|bytes| read = hex::decode(digits, bytes));
    read.map(|()| Kek::new(raw))
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    fn ids(ring: &KekRing) -> Vec<KekId> {
        ring.ids().cloned().collect()
    }

    #[test]
    fn a_ring_survives_its_text_in_order() {
        let random = SeededRandom::new(1);
        let mut ring = KekRing::generate(&random);
        ring.prepend_generated(&random);
        let text = ring.to_text();
        let read = KekRing::parse(&text).unwrap();
        assert_eq!(ids(&read), ids(&ring));
        assert_eq!(*read.to_text(), *text);
        assert_eq!(*KekRing::parse(&text.replace('\n', "\r\n")).unwrap().to_text(), *text);
        assert!(text.starts_with("# Master keys"));
        assert!(text.contains(&format!("# {}\nclaviger-kek-1:", ring.first_id())));
    }

    #[test]
    fn text_is_written_without_growing() {
        let ring = KekRing::generate(&SeededRandom::new(1));
        let text = ring.to_text();
        assert_eq!(text.capacity(), text.len());
    }

    #[test]
    fn bad_lines_are_named_by_number_and_never_quoted() {
        let key = format!("{LINE_PREFIX}{}", "5e".repeat(32));
        let other = format!("{LINE_PREFIX}{}", "6f".repeat(32));
        for (text, error) in [
            (String::new(), KekError::NoKey),
            ("# only\n\n  \n".into(), KekError::NoKey),
            (format!("{key}\n{other}\n{key}\n"), KekError::Doubled { line: 3 }),
            (format!("# first\n\n{key}00"), KekError::NotAKey { line: 3 }),
            (key[..key.len() - 2].into(), KekError::NotAKey { line: 1 }),
            (key.replace("5e", "5E"), KekError::NotAKey { line: 1 }),
            (key.replace("kek-1", "kek-2"), KekError::NotAKey { line: 1 }),
            ("5e".repeat(32), KekError::NotAKey { line: 1 }),
            (format!("{key} {other}"), KekError::NotAKey { line: 1 }),
        ] {
            let refused = KekRing::parse(&text).unwrap_err();
            assert_eq!(refused, error, "{text:?}");
            assert!(!format!("{refused} {refused:?}").contains("5e5e"));
        }
    }

    #[test]
    fn keys_come_first_when_prepended_and_the_last_one_stays() {
        let random = SeededRandom::new(2);
        let mut ring = KekRing::generate(&random);
        let old = ring.first_id().clone();
        assert!(!ring.remove(&old));
        ring.prepend_generated(&random);
        let new = ring.first_id().clone();
        assert_eq!(ids(&ring), [new.clone(), old.clone()]);
        assert!(ring.remove(&old));
        assert!(!ring.remove(&old));
        assert!(!ring.remove(&new));
        assert_eq!(ids(&ring), [new]);
    }

    #[test]
    fn a_passphrase_and_its_salt_make_the_same_key_every_time() {
        let id = |passphrase, salt| ids(&KekRing::from_passphrase(passphrase, &[salt; 16]).unwrap());
        let first = id("correct horse battery", 1);
        assert_eq!(first, id("correct horse battery", 1));
        assert_ne!(first, id("correct horse battery", 2));
        assert_ne!(first, id("correct horse batterx", 1));
        // Pinned: servers in the field derive their key so. A change here locks them out.
        assert_eq!(first[0].to_string(), "4296acf6db82cb1e");
    }

    #[test]
    fn short_and_boundless_passphrases_are_refused() {
        for passphrase in ["", "elevenchars", "ümlaute ümß", &"x".repeat(1025)] {
            let refused = KekRing::from_passphrase(passphrase, &[0; 16]).unwrap_err();
            assert_eq!(refused, KekError::PassphraseLength, "{passphrase:?}");
        }
        assert!(KekRing::from_passphrase("ümlaute ümßü", &[0; 16]).is_ok());
    }
}
