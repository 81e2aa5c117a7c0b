//! Tells webhooks of events: at least once, each webhook in the order of the ledger, none waiting for another.
//!
//! There is no queue but the ledger. A webhook's standing says how far it is; what comes after is read, signed and
//! posted, and the standing is kept once the receiver has accepted it. Whoever stops in between is told again: receivers
//! know by the event's id. A receiver that fails is tried again, later and later, and keeps its own events waiting
//! alone.

mod courier;
mod message;

pub use courier::{Courier, Options};
