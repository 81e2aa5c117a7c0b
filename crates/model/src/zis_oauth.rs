//! OAuth clients of ZIS integrations: with what tokens are asked for, where, and where these may go then.
//!
//! Sources: the vendor's API reference, "OAuth Clients" and "OAuth Connections". That a client says where its tokens
//! may go, and that browsers are sent on to known origins alone, is ours: the vendor's documents are silent on both.

mod client;
mod error;
mod origins;
mod url;

pub use client::{ZisGrant, ZisOAuthClient, ZisOAuthClientName, ZisOAuthScopes};
pub use error::ZisOAuthError;
pub use origins::{REDIRECT_ORIGINS_MAX, RedirectOrigins};
pub use url::{ZisUrl, ZisUrlSubdomain};
