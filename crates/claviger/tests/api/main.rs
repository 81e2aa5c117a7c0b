//! The server through its front door: the real router and fronts, a real, fresh database for each test, on both
//! engines. The modules are laid out like the paths.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]
#![allow(clippy::print_stdout, reason = "a test prints what it measured")]

mod allow_list;
mod bad_input;
mod broker;
mod database_tls;
mod gateway;
mod guards;
mod leftover;
mod matrix;
mod native;
mod never_wider;
mod openapi;
#[path = "../receiver/mod.rs"]
mod receiver;
mod restart;
mod revocation;
mod role_change;
mod rotation;
#[allow(dead_code, unused_imports, unused_macros, reason = "each test program uses some of it")]
mod support;
mod tokens;
mod transport;
mod v1;
mod v2;
mod verify;
mod zendesk;
