//! `/openapi.json`: it is complete, it is the snapshot, and whoever asks gets it.

use claviger_http::{RouteInfo, Who};
use serde_json::Value;

use crate::support::oauth::Stage;
use crate::support::{Answer, Keys, TestDatabase, TestServer, sample, zis_sample};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");
/// Set to anything, it takes what is served for the new snapshot.
const UPDATE: &str = "CLAVIGER_UPDATE_SNAPSHOTS";

async fn document(server: &TestServer) -> Value {
    let answer = server.client_with(Keys::default()).get("/openapi.json").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_the_snapshot() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let served = document(&server).await;
    server.stop().await;
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(SNAPSHOT, format!("{served:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(SNAPSHOT).unwrap()).unwrap();
    assert!(
        served == kept,
        "the description has changed: run this test with {UPDATE}=1 and look at what git shows"
    );
}

/// Every route of the application, those of the fronts and the door included, is described, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_is_missing() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let served = document(&server).await;
    let described = served["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let mut described: Vec<_> = described.collect();
    let mut routes: Vec<_> = server
        .routes
        .iter()
        .chain(&server.session_routes)
        .chain(&server.zendesk_routes)
        .map(|info| format!("{} {}", info.method, info.path.replace("{*", "{")))
        .collect();
    // Through the door, past all routes. TRACE and CONNECT are not passed on.
    let passed_on = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    routes.extend(passed_on.map(|method| format!("{method} /broker/{{connection}}/{{path}}")));
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
    server.stop().await;
}

/// References lead somewhere, nothing is described in vain, and operations have names of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_names_hold_together() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let served = document(&server).await;
    server.stop().await;
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
    let (mut references, mut ids) = (Vec::new(), Vec::new());
    collect(&served, &mut references, &mut ids);
    let names: Vec<_> = ["schemas", "responses"]
        .into_iter()
        .flat_map(|kind| {
            let named = served["components"][kind].as_object().unwrap().keys();
            named.map(move |name| format!("#/components/{kind}/{name}"))
        })
        .collect();
    assert!(references.iter().all(|reference| names.contains(reference)), "{references:?}");
    assert!(names.iter().all(|name| references.contains(name)), "{names:?}");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count), (count, server_routes(&served)));
}

/// What is said of the broker is what it does: its codes are those that its documents list, by status.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brokers_refusals_are_those_of_its_documents() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let served = document(&server).await;
    server.stop().await;
    let responses = &served["paths"]["/broker/{connection}/{path}"]["post"]["responses"];
    let described = responses.as_object().unwrap().iter().filter(|(status, _)| *status != "default");
    let mut described: Vec<_> = described
        .flat_map(|(status, response)| {
            let (_, name) = response["$ref"].as_str().unwrap().rsplit_once('/').unwrap();
            let codes =
                served["components"]["responses"][name]["headers"]["Claviger-Error"]["schema"]["enum"]
                    .as_array()
                    .unwrap();
            codes.iter().map(move |code| format!("{status} {}", code.as_str().unwrap()))
        })
        // Named together there, and a fault of ours, which is nothing to plan for.
        .filter(|line| !line.contains(" exchange_") && line != "500 internal")
        .collect();
    let page = include_str!("../../../../docs/broker.md");
    let (_, table) = page.split_once("| status | codes |\n|---|---|\n").unwrap();
    let mut documented = Vec::new();
    for row in table.lines().map_while(|line| line.strip_prefix("| ")) {
        let (statuses, codes) = row.trim_end_matches(" |").split_once(" | ").unwrap();
        // Several statuses in a row have their codes in the same order, parted by semicolons.
        let codes: Vec<_> = codes.split("; ").collect();
        let statuses: Vec<_> = statuses.split(", ").collect();
        assert_eq!(statuses.len(), codes.len(), "{row}");
        for (status, codes) in statuses.iter().zip(codes) {
            let codes = codes.split(", ").map(|code| code.trim_matches('`'));
            documented
                .extend(codes.filter(|code| *code != "exchange_…").map(|code| format!("{status} {code}")));
        }
    }
    described.sort();
    documented.sort();
    assert_eq!(described, documented);
}

fn server_routes(served: &Value) -> usize {
    served["paths"].as_object().unwrap().values().map(|methods| methods.as_object().unwrap().len()).sum()
}

fn collect(value: &Value, references: &mut Vec<String>, ids: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => references.push(reference.clone()),
                    ("operationId", Value::String(id)) => ids.push(id.clone()),
                    _ => collect(member, references, ids),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references, ids)),
        _ => {}
    }
}

/// The headers that are described of an answer with this status.
fn described<'a>(document: &'a Value, route: &RouteInfo, status: u16) -> Vec<&'a str> {
    let path = route.path.replace("{*", "{");
    let operation = &document["paths"][&path][route.method.as_str().to_ascii_lowercase()];
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{} {path} says nothing of {status}", route.method);
    response["headers"]
        .as_object()
        .map(|headers| headers.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The headers of an answer that are ours alone, and are not of every answer.
fn sent(answer: &Answer) -> Vec<&'static str> {
    let ours = ["Claviger-Error", "Claviger-Position"];
    ours.into_iter().filter(|name| !answer.header(&name.to_ascii_lowercase()).is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_headers_that_it_promises_are_sent() {
    let Stage { server, admin: zis_admin, zis: holder, number, .. } =
        Stage::set(TestDatabase::sqlite()).await;
    let (served, admin) = (document(&server).await, server.client());
    for route in &server.routes {
        let about = format!("{} {}", route.method, route.path);
        // Gateways need the position of what they are told; that header is described where it is explained.
        if route.path.starts_with("/verify") {
            continue;
        }
        let sample = sample::sample(route, &admin).await;
        let answer = sample::send(route, &sample, &admin).await.expect(sample.success);
        assert_eq!(sent(&answer), described(&served, route, sample.success), "{about}");
        if route.who != Who::Anybody {
            let refused = sample::send(route, &sample, &server.client_with(Keys::default())).await;
            let status = refused.status.as_u16();
            assert_eq!(sent(&refused), described(&served, route, status), "{about} without credentials");
        }
    }
    for route in &server.zendesk_routes {
        let sample = zis_sample::sample(route, &zis_admin, &holder, number).await;
        let caller = if matches!(route.who, Who::Admin(_)) { &zis_admin } else { &holder };
        let answer =
            caller.send(route.method.clone(), &sample.path, sample.body).await.expect(sample.success);
        let about = format!("{} {}", route.method, route.path);
        assert_eq!(sent(&answer), described(&served, route, sample.success), "{about}");
    }
    server.stop().await;
}
