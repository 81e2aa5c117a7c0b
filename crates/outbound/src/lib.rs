//! One request outwards, to an address that somebody else chose.
//!
//! How to get there safely is the matter of `claviger-egress`. Here, redirects are handed back, not followed; the whole
//! exchange has one deadline, and what is read of the answer is bounded. There is no pool: what is asked for here is
//! rare.

mod client;

pub use client::{Answer, Client, Request, SendError};
