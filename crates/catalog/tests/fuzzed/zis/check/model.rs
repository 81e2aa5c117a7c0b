//! What is wrong with a body, said again without the code that says it. What is a domain and a header is held by tables
//! of its own; here are the bounds that no table proves for every text.

use claviger_catalog::ZisType;
use claviger_model::{AllowedDomain, InjectedHeader};
use serde_json::Value;

/// The members that a type has, in the order in which they are told.
pub(super) fn members(of: ZisType) -> &'static [&'static str] {
    match of {
        ZisType::ApiKey => &["name", "allowed_domain", "header_name", "api_key"],
        ZisType::BasicAuth => &["name", "allowed_domain", "username", "password"],
        ZisType::BearerToken => &["name", "allowed_domain", "token"],
        ZisType::OAuth => panic!("no body makes one"),
    }
}

/// Everything that is wrong, with its place.
pub(super) fn faults(of: ZisType, body: &Value, is_new: bool) -> Vec<(String, String)> {
    let Some(object) = body.as_object() else {
        return vec![(String::new(), "must be an object".to_owned())];
    };
    let wrong = |member: &&'static str| match object.get(*member) {
        None => is_new.then(|| "is missing".to_owned()),
        Some(Value::String(text)) => reason(of, member, text, is_new),
        Some(_) => Some("must be a string".to_owned()),
    };
    members(of).iter().filter_map(|member| Some((format!("/{member}"), wrong(member)?))).collect()
}

fn reason(of: ZisType, member: &str, text: &str, is_new: bool) -> Option<String> {
    let is = |is_so: bool, reason: &str| is_so.then(|| reason.to_owned());
    let empty = || is(text.is_empty(), "must not be empty");
    let long = || is(text.len() > 4096, "must not be longer than 4096 bytes");
    match member {
        // It cannot be changed, so that what it would be is no matter.
        "name" if !is_new => None,
        "name" => {
            let odd = text.chars().any(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_'));
            let reserved = of == ZisType::ApiKey && text == "zendesk";
            is(reserved, "must not be zendesk, which is reserved").or_else(|| {
                is(odd || !(3..=64).contains(&text.len()), "must be 3 to 64 letters, digits, - and _")
            })
        }
        "allowed_domain" => text.parse::<AllowedDomain>().err().map(|error| error.to_string()),
        "header_name" => {
            let parsed = text.parse::<InjectedHeader>();
            if parsed.is_ok() {
                header_is_sound(text);
            }
            parsed.err().map(|error| error.to_string())
        }
        "username" => {
            let odd = text.chars().any(|c| c == ':' || c.is_control());
            empty().or_else(long).or_else(|| is(odd, "must not contain a colon or control characters"))
        }
        "password" => empty().or_else(long),
        _ => {
            let odd = text.chars().any(|c| !matches!(c, ' '..='~'));
            let reason = "must not contain control characters or anything beyond ASCII";
            empty().or_else(long).or_else(|| is(odd, reason))
        }
    }
}

/// The vendor's words for what is no header for a secret.
fn header_is_sound(text: &str) {
    assert!((1..=128).contains(&text.len()), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')), "{text}");
    let name = text.to_ascii_lowercase().replace('_', "-");
    for prefix in ["x-amz-", "x-amzn-", "x-forwarded-", "x-zis-"] {
        assert!(!name.starts_with(prefix), "{text}");
    }
    for refused in ["host", "cookie", "connection", "transfer-encoding", "upgrade", "te", "via", "user-agent"]
    {
        assert_ne!(name, refused);
    }
}

/// The vendor's words for what an allowed domain is.
pub(super) fn domain_is_sound(given: &str, kept: &str) {
    assert!(given.is_ascii() && given.len() <= 129, "{given}");
    assert_eq!(given.to_ascii_lowercase().strip_suffix('.').unwrap_or(&given.to_ascii_lowercase()), kept);
    assert!(kept.len() <= 128, "{kept}");
    let name = kept.strip_prefix("*.").unwrap_or(kept);
    assert!(!name.contains('*') && name.split('.').all(|label| (1..=63).contains(&label.len())), "{kept}");
    assert!(
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')),
        "{kept}"
    );
    assert!(kept == name || name.contains('.'), "{kept} spans owners");
    assert!(name.parse::<std::net::IpAddr>().is_err(), "{kept}");
}
