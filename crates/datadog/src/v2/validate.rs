//! `/api/v1/validate` and `/api/v2/validate`: whether an API key is good (reference: "Authentication"). An
//! application key beside it, good or bad, is not looked at.
//!
//! Both are verifications, so that they are answered before any router.

use bytes::Bytes;
use claviger_engine::AuthFailure;
use claviger_http::openapi::{Described, Named};
use claviger_http::{
    App, Bucket, Front, Peer, REQUEST_ID, RouteInfo, Standing, Who, presented, request_id_header,
};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json as value};

use crate::describe::{operation, validation};
use crate::error::UNKNOWN_API_KEY;

const V1: &str = "/api/v1/validate";
const V2: &str = "/api/v2/validate";

/// Answers both paths.
pub struct ValidateFront(App);

impl ValidateFront {
    /// The front for an application.
    pub fn new(app: App) -> Self {
        Self(app)
    }

    /// The routes that it answers.
    pub fn routes() -> Vec<Described> {
        let info = |path| RouteInfo {
            method: Method::GET,
            path,
            who: Who::ApiKey,
            bucket: Bucket::VALIDATE,
            summary: "Validate API key",
        };
        let v1 = operation("ValidateV1").answers(StatusCode::OK, Named::new("ValidateV1", v1_schema()));
        let v2 = validation("Validate").answers(StatusCode::OK, Named::new("Validate", v2_schema()));
        vec![Described { info: info(V1), operation: v1 }, Described { info: info(V2), operation: v2 }]
    }

    fn validate(&self, request: &Request<Incoming>, peer: Peer, is_v2: bool) -> Response<Full<Bytes>> {
        let app = &self.0;
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut response =
                json(StatusCode::METHOD_NOT_ALLOWED, r#"{"errors":["Method not allowed"]}"#.into());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let headers = request.headers();
        let whence = app.whence(headers, Some(peer));
        let identity = match app.engine().authenticate_api_key(presented(headers).api_key, &whence) {
            Ok(identity) => identity,
            Err(failure) => {
                app.refusals().note(failure, app.engine().clock().now(), app.metrics());
                return refusal(failure, is_v2);
            }
        };
        let standing = app.limits().take(identity.org, Bucket::VALIDATE, || app.engine().clock().now());
        let mut response = match standing {
            Some(standing) if standing.is_exceeded => exceeded(is_v2),
            _ if is_v2 => {
                app.metrics().count_verified();
                let scopes = if identity.remote_config_read { r#""remote_config_read""# } else { "" };
                let body = format!(
                    r#"{{"data":{{"id":"{}","type":"validate_v2","attributes":{{"valid":true,"api_key_id":"{}","api_key_scopes":[{scopes}]}}}}}}"#,
                    identity.org, identity.credential,
                );
                json(StatusCode::OK, body.into())
            }
            _ => {
                app.metrics().count_verified();
                json(StatusCode::OK, Bytes::from_static(br#"{"valid":true}"#))
            }
        };
        if let Some(standing) = standing {
            standing.write(response.headers_mut());
        }
        response
    }
}

fn v1_schema() -> Value {
    value!({ "type": "object", "properties": { "valid": { "type": "boolean", "const": true } }, "required": ["valid"] })
}

fn v2_schema() -> Value {
    let id = value!({ "type": "string", "format": "uuid" });
    let attributes = value!({
        "type": "object",
        "properties": {
            "valid": { "type": "boolean", "const": true },
            "api_key_id": id,
            "api_key_scopes": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["valid", "api_key_id", "api_key_scopes"],
    });
    let data = value!({
        "type": "object",
        "properties": { "id": id, "type": { "type": "string", "const": "validate_v2" }, "attributes": attributes },
        "required": ["id", "type", "attributes"],
    });
    value!({ "type": "object", "properties": { "data": data }, "required": ["data"] })
}

impl Front for ValidateFront {
    fn answer(&self, request: &Request<Incoming>, peer: Peer) -> Option<Response<Full<Bytes>>> {
        let is_v2 = match request.uri().path() {
            V2 => true,
            V1 => false,
            _ => return None,
        };
        let mut response = self.validate(request, peer, is_v2);
        response.headers_mut().insert(REQUEST_ID, request_id_header(self.0.request_ids().next()));
        Some(response)
    }
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Version 2 answers with error objects, version 1 like everything else.
fn refusal(failure: AuthFailure, is_v2: bool) -> Response<Full<Bytes>> {
    let object = |status: StatusCode, title: &str| {
        let body = format!(
            r#"{{"errors":[{{"status":"{}","title":"{title}","detail":"{title}"}}]}}"#,
            status.as_u16()
        );
        json(status, body.into())
    };
    match (failure, is_v2) {
        (AuthFailure::Limited(exhausted), _) => {
            let mut response = exceeded(is_v2);
            Standing::from(exhausted).write(response.headers_mut());
            response
        }
        (AuthFailure::Unavailable, true) => object(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        (_, true) => object(StatusCode::FORBIDDEN, "Forbidden"),
        (AuthFailure::NothingPresented, false) => {
            json(StatusCode::FORBIDDEN, Bytes::from_static(br#"{"errors":["API key required"]}"#))
        }
        (AuthFailure::Unavailable, false) => json(
            StatusCode::SERVICE_UNAVAILABLE,
            Bytes::from_static(br#"{"errors":["Service unavailable"]}"#),
        ),
        (_, false) => {
            let mut response = json(StatusCode::FORBIDDEN, Bytes::from_static(UNKNOWN_API_KEY.as_bytes()));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
    }
}

fn exceeded(is_v2: bool) -> Response<Full<Bytes>> {
    let body: &'static str = match is_v2 {
        true => r#"{"errors":[{"status":"429","title":"Too many requests","detail":"Rate limit exceeded"}]}"#,
        false => r#"{"errors":["Rate limit exceeded"]}"#,
    };
    json(StatusCode::TOO_MANY_REQUESTS, Bytes::from_static(body.as_bytes()))
}
