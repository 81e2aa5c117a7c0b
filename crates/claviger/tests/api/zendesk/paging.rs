//! `…/connections/all` while connections come and go: whoever stood the whole time is there once, forwards and backwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use claviger_model::testing::SeededRandom;
use claviger_model::{Random, collation_key};
use serde_json::{Value, json};

use crate::support::zis::Zis;
use crate::support::{TestDatabase, TestServer, on_both_engines};

const TYPES: [&str; 3] = ["api_key", "basic_auth", "bearer_token"];
/// How many stay.
const STANDING: usize = 24;
/// How many times the list is walked through, in each direction.
const WALKS: usize = 20;

fn path(of: &str) -> String {
    format!("/api/services/zis/integrations/paged/connections/{of}")
}

/// A number below a bound.
fn below(random: &SeededRandom, bound: usize) -> usize {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    usize::from_le_bytes(bytes) % bound
}

/// Names that are alike but for case and dashes lie close together in the list's order, and so do their cursors.
fn name(random: &SeededRandom) -> String {
    const LETTERS: &[u8] = b"aAbB-_1";
    (0..3 + below(random, 4)).map(|_| char::from(LETTERS[below(random, LETTERS.len())])).collect()
}

fn body(name: &str) -> Value {
    json!({ "name": name, "allowed_domain": "api.example.com", "header_name": "x-api-key", "api_key": "MY_SECRET",
        "username": "ada", "password": "MY_SECRET", "token": "MY_SECRET" })
}

/// One page after another from one end to the other, in the list's order, and how many pages there were.
async fn walk(zis: &Zis, is_forward: bool, size: usize) -> (Vec<String>, usize) {
    // Beyond every name.
    let (side, mut cursor) =
        if is_forward { ("after", "---".to_owned()) } else { ("before", "z".repeat(64)) };
    let (mut found, mut pages) = (Vec::<String>::new(), 0);
    loop {
        let page = format!("{}?page[size]={size}&page[{side}]={cursor}", path("all"));
        let page = zis.get(&page).await.expect(200).json();
        let lists = TYPES.iter().flat_map(|of| page[*of].as_array().unwrap());
        let mut names: Vec<_> = lists.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        names.sort_by_key(|name| collation_key(name));
        assert!(names.len() <= size);
        let meta = &page["meta"];
        let ends = [names.first(), names.last()].map(|name| name.cloned().unwrap_or_default());
        assert_eq!([&meta["before"], &meta["after"]], [&json!(ends[0]), &json!(ends[1])]);
        let has_more = meta["has_more"].as_bool().unwrap();
        assert!(!has_more || names.len() == size, "a page that is not the last is full");
        if !is_forward {
            names.reverse();
        }
        found.extend(names);
        pages += 1;
        assert!(pages < 2000, "a walk comes to its end");
        if !has_more {
            break;
        }
        cursor = meta[side].as_str().unwrap().to_owned();
        assert!(!cursor.is_empty(), "whoever goes on knows where");
    }
    if !is_forward {
        found.reverse();
    }
    (found, pages)
}

on_both_engines! {
    async fn whoever_stood_the_whole_time_is_listed_once(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("paged").await;
        let zis = Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1);
        let random = SeededRandom::new(5);
        let mut standing = BTreeSet::new();
        while standing.len() < STANDING {
            let name = name(&random);
            // Before every other, so that it is where a walk begins.
            if name != "---" && standing.insert(name.clone()) {
                zis.post(&path(TYPES[below(&random, 3)]), &body(&name)).await.expect(201);
            }
        }
        let (is_over, churned) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut churning = tokio::task::JoinSet::new();
        for seed in 0..3 {
            let (zis, standing) = (zis.clone(), standing.clone());
            let (is_over, churned) = (is_over.clone(), churned.clone());
            churning.spawn(async move {
                let random = SeededRandom::new(100 + seed);
                while !is_over.load(Ordering::SeqCst) {
                    let (name, of) = (name(&random), TYPES[below(&random, 3)]);
                    if standing.contains(&name) || name == "---" {
                        continue;
                    }
                    let made = zis.post(&path(of), &body(&name)).await.status.as_u16();
                    assert!(matches!(made, 201 | 409), "{made}");
                    // Another may have deleted it, or made it of another type.
                    let gone = zis.delete(&format!("{}/{name}", path(of))).await.status.as_u16();
                    assert!(matches!(gone, 204 | 404), "{gone}");
                    churned.fetch_add(usize::from(gone == 204), Ordering::SeqCst);
                }
            });
        }
        let (mut walks, mut seen_others) = (0, 0);
        while walks < WALKS || churned.load(Ordering::SeqCst) < 200 {
            assert!(!churning.is_empty());
            for is_forward in [true, false] {
                for size in [1, 2 + below(&random, 5), 100] {
                    let (found, _) = walk(&zis, is_forward, size).await;
                    let keys: Vec<_> = found.iter().map(|name| collation_key(name)).collect();
                    assert!(keys.is_sorted_by(|one, next| one < next), "in order, each once: {found:?}");
                    let missing: Vec<_> = standing.iter().filter(|name| !found.contains(name)).collect();
                    assert!(missing.is_empty(), "pages of {size}, {is_forward}: {missing:?} of {found:?}");
                    seen_others += found.len() - standing.len();
                }
            }
            walks += 1;
        }
        is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = churning.join_next().await {
            ended.unwrap();
        }
        assert!(seen_others > 0, "others were listed too");
        server.verify_state().await;
    }
}
