//! Nothing that holds a secret prints it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use claviger_model::testing::SeededRandom;
use claviger_model::{CredentialKind, OrgId, Random, Timestamp};
use claviger_vault::{IssuedSecret, KekRing, Vault};

/// Fails when the debug form of `value` contains four bytes of `secret` in a row, as text, in hexadecimal or as a
/// list of numbers.
fn check(value: &dyn Debug, secret: &[u8]) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        let shown_compactly: String = shown.split_whitespace().collect();
        for window in secret.windows(4) {
            let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
            let list = window.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            let text = String::from_utf8_lossy(window).into_owned();
            for form in [hex, list, text] {
                assert!(!shown_compactly.to_lowercase().contains(&form.to_lowercase()), "{form} in {shown}");
            }
        }
    }
}

#[test]
fn an_issued_secret_shows_its_name_alone() {
    let random = SeededRandom::new(1);
    for kind in CredentialKind::ALL {
        let secret = IssuedSecret::generate(kind, &random);
        assert_eq!(format!("{secret:?}"), "IssuedSecret(..)");
        let (_, secret_part) = secret.reveal().split_once('_').unwrap_or(("", secret.reveal()));
        check(&secret, secret_part.as_bytes());
    }
    let refused = IssuedSecret::parse(CredentialKind::ApiKey, "hunter2-hunter2").expect_err("no API key");
    check(&refused, b"hunter2-hunter2");
}

#[test]
fn a_ring_shows_ids_alone() {
    let mut ring = KekRing::generate(&SeededRandom::new(1));
    ring.prepend_generated(&SeededRandom::new(2));
    let shown = format!("{ring:?}");
    for id in ring.ids() {
        assert!(shown.contains(&id.to_string()));
    }
    for key in keys_in(&ring) {
        check(&ring, &key);
        check(&ring, hex(&key).as_bytes());
    }
}

#[test]
fn a_vault_and_its_wrapped_keys_show_no_key() {
    // A source of randomness that remembers what it gave knows every key, seed and nonce that was made from it.
    let random = Arc::new(Remembering { source: SeededRandom::new(1), given: Mutex::default() });
    let ring = KekRing::generate(random.as_ref());
    let (vault, mut keys) = Vault::create(ring.clone(), random.clone(), Timestamp::from_micros(1));
    keys.push(vault.generate_org_key(OrgId::generate(&SeededRandom::new(3)), Timestamp::from_micros(1)));
    vault.add_org_key(&keys[3]).expect("a key just made");
    let given = random.given.lock().expect("no test thread panicked").clone();
    let secrets: Vec<_> = given.iter().filter(|bytes| bytes.len() == 32).collect();
    assert_eq!(secrets.len(), 1 + 4, "a master key, three server keys and a data key");
    for secret in secrets {
        check(&vault, secret);
        check(&keys, secret);
        check(&vault.digest(b"secret"), secret);
        check(&vault.ledger_mac(b"entry"), secret);
        check(&vault.sign_checkpoint(b"head"), secret);
    }
    assert_eq!(format!("{vault:?}"), "Vault { .. }");
}

#[test]
fn a_vault_is_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Vault>();
    check::<KekRing>();
    check::<IssuedSecret>();
}

/// Gives what its source gives, and keeps it.
struct Remembering {
    source: SeededRandom,
    given: Mutex<Vec<Vec<u8>>>,
}

impl Random for Remembering {
    fn fill(&self, bytes: &mut [u8]) {
        self.source.fill(bytes);
        self.given.lock().expect("no test thread panicked").push(bytes.to_vec());
    }
}

fn keys_in(ring: &KekRing) -> Vec<Vec<u8>> {
    let text = ring.to_text();
    let lines = text.lines().filter_map(|line| line.strip_prefix("claviger-kek-1:"));
    let byte = |digits: &str, index: usize| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16);
    lines.map(|digits| (0..32).map(|index| byte(digits, index).expect("hexadecimal")).collect()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
