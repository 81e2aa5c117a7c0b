//! What people and roles are sorted and searched by, and that of rows which were written before there was any.

use claviger_model::{User, collation_key};

use crate::credential_list::search_key;
use crate::value::{Row, Value, params};
use crate::{Database, StoreError};

/// How a user stands in lists: by the name, or by the address where there is none.
pub(crate) fn sort_key(user: &User) -> Vec<u8> {
    collation_key(user.name.as_deref().unwrap_or(&user.email))
}

/// What a part of a user is looked for in: name, handle and address, each on a line of its own, so that nothing
/// that is looked for reaches from one into the next.
pub(crate) fn search_text(user: &User) -> String {
    searched(user.name.as_deref(), &user.handle, &user.email)
}

fn searched(name: Option<&str>, handle: &str, email: &str) -> String {
    [name.unwrap_or_default(), handle, email].map(search_key).join("\n")
}

impl Database {
    /// Fills in what a migration could not, since the program makes it.
    pub(crate) async fn fill_names(&mut self) -> Result<(), StoreError> {
        let (mut users, mut roles) = (Vec::new(), Vec::new());
        let sql = "SELECT id, name, handle, email FROM users WHERE name_sort IS NULL";
        self.each(sql, &[], |row| Ok(users.push(user_keys(row)?))).await?;
        let sql = "SELECT id, name FROM roles WHERE name_sort IS NULL";
        self.each(sql, &[], |row| Ok(roles.push(role_keys(row)?))).await?;
        if users.is_empty() && roles.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        self.insert_all("UPDATE users SET name_sort = $1, search = $2 WHERE id = $3", &users).await?;
        self.insert_all("UPDATE roles SET name_sort = $1, search = $2 WHERE id = $3", &roles).await?;
        self.script("COMMIT").await
    }
}

fn user_keys(row: &dyn Row) -> Result<Vec<Value>, StoreError> {
    let (id, name, handle, email) =
        (row.get::<String>(0)?, row.opt::<String>(1)?, row.get::<String>(2)?, row.get::<String>(3)?);
    let sort = collation_key(name.as_deref().unwrap_or(&email));
    Ok(params![sort, searched(name.as_deref(), &handle, &email), id])
}

fn role_keys(row: &dyn Row) -> Result<Vec<Value>, StoreError> {
    let (id, name) = (row.get::<String>(0)?, row.get::<String>(1)?);
    Ok(params![collation_key(&name), search_key(&name), id])
}
