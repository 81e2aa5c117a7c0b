//! Bodies of ZIS connections out of arbitrary bytes, and what must hold of what is read from each. A panic is a finding.
//!
//! The first two bytes choose the type, and whether what follows is texts, one a line, or choices out of which bodies
//! are built. For each, a model says exactly what is wrong with it, or what is read from it.

mod model;
pub(crate) mod seeds;

use arbitrary::Unstructured;
use claviger_catalog::{Faults, NewZis, SecretJson, ZisPatch, ZisType};
use claviger_model::Host;
use serde_json::{Map, Value, json};

/// Second bytes, modulo two.
pub(crate) const TEXTS: u8 = 0;
pub(crate) const BUILT: u8 = 1;

/// So many bodies are read of one run of bytes.
const BODIES_MAX: usize = 16;

/// In every secret that is built, and nowhere else.
const CANARY: &str = "canaryCANARYcanaryCANARY";

/// The members in which secrets have their places.
const SECRETS: [&str; 3] = ["api_key", "password", "token"];

/// What happened, for whoever wants to know that anything does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) of: Option<&'static str>,
    pub(crate) made: usize,
    pub(crate) changed: usize,
    pub(crate) refused: usize,
}

/// Tries what the bytes say.
pub(crate) fn run(bytes: &[u8]) -> Seen {
    let [of, mode, rest @ ..] = bytes else { return Seen::default() };
    let of = ZisType::BY_BODY[usize::from(*of) % ZisType::BY_BODY.len()];
    let mut seen = Seen { of: Some(of.as_str()), ..Seen::default() };
    if mode % 2 == TEXTS {
        for line in rest.split(|byte| *byte == b'\n').take(BODIES_MAX) {
            if let Ok(body) = serde_json::from_slice(line) {
                both(of, &body, false, &mut seen);
            }
        }
        return seen;
    }
    let u = &mut Unstructured::new(rest);
    for _ in 0..BODIES_MAX {
        if u.is_empty() {
            break;
        }
        // There are always as many bytes as one asks for: the rest are zeros.
        let body = built(u, of).unwrap();
        // Bytes may spell it out where no secret has its place, and there it is shown.
        let mut clear = body.clone();
        clear.as_object_mut().unwrap().retain(|member, _| !SECRETS.contains(&member.as_str()));
        let is_in_clear = clear.to_string().contains(CANARY);
        both(of, &body, !is_in_clear, &mut seen);
    }
    seen
}

/// Reads a body as that of a new connection and as that of a change.
fn both(of: ZisType, body: &Value, has_canary: bool, seen: &mut Seen) {
    let read = of.read_new(SecretJson::new(body.clone()));
    match (read, model::faults(of, body, true)) {
        (Ok(new), faults) => {
            assert_eq!(faults, [], "taken: {body}");
            taken(of, body, &new, has_canary);
            seen.made += 1;
        }
        (Err(told), faults) => {
            refused(&told, &faults, body);
            seen.refused += 1;
        }
    }
    match (of.read_patch(SecretJson::new(body.clone())), model::faults(of, body, false)) {
        (Ok(patch), faults) => {
            assert_eq!(faults, [], "taken: {body}");
            changed(of, body, &patch, has_canary);
            seen.changed += 1;
        }
        (Err(told), faults) => refused(&told, &faults, body),
    }
}

/// Every fault is told, in order, in words that hold nothing of the body.
fn refused(told: &Faults, expected: &[(String, String)], body: &Value) {
    let told: Vec<_> = told.iter().map(|fault| (fault.pointer.clone(), fault.reason.clone())).collect();
    assert_eq!(told, expected, "{body}");
    assert!(!told.is_empty(), "refused for nothing: {body}");
}

fn taken(of: ZisType, body: &Value, new: &NewZis, has_canary: bool) {
    let text = |member: &str| body[member].as_str();
    assert_eq!(Some(new.name.as_str()), text("name"));
    assert_eq!(Some(new.secret.reveal()), text(of.secret()), "a secret is kept as it was given");
    let shown = format!("{new:?}");
    assert!(!has_canary || !shown.contains(CANARY), "{shown}");

    // What is stored is what was given, in the form in which domains are kept, and nothing besides.
    let stored = serde_json::to_string(&new.settings).unwrap();
    assert!(!has_canary || !stored.contains(CANARY), "{stored}");
    assert_eq!(serde_json::from_str::<claviger_catalog::ZisSettings>(&stored).unwrap(), new.settings);
    let mut expected = Map::from_iter([("allowed_domain".to_owned(), json!(new.settings.allowed_domain()))]);
    expected.extend(of.clear_member().map(|member| (member.to_owned(), body[member].clone())));
    assert_eq!(json!(new.settings), Value::Object(expected));
    model::domain_is_sound(text("allowed_domain").unwrap(), new.settings.allowed_domain());
    let domain = new.settings.domain().unwrap();
    assert!(domain.admits(&domain.name().parse::<Host>().unwrap()));
    assert!(
        !domain.admits(&"elsewhere.invalid".parse::<Host>().unwrap()) || domain.name().ends_with("invalid")
    );
    new.settings.presentation(of).unwrap();

    // Sent back, it changes nothing.
    let mut again = json!(new.settings);
    again["name"] = json!(new.name.as_str());
    let patch = of.read_patch(SecretJson::new(again)).unwrap();
    assert_eq!(patch.allowed_domain, Some(domain));
    assert_eq!(patch.header.as_ref().map(|it| it.as_str()), new.settings.header_name());
    assert_eq!((patch.username.as_deref(), patch.secret.is_none()), (new.settings.username(), true));
}

fn changed(of: ZisType, body: &Value, patch: &ZisPatch, has_canary: bool) {
    let shown = format!("{patch:?}");
    assert!(!has_canary || !shown.contains(CANARY), "{shown}");
    // What another type has is not looked at.
    let own =
        |member: &str| body.get(member).and_then(Value::as_str).filter(|_| of.clear_member() == Some(member));
    assert_eq!(patch.name.as_deref(), body.get("name").and_then(Value::as_str));
    assert_eq!(patch.header.as_ref().map(|it| it.as_str()), own("header_name"));
    assert_eq!(patch.username.as_deref(), own("username"));
    assert_eq!(patch.secret.as_ref().map(|it| it.reveal()), body.get(of.secret()).and_then(Value::as_str));
    assert_eq!(patch.allowed_domain.is_some(), body.get("allowed_domain").is_some());
}

/// A body of members that are right, wrong, or somebody else's.
fn built(u: &mut Unstructured<'_>, of: ZisType) -> arbitrary::Result<Value> {
    let mut body = json!({});
    for member in
        ["name", "allowed_domain", "header_name", "username", "api_key", "password", "token", "created_at"]
    {
        let is_own = model::members(of).contains(&member);
        if !u.ratio(if is_own { 19 } else { 2 }, 20)? {
            continue;
        }
        let is_secret = SECRETS.contains(&member);
        body[member] = match u.int_in_range(0..=9)? {
            0 => seeds::odd(u)?,
            1 => json!(format!("{}{}", if is_secret { CANARY } else { "" }, u.arbitrary::<String>()?)),
            _ if is_secret => json!(format!("{CANARY}{}", u.arbitrary::<u8>()?)),
            _ => json!(u.choose(seeds::values(member))?),
        };
    }
    Ok(body)
}
