//! Secrets of Claviger: generated, digested, sealed, opened, rotated. No other crate touches key material.
//!
//! This crate does no I/O. Whoever holds a [`Vault`] brings the master keys ([`KekRing`]) and the wrapped keys
//! from the database ([`WrappedKey`]), and keeps what the vault hands back.
//!
//! | key | made | protects |
//! |---|---|---|
//! | KEK, master key | outside the database, in a [`KekRing`] | every key below, by wrapping it |
//! | DEK, org data key | one per org, wrapped in the database | that org's sealed values ([`Vault::seal`]) |
//! | digest key | wrapped in the database | how issued secrets are found ([`Vault::digest`]) |
//! | ledger key | wrapped in the database | the ledger's chain ([`Vault::ledger_mac`]) |
//! | checkpoint key | wrapped in the database | signed positions ([`Vault::sign_checkpoint`]) |
//!
//! Each kind is a list: the first (newest) writes, every one reads. To rotate is to prepend.
//!
//! # What is not protected
//!
//! - **The running process.** Its memory holds the master keys and every key under them. Bytes that we own are
//!   wiped when dropped, but the compiler may have left copies on the stack, and what the cryptographic library
//!   holds is wiped as far as that library does so. Core dumps, debuggers, swap and hibernation see it all.
//! - **A master key beside its database.** Whoever has both has everything. Keep them, and their backups, apart.
//! - **What exists, and how large it is.** The number of values, whose they are, when they change, and their sizes
//!   to the byte are visible in the database.
//! - **Old values.** A value put back into the same place and revision opens; only the ledger shows the rollback.
//!   Deleting a row leaves it in backups, and old backups open with old keys.
//! - **A weak passphrase, or password.** Argon2id makes each guess slow, no more.
//! - **A lost master key.** Nobody can open what it wrapped; there is no second way in.
//! - **Uses without end of one DEK.** Nonces are random, so one DEK should seal no more than 2^32 values.

mod base62;
mod cipher;
mod csrf;
pub mod hex;
mod kek;
mod kek_ring;
mod key_list;
mod password;
mod public_key;
mod random;
mod raw_key;
mod secret;
mod signing_key;
mod vault;
mod webhook_secret;
mod wrapped_key;

pub use csrf::CsrfToken;
pub use kek::{KekId, ParseKekIdError};
pub use kek_ring::{KekError, KekRing, PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN};
pub use password::{
    PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password, PasswordError, PasswordHash, PasswordHashError,
};
pub use public_key::{EcdsaPublicKey, PublicKeyError, sha256_hex};
pub use random::SystemRandom;
pub use secret::{IssuedSecret, SecretFormatError, claims_to_be_token, is_integration_token_long};
pub use signing_key::{SigningKey, SigningKeyError};
pub use vault::Vault;
pub use vault::digests::{Digest, DigestLengthError};
pub use vault::proofs::{CheckpointSignature, LedgerMac, UnknownKey};
pub use vault::sealing::{Place, SealError};
pub use webhook_secret::WebhookSecret;
pub use wrapped_key::{KeyPurpose, ParsePurposeError, UnlockError, WrappedKey};
