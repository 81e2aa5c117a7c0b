//! Flows: begun by whoever may make connections, taken once by whoever comes back from the authorization server, and
//! finished by the one who began.
//!
//! What comes back is a random text of which only the digest is kept: who knows it is told nothing but that it is good or
//! not. A flow dies with the credential by which it was begun, with its user's right to make connections, and when its
//! client becomes another one.

use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_model::{
    Permission, Target, Timestamp, UserId, ZisConnectionName, ZisGrant, ZisOAuthClient, ZisOAuthFlowId,
    ZisOAuthScopes, ZisUrlSubdomain,
};
use claviger_store::{
    Actor, Change, CommitError, FlowStage, Refusal, ZIS_OAUTH_FLOWS_MAX, ZisOAuthFlow, flow_place,
};
use claviger_vault::{Digest, IssuedSecret, Vault};

use super::{GrantedTokens, OpenedZisOAuthClient, text};
use crate::permit::rights::ConnectionsWrite;
use crate::{Changed, Engine, Error, Origin, Permit, Thing};

/// For so long a flow is good: time to agree to something in a browser.
pub const ZIS_OAUTH_FLOW_TIME: Duration = Duration::from_secs(10 * 60);

/// What is to be begun.
#[derive(Debug)]
pub struct NewZisOAuthFlow {
    /// The name of the connection to be.
    pub name: ZisConnectionName,
    /// How it comes by its tokens.
    pub grant: ZisGrant,
    /// What is asked for.
    pub scopes: ZisOAuthScopes,
    /// What stands in the place of the subdomain in the client's addresses.
    pub subdomain: Option<ZisUrlSubdomain>,
    /// Where the browser is sent on to.
    pub redirect_url: Option<Target>,
    /// What proves to the authorization server that a code is ours.
    pub verifier: Option<SecretText>,
}

/// A flow that a browser has brought back; nobody else can take it.
#[derive(Debug)]
pub struct ReturnedFlow {
    pub(super) flow: ZisOAuthFlow,
    pub(super) actor: Actor,
    /// The client, if it is still the one with which the flow began.
    pub client: Option<OpenedZisOAuthClient>,
    /// What proves to the authorization server that the code is ours.
    pub verifier: Option<SecretText>,
}

/// A flow that whoever began it may finish.
#[derive(Debug)]
pub struct PendingFlow {
    pub(super) flow: ZisOAuthFlow,
    /// The client.
    pub client: OpenedZisOAuthClient,
    /// The tokens, where there are some already.
    pub tokens: Option<GrantedTokens>,
}

impl ReturnedFlow {
    /// Where the browser is sent on to.
    pub fn redirect_url(&self) -> Option<&str> {
        self.flow.redirect_url.as_deref()
    }

    /// The name of the connection to be.
    pub fn name(&self) -> &str {
        &self.flow.name
    }

    /// What stands in the place of the subdomain.
    pub fn subdomain(&self) -> Option<ZisUrlSubdomain> {
        self.flow.subdomain.as_deref()?.parse().ok()
    }
}

impl PendingFlow {
    /// What is asked for.
    pub fn scopes(&self) -> &str {
        &self.flow.scopes
    }

    /// What stands in the place of the subdomain.
    pub fn subdomain(&self) -> Option<ZisUrlSubdomain> {
        self.flow.subdomain.as_deref()?.parse().ok()
    }
}

/// States and verification codes are kept apart from each other and from credentials, whose digests are made alike.
fn key(vault: &Vault, stage: &str, text: &str) -> Digest {
    vault.digest(format!("zis-oauth-{stage}:{text}").as_bytes())
}
const STATE: &str = "state";
const CODE: &str = "code";

impl Engine {
    /// Begins a flow, and gives what is to come back: the `state` of a browser's way, or the verification code of a flow that
    /// needs no browser.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another connection has the name; [`Error::Absent`] where the client is gone, or another one
    /// by now; [`Error::LimitReached`] beyond [`ZIS_OAUTH_FLOWS_MAX`].
    pub async fn begin_zis_oauth_flow(
        &self,
        permit: &Permit<ConnectionsWrite>,
        client: &ZisOAuthClient,
        new: NewZisOAuthFlow,
    ) -> Result<Changed<IssuedSecret>, Error> {
        let now = self.clock.now();
        let (stage, kind) = match new.grant {
            ZisGrant::AuthorizationCode => (FlowStage::Begun, STATE),
            ZisGrant::ClientCredentials => (FlowStage::ClientCredentials, CODE),
        };
        let id = ZisOAuthFlowId::generate(self.vault.random());
        let seal = |verifier: &SecretText| {
            self.vault.seal(&flow_place(permit.org(), id, stage), verifier.reveal().as_bytes())
        };
        let flow = ZisOAuthFlow {
            id,
            org: permit.org(),
            stage,
            integration: client.integration.clone(),
            client: client.id,
            grant_revision: client.grant_revision,
            name: new.name.as_str().to_owned(),
            user: permit.user(),
            credential: permit.caller().acting,
            scopes: new.scopes.as_str().to_owned(),
            subdomain: new.subdomain.map(|it| it.to_string()),
            redirect_url: new.redirect_url.map(|it| it.to_string()),
            sealed: new.verifier.as_ref().map(seal).transpose()?,
            expires_at: now + ZIS_OAUTH_FLOW_TIME,
        };
        // Known before anybody is sent anywhere; checked again when the connection is made.
        self.check_place(&flow).await?;
        let secret = IssuedSecret::generate_client_secret(self.vault.random());
        let key = key(&self.vault, kind, secret.reveal());
        match self.store.commit(Change::begin_zis_oauth_flow(&flow, &key, now, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: secret, position }),
            Err(CommitError::Refused(Refusal::Superseded)) => {
                self.settle().await?;
                Err(Error::Absent(Thing::ZisOAuthClient))
            }
            Err(CommitError::Refused(Refusal::LimitReached)) => {
                Err(Error::LimitReached { thing: Thing::ZisOAuthFlow, max: ZIS_OAUTH_FLOWS_MAX })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the flow whose `state` a browser has brought back; `refusal` is what the authorization server said in place of
    /// a grant. None where there is none of that state, where it was taken already, or is over; and where whoever began it may
    /// not make connections any more.
    pub async fn take_zis_oauth_flow(
        &self,
        state: &str,
        refusal: Option<&str>,
        origin: Origin,
    ) -> Result<Option<ReturnedFlow>, Error> {
        if !self.is_available() {
            return Err(Error::Unavailable(None));
        }
        let now = self.clock.now();
        let found = self.store.find_zis_oauth_flow(&key(&self.vault, STATE, state), now).await?;
        let Some(flow) = found.filter(|flow| flow.stage == FlowStage::Begun) else { return Ok(None) };
        if self.check_starter(&flow).is_err() {
            return Ok(None);
        }
        let actor = Actor {
            user: Some(flow.user),
            credentials: vec![flow.credential],
            registered: None,
            from: origin.address.map(|address| address.to_string()),
            request: Some(origin.request),
        };
        match self.store.commit(Change::take_zis_oauth_flow(&flow, refusal, now, &actor)).await {
            Ok(_) => {}
            Err(CommitError::Refused(Refusal::Spent | Refusal::ActorGone)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let verifier = match &flow.sealed {
            Some(sealed) => {
                Some(text(&self.vault.open(&flow_place(flow.org, flow.id, flow.stage), sealed)?)?)
            }
            None => None,
        };
        let client = self.client_of_flow(&flow).await?;
        Ok(Some(ReturnedFlow { flow, actor, client, verifier }))
    }

    /// Keeps the tokens of a flow for whoever began it, and gives the verification code by which they are asked for.
    ///
    /// # Errors
    /// [`Error::Absent`] where the client became another one meanwhile; [`Error::CallerGone`] where whoever began may not
    /// make connections any more.
    pub async fn grant_zis_oauth_flow(
        &self,
        returned: &ReturnedFlow,
        tokens: &GrantedTokens,
    ) -> Result<IssuedSecret, Error> {
        self.check_starter(&returned.flow)?;
        let id = ZisOAuthFlowId::generate(self.vault.random());
        let place = flow_place(returned.flow.org, id, FlowStage::Granted);
        let flow = ZisOAuthFlow {
            id,
            stage: FlowStage::Granted,
            sealed: Some(self.vault.seal(&place, &tokens.to_bytes()?)?),
            expires_at: self.clock.now() + ZIS_OAUTH_FLOW_TIME,
            ..returned.flow.clone()
        };
        let code = IssuedSecret::generate_client_secret(self.vault.random());
        let key = key(&self.vault, CODE, code.reveal());
        match self.store.commit(Change::grant_zis_oauth_flow(&flow, &key, &returned.actor)).await {
            Ok(_) => Ok(code),
            Err(CommitError::Refused(Refusal::Superseded)) => Err(Error::Absent(Thing::ZisOAuthClient)),
            Err(error) => Err(error.into()),
        }
    }

    /// The flow that a verification code is for, if the caller is the one who began it, in this integration.
    ///
    /// # Errors
    /// [`Error::Absent`], whether there never was one, it is over or used, somebody else's, or its client became another one.
    pub async fn find_pending_zis_oauth_flow(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        code: &str,
    ) -> Result<PendingFlow, Error> {
        let now = self.clock.now();
        let found = self.store.find_zis_oauth_flow(&key(&self.vault, CODE, code), now).await?;
        let is_theirs = |flow: &ZisOAuthFlow| {
            flow.stage != FlowStage::Begun
                && flow.org == permit.org()
                && flow.integration == integration
                && flow.user == permit.user()
        };
        let absent = || Error::Absent(Thing::ZisOAuthFlow);
        let flow = found.filter(is_theirs).ok_or_else(absent)?;
        let client = self.client_of_flow(&flow).await?.ok_or_else(absent)?;
        let tokens = match &flow.sealed {
            Some(sealed) => {
                let opened = self.vault.open(&flow_place(flow.org, flow.id, flow.stage), sealed)?;
                Some(GrantedTokens::from_bytes(&opened)?)
            }
            None => None,
        };
        Ok(PendingFlow { flow, client, tokens })
    }

    /// Whether whoever began a flow may still make connections. It is asked before an authorization server is, and again
    /// after that: what is lost while it thinks is lost.
    ///
    /// # Errors
    /// [`Error::CallerGone`].
    pub(super) fn check_starter(&self, flow: &ZisOAuthFlow) -> Result<(), Error> {
        match self.directory.allows(flow.org, flow.user, Permission::CONNECTIONS_WRITE) {
            true => Ok(()),
            false => Err(Error::CallerGone),
        }
    }

    async fn client_of_flow(&self, flow: &ZisOAuthFlow) -> Result<Option<OpenedZisOAuthClient>, Error> {
        let client = self.store.find_zis_oauth_client(flow.org, &flow.integration, flow.client).await?;
        match client.filter(|client| client.grant_revision == flow.grant_revision) {
            Some(client) => self.open_zis_oauth_client(client).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Who finishes a flow, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finisher<'a> {
    pub(super) user: UserId,
    pub(super) actor: &'a Actor,
    pub(super) now: Timestamp,
}
