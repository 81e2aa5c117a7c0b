//! Where fuzzing begins, out of the catalog: of each type a create, updates, and the words that bodies are made of.

use std::collections::BTreeSet;

use claviger_model::Random;
use claviger_model::testing::SeededRandom;
use serde_json::{Value, json};

use super::{BUILT, CREATE, HTTP, UPDATES, source, types};

/// So many runs of built bodies of each type.
const ROUNDS: usize = 12;

/// The first inputs, each with a name.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let random = SeededRandom::new(7);
    let mut seeds = Vec::new();
    for (index, (entry, credential)) in types().into_iter().enumerate() {
        let full = source::full(entry, credential);
        let kind = credential.kind();
        let number = u8::try_from(index).unwrap();
        seeds.push((format!("create-{kind}"), [&[CREATE][..], full.to_string().as_bytes()].concat()));
        let changes =
            [full.clone(), json!({ "type": entry.kind(), "credentials": { "type": kind } }), deleting(full)];
        let lines = changes.map(|change| change.to_string()).join("\n");
        seeds.push((format!("update-{kind}"), [&[UPDATES, number][..], lines.as_bytes()].concat()));
        for round in 0..ROUNDS {
            seeds.push((format!("built-{kind}-{round}"), [&[BUILT, number][..], &noise(&random)].concat()));
        }
    }
    for round in 0..8 * ROUNDS {
        seeds.push((format!("http-{round}"), [&[HTTP][..], &noise(&random)].concat()));
    }
    seeds
}

fn noise(random: &dyn Random) -> [u8; 240] {
    let mut bytes = [0; 240];
    random.fill(&mut bytes);
    bytes
}

/// A change in which every item of a list goes.
fn deleting(mut body: Value) -> Value {
    for value in body["credentials"].as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        for item in value.as_array_mut().into_iter().flatten() {
            item["deleted"] = json!(true);
        }
    }
    body
}

/// Names and values, for the mutations of texts.
pub(crate) fn words() -> BTreeSet<String> {
    let mut words =
        BTreeSet::from(["deleted", "generate_new_external_id", source::ELSEWHERE].map(str::to_owned));
    for (entry, credential) in types() {
        collect(&source::full(entry, credential), &mut words);
        words.extend(credential.fields().iter().map(|field| field.name().to_owned()));
    }
    words
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = words.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(members) => {
            words.extend(members.keys().cloned());
            members.values().for_each(|member| collect(member, words));
        }
        _ => {}
    }
}
