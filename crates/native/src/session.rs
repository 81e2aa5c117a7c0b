//! `/claviger/v1/session`: an admin signs in with address and password, and out again. The session stands in a cookie
//! that no script reads; the answers tell the token by which the session's own pages prove what they are.
//!
//! Passwords are tried at a price (argon2id), a few at once, and so often from an address and for an account as
//! [`SessionOptions`] allow. An org, address or password that is nobody's is refused in the same words, after the same work.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use claviger_catalog::SecretText as Typed;
use claviger_engine::rights::Oneself;
use claviger_engine::{
    AuthFailure, AuthReason, Caller, FieldError, Origin, SESSION_IDLE, SESSION_LIFETIME, SignInError,
};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{
    AddressLimits, App, BodyError, Bucket, Json as Body, Limits, Rate, Route, RouteInfo, SecretText,
    SessionCookie, Who, csrf_token, is_own, note_refusal, origin, positioned, session, take_share,
};
use claviger_model::{Credential, Email, Org, OrgId, User};
use claviger_vault::{CsrfToken, PASSWORD_BYTES_MAX};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fields::Fields;
use crate::guards::shown_time;
use crate::{Error, Options, error};

const PATH: &str = "/claviger/v1/session";
/// The longest that an org's id or subdomain is.
const ORG_CHARS_MAX: usize = 63;
/// What an account's attempts are counted as; no route's.
const ATTEMPTS: Bucket = Bucket("sign_in");

/// How sessions begin.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// The cookie.
    pub cookie: SessionCookie,
    /// How often one address may try to sign in, as whomever.
    pub attempts_from_address: Rate,
    /// How often anybody may try to sign in as one account, be it there or not.
    pub attempts_at_account: Rate,
}

impl Default for SessionOptions {
    /// In clear; more attempts than people make, and fewer than guessing takes.
    fn default() -> Self {
        Self {
            cookie: SessionCookie::IN_CLEAR,
            attempts_from_address: Rate { limit: 20, period_seconds: 60 },
            attempts_at_account: Rate { limit: 10, period_seconds: 300 },
        }
    }
}

type ByHost = dyn Fn(&Parts, &App) -> Option<OrgId> + Send + Sync;

/// Which org a request's host names, as the operator has decided for all that is told apart by hosts.
#[derive(Clone)]
pub struct Tenancy {
    tells_orgs_apart: bool,
    by_host: Arc<ByHost>,
}

impl Tenancy {
    /// Hosts that name an org each, or one org that is meant where nothing else is said.
    pub fn new(
        tells_orgs_apart: bool,
        by_host: impl Fn(&Parts, &App) -> Option<OrgId> + Send + Sync + 'static,
    ) -> Self {
        Self { tells_orgs_apart, by_host: Arc::new(by_host) }
    }
}

/// What is counted of attempts to sign in.
struct Attempts {
    cookie: SessionCookie,
    from_addresses: AddressLimits,
    at_accounts: Limits,
}

pub(crate) fn routes(options: &Options, tenancy: &Tenancy) -> Vec<Route> {
    let SessionOptions { cookie, attempts_from_address, attempts_at_account } = options.sessions;
    let attempts = Attempts {
        cookie,
        from_addresses: AddressLimits::new(attempts_from_address),
        at_accounts: Limits::of([(ATTEMPTS, attempts_at_account)]),
    };
    let info = |method, who, summary| RouteInfo { method, path: PATH, who, bucket: Bucket::NATIVE, summary };
    let operation = |id| Operation::new(id, "Claviger: session", error::described());
    let shown = || Named::of::<Shown>("Session");
    vec![
        Route::new(info(Method::POST, Who::Anybody, "Sign in as an admin"), begin)
            .with(Arc::new(attempts))
            .with(tenancy.clone())
            .described(
                operation("SignIn")
                    .body(Named::new("SignIn", schema()))
                    .answers(StatusCode::CREATED, shown())
                    .fails(&[
                        StatusCode::UNAUTHORIZED,
                        StatusCode::FORBIDDEN,
                        StatusCode::TOO_MANY_REQUESTS,
                        StatusCode::SERVICE_UNAVAILABLE,
                    ]),
            ),
        Route::new(info(Method::GET, Who::Session, "Get who has signed in"), show)
            .described(operation("GetSession").answers(StatusCode::OK, shown())),
        Route::new(info(Method::DELETE, Who::Session, "Sign out"), end)
            .described(operation("SignOut").answers_nothing()),
    ]
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "email": { "type": "string" },
            "password": { "type": "string", "maxLength": PASSWORD_BYTES_MAX },
            "org": {
                "type": "string",
                "maxLength": ORG_CHARS_MAX,
                "description": "The org's id or subdomain, where the host does not say which org is meant",
            },
        },
        "required": ["email", "password"],
        "additionalProperties": false,
    })
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    user: ShownUser,
    org: ShownOrg,
    /// What requests that may change something send in `X-CSRF-Token`.
    csrf_token: SecretText,
    /// When it ends, whatever it is used for.
    expires_at: String,
    /// After how many seconds without a request it ends.
    idle_seconds: u64,
}

#[derive(Serialize, JsonSchema)]
struct ShownUser {
    id: String,
    email: String,
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ShownOrg {
    id: String,
    name: String,
}

fn shown(user: User, org: Org, session: &Credential, csrf_token: CsrfToken) -> Shown {
    Shown {
        user: ShownUser { id: user.id.to_string(), email: user.email, name: user.name },
        org: ShownOrg { id: org.id.to_string(), name: org.name },
        csrf_token: csrf_token.into(),
        expires_at: session.expiry.timestamp().map(shown_time).unwrap_or_default(),
        idle_seconds: SESSION_IDLE.as_secs(),
    }
}

/// An answer that no cache keeps, with what becomes of the cookie.
fn answer(cookie: Option<HeaderValue>, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Whoever asks to sign in. Pages of other sites may not sign anybody in, not even as somebody else.
struct Visitor {
    origin: Origin,
    org: Option<OrgId>,
    tells_orgs_apart: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        if !is_own(parts) {
            let failure = AuthFailure::Password(AuthReason::Forged);
            note_refusal(app, parts, failure);
            return Err(failure.into());
        }
        let tenancy = parts.extensions.get::<Tenancy>();
        let org = tenancy.and_then(|tenancy| (tenancy.by_host)(parts, app));
        let tells_orgs_apart = tenancy.is_some_and(|tenancy| tenancy.tells_orgs_apart);
        Ok(Self { origin: origin(app, parts), org, tells_orgs_apart })
    }
}

impl Visitor {
    /// The org that is meant, if there is one: what a body names must be what the host names, where hosts name orgs.
    ///
    /// # Errors
    /// Where nothing says which.
    fn org(&self, app: &App, named: Option<&str>) -> Result<Option<OrgId>, Error> {
        let Some(named) = named else {
            let reason = "is missing, and the host names no org".to_owned();
            let fault = || Error::invalid(vec![FieldError { field: "org".to_owned(), reason }]);
            return self.org.map(Some).ok_or_else(fault);
        };
        let found = named.parse().ok().or_else(|| app.engine().org_at(&named.to_ascii_lowercase()));
        Ok(match (self.tells_orgs_apart, self.org) {
            (true, Some(org)) => found.filter(|found| *found == org),
            _ => found,
        })
    }
}

struct SignIn {
    email: Email,
    password: Typed,
    org: Option<String>,
}

async fn begin(
    State(app): State<App>,
    Extension(attempts): Extension<Arc<Attempts>>,
    visitor: Visitor,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let SignIn { email, password, org } = read(&body?.0)?;
    let org = visitor.org(&app, org.as_deref())?;
    let (engine, refused) = (app.engine(), |failure: AuthFailure| {
        app.refusals().note(failure, app.engine().clock().now(), app.metrics());
        Error::from(failure)
    });
    if attempts.are_too_many(&app, visitor.origin, org, &email) {
        return Err(refused(AuthFailure::Password(AuthReason::TooOften)));
    }
    let signed_in =
        engine.sign_in(org, &email, password, visitor.origin).await.map_err(|error| match error {
            SignInError::Auth(failure) => refused(failure),
            SignInError::Other(error) => error.into(),
        })?;
    let (user, session, token) = (signed_in.value.user, signed_in.value.session, signed_in.value.token);
    let org = engine.org(user.org).await?;
    let cookie = attempts.cookie.set(&token, SESSION_LIFETIME.as_secs());
    let body = shown(user, org, &session, CsrfToken::of(token.bytes()));
    Ok(answer(Some(cookie), positioned(signed_in.position, (StatusCode::CREATED, Json(body)))))
}

impl Attempts {
    /// Counts an attempt, before anything is known of it, and tells whether it is beyond what its address or its account
    /// has.
    fn are_too_many(&self, app: &App, origin: Origin, org: Option<OrgId>, email: &Email) -> bool {
        let now = app.engine().clock().now();
        if self.from_addresses.take(origin.address, now) {
            return true;
        }
        // Accounts that are not there are counted like others, each as itself.
        let account = format!("{} {email}", org.map(|org| org.to_string()).unwrap_or_default());
        let Some(first) = app.engine().founding_org() else { return false };
        self.at_accounts.take_of(first, Some(&account), ATTEMPTS, || now).is_some_and(|it| it.is_exceeded)
    }
}

fn read(body: &Value) -> Result<SignIn, Error> {
    let mut fields = Fields::of(body)?;
    fields.require("email");
    fields.require("password");
    let email = fields.parsed("email", |text| Email::parse(text).map_err(|error| error.to_string()));
    let password = fields.parsed("password", |text| match text.len() <= PASSWORD_BYTES_MAX {
        true => Ok(Typed::new(text.to_owned())),
        false => Err(format!("must be at most {PASSWORD_BYTES_MAX} bytes")),
    });
    let org = fields.parsed("org", |text| match text.len() <= ORG_CHARS_MAX {
        true => Ok(text.to_owned()),
        false => Err(format!("must be at most {ORG_CHARS_MAX} characters")),
    });
    fields.finish()?;
    let (email, password) = email.zip(password).expect("a body without them, or with bad ones, was refused");
    Ok(SignIn { email, password, org })
}

/// Whoever has signed in.
struct SignedIn {
    caller: Caller,
    origin: Origin,
    csrf_token: CsrfToken,
    cookie: SessionCookie,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let missing = || Err(AuthFailure::Session(AuthReason::Missing));
        let caller = session(app, parts, None).unwrap_or_else(missing);
        let caller = caller.inspect_err(|failure| note_refusal(app, parts, *failure))?;
        if take_share(app, parts, caller.org()) {
            return Err(Error::limited());
        }
        let found = csrf_token(parts).zip(parts.extensions.get::<SessionCookie>().copied());
        let (csrf_token, cookie) = found.ok_or(AuthFailure::Session(AuthReason::Missing))?;
        Ok(Self { caller, origin: origin(app, parts), csrf_token, cookie })
    }
}

async fn show(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Error> {
    let SignedIn { caller, origin, csrf_token, .. } = signed_in;
    let session = app.engine().current_session(&caller).await?;
    let permit = caller.permit::<Oneself>(origin)?;
    let (user, org) = (app.engine().find_oneself(&permit).await?, app.engine().org(permit.org()).await?);
    Ok(answer(None, Json(shown(user, org, &session, csrf_token))))
}

async fn end(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Error> {
    let SignedIn { caller, origin, cookie, .. } = signed_in;
    let ended = app.engine().sign_out(&caller, origin).await?;
    Ok(answer(Some(cookie.clear()), positioned(ended.position, StatusCode::NO_CONTENT)))
}
