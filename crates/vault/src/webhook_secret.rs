//! The secrets with which events are signed on their way to webhooks.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_model::Random;
use zeroize::Zeroizing;

/// What stands before every such secret, by which the libraries of the standard know it.
const PREFIX: &str = "whsec_";
/// As many as the hash gives; the standard takes 24 to 64.
const BYTES: usize = 32;

/// A signing secret of a webhook, as the Standard Webhooks specification (1.0.0) has them: symmetric, shown as
/// `whsec_` and base64, signing with HMAC-SHA256.
///
/// It does not print, serialise or compare, and its memory is cleared when it is dropped.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A new one of 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// Takes what opening a sealed one gave.
    pub fn from_opened(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes, to seal them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as its receiver needs it. Only for the answers whose API says that they show it.
    pub fn reveal(&self) -> Zeroizing<String> {
        // With the final capacity from the start, growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + self.0.len().div_ceil(3) * 4));
        text.push_str(PREFIX);
        STANDARD.encode_string(&*self.0, &mut text);
        text
    }

    /// The signature over a message's id, the time of the attempt in seconds, and the body: `v1,` and base64.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = WebhookSecret::from_opened(Zeroizing::new(key));
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_shown_in_the_form_of_the_standard_and_nowhere_else() {
        let secret = WebhookSecret::generate(&SeededRandom::new(1));
        let shown = secret.reveal();
        assert_eq!(STANDARD.decode(shown.strip_prefix("whsec_").unwrap()).unwrap(), secret.bytes());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
    }
}
