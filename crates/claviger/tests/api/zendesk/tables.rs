//! Every allowed domain and every header name of the tables by which the rules are held, as a request: what becomes of
//! each, in the words of the answer, whichever type it is for.

use claviger_model::testing::{ALLOWED_DOMAINS, HEADER_NAMES};
use http::Method;
use serde_json::{Value, json};

use crate::support::zis::Zis;
use crate::support::{Answer, TestDatabase, TestServer, on_both_engines};

const TYPES: [&str; 3] = ["api_key", "basic_auth", "bearer_token"];

fn path(of: &str) -> String {
    format!("/api/services/zis/integrations/tables/connections/{of}")
}

/// With the members of every type: those that a type does not know are passed over.
fn body(domain: &str, header: &str) -> Value {
    json!({ "name": "case", "allowed_domain": domain, "header_name": header, "api_key": "MY_SECRET",
        "username": "ada", "password": "MY_SECRET", "token": "MY_SECRET" })
}

async fn holder(server: &TestServer) -> Zis {
    let admin = Zis::admin(server).await;
    let client = admin.integration("tables").await;
    Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1)
}

/// Checks that an answer refuses one member, with one reason.
#[track_caller]
fn assert_refused(answer: Answer, member: &str, reason: &dyn ToString, about: &str) {
    let title = format!("{member} {}", reason.to_string());
    assert_eq!(answer.status.as_u16(), 400, "{about}: {}", answer.text);
    assert_eq!(answer.json(), json!({ "errors": [{ "code": "BadRequest", "title": title }] }), "{about}");
}

on_both_engines! {
    async fn every_domain_of_the_table_is_made_or_refused(server: &TestServer) {
        let zis = holder(server).await;
        zis.post(&path("api_key"), &json!({ "name": "standing", "allowed_domain": "standing.example", "header_name": "x-key",
            "api_key": "MY_SECRET" })).await.expect(201);
        let standing = format!("{}/standing", path("api_key"));
        let before = server.engine.applied();
        let (mut made, mut refused) = (0, 0);
        for (text, expected) in ALLOWED_DOMAINS {
            for of in TYPES {
                let (about, all) = (format!("{of} {text:?}"), path(of));
                let answer = zis.post(&all, &body(text, "x-api-key")).await;
                match expected {
                    Ok(kept) => {
                        let shown = answer.expect(201).json();
                        assert_eq!(shown[of]["allowed_domain"], *kept, "{about}");
                        let one = format!("{all}/case");
                        assert_eq!(zis.get(&one).await.expect(200).json(), shown, "{about}");
                        // Said again, in either spelling, it is the same.
                        for same in [*text, *kept] {
                            let same = json!({ "allowed_domain": same });
                            zis.send(Method::PATCH, &one, Some(same)).await.expect(204);
                        }
                        assert_eq!(zis.get(&one).await.expect(200).json(), shown, "{about}");
                        zis.delete(&one).await.expect(204);
                        made += 1;
                    }
                    Err(error) => {
                        assert_refused(answer, "allowed_domain", error, &about);
                        refused += 1;
                    }
                }
            }
            let answer = zis.send(Method::PATCH, &standing, Some(json!({ "allowed_domain": text }))).await;
            match expected {
                Ok(_) => assert_refused(answer, "allowed_domain", &"cannot be changed", text),
                Err(error) => assert_refused(answer, "allowed_domain", error, text),
            }
        }
        assert_eq!(made + refused, TYPES.len() * ALLOWED_DOMAINS.len());
        assert!(made > 150 && refused > 400, "{made} made, {refused} refused");
        // A create and a delete for each that was made, and nothing for the others.
        assert_eq!(server.engine.applied().sequence, before.sequence + 2 * made as i64);
        server.verify_state().await;
    }

    async fn every_header_name_of_the_table_is_made_or_refused(server: &TestServer) {
        let zis = holder(server).await;
        let (all, one) = (path("api_key"), format!("{}/case", path("api_key")));
        let shown = async |zis: &Zis, one: &str| zis.get(one).await.expect(200).json()["api_key"]["header_name"].clone();
        let (mut made, mut refused) = (0, 0);
        for (text, error) in HEADER_NAMES {
            let answer = zis.post(&all, &body("api.example.com", text)).await;
            match error {
                None => {
                    assert_eq!(answer.expect(201).json()["api_key"]["header_name"], *text);
                    assert_eq!(shown(&zis, &one).await, *text);
                    made += 1;
                }
                Some(error) => {
                    assert_refused(answer, "header_name", error, text);
                    zis.post(&all, &body("api.example.com", "x-other")).await.expect(201);
                    refused += 1;
                }
            }
            // And of one that has another header, by a change.
            zis.send(Method::PATCH, &one, Some(json!({ "header_name": "x-before" }))).await.expect(204);
            let answer = zis.send(Method::PATCH, &one, Some(json!({ "header_name": text }))).await;
            match error {
                None => {
                    answer.expect(204);
                    assert_eq!(shown(&zis, &one).await, *text);
                }
                Some(error) => {
                    assert_refused(answer, "header_name", error, text);
                    assert_eq!(shown(&zis, &one).await, "x-before", "{text}");
                }
            }
            zis.delete(&one).await.expect(204);
        }
        assert_eq!(made + refused, HEADER_NAMES.len());
        assert!(made > 40 && refused > 100, "{made} made, {refused} refused");
        server.verify_state().await;
    }
}
