//! A line of the dead list.

use claviger_model::Position;
use claviger_store::framed;
use claviger_vault::{Digest, Vault, hex};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a line says.
pub(super) struct Line {
    /// What died; none where the line only marks a place.
    pub(super) dead: Option<Digest>,
    /// With this line, the list is complete up to here.
    pub(super) through: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    dead: Option<String>,
    through: String,
    key: String,
    mac: String,
}

impl Line {
    /// The line with its end.
    pub(super) fn to_text(&self, vault: &Vault) -> String {
        let mac = vault.ledger_mac(&self.content());
        let text = Text {
            dead: self.dead.map(|digest| digest.to_hex()),
            through: self.through.to_string(),
            key: mac.key.to_string(),
            mac: hex::digits(&mac.mac).collect(),
        };
        serde_json::to_string(&text).expect("texts alone are always JSON") + "\n"
    }

    /// Reads a line; nothing where it is not as it was written with these keys.
    pub(super) fn parse(text: &str, vault: &Vault) -> Option<Self> {
        let text: Text = serde_json::from_str(text).ok()?;
        let dead = match text.dead {
            None => None,
            Some(text) => Some(Digest::from_bytes(decode(&text)?)),
        };
        let line = Self { dead, through: text.through.parse().ok()? };
        let mac: [u8; 32] = decode(&text.mac)?;
        let key = Uuid::try_parse(&text.key).ok()?;
        vault.ledger_mac_matches(key, &line.content(), &mac).ok()?.then_some(line)
    }

    fn content(&self) -> Vec<u8> {
        let dead = self.dead.as_ref().map_or(&[][..], |digest| digest.as_bytes());
        let Position { epoch, sequence } = self.through;
        framed(&[b"claviger dead 1", dead, &epoch.to_be_bytes(), &sequence.to_be_bytes()])
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode(text, &mut bytes).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use claviger_model::Timestamp;
    use claviger_model::testing::SeededRandom;
    use claviger_vault::KekRing;

    use super::*;

    fn vault(seed: u64) -> Vault {
        let random = Arc::new(SeededRandom::new(seed));
        Vault::create(KekRing::generate(&*random), random, Timestamp::from_micros(1)).0
    }

    #[test]
    fn a_line_is_read_only_as_it_was_written() {
        let (vault, other) = (vault(1), vault(2));
        for dead in [None, Some(Digest::from_bytes([7; 32]))] {
            let line = Line { dead, through: Position { epoch: 2, sequence: 42 } };
            let text = line.to_text(&vault);
            let read = Line::parse(&text, &vault).unwrap();
            assert_eq!((read.dead, read.through), (line.dead, line.through));
            assert!(Line::parse(&text, &other).is_none());
            for altered in
                [text.replace("2.42", "2.43"), text.replace("0707", "0708"), text.replace("dead", "d")]
            {
                assert!(altered == text || Line::parse(&altered, &vault).is_none(), "{altered}");
            }
        }
    }
}
