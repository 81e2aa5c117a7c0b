//! How each API tells of what is wrong: the vendor's failure matrix, and ours.

use claviger_http::{RouteInfo, Who};
use claviger_model::Permission;

use super::case::{Case, Fault};
use crate::support::Answer;
use crate::support::sample::REQUIRED;

/// How an API tells of refusals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// A list of texts.
    Keys,
    /// `/api/v2/validate`: a list of objects.
    ValidateV2,
    /// Without a right a list of objects, as JSON:API; else as `Keys`.
    Actions,
    /// A list of objects with codes.
    Native,
    /// One object with a reason.
    Verify,
}

fn family(route: &RouteInfo) -> Family {
    match route.path {
        "/api/v2/validate" => Family::ValidateV2,
        path if path.starts_with("/api/v2/actions/") => Family::Actions,
        path if path.starts_with("/api/") => Family::Keys,
        path if path.starts_with("/verify") => Family::Verify,
        _ => Family::Native,
    }
}

/// Any one of these opens the route; none where permissions do not matter to it.
pub(super) fn permissions(route: &RouteInfo) -> Vec<Permission> {
    match route.who {
        Who::User(any_of) => any_of.to_vec(),
        Who::AnyCredential => vec![Permission::parse(REQUIRED).unwrap()],
        // The last three are the Zendesk dialect's and sessions', which have tables of their own.
        Who::Anybody | Who::ApiKey | Who::Admin(_) | Who::Integration | Who::Session => Vec::new(),
    }
}

/// A refusal, exactly.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    body: String,
    headers: Vec<(&'static str, &'static str)>,
}

/// What makes keys that may do everything, or shows their new secrets, which no narrowed credential hands on, and so no
/// token.
pub(super) const MAKES_THE_UNNARROWED: [(&str, &str); 4] = [
    ("POST", "/api/v1/application_key"),
    ("POST", "/api/v1/org"),
    ("POST", "/claviger/v1/orgs"),
    ("POST", "/claviger/v1/application_keys/{app_key_id}/rotate"),
];

const EDGE: &str = concat!(
    r#"{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com","#,
    r#""twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}"#,
    "\n"
);

/// What a route answers to a fault; none where it does not look at what is wrong.
pub(super) fn expected(route: &RouteInfo, case: Case) -> Option<Refusal> {
    let fault = case.fault();
    let looks_at_it = match (route.who, fault) {
        (Who::Anybody, _) => false,
        (Who::ApiKey, fault) => matches!(fault, Fault::Nothing | Fault::ApiKey(_)),
        (_, Fault::Right) => !permissions(route).is_empty(),
        _ => true,
    };
    if !looks_at_it {
        return None;
    }
    let refusal =
        |status, body: String| Refusal { status, body, headers: vec![("content-type", "application/json")] };
    Some(match family(route) {
        Family::Actions if fault == Fault::Right => Refusal {
            status: 403,
            body: r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Failed permission authorization checks"}]}"#
                .into(),
            headers: vec![("content-type", "application/vnd.api+json")],
        },
        Family::Keys | Family::Actions => match fault {
            Fault::Nothing => refusal(403, r#"{"errors":["API key required"]}"#.into()),
            Fault::ApiKey(_) => {
                let mut edge = refusal(403, EDGE.into());
                edge.headers.push(("cache-control", "no-cache"));
                edge
            }
            Fault::ApplicationKey(_) | Fault::Token(_) => {
                refusal(401, r#"{"errors":["Unauthorized"]}"#.into())
            }
            Fault::Right => {
                refusal(403, r#"{"errors":["Forbidden","Failed permission authorization checks"]}"#.into())
            }
        },
        Family::ValidateV2 => {
            refusal(403, r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Forbidden"}]}"#.into())
        }
        Family::Native => {
            let (status, code, detail) = match fault {
                Fault::Right => {
                    let names: Vec<_> =
                        permissions(route).iter().map(|permission| permission.name()).collect();
                    (
                        403,
                        "forbidden",
                        format!("Any one of these permissions is needed: {}", names.join(", ")),
                    )
                }
                fault => (401, reason(fault), "The credentials are not valid".to_owned()),
            };
            refusal(status, format!(r#"{{"errors":[{{"code":"{code}","detail":"{detail}"}}]}}"#))
        }
        Family::Verify => {
            let (status, reason) = match (fault, case) {
                (Fault::Right, _) => (403, "missing_permission"),
                // An API key alone is an org, and an org has no permissions.
                (_, Case::NoApplicationKey) => (403, "no_permissions"),
                (fault, _) => (401, reason(fault)),
            };
            let mut refusal = refusal(status, format!(r#"{{"valid":false,"reason":"{reason}"}}"#));
            refusal.headers.extend([("cache-control", "no-store"), ("claviger-error", reason)]);
            refusal.headers.extend((status == 401).then_some(("www-authenticate", "Bearer")));
            refusal
        }
    })
}

fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::Nothing => "missing",
        Fault::ApiKey(reason) | Fault::ApplicationKey(reason) | Fault::Token(reason) => reason,
        Fault::Right => panic!("the credentials are good"),
    }
}

pub(super) fn actual(answer: &Answer, expected: &Refusal) -> Refusal {
    let headers = expected.headers.iter().map(|(name, value)| {
        let same = answer.header(name) == *value;
        (*name, if same { *value } else { "another value" })
    });
    Refusal { status: answer.status.as_u16(), body: answer.text.clone(), headers: headers.collect() }
}

pub(super) fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 401 | 403 | 429)
}

pub(super) fn exceeded(route: &RouteInfo) -> &'static str {
    match family(route) {
        Family::Keys | Family::Actions => r#"{"errors":["Rate limit exceeded"]}"#,
        Family::ValidateV2 => {
            r#"{"errors":[{"status":"429","title":"Too many requests","detail":"Rate limit exceeded"}]}"#
        }
        Family::Native => r#"{"errors":[{"code":"rate_limited","detail":"Rate limit exceeded"}]}"#,
        Family::Verify => r#"{"valid":false,"reason":"rate_limited"}"#,
    }
}
