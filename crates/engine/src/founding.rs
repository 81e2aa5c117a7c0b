//! Making an org with its first admin and that admin's keys: what a new server begins with.

use claviger_model::{
    CredentialDetail, CredentialId, Email, Expiry, Guards, ManagedRole, Name, Org, OrgId, OrgSettings,
    Random, Role, RoleId, Timestamp, User, UserId, UserKind,
};
use claviger_store::{Actor, Change, Founding};
use claviger_vault::IssuedSecret;

use crate::api_keys::DEFAULT_CATEGORY;
use crate::credentials::Draft;
use crate::{Changed, Engine, Error};

/// What a new org's API key is called.
pub const FIRST_API_KEY: &str = "First API key";
/// What its admin's application key is called.
pub const FIRST_APPLICATION_KEY: &str = "First application key";

/// What a new org is called, and who runs it.
#[derive(Debug, Clone)]
pub struct FirstOrg {
    /// The org's name.
    pub name: Name,
    /// The admin's address.
    pub email: Email,
}

/// A new org's ids, and the secrets with which its admin begins.
#[derive(Debug)]
pub struct Founded {
    /// The org.
    pub org: OrgId,
    /// Its admin.
    pub user: UserId,
    /// The admin's address.
    pub email: Email,
    /// An API key of the org.
    pub api_key: IssuedSecret,
    /// Its id.
    pub api_key_id: CredentialId,
    /// An application key of the admin, registered for connections.
    pub application_key: IssuedSecret,
    /// Its id.
    pub application_key_id: CredentialId,
}

/// An org that is drawn up but not made.
#[derive(Debug)]
#[must_use = "the org is not made until the draft is committed"]
pub struct OrgDraft {
    change: Change,
    founded: Founded,
}

impl OrgDraft {
    /// What it will begin with.
    pub fn founded(&self) -> &Founded {
        &self.founded
    }
}

fn first_org(first: &FirstOrg, random: &dyn Random, now: Timestamp) -> Org {
    Org {
        id: OrgId::generate(random),
        number: 0,
        name: first.name.to_string(),
        subdomain: None,
        private_reach: Default::default(),
        settings: OrgSettings::default(),
        created_at: now,
        modified_at: now,
        disabled_at: None,
    }
}

/// The first is the admin's.
fn built_in_roles(org: OrgId, random: &dyn Random, now: Timestamp) -> [Role; ManagedRole::ALL.len()] {
    ManagedRole::ALL.map(|managed| Role {
        id: RoleId::generate(random),
        org,
        name: managed.role_name().to_owned(),
        managed: Some(managed),
        permissions: managed.permissions(),
        created_at: now,
        modified_at: now,
    })
}

fn first_admin(first: &FirstOrg, org: &Org, role: &Role, random: &dyn Random) -> User {
    User {
        id: UserId::generate(random),
        org: org.id,
        kind: UserKind::Human,
        email: first.email.to_string(),
        handle: first.email.to_string(),
        name: None,
        title: None,
        verified: true,
        created_at: org.created_at,
        modified_at: org.created_at,
        disabled_at: None,
        roles: vec![role.id],
    }
}

impl Engine {
    /// Whether there is any org yet.
    pub async fn is_founded(&self) -> Result<bool, Error> {
        Ok(!self.store.list_orgs().await?.is_empty())
    }

    /// Draws up an org, its built-in roles, an admin, an API key, and a registered application key of the admin.
    /// Nothing is stored yet, so that the secrets can be put where they will be found before they count.
    pub fn draft_org(&self, first: &FirstOrg) -> Result<OrgDraft, Error> {
        self.draft_org_by(first, None, &Actor::SERVER)
    }

    /// The same in the name of an actor, whose own org is `home`.
    pub(crate) fn draft_org_by(
        &self,
        first: &FirstOrg,
        home: Option<OrgId>,
        actor: &Actor,
    ) -> Result<OrgDraft, Error> {
        let (random, now) = (self.vault.random(), self.clock.now());
        let org = first_org(first, random, now);
        let roles = built_in_roles(org.id, random, now);
        let admin = first_admin(first, &org, &roles[0], random);
        let data_key = self.vault.generate_org_key(org.id, now);
        self.vault.add_org_key(&data_key).map_err(|error| Error::Internal(error.into()))?;
        let make = |name: &str, detail| {
            self.make(Draft {
                org: org.id,
                detail,
                name: Name::parse(name).expect("the two names above are names"),
                by: admin.id,
                expiry: Expiry::Never,
                guards: Guards::NONE,
            })
        };
        let api_key =
            CredentialDetail::ApiKey { category: DEFAULT_CATEGORY.to_owned(), remote_config_read: true };
        let api_key = make(FIRST_API_KEY, api_key)?;
        let application_key = CredentialDetail::ApplicationKey { owner: admin.id, scopes: None };
        let application_key = make(FIRST_APPLICATION_KEY, application_key)?;
        let founded = Founded {
            org: org.id,
            user: admin.id,
            email: first.email.clone(),
            api_key: api_key.secret,
            api_key_id: api_key.credential.id,
            application_key: application_key.secret,
            application_key_id: application_key.credential.id,
        };
        let credentials =
            [(api_key.credential, api_key.stored), (application_key.credential, application_key.stored)];
        let change = Change::create_org(
            &Founding {
                org: &org,
                data_key: &data_key,
                roles: &roles,
                users: &[admin],
                credentials: &credentials,
                registrations: &[founded.application_key_id],
            },
            home,
            actor,
        );
        Ok(OrgDraft { change, founded })
    }

    /// Makes an org that was drawn up, all of it or nothing.
    pub async fn found_org(&self, draft: OrgDraft) -> Result<Founded, Error> {
        Ok(self.commit_org(draft).await?.value)
    }

    pub(crate) async fn commit_org(&self, draft: OrgDraft) -> Result<Changed<Founded>, Error> {
        let position = self.store.commit(draft.change).await?;
        Ok(Changed { value: draft.founded, position })
    }
}
