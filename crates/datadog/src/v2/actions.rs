//! `/api/v2/actions`: connections (fact sheet 7), and which application keys may manage them (8).

pub(crate) mod connections;
