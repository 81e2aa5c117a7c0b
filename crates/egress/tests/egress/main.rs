//! The way out against hostile addresses, names, name servers and certificates, on loopback alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]
#![allow(clippy::print_stdout, reason = "a test prints what it measured")]

mod corpus;
mod forms;
mod lookups;
mod network;
mod policy;
mod pool;
mod ranges;
mod rebinding;
mod tls;
