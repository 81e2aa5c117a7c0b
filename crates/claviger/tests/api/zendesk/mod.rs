//! The Zendesk dialect.

mod oauth_tokens;
mod refusals;
mod registry;
mod tenancy;
