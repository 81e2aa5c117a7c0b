//! Sealed values open in their place, whole and unaltered, and nowhere else.

use std::sync::{Arc, LazyLock};

use claviger_model::testing::SeededRandom;
use claviger_model::{OrgId, Timestamp};
use claviger_vault::{KekRing, KeyPurpose, Place, SealError, UnlockError, Vault};
use proptest::prelude::*;
use uuid::Uuid;

/// A vault with data keys for two orgs.
fn vault_and_orgs() -> (Vault, OrgId, OrgId) {
    let random = Arc::new(SeededRandom::new(1));
    let orgs = [(); 2].map(|()| OrgId::generate(random.as_ref()));
    let (vault, _) = Vault::create(KekRing::generate(random.as_ref()), random, Timestamp::from_micros(0));
    for org in orgs {
        vault.add_org_key(&vault.generate_org_key(org, Timestamp::from_micros(0))).expect("a key just made");
    }
    (vault, orgs[0], orgs[1])
}

fn place(org: OrgId) -> Place<'static> {
    Place { org, table: "connection_secret", row: Uuid::from_u128(1), column: "sealed", revision: 1 }
}

#[test]
fn a_moved_value_does_not_open() {
    let (vault, org, other_org) = vault_and_orgs();
    let here = place(org);
    let sealed = vault.seal(&here, b"plain").unwrap();
    assert_eq!(vault.open(&here, &sealed).unwrap().as_slice(), b"plain");
    for (there, error) in [
        (Place { org: other_org, ..here }, SealError::UnknownKey),
        (Place { table: "credential", ..here }, SealError::DoesNotOpen),
        // The same characters, cut elsewhere.
        (Place { table: "connection_secrets", column: "ealed", ..here }, SealError::DoesNotOpen),
        (Place { row: Uuid::from_u128(2), ..here }, SealError::DoesNotOpen),
        (Place { column: "previous", ..here }, SealError::DoesNotOpen),
        (Place { revision: 2, ..here }, SealError::DoesNotOpen),
        (Place { revision: -1, ..here }, SealError::DoesNotOpen),
    ] {
        assert_eq!(vault.open(&there, &sealed).unwrap_err(), error, "{there:?}");
    }
}

#[test]
fn a_value_with_any_byte_flipped_or_cut_does_not_open() {
    let (vault, org, _) = vault_and_orgs();
    let sealed = vault.seal(&place(org), b"plain").unwrap();
    assert_eq!(sealed.len(), 1 + 16 + 12 + 5 + 16);
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1 << bit;
            let expected = match index {
                0 => SealError::UnknownFormat,
                1..=16 => SealError::UnknownKey,
                _ => SealError::DoesNotOpen,
            };
            assert_eq!(vault.open(&place(org), &flipped).unwrap_err(), expected, "byte {index}");
        }
        let expected = if index == 0 { SealError::UnknownFormat } else { SealError::DoesNotOpen };
        assert_eq!(vault.open(&place(org), &sealed[..index]).unwrap_err(), expected, "cut at {index}");
    }
    let longer = [sealed.as_slice(), &[0]].concat();
    assert_eq!(vault.open(&place(org), &longer).unwrap_err(), SealError::DoesNotOpen);
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let (vault, org, _) = vault_and_orgs();
    assert_ne!(vault.seal(&place(org), b"plain"), vault.seal(&place(org), b"plain"));
}

#[test]
fn an_org_without_a_key_seals_and_opens_nothing() {
    let (vault, org, _) = vault_and_orgs();
    let sealed = vault.seal(&place(org), b"plain").unwrap();
    let stranger = OrgId::generate(&SeededRandom::new(9));
    assert_eq!(vault.seal(&place(stranger), b"plain").unwrap_err(), SealError::NoOrgKey);
    assert_eq!(vault.open(&place(stranger), &sealed).unwrap_err(), SealError::NoOrgKey);
}

#[test]
fn a_generated_key_seals_only_once_it_is_added() {
    let (vault, _, _) = vault_and_orgs();
    let org = OrgId::generate(&SeededRandom::new(9));
    let key = vault.generate_org_key(org, Timestamp::from_micros(0));
    assert_eq!(vault.seal(&place(org), b"plain").unwrap_err(), SealError::NoOrgKey);
    vault.add_org_key(&key).unwrap();
    vault.add_org_key(&key).unwrap();
    assert!(vault.seal(&place(org), b"plain").is_ok());
}

#[test]
fn the_newest_key_seals_and_older_ones_still_open() {
    let (vault, org, _) = vault_and_orgs();
    let old = vault.seal(&place(org), b"old").unwrap();
    let older = vault.generate_org_key(org, Timestamp::from_micros(3));
    let key = vault.generate_org_key(org, Timestamp::from_micros(5));
    vault.add_org_key(&key).unwrap();
    // An older key that arrives later does not take over.
    vault.add_org_key(&older).unwrap();
    let new = vault.seal(&place(org), b"new").unwrap();
    assert_eq!(&new[1..17], key.id.as_bytes());
    assert_ne!(old[1..17], new[1..17]);
    assert_eq!(vault.open(&place(org), &old).unwrap().as_slice(), b"old");
    assert_eq!(vault.open(&place(org), &new).unwrap().as_slice(), b"new");
}

#[test]
fn only_an_orgs_data_key_is_added() {
    let random = Arc::new(SeededRandom::new(1));
    let (vault, keys) = Vault::create(KekRing::generate(random.as_ref()), random, Timestamp::from_micros(0));
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert_ne!(key.purpose, KeyPurpose::OrgData);
        assert_eq!(vault.add_org_key(&key), Err(UnlockError::Damaged { key: key.id }));
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        plain in proptest::collection::vec(any::<u8>(), 0..2_000),
        row: u128,
        revision: i64,
    ) {
        static VAULT: LazyLock<(Vault, OrgId, OrgId)> = LazyLock::new(vault_and_orgs);
        let place = Place { row: Uuid::from_u128(row), revision, ..place(VAULT.1) };
        let sealed = VAULT.0.seal(&place, &plain).unwrap();
        let opened = VAULT.0.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain);
    }

    #[test]
    fn noise_does_not_open(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        static VAULT: LazyLock<(Vault, OrgId, OrgId)> = LazyLock::new(vault_and_orgs);
        prop_assert!(VAULT.0.open(&place(VAULT.1), &noise).is_err());
    }
}
