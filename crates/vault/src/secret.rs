//! The secrets that Claviger issues, as they are shown to their owner once.
//!
//! What is stored is something else: a [`Digest`](crate::Digest), and sealed bytes where an API must show it again.

use std::fmt;

use claviger_model::{CredentialKind, KeyPrefix, Random};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::{base62, hex};

const API_KEY_CHARS: usize = 32;
const APPLICATION_KEY_PREFIX: &str = "ddapp_";
const APPLICATION_KEY_RANDOM_CHARS: usize = 28;
const APPLICATION_KEY_CHARS: usize = 40;
const PERSONAL_ACCESS_TOKEN_PREFIX: &str = "ddpat_";
const SERVICE_ACCESS_TOKEN_PREFIX: &str = "ddsat_";
/// The part of a token that is no secret.
const PUBLIC_PORTION_CHARS: usize = 22;
const TOKEN_RANDOM_CHARS: usize = 30;
/// Of an integration token: what the vendor's clients have been seen to hold.
const INTEGRATION_TOKEN_CHARS: usize = 64;
/// How many characters at its beginning are shown again, as the vendor does.
const INTEGRATION_TOKEN_SHOWN_CHARS: usize = 10;
const SESSION_PREFIX: &str = "clvsession_";
/// 256 bits: it is guessed at by whoever can reach the server.
const SESSION_RANDOM_CHARS: usize = 43;
/// Of the longest kind.
const CHARS_MAX: usize = 65;

/// An issued secret in clear.
///
/// It does not print, serialise or compare with `==`, and its memory is cleared when it is dropped.
pub struct IssuedSecret(Zeroizing<String>);

impl IssuedSecret {
    /// A new secret: for an API key 128 random bits as 32 hexadecimal digits; for an application key `ddapp_`,
    /// 28 random base62 characters (166 bits) and 6 characters of checksum; for a native key the same after `clv_`, or
    /// after another prefix with [`generate_native`](Self::generate_native);
    /// for an integration token 256 random bits as 64 hexadecimal digits;
    /// for a session `clvsession_`, 43 random base62 characters (256 bits) and 6 characters of checksum;
    /// for another token its prefix, 22 random base62 characters that are no secret, `_`, 30 random ones (178 bits) and 6
    /// of checksum over all that follows the prefix.
    pub fn generate(kind: CredentialKind, random: &dyn Random) -> Self {
        // With the final capacity from the start, growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(CHARS_MAX));
        match kind {
            CredentialKind::ApiKey => {
                let mut bytes = Zeroizing::new([0; API_KEY_CHARS / 2]);
                random.fill(bytes.as_mut_slice());
                text.extend(hex::digits(bytes.as_slice()));
            }
            CredentialKind::ApplicationKey => {
                text.push_str(APPLICATION_KEY_PREFIX);
                push_key(&mut text, random);
            }
            CredentialKind::NativeKey => push_native_key(&mut text, KeyPrefix::default(), random),
            CredentialKind::PersonalAccessToken => {
                push_token(&mut text, PERSONAL_ACCESS_TOKEN_PREFIX, random)
            }
            CredentialKind::ServiceAccessToken => push_token(&mut text, SERVICE_ACCESS_TOKEN_PREFIX, random),
            CredentialKind::IntegrationToken => {
                let mut bytes = Zeroizing::new([0; INTEGRATION_TOKEN_CHARS / 2]);
                random.fill(bytes.as_mut_slice());
                text.extend(hex::digits(bytes.as_slice()));
            }
            CredentialKind::Session => {
                text.push_str(SESSION_PREFIX);
                base62::push_random(&mut text, SESSION_RANDOM_CHARS, random);
                let checksum = base62::checksum(&text[SESSION_PREFIX.len()..]);
                text.extend(checksum);
            }
        }
        Self(text)
    }

    /// A new secret of a native key with a prefix of the org's own.
    pub fn generate_native(prefix: KeyPrefix, random: &dyn Random) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(CHARS_MAX));
        push_native_key(&mut text, prefix, random);
        Self(text)
    }

    /// A new secret of an OAuth client: 256 random bits as 64 hexadecimal digits.
    pub fn generate_client_secret(random: &dyn Random) -> Self {
        Self::generate(CredentialKind::IntegrationToken, random)
    }

    /// The part of a token that is no secret, as the vendor shows it: of a personal one without the prefix, of a
    /// service account's with it. Source: the recordings that the vendor's Python client is tested with.
    pub fn public_portion(&self, kind: CredentialKind) -> Option<&str> {
        let prefix = PERSONAL_ACCESS_TOKEN_PREFIX.len();
        match kind {
            CredentialKind::PersonalAccessToken => self.0.get(prefix..prefix + PUBLIC_PORTION_CHARS),
            CredentialKind::ServiceAccessToken => self.0.get(..prefix + PUBLIC_PORTION_CHARS),
            CredentialKind::IntegrationToken => self.0.get(..INTEGRATION_TOKEN_SHOWN_CHARS),
            CredentialKind::ApiKey
            | CredentialKind::ApplicationKey
            | CredentialKind::NativeKey
            | CredentialKind::Session => None,
        }
    }

    /// Takes a secret that was issued elsewhere. The checksum of an application key is not looked at: whoever
    /// imports a key that works today expects it to work tomorrow.
    ///
    /// # Errors
    ///
    /// When `text` does not have the form of that kind. The error does not contain it.
    pub fn parse(kind: CredentialKind, text: &str) -> Result<Self, SecretFormatError> {
        match kind {
            CredentialKind::ApiKey if is_api_key(text) => {}
            CredentialKind::ApiKey => return Err(SecretFormatError::ApiKey),
            CredentialKind::ApplicationKey if is_application_key(text) => {}
            CredentialKind::ApplicationKey => return Err(SecretFormatError::ApplicationKey),
            CredentialKind::PersonalAccessToken if is_token(text, PERSONAL_ACCESS_TOKEN_PREFIX) => {}
            CredentialKind::ServiceAccessToken if is_token(text, SERVICE_ACCESS_TOKEN_PREFIX) => {}
            CredentialKind::PersonalAccessToken | CredentialKind::ServiceAccessToken => {
                return Err(SecretFormatError::Token);
            }
            CredentialKind::NativeKey if is_native_key(text) => {}
            CredentialKind::NativeKey => return Err(SecretFormatError::NativeKey),
            CredentialKind::IntegrationToken if is_integration_token(text.as_bytes()) => {}
            CredentialKind::IntegrationToken => return Err(SecretFormatError::IntegrationToken),
            CredentialKind::Session if is_session(text) => {}
            CredentialKind::Session => return Err(SecretFormatError::Session),
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Takes what opening a sealed secret gave. Its form was checked before it was sealed, and is not again.
    ///
    /// # Errors
    ///
    /// When the bytes are not UTF-8.
    pub fn from_opened(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretFormatError> {
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(Self(Zeroizing::new(text))),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(SecretFormatError::NotText)
            }
        }
    }

    /// The secret in clear. Only for the answers whose API says that they show it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The secret's bytes, to digest or seal them. To show them is [`reveal`](Self::reveal)'s part.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The last four characters, by which people tell their keys apart.
    pub fn last4(&self) -> &str {
        let start = self.0.char_indices().nth_back(3).map_or(0, |(index, _)| index);
        &self.0[start..]
    }

    /// Whether these are the secret's bytes, in time that depends on the length alone.
    pub fn matches(&self, other: &[u8]) -> bool {
        self.bytes().ct_eq(other).into()
    }
}

impl fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedSecret(..)")
    }
}

/// A text that is no secret of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretFormatError {
    /// Not an API key.
    #[error("an API key is 32 lower-case hexadecimal digits")]
    ApiKey,
    /// Not an application key.
    #[error("an application key is 40 lower-case hexadecimal digits, or `ddapp_` and 34 letters and digits")]
    ApplicationKey,
    /// Not a token.
    #[error("a token is `ddpat_` or `ddsat_`, 22 letters and digits, `_`, and 36 letters and digits")]
    Token,
    /// Not a native key.
    #[error("a native key is 32 to 128 visible ASCII characters")]
    NativeKey,
    /// Not an integration token.
    #[error("an integration token is {INTEGRATION_TOKEN_CHARS} lower-case hexadecimal digits")]
    IntegrationToken,
    /// Not a session's.
    #[error("a session's secret is `clvsession_` and 49 letters and digits")]
    Session,
    /// Opened bytes that are not UTF-8.
    #[error("a secret is text, and these bytes are not")]
    NotText,
}

fn push_native_key(text: &mut String, prefix: KeyPrefix, random: &dyn Random) {
    text.push_str(prefix.as_str());
    text.push('_');
    push_key(text, random);
}

/// Random characters and the checksum over them, after a prefix.
fn push_key(text: &mut String, random: &dyn Random) {
    let prefix = text.len();
    base62::push_random(text, APPLICATION_KEY_RANDOM_CHARS, random);
    let checksum = base62::checksum(&text[prefix..]);
    text.extend(checksum);
}

fn push_token(text: &mut String, prefix: &str, random: &dyn Random) {
    text.push_str(prefix);
    base62::push_random(text, PUBLIC_PORTION_CHARS, random);
    text.push('_');
    base62::push_random(text, TOKEN_RANDOM_CHARS, random);
    let checksum = base62::checksum(&text[prefix.len()..]);
    text.extend(checksum);
}

/// Whether something presented says of itself that it is a token, good or bad: then it stands alone, and nothing
/// beside it counts. No secret of another kind begins like that.
pub fn claims_to_be_token(presented: &[u8]) -> bool {
    let prefixes = [PERSONAL_ACCESS_TOKEN_PREFIX, SERVICE_ACCESS_TOKEN_PREFIX];
    prefixes.iter().any(|prefix| presented.starts_with(prefix.as_bytes()))
}

fn is_token(text: &str, prefix: &str) -> bool {
    let Some((public, secret)) = text.strip_prefix(prefix).and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let is_base62 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    public.len() == PUBLIC_PORTION_CHARS
        && secret.len() == TOKEN_RANDOM_CHARS + base62::CHECKSUM_CHARS
        && is_base62(public)
        && is_base62(secret)
}

/// Native keys may come from anywhere, so that only what no header could carry, or is too short to be a secret, is
/// refused.
fn is_native_key(text: &str) -> bool {
    (32..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether something presented is as long as every integration token: the vendor refuses others with words of their
/// own.
pub fn is_integration_token_long(presented: &[u8]) -> bool {
    presented.len() == INTEGRATION_TOKEN_CHARS
}

fn is_integration_token(text: &[u8]) -> bool {
    is_integration_token_long(text) && std::str::from_utf8(text).is_ok_and(hex::is_hex)
}

fn is_session(text: &str) -> bool {
    let rest = text.strip_prefix(SESSION_PREFIX).unwrap_or_default();
    rest.len() == SESSION_RANDOM_CHARS + base62::CHECKSUM_CHARS
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_api_key(text: &str) -> bool {
    text.len() == API_KEY_CHARS && hex::is_hex(text)
}

fn is_application_key(text: &str) -> bool {
    text.len() == APPLICATION_KEY_CHARS
        && match text.strip_prefix(APPLICATION_KEY_PREFIX) {
            Some(rest) => rest.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            None => hex::is_hex(text),
        }
}

#[cfg(test)]
mod tests {
    use claviger_model::CredentialKind::{ApiKey, ApplicationKey};
    use claviger_model::testing::SeededRandom;

    use super::*;

    const HEX_32: &str = "0123456789abcdef0123456789abcdef";
    const HEX_40: &str = "0123456789abcdef0123456789abcdef01234567";
    const PREFIXED: &str = "ddapp_0123456789ABCDEFGHIJabcdefghij0123";

    #[test]
    fn generated_secrets_have_the_form_of_their_kind_and_differ() {
        let random = SeededRandom::new(1);
        for kind in CredentialKind::ALL {
            let (first, second) =
                (IssuedSecret::generate(kind, &random), IssuedSecret::generate(kind, &random));
            assert!(IssuedSecret::parse(kind, first.reveal()).is_ok(), "{}", first.reveal());
            assert!(!first.matches(second.bytes()));
        }
    }

    #[test]
    fn a_generated_application_key_ends_in_its_checksum() {
        let secret = IssuedSecret::generate(ApplicationKey, &SeededRandom::new(2));
        let (random_part, checksum) = secret.reveal().strip_prefix("ddapp_").unwrap().split_at(28);
        assert_eq!(checksum.chars().collect::<Vec<_>>(), base62::checksum(random_part));
    }

    #[test]
    fn a_native_key_begins_with_its_prefix_and_ends_in_its_checksum() {
        let random = SeededRandom::new(3);
        let prefix = |text| KeyPrefix::parse(text).unwrap();
        for prefix in [KeyPrefix::default(), prefix("acme_live"), prefix("abcdefghijklmnop")] {
            let secret = IssuedSecret::generate_native(prefix, &random);
            let rest = secret.reveal().strip_prefix(&format!("{prefix}_")).unwrap();
            assert_eq!(rest[28..].chars().collect::<Vec<_>>(), base62::checksum(&rest[..28]));
            assert!(IssuedSecret::parse(CredentialKind::NativeKey, secret.reveal()).is_ok());
            assert!(secret.reveal().len() <= CHARS_MAX);
        }
        assert!(IssuedSecret::generate(CredentialKind::NativeKey, &random).reveal().starts_with("clv_"));
    }

    #[test]
    fn a_token_says_what_it_is_and_shows_a_part_of_itself() {
        use claviger_model::CredentialKind::{PersonalAccessToken, ServiceAccessToken};
        let random = SeededRandom::new(3);
        for kind in CredentialKind::ALL {
            let secret = IssuedSecret::generate(kind, &random);
            let is_token = [PersonalAccessToken, ServiceAccessToken].contains(&kind);
            assert_eq!(claims_to_be_token(secret.bytes()), is_token, "{kind}");
            let is_shown = is_token || kind == CredentialKind::IntegrationToken;
            assert_eq!(secret.public_portion(kind).is_some(), is_shown, "{kind}");
        }
        for (kind, prefix, shown) in [
            (PersonalAccessToken, "ddpat_", "0123456789ABCDEFGHIJab"),
            (ServiceAccessToken, "ddsat_", "ddsat_0123456789ABCDEFGHIJab"),
        ] {
            let text = format!("{prefix}0123456789ABCDEFGHIJab_0123456789abcdefghijklmnopqrstuvwxyz");
            let secret = IssuedSecret::parse(kind, &text).unwrap();
            assert_eq!(secret.public_portion(kind), Some(shown));
        }
        assert!(!claims_to_be_token(b"ddpat") && !claims_to_be_token(b""));
    }

    #[test]
    fn known_forms_are_taken_whatever_their_checksum() {
        for (kind, text) in [(ApiKey, HEX_32), (ApplicationKey, HEX_40), (ApplicationKey, PREFIXED)] {
            assert_eq!(IssuedSecret::parse(kind, text).unwrap().reveal(), text);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let check = |kind, text: &str, error| {
            assert_eq!(IssuedSecret::parse(kind, text).unwrap_err(), error, "{text:?}");
        };
        for text in
            ["", HEX_40, PREFIXED, &HEX_32.to_uppercase(), &HEX_32[1..], &format!("{}g", &HEX_32[1..])]
        {
            check(ApiKey, text, SecretFormatError::ApiKey);
        }
        for text in [
            "",
            HEX_32,
            &HEX_40.to_uppercase(),
            &PREFIXED[1..],
            &format!("{}-", &PREFIXED[..39]),
            &format!("{}ü", &PREFIXED[..38]),
            &format!("{PREFIXED}\n"),
            &PREFIXED.replace("ddapp_", "ddapp-"),
        ] {
            check(ApplicationKey, text, SecretFormatError::ApplicationKey);
        }
    }

    #[test]
    fn opened_bytes_must_be_text() {
        let open = |bytes: &[u8]| IssuedSecret::from_opened(Zeroizing::new(bytes.to_vec()));
        assert_eq!(open(HEX_32.as_bytes()).unwrap().reveal(), HEX_32);
        assert_eq!(open(b"\xff\xfe").unwrap_err(), SecretFormatError::NotText);
    }

    #[test]
    fn last4_is_four_characters_or_all_there_are() {
        let last4 =
            |text: &str| IssuedSecret::from_opened(Zeroizing::new(text.into())).unwrap().last4().to_owned();
        assert_eq!(last4(HEX_32), "cdef");
        assert_eq!(last4("aüöäß"), "üöäß");
        assert_eq!(last4("abc"), "abc");
        assert_eq!(last4(""), "");
    }

    #[test]
    fn only_the_same_bytes_match() {
        let secret = IssuedSecret::parse(ApiKey, HEX_32).unwrap();
        assert!(secret.matches(HEX_32.as_bytes()));
        assert!(!secret.matches(&HEX_32.as_bytes()[1..]));
        assert!(!secret.matches(&[b'0'; 32]));
    }
}
