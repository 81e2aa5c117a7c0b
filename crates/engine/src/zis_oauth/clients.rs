//! OAuth clients: made, seen, changed and deleted within one integration. Their secrets are never shown.

use claviger_catalog::SecretText;
use claviger_model::{
    AllowedDomain, Relation, ZisGrant, ZisOAuthClient, ZisOAuthClientId, ZisOAuthClientName, ZisOAuthScopes,
    ZisUrl,
};
use claviger_store::{
    Change, CommitError, EmptiedConnection, Refusal, ZIS_OAUTH_CLIENTS_MAX, client_secret_place,
};

use super::oauth_of;
use crate::connections::internal;
use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::{ConnectionsRead, ConnectionsWrite};
use crate::{Changed, Engine, Error, FieldError, Permit, Thing};

/// A new OAuth client.
#[derive(Debug)]
pub struct NewZisOAuthClient {
    /// Its name; its id where there is none.
    pub name: Option<ZisOAuthClientName>,
    /// Where browsers are sent.
    pub auth_url: Option<ZisUrl>,
    /// Where tokens are asked for.
    pub token_url: ZisUrl,
    /// By what the authorization server knows it.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretText,
    /// What is asked for where nothing else is said.
    pub default_scopes: ZisOAuthScopes,
    /// How it comes by tokens.
    pub grant: ZisGrant,
    /// Where its tokens may go.
    pub allowed_domain: Option<AllowedDomain>,
}

/// Changes of an OAuth client; what is none stays.
#[derive(Debug, Default)]
pub struct ZisOAuthClientPatch {
    /// Its name.
    pub name: Option<ZisOAuthClientName>,
    /// Where browsers are sent.
    pub auth_url: Option<ZisUrl>,
    /// Where tokens are asked for.
    pub token_url: Option<ZisUrl>,
    /// By what the authorization server knows it.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretText>,
    /// What is asked for where nothing else is said.
    pub default_scopes: Option<ZisOAuthScopes>,
    /// How it comes by tokens.
    pub grant: Option<ZisGrant>,
    /// Where its tokens may go; within, none for the host of the token address.
    pub allowed_domain: Option<Option<AllowedDomain>>,
}

impl Engine {
    /// Makes a client in an integration.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it has no address for the browsers that it sends, [`Error::Conflict`] where the integration
    /// has one of that name, [`Error::Absent`] where there is no such integration, [`Error::LimitReached`] beyond
    /// [`ZIS_OAUTH_CLIENTS_MAX`].
    pub async fn create_zis_oauth_client(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        new: NewZisOAuthClient,
    ) -> Result<Changed<ZisOAuthClient>, Error> {
        let now = self.clock.now();
        let id = ZisOAuthClientId::generate_at(self.vault.random(), now);
        let name = match new.name {
            Some(name) => name,
            None => id.to_string().parse().map_err(internal)?,
        };
        let client = ZisOAuthClient {
            id,
            org: permit.org(),
            integration: integration.to_owned(),
            name,
            auth_url: new.auth_url,
            token_url: new.token_url,
            client_id: new.client_id,
            default_scopes: new.default_scopes,
            grant: new.grant,
            allowed_domain: new.allowed_domain.map(|domain| domain.to_string()),
            secret_revision: 1,
            grant_revision: 1,
            revision: 1,
            created_at: now,
            created_by: permit.user(),
            modified_at: now,
            modified_by: permit.user(),
        };
        check(&client)?;
        let secret = self.seal_client_secret(&client, &new.client_secret)?;
        match self.store.commit(Change::create_zis_oauth_client(&client, secret, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: client, position }),
            Err(CommitError::Refused(Refusal::NameTaken)) => Err(self.name_taken(&client).await?),
            Err(CommitError::Refused(Refusal::Absent)) => {
                self.settle().await?;
                Err(Error::Absent(Thing::ZisIntegration))
            }
            Err(CommitError::Refused(Refusal::LimitReached)) => {
                Err(Error::LimitReached { thing: Thing::ZisOAuthClient, max: ZIS_OAUTH_CLIENTS_MAX })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Every client of an integration, in the order in which they were made.
    pub async fn list_zis_oauth_clients(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
    ) -> Result<Vec<ZisOAuthClient>, Error> {
        Ok(self.store.list_zis_oauth_clients(permit.org(), integration).await?)
    }

    /// One client of an integration.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub async fn find_zis_oauth_client(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
        id: ZisOAuthClientId,
    ) -> Result<ZisOAuthClient, Error> {
        let found = self.store.find_zis_oauth_client(permit.org(), integration, id).await?;
        self.known_client(found).await
    }

    /// The client with which something is to be begun: by its id, its name, or both, which must then be one client's.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub async fn choose_zis_oauth_client(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        id: Option<ZisOAuthClientId>,
        name: Option<&str>,
    ) -> Result<ZisOAuthClient, Error> {
        // What is no name is nobody's, and not every database can be asked for it.
        let is_name = |name: &&str| name.parse::<ZisOAuthClientName>().is_ok();
        let found = match (id, name.filter(is_name)) {
            (Some(id), _) => self.store.find_zis_oauth_client(permit.org(), integration, id).await?,
            (None, Some(name)) => {
                self.store.find_zis_oauth_client_named(permit.org(), integration, name).await?
            }
            (None, None) => None,
        };
        let is_meant = |client: &ZisOAuthClient| name.is_none_or(|name| client.name.as_str() == name);
        self.known_client(found.filter(is_meant)).await
    }

    /// Changes a client. Whoever changes its addresses, or where its tokens may go, brings its secret anew; by such a
    /// change, and by another id or secret, the connections that were made with it lose their tokens.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Invalid`] where the secret is missing; [`Error::Conflict`] for another's name;
    /// [`Error::Restricted`] where tokens would be lost of a connection whose restriction does not make the caller its
    /// editor.
    pub async fn update_zis_oauth_client(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        id: ZisOAuthClientId,
        patch: ZisOAuthClientPatch,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.store.find_zis_oauth_client(permit.org(), integration, id).await?;
            let read = self.known_client(found).await?;
            let mut client = read.clone();
            patch.apply(&mut client);
            if client == read && patch.client_secret.is_none() {
                self.settle().await?;
                return Ok(Changed { value: (), position: self.applied() });
            }
            let changed = differing(&read, &client);
            check_repointing(&changed, patch.client_secret.is_some())?;
            check(&client)?;
            client.modified_at = self.later_than(read.modified_at);
            client.modified_by = permit.user();
            let mut secret = None;
            if let Some(text) = &patch.client_secret {
                client.secret_revision = read.revision + 1;
                secret = Some(self.seal_client_secret(&client, text)?);
            }
            let mut emptied = Vec::new();
            let is_another = changed.iter().any(|name| GRANTING.contains(name));
            if secret.is_some() || is_another {
                client.grant_revision = read.revision + 1;
                emptied = self.emptied(permit, &read).await?;
            }
            let change =
                Change::update_zis_oauth_client(&client, secret, &changed, &emptied, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::NameTaken)) => {
                    return Err(self.name_taken(&client).await?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Deletes a client with the connections that were made with it.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where the restriction of one of them does not make the caller its editor.
    pub async fn delete_zis_oauth_client(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        id: ZisOAuthClientId,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.store.find_zis_oauth_client(permit.org(), integration, id).await?;
            let client = self.known_client(found).await?;
            let connections = self.connections_of_client(&client).await?;
            for connection in &connections {
                self.check_editor(permit, connection)?;
            }
            let change = Change::delete_zis_oauth_client(&client, &connections, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The connections of a client as they are without tokens.
    async fn emptied(
        &self,
        permit: &Permit<ConnectionsWrite>,
        client: &ZisOAuthClient,
    ) -> Result<Vec<EmptiedConnection>, Error> {
        let mut emptied = Vec::new();
        for mut connection in self.connections_of_client(client).await? {
            self.check_editor(permit, &connection)?;
            let Some((settings, mut oauth)) = oauth_of(&connection)? else { continue };
            oauth.token_expiry = None;
            oauth.token_type = None;
            connection.settings = serde_json::to_string(&settings.with_oauth(oauth)).map_err(internal)?;
            let erased = std::mem::take(&mut connection.secrets.0).into_keys().collect();
            connection.modified_at = self.later_than(connection.modified_at);
            connection.modified_by = permit.user();
            emptied.push(EmptiedConnection { connection, erased });
        }
        Ok(emptied)
    }

    fn check_editor(
        &self,
        permit: &Permit<ConnectionsWrite>,
        connection: &claviger_model::Connection,
    ) -> Result<(), Error> {
        match self.relation_to(permit.caller(), connection) >= Some(Relation::Editor) {
            true => Ok(()),
            false => Err(Error::Restricted(Relation::Editor)),
        }
    }

    fn seal_client_secret(&self, client: &ZisOAuthClient, secret: &SecretText) -> Result<Vec<u8>, Error> {
        let place = client_secret_place(client.org, client.id, client.secret_revision);
        Ok(self.vault.seal(&place, secret.reveal().as_bytes())?)
    }

    async fn known_client(&self, found: Option<ZisOAuthClient>) -> Result<ZisOAuthClient, Error> {
        match found {
            Some(client) => Ok(client),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::ZisOAuthClient))
            }
        }
    }

    async fn name_taken(&self, client: &ZisOAuthClient) -> Result<Error, Error> {
        self.settle().await?;
        Ok(Error::Conflict { thing: Thing::ZisOAuthClient, name: client.name.to_string() })
    }
}

/// Members by which the secret or the tokens of a client would go elsewhere.
const REPOINTING: [&str; 3] = ["auth_url", "token_url", "allowed_domain"];
/// Members by which it is another client to its authorization server, or to those whom its tokens go to.
const GRANTING: [&str; 4] = ["auth_url", "token_url", "allowed_domain", "client_id"];

fn differing(read: &ZisOAuthClient, client: &ZisOAuthClient) -> Vec<&'static str> {
    let all = [
        ("name", read.name != client.name),
        ("auth_url", read.auth_url != client.auth_url),
        ("token_url", read.token_url != client.token_url),
        ("client_id", read.client_id != client.client_id),
        ("default_scopes", read.default_scopes != client.default_scopes),
        ("grant_type", read.grant != client.grant),
        ("allowed_domain", read.allowed_domain != client.allowed_domain),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Nobody aims a secret elsewhere that they never saw.
fn check_repointing(changed: &[&str], is_secret_new: bool) -> Result<(), Error> {
    let repointing: Vec<_> = changed.iter().copied().filter(|name| REPOINTING.contains(name)).collect();
    if repointing.is_empty() || is_secret_new {
        return Ok(());
    }
    let reason = format!("is missing: with another {} it is to be brought anew", repointing.join(", "));
    Err(Error::Invalid(vec![FieldError { field: "client_secret".to_owned(), reason }]))
}

/// Whether a client has what its grant needs.
fn check(client: &ZisOAuthClient) -> Result<(), Error> {
    match client.grant == ZisGrant::AuthorizationCode && client.auth_url.is_none() {
        false => Ok(()),
        true => {
            let reason = "is missing: browsers are sent there for an authorization_code".to_owned();
            Err(Error::Invalid(vec![FieldError { field: "auth_url".to_owned(), reason }]))
        }
    }
}

impl ZisOAuthClientPatch {
    fn apply(&self, client: &mut ZisOAuthClient) {
        if let Some(name) = &self.name {
            client.name = name.clone();
        }
        if let Some(url) = &self.auth_url {
            client.auth_url = Some(url.clone());
        }
        if let Some(url) = &self.token_url {
            client.token_url = url.clone();
        }
        if let Some(id) = &self.client_id {
            client.client_id.clone_from(id);
        }
        if let Some(scopes) = &self.default_scopes {
            client.default_scopes = scopes.clone();
        }
        if let Some(domain) = &self.allowed_domain {
            client.allowed_domain = domain.as_ref().map(ToString::to_string);
        }
        client.grant = self.grant.unwrap_or(client.grant);
    }
}
