//! Keys come and go: the newest writes, all read, and master keys are replaced without a stop.

use std::sync::Arc;

use claviger_model::testing::SeededRandom;
use claviger_model::{OrgId, Random, Timestamp};
use claviger_vault::{KekRing, KeyPurpose, Place, UnknownKey, UnlockError, Vault, WrappedKey};
use uuid::Uuid;

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn random(seed: u64) -> Arc<dyn Random> {
    Arc::new(SeededRandom::new(seed))
}

/// A vault over two generations of server keys, with the newer ones' ids.
fn vault_of_two_generations() -> (Vault, Vec<WrappedKey>) {
    let random = random(1);
    let keks = KekRing::generate(random.as_ref());
    let (_, old) = Vault::create(keks.clone(), random.clone(), at(1));
    let (_, new) = Vault::create(keks.clone(), random.clone(), at(2));
    let keys = [old, new.clone()].concat();
    (Vault::unlock(keks, random, keys).expect("its own keys"), new)
}

fn id(keys: &[WrappedKey], purpose: KeyPurpose) -> Uuid {
    keys.iter().find(|key| key.purpose == purpose).expect("one of each purpose").id
}

#[test]
fn digests_differ_by_key_and_the_newest_is_first() {
    let (vault, new) = vault_of_two_generations();
    let digests: Vec<_> = vault.digests(b"secret").collect();
    assert_eq!(digests.len(), 2);
    assert_ne!(digests[0], digests[1]);
    assert_eq!(digests[0], vault.digest(b"secret"));
    assert_ne!(digests[0], vault.digest(b"secreu"));
    assert_eq!(vault.digest_key_id(), id(&new, KeyPurpose::Digest));
}

#[test]
fn a_ledger_mac_matches_its_content_and_key_alone() {
    let (vault, new) = vault_of_two_generations();
    let mac = vault.ledger_mac(b"entry");
    assert_eq!(mac.key, id(&new, KeyPurpose::LedgerMac));
    assert_eq!(vault.ledger_mac_matches(mac.key, b"entry", &mac.mac), Ok(true));
    assert_eq!(vault.ledger_mac_matches(mac.key, b"entrz", &mac.mac), Ok(false));
    assert_eq!(vault.ledger_mac_matches(mac.key, b"entry", &mac.mac[..31]), Ok(false));
    assert_eq!(vault.ledger_mac_matches(mac.key, b"entry", &[]), Ok(false));
    let key = vault.digest_key_id();
    assert_eq!(vault.ledger_mac_matches(key, b"entry", &mac.mac), Err(UnknownKey { key }));
}

#[test]
fn a_mac_of_an_older_key_still_matches() {
    let random = random(1);
    let keks = KekRing::generate(random.as_ref());
    let (before, mut keys) = Vault::create(keks.clone(), random.clone(), at(1));
    keys.extend(Vault::create(keks.clone(), random.clone(), at(2)).1);
    let after = Vault::unlock(keks, random, keys).unwrap();
    let mac = before.ledger_mac(b"entry");
    assert_ne!(after.ledger_mac(b"entry").key, mac.key);
    assert_eq!(after.ledger_mac_matches(mac.key, b"entry", &mac.mac), Ok(true));
}

#[test]
fn a_checkpoint_signature_matches_its_content_and_key_alone() {
    let (vault, new) = vault_of_two_generations();
    let signed = vault.sign_checkpoint(b"head");
    let matches = Vault::checkpoint_signature_matches;
    assert!(matches(&signed.public_key, b"head", &signed.signature));
    assert!(!matches(&signed.public_key, b"heae", &signed.signature));
    assert!(!matches(&signed.public_key, b"head", &signed.signature[..63]));
    assert!(!matches(&signed.public_key[..31], b"head", &signed.signature));
    assert!(!matches(&[], b"head", &[]));

    let public_keys = vault.checkpoint_public_keys();
    assert_eq!(public_keys.len(), 2);
    assert_eq!(public_keys[0], (signed.key, signed.public_key));
    assert_eq!(signed.key, id(&new, KeyPurpose::Checkpoint));
    assert!(!matches(&public_keys[1].1, b"head", &signed.signature));
}

#[test]
fn the_wrong_master_key_is_told_by_name() {
    let random = random(1);
    let (right, wrong) = (KekRing::generate(random.as_ref()), KekRing::generate(random.as_ref()));
    let wanted = right.first_id().clone();
    let have = vec![wrong.first_id().clone()];
    let (_, keys) = Vault::create(right, random.clone(), at(1));
    let error = Vault::unlock(wrong, random, keys).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&wanted.to_string()) && text.contains(&have[0].to_string()), "{text}");
    assert_eq!(error, UnlockError::WrongKek { wanted, have });
}

#[test]
fn a_missing_purpose_is_told_by_name() {
    let random = random(1);
    let keks = KekRing::generate(random.as_ref());
    let (_, keys) = Vault::create(keks.clone(), random.clone(), at(1));
    for purpose in [KeyPurpose::Digest, KeyPurpose::LedgerMac, KeyPurpose::Checkpoint] {
        let rest = keys.iter().filter(|key| key.purpose != purpose).cloned().collect();
        let error = Vault::unlock(keks.clone(), random.clone(), rest).unwrap_err();
        assert_eq!(error, UnlockError::Missing { purpose });
    }
}

#[test]
fn an_altered_row_stops_the_unlocking() {
    let random = random(1);
    let keks = KekRing::generate(random.as_ref());
    let (vault, mut keys) = Vault::create(keks.clone(), random.clone(), at(1));
    let mut org_key = vault.generate_org_key(OrgId::generate(random.as_ref()), at(1));
    org_key.org = Some(OrgId::generate(random.as_ref()));
    let damaged = UnlockError::Damaged { key: org_key.id };
    assert_eq!(vault.add_org_key(&org_key), Err(damaged.clone()));
    keys.push(org_key);
    assert_eq!(Vault::unlock(keks, random, keys).unwrap_err(), damaged);
}

#[test]
fn after_a_rotation_the_new_master_key_opens_and_the_old_one_does_not() {
    let random = random(1);
    let old_ring = KekRing::generate(random.as_ref());
    let (vault, mut keys) = Vault::create(old_ring.clone(), random.clone(), at(1));
    let org = OrgId::generate(random.as_ref());
    let place = Place { org, table: "t", row: Uuid::from_u128(1), column: "c", revision: 1 };
    keys.push(vault.generate_org_key(org, at(1)));
    vault.add_org_key(&keys[3]).unwrap();
    let sealed = vault.seal(&place, b"plain").unwrap();
    let digest = vault.digest(b"secret");

    let mut ring = old_ring.clone();
    ring.prepend_generated(random.as_ref());
    vault.replace_keks(ring.clone());
    assert_eq!(vault.kek_ids(), ring.ids().cloned().collect::<Vec<_>>());
    let made_meanwhile = vault.generate_org_key(org, at(2));
    assert_eq!(made_meanwhile.kek, *ring.first_id());

    let rewrapped: Vec<_> = keys.iter().map(|key| vault.rewrap(key, &ring).unwrap().unwrap()).collect();
    for (key, rewrapped) in keys.iter().zip(&rewrapped) {
        assert_eq!((key.id, key.purpose, key.org, key.created_at), {
            (rewrapped.id, rewrapped.purpose, rewrapped.org, rewrapped.created_at)
        });
        assert_eq!(vault.rewrap(rewrapped, &ring), Ok(None));
    }

    assert!(ring.remove(old_ring.first_id()));
    let after = Vault::unlock(ring, random.clone(), rewrapped.clone()).unwrap();
    assert_eq!(after.open(&place, &sealed).unwrap().as_slice(), b"plain");
    assert_eq!(after.digest(b"secret"), digest);
    let error = Vault::unlock(old_ring, random, rewrapped).unwrap_err();
    assert!(matches!(error, UnlockError::WrongKek { .. }), "{error}");
}

/// A data key of a change that was refused stays in memory. Whatever the clock says, the next one seals.
#[test]
fn the_data_key_made_last_is_the_one_that_seals() {
    let random = random(1);
    let keks = KekRing::generate(random.as_ref());
    let (vault, mut keys) = Vault::create(keks.clone(), random.clone(), at(1));
    let org = OrgId::generate(random.as_ref());
    let place = Place { org, table: "t", row: Uuid::from_u128(1), column: "c", revision: 1 };
    vault.add_org_key(&vault.generate_org_key(org, at(5))).unwrap();
    for now in [at(5), at(3), at(9)] {
        let kept = vault.generate_org_key(org, now);
        vault.add_org_key(&kept).unwrap();
        let sealed = vault.seal(&place, b"plain").unwrap();
        keys.truncate(3);
        keys.push(kept);
        let after = Vault::unlock(keks.clone(), random.clone(), keys.clone()).unwrap();
        assert_eq!(after.open(&place, &sealed).unwrap().as_slice(), b"plain");
    }
}

#[test]
fn rewrapping_opens_with_either_ring_and_names_both_when_neither_fits() {
    let random = random(1);
    let rings = [(); 3].map(|()| KekRing::generate(random.as_ref()));
    let (vault, keys) = Vault::create(rings[0].clone(), random.clone(), at(1));
    let (other, _) = Vault::create(rings[1].clone(), random, at(1));

    let moved = vault.rewrap(&keys[0], &rings[1]).unwrap().unwrap();
    assert_eq!(moved.kek, *rings[1].first_id());
    // Done already, though this vault's own ring would not open it; and a resumed run says the same.
    assert_eq!(vault.rewrap(&moved, &rings[1]), Ok(None));

    let Err(UnlockError::WrongKek { wanted, have }) = other.rewrap(&keys[0], &rings[2]) else {
        panic!("neither ring has the key");
    };
    assert_eq!(wanted, *rings[0].first_id());
    assert_eq!(have.len(), 2);
    assert!(have.contains(rings[1].first_id()) && have.contains(rings[2].first_id()));

    let damaged = WrappedKey { purpose: KeyPurpose::LedgerMac, ..keys[0].clone() };
    assert_eq!(vault.rewrap(&damaged, &rings[1]), Err(UnlockError::Damaged { key: keys[0].id }));
}
