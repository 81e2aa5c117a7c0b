//! Renewals of OAuth tokens that no call asks for: they use the connection's secret, and are recorded like calls.

use std::time::Duration;

use serde_json::{Value, json};

use crate::native::connections::calls::listed;
use crate::support::native_connections::CONNECTIONS;
use crate::support::oauth::{Stage, id_of, showing};
use crate::support::provider::Mood;
use crate::support::third_party::ThirdParty;
use crate::support::{TestDatabase, with_either_database};

const HOUR: i64 = 3600;

/// Who has a token renewed, without a call.
const ASKERS: [&str; 3] = ["a test", "Zendesk's API", "whoever is shown it"];

struct Scene {
    stage: Stage,
    id: String,
    /// Where calls go.
    _world: ThirdParty,
}

impl Scene {
    /// An OAuth connection on terms, shown with its tokens.
    async fn set(database: TestDatabase, terms: Value) -> Self {
        let world = ThirdParty::start().await;
        let stage = Stage::set_with(database, Duration::from_secs(30), |setup| {
            setup.egress = Some(world.egress());
            setup.zendesk = showing();
        });
        let stage = stage.await;
        stage.client().await;
        let id = id_of(&stage.connect("one").await).to_string();
        let path = format!("{CONNECTIONS}/{id}");
        stage.server.client().patch(&path, &json!({ "terms": terms })).await.expect(200);
        Self { stage, id, _world: world }
    }

    /// The status of who asks.
    async fn ask(&self, asker: &str) -> u16 {
        let answer = match asker {
            "a test" => {
                let path = format!("{CONNECTIONS}/{}/test", self.id);
                self.stage.server.client().post(&path, &Value::Null).await
            }
            "Zendesk's API" => self.stage.refresh("one").await,
            _ => self.stage.zis.get(&format!("{}?name=one", crate::support::oauth::ONE)).await,
        };
        answer.status.as_u16()
    }

    /// What is in the record now.
    async fn calls(&self) -> Vec<Value> {
        let list = self.stage.server.client().get(&format!("{CONNECTIONS}/{}/calls", self.id)).await;
        list.expect(200).json()["calls"].as_array().unwrap().clone()
    }
}

fn told(call: &Value) -> [Value; 6] {
    ["method", "host", "path", "ended", "status", "error"].map(|member| call[member].clone())
}

fn line(is_ended: bool, status: Option<u16>, error: Option<&str>) -> [Value; 6] {
    [json!("POST"), json!("auth.example.com"), json!("/token"), json!(is_ended), json!(status), json!(error)]
}

with_either_database! {
    async fn one_is_written_down_before_it_is_made(database: TestDatabase) {
        let scene = Scene::set(database, json!({ "audit": "strict" })).await;
        for (number, asker) in ASKERS.into_iter().enumerate() {
            scene.stage.wait_seconds(HOUR);
            scene.stage.provider.set(Mood::Held);
            let asked = scene.stage.provider.asked().len();
            let looking = async {
                scene.stage.provider.wait_for(asked + 1).await;
                let calls = scene.calls().await;
                scene.stage.provider.release();
                calls
            };
            let (status, calls) = tokio::join!(scene.ask(asker), looking);
            assert_eq!((status, calls.len()), (200, number + 1), "{asker}");
            assert_eq!(told(&calls[0]), line(false, None, None), "{asker}");
            // How it ended takes its place before whoever asked is answered.
            let after = scene.calls().await;
            assert_eq!((told(&after[0]), after.len()), (line(true, Some(200), None), number + 1), "{asker}");
            assert_eq!(after[0]["credential"], calls[0]["credential"]);
            assert!(after[0]["credential"].as_str().is_some_and(|it| it != "server"), "{asker}");
            assert!(!after[0].to_string().contains("canary"), "{}", after[0]);
        }
        scene.stage.wait_seconds(HOUR);
        scene.stage.provider.set(Mood::Refusing("invalid_grant"));
        scene.ask("a test").await;
        assert_eq!(told(&scene.calls().await[0]), line(true, Some(502), Some("grant_refused")));
        // What was refused for good is not asked for again.
        scene.ask("a test").await;
        assert_eq!(scene.calls().await.len(), ASKERS.len() + 1);
        scene.stage.stop().await;
    }

    async fn one_that_cannot_be_written_down_is_not_made(database: TestDatabase) {
        let scene = Scene::set(database, json!({ "audit": "strict" })).await;
        scene.stage.wait_seconds(HOUR);
        let database = scene.stage.server.database();
        database.execute("ALTER TABLE connection_calls RENAME TO elsewhere").await;
        let asked = scene.stage.provider.asked().len();
        assert_eq!((scene.ask("a test").await, scene.ask("Zendesk's API").await), (503, 503));
        assert_eq!(scene.stage.provider.asked().len(), asked);
        database.execute("ALTER TABLE elsewhere RENAME TO connection_calls").await;
        // Nothing is left of that which would keep it from being made.
        assert_eq!(scene.ask("a test").await, 200);
        assert_eq!(scene.stage.provider.asked().len(), asked + 1);
        assert_eq!(scene.calls().await.len(), 1);
        scene.stage.stop().await;
    }

    /// On usual terms it is one line, once it has ended; and where a call has it made, the call's line is all.
    async fn each_use_is_one_line(database: TestDatabase) {
        let scene = Scene::set(database, Value::Null).await;
        scene.ask("a test").await;
        assert!(scene.calls().await.is_empty(), "nobody was asked");
        scene.stage.wait_seconds(HOUR);
        scene.ask("a test").await;
        let calls = scene.calls().await;
        assert_eq!((told(&calls[0]), calls.len()), (line(true, Some(200), None), 1));
        scene.stage.wait_seconds(HOUR);
        let asked = scene.stage.provider.asked().len();
        scene.stage.zis.get("/broker/zis:my_integration:one/api").await.expect(200);
        assert_eq!(scene.stage.provider.asked().len(), asked + 1);
        let list = listed(&scene.stage.server.client(), &scene.id, 2).await;
        assert_eq!((&list["calls"][0]["path"], list["calls"].as_array().unwrap().len()), (&json!("/api"), 2));
        scene.stage.stop().await;
    }
}
