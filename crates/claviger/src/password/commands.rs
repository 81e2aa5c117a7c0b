//! What the command does, where the database is.

use claviger_engine::{Engine, Operator};
use claviger_model::{Email, OrgId};
use claviger_vault::Password;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::control::{Context, Failure};

/// Orgs that are named where an address is in several.
const NAMED_MAX: usize = 20;
/// Orgs that are looked through for an address; more than anybody is in.
const FOUND_MAX: u32 = 10_000;

/// `user password`: sets a person's password, or takes it away.
pub(crate) async fn set(context: Context, mut arguments: Value) -> Result<Value, Failure> {
    // Taken out, so that it is wiped when it is done with.
    let password = match arguments["password"].take() {
        Value::Null => None,
        Value::String(text) => Some(Zeroizing::new(text)),
        _ => return Err(Failure::new("the password is no text")),
    };
    let password = password.map(Password::parse).transpose();
    let password = password.map_err(|error| Failure::new(error.to_string()))?;
    let email = arguments["email"].as_str().unwrap_or_default();
    let email = Email::parse(email).map_err(|error| Failure::new(format!("{email} {error}")))?;
    let operator = Operator::of_machine();
    let mut found = context.engine.list_persons(&operator, &email, FOUND_MAX).await?;
    if let Some(named) = arguments["in"].as_str() {
        let org = org(&context.engine, named)?;
        found.retain(|(of, _)| *of == org);
    }
    let (org, user) = match found.as_slice() {
        [] => return Err(Failure::new(format!("nobody there has the address {email}"))),
        [one] => *one,
        several => {
            let ids: Vec<_> = several.iter().take(NAMED_MAX).map(|(org, _)| org.to_string()).collect();
            let ids = ids.join(", ");
            return Err(Failure::new(format!("{email} is in several orgs: name one with --in, of {ids}")));
        }
    };
    let is_set = password.is_some();
    let changed = context.engine.set_password(&operator, org, user, password).await?;
    tracing::info!(%org, %user, is_set, position = %changed.position, "a password was changed");
    Ok(json!({
        "org": org.to_string(),
        "user": user.to_string(),
        "sessions": changed.value.sessions,
        "admin": changed.value.is_admin,
    }))
}

fn org(engine: &Engine, named: &str) -> Result<OrgId, Failure> {
    let found = named.parse().ok().or_else(|| engine.org_at(&named.to_ascii_lowercase()));
    let absent =
        || Failure::new(format!("no org has the id or subdomain {named}; `claviger org list` shows them"));
    found.ok_or_else(absent)
}
