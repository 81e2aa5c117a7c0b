//! `/api/v2/actions`

mod app_key_registrations;
mod connections;
