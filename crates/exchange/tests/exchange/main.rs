//! Exchanges against token endpoints that behave, misbehave, or are somebody else.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azure;
mod cache;
mod gcp;
mod oauth_answers;
mod oauth_requests;
mod oauth_trouble;
mod provider;
mod sigv4;
mod sigv4_rules;
mod sts;
