//! AES-256-GCM with a random nonce per value: the one way in which this crate encrypts.
//!
//! Master keys use it to wrap keys, data keys use it to seal values. Both say what a ciphertext belongs to by its
//! associated data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use claviger_model::Random;
use zeroize::Zeroizing;

use crate::raw_key::RawKey;

const TAG_BYTES: usize = 16;

/// A key, set up once: that costs more than a use of it.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &RawKey) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key.bytes()).expect("AES-256 takes any 32 bytes as its key");
        Self(LessSafeKey::new(key))
    }

    /// `header | nonce | ciphertext | tag`. The header is in clear and not authenticated by itself.
    pub(crate) fn seal(
        &self,
        associated_data: &[u8],
        header: &[u8],
        plain: &[u8],
        random: &dyn Random,
    ) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        // With the final capacity from the start, growing leaves no plain text behind.
        let mut sealed = Vec::with_capacity(header.len() + NONCE_LEN + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(header);
        sealed.extend_from_slice(&nonce);
        let start = sealed.len();
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(associated_data), &mut sealed[start..])
            .expect("AES-GCM refuses only values of 64 GiB and more");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What stood in `nonce | ciphertext | tag`; nothing when it, the key or the associated data is another.
    pub(crate) fn open(&self, associated_data: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plain = Zeroizing::new(vec![0; ciphertext.len()]);
        self.0
            .open_separate_gather(Nonce::from(nonce), Aad::from(associated_data), ciphertext, tag, &mut plain)
            .ok()?;
        Some(plain)
    }
}

/// Joins fields so that no two lists of fields give the same bytes: each is preceded by its length.
pub(crate) fn associated_data(fields: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(fields.iter().map(|field| 8 + field.len()).sum());
    for field in fields {
        joined.extend_from_slice(&(field.len() as u64).to_be_bytes());
        joined.extend_from_slice(field);
    }
    joined
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let lists: [&[&[u8]]; 4] = [&[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
        for (index, list) in lists.iter().enumerate() {
            for other in &lists[index + 1..] {
                assert_ne!(associated_data(list), associated_data(other));
            }
        }
    }

    #[test]
    fn a_value_opens_with_its_key_and_associated_data_alone() {
        let random = SeededRandom::new(1);
        let ciphers = [(); 2].map(|()| Cipher::new(&RawKey::generate(&random)));
        let sealed = ciphers[0].seal(b"here", b"header", b"plain", &random);
        let body = sealed.strip_prefix(b"header").unwrap();
        assert_eq!(ciphers[0].open(b"here", body).unwrap().as_slice(), b"plain");
        assert!(ciphers[0].open(b"there", body).is_none());
        assert!(ciphers[1].open(b"here", body).is_none());
        assert!(ciphers[0].open(b"here", &body[..27]).is_none());
    }
}
