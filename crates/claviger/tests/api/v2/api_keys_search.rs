//! `/api/v2/api_keys?filter=…`: the index of names narrows a search, and must never change what it finds.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/api_keys";
/// More than the index is followed for.
const MANY: usize = 1_100;

fn body(name: &str) -> Value {
    json!({ "data": { "type": "api_keys", "attributes": { "name": name } } })
}

/// A key as searches see it.
#[derive(Clone)]
struct Key {
    id: String,
    name: String,
    last4: String,
}

fn key(data: &Value) -> Key {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attributes = &data["attributes"];
    Key { id: text(&data["id"]), name: text(&attributes["name"]), last4: text(&attributes["last4"]) }
}

async fn create(client: &Client, name: &str) -> Key {
    key(&client.post(PATH, &body(name)).await.expect(201).json()["data"])
}

/// The ids that a search must find, by the rule and no index.
fn expected(keys: &[Key], term: &str) -> BTreeSet<String> {
    // A sigma is one at the end of a word too.
    let folded = |text: &str| text.to_lowercase().replace('ς', "σ");
    let is_meant = |key: &&Key| folded(&key.name).contains(&folded(term)) || key.last4 == term;
    keys.iter().filter(is_meant).map(|key| key.id.clone()).collect()
}

async fn check(client: &Client, keys: &[Key], terms: &[String]) {
    for term in terms {
        let query: String = form_urlencoded::byte_serialize(term.as_bytes()).collect();
        let answer = client.get(&format!("{PATH}?filter={query}")).await.expect(200).json();
        let found: BTreeSet<_> = answer["data"].as_array().unwrap().iter().map(|data| key(data).id).collect();
        let wanted = expected(keys, term);
        assert_eq!(found, wanted, "{term:?}");
        assert_eq!(answer["meta"]["page"]["total_filtered_count"], wanted.len(), "{term:?}");
    }
}

on_both_engines! {
    async fn a_search_finds_by_the_rule_after_every_change(server: &TestServer) {
        let client = server.client();
        let names = [
            "alpha", "ALPHA beta", "50% off", "5_0 off", "back\\slash", "quo\"te", "it's", "a AND b", "NEAR(x y)",
            "Ünïcode Straße", "漢字かな交じり文", "ΣΊΣΥΦΟΣ", "emoji 🦀🦀🦀 crab", "aaaa", "x*y*z", "col:umn", "--",
        ];
        let first = client.get(PATH).await.expect(200).json();
        let mut keys = vec![key(&first["data"][0])];
        for name in names {
            keys.push(create(&client, name).await);
        }
        let mut terms: Vec<String> = [
            "a", "al", "alp", "ALPH", "alpha", "%", "50%", "%off", "_0 o", "___", "\\sl", "o\"t", "\"te", "t's", "AND",
            "a and b", "near(", "ünï", "ÜNÏC", "straße", "漢字か", "字かな交", "σίσυφος", "🦀🦀🦀", "🦀🦀🦀🦀", "aaa",
            "aaaaa", "*y*", "l:u", "--", "nobody has this", "first api key with a very long term after it",
        ]
        .map(str::to_owned)
        .to_vec();
        // The last four characters are found whole and in their case only.
        terms.extend(keys.iter().flat_map(|key| {
            [key.last4.clone(), key.last4[..3].to_owned(), key.last4.to_uppercase()]
        }));
        check(&client, &keys, &terms).await;

        let renamed = Key { name: "gamma".to_owned(), ..keys[1].clone() };
        let change = json!({ "data": { "type": "api_keys", "id": renamed.id, "attributes": { "name": "gamma" } } });
        client.patch(&format!("{PATH}/{}", renamed.id), &change).await.expect(200);
        keys[1] = renamed;
        let gone = keys.remove(2);
        client.delete(&format!("{PATH}/{}", gone.id)).await.expect(204);
        terms.extend(["gamma".to_owned(), "amm".to_owned()]);
        check(&client, &keys, &terms).await;
    }

    async fn a_term_that_very_many_have_finds_all(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "api_keys_max": 5_000 })).await.expect(200);
        let mut creates = tokio::task::JoinSet::new();
        for number in 0..MANY {
            let client = client.clone();
            creates.spawn(async move { create(&client, &format!("service {number:05}")).await });
            if creates.len() == 50 {
                creates.join_next().await.unwrap().unwrap();
            }
        }
        while creates.join_next().await.is_some_and(|created| created.is_ok()) {}
        let total = async |term: &str| {
            let answer = client.get(&format!("{PATH}?filter={term}")).await.expect(200).json();
            answer["meta"]["page"]["total_filtered_count"].as_u64().unwrap() as usize
        };
        assert_eq!(total("service").await, MANY);
        assert_eq!(total("SERVICE%2000").await, 1_000);
        assert_eq!(total("service%2001099").await, 1);
    }
}
