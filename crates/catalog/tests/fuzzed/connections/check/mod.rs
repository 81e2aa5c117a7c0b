//! Creates and updates out of arbitrary bytes, and what must hold of each answer. A panic is a finding.
//!
//! The first byte chooses: the text of a create, texts of updates, or well-formed bodies that are built from the bytes,
//! some of them spoiled. For the last, a model says whether a body must be taken, and for all of them, what comes of it.

mod case;
mod model;
mod oracle;
pub(crate) mod seeds;
mod source;
mod spoil;

use std::sync::LazyLock;

use arbitrary::Unstructured;
use claviger_catalog::{Catalog, CredentialType, Integration};
use serde_json::Value;

use self::case::{Case, Seen};
use self::model::Model;
use self::source::CANARY;

pub(crate) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

/// First bytes, modulo four. What is built of them is of any type, or of HTTP connections.
const CREATE: u8 = 0;
const UPDATES: u8 = 1;
pub(crate) const BUILT: u8 = 2;
pub(crate) const HTTP: u8 = 3;

/// So long is no run of bytes that is worth its time.
const STEPS_MAX: usize = 16;

/// All types, in the catalog's order.
pub(crate) fn types() -> Vec<(&'static Integration, &'static CredentialType)> {
    let of =
        |entry: &'static Integration| entry.credentials().iter().map(move |credential| (entry, credential));
    CATALOG.integrations().iter().flat_map(of).collect()
}

/// Tries what the bytes say.
pub(crate) fn run(bytes: &[u8]) -> Seen {
    let Some((mode, rest)) = bytes.split_first() else { return Seen::default() };
    let mut case = Case::new(CANARY);
    match mode % 4 {
        CREATE => {
            if let Ok(body) = serde_json::from_slice(rest) {
                case.create(&body, None);
            }
        }
        UPDATES => texts(&mut case, rest),
        _ => {
            // What the catalog gets here holds the canary whole or not at all, so that a part of it is a leak too. An
            // error may show four letters of it.
            case.needle = &CANARY[..5];
            // There are always as many bytes as one asks for: the rest are zeros.
            built(&mut case, &mut Unstructured::new(rest), mode % 4 == HTTP).unwrap();
        }
    }
    case.unchanged_by_what_is_shown();
    case.seen
}

/// Updates as texts, one a line, of a connection with everything; its type comes first.
fn texts(case: &mut Case, bytes: &[u8]) {
    let Some((index, rest)) = bytes.split_first() else { return };
    let types = types();
    let (entry, credential) = types[usize::from(*index) % types.len()];
    case.create(&source::full(entry, credential), Some(true));
    for line in rest.split(|byte| *byte == b'\n').take(STEPS_MAX) {
        if let Ok(body) = serde_json::from_slice(line) {
            case.update(&body, None);
        }
    }
}

/// A create and updates, built. The type of HTTP connections can do most by far, so that it is asked for by itself too.
fn built(case: &mut Case, u: &mut Unstructured<'_>, http: bool) -> arbitrary::Result<()> {
    let of_http = |(entry, _): &(&Integration, &CredentialType)| !http || entry.kind() == "HTTP";
    let types: Vec<_> = types().into_iter().filter(of_http).collect();
    let (entry, credential) = *u.choose(&types)?;
    let mut body = source::create(u, entry, credential)?;
    let empty = Model::empty(entry.kind(), credential.kind());
    let expected = judged(u, credential, &empty, &mut body, 8)?;
    case.create(&body, expected);
    for _ in 0..STEPS_MAX {
        let Some(kept) = case.kept.as_ref().filter(|_| !u.is_empty()) else { break };
        let mut body = source::update(u, credential, &kept.model)?;
        let expected = judged(u, credential, &kept.model, &mut body, 3)?;
        case.update(&body, expected);
    }
    Ok(())
}

/// Spoils or blurs one of so many bodies. Says whether the body must be taken, where that is known.
fn judged(
    u: &mut Unstructured<'_>,
    credential: &CredentialType,
    model: &Model,
    body: &mut Value,
    one_of: u8,
) -> arbitrary::Result<Option<bool>> {
    if u.ratio(1, one_of)? {
        if u.arbitrary()? {
            if spoil::spoil(u, credential, body)? {
                return Ok(Some(false));
            }
        } else if spoil::blur(u, body)? {
            return Ok(None);
        }
    }
    Ok(Some(model.after(credential, body).is_ok()))
}
