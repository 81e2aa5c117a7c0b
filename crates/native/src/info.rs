//! What most routes have in common: a user calls them, and they count against the native API's limit.

use claviger_http::{Bucket, RouteInfo, Who};
use claviger_model::Permission;
use http::Method;

/// A route for users with any one of these permissions.
pub(crate) fn for_users(
    method: Method,
    path: &'static str,
    any_of: &'static [Permission],
    summary: &'static str,
) -> RouteInfo {
    RouteInfo { method, path, who: Who::User(any_of), bucket: Bucket::NATIVE, summary }
}
