//! The Zendesk dialect.

mod bad_input;
mod connections;
mod moving;
mod oauth;
mod oauth_tokens;
mod paging;
mod quota;
mod reach;
mod record;
mod refusals;
mod registry;
mod sessions;
mod tables;
mod tenancy;
