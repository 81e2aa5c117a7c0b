//! `/claviger/v1/actions/http`: a call through a connection, asked for and answered in JSON.

mod answers;
mod attacks;
mod bounds;
mod calls;
mod ends;
mod form;
mod rights;
mod terms;

use serde_json::{Value, json};

use crate::support::{Answer, Client};

const PATH: &str = "/claviger/v1/actions/http";
const SECRET: &str = "glpat-canary-7Qx2";

/// The body of an action: GET, and these members beside or in place of it.
fn action(connection: &str, more: Value) -> Value {
    let mut body = json!({ "connection": connection, "method": "GET" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Runs one that reaches its third party, and gives what is told of it.
async fn ran(client: &Client, connection: &str, more: Value) -> Value {
    let answer = client.post(PATH, &action(connection, more)).await.expect(200);
    assert_eq!((answer.header("claviger-error"), answer.header("content-type")), ("", "application/json"));
    answer.json()
}

/// A refusal's status, its code in header and body, and the field that it names.
#[track_caller]
fn refusal(answer: &Answer) -> (u16, String, String) {
    let error = &answer.json()["errors"][0];
    assert_eq!(error["code"], answer.header("claviger-error"), "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text(&error["code"]), text(&error["field"]))
}

/// The values of a header that the third party answered, in order.
fn told(ran: &Value, name: &str) -> Vec<String> {
    let headers = ran["headers"].as_array().unwrap().iter();
    let of = headers.filter(|it| it["key"] == name).map(|it| it["value"].as_str().unwrap().to_owned());
    of.collect()
}
