//! The Zendesk dialect.

mod connections;
mod oauth_tokens;
mod reach;
mod record;
mod refusals;
mod registry;
mod tables;
mod tenancy;
