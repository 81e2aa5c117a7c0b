//! One request outwards, to an address that somebody else chose.
//!
//! A name is looked up, every address that it has is checked, and the connection goes to one of those very addresses,
//! so that a name cannot mean one thing to the check and another to the connection. Redirects are handed back, not
//! followed. The whole exchange has one deadline, and what is read of the answer is bounded. There is no pool and no
//! proxy: what is asked for here is rare, and must not depend on the environment.
//!
//! TLS trusts what the operator's system trusts: a self-hosted server has receivers of the same house, behind an
//! authority of that house.

mod address;
mod client;

pub use address::{Reach, is_public};
pub use client::{Answer, Client, Request, Roots, RootsError, SendError};
