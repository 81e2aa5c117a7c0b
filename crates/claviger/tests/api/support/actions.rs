//! Requests to the routes below `/api/v2/actions`, and what tests make by them.

use claviger_http::RouteInfo;
use serde_json::Value;

use super::sample::{Sample, application_key, by_id};
use super::{Client, connections};

const REGISTRATIONS: &str = "/api/v2/actions/app_key_registrations";

/// Whether a path is one of these routes'.
pub(super) fn knows(path: &str) -> bool {
    path.starts_with("/api/v2/actions/")
}

/// A request to one of these routes that would succeed for an admin.
pub(super) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    match (route.method.as_str(), route.path) {
        ("GET", REGISTRATIONS) => {
            Sample { path: REGISTRATIONS.to_owned(), headers: Vec::new(), body: None, success: 200 }
        }
        (method, "/api/v2/actions/app_key_registrations/{app_key_id}") => {
            let id = application_key(admin, Value::Null).await.id;
            let path = registration(&id);
            if method == "PUT" {
                return Sample { path, headers: Vec::new(), body: None, success: 201 };
            }
            register(admin, &id).await;
            by_id(method, path, Value::Null)
        }
        (_, path) if path.contains("/connections") => connections::sample(route, admin).await,
        (method, path) => {
            panic!("{method} {path} is a route that this table does not know: add a request to it")
        }
    }
}

/// The path of an id's registration.
pub(crate) fn registration(id: &str) -> String {
    format!("{REGISTRATIONS}/{id}")
}

/// Registers an id.
pub(crate) async fn register(admin: &Client, id: &str) {
    admin.send(http::Method::PUT, &registration(id), &[], None::<String>).await.expect(201);
}
