//! The tokens of OAuth connections for whoever uses them, and how a new one takes an old one's place.
//!
//! Who renews a token takes a fence first, a number in the database: only the holder of the last one may store what came of
//! it. A holder that died leaves it to others once its time is over; what a late one brings is dropped.

use std::time::Duration;

use claviger_catalog::{SecretText, ZisOAuthSettings, ZisSettings};
use claviger_model::{
    Connection, ConnectionId, OrgId, Target, Timestamp, ZisGrant, ZisOAuthClient, ZisUrlSubdomain,
};
use claviger_store::{Change, CommitError, FenceHolder, Refusal, ZisOAuthFence};

use super::{ACCESS_TOKEN, GrantedTokens, OpenedZisOAuthClient, REFRESH_TOKEN, oauth_of};
use crate::connections::internal;
use crate::credentials::STALE_RETRIES_MAX;
use crate::{Engine, Error, Thing};

/// For so long a fence is held at most: an exchange and the storing of what it brings take less.
const HELD: Duration = Duration::from_secs(30);

/// A token in clear.
#[derive(Debug)]
pub struct OAuthToken {
    /// The token.
    pub token: SecretText,
    /// When it ends; none where nobody said.
    pub expires_at: Option<Timestamp>,
}

/// What is known of a connection's tokens.
#[derive(Debug)]
pub struct OAuthTokenRead {
    connection: Connection,
    oauth: ZisOAuthSettings,
    fence: ZisOAuthFence,
    client: Option<ZisOAuthClient>,
    /// Its token; none where it lost it.
    pub token: Option<OAuthToken>,
}

/// With what a token can be renewed.
#[derive(Debug)]
pub enum Renewal {
    /// With a token of longer life.
    Refresh {
        /// That token.
        token: SecretText,
        /// What stands in the place of the subdomain in the client's addresses.
        subdomain: Option<ZisUrlSubdomain>,
        /// The client.
        client: OpenedZisOAuthClient,
    },
    /// By being the client.
    ClientCredentials {
        /// What is asked for.
        scopes: String,
        /// What stands in the place of the subdomain in the client's addresses.
        subdomain: Option<ZisUrlSubdomain>,
        /// The client.
        client: OpenedZisOAuthClient,
    },
}

impl Renewal {
    /// Where it goes; none where the client's address cannot be called.
    pub fn target(&self) -> Option<Target> {
        let (Self::Refresh { subdomain, client, .. } | Self::ClientCredentials { subdomain, client, .. }) =
            self;
        client.client.token_url.fill(subdomain.as_ref()).ok()
    }
}

/// The right to store the next token of a connection.
#[derive(Debug)]
pub struct OAuthFence {
    org: OrgId,
    connection: ConnectionId,
    holder: FenceHolder,
}

impl OAuthTokenRead {
    /// Whose it is.
    pub fn org(&self) -> OrgId {
        self.connection.org
    }

    /// The connection.
    pub fn connection(&self) -> ConnectionId {
        self.connection.id
    }

    /// The connection as it was read.
    pub fn of(&self) -> &Connection {
        &self.connection
    }

    /// The revision at which its token was stored, by which one is told from the next; 0 where there is none.
    pub fn token_revision(&self) -> i64 {
        self.connection.secrets.0.get(ACCESS_TOKEN).copied().unwrap_or_default()
    }

    /// The authorization server's code, where it refused the connection's grant for good and nothing has changed since.
    pub fn refused(&self) -> Option<&str> {
        let refused = self.fence.refused.as_ref()?;
        let client = self.client.as_ref()?;
        let is_so =
            refused.revision == self.connection.revision && refused.grant_revision == client.grant_revision;
        is_so.then_some(refused.code.as_str())
    }
}

impl Engine {
    /// What is known of a connection's tokens. Who may use it is not asked here.
    ///
    /// # Errors
    /// [`Error::Absent`] where the org has no such OAuth connection.
    pub async fn read_oauth_token(&self, org: OrgId, id: ConnectionId) -> Result<OAuthTokenRead, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.store.find_connection(org, id).await?;
            let absent = || Error::Absent(Thing::Connection);
            let (connection, _) = found.ok_or_else(absent)?;
            let (_, oauth) = oauth_of(&connection)?.ok_or_else(absent)?;
            let token = match self.open_connection_secret(&connection, ACCESS_TOKEN).await {
                // It was replaced between the two readings.
                Err(Error::Unavailable(None)) => continue,
                token => token?,
            };
            let expires_at = oauth.token_expiry.as_deref().and_then(Timestamp::parse_rfc3339);
            let token = token.map(|token| OAuthToken { token, expires_at });
            let client = self.client_of(org, &connection, &oauth).await?;
            let fence = self.store.find_zis_oauth_fence(org, id).await?;
            return Ok(OAuthTokenRead { connection, oauth, fence, client, token });
        }
        Err(Error::Unavailable(None))
    }

    /// With what a token can be renewed; none where only a person who agrees once more helps.
    ///
    /// # Errors
    /// When something cannot be opened.
    pub async fn oauth_renewal(&self, read: &OAuthTokenRead) -> Result<Option<Renewal>, Error> {
        let Some(client) = read.client.clone() else { return Ok(None) };
        // Of one that lost its tokens, somebody agrees anew: its client is another one.
        if read.token.is_none() {
            return Ok(None);
        }
        let subdomain = read.oauth.subdomain.as_deref().map(str::parse).transpose().map_err(internal)?;
        match read.oauth.grant_type.parse::<ZisGrant>().map_err(internal)? {
            ZisGrant::ClientCredentials => {
                let scopes = read.oauth.requested_scope.clone();
                let client = self.open_zis_oauth_client(client).await?;
                Ok(Some(Renewal::ClientCredentials { scopes, subdomain, client }))
            }
            ZisGrant::AuthorizationCode => {
                let token = self.open_connection_secret(&read.connection, REFRESH_TOKEN).await?;
                let Some(token) = token else { return Ok(None) };
                let client = self.open_zis_oauth_client(client).await?;
                Ok(Some(Renewal::Refresh { token, subdomain, client }))
            }
        }
    }

    /// Takes the fence of a connection; none where somebody else holds it, or took it since it was read.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_oauth_fence(&self, read: &OAuthTokenRead) -> Result<Option<OAuthFence>, Error> {
        let Some(client) = &read.client else { return Ok(None) };
        let (org, connection, number) = (read.connection.org, read.connection.id, read.fence.number);
        let now = self.clock.now();
        let change = Change::take_zis_oauth_fence(org, connection, number, now, now + HELD);
        match self.store.commit(change).await {
            Ok(_) => {
                let holder = FenceHolder {
                    fence: number + 1,
                    client: client.id,
                    grant_revision: client.grant_revision,
                };
                Ok(Some(OAuthFence { org, connection, holder }))
            }
            Err(CommitError::Refused(Refusal::Superseded)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets a fence go.
    ///
    /// # Errors
    /// When the database is away; then the fence's time does it.
    pub async fn release_oauth_fence(&self, fence: OAuthFence) -> Result<(), Error> {
        let change = Change::release_zis_oauth_fence(fence.connection, fence.holder.fence);
        Ok(self.store.commit(change).await.map(drop)?)
    }

    /// Stores what the holder of a fence came by: a new token for renewing takes the old one's place, and where there is
    /// none, the old one stays. False where somebody else took over, or the connection or its client is not what it was: the
    /// tokens are dropped then.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn store_renewed_tokens(
        &self,
        fence: OAuthFence,
        tokens: GrantedTokens,
    ) -> Result<bool, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.store.find_connection(fence.org, fence.connection).await?;
            let Some((mut connection, _)) = found else { return Ok(false) };
            let Some((settings, oauth)) = oauth_of(&connection)? else { return Ok(false) };
            let tokens = tokens.copied();
            connection.settings = renewed(settings, oauth, &tokens)?;
            connection.modified_at = self.later_than(connection.modified_at);
            let revision = connection.revision + 1;
            let secrets = tokens.into_secrets();
            let names = secrets.keys().map(|name| (name.as_str().to_owned(), revision));
            connection.secrets.0.extend(names);
            let written = self.seal_secrets(&connection, &secrets, revision)?;
            let change = Change::renew_connection(&connection, &written, &[], fence.holder);
            match self.store.commit(change).await {
                Ok(_) => return Ok(true),
                Err(CommitError::Refused(Refusal::Superseded)) => return Ok(false),
                // Somebody changed who may do what with it, or so.
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Records that the authorization server refused a grant for good: the connection is in bad health, and is not asked for
    /// again until something changes. Nothing is recorded where somebody else took over.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn refuse_oauth_renewal(
        &self,
        fence: OAuthFence,
        read: &OAuthTokenRead,
        code: &str,
    ) -> Result<(), Error> {
        let change = Change::refuse_renewal(&read.connection, code, fence.holder, self.clock.now());
        match self.store.commit(change).await {
            Ok(_) | Err(CommitError::Refused(Refusal::Superseded)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn renewed(
    settings: ZisSettings,
    mut oauth: ZisOAuthSettings,
    tokens: &GrantedTokens,
) -> Result<String, Error> {
    tokens.note_in(&mut oauth);
    serde_json::to_string(&settings.with_oauth(oauth)).map_err(internal)
}
