//! `/claviger/v1/orgs`: all orgs of the server, for whoever manages the founding one.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_egress::Policy;
use claviger_engine::rights::OrgManagement;
use claviger_engine::{Error as EngineError, FieldError, FirstOrg, Founded, OrgChange, Thing};
use claviger_http::openapi::{Named, Operation, Query};
use claviger_http::{App, BodyError, Json as Body, Route, SecretText, positioned};
use claviger_model::{
    Email, Name, Org, OrgId, PRIVATE_REACH_MAX, Permission, PrivateReach, PrivateReachError, Subdomain,
    Timestamp,
};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::fields::Fields;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::{Error, error};

const ALL: &str = "/claviger/v1/orgs";
const ONE: &str = "/claviger/v1/orgs/{org_id}";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| for_users(method, path, &[Permission::ORG_MANAGEMENT], summary);
    let operation = |id| Operation::new(id, "Claviger: orgs", error::described()).takes_bearer();
    let one = || Named::of::<OrgObject>("ServerOrg");
    let new = json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "admin_email": { "type": "string" } },
        "required": ["name"],
        "additionalProperties": false,
    });
    let change = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "disabled": { "type": "boolean" },
            "subdomain": { "type": ["string", "null"] },
            "private_reach": { "type": "array", "items": { "type": "string" }, "maxItems": PRIVATE_REACH_MAX },
        },
        "additionalProperties": false,
    });
    vec![
        Route::new(info(Method::GET, ALL, "List all orgs of the server"), list).described(
            operation("ListOrgs")
                .query(parameters())
                .answers(StatusCode::OK, Named::of::<Orgs>("ServerOrgs")),
        ),
        Route::new(info(Method::POST, ALL, "Make an org with its first admin and keys"), create).described(
            operation("CreateOrg")
                .body(Named::new("NewServerOrg", new))
                .answers(StatusCode::CREATED, Named::of::<NewOrg>("FoundedOrg")),
        ),
        Route::new(info(Method::GET, ONE, "Get one org"), get)
            .described(operation("GetServerOrg").answers(StatusCode::OK, one())),
        Route::new(
            info(Method::PATCH, ONE, "Rename, disable or enable an org, or give it a subdomain"),
            update,
        )
        .described(
            operation("UpdateServerOrg")
                .body(Named::new("ServerOrgPatch", change))
                .answers(StatusCode::OK, one())
                .fails(&[StatusCode::CONFLICT]),
        ),
    ]
}

/// Orgs on a page where no number is asked for, and at most.
const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1000;

fn parameters() -> Vec<Query> {
    let query = |name, description: &str, schema| Query { name, description: description.to_owned(), schema };
    vec![
        query(
            "limit",
            "How many on a page",
            json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT }),
        ),
        query("after", "Only those whose number is beyond this", json!({ "type": "integer", "minimum": 0 })),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Orgs {
    orgs: Vec<OrgObject>,
    /// What to give as `after` for the next page; none on the last.
    next: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct OrgObject {
    id: String,
    number: i64,
    name: String,
    disabled: bool,
    /// The first label of the host by which the Zendesk dialect knows it.
    subdomain: Option<String>,
    /// Networks, and hosts in clear as `http://…`, that calls through its connections may reach beside the Internet.
    private_reach: Vec<String>,
    created_at: String,
    modified_at: String,
}

/// An org with what it begins with: this answer is the only one that shows the keys.
#[derive(Serialize, JsonSchema)]
struct NewOrg {
    org: OrgObject,
    admin: Admin,
    api_key: NewKey,
    application_key: NewKey,
}

#[derive(Serialize, JsonSchema)]
struct Admin {
    id: String,
    email: String,
}

#[derive(Serialize, JsonSchema)]
struct NewKey {
    id: String,
    secret: SecretText,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    uri: Uri,
) -> Result<Json<Orgs>, Error> {
    let (after, limit) = page(&uri)?;
    let engine = app.engine();
    let operator = engine.operator(&permit).await?;
    let mut orgs = engine.list_orgs(&operator, after, limit + 1).await?;
    let has_more = orgs.len() as i64 > limit;
    orgs.truncate(limit as usize);
    let next = orgs.last().filter(|_| has_more).map(|org| org.number);
    Ok(Json(Orgs { orgs: orgs.iter().map(wire).collect(), next }))
}

fn page(uri: &Uri) -> Result<(i64, i64), Error> {
    let (mut after, mut limit, mut faults) = (0, LIMIT_DEFAULT, Vec::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let number = value.parse::<i64>().ok();
        match (name.as_ref(), number) {
            ("after", Some(number)) if number >= 0 => after = number,
            ("after", _) => faults.push(fault("after", "must be a number from 0 on")),
            ("limit", Some(number)) if (1..=LIMIT_MAX).contains(&number) => limit = number,
            ("limit", _) => faults.push(fault("limit", &format!("must be a number from 1 to {LIMIT_MAX}"))),
            _ => {}
        }
    }
    if faults.is_empty() { Ok((after, limit)) } else { Err(Error::invalid(faults)) }
}

fn fault(field: &str, reason: &str) -> FieldError {
    FieldError { field: field.to_owned(), reason: reason.to_owned() }
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let engine = app.engine();
    let operator = engine.operator(&permit).await?;
    let body = body?.0;
    let mut fields = Fields::of(&body)?;
    let name = fields.parsed("name", |text| Name::parse(text).map_err(|error| error.to_string()));
    let email = fields.parsed("admin_email", |text| Email::parse(text).map_err(|error| error.to_string()));
    fields.require("name");
    fields.finish()?;
    let email = match email {
        Some(email) => email,
        None => engine.own_address(&permit).await?,
    };
    let first = FirstOrg { name: name.expect("it is required"), email };
    let made = engine.create_org(&operator, &first).await?;
    let (org, founded) = made.value;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(new_org(&org, founded)))))
}

fn new_org(org: &Org, founded: Founded) -> NewOrg {
    NewOrg {
        org: wire(org),
        admin: Admin { id: founded.user.to_string(), email: founded.email.to_string() },
        api_key: NewKey { id: founded.api_key_id.to_string(), secret: founded.api_key.into() },
        application_key: NewKey {
            id: founded.application_key_id.to_string(),
            secret: founded.application_key.into(),
        },
    }
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
) -> Result<Json<OrgObject>, Error> {
    let engine = app.engine();
    let operator = engine.operator(&permit).await.map_err(out_of_reach)?;
    Ok(Json(wire(&engine.find_org(&operator, parse_id(&id)?).await?)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let engine = app.engine();
    let operator = engine.operator(&permit).await.map_err(out_of_reach)?;
    let change = change(&body?.0)?;
    let changed = engine.change_org(&operator, parse_id(&id)?, &change).await?;
    Ok(positioned(changed.position, Json(wire(&changed.value))))
}

/// To callers of other orgs, no org is there.
fn out_of_reach(error: EngineError) -> EngineError {
    match error {
        EngineError::Refused(_) => EngineError::Absent(Thing::Org),
        other => other,
    }
}

fn change(body: &Value) -> Result<OrgChange, Error> {
    let mut fields = Fields::of(body)?;
    let name = fields.parsed("name", |text| Name::parse(text).map_err(|error| error.to_string()));
    let is_disabled = fields.flag("disabled");
    let subdomain = fields.read("subdomain", |value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Subdomain::parse(text).map(Some).map_err(|error| error.to_string()),
        _ => Err("must be a string or null".to_owned()),
    });
    let private_reach = fields.read("private_reach", private_reach);
    fields.finish()?;
    Ok(OrgChange { name, is_disabled, subdomain, private_reach })
}

/// Every network must be one of private addresses: wider ones would allow what nobody thought of.
fn private_reach(value: &Value) -> Result<PrivateReach, String> {
    let entries: Option<Vec<&str>> =
        value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
    let entries = entries.ok_or_else(|| "must be a list of strings".to_owned())?;
    if entries.iter().any(|entry| entry.is_empty() || entry.contains(char::is_whitespace)) {
        return Err("must be a list of networks and of hosts as http://…".to_owned());
    }
    let reach: PrivateReach =
        entries.join(" ").parse().map_err(|error: PrivateReachError| error.to_string())?;
    for network in &reach.networks {
        Policy::public().allow(*network).map_err(|error| format!("has {network}, which {error}"))?;
    }
    Ok(reach)
}

fn parse_id(text: &str) -> Result<OrgId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::Org))
}

fn wire(org: &Org) -> OrgObject {
    let time = |moment: Timestamp| moment.utc().format(&Rfc3339).unwrap_or_default();
    OrgObject {
        id: org.id.to_string(),
        number: org.number,
        name: org.name.clone(),
        disabled: org.disabled_at.is_some(),
        subdomain: org.subdomain.as_ref().map(|it| it.to_string()),
        private_reach: org.private_reach.entries().collect(),
        created_at: time(org.created_at),
        modified_at: time(org.modified_at),
    }
}
