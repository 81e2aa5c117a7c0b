//! Masks known secrets in a stream of bytes, in whatever form they are written: as they are, in base64, in hex, with
//! any of their characters escaped as URLs, JSON or HTML do. See [`crate::forms`] and [`crate::escape`] for what is
//! searched.
//!
//! Each masked byte becomes `*`, so that lengths stay. Only bytes that may begin a secret are held back, never more than
//! [`Needles::held_max`]. Where secrets overlap, all that belongs to any of them is masked.
//!
//! What is not searched: secrets below [`Needles::LENGTH_MIN`] bytes, parts of a secret, secrets in compressed or
//! encrypted texts, in UTF-16, in base64 that is broken into lines, under other encodings than these, or under
//! several of them but those that [`crate::forms`] and [`crate::escape`] name.
//!
//! No I/O, no clock. The time that it takes grows with the text's length and with no more than that, whatever is in it;
//! by which factor depends on the secrets. One that repeats itself more than 32 times is therefore searched in parts.

mod blocks;
mod byte_set;
mod escape;
mod forms;
mod held;
mod hits;
#[cfg(test)]
mod linear;
mod matcher;
mod needles;
mod pieces;
mod redactor;
mod search;
mod sieve;
mod starts;
mod symbol;

pub use needles::Needles;
pub use pieces::Pieces;
pub use redactor::Redactor;
