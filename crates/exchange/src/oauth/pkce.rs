//! Proof Key for Code Exchange (RFC 7636), method `S256`: whoever catches the code cannot use it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_catalog::SecretText;
use claviger_model::Random;
use zeroize::Zeroizing;

/// How long a verifier is: 32 random bytes, as section 7.1 recommends, in base64.
pub const VERIFIER_CHARS: usize = 43;

/// A new verifier, to be kept for the exchange of the code.
pub fn verifier(random: &dyn Random) -> SecretText {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(&mut *bytes);
    SecretText::new(URL_SAFE_NO_PAD.encode(*bytes))
}

/// Its challenge, for [`authorize_url`](super::authorize_url).
pub fn challenge(verifier: &SecretText) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.reveal().as_bytes()))
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = SecretText::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_are_long_enough_and_differ() {
        let random = SeededRandom::new(7);
        let (first, second) = (verifier(&random), verifier(&random));
        assert_ne!(first.reveal(), second.reveal());
        for made in [first, second] {
            assert_eq!(made.reveal().len(), VERIFIER_CHARS);
            assert!(made.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        }
    }
}
