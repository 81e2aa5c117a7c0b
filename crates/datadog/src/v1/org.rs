//! `/api/v1/org` (reference: "Organizations"): an org made by whoever manages the founding one, its parent.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use claviger_engine::rights::OrgManagement;
use claviger_engine::{FIRST_API_KEY, FIRST_APPLICATION_KEY, FirstOrg};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::Permission;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{name_of, name_schema};
use crate::describe::of_people;
use crate::permitted::Permitted;
use crate::{Error, times};

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::POST,
        path: "/api/v1/org",
        who: Who::User(&[Permission::ORG_MANAGEMENT]),
        bucket: Bucket::PEOPLE,
        summary: "Create a child organization",
    };
    let operation = of_people("CreateChildOrg")
        .body(name_schema())
        .answers(StatusCode::OK, Named::of::<Created>("OrgV1"));
    vec![Route::new(info, create).described(operation)]
}

/// What an org begins with. This answer is the only one that shows the application key.
#[derive(Serialize, JsonSchema)]
struct Created {
    org: OrgObject,
    api_key: ApiKey,
    application_key: ApplicationKey,
    user: User,
}

#[derive(Serialize, JsonSchema)]
struct OrgObject {
    name: String,
    public_id: String,
    org_id: i64,
    description: &'static str,
    created: String,
    billing: Kind,
    subscription: Kind,
    trial: bool,
}

#[derive(Serialize, JsonSchema)]
struct Kind {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct ApiKey {
    key: SecretText,
    name: &'static str,
    created: String,
    created_by: String,
    is_active: bool,
    disabled: bool,
    disabled_by: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ApplicationKey {
    hash: SecretText,
    name: &'static str,
    owner: String,
}

#[derive(Serialize, JsonSchema)]
struct User {
    email: String,
    handle: String,
    name: Option<String>,
    access_role: &'static str,
    verified: bool,
    disabled: bool,
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let engine = app.engine();
    let operator = engine.operator(&permit).await?;
    let name = name_of(&body.map_err(Error::from).map_err(Error::spaced)?.0)?;
    let first = FirstOrg { name, email: engine.own_address(&permit).await? };
    let made = engine.create_org(&operator, &first).await?;
    let (org, founded) = made.value;
    let (created, email) = (times::v1(org.created_at), founded.email.to_string());
    let answer = Created {
        org: OrgObject {
            name: org.name,
            public_id: org.id.to_string(),
            org_id: org.number,
            description: "",
            created: created.clone(),
            billing: Kind { kind: "parent_billing" },
            subscription: Kind { kind: "pro" },
            trial: false,
        },
        api_key: ApiKey {
            key: founded.api_key.into(),
            name: FIRST_API_KEY,
            created,
            created_by: email.clone(),
            is_active: true,
            disabled: false,
            disabled_by: None,
        },
        application_key: ApplicationKey {
            hash: founded.application_key.into(),
            name: FIRST_APPLICATION_KEY,
            owner: email.clone(),
        },
        user: User {
            handle: email.clone(),
            email,
            name: None,
            access_role: "adm",
            verified: true,
            disabled: false,
        },
    };
    Ok(positioned(made.position, Json(answer)))
}
