//! Public keys of others, by which their messages are checked. No secret of ours is involved.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// An ECDSA key on the curve P-256, whose signatures are over SHA-256.
pub struct EcdsaPublicKey(ParsedPublicKey);

/// A text that is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no public key of the curve P-256 in PEM form")]
pub struct PublicKeyError;

impl EcdsaPublicKey {
    /// Reads a `PUBLIC KEY` block in PEM form (RFC 7468, 13).
    ///
    /// # Errors
    /// When there is none, or it is of another kind.
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        let body = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----");
        let body =
            body.and_then(|body| body.strip_suffix("-----END PUBLIC KEY-----")).ok_or(PublicKeyError)?;
        let digits: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(digits).map_err(|_| PublicKeyError)?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der).map(Self).map_err(|_| PublicKeyError)
    }

    /// Whether a signature, DER in base64, is by this key over `message`.
    pub fn has_signed(&self, message: &[u8], signature: &str) -> bool {
        let signature = STANDARD.decode(signature.trim());
        signature.is_ok_and(|signature| self.0.verify_sig(message, &signature).is_ok())
    }
}

impl fmt::Debug for EcdsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcdsaPublicKey")
    }
}

/// SHA-256 in lower-case hexadecimal, as others' protocols name what they must not repeat.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    crate::hex::digits(digest.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHeivi/IEF0XVSGckMXrQluk4vWGo
shu5ZZRWBbdPGES6fJWhyLTDni+hvcCEGUdEffR6aKbU+7PNIeXoc0Oltw==
-----END PUBLIC KEY-----
";
    /// By OpenSSL, over [`MESSAGE`].
    const SIGNATURE: &str =
        "MEUCIQCjF6iKqauwLHiR4J4WnYiYbOCUNpy4fwTg+PQVN0L6lAIgD6j/qswj11UdCpuKOQ2Cy4DnEzAAekhis6RIFtitYQw=";
    const MESSAGE: &str = concat!(
        r#"[{"source":"content","token":"0123456789abcdef0123456789abcdee","type":"claviger_api_key","#,
        r#""url":"https://github.com/octocat/Hello-World/blob/main/foo.txt"}]"#
    );

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let key = EcdsaPublicKey::from_pem(KEY).unwrap();
        assert!(key.has_signed(MESSAGE.as_bytes(), SIGNATURE));
        assert!(!key.has_signed(&MESSAGE.as_bytes()[1..], SIGNATURE));
        for signature in ["", "MEUC", "not base64!", &SIGNATURE[4..]] {
            assert!(!key.has_signed(MESSAGE.as_bytes(), signature), "{signature}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let broken = KEY.replace("MFkw", "MFkx");
        for text in ["", "-----BEGIN PUBLIC KEY-----", &KEY.replace("PUBLIC", "PRIVATE"), &broken] {
            assert!(EcdsaPublicKey::from_pem(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hash_is_the_standards() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected);
    }
}
