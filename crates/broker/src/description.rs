//! What the API's description says of the broker: its refusals, from the very table that they are told by.

use claviger_egress::{ConnectError, Refusal as EgressRefusal};
use claviger_engine::{AuthFailure, AuthReason};
use claviger_http::openapi::{Described, Named, Operation, Parameter, PassedOn, Place, Refused};
use claviger_http::{Bucket, OWN_REQUEST_ID, RouteInfo, Who};
use claviger_model::Permission;
use http::Method;
use serde_json::json;

use crate::broker::Broker;
use crate::refusal::{ERROR, PathFault, Refusal};

const DESCRIPTION: &str = "\
    Passes a request on to the third party of a connection, with the connection's credentials, and its answer back, both as \
    they stream. Path, query and body are whatever the third party takes. The caller's own credential stands where it always \
    does or, if nothing stands there, in the header in which the third party would take its own; a token of a ZIS integration \
    with the scope `write` uses that integration's connections.\n\n\
    `path` goes on byte for byte, slashes and all, for which OpenAPI has no form: clients that are generated from this \
    description may write `%2F` for each slash, which is refused with `path_encoded_slash`. Build the address without their \
    help.\n\n\
    A refusal of Claviger's own has `Claviger-Error`; what the third party answers never has it, whatever its status. \
    `X-Request-Id` and `X-RateLimit-*` of an answer of the third party's are the third party's.";

const PARAMETERS: [Parameter; 4] = [
    Parameter {
        name: "connection",
        place: Place::Segment,
        description: "A connection's id, or `zis:{integration}:{name}`",
    },
    Parameter {
        name: "path",
        place: Place::Rest,
        description: "The path below the connection's base URL, of any number of segments; with `Claviger-Host`, the path from \
                      that host's root. It may be left out, with the slash before it.",
    },
    Parameter {
        name: "Claviger-Host",
        place: Place::Header,
        description: "The host that is meant, of those that the connection allows. Needed where the connection has no single \
                      base URL.",
    },
    Parameter {
        name: "Claviger-Retries",
        place: Place::Header,
        description: "How often the call may be made again, 0 to 3; without it, as the connection's terms say. An answer that \
                      took more than one attempt has `Claviger-Attempts`.",
    },
];

/// All methods that both are passed on and have a place in a description.
const METHODS: [(Method, &str); 7] = [
    (Method::GET, "BrokerGet"),
    (Method::HEAD, "BrokerHead"),
    (Method::POST, "BrokerPost"),
    (Method::PUT, "BrokerPut"),
    (Method::PATCH, "BrokerPatch"),
    (Method::DELETE, "BrokerDelete"),
    (Method::OPTIONS, "BrokerOptions"),
];

impl Broker {
    /// What it answers, for the API's description: no router knows of it.
    pub fn described() -> Vec<Described> {
        let members = json!({ "code": { "type": "string" }, "detail": { "type": "string" } });
        let error = json!({ "type": "object", "properties": members, "required": ["code", "detail"] });
        let errors = Named::new(
            "BrokerRefusal",
            json!({
                "type": "object",
                "properties": { "errors": { "type": "array", "items": error, "minItems": 1, "maxItems": 1 } },
                "required": ["errors"],
            }),
        );
        let passed_on = PassedOn {
            name: "Broker",
            description: DESCRIPTION,
            parameters: PARAMETERS.to_vec(),
            mark: ERROR,
            id: OWN_REQUEST_ID,
            refusals: refusals(),
        };
        let describe = |(method, id)| Described {
            info: RouteInfo {
                method,
                path: "/broker/{connection}/{*path}",
                who: Who::User(&[Permission::CONNECTIONS_RESOLVE]),
                bucket: Bucket::BROKER,
                summary: "Call a third party through a connection",
            },
            operation: Operation::new(id, "Claviger: broker", errors.clone())
                .takes_bearer()
                .passed_on(passed_on.clone()),
        };
        METHODS.into_iter().map(describe).collect()
    }
}

/// Every refusal that is told apart, each once, in the order of the table.
fn refusals() -> Vec<Refused> {
    let mut all: Vec<Refused> = Vec::new();
    for refusal in kinds() {
        let (status, code, detail) = refusal.told();
        let refused = Refused { status, code, detail };
        if !all.contains(&refused) {
            all.push(refused);
        }
    }
    all
}

/// Where a kind of refusal is missing from the list, this does not compile.
macro_rules! all_kinds {
    ($($kind:pat => $refusals:expr,)+) => {{
        const _: fn(&Refusal) = |refusal| match refusal { $($kind => ()),+ };
        [$(Vec::from($refusals)),+].concat()
    }};
}

/// All kinds of refusals, and all codes of those that have several.
fn kinds() -> Vec<Refusal> {
    use Refusal as R;
    let network = "10.0.0.0/8".parse().expect("a network of RFC 1918 is one");
    let guarded = [
        EgressRefusal::Clear,
        EgressRefusal::NotPublic { name: "", network },
        EgressRefusal::Metadata,
        EgressRefusal::Denied,
    ];
    all_kinds! {
        R::Path(_) => [
            PathFault::Dots,
            PathFault::EncodedSlash,
            PathFault::Backslash,
            PathFault::EmptySegment,
            PathFault::Escape,
            PathFault::Characters,
        ].map(R::Path),
        R::HostInvalid => [R::HostInvalid],
        R::HostNeeded => [R::HostNeeded],
        R::AbsoluteForm => [R::AbsoluteForm],
        R::RetriesInvalid => [R::RetriesInvalid],
        R::Override => [R::Override],
        R::Body(_) => [R::Body("The body cannot be passed on as the connection would have it")],
        R::Auth(_) => REASONS.map(|reason| R::Auth(AuthFailure::Token(reason))),
        R::Forbidden => [R::Forbidden],
        R::Restricted => [R::Restricted],
        R::ConnectionExpired => [R::ConnectionExpired],
        R::HostNotAllowed => [R::HostNotAllowed],
        R::NotInRules => [R::NotInRules],
        R::Connect(_, true) => guarded.map(|refusal| R::from(ConnectError::Refused(refusal))),
        R::Ended => [R::Ended],
        R::NoConnection => [R::NoConnection],
        R::ConnectionAbsent => [R::ConnectionAbsent],
        R::MethodNotAllowed => [R::MethodNotAllowed],
        R::ConnectionUnusable(_) => [R::ConnectionUnusable("What the connection holds cannot be used any more")],
        R::BodyTimeout => [R::BodyTimeout],
        R::BodyTooLarge => [R::BodyTooLarge],
        R::RateLimited => [R::RateLimited],
        R::Busy => [R::Busy],
        R::OrgBusy => [R::OrgBusy],
        R::LookupBusy => [R::LookupBusy],
        R::UpgradeUnsupported => [R::UpgradeUnsupported],
        R::Connect(_, false) => UNREACHABLE.map(|code| R::Connect(code, false)),
        R::Exchange(_) => EXCHANGE.map(R::Exchange),
        R::UpstreamBroken => [R::UpstreamBroken],
        R::UpstreamEncoded => [R::UpstreamEncoded],
        R::Changed => [R::Changed],
        R::RightUnknown => [R::RightUnknown],
        R::ServerBusy => [R::ServerBusy],
        R::UpstreamPartial => [R::UpstreamPartial],
        R::UpstreamCharset => [R::UpstreamCharset],
        R::Unrecorded => [R::Unrecorded],
        R::Unavailable => [R::Unavailable],
        R::UpstreamTimeout => [R::UpstreamTimeout],
        // An action's alone.
        R::AnswerTooLarge => [R::AnswerTooLarge; 0],
        R::Internal => [R::Internal],
    }
}

/// What can be wrong with a credential that is no session's and no password.
const REASONS: [AuthReason; 7] = [
    AuthReason::Missing,
    AuthReason::Unknown,
    AuthReason::Expired,
    AuthReason::Disabled,
    AuthReason::WrongKind,
    AuthReason::OtherOrg,
    AuthReason::AddressNotAllowed,
];

/// Codes of a [`ConnectError`] that is no refusal of the address guard's, and took no longer than it may.
const UNREACHABLE: [&str; 3] = ["lookup_failed", "connect_failed", "tls_failed"];

/// Codes of exchanges ([`crate::mint`]).
const EXCHANGE: [&str; 9] = [
    "exchange_refused",
    "exchange_limited",
    "exchange_failed",
    "exchange_unreachable",
    "exchange_garbage",
    "exchange_unusable",
    "exchange_operator",
    "exchange_busy",
    "oauth_token_lost",
];

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn codes_are_told_once_and_those_of_failed_connections_are_its_own() {
        let all = refusals();
        let mut codes: Vec<_> = all.iter().map(|refused| refused.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len(), "{all:?}");
        let failed = || Error::from(ErrorKind::NotFound);
        let failures =
            [ConnectError::Lookup(failed()), ConnectError::Connect(failed()), ConnectError::Tls(failed())];
        assert_eq!(failures.map(|error| Refusal::from(error).code()), UNREACHABLE);
    }
}
