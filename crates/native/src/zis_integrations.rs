//! `/claviger/v1/zis_integrations`: to delete a ZIS integration, and to say to which origins browsers may be sent for it:
//! for neither the vendor's API has a request.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::ZisRegistry;
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{Permission, REDIRECT_ORIGINS_MAX, RedirectOrigins, ZisName};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fields::Fields;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::{Error, error};

pub(crate) fn routes() -> Vec<Route> {
    const PATH: &str = "/claviger/v1/zis_integrations/{integration}";
    let info = |method, summary| for_users(method, PATH, &[Permission::ORG_MANAGEMENT], summary);
    let operation = |id| Operation::new(id, "Claviger: ZIS integrations", error::described()).takes_bearer();
    let delete_summary =
        "Delete a ZIS integration that has no connections and no OAuth clients, and kill its tokens";
    let update_summary = "Say to which origins browsers may be sent for a ZIS integration";
    let origins = json!({ "type": "array", "maxItems": REDIRECT_ORIGINS_MAX, "items": { "type": "string" } });
    let patch = json!({
        "type": "object",
        "properties": { "redirect_origins": origins },
        "additionalProperties": false,
    });
    vec![
        Route::new(info(Method::DELETE, delete_summary), delete)
            .described(operation("DeleteZisIntegration").answers_nothing().fails(&[StatusCode::CONFLICT])),
        Route::new(info(Method::PATCH, update_summary), update).described(
            operation("UpdateZisIntegration")
                .body(Named::new("ZisIntegrationPatch", patch))
                .answers(StatusCode::OK, Named::of::<Wire>("ZisIntegrationRedirects")),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Wire {
    name: String,
    redirect_origins: Vec<String>,
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ZisRegistry>,
    Path(name): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = body?.0;
    let mut fields = Fields::of(&body)?;
    let origins = fields.read("redirect_origins", origins);
    fields.finish()?;
    let name = ZisName::parse(&name).map_err(|_| EngineError::Absent(Thing::ZisIntegration))?;
    let changed = app.engine().change_redirect_origins(&permit, &name, origins.as_ref()).await?;
    let integration = changed.value;
    let wire =
        Wire { name: integration.name.to_string(), redirect_origins: integration.redirect_origins.texts() };
    Ok(positioned(changed.position, Json(wire)))
}

fn origins(value: &Value) -> Result<RedirectOrigins, String> {
    let texts = value.as_array().map(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let texts = texts.flatten().ok_or("must be an array of strings")?;
    RedirectOrigins::parse(texts).map_err(|error| error.to_string())
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ZisRegistry>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let name = ZisName::parse(&name).map_err(|_| EngineError::Absent(Thing::ZisIntegration))?;
    let deleted = app.engine().delete_zis_integration(&permit, &name).await?;
    Ok(positioned(deleted.position, StatusCode::NO_CONTENT))
}
