//! The rows: made once for either engine, and handed to whatever writes them.

use std::path::Path;
use std::sync::Arc;

use claviger_model::{Clock, CredentialId, CredentialKind, OrgId, Random, Timestamp, UserId, collation_key};
use claviger_store::{Database, Location};
use claviger_vault::{IssuedSecret, KekRing, Place, SystemRandom, Vault};

use super::{Org, REMEMBERED, Shape, remember};
use crate::Result;

/// What one in three application keys is narrowed to.
const SCOPES: &str = "api_keys_read dashboards_read";
/// From where tokens may be used: the load generator's address is in the last.
pub(super) const ALLOW_LIST: &str = "192.0.2.0/24 2001:db8::/32 127.0.0.0/8";
/// How often tokens may be used, in requests and seconds: so often that counting is all that it costs.
pub(super) const LIMIT: (u32, u32) = (1_000_000_000, 3600);
/// When everything was made.
const MADE_AT: Timestamp = Timestamp::from_micros(1_770_000_000_000_000);

/// A credential with its secret, as the database keeps both.
pub(super) struct CredentialRow {
    pub(super) id: CredentialId,
    pub(super) org: OrgId,
    pub(super) kind: CredentialKind,
    pub(super) owner: Option<UserId>,
    pub(super) name: String,
    pub(super) name_sort: Vec<u8>,
    pub(super) last4: String,
    pub(super) scopes: Option<&'static str>,
    /// Of tokens, which alone have guards here.
    pub(super) public_portion: Option<String>,
    pub(super) at: Timestamp,
    pub(super) by: UserId,
    pub(super) digest: Vec<u8>,
    pub(super) digest_key: String,
    pub(super) sealed: Option<Vec<u8>>,
}

/// Whatever writes rows.
pub(super) trait Sink {
    /// A user with the standard role.
    fn user(&mut self, org: OrgId, id: UserId, at: Timestamp) -> Result<()>;
    /// A credential with its secret.
    fn credential(&mut self, row: CredentialRow) -> Result<()>;
    /// How many live credentials there are more; of an owner, or of the whole org.
    fn count(&mut self, org: OrgId, kind: CredentialKind, owner: Option<UserId>, more: usize) -> Result<()>;
}

/// Makes rows under the keys of a database.
pub(super) struct Rows<'a> {
    data: &'a Path,
    vault: Vault,
    org: Org,
}

struct Frozen;

impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        MADE_AT
    }
}

impl<'a> Rows<'a> {
    pub(super) fn unlock(data: &'a Path, location: &Location, org: Org) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let keys =
            runtime.block_on(async { Database::open(location, &Frozen).await?.list_vault_keys().await })?;
        let keks = KekRing::parse(&std::fs::read_to_string(data.join("kek"))?)?;
        Ok(Self { data, vault: Vault::unlock(keks, Arc::new(SystemRandom), keys)?, org })
    }

    pub(super) fn write(&self, shape: Shape, sink: &mut dyn Sink) -> Result<()> {
        let owners: Vec<_> =
            (0..shape.owners.min(shape.application_keys)).map(|_| UserId::generate(&SystemRandom)).collect();
        owners.iter().try_for_each(|owner| sink.user(self.org.id, *owner, MADE_AT))?;
        self.write_kind(CredentialKind::ApiKey, shape.api_keys, &[], sink)?;
        self.write_kind(CredentialKind::ApplicationKey, shape.application_keys, &owners, sink)?;
        self.write_kind(CredentialKind::PersonalAccessToken, shape.tokens, &owners, sink)
    }

    fn write_kind(
        &self,
        kind: CredentialKind,
        count: usize,
        owners: &[UserId],
        sink: &mut dyn Sink,
    ) -> Result<()> {
        // Every so many, so that those that are used lie all over the index.
        let stride = count.div_ceil(REMEMBERED).max(1);
        let mut secrets = Vec::new();
        for number in 0..count {
            let secret = IssuedSecret::generate(kind, &SystemRandom);
            if number % stride == 0 {
                secrets.push(secret.reveal().to_owned());
            }
            let owner = (!owners.is_empty()).then(|| owners[number % owners.len()]);
            sink.credential(self.row(kind, number, owner, &secret)?)?;
        }
        for (place, owner) in owners.iter().enumerate() {
            let has = count / owners.len() + usize::from(place < count % owners.len());
            sink.count(self.org.id, kind, Some(*owner), has)?;
        }
        sink.count(self.org.id, kind, None, count)?;
        remember(self.data, kind, &secrets)
    }

    fn row(
        &self,
        kind: CredentialKind,
        number: usize,
        owner: Option<UserId>,
        secret: &IssuedSecret,
    ) -> Result<CredentialRow> {
        let at = Timestamp::from_micros(MADE_AT.micros() + number as i64);
        let id = CredentialId::generate_at(&SystemRandom, at);
        let place =
            Place { org: self.org.id, table: "secrets", row: id.uuid(), column: "sealed", revision: 1 };
        let name = name(number);
        let is_narrowed = match kind {
            CredentialKind::ApplicationKey => number.is_multiple_of(3),
            kind => kind == CredentialKind::PersonalAccessToken,
        };
        Ok(CredentialRow {
            id,
            org: self.org.id,
            kind,
            owner,
            name_sort: collation_key(&name),
            name,
            last4: secret.last4().to_owned(),
            scopes: is_narrowed.then_some(SCOPES),
            public_portion: secret.public_portion(kind).map(str::to_owned),
            at,
            by: self.org.admin,
            digest: self.vault.digest(secret.bytes()).as_bytes().to_vec(),
            digest_key: self.vault.digest_key_id().to_string(),
            sealed: match kind.is_shown_again() {
                true => Some(self.vault.seal(&place, secret.bytes())?),
                false => None,
            },
        })
    }
}

/// A name like those that people give: a common part, parts that some have, a random one, and a rare word.
fn name(number: usize) -> String {
    const TEAMS: [&str; 7] = ["orders", "billing", "search", "login", "mobile", "reports", "ingest"];
    const REGIONS: [&str; 5] = ["eu-west", "eu-north", "us-east", "us-west", "ap-south"];
    let mut random = [0; 4];
    SystemRandom.fill(&mut random);
    let (team, region) = (TEAMS[random[0] as usize % 7], REGIONS[random[1] as usize % 5]);
    let rare = if number % 30_000 == 1_500 { " zebra" } else { "" };
    format!("{team} service {:02x}{:02x}{number:06}{rare} ({region})", random[2], random[3])
}
