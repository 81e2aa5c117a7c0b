//! Using a connection: who may, and what the broker needs for it.
//!
//! The row is read and its secrets are opened once, and kept for as long as the connection goes on being used
//! ([`cache`]). Whoever's use takes longer is asked again, again and again, whether it still may ([`Engine::may_go_on`]):
//! a stream must not outlive the right to it.

mod cache;
mod checking;

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use claviger_catalog::{SecretName, SecretText, Secrets, Settings, ZisSettings, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, CredentialKind, Health, OrgId, Permission, Relation,
    Timestamp, ZisConnectionName,
};
use claviger_store::connection_secret_place;
use claviger_vault::Digest;

pub(crate) use cache::UsedConnections;
pub use checking::DueConnection;

use crate::connections::{internal, settings_of};
use crate::permit::rights::ConnectionsResolve;
use crate::{Caller, Engine, Error, Permit, Thing};

/// How often a row and its secrets are read again that do not fit together, because somebody changes them.
const READS_MAX: usize = 4;

/// Which connection is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseKey<'a> {
    /// The one with this id, of whichever dialect.
    Id(ConnectionId),
    /// A ZIS connection by its names.
    Zis {
        /// The name of its integration.
        integration: &'a str,
        /// Its own.
        name: &'a str,
    },
}

/// By which secrets a caller proved who it is, as digests: to ask again later.
#[derive(Clone)]
pub struct Proof(pub(crate) [Option<Digest>; 2]);

/// A connection with its secrets opened. They are wiped with it.
pub struct UsableConnection {
    /// What is kept in clear.
    pub connection: Connection,
    /// The same, read.
    pub settings: UsableSettings,
    /// The secrets.
    pub secrets: Secrets,
    /// What whoever uses it made of it.
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
    is_changed: AtomicBool,
    used_at: AtomicI64,
}

/// What a connection keeps in clear, by who describes its type.
pub enum UsableSettings {
    /// The catalog.
    Catalogued(Settings),
    /// The Zendesk dialect.
    Zis(ZisType, ZisSettings),
}

impl UsableConnection {
    /// What `make` makes of it: made once, and kept as long as the connection stays as it is. There is one user of this.
    pub fn prepared<T: Send + Sync + 'static>(&self, make: impl FnOnce(&Self) -> T) -> &T {
        let prepared = self.prepared.get_or_init(|| Box::new(make(self)));
        prepared.downcast_ref().expect("one user makes one type of it")
    }

    /// Whether it has a token that the server renews.
    pub fn is_of_oauth(&self) -> bool {
        matches!(self.settings, UsableSettings::Zis(ZisType::OAuth, _))
    }

    /// Whether it was changed, restricted or deleted since it was read.
    pub fn is_changed(&self) -> bool {
        self.is_changed.load(Ordering::Acquire)
    }

    /// Whether a call that was made ready for another reading of this connection may go out: it goes where it went, with
    /// what it had, and is recorded as it was.
    pub fn is_used_like(&self, other: &Self) -> bool {
        let (one, another) = (&self.connection, &other.connection);
        let is_alike = || match (&self.settings, &other.settings) {
            // Calls themselves renew its tokens, and what is kept of them.
            (UsableSettings::Zis(ZisType::OAuth, now), UsableSettings::Zis(ZisType::OAuth, then)) => {
                now.allowed_domain() == then.allowed_domain()
            }
            _ => one.settings == another.settings && one.secrets == another.secrets,
        };
        let is_recorded_alike = one.terms.audit == another.terms.audit;
        std::ptr::eq(self, other) || (is_alike() && one.hosts == another.hosts && is_recorded_alike)
    }

    fn mark_changed(&self) {
        self.is_changed.store(true, Ordering::Release);
    }

    fn note_use(&self, now: Timestamp) {
        self.used_at.store(now.micros(), Ordering::Relaxed);
    }

    fn used_at(&self) -> Timestamp {
        Timestamp::from_micros(self.used_at.load(Ordering::Relaxed))
    }
}

impl std::fmt::Debug for UsableConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UsableConnection({})", self.connection.id)
    }
}

impl Engine {
    /// The connection that a caller means to use.
    ///
    /// # Errors
    /// [`Error::Absent`], also for a token that is bound to another integration; [`Error::Restricted`] where its
    /// restriction does not make the caller its resolver.
    pub async fn usable_connection(
        &self,
        permit: &Permit<ConnectionsResolve>,
        key: UseKey<'_>,
    ) -> Result<Arc<UsableConnection>, Error> {
        let (usable, may) = self.meant_connection(permit, key).await?;
        may.map(|()| usable)
    }

    /// The connection that a caller means to use, and whether it may: what is refused can be written down with what was
    /// meant. Whoever may not is to get nothing of it.
    ///
    /// # Errors
    /// [`Error::Absent`], also for a token that is bound to another integration; within, [`Error::Restricted`] where its
    /// restriction does not make the caller its resolver.
    pub async fn meant_connection(
        &self,
        permit: &Permit<ConnectionsResolve>,
        key: UseKey<'_>,
    ) -> Result<(Arc<UsableConnection>, Result<(), Error>), Error> {
        self.meant_within(permit, key, (true, true)).await
    }

    /// Like [`Engine::usable_connection`], but asks for the token's integration, and for the restriction, only where it
    /// is told to: what the broker's tests must notice.
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "faults")]
    pub async fn usable_connection_without(
        &self,
        permit: &Permit<ConnectionsResolve>,
        key: UseKey<'_>,
        asks: (bool, bool),
    ) -> Result<Arc<UsableConnection>, Error> {
        let (usable, may) = self.meant_within(permit, key, asks).await?;
        may.map(|()| usable)
    }

    async fn meant_within(
        &self,
        permit: &Permit<ConnectionsResolve>,
        key: UseKey<'_>,
        (is_bound, is_restricted): (bool, bool),
    ) -> Result<(Arc<UsableConnection>, Result<(), Error>), Error> {
        let (org, now) = (permit.org(), self.clock.now());
        let kept = match key {
            UseKey::Id(id) => self.directory.used.get(org, id),
            UseKey::Zis { integration, name } => self.directory.used.get_named(org, integration, name),
        };
        let usable = match kept {
            Some(kept) => kept,
            // Seldom, and much larger than what is done each time: apart, so that whoever waits for this stays small.
            None => Box::pin(self.read_usable(org, key)).await?,
        };
        usable.note_use(now);
        let caller = permit.caller();
        if is_bound && !is_in_reach(caller, &usable.connection) {
            return Err(Error::Absent(Thing::Connection));
        }
        let may = !is_restricted || self.relation_to(caller, &usable.connection) >= Some(Relation::Resolver);
        Ok((usable, if may { Ok(()) } else { Err(Error::Restricted(Relation::Resolver)) }))
    }

    async fn read_usable(&self, org: OrgId, key: UseKey<'_>) -> Result<Arc<UsableConnection>, Error> {
        for _ in 0..READS_MAX {
            // Before anything is read: what is changed from here on is not kept.
            let as_of = self.directory.used.generation();
            let found = match key {
                UseKey::Id(id) => self.store.find_connection(org, id).await?.map(|(found, _)| found),
                UseKey::Zis { integration, name } if ZisConnectionName::parse(name).is_ok() => {
                    let dialect = ConnectionDialect::Zendesk;
                    self.store.find_connection_in(org, dialect, integration, name).await?
                }
                UseKey::Zis { .. } => None,
            };
            let Some(connection) = found else {
                self.settle().await?;
                return Err(Error::Absent(Thing::Connection));
            };
            if let Some(secrets) = self.open_secrets(&connection).await? {
                let usable = Arc::new(UsableConnection {
                    settings: settings(&connection)?,
                    secrets,
                    connection,
                    prepared: OnceLock::new(),
                    is_changed: AtomicBool::new(false),
                    used_at: AtomicI64::new(self.clock.now().micros()),
                });
                return Ok(self.directory.used.put(usable, as_of));
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The secrets that a connection says it has; none where they were changed since it was read.
    async fn open_secrets(&self, connection: &Connection) -> Result<Option<Secrets>, Error> {
        let sealed = self.store.list_connection_secrets(connection.org, connection.id).await?;
        let mut secrets = Secrets::new();
        for (name, revision) in &connection.secrets.0 {
            let Some(found) = sealed.iter().find(|it| it.name == *name && it.revision == *revision) else {
                return Ok(None);
            };
            let place = connection_secret_place(connection.org, connection.id, name, *revision);
            let opened = self.vault.open(&place, &found.sealed)?;
            let text = std::str::from_utf8(&opened).map_err(internal)?;
            secrets.insert(SecretName::parse(name).map_err(internal)?, SecretText::new(text.to_owned()));
        }
        Ok(Some(secrets))
    }

    /// Whether a caller may go on with what it began: its credentials live, it has the right, and the connection is not
    /// at its end and still lets it come so close. Guards of address and rate were asked at the beginning.
    pub fn may_go_on(&self, caller: &Caller, proof: &Proof, connection: &Connection) -> bool {
        let now = self.clock.now();
        let lives = |digest: &Digest| self.directory.living_rights(digest, now);
        let mut proofs = proof.0.iter().flatten();
        let may = proofs.all(|digest| match lives(digest) {
            // A lone API key's rights are nobody's; the key beside it has them.
            Some((CredentialKind::ApiKey, _)) => true,
            Some((_, rights)) => rights.contains(Permission::CONNECTIONS_RESOLVE),
            None => false,
        });
        may && self.is_available()
            && !connection.is_over(now)
            && self.relation_to(caller, connection) >= Some(Relation::Resolver)
    }

    /// Keeps what a test said of a connection as it was then: nothing, where it was changed meanwhile.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn record_health(&self, of: &Connection, health: Health, reason: &str) -> Result<(), Error> {
        let now = self.clock.now();
        Ok(self.store.record_connection_health(of, health, reason, now).await?)
    }

    /// A connection that was changed while it was in use, as it is now; none where it is gone.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn usable_again(
        &self,
        used: &UsableConnection,
    ) -> Result<Option<Arc<UsableConnection>>, Error> {
        let Connection { org, id, .. } = used.connection;
        if let Some(kept) = self.directory.used.get(org, id) {
            return Ok(Some(kept));
        }
        match Box::pin(self.read_usable(org, UseKey::Id(id))).await {
            Ok(usable) => Ok(Some(usable)),
            Err(Error::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An integration token reaches its own integration's connections, and nothing else.
fn is_in_reach(caller: &Caller, connection: &Connection) -> bool {
    match (caller.kind(), caller.integration()) {
        (CredentialKind::IntegrationToken, bound) => {
            connection.dialect == ConnectionDialect::Zendesk
                && bound.is_some()
                && bound == connection.container.as_deref()
        }
        _ => true,
    }
}

fn settings(connection: &Connection) -> Result<UsableSettings, Error> {
    Ok(match connection.dialect {
        ConnectionDialect::Datadog => UsableSettings::Catalogued(settings_of(connection)?),
        ConnectionDialect::Zendesk => {
            let of = ZisType::parse(&connection.credentials)
                .ok_or_else(|| Error::Internal("a ZIS connection is of no known type".into()))?;
            UsableSettings::Zis(of, serde_json::from_str(&connection.settings).map_err(internal)?)
        }
    })
}
