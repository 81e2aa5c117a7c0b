//! Which org a request is for.

use claviger_zendesk::Options;
use serde_json::{Value, json};

use crate::support::wire::Wire;
use crate::support::zis::{ADMIN_SCOPES, TOKENS, Zis, registry};
use crate::support::{Keys, Setup, TestDatabase, TestServer, on_both_engines, tokens, with_either_database};

const LIST: &str = "/api/services/zis/registry/integrations";

on_both_engines! {
    /// Without a base domain there is one org, whatever the host.
    async fn one_org_alone_is_at_every_host(server: &TestServer) {
        let admin = Zis::admin(server).await;
        for host in ["localhost", "acme.zendesk.com", "192.0.2.1:7070"] {
            admin.at(host).get(LIST).await.expect(200);
        }
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        let foreign = tokens::personal_access_token(&foreign, json!(ADMIN_SCOPES)).await.secret;
        Zis::bearer(server, &foreign).get(LIST).await.expect(401);
    }
}

with_either_database! {
    async fn each_org_is_at_its_subdomain(database: TestDatabase) {
        let zendesk = Options::under("claviger.example").unwrap();
        let server = TestServer::start_with(database, Setup { zendesk, ..Setup::default() }).await;
        let client = server.client();
        let second = server.found_another("Second").await;
        for (org, subdomain) in [(server.founded.org, "first"), (second.org, "second")] {
            let body = json!({ "subdomain": subdomain });
            client.patch(&format!("/claviger/v1/orgs/{org}"), &body).await.expect(200);
        }
        let one = Zis::admin(&server).await.at("first.claviger.example");
        let token = tokens::personal_access_token(&server.client_with(Keys::of(&second)), json!(ADMIN_SCOPES)).await;
        let other = Zis::basic(&server, "second@example.com", &token.secret).at("SECOND.claviger.example:443");

        // Each has an integration of that name, and sees its own alone.
        let (client_one, client_other) = (one.integration("same").await, other.integration("same").await);
        for (zis, id) in [(&one, client_one), (&other, client_other)] {
            let listed = zis.get(LIST).await.expect(200).json();
            let ids: Vec<_> = listed["integrations"].as_array().unwrap().iter()
                .map(|it| it["zendesk_oauth_client"]["id"].clone()).collect();
            assert_eq!(ids, [json!(id)]);
        }
        let (id, token) = one.token(client_one, &["read"]).await;
        let body = json!({ "token": { "client_id": client_one, "scopes": ["read"] } });
        other.post(TOKENS, &body).await.expect(422);
        other.get(&format!("{TOKENS}/{id}")).await.expect(404);
        other.delete(&format!("{TOKENS}/{id}")).await.expect(404);

        // Good credentials at the other's host are nobody's.
        one.at("second.claviger.example").get(LIST).await.expect(401);
        other.at("first.claviger.example").post(&registry("a"), &json!({})).await.expect(401);
        let holder = Zis::bearer(&server, &token);
        holder.at("first.claviger.example").get(&format!("{TOKENS}/current")).await.expect(200);
        holder.at("second.claviger.example").get(&format!("{TOKENS}/current")).await.expect(401);

        // Nobody's host is told before any credential is looked at.
        let nobody = Zis::with(&server, None);
        for host in ["third.claviger.example", "claviger.example", "first.example", "a.first.claviger.example", "localhost"] {
            for zis in [&nobody, &one] {
                let refused = zis.at(host).get(LIST).await.expect(404).json();
                assert_eq!(refused["message"], "No account is known by this host", "{host}");
            }
        }

        // Nor is a request with two hosts anybody's.
        let authorization = one.authorization().unwrap();
        for (hosts, status) in [(vec!["first"], 200), (vec!["first", "second"], 404), (vec!["first", "first"], 404)] {
            let hosts: String = hosts.iter().map(|host| format!("host: {host}.claviger.example\r\n")).collect();
            let request = format!("GET {LIST} HTTP/1.1\r\n{hosts}authorization: {authorization}\r\n\r\n");
            let answer = Wire::connect(server.address).await.exchange(request.as_bytes()).await;
            assert_eq!(answer.status, status, "{hosts}");
        }

        // A subdomain that is given up leads nowhere, at once.
        let path = format!("/claviger/v1/orgs/{}", second.org);
        client.patch(&path, &json!({ "subdomain": Value::Null })).await.expect(200);
        other.get(LIST).await.expect(404);
        server.verify_state().await;
        server.stop().await;
    }
}
