//! `/api/v2/actions`

mod connections;
