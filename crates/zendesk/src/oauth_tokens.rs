//! `/api/v2/oauth/tokens`: the tokens that are bound to an integration (reference: "OAuth Tokens").
//!
//! A token is asked for by the number of its integration's OAuth client. Whatever scope is asked for is given; few of
//! them mean something. Each path may end in `.json`.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use claviger_engine::rights::ZisRegistry;
use claviger_engine::{Caller, Error as EngineError, FieldError, Page, Thing};
use claviger_http::openapi::{Named, Query};
use claviger_http::{
    App, BodyError, Bucket, Json as Body, JsonObject, Route, RouteInfo, SecretText, Who, note_refusal,
    positioned, presented, take_share, whence,
};
use claviger_model::{Credential, CredentialDetail, Permission, Timestamp, ZisIntegrationId, ZisScopes};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::admin::Admin;
use crate::describe::of_tokens;
use crate::error::{Error, Support, Told};
use crate::tenant::tenant;

/// Tokens on a page: the vendor's number, and at most as many.
const PER_PAGE: i64 = 100;
/// The last page that can be asked for; far beyond any list.
const PAGE_MAX: i64 = 1_000_000_000;

const ALL: [&str; 2] = ["/api/v2/oauth/tokens", "/api/v2/oauth/tokens.json"];
pub(crate) const CURRENT: [&str; 2] = ["/api/v2/oauth/tokens/current", "/api/v2/oauth/tokens/current.json"];
const ONE: &str = "/api/v2/oauth/tokens/{token_id}";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::Admin(&[Permission::ORG_MANAGEMENT]),
        bucket: Bucket::ZIS,
        summary,
    };
    let own = |path, summary| RouteInfo { who: Who::Integration, ..info(Method::GET, path, summary) };
    let one = || Named::of::<One<Token>>("OAuthToken");
    let ids = [
        ["ListOAuthTokens", "ListOAuthTokensJson"],
        ["CreateOAuthToken", "CreateOAuthTokenJson"],
        ["ShowCurrentOAuthToken", "ShowCurrentOAuthTokenJson"],
    ];
    let mut routes = vec![
        Route::new(info(Method::GET, ONE, "Show a token"), show)
            .described(of_tokens("ShowOAuthToken").answers(StatusCode::OK, one())),
        Route::new(info(Method::DELETE, ONE, "Revoke a token"), revoke)
            .described(of_tokens("RevokeOAuthToken").answers_nothing()),
    ];
    for form in [0, 1] {
        routes.extend([
            Route::new(info(Method::GET, ALL[form], "List tokens"), list).described(
                of_tokens(ids[0][form])
                    .query(parameters())
                    .answers(StatusCode::OK, Named::of::<Tokens>("OAuthTokens")),
            ),
            Route::new(info(Method::POST, ALL[form], "Create a token"), create).described(
                of_tokens(ids[1][form])
                    .body(Named::new("NewOAuthToken", new_token()))
                    .answers(StatusCode::CREATED, Named::of::<One<NewToken>>("FullOAuthToken"))
                    .fails(&[StatusCode::UNPROCESSABLE_ENTITY]),
            ),
            Route::new(own(CURRENT[form], "Show the token that is presented"), current)
                .described(of_tokens(ids[2][form]).answers(StatusCode::OK, one())),
        ]);
    }
    routes
}

fn parameters() -> Vec<Query> {
    vec![Query {
        name: "page",
        description: format!("Which page of {PER_PAGE}"),
        schema: json!({ "type": "integer", "minimum": 1, "default": 1 }),
    }]
}

fn new_token() -> Value {
    json!({
        "type": "object",
        "properties": { "token": {
            "type": "object",
            "properties": {
                "client_id": { "type": "integer" },
                "scopes": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["client_id", "scopes"],
        } },
        "required": ["token"],
    })
}

#[derive(Serialize, JsonSchema)]
struct One<T> {
    token: T,
}

#[derive(Serialize, JsonSchema)]
struct Tokens {
    tokens: Vec<Token>,
    count: i64,
    next_page: Option<String>,
    previous_page: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Token {
    id: i64,
    url: String,
    /// None only for a token whose integration was deleted while the request was under way.
    client_id: Option<i64>,
    user_id: String,
    scopes: Vec<String>,
    created_at: String,
    used_at: Option<String>,
    expires_at: Option<String>,
    refresh_token: Option<String>,
    refresh_token_expires_at: Option<String>,
    /// Its beginning.
    token: String,
}

#[derive(Serialize, JsonSchema)]
struct NewToken {
    #[serde(flatten)]
    token: Token,
    full_token: SecretText,
}

async fn create(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Support>,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Support>> {
    let (client, scopes) = wanted(&body?.0)?;
    let made = app.engine().create_integration_token(&permit, client, scopes).await;
    let made = made.map_err(|error| match error {
        EngineError::Absent(Thing::ZisIntegration) => invalid(vec![fault("client_id", "is no client's")]),
        error => error.into(),
    })?;
    let full_token = made
        .value
        .secret
        .ok_or_else(|| Error::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"))?;
    let token = NewToken { token: wire(&made.value.credential, Some(client)), full_token: full_token.into() };
    Ok(positioned(made.position, (StatusCode::CREATED, Json(One { token }))))
}

/// The number of the client and the scopes that a body asks for. Members that mean nothing are passed over.
fn wanted(body: &Value) -> Result<(i64, ZisScopes), Error> {
    let Some(token) = body.get("token").and_then(Value::as_object) else {
        return Err(invalid(vec![fault("token", "must be an object")]));
    };
    match (token.get("client_id").and_then(Value::as_i64), scopes(token)) {
        (Some(client), Ok(scopes)) => Ok((client, scopes)),
        (client, scopes) => {
            let client = client.is_none().then(|| fault("client_id", "must be the number of a client"));
            Err(invalid(client.into_iter().chain(scopes.err()).collect()))
        }
    }
}

fn scopes(token: &JsonObject) -> Result<ZisScopes, FieldError> {
    let words = token.get("scopes").and_then(Value::as_array);
    let words = words.and_then(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let words = words.ok_or_else(|| fault("scopes", "must be an array of strings"))?;
    ZisScopes::parse(words).map_err(|error| fault("scopes", &error.to_string()))
}

fn fault(field: &str, reason: &str) -> FieldError {
    FieldError { field: field.to_owned(), reason: reason.to_owned() }
}

fn invalid(faults: Vec<FieldError>) -> Error {
    Error::invalid(faults)
}

async fn list(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Support>,
    uri: Uri,
) -> Result<Json<Tokens>, Told<Support>> {
    let number = page_number(&uri)?;
    let page = Page { offset: (number - 1) * PER_PAGE, limit: PER_PAGE };
    let found = app.engine().list_integration_tokens(&permit, page).await?;
    let clients = app.engine().zis_clients(permit.org()).await?;
    let count = found.total;
    let link = |number: i64| format!("{}?page={number}", ALL[1]);
    Ok(Json(Tokens {
        tokens: found.items.iter().map(|token| wire(token, client_of(token, &clients))).collect(),
        count,
        next_page: (number * PER_PAGE < count).then(|| link(number + 1)),
        previous_page: (number > 1).then(|| link(number - 1)),
    }))
}

fn page_number(uri: &Uri) -> Result<i64, Error> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let Some((_, text)) = pairs.find(|(name, _)| name == "page") else { return Ok(1) };
    let number = text.parse().ok().filter(|number| (1..=PAGE_MAX).contains(number));
    number.ok_or_else(|| Error::new(StatusCode::BAD_REQUEST, "page must be a number from 1 on"))
}

async fn show(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Support>,
    Path(id): Path<String>,
) -> Result<Json<One<Token>>, Told<Support>> {
    let token = app.engine().find_integration_token(&permit, parse_id(&id)?).await?;
    let clients = app.engine().zis_clients(permit.org()).await?;
    Ok(Json(One { token: wire(&token, client_of(&token, &clients)) }))
}

async fn revoke(
    State(app): State<App>,
    Admin(permit, _): Admin<ZisRegistry, Support>,
    Path(id): Path<String>,
) -> Result<Response, Told<Support>> {
    let revoked = app.engine().revoke_integration_token(&permit, parse_id(&id)?).await?;
    Ok(positioned(revoked.position, StatusCode::NO_CONTENT))
}

/// Whoever presents an integration token.
struct Bearer(Caller);

impl FromRequestParts<App> for Bearer {
    type Rejection = Told<Support>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Told<Support>> {
        let org = tenant(parts, app)?;
        let token = presented(&parts.headers).bearer.unwrap_or_default();
        let caller = app.engine().authenticate_integration_token(org, token, &whence(app, parts));
        let caller = caller.inspect_err(|failure| note_refusal(app, parts, *failure))?;
        if take_share(app, parts, org) {
            return Err(Error::limited().into());
        }
        Ok(Self(caller))
    }
}

async fn current(State(app): State<App>, Bearer(caller): Bearer) -> Result<Json<One<Token>>, Told<Support>> {
    let token = app.engine().current_integration_token(&caller).await?;
    let clients = app.engine().zis_clients(caller.org()).await?;
    Ok(Json(One { token: wire(&token, client_of(&token, &clients)) }))
}

fn parse_id(text: &str) -> Result<i64, EngineError> {
    let text = text.strip_suffix(".json").unwrap_or(text);
    text.parse().map_err(|_| EngineError::Absent(Thing::IntegrationToken))
}

type Clients = std::collections::HashMap<ZisIntegrationId, i64>;

fn client_of(token: &Credential, clients: &Clients) -> Option<i64> {
    match &token.detail {
        CredentialDetail::IntegrationToken { integration, .. } => clients.get(integration).copied(),
        _ => None,
    }
}

fn wire(token: &Credential, client_id: Option<i64>) -> Token {
    let (id, scopes) = match &token.detail {
        CredentialDetail::IntegrationToken { number, scopes, .. } => (*number, scopes.words().to_vec()),
        _ => (0, Vec::new()),
    };
    Token {
        id,
        url: format!("{}/{id}.json", ALL[0]),
        client_id,
        user_id: token.detail.owner().map(|owner| owner.to_string()).unwrap_or_default(),
        scopes,
        created_at: seconds(token.created_at),
        used_at: token.last_used.map(seconds),
        expires_at: token.expiry.timestamp().map(seconds),
        refresh_token: None,
        refresh_token_expires_at: None,
        token: token.detail.public_portion().unwrap_or_default().to_owned(),
    }
}

/// Whole seconds, as the vendor's general API has them.
fn seconds(moment: Timestamp) -> String {
    let moment = moment.utc();
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
