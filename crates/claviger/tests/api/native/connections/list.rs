//! Lists: filtered, sorted and paged, and never with what a restriction keeps from the caller.

use serde_json::Value;

use super::{PATH, SECRET};
use crate::native::fields;
use crate::support::native_connections::{aws, gitlab, http, made};
use crate::support::{Client, TestDatabase, TestServer, on_both_engines};

/// The names that a list shows, in order, and its total.
async fn names(client: &Client, query: &str) -> (Vec<String>, i64) {
    let list = client.get(&format!("{PATH}{query}")).await.expect(200).json();
    let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
    (list["connections"].as_array().unwrap().iter().map(name).collect(), list["total"].as_i64().unwrap())
}

fn expected(names: &[&str], total: i64) -> (Vec<String>, i64) {
    (names.iter().map(|name| (*name).to_owned()).collect(), total)
}

on_both_engines! {
    async fn it_is_filtered_sorted_and_paged(server: &TestServer) {
        let admin = server.client();
        for (name, integration) in
            [("beta", gitlab(SECRET)), ("Alpha", aws()), ("gamma", http("https://a.example", "x")), ("alphabet", gitlab(SECRET))]
        {
            made(&admin, name, &integration, Value::Null).await;
            server.clock.advance_micros(1_000);
        }
        assert_eq!(names(&admin, "").await, expected(&["Alpha", "alphabet", "beta", "gamma"], 4));
        assert_eq!(names(&admin, "?sort=-name&limit=2").await, expected(&["gamma", "beta"], 4));
        assert_eq!(names(&admin, "?sort=created_at&limit=2&offset=1").await, expected(&["Alpha", "gamma"], 4));
        assert_eq!(names(&admin, "?sort=-created_at&limit=1").await, expected(&["alphabet"], 4));
        assert_eq!(names(&admin, "?offset=4").await, expected(&[], 4));
        assert_eq!(names(&admin, "?type=Gitlab").await, expected(&["alphabet", "beta"], 2));
        assert_eq!(names(&admin, "?name=ALPHA").await, expected(&["Alpha", "alphabet"], 2));
        assert_eq!(names(&admin, "?name=alpha&type=AWS").await, expected(&["Alpha"], 1));
        assert_eq!(names(&admin, "?type=gitlab").await, expected(&[], 0));
        assert_eq!(names(&admin, "?dialect=datadog").await.1, 4);
        assert_eq!(names(&admin, "?dialect=zendesk").await, expected(&[], 0));
        assert_eq!(names(&admin, "?health=ok").await, expected(&[], 0));
        assert_eq!(names(&admin, "?used_since=2020-01-01T00:00:00Z").await, expected(&[], 0));
        assert_eq!(names(&admin, "?unused_since=2020-01-01T00:00:00Z").await.1, 4);
        assert_eq!(names(&admin, "?name=%25").await, expected(&[], 0));
    }

    async fn every_bad_parameter_is_named(server: &TestServer) {
        let query = "?limit=0&offset=-1&sort=type&dialect=aws&health=good&used_since=x&unused_since=1&name=%00&type=%01";
        let answer = server.client().get(&format!("{PATH}{query}")).await.expect(400);
        let all = ["dialect", "health", "limit", "name", "offset", "sort", "type", "unused_since", "used_since"];
        assert_eq!(fields(&answer), all);
    }
}
