//! The Zendesk dialect.

mod connections;
mod oauth;
mod oauth_tokens;
mod record;
mod refusals;
mod registry;
mod tenancy;
