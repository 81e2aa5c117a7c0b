//! The server through its front door: the real router and fronts, a real, fresh database for each test, on both
//! engines. The modules are laid out like the paths.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

mod connections;
mod database_tls;
mod openapi;
mod support;
mod v1;
mod v2;
mod verify;
