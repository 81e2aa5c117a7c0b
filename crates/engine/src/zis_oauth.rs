//! OAuth of ZIS integrations: clients, what is begun with them, and the connections that come of it.
//!
//! Nobody is called from here: whoever asks authorization servers for tokens brings what they gave. A client's secret,
//! its addresses and where its tokens may go belong together: whoever changes one of these brings the secret anew, and the
//! connections that were made with it lose their tokens.

mod clients;
mod finishing;
mod flows;
mod granted;
mod renewing;
mod viewing;

pub use clients::{NewZisOAuthClient, ZisOAuthClientPatch};
pub use flows::{NewZisOAuthFlow, PendingFlow, ReturnedFlow, ZIS_OAUTH_FLOW_TIME};
pub use granted::GrantedTokens;
pub use renewing::{OAuthFence, OAuthToken, OAuthTokenRead, Renewal};
pub use viewing::{ShownTokens, ZisOAuthKey};

use claviger_catalog::{SecretText, ZisOAuthSettings, ZisSettings, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, OrgId, Relation, UserId, ZisOAuthClient, ZisOAuthClientId,
};
use claviger_store::{ConnectionFilter, client_secret_place, connection_secret_place};

use crate::connections::internal;
use crate::{Engine, Error};

/// The names of the secrets of an OAuth connection.
pub(crate) const ACCESS_TOKEN: &str = "access_token";
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
/// The authorization server's answer as it came: JSON.
pub(crate) const RESPONSE_BODY: &str = "response_body";

/// A client with its secret in clear, for asking for tokens.
#[derive(Debug)]
pub struct OpenedZisOAuthClient {
    /// The client.
    pub client: ZisOAuthClient,
    /// Its secret.
    pub secret: SecretText,
}

/// All that a connection keeps in clear, and what of it is OAuth's.
pub(crate) type OAuthClear = (ZisSettings, ZisOAuthSettings);

/// What an OAuth connection keeps in clear; none where it is another type's.
pub(crate) fn oauth_of(connection: &Connection) -> Result<Option<OAuthClear>, Error> {
    let is_one =
        connection.dialect == ConnectionDialect::Zendesk && connection.credentials == ZisType::OAuth.as_str();
    if !is_one {
        return Ok(None);
    }
    let settings: ZisSettings = serde_json::from_str(&connection.settings).map_err(internal)?;
    let oauth = settings.oauth().cloned();
    let oauth = oauth.ok_or_else(|| Error::Internal("an OAuth connection without its client".into()))?;
    Ok(Some((settings, oauth)))
}

impl Engine {
    /// The client of a connection or flow with its secret; none where it is gone, or another one by now to its
    /// authorization server.
    pub(crate) async fn open_zis_oauth_client(
        &self,
        client: ZisOAuthClient,
    ) -> Result<OpenedZisOAuthClient, Error> {
        let found = self.store.find_zis_oauth_client_secret(client.org, client.id).await?;
        // Whoever changed or deleted it since it was read makes what comes of it worth nothing anyway.
        let (sealed, revision) = found.ok_or(Error::Unavailable(None))?;
        let opened = self.vault.open(&client_secret_place(client.org, client.id, revision), &sealed)?;
        Ok(OpenedZisOAuthClient { client, secret: text(&opened)? })
    }

    /// A sealed secret of a connection, opened; none where it has none of that name.
    pub(crate) async fn open_connection_secret(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<Option<SecretText>, Error> {
        let Some(revision) = connection.secrets.0.get(name) else { return Ok(None) };
        let sealed = self.store.list_connection_secrets(connection.org, connection.id).await?;
        // One that was replaced since the connection was read has another revision.
        let sealed = sealed.iter().find(|it| it.name == name && it.revision == *revision);
        let sealed = sealed.ok_or(Error::Unavailable(None))?;
        let place = connection_secret_place(connection.org, connection.id, name, *revision);
        text(&self.vault.open(&place, &sealed.sealed)?).map(Some)
    }

    /// Every connection that was made with a client.
    pub(crate) async fn connections_of_client(
        &self,
        client: &ZisOAuthClient,
    ) -> Result<Vec<Connection>, Error> {
        let filter = ConnectionFilter {
            dialect: Some(ConnectionDialect::Zendesk),
            container: Some(client.integration.clone()),
            ..ConnectionFilter::default()
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.store.list_connections_after(client.org, &filter, after, CONNECTIONS_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.id);
            for connection in page {
                let is_its = oauth_of(&connection)?.is_some_and(|(_, it)| it.client == client.id.to_string());
                found.extend(is_its.then_some(connection));
            }
        }
    }

    /// How close a user may come to a connection, whatever their permissions.
    pub(crate) fn relation_of_user(&self, user: UserId, connection: &Connection) -> Option<Relation> {
        match &connection.restriction {
            None => Some(Relation::Editor),
            Some(restriction) => {
                restriction.relation_of(connection.org, user, |role| self.directory.has_role(user, role))
            }
        }
    }

    /// The client that a connection was made with; none where it is gone.
    pub(crate) async fn client_of(
        &self,
        org: OrgId,
        connection: &Connection,
        oauth: &ZisOAuthSettings,
    ) -> Result<Option<ZisOAuthClient>, Error> {
        let id: ZisOAuthClientId = oauth.client.parse().map_err(internal)?;
        let integration = connection.container.as_deref().unwrap_or_default();
        Ok(self.store.find_zis_oauth_client(org, integration, id).await?)
    }
}

/// Connections that are read at once.
const CONNECTIONS_AT_ONCE: u32 = 500;

/// What was sealed was a text.
pub(crate) fn text(opened: &[u8]) -> Result<SecretText, Error> {
    let text = std::str::from_utf8(opened).map_err(internal)?;
    Ok(SecretText::new(text.to_owned()))
}
