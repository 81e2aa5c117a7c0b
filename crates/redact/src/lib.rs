//! Masks known secrets in a stream of bytes, in whatever form they are written:
//!
//! - as they are; of a secret that is not ASCII also as UTF-8 that was taken for Latin-1, and in Latin-1;
//! - in UTF-16, of either byte order;
//! - in hex, of either case;
//! - in base64 of either alphabet, in the three ways in which a secret can lie within what is encoded, padded or not;
//! - any of these with any of its characters escaped, each in its own way: `%41` in up to three layers and `+` for a
//!   blank; `\u0041`, `\n`, `\/`, `\x41` with up to four backslashes; `&amp;`, `&#65;`, `&#x41;` in up to two layers.
//!
//! Each masked byte becomes `*`, so that lengths stay. Only bytes that may begin a secret are held back, never more than
//! [`Needles::held_max`]. Where secrets overlap, all that belongs to any of them is masked.
//!
//! What is not searched: secrets below [`Needles::LENGTH_MIN`] bytes, parts of a secret, secrets in compressed or
//! encrypted texts, in UTF-32, in base64 that is broken into lines, in hex with something between the digits, or under
//! several of these escapes at once but those layers (`\u0026amp;` is found as `&`, not as what HTML makes of it).
//!
//! No I/O, no clock. The time that it takes grows with the text's length and with no more than that, whatever is in it;
//! the factor is bounded, whatever the secrets and however many of them there are. A secret that begins 32 times over within
//! itself, as `aaaa…`, is therefore searched in parts, and a part of it is masked too. And a text in which very many
//! secrets, or ways to read them, might begin at once is masked for as long as any of them could go on.
//!
//! What is held back, and what is made of the secrets, is wiped when it goes; chunks are their owner's to wipe.

mod blocks;
mod byte_set;
mod escape;
#[cfg(test)]
mod flooded;
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
mod symbol;
mod tree;

pub use needles::Needles;
pub use pieces::Pieces;
pub use redactor::Redactor;
