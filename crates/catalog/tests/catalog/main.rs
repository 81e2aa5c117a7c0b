//! The catalog through its front door: bodies in, settings, secrets and faults out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

mod adopt;
mod create;
mod damaged;
mod extra;
mod hosts;
mod http;
mod inject;
mod placement;
mod repoint;
mod schema;
mod shown;
mod support;
mod update;
mod update_model;
