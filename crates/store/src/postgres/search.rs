//! The index of names by every three letters in a row, if the database can have it.
//!
//! PostgreSQL's planner uses it by itself where it helps; SQLite's is asked for, see `sqlite/search.rs`.

use tokio_postgres::Client;

use super::failure;
use crate::StoreError;

const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM pg_indexes
     WHERE schemaname = current_schema() AND indexname = 'credentials_by_trigram')";
/// Since version 13, whoever may create things in a database may create this extension in it.
const CREATE: &str = "CREATE EXTENSION IF NOT EXISTS pg_trgm;
     CREATE INDEX credentials_by_trigram ON credentials USING gin (name_search gin_trgm_ops)
         WHERE revoked_at IS NULL";

/// Makes the index unless it is there. Where it cannot be made, searches read every name of the org, and the log
/// says so.
pub(super) async fn ensure_index(client: &Client) -> Result<(), StoreError> {
    let is_there: bool = client.query_one(IS_THERE, &[]).await.map_err(failure)?.get(0);
    if is_there {
        return Ok(());
    }
    match client.batch_execute(CREATE).await {
        Err(error) if error.code().is_some() => {
            let error = claviger_model::chain(&error);
            tracing::warn!(error, "without PostgreSQL's extension pg_trgm, searching by name is slow");
            Ok(())
        }
        done => done.map_err(failure),
    }
}
