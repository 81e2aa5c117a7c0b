//! OAuth connections as they are shown and deleted: found by name or by id, with their tokens in clear only where the
//! operator wants that.

use claviger_catalog::{SecretText, ZisType};
use claviger_model::{Connection, ConnectionDialect, ConnectionId, OrgId, Relation, ZisConnectionName};
use claviger_store::{Change, CommitError, Refusal};

use super::{ACCESS_TOKEN, REFRESH_TOKEN, RESPONSE_BODY, oauth_of};
use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::{ConnectionsRead, ConnectionsWrite};
use crate::{Caller, Changed, Engine, Error, Permit, ShownZisConnection, Thing};

/// Which OAuth connection of an integration.
#[derive(Debug, Clone, Copy)]
pub enum ZisOAuthKey<'a> {
    /// By its name.
    Name(&'a str),
    /// By its id.
    Id(ConnectionId),
}

/// The tokens of a connection in clear.
#[derive(Debug)]
pub struct ShownTokens {
    /// The token.
    pub access_token: Option<SecretText>,
    /// With what it is renewed.
    pub refresh_token: Option<SecretText>,
    /// The authorization server's whole answer.
    pub response_body: Option<SecretText>,
}

impl Engine {
    /// One OAuth connection, for whoever may see it.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its viewer.
    pub async fn find_zis_oauth_connection(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
        key: ZisOAuthKey<'_>,
    ) -> Result<ShownZisConnection, Error> {
        self.oauth_connection_for(permit.caller(), integration, key, Relation::Viewer).await
    }

    /// The same for whoever may change it.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor.
    pub async fn find_zis_oauth_connection_to_edit(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        key: ZisOAuthKey<'_>,
    ) -> Result<ShownZisConnection, Error> {
        self.oauth_connection_for(permit.caller(), integration, key, Relation::Editor).await
    }

    /// The tokens of a connection in clear, for whoever may use it; that they were shown is recorded before.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its resolver.
    pub async fn show_zis_oauth_tokens(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
        key: ZisOAuthKey<'_>,
    ) -> Result<Changed<(ShownZisConnection, ShownTokens)>, Error> {
        let shown = self.oauth_connection_for(permit.caller(), integration, key, Relation::Resolver).await?;
        let connection = &shown.connection;
        let tokens = ShownTokens {
            access_token: self.open_connection_secret(connection, ACCESS_TOKEN).await?,
            refresh_token: self.open_connection_secret(connection, REFRESH_TOKEN).await?,
            response_body: self.open_connection_secret(connection, RESPONSE_BODY).await?,
        };
        let names: Vec<_> = connection.secrets.0.keys().map(String::as_str).collect();
        let change = Change::show_connection_secrets(connection, &names, &permit.actor());
        let position = self.store.commit(change).await?;
        Ok(Changed { value: (shown, tokens), position })
    }

    /// Deletes an OAuth connection and erases its tokens; its name is free at once.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor.
    pub async fn delete_zis_oauth_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        key: ZisOAuthKey<'_>,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.oauth_connection_for(permit.caller(), integration, key, Relation::Editor).await?;
            match self.store.commit(Change::delete_connection(&read.connection, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The number of an org, as the vendor numbers accounts.
    pub async fn org_number(&self, org: OrgId) -> Result<i64, Error> {
        Ok(self.org(org).await?.number)
    }

    async fn oauth_connection_for(
        &self,
        caller: &Caller,
        integration: &str,
        key: ZisOAuthKey<'_>,
        wanted: Relation,
    ) -> Result<ShownZisConnection, Error> {
        let found = self.oauth_connection(caller.org(), integration, key).await?;
        let Some((connection, (settings, _))) = found else {
            self.settle().await?;
            return Err(Error::Absent(Thing::Connection));
        };
        match self.relation_to(caller, &connection) >= Some(wanted) {
            true => Ok(ShownZisConnection { connection, of: ZisType::OAuth, settings }),
            false => Err(Error::Restricted(wanted)),
        }
    }

    async fn oauth_connection(
        &self,
        org: OrgId,
        integration: &str,
        key: ZisOAuthKey<'_>,
    ) -> Result<Option<(Connection, super::OAuthClear)>, Error> {
        let found = match key {
            // What is no name is nobody's, and not every database can be asked for it.
            ZisOAuthKey::Name(name) if ZisConnectionName::parse(name).is_err() => None,
            ZisOAuthKey::Name(name) => {
                self.store.find_connection_in(org, ConnectionDialect::Zendesk, integration, name).await?
            }
            ZisOAuthKey::Id(id) => {
                self.store.find_connection(org, id).await?.map(|(connection, _)| connection)
            }
        };
        let Some(found) = found.filter(|it| it.container.as_deref() == Some(integration)) else {
            return Ok(None);
        };
        Ok(oauth_of(&found)?.map(|clear| (found, clear)))
    }
}
