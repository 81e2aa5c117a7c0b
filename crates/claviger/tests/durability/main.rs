//! What was acknowledged is there: after `kill -9` at any moment, and, as far as a trace of system
//! calls shows it, after the power went.
//!
//! The number of rounds of kills is `CLAVIGER_CRASH_ROUNDS`, 200 unless it says otherwise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]
#![allow(clippy::print_stdout, reason = "a test prints what it measured")]

mod crash;
mod http;
#[path = "../process/mod.rs"]
mod process;
mod server;
mod sync;
