//! How a connection is begun: with an address for a browser, or with a code for whoever asks.

use claviger_engine::rights::ConnectionsWrite;
use claviger_engine::{Changed, Error as EngineError, FieldError, NewZisOAuthFlow, Permit};
use claviger_exchange::oauth::{authorize_url, challenge, verifier};
use claviger_model::{
    Target, ZisConnectionName, ZisGrant, ZisOAuthClient, ZisOAuthError, ZisOAuthScopes, ZisUrlSubdomain,
};
use claviger_vault::IssuedSecret;

use crate::{FlowError, OAuth};

/// What is to be begun.
#[derive(Debug)]
pub struct Beginning {
    /// The name of the connection to be.
    pub name: ZisConnectionName,
    /// How it comes by its tokens; the client's own way where nothing is said.
    pub grant: Option<ZisGrant>,
    /// What is asked for; what the client asks for by default where nothing is said.
    pub scopes: Option<ZisOAuthScopes>,
    /// What stands in the place of the subdomain in the client's addresses.
    pub subdomain: Option<ZisUrlSubdomain>,
    /// Where the browser is sent on to.
    pub redirect_url: Option<Target>,
    /// Whether the connection is to be renewed while nobody is there.
    pub is_offline: bool,
}

/// What was begun.
#[derive(Debug)]
pub enum Begun {
    /// Somebody has to agree: where their browser is to be sent.
    Browser(String),
    /// Nobody has to: the verification code by which it is finished.
    Code(IssuedSecret),
}

impl OAuth {
    /// Begins a connection with a client.
    ///
    /// # Errors
    /// [`FlowError::NotSetUp`]; of the engine [`EngineError::Invalid`] with every member that does not fit, and as
    /// [`Engine::begin_zis_oauth_flow`](claviger_engine::Engine::begin_zis_oauth_flow) says.
    pub async fn begin(
        &self,
        permit: &Permit<ConnectionsWrite>,
        client: &ZisOAuthClient,
        beginning: Beginning,
    ) -> Result<Changed<Begun>, FlowError> {
        let engine = &self.0.engine;
        let Some(redirect_uri) = &self.0.redirect_uri else { return Err(FlowError::NotSetUp) };
        let grant = beginning.grant.unwrap_or(client.grant);
        self.check(permit, client, grant, &beginning).await?;
        let scopes = beginning.scopes.unwrap_or_else(|| client.default_scopes.clone());
        let verifier = (grant == ZisGrant::AuthorizationCode).then(|| verifier(engine.random()));
        let challenge = verifier.as_ref().map(challenge);
        let auth_url = client.auth_url.as_ref().map(|url| url.fill(beginning.subdomain.as_ref()));
        let new = NewZisOAuthFlow {
            name: beginning.name,
            grant,
            scopes: scopes.clone(),
            subdomain: beginning.subdomain,
            redirect_url: beginning.redirect_url,
            verifier,
        };
        let Changed { value: secret, position } = engine.begin_zis_oauth_flow(permit, client, new).await?;
        let value = match (grant, auth_url) {
            (ZisGrant::AuthorizationCode, Some(Ok(auth_url))) => {
                // Google's word for it; others pass over what they do not know (RFC 6749, 3.1).
                let extra: &[_] = if beginning.is_offline { &[("access_type", "offline")] } else { &[] };
                let (id, state, scopes) = (&client.client_id, secret.reveal(), scopes.as_str());
                let challenge = challenge.as_deref();
                Begun::Browser(authorize_url(&auth_url, id, redirect_uri, state, scopes, challenge, extra))
            }
            _ => Begun::Code(secret),
        };
        Ok(Changed { value, position })
    }

    /// Names every member that does not fit the client, or its integration.
    async fn check(
        &self,
        permit: &Permit<ConnectionsWrite>,
        client: &ZisOAuthClient,
        grant: ZisGrant,
        beginning: &Beginning,
    ) -> Result<(), FlowError> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, reason: String| {
            if !faults.iter().any(|it: &FieldError| it.field == field) {
                faults.push(FieldError { field: field.to_owned(), reason });
            }
        };
        let subdomain = beginning.subdomain.as_ref();
        let auth_url = client.auth_url.as_ref().filter(|_| grant == ZisGrant::AuthorizationCode);
        if grant == ZisGrant::AuthorizationCode && auth_url.is_none() {
            fault("grant_type", "is none that the client can do: it has no auth_url".to_owned());
        }
        for url in [Some(&client.token_url), auth_url].into_iter().flatten() {
            if let Err(error) = url.fill(subdomain) {
                fault("oauth_url_subdomain", error.to_string());
            }
        }
        if let Err(error) = client.domain(subdomain) {
            fault("oauth_url_subdomain", error.to_string());
        }
        let has_place = client.token_url.has_place() || auth_url.is_some_and(|url| url.has_place());
        if subdomain.is_some() && !has_place {
            fault("oauth_url_subdomain", ZisOAuthError::SubdomainSurplus.to_string());
        }
        if let Some(target) = &beginning.redirect_url {
            let known = self.0.engine.redirect_origins(permit.org(), &client.integration).await?;
            if !known.admit(target) {
                let reason = "has an origin that the integration does not allow";
                fault("origin_oauth_redirect_url", reason.to_owned());
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(EngineError::Invalid(faults).into()) }
    }
}
