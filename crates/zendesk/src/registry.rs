//! `/api/services/zis/registry`: integrations, each with an OAuth client of its own (reference: "Integrations").
//!
//! A name that is there already is described anew, as the vendor's word for it, upsert, says; the client's secret is
//! in the answer that made it alone. `jwt_public_key` is what the integration's calls are checked by, in PEM form.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::FieldError;
use claviger_engine::rights::ZisRegistry;
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::{Permission, ZisIntegration, ZisName};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::describe::of_registry;
use crate::error::{Error, Registry, Told};

/// In place of a client's secret: twelve, where other ZIS services have five.
const MASK: &str = "************";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::Admin(&[Permission::ORG_MANAGEMENT]),
        bucket: Bucket::ZIS,
        summary,
    };
    let new = json!({ "type": "object", "properties": { "description": { "type": "string" } } });
    let one = "/api/services/zis/registry/{integration}";
    let all = "/api/services/zis/registry/integrations";
    vec![
        Route::new(info(Method::POST, one, "Create or describe an integration"), put).described(
            of_registry("PutZisIntegration")
                .body(Named::new("NewZisIntegration", new))
                .answers(StatusCode::OK, Named::of::<Made>("ZisIntegration")),
        ),
        Route::new(info(Method::GET, all, "List integrations"), list).described(
            of_registry("ListZisIntegrations")
                .answers(StatusCode::OK, Named::of::<Listed>("ZisIntegrations")),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Made {
    description: String,
    jwt_public_key: String,
    zendesk_oauth_client: Client<SecretText>,
}

#[derive(Serialize, JsonSchema)]
struct Masked {
    description: String,
    jwt_public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    zendesk_oauth_client: Client<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Listed {
    integrations: Vec<Masked>,
}

#[derive(Serialize, JsonSchema)]
struct Client<S> {
    id: i64,
    identifier: String,
    secret: S,
}

async fn put(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Registry>,
    Path(name): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Registry>> {
    let name =
        ZisName::parse(&name).map_err(|_| Error::new(StatusCode::BAD_REQUEST, "invalid integration key"))?;
    let description = description(&body?.0)?;
    let put = app.engine().put_zis_integration(&permit, &name, &description).await?;
    let ZisIntegration { description, client_number, jwt_public_key, .. } = put.value.integration;
    let jwt_public_key = jwt_public_key.unwrap_or_default();
    Ok(match put.value.client_secret {
        Some(secret) => {
            let zendesk_oauth_client = client(&name, client_number, secret.into());
            positioned(put.position, Json(Made { description, jwt_public_key, zendesk_oauth_client }))
        }
        None => {
            let zendesk_oauth_client = client(&name, client_number, MASK);
            let masked = Masked { description, jwt_public_key, name: None, zendesk_oauth_client };
            positioned(put.position, Json(masked))
        }
    })
}

/// The only member that means something; it may be left out.
fn description(body: &Value) -> Result<String, Error> {
    let invalid = |field: &str, reason: &str| {
        Error::invalid(vec![FieldError { field: field.to_owned(), reason: reason.to_owned() }])
    };
    let members = body.as_object().ok_or_else(|| invalid("body", "must be an object"))?;
    match members.get("description") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(invalid("description", "must be a string")),
    }
}

async fn list(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Registry>,
) -> Result<Json<Listed>, Told<Registry>> {
    let masked = |it: ZisIntegration| Masked {
        zendesk_oauth_client: client(&it.name, it.client_number, MASK),
        description: it.description,
        // Empty only of those that a long list leaves without one for now.
        jwt_public_key: it.jwt_public_key.unwrap_or_default(),
        name: Some(it.name.to_string()),
    };
    let all = app.engine().list_zis_integrations(&permit).await?;
    Ok(Json(Listed { integrations: all.into_iter().map(masked).collect() }))
}

fn client<S>(name: &ZisName, id: i64, secret: S) -> Client<S> {
    Client { id, identifier: format!("zis_{name}"), secret }
}
