//! The keys by which an integration's calls prove to third parties whose they are.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use thiserror::Error;
use zeroize::Zeroizing;

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
/// As long as the lines of PEM are (RFC 7468, 2).
const PEM_LINE_CHARS: usize = 64;

/// An RSA key of 2048 bits that signs JSON Web Tokens with RS256 (RFC 7518, 3.3).
///
/// It does not print, serialise or compare.
pub struct SigningKey(KeyPair);

/// Bytes that are no such key, or a library that refuses to work with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no RSA key to sign with")]
pub struct SigningKeyError;

impl SigningKey {
    /// Makes a new one, which takes the processor for some tenth of a second, now and then for a whole one.
    ///
    /// Primes are searched by the cryptographic library, with its own randomness: it takes no other.
    ///
    /// # Errors
    /// When the library fails.
    pub fn generate() -> Result<Self, SigningKeyError> {
        KeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| SigningKeyError)
    }

    /// Takes what opening a sealed one gave.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_opened(bytes: &Zeroizing<Vec<u8>>) -> Result<Self, SigningKeyError> {
        KeyPair::from_pkcs8(bytes).map(Self).map_err(|_| SigningKeyError)
    }

    /// The private key (PKCS #8), to seal it. What the library hands out is copied, and wiped by it.
    ///
    /// # Errors
    /// When the library fails.
    pub fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.0).map_err(|_| SigningKeyError)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The public key, as a `PUBLIC KEY` block in PEM form (RFC 7468, 13).
    ///
    /// # Errors
    /// When the library fails.
    pub fn public_pem(&self) -> Result<String, SigningKeyError> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key()).map_err(|_| SigningKeyError)?;
        let digits = STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = digits.as_str();
        while !rest.is_empty() {
            // Digits are ASCII.
            let (line, left) = rest.split_at(rest.len().min(PEM_LINE_CHARS));
            pem.push_str(line);
            pem.push('\n');
            rest = left;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Ok(pem)
    }

    /// A token with these claims, which are JSON, in its compact form (RFC 7515, 3.1).
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign_token(&self, claims: &[u8]) -> Result<Zeroizing<String>, SigningKeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let encoded = |bytes: usize| bytes.div_ceil(3) * 4;
        let length = encoded(HEADER.len()) + encoded(claims.len()) + encoded(signature.len()) + 2;
        // With the final capacity from the start, growing leaves no copy behind.
        let mut token = Zeroizing::new(String::with_capacity(length));
        URL_SAFE_NO_PAD.encode_string(HEADER, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        // This form of signature takes no randomness, whatever the function wants.
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature);
        signed.map_err(|_| SigningKeyError)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    fn public_der(pem: &str) -> Vec<u8> {
        let body = pem.strip_prefix("-----BEGIN PUBLIC KEY-----\n").unwrap();
        let body = body.strip_suffix("\n-----END PUBLIC KEY-----\n").unwrap();
        assert!(body.lines().all(|line| (1..=64).contains(&line.len())), "{pem}");
        STANDARD.decode(body.replace('\n', "")).unwrap()
    }

    #[test]
    fn a_token_is_checked_by_the_public_key_alone() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_opened(&key.bytes().unwrap()).unwrap();
        assert_eq!(again.public_pem(), key.public_pem());
        let token = again.sign_token(br#"{"aud":"https://api.example.com"}"#).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(
            signed,
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2FwaS5leGFtcGxlLmNvbSJ9"
        );
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let check = |key: &SigningKey, signed: &str| {
            let key = public_der(&key.public_pem().unwrap());
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(signed.as_bytes(), &signature)
        };
        assert!(check(&key, signed).is_ok());
        assert!(check(&key, &signed.replace("eyJhdWQ", "eyJhdWR")).is_err());
        assert!(check(&SigningKey::generate().unwrap(), signed).is_err());
    }

    #[test]
    fn it_does_not_print_and_nothing_else_is_one() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
        let bytes = key.bytes().unwrap();
        for bad in [&[][..], &bytes[1..], &bytes[..bytes.len() - 1]] {
            assert!(SigningKey::from_opened(&Zeroizing::new(bad.to_vec())).is_err());
        }
    }
}
