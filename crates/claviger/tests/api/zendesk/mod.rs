//! The Zendesk dialect.

mod connections;
mod oauth_tokens;
mod record;
mod refusals;
mod registry;
mod sessions;
mod tenancy;
