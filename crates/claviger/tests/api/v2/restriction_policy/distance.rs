//! How close one must come: every route that is about connections × every relation × every way to be given it. The
//! routes are the router's, so that a new one fails the test until it is known here how close it asks one to come.

use claviger_http::RouteInfo;
use serde_json::Value;

use crate::support::restrictions::{Someone, everybody, restrict};
use crate::support::sample::{self, Sample};
use crate::support::{TestDatabase, TestServer, on_both_engines};

/// How close a route asks one to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// It is about no connection that is there, or about many: lists leave out what may not be seen.
    Any,
    Viewer,
    Resolver,
    Editor,
}

const RELATIONS: [(Option<&str>, Distance); 4] = [
    (None, Distance::Any),
    (Some("viewer"), Distance::Viewer),
    (Some("resolver"), Distance::Resolver),
    (Some("editor"), Distance::Editor),
];

/// Whether a route is about connections, by its path: everything that this server calls by their name.
fn is_about_connections(route: &RouteInfo) -> bool {
    ["connection", "restriction", "broker", "actions/http"].iter().any(|word| route.path.contains(word))
}

fn wanted(route: &RouteInfo) -> Distance {
    match (route.method.as_str(), route.path) {
        ("POST", "/api/v2/actions/connections")
        | ("GET" | "POST", "/claviger/v1/connections")
        | ("GET", "/claviger/v1/connections/export") => Distance::Any,
        ("GET", "/api/v2/actions/connections/{connection_id}")
        | ("GET", "/claviger/v1/connections/{connection_id}")
        | (
            "GET",
            "/claviger/v1/connections/{connection_id}/history"
            | "/claviger/v1/connections/{connection_id}/calls",
        ) => Distance::Viewer,
        ("POST", "/claviger/v1/connections/{connection_id}/test" | "/claviger/v1/actions/http") => {
            Distance::Resolver
        }
        ("PATCH" | "DELETE", "/api/v2/actions/connections/{connection_id}")
        | ("PATCH" | "DELETE", "/claviger/v1/connections/{connection_id}") => Distance::Editor,
        ("GET", "/api/v2/restriction_policy/{resource_id}") => Distance::Viewer,
        ("POST" | "DELETE", "/api/v2/restriction_policy/{resource_id}") => Distance::Editor,
        (method, path) => {
            panic!("{method} {path} is about connections: say here how close its callers must come to one")
        }
    }
}

/// The connection that a sample's path is about, or its body; none where it is about none.
fn connection_in(sample: &Sample) -> Option<String> {
    let is_id = |part: &&str| uuid::Uuid::try_parse(part).is_ok();
    let in_body = || sample.body.as_ref()?["connection"].as_str();
    sample.path.split(['/', ':', '?']).find(is_id).or_else(in_body).map(str::to_owned)
}

on_both_engines! {
    async fn every_connection_route_keeps_its_distance(server: &TestServer) {
        let admin = server.client();
        let (someone, other) = (Someone::join(server).await, Someone::join(server).await);
        let ways = [
            format!("user:{}", someone.user),
            format!("role:{}", someone.role),
            everybody(server),
        ];
        let mut count = 0;
        for route in server.routes.iter().filter(|route| is_about_connections(route)) {
            let wanted = wanted(route);
            for (relation, distance) in RELATIONS {
                for way in &ways {
                    let about = format!("{} {} as {relation:?} by {way}", route.method, route.path);
                    let sample = sample::sample(route, &admin).await;
                    let connection = connection_in(&sample);
                    assert_eq!(connection.is_some(), wanted != Distance::Any, "{about}: {}", sample.path);
                    if let Some(connection) = &connection {
                        // Somebody else is close, whoever asks; somebody is always closer than asked for.
                        let mut given = vec![("editor", format!("user:{}", other.user))];
                        given.extend(relation.map(|relation| (relation, way.clone())));
                        restrict(&admin, connection, &given).await;
                    }
                    let before = server.engine.applied();
                    let answer = sample::send(route, &sample, &someone.client).await;
                    if distance >= wanted {
                        assert_eq!(answer.status.as_u16(), sample.success, "{about}: {}", answer.text);
                    } else {
                        assert_eq!(answer.status.as_u16(), 403, "{about}: {}", answer.text);
                        assert!(answer.json()["errors"][0] != Value::Null, "{about}: {}", answer.text);
                        assert_eq!(server.engine.applied(), before, "{about}: a refused request changes nothing");
                    }
                    count += 1;
                }
            }
        }
        assert!(count >= 9 * 4 * 3, "{count}: a route went missing");
        server.verify_state().await;
    }

    /// Where there is no policy, the permission alone decides.
    async fn without_a_policy_every_route_is_open_to_whoever_has_the_permission(server: &TestServer) {
        let admin = server.client();
        let someone = Someone::join(server).await;
        for route in server.routes.iter().filter(|route| is_about_connections(route)) {
            let sample = sample::sample(route, &admin).await;
            sample::send(route, &sample, &someone.client).await.expect(sample.success);
        }
    }
}
