//! What the commands do, where the database is.

use claviger_engine::{FirstOrg, Operator, OrgChange};
use claviger_model::{Email, Name, Org, Subdomain};
use serde_json::{Value, json};

use crate::control::{Context, Failure};

/// Orgs that are read at once.
const PAGE: i64 = 1000;

/// `org create`: an org, and the keys with which its admin begins.
pub(crate) async fn create(context: Context, arguments: Value) -> Result<Value, Failure> {
    let name = name(&arguments)?.ok_or_else(|| Failure::new("the org needs a name"))?;
    let email = arguments["admin_email"].as_str().unwrap_or_default();
    let email = Email::parse(email).map_err(|error| Failure::new(format!("{email} {error}")))?;
    let operator = Operator::of_machine();
    let made = context.engine.create_org(&operator, &FirstOrg { name, email }).await?;
    let (org, founded) = made.value;
    tracing::info!(org = %org.id, position = %made.position, "an org was made");
    Ok(json!({
        "org": shown(&org),
        "admin": { "id": founded.user.to_string(), "email": founded.email.as_str() },
        "api_key": { "id": founded.api_key_id.to_string(), "secret": founded.api_key.reveal() },
        "application_key": {
            "id": founded.application_key_id.to_string(),
            "secret": founded.application_key.reveal(),
        },
    }))
}

/// `org list`: all of them.
pub(crate) async fn list(context: Context, _: Value) -> Result<Value, Failure> {
    let operator = Operator::of_machine();
    let (mut orgs, mut after) = (Vec::new(), 0);
    loop {
        let page = context.engine.list_orgs(&operator, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(json!({ "orgs": orgs })) };
        after = last.number;
        orgs.extend(page.iter().map(shown));
    }
}

/// `org rename`, `org subdomain`, `org disable` and `org enable`.
pub(crate) async fn change(context: Context, arguments: Value) -> Result<Value, Failure> {
    let id = arguments["id"].as_str().unwrap_or_default();
    let id = id.parse().map_err(|error| Failure::new(format!("{error}; `claviger org list` shows them")))?;
    let change = OrgChange {
        name: name(&arguments)?,
        is_disabled: arguments["disabled"].as_bool(),
        subdomain: subdomain(&arguments)?,
        ..OrgChange::default()
    };
    let changed = context.engine.change_org(&Operator::of_machine(), id, &change).await?;
    if change.name.is_some() || change.is_disabled.is_some() || change.subdomain.is_some() {
        tracing::info!(org = %id, position = %changed.position, "an org was changed");
    }
    Ok(shown(&changed.value))
}

fn name(arguments: &Value) -> Result<Option<Name>, Failure> {
    let name = arguments["name"].as_str().map(Name::parse).transpose();
    name.map_err(|error| Failure::new(format!("the org's name {error}")))
}

/// None where nothing is said of it, and within, none for no subdomain.
fn subdomain(arguments: &Value) -> Result<Option<Option<Subdomain>>, Failure> {
    match arguments.get("subdomain") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(text) => {
            let parsed = Subdomain::parse(text.as_str().unwrap_or_default());
            parsed.map(|it| Some(Some(it))).map_err(|error| Failure::new(format!("a subdomain {error}")))
        }
    }
}

fn shown(org: &Org) -> Value {
    json!({
        "id": org.id.to_string(),
        "number": org.number,
        "name": org.name,
        "subdomain": org.subdomain.as_ref().map(Subdomain::as_str),
        "disabled": org.disabled_at.is_some(),
    })
}
