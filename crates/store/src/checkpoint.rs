//! Checkpoints: signed words about where the ledger stood, kept outside the database.
//!
//! Whoever can write to the database can cut off the ledger's tail and set its head back, and the chain that is
//! left is whole. A checkpoint kept elsewhere tells: it names the newest entry of its moment and that entry's MAC.

use claviger_model::{Position, Timestamp};
use claviger_vault::{CheckpointSignature, Vault, hex};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ledger::{Head, framed};
use crate::{Store, StoreError};

/// A signed position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The newest entry when it was signed.
    pub position: Position,
    /// That entry's MAC.
    pub mac: Vec<u8>,
    /// When it was signed.
    pub at: Timestamp,
    /// The signature.
    pub signature: CheckpointSignature,
}

/// A line of a checkpoint file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    position: String,
    mac: String,
    at_micros: i64,
    key: String,
    public_key: String,
    signature: String,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no checkpoint")]
pub struct ParseCheckpointError;

impl Checkpoint {
    fn sign(head: Head, at: Timestamp, vault: &Vault) -> Self {
        let signature = vault.sign_checkpoint(&content(head.position, &head.mac, at));
        Self { position: head.position, mac: head.mac, at, signature }
    }

    /// Whether one of this vault's keys signed it, as it is.
    pub fn is_genuine(&self, vault: &Vault) -> bool {
        let CheckpointSignature { key, public_key, signature } = &self.signature;
        vault.checkpoint_public_keys().contains(&(*key, *public_key))
            && Vault::checkpoint_signature_matches(
                public_key,
                &content(self.position, &self.mac, self.at),
                signature,
            )
    }

    /// One line of JSON, without its end.
    pub fn to_line(&self) -> String {
        let text = |bytes: &[u8]| hex::digits(bytes).collect::<String>();
        let line = Line {
            position: self.position.to_string(),
            mac: text(&self.mac),
            at_micros: self.at.micros(),
            key: self.signature.key.to_string(),
            public_key: text(&self.signature.public_key),
            signature: text(&self.signature.signature),
        };
        serde_json::to_string(&line).expect("texts and a number are always JSON")
    }

    /// Reads such a line. Whether it is [genuine](Self::is_genuine) is another question.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn parse(line: &str) -> Result<Self, ParseCheckpointError> {
        let line: Line = serde_json::from_str(line).map_err(|_| ParseCheckpointError)?;
        let (mut mac, mut public_key, mut signature) = (vec![0; 32], [0; 32], [0; 64]);
        hex::decode(&line.mac, &mut mac).ok_or(ParseCheckpointError)?;
        hex::decode(&line.public_key, &mut public_key).ok_or(ParseCheckpointError)?;
        hex::decode(&line.signature, &mut signature).ok_or(ParseCheckpointError)?;
        let key = Uuid::try_parse(&line.key).map_err(|_| ParseCheckpointError)?;
        Ok(Self {
            position: line.position.parse().map_err(|_| ParseCheckpointError)?,
            mac,
            at: Timestamp::from_micros(line.at_micros),
            signature: CheckpointSignature { key, public_key, signature },
        })
    }
}

fn content(position: Position, mac: &[u8], at: Timestamp) -> Vec<u8> {
    framed(&[
        b"claviger checkpoint 1",
        &position.epoch.to_be_bytes(),
        &position.sequence.to_be_bytes(),
        mac,
        &at.micros().to_be_bytes(),
    ])
}

impl Store {
    /// A checkpoint of the ledger as it stands; none while it has no entry.
    pub async fn checkpoint(&self, at: Timestamp) -> Result<Option<Checkpoint>, StoreError> {
        let head = self.find_head().await?;
        Ok((head.position.sequence > 0).then(|| Checkpoint::sign(head, at, self.vault())))
    }
}
