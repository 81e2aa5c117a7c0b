//! One suite for both engines: each case is written once and runs on SQLite and on PostgreSQL, every time.
//!
//! `cargo xtask test` provides the PostgreSQL. Each test has a database of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod closing;
mod connection_restrictions;
mod connections;
mod credentials;
mod faults;
mod founding;
mod ledger;
mod lists;
mod migration;
mod own_permissions;
mod people;
mod postgres_only;
mod postgres_silence;
mod raw;
mod refusals;
mod registrations;
mod rotation;
mod sqlite_only;
mod tenancy;
mod testbed;
mod writer;

/// Makes each case two tests, `sqlite::case` and `postgres::case`.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::testbed::run_on_sqlite(super::$case).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::testbed::run_on_postgres(super::$case).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;
