//! `/api/v2/current_user/…`: the caller's own.

pub(crate) mod application_keys;
