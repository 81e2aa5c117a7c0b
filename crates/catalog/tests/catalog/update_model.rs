//! Merging against a small model of its own: random HTTP connections under random updates.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Stored;

/// A connection as the model keeps it: lists in order, token values beside.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    base_url: usize,
    tokens: Vec<(usize, String)>,
    headers: Vec<(usize, String)>,
    body: Option<String>,
}

/// What happens to an item: a new value, or none, or it goes.
#[derive(Debug, Clone)]
enum Act {
    Set(String),
    Name,
    Delete,
}

#[derive(Debug, Clone)]
struct Change {
    base_url: Option<usize>,
    tokens: Vec<(usize, Act)>,
    headers: Vec<(usize, Act)>,
    body: Option<Option<String>>,
}

/// Texts that name a token or none, in a few ways.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("plain".to_owned()),
        (0..4usize).prop_map(|index| format!("Bearer {{{{ t{index} }}}}")),
        (0..4usize, 0..4usize).prop_map(|(a, b)| format!("{{{{t{a}}}}}-{{{{t{b}}}}}")),
    ]
}

fn act(value: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Act> {
    prop_oneof![3 => value.prop_map(Act::Set), 1 => Just(Act::Name), 2 => Just(Act::Delete)]
}

fn items(value: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = Vec<(usize, Act)>> {
    prop::collection::vec((0..4usize, act(value)), 0..4)
}

fn secret() -> impl Strategy<Value = String> + Clone {
    "[a-z]{1,6}".prop_map(|text| format!("canary-{text}"))
}

fn change() -> impl Strategy<Value = Change> {
    let base_url = prop::option::weighted(0.3, 0..3usize);
    let body = prop::option::weighted(0.3, prop::option::of(text()));
    (base_url, items(secret()), items(text().boxed()), body)
        .prop_map(|(base_url, tokens, headers, body)| Change { base_url, tokens, headers, body })
}

impl Change {
    fn json(&self) -> Value {
        let item = |prefix: &str, name: usize, act: &Act, token: bool| {
            let mut item = json!({ "name": format!("{prefix}{name}") });
            match act {
                Act::Set(value) => item["value"] = json!(value),
                Act::Name => {}
                Act::Delete => item["deleted"] = json!(true),
            }
            if token {
                item["type"] = json!("SECRET");
                if !matches!(act, Act::Set(_)) {
                    item["value"] = json!("");
                }
            }
            item
        };
        let tokens: Vec<Value> = self.tokens.iter().map(|(name, act)| item("t", *name, act, true)).collect();
        let headers: Vec<Value> =
            self.headers.iter().map(|(name, act)| item("h", *name, act, false)).collect();
        let mut change = json!({
            "type": "HTTP",
            "credentials": { "type": "HTTPTokenAuth", "tokens": tokens, "headers": headers },
        });
        if let Some(base_url) = self.base_url {
            change["base_url"] = json!(url(base_url));
        }
        if let Some(body) = &self.body {
            change["credentials"]["body"] =
                body.as_ref().map_or(json!({}), |content| json!({ "content": content }));
        }
        change
    }
}

fn url(index: usize) -> String {
    format!("https://h{index}.example")
}

fn doubled(items: &[(usize, Act)]) -> bool {
    items.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() < items.len()
}

impl Model {
    /// The model after a change; none, if it must be refused.
    fn after(&self, change: &Change) -> Option<Self> {
        if doubled(&change.tokens) || doubled(&change.headers) {
            return None;
        }
        let mut next = self.clone();
        next.base_url = change.base_url.unwrap_or(self.base_url);
        apply(&mut next.tokens, &change.tokens)?;
        apply(&mut next.headers, &change.headers)?;
        if let Some(body) = &change.body {
            next.body.clone_from(body);
        }
        // A token always brings its value, or goes.
        if change.tokens.iter().any(|(_, act)| matches!(act, Act::Name)) {
            return None;
        }
        let touched = |name: &usize| change.tokens.iter().any(|(touched, _)| touched == name);
        if next.base_url != self.base_url && !self.tokens.iter().all(|(name, _)| touched(name)) {
            return None;
        }
        // Nor is a token named where it was not, or otherwise, unless it is brought.
        let stays = |name: &usize| next.naming(*name).is_subset(&self.naming(*name));
        if !self.tokens.iter().all(|(name, _)| touched(name) || stays(name)) {
            return None;
        }
        let texts: Vec<&String> = next.headers.iter().map(|(_, text)| text).chain(&next.body).collect();
        let dangling = |index: usize| {
            let named = texts.iter().any(|text| text.contains(&format!("t{index}")));
            named && !next.tokens.iter().any(|(name, _)| *name == index)
        };
        if (0..4).any(dangling) { None } else { Some(next) }
    }

    /// The texts that name a token, each with its place: a header's index, or none for the body.
    fn naming(&self, token: usize) -> BTreeSet<(Option<usize>, &str)> {
        let headers = self.headers.iter().map(|(name, text)| (Some(*name), text.as_str()));
        let all = headers.chain(self.body.iter().map(|text| (None, text.as_str())));
        all.filter(|(_, text)| text.contains(&format!("t{token}"))).collect()
    }

    fn secrets(&self) -> BTreeMap<String, String> {
        self.tokens.iter().map(|(name, value)| (format!("tokens/t{name}"), value.clone())).collect()
    }

    fn shown(&self) -> Value {
        let tokens = self
            .tokens
            .iter()
            .map(|(name, _)| json!({ "name": format!("t{name}"), "type": "SECRET", "value": "" }));
        let headers =
            self.headers.iter().map(|(name, value)| json!({ "name": format!("h{name}"), "value": value }));
        json!({ "tokens": tokens.collect::<Value>(), "headers": headers.collect::<Value>() })
    }
}

fn apply(list: &mut Vec<(usize, String)>, items: &[(usize, Act)]) -> Option<()> {
    for (name, act) in items {
        let at = list.iter().position(|(known, _)| known == name);
        match (act, at) {
            (Act::Delete, Some(at)) => _ = list.remove(at),
            (Act::Delete, None) | (Act::Name, Some(_)) => {}
            (Act::Set(value), Some(at)) => list[at].1.clone_from(value),
            (Act::Set(value), None) => list.push((*name, value.clone())),
            (Act::Name, None) => return None,
        }
    }
    Some(())
}

fn empty() -> Stored {
    let credentials = json!({ "type": "HTTPTokenAuth", "tokens": [], "headers": [] });
    Stored::new(json!({ "type": "HTTP", "base_url": url(0), "credentials": credentials }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What the model refuses is refused and changes nothing; what it takes is taken, to the same end.
    #[test]
    fn merging_agrees_with_the_model(changes in prop::collection::vec(change(), 1..12)) {
        let mut stored = empty();
        let mut model = Model::default();
        for change in changes {
            match (model.after(&change), stored.try_update(change.json())) {
                (Some(next), Ok(updated)) => {
                    prop_assert_eq!(updated.repointed, next.base_url != model.base_url);
                    stored.apply(&updated);
                    model = next;
                }
                (None, Err(faults)) => {
                    let said = format!("{faults} {faults:?}");
                    prop_assert!(!said.contains("canary"), "{}", said);
                }
                (expected, got) => prop_assert!(false, "{change:?}: {expected:?} but {got:?}"),
            }
            let shown = stored.shown();
            prop_assert_eq!(&stored.secrets, &model.secrets());
            prop_assert_eq!(&shown["base_url"], &json!(url(model.base_url)));
            prop_assert_eq!(
                json!({ "tokens": shown["credentials"]["tokens"], "headers": shown["credentials"]["headers"] }),
                model.shown()
            );
            prop_assert!(!shown.to_string().contains("canary"));
        }
    }

    /// Whatever a body is, it is answered, and its secrets are not repeated.
    #[test]
    fn any_body_is_answered(body in any_json()) {
        match crate::support::create(body.clone()) {
            Err(faults) => prop_assert!(!faults.is_empty()),
            // What is taken is taken whole.
            Ok(_) => prop_assert_eq!(Stored::new(body.clone()).shown()["base_url"].clone(), body["base_url"].clone()),
        }
        let stored = empty();
        if let Err(faults) = stored.try_update(body) {
            prop_assert!(!faults.is_empty());
        }
    }
}

/// Bodies near enough to real ones to reach deep.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "type",
        "credentials",
        "base_url",
        "tokens",
        "headers",
        "body",
        "name",
        "value",
        "deleted",
        "account_id",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            "HTTP",
            "AWS",
            "HTTPTokenAuth",
            "AWSAssumeRole",
            "SECRET",
            "t1",
            "https://h",
            ""
        ])
        .prop_map(|text| json!(text)),
        "\\PC{0,8}".prop_map(|text| json!(text)),
    ];
    let inner = leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| json!(items)),
            prop::collection::vec((names.clone(), inner), 0..7).prop_map(|members| Value::Object(
                members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    });
    (inner.clone(), inner).prop_map(|(fields, credentials)| {
        let mut body = json!({ "type": "HTTP", "credentials": credentials });
        if body["credentials"].is_object() {
            body["credentials"]["type"] = json!("HTTPTokenAuth");
        }
        if let Value::Object(fields) = fields {
            for (name, value) in fields.into_iter().filter(|(name, _)| name != "credentials") {
                body[name] = value;
            }
        }
        body
    })
}
