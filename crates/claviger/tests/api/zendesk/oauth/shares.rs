//! One org's authorization server that does not answer takes no other org's turn.

use std::time::Duration;

use claviger_engine::Founded;
use claviger_oauth::OAuth;
use claviger_zendesk::Options as ZendeskOptions;
use serde_json::{Value, json};

use crate::support::oauth::{CODES, START, client_body, id_of, make_client, query, setup};
use crate::support::provider::{HOSTS, Mood, Provider};
use crate::support::zis::{ADMIN_SCOPES, Zis};
use crate::support::{Keys, PUBLIC_URL, TestDatabase, TestServer, tokens, with_either_database};

const HOUR: i64 = 3600;
/// More than there are turns for all orgs.
const CONNECTIONS: usize = 70;
/// The share of one.
const OF_ORG: usize = 16;

/// A connection by client credentials of whoever asks.
async fn connected(zis: &Zis, name: &str) -> Value {
    let body = json!({ "name": name, "oauth_client_name": "mine", "grant_type": "client_credentials" });
    let begun = zis.post(START, &body).await.expect(200).json();
    let code = query(begun["redirect_url"].as_str().unwrap())["verification_code"].clone();
    zis.get(&format!("{CODES}?verification_code={code}")).await.expect(200).json()
}

/// Whoever may read and write in an integration of an org's, which has a client with its own authorization server.
async fn tenant(server: &TestServer, org: &Founded, name: &str, provider: &str) -> Zis {
    let subdomain = json!({ "subdomain": name });
    server.client().patch(&format!("/claviger/v1/orgs/{}", org.org), &subdomain).await.expect(200);
    let host = format!("{name}.claviger.example");
    let token = tokens::personal_access_token(&server.client_with(Keys::of(org)), json!(ADMIN_SCOPES)).await;
    let admin = Zis::basic(server, &format!("{name}@example.com"), &token.secret).at(&host);
    let number = admin.integration("my_integration").await;
    let zis = Zis::bearer(server, &admin.token(number, &["read", "write"]).await.1).at(&host);
    let mut body = client_body();
    body["token_url"] = json!(format!("https://{provider}/token"));
    make_client(&zis, &body).await;
    zis
}

with_either_database! {
    async fn an_authorization_server_that_does_not_answer_takes_its_orgs_share(database: TestDatabase) {
        let provider = Provider::start().await;
        let mut setup = setup(&provider, Duration::from_secs(120));
        setup.zendesk = ZendeskOptions::under("claviger.example").unwrap().with_public_url(PUBLIC_URL).unwrap();
        let server = TestServer::start_with(database, setup).await;
        let other = server.found_another("Other").await;
        let zis = tenant(&server, &server.founded, "admin", HOSTS[0]).await;
        let theirs = id_of(&connected(&tenant(&server, &other, "other", HOSTS[1]).await, "the_one").await);
        let mut ids = Vec::new();
        for number in 0..CONNECTIONS {
            ids.push(id_of(&connected(&zis, &format!("silent-{number}")).await));
        }

        server.clock.advance_micros(HOUR * 1_000_000);
        provider.set(Mood::HeldAt(HOSTS[0]));
        let before = provider.asked().len();
        let mut renewals = tokio::task::JoinSet::new();
        let renew = |oauth: OAuth, org, id| async move { oauth.access_token(org, id).await.map(drop) };
        for id in ids {
            renewals.spawn(renew(server.oauth.clone(), server.founded.org, id));
        }
        provider.wait_for(before + OF_ORG).await;
        let renewed = renew(server.oauth.clone(), other.org, theirs);
        let renewed = tokio::time::timeout(Duration::from_secs(60), renewed).await;
        renewed.expect("it waits for nobody").unwrap();
        let asked: Vec<_> = provider.asked().split_off(before).into_iter().map(|asked| asked.host).collect();
        let count = |host: &str| asked.iter().filter(|asked| *asked == host).count();
        assert_eq!((count(HOSTS[0]), count(HOSTS[1])), (OF_ORG, 1));

        // Those that waited have their turn, but for whom that came too late.
        provider.release();
        let renewed = renewals.join_all().await;
        assert!(renewed.iter().filter(|renewed| renewed.is_ok()).count() >= OF_ORG, "{renewed:?}");
        let late = renewed.iter().filter_map(|renewed| renewed.as_ref().err());
        assert!(late.map(|error| error.code()).all(|code| code == "provider"), "{renewed:?}");
        server.verify_state().await;
        server.stop().await;
    }
}
