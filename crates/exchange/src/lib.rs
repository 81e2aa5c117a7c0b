//! The wire of token exchanges: a secret that lives long is handed in where its provider says, and a token that lives
//! shortly comes back.
//!
//! Everything goes out through `claviger-outbound`, and with it through the guard of `claviger-egress`. What comes back is
//! some provider's word, or that of whoever stands in its place: it is bounded, read tolerantly where real providers are
//! sloppy, and strictly where a header or a decision is made of it. No error here holds anything of an answer but a
//! cleaned code. Secrets are cleared from memory when they are done with, as far as they are held here; what the buffers
//! of HTTP and TLS hold of them is not reached.
//!
//! [`cache`] keeps what came. Who may ask, and where a token goes, is the matter of those above.

pub mod aws;
pub mod azure;
pub mod cache;
mod error;
mod form;
pub mod gcp;
pub mod oauth;
mod percent;
mod token;
mod tokens;
mod wire;

pub use error::ExchangeError;
pub use token::Token;
pub use tokens::{TOKEN_BYTES_MAX, Tokens};
pub use wire::{ANSWER_BYTES_MAX, DEADLINE, client};
