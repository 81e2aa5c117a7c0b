//! `/api/services/zis/connections`: OAuth clients and OAuth connections.

mod clients;
mod failures;
mod flows;
mod renewal;
mod shares;
mod shown;
mod starting;
