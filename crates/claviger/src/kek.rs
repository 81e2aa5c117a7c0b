//! The master keys: found where the settings say, and made for a database that has none yet.
//!
//! What is done with them later is in [`commands`], and what is told of it in [`cli`].

pub mod cli;
pub(crate) mod commands;

use std::path::Path;

use claviger_model::Random;
use claviger_vault::{KekRing, SystemRandom};

use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::private_file;
use crate::settings::KekSource;

/// Whether a database holds keys that master keys wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It does not: master keys that are missing may be made.
    New,
    /// It does: only those master keys will do.
    Existing,
}

/// The master keys.
///
/// # Errors
/// When they are missing for an existing database, are readable by others, or are no master keys.
pub fn load(source: &KekSource, data: &DataDir, age: Age) -> Result<KekRing, StartError> {
    load_with_salt(source, &data.kek_salt_file(), age)
}

/// The master keys of an existing database, for those who only read: nothing is made, and the data directory may
/// be in use.
///
/// # Errors
/// As [`load`].
pub fn load_beside(source: &KekSource, data: &Path) -> Result<KekRing, StartError> {
    load_with_salt(source, &DataDir::kek_salt_file_of(data), Age::Existing)
}

fn load_with_salt(source: &KekSource, salt_file: &Path, age: Age) -> Result<KekRing, StartError> {
    match source {
        KekSource::File(path) => from_file(path, age),
        KekSource::Text(text) => KekRing::parse(text)
            .map_err(|source| StartError::KekText { place: "CLAVIGER_KEK".into(), source }),
        KekSource::Passphrase(passphrase) => {
            let salt = salt(salt_file, age)?;
            KekRing::from_passphrase(passphrase, &salt)
                .map_err(|source| StartError::KekText { place: "CLAVIGER_KEK_PASSPHRASE".into(), source })
        }
    }
}

fn from_file(path: &Path, age: Age) -> Result<KekRing, StartError> {
    match private_file::read(path).map_err(|source| StartError::Read { path: path.to_owned(), source })? {
        Some(contents) if contents.is_exposed => Err(StartError::KekExposed { path: path.to_owned() }),
        Some(contents) => KekRing::parse(&contents.text)
            .map_err(|source| StartError::KekText { place: path.display().to_string(), source }),
        None if age == Age::Existing => Err(StartError::KekMissing { path: path.to_owned() }),
        None => {
            let ring = KekRing::generate(&SystemRandom);
            private_file::write(path, ring.to_text().as_bytes())
                .map_err(|source| StartError::Write { path: path.to_owned(), source })?;
            tracing::info!(path = %path.display(), "new master keys were made: keep a copy apart from the database");
            Ok(ring)
        }
    }
}

fn salt(path: &Path, age: Age) -> Result<[u8; 16], StartError> {
    match private_file::read(path).map_err(|source| StartError::Read { path: path.to_owned(), source })? {
        Some(contents) => parse_salt(&contents.text).ok_or(StartError::SaltText { path: path.to_owned() }),
        None if age == Age::Existing => Err(StartError::SaltMissing { path: path.to_owned() }),
        None => {
            let mut salt = [0; 16];
            SystemRandom.fill(&mut salt);
            private_file::write(path, format!("{}\n", salt_text(salt)).as_bytes())
                .map_err(|source| StartError::Write { path: path.to_owned(), source })?;
            Ok(salt)
        }
    }
}

/// 32 hexadecimal digits.
fn salt_text(salt: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(salt))
}

fn parse_salt(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    // The standard parser would take a sign and other lengths too.
    let is_salt = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_salt.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_salt_survives_its_text_and_nothing_else_is_one() {
        let salt = *b"\0\x01leading zeros.";
        assert_eq!(parse_salt(&salt_text(salt)), Some(salt));
        for text in ["", "+0123456789abcdef0123456789abcde", "0123", "0123456789abcdef0123456789abcdeg"] {
            assert_eq!(parse_salt(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_passphrase_makes_the_same_keys_as_long_as_its_salt_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::open(&directory.path().join("data")).unwrap();
        let source = KekSource::Passphrase(Zeroizing::new("correct horse battery".to_owned()));
        let id = |age| load(&source, &data, age).map(|ring| ring.first_id().clone());
        let refused = id(Age::Existing).unwrap_err().to_string();
        assert!(refused.contains("kek.salt") && refused.contains("back"), "{refused}");
        assert_eq!(id(Age::New).unwrap(), id(Age::Existing).unwrap());
        std::fs::write(data.kek_salt_file(), "nonsense").unwrap();
        let refused = id(Age::New).unwrap_err().to_string();
        assert!(refused.contains("32 hexadecimal digits"), "{refused}");
    }

    #[test]
    fn text_that_holds_no_key_is_refused_by_the_name_of_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::open(&directory.path().join("data")).unwrap();
        let check = |source, place: &str| {
            let refused = load(&source, &data, Age::New).unwrap_err().to_string();
            assert!(refused.contains(place), "{refused}");
        };
        check(KekSource::Text(Zeroizing::new("nonsense".to_owned())), "CLAVIGER_KEK ");
        check(KekSource::Passphrase(Zeroizing::new("short".to_owned())), "CLAVIGER_KEK_PASSPHRASE ");
        let path = directory.path().join("other");
        private_file::write(&path, b"nonsense").unwrap();
        check(KekSource::File(path), "/other ");
    }
}
