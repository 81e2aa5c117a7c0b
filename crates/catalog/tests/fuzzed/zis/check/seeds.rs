//! Where fuzzing begins: of each type a right body and wrong ones, and the words that bodies are made of.

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use claviger_catalog::ZisType;
use claviger_model::Random;
use claviger_model::testing::{ALLOWED_DOMAINS, HEADER_NAMES, SeededRandom};
use serde_json::{Value, json};

use super::{BUILT, CANARY, TEXTS};

/// So many runs of built bodies of each type.
const ROUNDS: usize = 16;

/// Texts of a member, right ones more often than wrong ones.
pub(super) fn values(member: &str) -> &'static [&'static str] {
    match member {
        "name" => &["my_connection", "Mine-2", "abc", "ab", "zendesk", "a b c", "zendesk_2"],
        "allowed_domain" => &[
            "api.example.com",
            "*.example.com",
            "API.Example.com.",
            "xn--bcher-kva.example",
            "*.com",
            "https://a.example",
            "127.0.0.1",
        ],
        "header_name" => &["x-api-key", "Authorization", "X_Token", "x-key", "Host", "x-zis-key", "key1"],
        "username" => &["ada", "ada@example.com", "Ada Lovelace", "ädä", "a:b", ""],
        _ => &["1985-04-12T23:20:50.52Z"],
    }
}

/// What is no text, or one that nobody expects.
pub(super) fn odd(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(u.arbitrary::<i64>()?),
        3 => json!([CANARY]),
        4 => json!({ CANARY: CANARY }),
        5 => json!(""),
        6 => json!("\r\n"),
        _ => json!("x".repeat(4094 + usize::from(u.arbitrary::<u8>()? % 4))),
    })
}

fn right(of: ZisType) -> Value {
    let mut body = json!({ "name": "mine", "allowed_domain": "api.example.com", of.secret(): CANARY });
    if let Some(member) = of.clear_member() {
        body[member] = json!("x-api-key");
    }
    body
}

/// The first inputs, each with a name.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let random = SeededRandom::new(11);
    let mut seeds = Vec::new();
    for (index, of) in ZisType::BY_BODY.into_iter().enumerate() {
        let number = u8::try_from(index).unwrap();
        let mut lines = vec![right(of), json!({}), json!([])];
        for member in super::model::members(of) {
            let mut without = right(of);
            without.as_object_mut().unwrap().remove(*member);
            let mut wrong = right(of);
            wrong[*member] = json!(1);
            lines.extend([without, wrong]);
        }
        let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
        seeds.push((
            format!("texts-{}", of.as_str()),
            [&[number, TEXTS][..], lines.join("\n").as_bytes()].concat(),
        ));
        for round in 0..ROUNDS {
            let mut noise = [0; 512];
            random.fill(&mut noise);
            seeds.push((format!("built-{}-{round}", of.as_str()), [&[number, BUILT][..], &noise].concat()));
        }
    }
    seeds
}

/// Names and values, for the mutations of texts.
pub(crate) fn words() -> BTreeSet<String> {
    let domains = ALLOWED_DOMAINS.iter().map(|(text, _)| *text);
    let headers = HEADER_NAMES.iter().map(|(text, _)| *text);
    let members = ZisType::BY_BODY.into_iter().flat_map(|of| super::model::members(of).iter().copied());
    // Longer ones would fill an input.
    domains
        .chain(headers)
        .chain(members)
        .filter(|word| (1..=64).contains(&word.len()))
        .map(str::to_owned)
        .collect()
}
