//! Passwords: what is kept of one, and whether a text is it.
//!
//! Kept is an Argon2id hash as a PHC string, with the parameters that OWASP's cheat sheet on password storage names first
//! (19 MiB, two passes, one lane; <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
//! Characters are taken as they come: the same letter typed as other code points is another password.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use claviger_model::Random;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// Fewest characters of a password, there being no rules on which.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Most bytes of a password: beyond it, somebody has passed a file by mistake.
pub const PASSWORD_BYTES_MAX: usize = 1024;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// The most that a stored hash may ask for: rows are read, and nobody's row may take all memory.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

/// A password that may be set: long enough and not too long. It does not print, and its memory is cleared on drop.
pub struct Password(Zeroizing<String>);

/// A text that may not be set as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// It is too short.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// It is too long.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

impl Password {
    /// Takes a text as it is.
    ///
    /// # Errors
    /// When it has fewer characters than [`PASSWORD_CHARS_MIN`] or more bytes than [`PASSWORD_BYTES_MAX`].
    pub fn parse(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        match text.chars().count() < PASSWORD_CHARS_MIN {
            true => Err(PasswordError::TooShort),
            false => Ok(Self(text)),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What is kept of a password. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PasswordHash {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// A text that is no hash as we write it, or asks for more than we give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the password's hash is not of Argon2id, or asks for too much")]
pub struct PasswordHashError;

impl PasswordHash {
    /// Hashes a password with a new salt. Takes some ten milliseconds and 19 MiB, on purpose: not for a thread that
    /// others wait for.
    pub fn of(password: &Password, random: &dyn Random) -> Self {
        let mut salt = vec![0; SALT_BYTES];
        random.fill(&mut salt);
        let params = parameters();
        let hash = digest(&params, password.0.as_bytes(), &salt, HASH_BYTES);
        Self { params, salt, hash: hash.to_vec() }
    }

    /// The hash of no password that anybody knows: comparing with it costs what comparing with a real one costs.
    pub fn of_nobody(random: &dyn Random) -> Self {
        let (mut salt, mut hash) = (vec![0; SALT_BYTES], vec![0; HASH_BYTES]);
        random.fill(&mut salt);
        random.fill(&mut hash);
        Self { params: parameters(), salt, hash }
    }

    /// Whether this is the password. Costs as much as [`PasswordHash::of`]; compared in constant time.
    pub fn matches(&self, password: &str) -> bool {
        let found = digest(&self.params, password.as_bytes(), &self.salt, self.hash.len());
        found.as_slice().ct_eq(&self.hash).into()
    }

    /// As a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
    pub fn to_phc(&self) -> Zeroizing<String> {
        let Self { params, salt, hash } = self;
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Zeroizing::new(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}"))
    }

    /// Reads what [`PasswordHash::to_phc`] wrote, now or with other parameters.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse_phc(text: &str) -> Result<Self, PasswordHashError> {
        Self::read(text).ok_or(PasswordHashError)
    }

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let [parameters, salt, hash] = parts(rest, '$')?;
        let [memory, passes, lanes] = parts(parameters, ',')?;
        let number = |text: &str, name: &str| text.strip_prefix(name)?.parse::<u32>().ok();
        let (memory, passes) = (number(memory, "m=")?, number(passes, "t=")?);
        if memory > MEMORY_KIB_MAX || passes > PASSES_MAX {
            return None;
        }
        let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
        let is_sound = (SALT_BYTES..=64).contains(&salt.len()) && (HASH_BYTES..=64).contains(&hash.len());
        let params = Params::new(memory, passes, number(lanes, "p=")?, Some(hash.len())).ok()?;
        is_sound.then_some(Self { params, salt, hash })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

fn parameters() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("these are within Argon2's limits")
}

fn digest(params: &Params, password: &[u8], salt: &[u8], bytes: usize) -> Zeroizing<Vec<u8>> {
    // Our own memory, because it can be wiped.
    let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let mut hash = Zeroizing::new(vec![0; bytes]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut hash, memory.as_mut_slice())
        .expect("the lengths of salt, output and memory were checked or set above, and a password is far below 4 GiB");
    hash
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    fn password(text: &str) -> Result<Password, PasswordError> {
        Password::parse(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_hash_knows_its_password_and_survives_its_text() {
        let random = SeededRandom::new(1);
        let hash = PasswordHash::of(&password("correct horse").unwrap(), &random);
        let text = hash.to_phc();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", &text[..34]);
        let read = PasswordHash::parse_phc(&text).unwrap();
        assert_eq!(*read.to_phc(), *text);
        assert!(read.matches("correct horse"));
        for other in ["correct horsf", "correct horse ", "Correct horse", ""] {
            assert!(!read.matches(other), "{other}");
        }
        let again = PasswordHash::of(&password("correct horse").unwrap(), &random);
        assert_ne!(*again.to_phc(), *text, "each has a salt of its own");
        assert!(!PasswordHash::of_nobody(&random).matches("correct horse"));
    }

    /// Written by the reference implementation, as argon2-cffi 25 brings it, of `password` with the salt
    /// `somesaltsomesalt` and the same parameters.
    #[test]
    fn others_write_the_same() {
        let text = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";
        let read = PasswordHash::parse_phc(text).unwrap();
        assert!(read.matches("password") && !read.matches("passwore"));
        assert_eq!(*read.to_phc(), text);
    }

    #[test]
    fn what_is_no_hash_of_ours_or_asks_for_too_much_is_refused() {
        let good = PasswordHash::of_nobody(&SeededRandom::new(2)).to_phc();
        for bad in [
            String::new(),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("m=19456", "m=4194304"),
            good.replace("t=2", "t=1000"),
            good.replace("p=1", "p=0"),
            good.replace("m=19456,", ""),
            good[..good.len() - 20].to_owned(),
            format!("{}$x", *good),
        ] {
            assert_eq!(PasswordHash::parse_phc(&bad).unwrap_err(), PasswordHashError, "{bad}");
        }
    }

    #[test]
    fn a_password_has_a_length_and_no_other_rule() {
        assert_eq!(password("elevenchars").unwrap_err(), PasswordError::TooShort);
        assert!(password("ümlaute ümßü").is_ok());
        assert!(password(&"x".repeat(PASSWORD_BYTES_MAX)).is_ok());
        assert_eq!(password(&"x".repeat(PASSWORD_BYTES_MAX + 1)).unwrap_err(), PasswordError::TooLong);
        assert_eq!(format!("{:?}", password("correct horse").unwrap()), "Password(..)");
    }
}
