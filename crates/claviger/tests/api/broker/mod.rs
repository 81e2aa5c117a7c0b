//! `/broker/…`

mod bounds;
mod dns;
mod echo;
mod ends;
mod exchanges;
mod exfiltration;
mod forward;
mod hygiene;
mod kept;
mod kept_out;
mod limited;
mod multipart;
mod oauth;
mod own_headers;
mod patience;
mod raw;
mod reach;
mod renewals;
mod request_ids;
mod retries;
mod rules;
mod searchable;
mod seats;
mod slow_names;
mod ssrf;
mod strict;
mod unread;
mod vouchers;

use std::sync::Arc;

use claviger_egress::{Egress, Policy};
use serde_json::json;

use crate::support::third_party::ThirdParty;
use crate::support::{Client, Setup, TestDatabase, TestServer, connections, tokens};

/// A server, the third parties that it calls, and whoever may use its connections.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) world: ThirdParty,
    /// The first admin.
    pub(crate) admin: Client,
}

impl Scene {
    /// With a principal of its own at AWS.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let aws = Some(Arc::new(exchanges::principal()));
        Self::start_with(database, Setup { aws, ..Setup::default() }).await
    }

    /// With a setup of its own, but for the way out.
    pub(crate) async fn start_with(database: TestDatabase, setup: Setup) -> Self {
        let world = ThirdParty::start().await;
        let egress = world.egress();
        Self::start_in(database, world, egress, setup).await
    }

    /// In a world of its own, with a way to it.
    pub(crate) async fn start_in(
        database: TestDatabase,
        world: ThirdParty,
        egress: Egress,
        setup: Setup,
    ) -> Self {
        let exchange = claviger_exchange::client(egress.clone(), Policy::public());
        let setup = Setup { egress: Some(egress), exchange: Some(exchange), ..setup };
        let server = TestServer::start_with(database, setup).await;
        let admin = server.client();
        Self { server, world, admin }
    }

    /// Makes a connection of this `integration` value, and gives its id.
    pub(crate) async fn connection(&self, integration: &serde_json::Value) -> String {
        connections::made(&self.admin, integration).await
    }

    /// A token that may use connections, and no more.
    pub(crate) async fn token(&self) -> String {
        tokens::personal_access_token(&self.admin, json!(["connections_resolve"])).await.secret
    }
}

/// `with_a_world! { async fn name(scene: &Scene) { … } }` runs a case on both engines.
macro_rules! with_a_world {
    ($($(#[$doc:meta])* async fn $name:ident($scene:ident: &Scene) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($scene: &$crate::broker::Scene) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let scene = $crate::broker::Scene::start($crate::support::TestDatabase::sqlite()).await;
                case(&scene).await;
                scene.server.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = $crate::support::TestDatabase::postgres().await else { return };
                let scene = $crate::broker::Scene::start(database).await;
                case(&scene).await;
                scene.server.stop().await;
            }
        }
    )*};
}
pub(crate) use with_a_world;
