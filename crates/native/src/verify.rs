//! `/verify`: whether a request that stands at a gateway presents a good credential, and who it is.
//!
//! Made for nginx's `auth_request`, Traefik's `forwardAuth` and Envoy's HTTP `ext_authz`: any method, any path
//! below `/verify/`, the verdict in the status, the identity in headers. It is answered before any router, from
//! memory alone.

use bytes::Bytes;
use claviger_engine::{AuthFailure, AuthReason, Caller, Engine, Presented};
use claviger_http::openapi::{Described, Named, Operation, Query};
use claviger_http::{
    App, Bucket, Front, POSITION, Peer, REQUEST_ID, RouteInfo, Standing, Who, presented, request_id_header,
};
use claviger_model::{CredentialKind, OwnNumber, Permission, PermissionSet, Scopes};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;

const PATH: &str = "/verify";

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The permissions that the gateway asks for, parted by commas: all are needed. Where it stands, the query's do
/// not count, since the query may be the client's.
const REQUIRE: HeaderName = HeaderName::from_static("claviger-require");
const ORG: HeaderName = HeaderName::from_static("claviger-org");
const KEY_ID: HeaderName = HeaderName::from_static("claviger-key-id");
const USER: HeaderName = HeaderName::from_static("claviger-user");
/// Of a native key: whose it is, in the words of the org that issued it.
const EXTERNAL_ID: HeaderName = HeaderName::from_static("claviger-external-id");
const SCOPES: HeaderName = HeaderName::from_static("claviger-scopes");
/// A stable code for why not.
const ERROR: HeaderName = HeaderName::from_static("claviger-error");

/// Answers `/verify` and everything below it.
pub struct VerifyFront(App);

/// Why not.
enum Refused {
    Auth(AuthFailure),
    /// A lone API key has no permissions, and some are asked for.
    NoPermissions,
    /// It lacks one that is asked for.
    MissingPermission,
    /// The gateway asks for something that is no permission: nobody has it.
    UnknownPermission,
    RateLimited,
}

impl VerifyFront {
    /// The front for an application.
    pub fn new(app: App) -> Self {
        Self(app)
    }

    /// The routes that it answers.
    pub fn routes() -> Vec<Described> {
        let info = |path| RouteInfo {
            method: Method::GET,
            path,
            who: Who::AnyCredential,
            bucket: Bucket::VERIFY,
            summary: "Verify the credential of a request that stands at a gateway",
        };
        vec![
            Described { info: info(PATH), operation: operation("Verify") },
            Described { info: info("/verify/{*path}"), operation: operation("VerifyBelow") },
        ]
    }

    fn verify(
        &self,
        request: &Request<Incoming>,
        peer: Peer,
        headers: &mut HeaderMap,
    ) -> Result<Caller, Refused> {
        let app = &self.0;
        let caller = self.authenticate(request.headers(), peer).map_err(Refused::Auth)?;
        if let Some(standing) = app.limits().take(caller.org(), Bucket::VERIFY, || app.engine().clock().now())
        {
            standing.write(headers);
            if standing.is_exceeded {
                return Err(Refused::RateLimited);
            }
        }
        let own = |name: &str| app.engine().own_permissions(caller.org())?.number(name);
        let required = required(request, own).ok_or(Refused::UnknownPermission)?;
        match (required == PermissionSet::EMPTY, caller.kind()) {
            (true, _) => Ok(caller),
            (false, CredentialKind::ApiKey) => Err(Refused::NoPermissions),
            (false, _) if caller.may_all(&required) => Ok(caller),
            (false, _) => Err(Refused::MissingPermission),
        }
    }

    /// Any issued credential as a bearer token or in `X-API-Key`; else an API key, alone or with an application
    /// key beside it. The first that is presented decides.
    fn authenticate(&self, headers: &HeaderMap, peer: Peer) -> Result<Caller, AuthFailure> {
        let engine = self.0.engine();
        let presented: Presented<'_> = presented(headers);
        let whence = self.0.whence(headers, Some(peer));
        if let Some(token) = presented.bearer.or_else(|| headers.get(X_API_KEY).map(HeaderValue::as_bytes)) {
            return engine.authenticate_any(token, &whence);
        }
        match presented.application_key {
            Some(_) => engine.authenticate(presented, &whence),
            None => engine.authenticate_lone_api_key(presented.api_key, &whence),
        }
    }
}

/// Everything that is asked for; none where something of it is no permission, be it of the fixed list or of the
/// caller's org.
fn required(request: &Request<Incoming>, own: impl Fn(&str) -> Option<OwnNumber>) -> Option<PermissionSet> {
    let mut set = PermissionSet::EMPTY;
    let mut add = |name: &str| match Permission::parse(name) {
        Some(permission) => Some(set.insert(permission)),
        None => own(name).map(|number| set.insert_own(number)),
    };
    if request.headers().contains_key(REQUIRE) {
        for value in request.headers().get_all(REQUIRE) {
            let names = value.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty());
            for name in names {
                add(name)?;
            }
        }
    } else {
        for name in queried(request.uri()) {
            add(&name)?;
        }
    }
    Some(set)
}

fn queried(uri: &Uri) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.filter(|(name, _)| name == "permission").map(|(_, value)| value)
}

fn operation(id: &'static str) -> Operation {
    let text = json!({ "type": "string" });
    let id_text = json!({ "type": "string", "format": "uuid" });
    let valid = json!({
        "type": "object",
        "properties": {
            "valid": { "type": "boolean", "const": true },
            "org": id_text,
            "key_id": id_text,
            "kind": text,
            "user": { "type": ["string", "null"], "format": "uuid" },
            "scopes": { "type": ["array", "null"], "items": text },
            "permissions": { "type": "array", "items": text, "description": "Of native keys alone" },
            "external_id": { "type": ["string", "null"], "description": "Of native keys alone" },
            "metadata": { "type": ["object", "null"], "description": "Of native keys alone" },
        },
        "required": ["valid", "org", "key_id", "kind", "user", "scopes"],
    });
    let invalid = json!({
        "type": "object",
        "properties": { "valid": { "type": "boolean", "const": false }, "reason": text },
        "required": ["valid", "reason"],
    });
    let permission = Query {
        name: "permission",
        description: "Needed permissions, one in each; all are needed. The header Claviger-Require wins"
            .to_owned(),
        schema: json!({ "type": "array", "items": text }),
    };
    Operation::new(id, "Claviger: verification", Named::new("Invalid", invalid))
        .query(vec![permission])
        .answers(StatusCode::OK, Named::new("Valid", valid))
}

impl Front for VerifyFront {
    fn answer(&self, request: &Request<Incoming>, peer: Peer) -> Option<Response<Full<Bytes>>> {
        let below = request.uri().path().strip_prefix(PATH)?;
        if !below.is_empty() && !below.starts_with('/') {
            return None;
        }
        let mut headers = HeaderMap::with_capacity(12);
        let verdict = self.verify(request, peer, &mut headers);
        let (status, body) = match &verdict {
            Ok(caller) => {
                self.0.metrics().count_verified();
                headers.insert(POSITION, value(&self.0.engine().applied().to_string()));
                (StatusCode::OK, identify(self.0.engine(), caller, &mut headers))
            }
            Err(refused) => self.refuse(refused, &mut headers),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REQUEST_ID, request_id_header(self.0.request_ids().next()));
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Some(response)
    }
}

impl VerifyFront {
    fn refuse(&self, refused: &Refused, headers: &mut HeaderMap) -> (StatusCode, Bytes) {
        let app = &self.0;
        if let Refused::Auth(failure) = refused {
            app.refusals().note(*failure, app.engine().clock().now(), app.metrics());
        }
        let (status, reason) = match refused {
            Refused::Auth(AuthFailure::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Refused::Auth(AuthFailure::Limited(exhausted)) => {
                Standing::from(*exhausted).write(headers);
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited")
            }
            Refused::Auth(AuthFailure::NothingPresented) => {
                (StatusCode::UNAUTHORIZED, AuthReason::Missing.as_str())
            }
            Refused::Auth(
                AuthFailure::ApiKey(reason)
                | AuthFailure::ApplicationKey(reason)
                | AuthFailure::Token(reason)
                | AuthFailure::Session(reason)
                | AuthFailure::Password(reason),
            ) => match reason {
                AuthReason::AddressNotAllowed => (StatusCode::FORBIDDEN, reason.as_str()),
                _ => (StatusCode::UNAUTHORIZED, reason.as_str()),
            },
            Refused::NoPermissions => (StatusCode::FORBIDDEN, "no_permissions"),
            Refused::MissingPermission => (StatusCode::FORBIDDEN, "missing_permission"),
            Refused::UnknownPermission => (StatusCode::FORBIDDEN, "unknown_permission"),
            Refused::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
        };
        headers.insert(ERROR, HeaderValue::from_static(reason));
        match status {
            StatusCode::UNAUTHORIZED => {
                drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => {}
        }
        (status, format!(r#"{{"valid":false,"reason":"{reason}"}}"#).into())
    }
}

/// Writes the identity into the headers, and returns the body that says the same.
fn identify(engine: &Engine, caller: &Caller, headers: &mut HeaderMap) -> Bytes {
    let (org, key) = (caller.org().to_string(), caller.acting().to_string());
    let user = caller.user().map(|user| user.to_string());
    let scopes = caller.scopes().map(|scopes| names(engine, caller, scopes));
    let mut body = format!(r#"{{"valid":true,"org":"{org}","key_id":"{key}","kind":"{}""#, caller.kind());
    match &user {
        Some(user) => body += &format!(r#","user":"{user}""#),
        None => body += r#","user":null"#,
    }
    let listed = scopes.as_ref().map(|scopes| format!(r#"["{}"]"#, scopes.replace(' ', "\",\"")));
    body += r#","scopes":"#;
    body += listed.as_deref().unwrap_or("null");
    if caller.kind() == CredentialKind::NativeKey {
        let external_id = caller.external_id().map(|id| serde_json::Value::from(id).to_string());
        body += r#","permissions":"#;
        body += listed.as_deref().unwrap_or("[]");
        body += r#","external_id":"#;
        body += external_id.as_deref().unwrap_or("null");
        body += r#","metadata":"#;
        body += caller.metadata().unwrap_or("null");
        // It was checked when it was given, but a database can be edited.
        let header = caller.external_id().and_then(|id| HeaderValue::from_str(id).ok());
        header.map(|id| headers.insert(EXTERNAL_ID, id));
    }
    body += "}";
    headers.insert(ORG, value(&org));
    headers.insert(KEY_ID, value(&key));
    user.map(|user| headers.insert(USER, value(&user)));
    scopes.map(|scopes| headers.insert(SCOPES, value(&scopes)));
    body.into()
}

/// The names of scopes, parted by spaces.
fn names(engine: &Engine, caller: &Caller, scopes: &Scopes) -> String {
    if scopes.own().len() == 0 {
        return scopes.to_list();
    }
    let known = engine.own_permissions(caller.org()).unwrap_or_default();
    known.names(scopes).collect::<Vec<_>>().join(" ")
}

/// Ids, positions and permission names are all plain ASCII.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids, positions and permission names are plain ASCII")
}
