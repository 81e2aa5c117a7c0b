//! Requests to AWS: signed with Signature Version 4, under a role that STS lends for an hour.
//!
//! Sources: AWS's "Create a signed AWS API request" and STS's reference of `AssumeRole`; where they leave something open,
//! botocore, and what services have answered to those who asked (noted beside the rule).

mod canonical;
mod sign;
mod sts;
mod xml;

use claviger_catalog::SecretText;

pub use sign::{Call, Payload, SignError, sign, takes_unsigned};
pub use sts::{AssumeRole, LASTS_SECONDS, Session, assume_role, role_arn, session_name};

/// What a request is signed with.
#[derive(Debug)]
pub struct Credentials {
    /// Which key; no secret.
    pub access_key_id: String,
    /// The key. It never travels.
    pub secret_access_key: SecretText,
    /// What says that the key is lent. It travels with each request.
    pub session_token: Option<SecretText>,
}
