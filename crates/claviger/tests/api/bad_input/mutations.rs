//! Changes of a body that make it one that does not fit, nearly always.

use serde_json::{Value, json};

/// A change of a body, and where.
pub(crate) struct Mutation {
    pub(crate) what: String,
    /// As a JSON pointer.
    pub(crate) place: String,
    pub(crate) kind: MutationKind,
    pub(crate) body: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MutationKind {
    Retyped,
    Nulled,
    Removed,
    Added,
}

/// Each node replaced by a value of each other type, each member removed, one that nobody knows added to each object.
pub(crate) fn mutations(body: &Value) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for place in places(body, String::new()) {
        let node = body.pointer(&place).unwrap();
        let mut mutate = |what: String, kind, change: &dyn Fn(&mut Value)| {
            let mut body = body.clone();
            change(body.pointer_mut(&place).unwrap());
            mutations.push(Mutation {
                what: format!("{what} at {place:?}"),
                place: place.clone(),
                kind,
                body,
            });
        };
        for other in [
            json!(null),
            json!(true),
            json!(17),
            json!(-1.5e300),
            json!("text"),
            json!(["x"]),
            json!({ "x": 1 }),
        ] {
            if std::mem::discriminant(&other) != std::mem::discriminant(node) {
                let kind = if other.is_null() { MutationKind::Nulled } else { MutationKind::Retyped };
                mutate(format!("{other}"), kind, &|node| *node = other.clone());
            }
        }
        if let Some(object) = node.as_object() {
            mutate("an unknown member".into(), MutationKind::Added, &|node| node["unknown"] = json!("x"));
            for name in object.keys() {
                let mut body = body.clone();
                body.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(name);
                let (place, kind) = (format!("{place}/{name}"), MutationKind::Removed);
                mutations.push(Mutation { what: format!("without {place:?}"), place, kind, body });
            }
        }
    }
    mutations
}

pub(super) fn places(value: &Value, place: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, child)| (name.clone(), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, child)| (i.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(name, child)| places(child, format!("{place}/{name}")));
    std::iter::once(place.clone()).chain(below).collect()
}
