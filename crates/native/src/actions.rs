//! `/claviger/v1/actions`: calls through connections that are asked for in one piece.

mod answered;
mod asked;
mod http;
mod pairs;
mod refused;
mod schema;
mod shown;
mod user;

use std::sync::Arc;

use claviger_broker::Broker;
use claviger_http::Route;

/// Sessions never open them: a browser's cookie would speak for whoever made the browser ask.
pub(crate) fn routes(broker: &Arc<Broker>) -> Vec<Route> {
    vec![self::http::route(broker)]
}
