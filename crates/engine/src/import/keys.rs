//! The keys of an imported org, and their registrations.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, CredentialState, Expiry, Guards, Scopes,
    UserId, UserKind,
};
use claviger_store::{KnownSecret, Page};

use super::document::{KeyEntry, KeyKind, OrgEntry};
use super::plan::{Meant, PlannedCredential, PlannedOrg, Planner};
use crate::Error;
use crate::api_keys::DEFAULT_CATEGORY;

const DEAD: &str = "was revoked, and a dead key stays dead";

impl Planner<'_> {
    pub(super) async fn plan_keys<'d>(
        &mut self,
        plan: &mut PlannedOrg<'d>,
        entry: &'d OrgEntry,
    ) -> Result<(), Error> {
        let first_user = self.first_user(plan, entry);
        let mut registrations = Vec::new();
        for key in &entry.keys {
            let user = self.user_of(plan, key, first_user);
            let meant = self.find_key(plan, key, user).await?;
            let id = match meant {
                Meant::Faulty => continue,
                Meant::Existing(credential) => {
                    if key.is_sound {
                        self.compare_key(&credential, key, user);
                    }
                    credential.id
                }
                Meant::New => {
                    let Some(user) = user else { continue };
                    let Some(credential) = self.new_key(plan, key, user) else { continue };
                    let id = credential.id;
                    plan.credentials.push(PlannedCredential { credential, secret: key.secret.as_ref() });
                    id
                }
            };
            if key.is_registered {
                registrations.push(id);
            }
        }
        for (at, id) in &entry.registrations {
            if self.claim("registration", format!("{} {id}", plan.org.id), at) {
                registrations.push(*id);
            }
        }
        let (there, _) = self.store.list_registrations(plan.org.id, Page::ALL).await?;
        registrations.retain(|id| !there.contains(id));
        registrations.sort_unstable();
        registrations.dedup();
        plan.registrations = registrations;
        self.check_limits(plan, entry).await
    }

    /// Who made the keys that do not say: the first user in the file, else the org's oldest.
    pub(super) fn first_user(&self, plan: &PlannedOrg<'_>, entry: &OrgEntry) -> Option<UserId> {
        let listed = entry.users.first().and_then(|first| {
            let is_listed = |user: &&claviger_model::User| match first.id {
                Some(id) => user.id == id,
                None => user.kind == first.kind && Some(&user.email) == first.email.as_ref(),
            };
            plan.users.iter().find(is_listed)
        });
        listed.or(plan.users.first()).map(|user| user.id)
    }

    /// The user of a key, if that is one.
    fn user_of(
        &mut self,
        plan: &PlannedOrg<'_>,
        key: &KeyEntry,
        first_user: Option<UserId>,
    ) -> Option<UserId> {
        let at = format!("{}/{}", key.at, key.user_member());
        match (&key.user, key.kind) {
            (Some(text), _) => self.find_user(plan, at, text),
            // That it is missing was noted when the file was read.
            (None, KeyKind::Application | KeyKind::PersonalToken | KeyKind::ServiceToken) => None,
            (None, KeyKind::Api) => {
                if first_user.is_none() {
                    self.fault(at, "is missing, and the org has no user who could have made it");
                }
                first_user
            }
        }
    }

    /// What an entry means: by its id, else by its secret, else by its name.
    async fn find_key(
        &mut self,
        plan: &PlannedOrg<'_>,
        key: &KeyEntry,
        user: Option<UserId>,
    ) -> Result<Meant<Credential>, Error> {
        let mut is_first = key.id.is_none_or(|id| self.claim("key", id, format!("{}/id", key.at)));
        let known = match &key.secret {
            None => None,
            Some(secret) => {
                let digests: Vec<_> = self.vault.digests(secret.bytes()).collect();
                let at = format!("{}/secret", key.at);
                is_first &= self.claim("secret", self.vault.digest(secret.bytes()).to_hex(), at);
                let mut known = None;
                for digest in digests {
                    known = known.or(self.store.find_known_secret(&digest).await?);
                }
                known
            }
        };
        if !is_first {
            return Ok(Meant::Faulty);
        }
        match key.id {
            Some(id) => self.find_by_id(plan, key, id, known).await,
            None if known.is_some() => self.find_by_secret(plan, key, known).await,
            None if key.secret.is_some() => Ok(Meant::New),
            None => self.find_by_name(plan, key, user).await,
        }
    }

    async fn find_by_id(
        &mut self,
        plan: &PlannedOrg<'_>,
        key: &KeyEntry,
        id: CredentialId,
        known: Option<KnownSecret>,
    ) -> Result<Meant<Credential>, Error> {
        let at_id = format!("{}/id", key.at);
        let taken = |planner: &mut Self, at| {
            planner.fault(at, "is taken: another key has this id");
            Ok(Meant::Faulty)
        };
        let Some(credential) = self.store.find_credential(plan.org.id, id).await? else {
            return match (self.store.find_org_of_credential(id).await?, known) {
                (Some(_), _) => taken(self, at_id),
                (None, Some(known)) => Ok(self.foreign_secret(key, &known)),
                (None, None) => Ok(Meant::New),
            };
        };
        if credential.kind() != key.kind.credential_kind() {
            return taken(self, at_id);
        }
        if !credential.state.is_live() {
            self.fault(at_id, DEAD);
            return Ok(Meant::Faulty);
        }
        match known {
            Some(known) if known.credential != id || !known.is_live => Ok(self.foreign_secret(key, &known)),
            None if key.secret.is_some() => {
                self.differs(&key.at, "secret");
                Ok(Meant::Faulty)
            }
            _ => Ok(Meant::Existing(Box::new(credential))),
        }
    }

    async fn find_by_secret(
        &mut self,
        plan: &PlannedOrg<'_>,
        key: &KeyEntry,
        known: Option<KnownSecret>,
    ) -> Result<Meant<Credential>, Error> {
        let Some(known) = known else { return Ok(Meant::New) };
        let found =
            match known.is_live && known.org == plan.org.id && known.kind == key.kind.credential_kind() {
                true => self.store.find_credential(plan.org.id, known.credential).await?,
                false => None,
            };
        Ok(match found {
            Some(credential) => Meant::Existing(Box::new(credential)),
            None => self.foreign_secret(key, &known),
        })
    }

    async fn find_by_name(
        &mut self,
        plan: &PlannedOrg<'_>,
        key: &KeyEntry,
        user: Option<UserId>,
    ) -> Result<Meant<Credential>, Error> {
        let (Some(name), Some(user)) = (&key.name, user) else { return Ok(Meant::Faulty) };
        let owner = (key.kind != KeyKind::Api).then_some(user);
        let kind = key.kind.credential_kind();
        let given = format!("{} {kind} {owner:?} {name}", plan.org.id);
        if !self.claim("key name", given, format!("{}/name", key.at)) {
            return Ok(Meant::Faulty);
        }
        let found = self.store.list_credentials_named(plan.org.id, kind, owner, name).await?;
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (None, _) => Ok(Meant::New),
            (Some(credential), None) => Ok(Meant::Existing(Box::new(credential))),
            (Some(_), Some(_)) => {
                self.fault(format!("{}/name", key.at), "is the name of several keys: give an id");
                Ok(Meant::Faulty)
            }
        }
    }

    fn foreign_secret(&mut self, key: &KeyEntry, known: &KnownSecret) -> Meant<Credential> {
        let reason = if known.is_live { "is the secret of another key" } else { DEAD };
        self.fault(format!("{}/secret", key.at), reason);
        Meant::Faulty
    }

    fn compare_key(&mut self, credential: &Credential, key: &KeyEntry, user: Option<UserId>) {
        let scopes = |scopes: Option<&Scopes>| scopes.map(|scopes| *scopes.set());
        let (is_equal_category, is_equal_reading) = match &credential.detail {
            CredentialDetail::ApiKey { category, remote_config_read } => (
                key.category.as_deref().unwrap_or(DEFAULT_CATEGORY) == category,
                key.remote_config_read == *remote_config_read,
            ),
            _ => (true, true),
        };
        let holder = credential.detail.owner().unwrap_or(credential.created_by);
        let members = [
            (key.name.as_ref() == Some(&credential.name), "name"),
            (key.user.is_none() || user.is_none() || user == Some(holder), key.user_member()),
            (is_equal_category, "category"),
            (is_equal_reading, "remote_config_read_enabled"),
            (scopes(key.scopes.as_ref()) == scopes(credential.detail.scopes()), "scopes"),
            (key.expires_at == credential.expiry.timestamp(), "expires_at"),
            (key.created_at.is_none_or(|at| at == credential.created_at), "created_at"),
        ];
        self.differing(&key.at, members);
    }

    /// A new credential; none where it cannot be one, which was noted.
    fn new_key(&mut self, plan: &PlannedOrg<'_>, key: &KeyEntry, user: UserId) -> Option<Credential> {
        let holder = plan.users.iter().find(|holder| holder.id == user);
        let is_disabled = holder.is_some_and(|holder| holder.disabled_at.is_some());
        if key.kind != KeyKind::Api && is_disabled {
            self.fault(format!("{}/owner", key.at), "is disabled, so that this key would be dead");
        }
        let is_person = holder.is_some_and(|holder| holder.kind == UserKind::Human);
        if key.kind == KeyKind::ServiceToken && is_person {
            self.fault(format!("{}/owner", key.at), "is a person, and this is a service account's token");
        }
        if key.created_at.is_some_and(|at| at > self.now) {
            self.fault(format!("{}/created_at", key.at), "is in the future");
        }
        let created_at = key.created_at.unwrap_or(self.now);
        let public_portion = String::new();
        Some(Credential {
            id: key.id.unwrap_or_else(|| CredentialId::generate(self.vault.random())),
            org: plan.org.id,
            detail: match key.kind {
                KeyKind::Api => CredentialDetail::ApiKey {
                    category: key.category.clone().unwrap_or_else(|| DEFAULT_CATEGORY.to_owned()),
                    remote_config_read: key.remote_config_read,
                },
                KeyKind::Application => {
                    CredentialDetail::ApplicationKey { owner: user, scopes: key.scopes.clone() }
                }
                KeyKind::PersonalToken => CredentialDetail::PersonalAccessToken {
                    owner: user,
                    scopes: key.scopes.clone()?,
                    public_portion,
                },
                KeyKind::ServiceToken => CredentialDetail::ServiceAccessToken {
                    owner: user,
                    scopes: key.scopes.clone()?,
                    public_portion,
                },
            },
            name: key.name.clone().unwrap_or_default(),
            last4: String::new(),
            revision: 1,
            created_at,
            created_by: user,
            modified_at: created_at,
            modified_by: user,
            expiry: Expiry::from(key.expires_at),
            guards: Guards::NONE,
            state: CredentialState::Live,
            last_used: None,
        })
    }

    async fn check_limits(&mut self, plan: &PlannedOrg<'_>, entry: &OrgEntry) -> Result<(), Error> {
        let count = |kind: CredentialKind, owner: Option<UserId>| {
            let is_one = |new: &&PlannedCredential<'_>| {
                new.credential.kind() == kind && new.credential.detail.owner() == owner
            };
            plan.credentials.iter().filter(is_one).count() as i64
        };
        let settings = plan.org.settings;
        let new = count(CredentialKind::ApiKey, None);
        let there = self.store.count_live_credentials(plan.org.id, CredentialKind::ApiKey, None).await?;
        let max = i64::from(settings.api_keys_max);
        if new > 0 && there + new > max {
            let reason = format!("would make {} API keys; this org may have {max}", there + new);
            self.fault(format!("{}/api_keys", entry.at), reason);
        }
        // Each kind counts for itself.
        let max = i64::from(settings.application_keys_per_user_max);
        for (kind, member) in [
            (CredentialKind::ApplicationKey, "application_keys"),
            (CredentialKind::PersonalAccessToken, "personal_access_tokens"),
            (CredentialKind::ServiceAccessToken, "service_access_tokens"),
        ] {
            for user in &plan.users {
                let new = count(kind, Some(user.id));
                if new == 0 {
                    continue;
                }
                let there = self.store.count_live_credentials(plan.org.id, kind, Some(user.id)).await?;
                if there + new > max {
                    let reason =
                        format!("would make {} keys of {}; a user may have {max}", there + new, user.email);
                    self.fault(format!("{}/{member}", entry.at), reason);
                }
            }
        }
        Ok(())
    }
}
