//! The description of the API, written from the routes themselves (OpenAPI 3.1).
//!
//! A route's method, path, rights and summary are those that the router is built from; the schemas of answers come
//! from the types that are written, and those of bodies from the dialects' own checks. What no route says is not
//! in the description.

mod passed_on;

use std::collections::BTreeMap;

use http::{HeaderName, Method, StatusCode};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::{RouteInfo, SessionCookie, Who};

pub use passed_on::{Parameter, PassedOn, Place, Refused};

/// What a description says of a route beyond its [`RouteInfo`].
#[derive(Debug, Clone)]
pub struct Operation {
    id: &'static str,
    tag: &'static str,
    errors: Named,
    query: Vec<Query>,
    body: Option<Named>,
    success: StatusCode,
    answer: Option<Named>,
    further: &'static [StatusCode],
    takes_bearer: bool,
    takes_session: bool,
    media: &'static str,
    error_media: &'static [&'static str],
    error_mark: Option<HeaderName>,
    is_change: Option<bool>,
    passed_on: Option<PassedOn>,
}

/// A route and what a description says of it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The route.
    pub info: RouteInfo,
    /// What else is said of it.
    pub operation: Operation,
}

/// A parameter of a query. All may be left out.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: String,
    /// What it may be.
    pub schema: Value,
}

/// A schema that the description knows by name.
#[derive(Debug, Clone)]
pub struct Named {
    name: &'static str,
    schema: Value,
}

impl Named {
    /// A schema as it is.
    pub fn new(name: &'static str, schema: Value) -> Self {
        Self { name, schema }
    }

    /// The schema of what is written from a type.
    pub fn of<T: JsonSchema>(name: &'static str) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        // The types' names and comments are for whoever reads the code.
        let bare = RecursiveTransform(|schema: &mut Schema| {
            schema.remove("title");
            schema.remove("description");
        });
        let settings = settings.with_transform(bare);
        let schema = settings.for_serialize().into_generator().into_root_schema_for::<T>();
        Self { name, schema: schema.to_value() }
    }

    /// The same with another schema at a place, a JSON pointer, for what no type says.
    ///
    /// # Panics
    ///
    /// Where there is no such place.
    pub fn with(mut self, place: &str, schema: Value) -> Self {
        *self.schema.pointer_mut(place).expect("the place is in the schema") = schema;
        self
    }

    fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

impl Operation {
    /// An operation that answers 200 with nothing, until more is said, and otherwise with `errors`.
    pub fn new(id: &'static str, tag: &'static str, errors: Named) -> Self {
        Self {
            id,
            tag,
            errors,
            query: vec![],
            body: None,
            success: StatusCode::OK,
            answer: None,
            further: &[],
            takes_bearer: false,
            takes_session: false,
            media: "application/json",
            error_media: &["application/json"],
            error_mark: None,
            is_change: None,
            passed_on: None,
        }
    }

    /// Whose successes are JSON:API's own content type; errors stay plain JSON.
    pub fn in_vendor_json(mut self) -> Self {
        self.media = "application/vnd.api+json";
        self
    }

    /// Whose errors are sometimes the one and sometimes the other.
    pub fn errors_in_either(mut self) -> Self {
        self.error_media = &["application/json", "application/vnd.api+json"];
        self
    }

    /// Whose errors have their code in this header too.
    pub fn marks_errors(mut self, mark: HeaderName) -> Self {
        self.error_mark = Some(mark);
        self
    }

    /// Which changes nothing that is in the ledger, though it is no GET: its answers tell no position.
    pub fn changes_nothing(mut self) -> Self {
        self.is_change = Some(false);
        self
    }

    /// Which changes something, though it is a GET.
    pub fn changes(mut self) -> Self {
        self.is_change = Some(true);
        self
    }

    /// With these parameters in the query.
    pub fn query(mut self, query: Vec<Query>) -> Self {
        self.query.extend(query);
        self
    }

    /// With this body.
    pub fn body(mut self, body: Named) -> Self {
        self.body = Some(body);
        self
    }

    /// Which answers so.
    pub fn answers(mut self, success: StatusCode, answer: Named) -> Self {
        (self.success, self.answer) = (success, Some(answer));
        self
    }

    /// Which answers without a body.
    pub fn answers_nothing(mut self) -> Self {
        (self.success, self.answer) = (StatusCode::NO_CONTENT, None);
        self
    }

    /// Which a user may also call with a credential that stands alone.
    pub fn takes_bearer(mut self) -> Self {
        self.takes_bearer = true;
        self
    }

    /// Which an admin may also call with a session.
    pub(crate) fn takes_session(mut self) -> Self {
        self.takes_session = true;
        self
    }

    /// Whose requests go on to somebody else: its parameters, bodies and answers are as is said there, and no others.
    pub fn passed_on(mut self, passed_on: PassedOn) -> Self {
        self.passed_on = Some(passed_on);
        self
    }

    /// Which may also fail with these, beside those that follow from the route.
    pub fn fails(mut self, further: &'static [StatusCode]) -> Self {
        self.further = further;
        self
    }
}

/// The description's first lines.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The API's name.
    pub title: &'static str,
    /// The server's version.
    pub version: &'static str,
    /// What holds for all of it.
    pub description: &'static str,
}

/// Writes the description of these routes.
///
/// # Panics
/// When two different schemas have one name.
pub fn document(about: About, routes: &[Described]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemas: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut responses = BTreeMap::new();
    for Described { info, operation } in routes {
        let named = [Some(&operation.errors), operation.body.as_ref(), operation.answer.as_ref()];
        for Named { name, schema } in named.into_iter().flatten() {
            let known = *schemas.entry(*name).or_insert(schema);
            assert!(known == schema, "two different schemas are called {name}");
        }
        if let Some(passed_on) = &operation.passed_on {
            responses.extend(passed_on.responses(&operation.errors));
        }
        let methods = paths.entry(info.path.replace("{*", "{")).or_default();
        methods.insert(info.method.as_str().to_ascii_lowercase(), describe(info, operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.description,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": schemas, "responses": responses, "securitySchemes": security_schemes() },
    })
}

fn describe(info: &RouteInfo, operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": info.summary,
        "security": security(info.who, operation),
        "responses": responses(info, operation),
        "x-rate-limit-bucket": info.bucket.0,
    });
    if let Who::User(any_of @ [_, ..]) | Who::Admin(any_of @ [_, ..]) = info.who {
        let names: Vec<_> = any_of.iter().map(|permission| permission.name()).collect();
        described["x-permission"] = json!({ "operator": "OR", "permissions": names });
    }
    if let Some(passed_on) = &operation.passed_on {
        described["description"] = passed_on.description.into();
        described["parameters"] = passed_on.parameters().collect();
        if let Some(body) = passed_on.body(&info.method) {
            described["requestBody"] = body;
        }
        return described;
    }
    let parameters: Vec<_> =
        path_parameters(info.path).chain(operation.query.iter().map(query_parameter)).collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body.reference() } } });
    }
    described
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.map(|name| {
        let name = name.trim_start_matches('*');
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    })
}

fn query_parameter(query: &Query) -> Value {
    json!({ "name": query.name, "in": "query", "description": query.description, "schema": query.schema })
}

fn responses(info: &RouteInfo, operation: &Operation) -> Value {
    if let Some(passed_on) = &operation.passed_on {
        return passed_on.references();
    }
    let content = |media: &str, schema: &Named| (media.to_owned(), json!({ "schema": schema.reference() }));
    let mut responses = BTreeMap::new();
    for status in failures(info, operation) {
        let content: Map<_, _> =
            operation.error_media.iter().map(|media| content(media, &operation.errors)).collect();
        let mut response = json!({ "description": reason(status), "content": content });
        if let Some(mark) = &operation.error_mark {
            let header = json!({ "description": "The error's code", "schema": { "type": "string" } });
            response["headers"] = json!({ passed_on::words(mark): header });
        }
        responses.insert(status.as_str().to_owned(), response);
    }
    let mut success = json!({ "description": reason(operation.success) });
    if let Some(answer) = &operation.answer {
        success["content"] = Map::from_iter([content(operation.media, answer)]).into();
    }
    if operation.is_change.unwrap_or_else(|| is_mostly_change(info)) {
        let schema = json!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" });
        success["headers"] = json!({
            "Claviger-Position": { "description": "The ledger position of the change", "schema": schema }
        });
    }
    responses.insert(operation.success.as_str().to_owned(), success);
    json!(responses)
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("As the status says")
}

/// Whether such routes change something, but for the few that say otherwise.
fn is_mostly_change(info: &RouteInfo) -> bool {
    info.method != Method::GET
        && matches!(info.who, Who::User(_) | Who::Admin(_) | Who::Integration | Who::Session)
}

/// What follows from the route, and what was said beside.
fn failures(info: &RouteInfo, operation: &Operation) -> Vec<StatusCode> {
    let mut all = operation.further.to_vec();
    match info.who {
        Who::Anybody => {}
        Who::ApiKey => all.push(StatusCode::FORBIDDEN),
        Who::AnyCredential => all.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]),
        Who::User(_) | Who::Admin(_) | Who::Integration | Who::Session => {
            all.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR])
        }
    }
    if info.who != Who::Anybody {
        all.extend([StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]);
    }
    if operation.body.is_some() {
        all.extend([StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE]);
    }
    if operation.body.is_some() || (!operation.query.is_empty() && info.who != Who::AnyCredential) {
        all.push(StatusCode::BAD_REQUEST);
    }
    if info.path.contains('{') && !info.path.contains("{*") {
        all.push(StatusCode::NOT_FOUND);
    }
    all
}

/// Alternatives, each a set of schemes that are needed together.
fn security(who: Who, operation: &Operation) -> Value {
    let mut schemes = schemes(who, operation.takes_bearer);
    let is_for_admins = matches!(who, Who::User(_) | Who::Admin(_) | Who::Integration);
    if let (Value::Array(schemes), true) = (&mut schemes, operation.takes_session && is_for_admins) {
        schemes.push(json!({ "session": [] }));
    }
    schemes
}

fn schemes(who: Who, takes_bearer: bool) -> Value {
    match who {
        Who::Anybody => json!([]),
        Who::ApiKey => json!([{ "apiKey": [] }]),
        Who::User(_) if takes_bearer => json!([{ "apiKey": [], "applicationKey": [] }, { "bearer": [] }]),
        Who::User(_) => json!([{ "apiKey": [], "applicationKey": [] }]),
        Who::Admin(_) => json!([{ "basic": [] }, { "bearer": [] }]),
        Who::Integration => json!([{ "bearer": [] }]),
        Who::Session => json!([{ "session": [] }]),
        Who::AnyCredential => json!([
            { "apiKey": [] }, { "apiKey": [], "applicationKey": [] }, { "bearer": [] }, { "anyCredential": [] },
        ]),
    }
}

fn security_schemes() -> Value {
    let header = |name: &str, what: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": what });
    json!({
        "apiKey": header("DD-API-KEY", "An API key"),
        "applicationKey": header("DD-APPLICATION-KEY", "An application key"),
        "anyCredential": header("X-API-Key", "Any issued credential"),
        "basic": { "type": "http", "scheme": "basic", "description": "An address with /token, and a personal access token" },
        "bearer": { "type": "http", "scheme": "bearer", "description": "An issued credential that stands alone" },
        "session": {
            "type": "apiKey", "in": "cookie", "name": SessionCookie::OVER_TLS.name(),
            "description": "An admin's session; a request that is no GET needs its token in X-CSRF-Token too",
        },
    })
}
