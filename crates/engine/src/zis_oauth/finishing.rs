//! The connection that a flow comes to: a new one, or new tokens for the one of that name that the same client made.

use claviger_catalog::{SecretName, ZIS_INTEGRATION, ZisOAuthSettings, ZisSettings, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, Relation, Terms, ZisGrant,
    ZisOAuthClient, ZisUrlSubdomain,
};
use claviger_store::{Actor, Change, CommitError, FlowStage, Refusal, ZisOAuthFlow};

use super::flows::Finisher;
use super::{GrantedTokens, PendingFlow, ReturnedFlow, oauth_of};
use crate::connections::{first_revision, internal};
use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::ConnectionsWrite;
use crate::{Changed, Engine, Error, FieldError, Permit, ShownZisConnection, Thing};

impl Engine {
    /// Makes the connection of a flow, for whoever began it, and uses the flow up.
    ///
    /// # Errors
    /// [`Error::Absent`] where the flow is used up, over, or its client became another one, and where whoever began it may
    /// not make connections any more; [`Error::Conflict`] where another connection has the name; [`Error::Restricted`] where the restriction of the one whose tokens would be
    /// replaced does not make the user its editor; [`Error::LimitReached`] beyond the org's limit of connections.
    pub async fn finish_zis_oauth_flow(
        &self,
        permit: &Permit<ConnectionsWrite>,
        pending: &PendingFlow,
        tokens: GrantedTokens,
    ) -> Result<Changed<ShownZisConnection>, Error> {
        let actor = with_starter(permit.actor(), &pending.flow);
        let by = Finisher { user: permit.user(), actor: &actor, now: self.clock.now() };
        match self.finish(&pending.flow, &pending.client.client, tokens, by).await {
            // Of two credentials it is the one by which the flow was begun that died.
            Err(Error::CallerGone) if self.store.may_still_act(permit.org(), &permit.actor()).await? => {
                Err(Error::Absent(Thing::ZisOAuthFlow))
            }
            finished => finished,
        }
    }

    /// The same right when the browser is back, for a flow that sends it nowhere.
    ///
    /// # Errors
    /// As [`Engine::finish_zis_oauth_flow`], but [`Error::CallerGone`] for who may make none any more.
    pub async fn finish_returned_zis_oauth_flow(
        &self,
        returned: &ReturnedFlow,
        tokens: GrantedTokens,
    ) -> Result<Changed<ShownZisConnection>, Error> {
        let Some(client) = &returned.client else { return Err(Error::Absent(Thing::ZisOAuthClient)) };
        let by = Finisher { user: returned.flow.user, actor: &returned.actor, now: self.clock.now() };
        self.finish(&returned.flow, &client.client, tokens, by).await
    }

    async fn finish(
        &self,
        flow: &ZisOAuthFlow,
        client: &ZisOAuthClient,
        tokens: GrantedTokens,
        by: Finisher<'_>,
    ) -> Result<Changed<ShownZisConnection>, Error> {
        self.check_starter(flow)?;
        let settings = settings(flow, client, &tokens)?;
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.connection_in_place(flow).await?;
            let (connection, change) = match found {
                None => self.made(flow, &settings, tokens.copied(), by)?,
                Some(found) => self.regranted(found, &settings, tokens.copied(), by)?,
            };
            let change = change.finishing_zis_oauth_flow(flow, connection.id, by.now);
            match self.store.commit(change).await {
                Ok(position) => {
                    let value = ShownZisConnection { connection, of: ZisType::OAuth, settings };
                    return Ok(Changed { value, position });
                }
                // Somebody else made, changed or deleted it in between.
                Err(CommitError::Refused(Refusal::Stale | Refusal::NameTaken)) => {}
                Err(CommitError::Refused(Refusal::Spent | Refusal::Superseded | Refusal::Absent)) => {
                    return Err(Error::Absent(Thing::ZisOAuthFlow));
                }
                Err(CommitError::Refused(Refusal::LimitReached)) => {
                    let max = self.org(flow.org).await?.settings.connections_max;
                    return Err(Error::LimitReached { thing: Thing::Connection, max });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Whether a flow may come to a connection, as far as can be known before.
    pub(super) async fn check_place(&self, flow: &ZisOAuthFlow) -> Result<(), Error> {
        self.connection_in_place(flow).await.map(drop)
    }

    /// The connection whose tokens a flow replaces; none where it makes a new one.
    async fn connection_in_place(&self, flow: &ZisOAuthFlow) -> Result<Option<Connection>, Error> {
        let found = self.store.find_connection_in(
            flow.org,
            ConnectionDialect::Zendesk,
            &flow.integration,
            &flow.name,
        );
        let Some(found) = found.await? else { return Ok(None) };
        let is_its = oauth_of(&found)?.is_some_and(|(_, oauth)| oauth.client == flow.client.to_string());
        if !is_its {
            self.settle().await?;
            return Err(Error::Conflict { thing: Thing::Connection, name: found.name });
        }
        match self.relation_of_user(flow.user, &found) >= Some(Relation::Editor) {
            true => Ok(Some(found)),
            false => Err(Error::Restricted(Relation::Editor)),
        }
    }

    fn made(
        &self,
        flow: &ZisOAuthFlow,
        settings: &ZisSettings,
        tokens: GrantedTokens,
        by: Finisher<'_>,
    ) -> Result<(Connection, Change), Error> {
        let revision = first_revision(by.now);
        let secrets = tokens.into_secrets();
        let names = secrets.keys().map(|name| (name.as_str().to_owned(), revision));
        let connection = Connection {
            id: ConnectionId::generate_at(self.vault.random(), by.now),
            org: flow.org,
            dialect: ConnectionDialect::Zendesk,
            container: Some(flow.integration.clone()),
            name: flow.name.clone(),
            integration: ZIS_INTEGRATION.to_owned(),
            credentials: ZisType::OAuth.as_str().to_owned(),
            settings: serde_json::to_string(settings).map_err(internal)?,
            hosts: Vec::new(),
            tags: None,
            secrets: ConnectionSecrets(names.collect()),
            restriction: None,
            terms: Terms::default(),
            revision,
            created_at: by.now,
            created_by: by.user,
            modified_at: by.now,
            modified_by: by.user,
            expires_at: None,
        };
        let sealed = self.seal_secrets(&connection, &secrets, revision)?;
        let change = Change::create_connection(&connection, &sealed, by.actor);
        Ok((connection, change))
    }

    fn regranted(
        &self,
        read: Connection,
        settings: &ZisSettings,
        tokens: GrantedTokens,
        by: Finisher<'_>,
    ) -> Result<(Connection, Change), Error> {
        let mut connection = read;
        // The revision that the row will have once this is stored.
        let revision = connection.revision + 1;
        let secrets = tokens.into_secrets();
        let is_new = |name: &String| secrets.keys().any(|new: &SecretName| new.as_str() == name);
        // What another grant was renewed with renews this one no more.
        let erased: Vec<_> = connection.secrets.0.keys().filter(|name| !is_new(name)).cloned().collect();
        let names = secrets.keys().map(|name| (name.as_str().to_owned(), revision));
        connection.secrets = ConnectionSecrets(names.collect());
        connection.settings = serde_json::to_string(settings).map_err(internal)?;
        connection.modified_at = self.later_than(connection.modified_at);
        connection.modified_by = by.user;
        let sealed = self.seal_secrets(&connection, &secrets, revision)?;
        let changed = ["tokens".to_owned()];
        let change = Change::update_connection(&connection, &sealed, &erased, &changed, by.actor);
        Ok((connection, change))
    }
}

/// What the connection of a flow keeps in clear.
fn settings(
    flow: &ZisOAuthFlow,
    client: &ZisOAuthClient,
    tokens: &GrantedTokens,
) -> Result<ZisSettings, Error> {
    let subdomain: Option<ZisUrlSubdomain> =
        flow.subdomain.as_deref().map(str::parse).transpose().map_err(internal)?;
    let domain = client.domain(subdomain.as_ref()).map_err(|error| {
        let field = if client.allowed_domain.is_some() { "allowed_domain" } else { "token_url" };
        Error::Invalid(vec![FieldError { field: field.to_owned(), reason: error.to_string() }])
    })?;
    let grant = match flow.stage {
        FlowStage::ClientCredentials => ZisGrant::ClientCredentials,
        FlowStage::Begun | FlowStage::Granted => ZisGrant::AuthorizationCode,
    };
    let mut oauth = ZisOAuthSettings {
        client: client.id.to_string(),
        grant_type: grant.as_str().to_owned(),
        requested_scope: flow.scopes.clone(),
        scope: flow.scopes.chars().take(255).collect(),
        subdomain: flow.subdomain.clone(),
        token_type: None,
        token_expiry: None,
    };
    tokens.note_in(&mut oauth);
    Ok(ZisSettings::of_oauth(&domain, oauth))
}

/// A flow dies with the credential by which it was begun, whichever finishes it.
fn with_starter(mut actor: Actor, flow: &ZisOAuthFlow) -> Actor {
    if !actor.credentials.contains(&flow.credential) {
        actor.credentials.push(flow.credential);
    }
    actor
}
