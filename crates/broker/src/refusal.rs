//! Why the broker does not pass a request on, or its answer back: one table from reason to status and words.
//!
//! Each refusal carries `Claviger-Error` with a stable code. What an upstream answers never does, since every
//! `Claviger-*` header of its is dropped, so that callers can tell whose word an answer is.

use axum::body::Body;
use claviger_egress::ConnectError;
use claviger_engine::{AuthFailure, AuthReason, Error as EngineError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::json;

/// A stable code for why not.
pub const ERROR: HeaderName = HeaderName::from_static("claviger-error");

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The credentials.
    Auth(AuthFailure),
    /// The caller lacks the right to use connections.
    Forbidden,
    /// The connection's restriction, or a rule of its own.
    Restricted,
    /// The org's share of requests is used up.
    RateLimited,
    /// As many calls of this connection are under way as may be.
    Busy,
    /// As many calls of the org are under way as may be, or as much is held for them.
    OrgBusy,
    /// The same of all orgs.
    ServerBusy,
    /// As many names are being looked up for the org as may be.
    LookupBusy,
    /// There is no such connection, or none that the caller may know of.
    ConnectionAbsent,
    /// Its time is over.
    ConnectionExpired,
    /// What it holds cannot be used any more: its type is not in the catalog, or a setting no longer fits.
    ConnectionUnusable(&'static str),
    /// The path after `/broker/` names no connection.
    NoConnection,
    /// The path, or the query.
    Path(PathFault),
    /// `Claviger-Host` is no host.
    HostInvalid,
    /// The connection has no single base URL, and the caller does not say which host it means.
    HostNeeded,
    /// The connection does not allow the host that was asked for.
    HostNotAllowed,
    /// None of the connection's rules speaks of such a call.
    NotInRules,
    /// The call asks for another method or path than its own, and the connection's rules are about those.
    Override,
    /// `Claviger-Retries` is no number that is allowed.
    RetriesInvalid,
    /// The target stands in the request in a form that only proxies take.
    AbsoluteForm,
    /// The method is one that cannot be passed on.
    MethodNotAllowed,
    /// An upgrade or a tunnel is asked for.
    UpgradeUnsupported,
    /// The body cannot be passed on as the connection would have it.
    Body(&'static str),
    /// The caller's body did not come in time.
    BodyTimeout,
    /// The body must be read whole, and is longer than that allows.
    BodyTooLarge,
    /// The token that the call needs cannot be had.
    Exchange(&'static str),
    /// The target cannot be connected to, or may not be.
    Connect(&'static str, bool),
    /// The target does not answer in time.
    UpstreamTimeout,
    /// What the target answers is no HTTP, or breaks off.
    UpstreamBroken,
    /// The target answers in an encoding that was not asked for, in which secrets could not be found.
    UpstreamEncoded,
    /// The target answers with a part of what was asked for, in which the part of a secret could not be found.
    UpstreamPartial,
    /// The target answers in a charset in which secrets could not be found.
    UpstreamCharset,
    /// The answer is longer than can be given back in one piece.
    AnswerTooLarge,
    /// The caller or the connection came to its end meanwhile.
    Ended,
    /// What the call was made ready for was changed before it could go out, or go out again: another try does no harm.
    Changed,
    /// Whether a call may go on of which something may have gone out cannot be known.
    RightUnknown,
    /// Calls cannot be recorded, so none is made.
    Unrecorded,
    /// It cannot be known now.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// What is wrong with a path. The servers behind read such ones differently from one another, so that no rule about them
/// would hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// A segment `.` or `..`, however it is written.
    Dots,
    /// A slash or backslash, or the beginning of an escape, written as an escape.
    EncodedSlash,
    /// A backslash.
    Backslash,
    /// A segment with nothing in it.
    EmptySegment,
    /// A `%` without two hexadecimal digits.
    Escape,
    /// A character that paths and queries do not have.
    Characters,
}

impl PathFault {
    pub(crate) fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Dots => ("path_dots", "The path has a segment . or .., in clear or encoded"),
            Self::EncodedSlash => ("path_encoded_slash", "The path has an encoded slash or backslash"),
            Self::Backslash => ("path_backslash", "The path or query has a backslash"),
            Self::EmptySegment => ("path_empty_segment", "The path has an empty segment"),
            Self::Escape => ("path_escape", "The path or query has a % without two hexadecimal digits"),
            Self::Characters => ("path_characters", "The path or query has characters that must be encoded"),
        }
    }
}

impl Refusal {
    /// The caller's body ended before its end, or is no HTTP.
    pub(crate) const BODY_BROKEN: Self = Self::Body("The body broke off");

    /// Status, code and words.
    pub fn told(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Auth(failure) => auth(*failure),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "The permission connections_resolve is needed"),
            Self::Restricted => {
                (S::FORBIDDEN, "restricted", "The connection's restriction does not let the caller use it")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Rate limit exceeded"),
            Self::Busy => (
                S::TOO_MANY_REQUESTS,
                "connection_busy",
                "As many calls of the connection are under way as may be",
            ),
            Self::OrgBusy => (
                S::TOO_MANY_REQUESTS,
                "org_busy",
                "As many calls of the org are under way as may be, or as much is held in memory for them",
            ),
            Self::ServerBusy => (
                S::SERVICE_UNAVAILABLE,
                "server_busy",
                "As many calls are under way as may be, or as much is held in memory for them",
            ),
            Self::LookupBusy => (
                S::TOO_MANY_REQUESTS,
                "lookup_busy",
                "As many names are being looked up for the org as may be",
            ),
            Self::ConnectionAbsent => (S::NOT_FOUND, "connection_not_found", "Connection not found"),
            Self::ConnectionExpired => (S::FORBIDDEN, "connection_expired", "The connection's time is over"),
            Self::ConnectionUnusable(words) => (S::CONFLICT, "connection_unusable", words),
            Self::NoConnection => (
                S::NOT_FOUND,
                "no_connection",
                "Name a connection: /broker/{id} or /broker/zis:{integration}:{name}",
            ),
            Self::Path(fault) => {
                let (code, words) = fault.told();
                (S::BAD_REQUEST, code, words)
            }
            Self::HostInvalid => {
                (S::BAD_REQUEST, "host_invalid", "Claviger-Host must be one host name, without a port")
            }
            Self::HostNeeded => (
                S::BAD_REQUEST,
                "host_needed",
                "The connection has no single base URL: name the host in Claviger-Host",
            ),
            Self::HostNotAllowed => {
                (S::FORBIDDEN, "host_not_allowed", "The connection does not allow this host")
            }
            Self::NotInRules => {
                (S::FORBIDDEN, "not_in_rules", "The connection's rules do not admit this method and path")
            }
            Self::Override => (
                S::BAD_REQUEST,
                "override",
                "A header, parameter or field asks for another method or path, which the connection's rules are about",
            ),
            Self::RetriesInvalid => {
                (S::BAD_REQUEST, "retries_invalid", "Claviger-Retries must be one digit, from 0 to 3")
            }
            Self::AbsoluteForm => (S::BAD_REQUEST, "absolute_form", "The request's target must be a path"),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not passed on")
            }
            Self::UpgradeUnsupported => {
                (S::NOT_IMPLEMENTED, "upgrade_unsupported", "Upgrades and tunnels are not passed on")
            }
            Self::Body(words) => (S::BAD_REQUEST, "body", words),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "body_timeout", "The body did not come in time"),
            Self::BodyTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "This connection's requests must be read whole: at most 1 MiB",
            ),
            Self::Exchange(code) => {
                (S::BAD_GATEWAY, code, "The third party does not give the token that the call needs")
            }
            Self::Connect(code, true) => (S::FORBIDDEN, code, "The target may not be connected to"),
            Self::Connect(code, false) => (S::BAD_GATEWAY, code, "The target cannot be connected to"),
            Self::UpstreamTimeout => {
                (S::GATEWAY_TIMEOUT, "upstream_timeout", "The target does not answer in time")
            }
            Self::UpstreamBroken => {
                (S::BAD_GATEWAY, "upstream_broken", "The target's answer is no HTTP, or breaks off")
            }
            Self::UpstreamEncoded => (
                S::BAD_GATEWAY,
                "upstream_encoded",
                "The target answers in an encoding that was not asked for",
            ),
            Self::UpstreamPartial => (
                S::BAD_GATEWAY,
                "upstream_partial",
                "The target answers with a range of bytes that was not asked for",
            ),
            Self::UpstreamCharset => (
                S::BAD_GATEWAY,
                "upstream_charset",
                "The target answers in a charset in which its answer cannot be searched for secrets",
            ),
            Self::AnswerTooLarge => (
                S::BAD_GATEWAY,
                "answer_too_large",
                "The target's answer is larger than 1 MiB: call it through /broker/, which passes on what comes",
            ),
            Self::Ended => (S::FORBIDDEN, "ended", "The caller or the connection came to its end meanwhile"),
            Self::Changed => (
                S::SERVICE_UNAVAILABLE,
                "changed",
                "The connection was changed before the call could be sent: try again",
            ),
            Self::RightUnknown => (
                S::SERVICE_UNAVAILABLE,
                "right_unknown",
                "Whether the call may go on cannot be known, and it may have reached the target",
            ),
            Self::Unrecorded => (S::SERVICE_UNAVAILABLE, "unrecorded", "Calls cannot be recorded at present"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal server error"),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.told().1
    }

    /// Whether a caller is asked to try again: nothing was done, and it may be otherwise in a moment.
    pub fn is_to_be_tried_again(&self) -> bool {
        let is_for_now =
            matches!(self.told().0, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        is_for_now && *self != Self::RightUnknown
    }

    /// The answer to a caller.
    pub(crate) fn response(&self) -> Response<Body> {
        let (status, code, words) = self.told();
        let body = json!({ "errors": [{ "code": code, "detail": words }] }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ERROR, HeaderValue::from_static(code));
        headers.extend(
            headers_of(status).filter(|(name, _)| name != RETRY_AFTER || self.is_to_be_tried_again()),
        );
        response
    }
}

/// What a refusal's headers say by its status alone.
pub fn headers_of(status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    match status {
        StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Some((RETRY_AFTER, HeaderValue::from_static("1")))
        }
        _ => None,
    }
}

fn auth(failure: AuthFailure) -> (StatusCode, &'static str, &'static str) {
    const WORDS: &str = "The credentials are not valid";
    let reason = match failure {
        AuthFailure::Unavailable => return Refusal::Unavailable.told(),
        AuthFailure::Limited(_) => return Refusal::RateLimited.told(),
        AuthFailure::NothingPresented => AuthReason::Missing,
        AuthFailure::ApiKey(reason)
        | AuthFailure::ApplicationKey(reason)
        | AuthFailure::Token(reason)
        | AuthFailure::Session(reason)
        | AuthFailure::Password(reason) => reason,
    };
    match reason {
        AuthReason::AddressNotAllowed => {
            (StatusCode::FORBIDDEN, reason.as_str(), "The credential may not be used from this address")
        }
        _ => (StatusCode::UNAUTHORIZED, reason.as_str(), WORDS),
    }
}

impl From<AuthFailure> for Refusal {
    fn from(failure: AuthFailure) -> Self {
        Self::Auth(failure)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Absent(_) => Self::ConnectionAbsent,
            EngineError::Restricted(_) => Self::Restricted,
            EngineError::Refused(_) | EngineError::Unregistered | EngineError::ScopeNotNamed(_) => {
                Self::Forbidden
            }
            EngineError::CallerGone => Self::Auth(AuthFailure::Token(AuthReason::Unknown)),
            EngineError::Unavailable(cause) => {
                if let Some(cause) = cause {
                    tracing::warn!(error = claviger_model::chain(&cause), "a call found the database away");
                }
                Self::Unavailable
            }
            error => {
                tracing::error!(error = claviger_model::chain(&error), "a call failed");
                Self::Internal
            }
        }
    }
}

impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        match &error {
            ConnectError::Refused(refusal) => Self::Connect(refusal.code(), true),
            ConnectError::Busy => Self::LookupBusy,
            ConnectError::Timeout => Self::UpstreamTimeout,
            error => Self::Connect(error.code(), false),
        }
    }
}
