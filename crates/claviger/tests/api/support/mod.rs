//! A server of one's own for each test, and plain clients for it.

pub(crate) mod actions;
mod client;
pub(crate) mod connections;
mod database;
pub(crate) mod edit;
pub(crate) mod guarded;
pub(crate) mod native_connections;
pub(crate) mod oauth;
pub(crate) mod people;
pub(crate) mod provider;
pub(crate) mod restrictions;
pub(crate) mod sample;
mod server;
pub(crate) mod session;
pub(crate) mod third_party;
pub(crate) mod tokens;
mod until;
pub(crate) mod wire;
pub(crate) mod zis;
pub(crate) mod zis_sample;

pub(crate) use client::{Answer, Client, Keys};
pub(crate) use database::TestDatabase;
pub(crate) use server::{Halted, PUBLIC_URL, START, Setup, TestServer};
pub(crate) use until::until;

/// Writes each case once and runs it on both engines: `on_both_engines! { fn name(server) { … } }` becomes
/// `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &TestServer) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($server: &TestServer) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let server = TestServer::start(TestDatabase::sqlite()).await;
                case(&server).await;
                server.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = TestDatabase::postgres().await else { return };
                let server = TestServer::start(database).await;
                case(&server).await;
                server.stop().await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// Like [`on_both_engines`], for cases that start the server themselves, and may do so more than once:
/// `with_either_database! { fn name(database: TestDatabase) { … } }`.
macro_rules! with_either_database {
    ($($(#[$doc:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($database: TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                case(TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = TestDatabase::postgres().await else { return };
                case(database).await;
            }
        }
    )*};
}
pub(crate) use with_either_database;
