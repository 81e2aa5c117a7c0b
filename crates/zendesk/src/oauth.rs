//! `/api/services/zis/connections`: OAuth clients, and OAuth connections from their beginning to their end
//! (reference: "OAuth Clients" and "OAuth Connections"). The integration comes last in these paths.
//!
//! No answer holds a client's secret, as the vendor's list of clients does, and tokens are in clear only where the operator
//! wants the vendor's way: in the answer that shows one connection, and nowhere else.

mod begin;
mod body;
mod callback;
mod clients;
mod connections;
pub(crate) mod wire;

use claviger_http::{Bucket, Route, RouteInfo, Who};
use claviger_oauth::OAuth;
use http::Method;

/// Where browsers come back to.
pub(crate) const CALLBACK: &str = "/api/services/zis/connections/oauth/callback";

pub(crate) fn routes(oauth: &OAuth) -> Vec<Route> {
    let routes = [clients::routes(), begin::routes(), connections::routes(), callback::routes()];
    routes.into_iter().flatten().map(|route| route.with(oauth.clone())).collect()
}

fn info(method: Method, path: &'static str, summary: &'static str) -> RouteInfo {
    RouteInfo { method, path, who: Who::Integration, bucket: Bucket::ZIS, summary }
}
