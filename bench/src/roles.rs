//! A change of a role that many users have: how long its answer takes, and whether it holds for all of them by then.
//! Not pinned.

use std::path::Path;
use std::time::{Duration, Instant};

use claviger_model::RoleId;
use claviger_vault::SystemRandom;
use rusqlite::{Connection as Database, params};

use crate::Result;
use crate::fill::{self, Filled, Shape};
use crate::load::{Connection, status};
use crate::options::Options;
use crate::process::ANY_CORE;
use crate::server::Server;
use crate::table::{Report, heading};

/// What the role is given and what is taken from it again.
/// All of the users' keys may have it, the narrowed ones too.
const PERMISSION: &str = "dashboards_read";
/// Users who are asked after each change whether it holds for them.
const ASKED: usize = 8;

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let users = options.users_of_role();
    heading(&format!("A permission given to and taken from a role of {users} users: median and p99 in ms"));
    let filled = fill::directory(options, Shape::users(users))?;
    let role = give_role(&filled.data.join("claviger.db"))?;
    let product = Server::product(options, ANY_CORE, &filled.data, None)?;
    let mut asking = Asking { connection: Connection::open(product.address)?, filled: &filled };
    let permission = asking.permission()?;
    let mut times = Vec::new();
    for change in 0..options.role_changes() {
        let (method, wanted) = if change % 2 == 0 { ("POST", 200) } else { ("DELETE", 403) };
        times.push(asking.change(method, role, &permission)?);
        for user in 0..ASKED {
            let key = &filled.application_keys[(change * ASKED + user) * 7 % filled.application_keys.len()];
            let found = asking.verify(key)?;
            if found != wanted {
                return Err(format!("after {method}, a user was answered {found} and not {wanted}").into());
            }
        }
    }
    product.stop()?;
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (middle, p99) = (ms(times[times.len() / 2]), ms(times[times.len() * 99 / 100]));
    println!("SQLite {middle:.2} {p99:.2}, in effect for each of {} that were asked", times.len() * ASKED);
    report.at_most(&format!("change of a role of {users} users"), p99, 50.0, " ms");
    Ok(())
}

/// A role of its own, as the only one of every user but the admin.
fn give_role(file: &Path) -> Result<RoleId> {
    let database = Database::open(file)?;
    let role = RoleId::generate(&SystemRandom);
    database.execute(
        "DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE managed IS NULL)",
        [],
    )?;
    database.execute("DELETE FROM roles WHERE managed IS NULL", [])?;
    database.execute(
        "INSERT INTO roles (id, org_id, name, permissions, created_at, modified_at)
         SELECT ?1, id, 'Many', 'monitors_read', created_at, created_at FROM orgs",
        params![role.to_string()],
    )?;
    database.execute(
        "DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE managed = 'standard')",
        [],
    )?;
    database.execute(
        "INSERT INTO user_roles (org_id, user_id, role_id)
         SELECT org_id, id, ?1 FROM users WHERE id NOT IN (SELECT user_id FROM user_roles)",
        params![role.to_string()],
    )?;
    Ok(role)
}

struct Asking<'a> {
    connection: Connection,
    filled: &'a Filled,
}

impl Asking<'_> {
    fn send(&mut self, method: &str, path: &str, key: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let api_key = &self.filled.admin.0;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:7070\r\ndd-api-key: {api_key}\r\n\
             dd-application-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.connection.send(request.as_bytes())?;
        let answer = self.connection.receive()?;
        Ok((status(answer), answer.to_vec()))
    }

    /// The id of the permission.
    fn permission(&mut self) -> Result<String> {
        let key = self.filled.admin.1.clone();
        let (_, answer) = self.send("GET", "/api/v2/permissions", &key, "")?;
        let body =
            answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("an answer has no end")? + 4;
        let listed: serde_json::Value = serde_json::from_slice(&answer[body..])?;
        let is_meant = |one: &&serde_json::Value| one["attributes"]["name"] == PERMISSION;
        let found = listed["data"].as_array().and_then(|all| all.iter().find(is_meant));
        Ok(found.and_then(|one| one["id"].as_str()).ok_or("there is no such permission")?.to_owned())
    }

    fn change(&mut self, method: &str, role: RoleId, permission: &str) -> Result<Duration> {
        let key = self.filled.admin.1.clone();
        let body = format!(r#"{{"data":{{"type":"permissions","id":"{permission}"}}}}"#);
        let started = Instant::now();
        let (status, answer) =
            self.send(method, &format!("/api/v2/roles/{role}/permissions"), &key, &body)?;
        match status {
            200 => Ok(started.elapsed()),
            _ => Err(format!("a change was refused: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }

    fn verify(&mut self, key: &str) -> Result<u16> {
        Ok(self.send("GET", &format!("/verify?permission={PERMISSION}"), key, "")?.0)
    }
}
