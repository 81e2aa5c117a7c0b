//! `/claviger/v1/webhooks`: where an org is told of what happens to its credentials.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use claviger_egress::Policy;
use claviger_engine::rights::OrgManagement;
use claviger_engine::{Error as EngineError, NewWebhook, ShownWebhook, Thing, WebhookPatch};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, SecretText, positioned};
use claviger_model::{EventType, Permission, Target, Timestamp, Webhook, WebhookId, WebhookStanding};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::fields::Fields;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::{Error, Options, error};

const ALL: &str = "/claviger/v1/webhooks";
const ONE: &str = "/claviger/v1/webhooks/{id}";
const TEST: &str = "/claviger/v1/webhooks/{id}/test";

/// From so long on, a webhook that cannot be told of anything is called failing, and somebody should look.
const FAILING_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn routes(options: &Options) -> Vec<Route> {
    let info = |method, path, summary| for_users(method, path, &[Permission::ORG_MANAGEMENT], summary);
    let operation = |id| Operation::new(id, "Claviger: webhooks", error::described()).takes_bearer();
    let one = || Named::of::<Wire>("Webhook");
    vec![
        Route::new(info(Method::GET, ALL, "List the org's webhooks"), list)
            .described(operation("ListWebhooks").answers(StatusCode::OK, Named::of::<Many>("Webhooks"))),
        Route::new(info(Method::POST, ALL, "Create a webhook"), create)
            .with(options.webhook_policy.clone())
            .described(
                operation("CreateWebhook")
                    .body(Named::new("NewWebhook", schema(&["url"])))
                    .answers(StatusCode::CREATED, one())
                    .fails(&[StatusCode::CONFLICT]),
            ),
        Route::new(info(Method::GET, ONE, "Get a webhook"), get)
            .described(operation("GetWebhook").answers(StatusCode::OK, one())),
        Route::new(info(Method::PATCH, ONE, "Change a webhook, or give it a new secret"), update)
            .with(options.webhook_policy.clone())
            .described(
                operation("UpdateWebhook")
                    .body(Named::new("WebhookPatch", schema(&[])))
                    .answers(StatusCode::OK, one()),
            ),
        Route::new(info(Method::DELETE, ONE, "Delete a webhook"), delete)
            .described(operation("DeleteWebhook").answers_nothing()),
        Route::new(info(Method::POST, TEST, "Have a webhook be told of a test"), test).described(
            operation("TestWebhook")
                .answers(StatusCode::ACCEPTED, Named::of::<Queued>("WebhookTest"))
                .fails(&[StatusCode::BAD_REQUEST]),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Many {
    webhooks: Vec<Wire>,
}

#[derive(Serialize, JsonSchema)]
struct Wire {
    id: String,
    url: String,
    events: Vec<&'static str>,
    enabled: bool,
    /// `disabled`, `active`, `retrying` or `failing`.
    status: &'static str,
    /// How often in a row the next event was not accepted.
    attempts: u32,
    next_attempt_at: Option<String>,
    failing_since: Option<String>,
    last_attempt_at: Option<String>,
    last_success_at: Option<String>,
    last_error: Option<String>,
    created_at: String,
    created_by: String,
    modified_at: String,
    modified_by: String,
    /// Until when the secret before the present one signs too.
    previous_secret_until: Option<String>,
    /// Only in the answer to what made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretText>,
}

#[derive(Serialize, JsonSchema)]
struct Queued {
    status: &'static str,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
) -> Result<Json<Many>, Error> {
    let now = app.engine().clock().now();
    let found = app.engine().list_webhooks(&permit).await?;
    let item = |(webhook, standing)| wire(ShownWebhook { webhook, standing, secret: None }, now);
    Ok(Json(Many { webhooks: found.into_iter().map(item).collect() }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Extension(policy): Extension<Arc<Policy>>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = body?.0;
    let mut fields = Fields::of(&body)?;
    fields.require("url");
    let url = fields.parsed("url", |text| url(text, &policy));
    let events = fields.read("events", events);
    let is_enabled = fields.flag("enabled");
    fields.finish()?;
    let url = url.expect("a body without it, or with a bad one, was refused");
    let new = NewWebhook {
        url,
        events: events.unwrap_or_else(|| EventType::SUBSCRIBABLE.to_vec()),
        is_enabled: is_enabled.unwrap_or(true),
    };
    let made = app.engine().create_webhook(&permit, new).await?;
    let answer = wire(made.value, app.engine().clock().now());
    Ok(positioned(made.position, (StatusCode::CREATED, Json(answer))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
) -> Result<Json<Wire>, Error> {
    let (webhook, standing) = app.engine().find_webhook(&permit, parse_id(&id)?).await?;
    Ok(Json(wire(ShownWebhook { webhook, standing, secret: None }, app.engine().clock().now())))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
    Extension(policy): Extension<Arc<Policy>>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = body?.0;
    let mut fields = Fields::of(&body)?;
    let patch = WebhookPatch {
        url: fields.parsed("url", |text| url(text, &policy)),
        events: fields.read("events", events),
        is_enabled: fields.flag("enabled"),
        is_secret_new: fields.flag("rotate_secret").unwrap_or(false),
    };
    fields.finish()?;
    let changed = app.engine().update_webhook(&permit, parse_id(&id)?, &patch).await?;
    let answer = wire(changed.value, app.engine().clock().now());
    Ok(positioned(changed.position, Json(answer)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().delete_webhook(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT))
}

async fn test(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let tested = app.engine().test_webhook(&permit, parse_id(&id)?).await?;
    Ok(positioned(tested.position, (StatusCode::ACCEPTED, Json(Queued { status: "queued" }))))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<WebhookId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::Webhook))
}

/// An address that deliveries could go to. What its name means is only known, and checked, when they do.
fn url(text: &str, policy: &Policy) -> Result<Target, String> {
    let url: Target = text.parse().map_err(|error: claviger_model::TargetError| error.to_string())?;
    policy.check(url.origin()).map_err(|refusal| format!("cannot be called: {refusal}"))?;
    Ok(url)
}

fn events(value: &Value) -> Result<Vec<EventType>, String> {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        return Err("must be a list of at least one event".to_owned());
    };
    let event = |item: &Value| -> Result<EventType, String> {
        let text = item.as_str().ok_or("must be a list of strings")?;
        text.parse().map_err(|error: claviger_model::ParseEventTypeError| format!("has one that {error}"))
    };
    items.iter().map(event).collect()
}

/// What [`create`] and [`update`] take.
fn schema(required: &[&str]) -> Value {
    let mut properties = json!({
        "url": { "type": "string", "format": "uri", "maxLength": 2048 },
        "events": {
            "type": "array",
            "items": { "type": "string", "enum": EventType::SUBSCRIBABLE.map(EventType::as_str) },
            "minItems": 1,
        },
        "enabled": { "type": "boolean" },
    });
    if required.is_empty() {
        properties["rotate_secret"] = json!({ "type": "boolean" });
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn wire(shown: ShownWebhook, now: Timestamp) -> Wire {
    let ShownWebhook { webhook, standing, secret } = shown;
    let time = |moment: Timestamp| moment.utc().format(&Rfc3339).unwrap_or_default();
    Wire {
        status: status(&webhook, &standing, now),
        id: webhook.id.to_string(),
        url: webhook.url.to_string(),
        events: webhook.events.iter().map(|event| event.as_str()).collect(),
        enabled: webhook.is_enabled,
        attempts: standing.attempts,
        next_attempt_at: (standing.attempts > 0).then(|| time(standing.next_attempt_at)),
        failing_since: standing.failing_since.map(time),
        last_attempt_at: standing.last_attempt_at.map(time),
        last_success_at: standing.last_success_at.map(time),
        last_error: standing.last_error,
        created_at: time(webhook.created_at),
        created_by: webhook.created_by.to_string(),
        modified_at: time(webhook.modified_at),
        modified_by: webhook.modified_by.to_string(),
        previous_secret_until: webhook.previous_until.filter(|until| now < *until).map(time),
        secret: secret.map(SecretText::from),
    }
}

fn status(webhook: &Webhook, standing: &WebhookStanding, now: Timestamp) -> &'static str {
    match standing.failing_since {
        _ if !webhook.is_enabled => "disabled",
        None => "active",
        Some(since) if now < since + FAILING_AFTER => "retrying",
        Some(_) => "failing",
    }
}
