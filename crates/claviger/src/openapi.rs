//! `/openapi.json`: the description of everything that is served, by the routes themselves.

use bytes::Bytes;
use claviger_http::openapi::{About, Described, Named, Operation, document};
use claviger_http::{Bucket, Route, RouteInfo, Who};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::json;

const ABOUT: About = About {
    title: "Claviger",
    version: env!("CARGO_PKG_VERSION"),
    description: "A self-hosted key server. Every answer carries `x-request-id`, but for what the broker passes \
                  on, which carries `Claviger-Request-Id`; a change tells its place in the ledger in \
                  `Claviger-Position`, and a request with `Claviger-After` is answered from that place or later, \
                  waiting up to two seconds, else 503. `/verify` and everything below it take any method.",
};

/// Adds the route of the description, which describes it too, to those that it describes. `beside` is what is answered
/// beside the router.
pub(crate) fn add(routes: &mut Vec<Route>, beside: &[Described]) {
    let info = RouteInfo {
        method: Method::GET,
        path: "/openapi.json",
        who: Who::Anybody,
        bucket: Bucket::NATIVE,
        summary: "Get the description of this API",
    };
    let any = Named::new("OpenApi", json!({ "type": "object" }));
    let operation =
        Operation::new("GetOpenApi", "Claviger: description", any.clone()).answers(StatusCode::OK, any);
    let mut described: Vec<_> = routes.iter().filter_map(Route::description).collect();
    described.extend_from_slice(beside);
    described.push(Described { info: info.clone(), operation: operation.clone() });
    // Written once: it does not change while the server runs.
    let text = Bytes::from(document(ABOUT, &described).to_string());
    let show = move || std::future::ready(([(CONTENT_TYPE, "application/json")], text.clone()));
    routes.push(Route::new(info, show).described(operation));
}
