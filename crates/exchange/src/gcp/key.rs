//! Private keys as people have them.

use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_catalog::SecretText;
use zeroize::Zeroizing;

use crate::ExchangeError;

/// The labels of both forms (RFC 7468, section 10; RFC 8017, appendix A.1.2).
const PKCS8: &str = "PRIVATE KEY";
const PKCS1: &str = "RSA PRIVATE KEY";

/// Reads the one key of a text. What is copied out of a JSON file has `\n` where lines end; what went through a form may
/// have blanks there.
pub(super) fn read(pem: &SecretText) -> Result<RsaKeyPair, ExchangeError> {
    let text = pem.reveal();
    let (label, base64) = block(text, PKCS8)
        .map(|base64| (PKCS8, base64))
        .or_else(|| Some((PKCS1, block(text, PKCS1)?)))
        .ok_or(ExchangeError::Unusable("the private key is not PEM, or is encrypted"))?;
    let der = decode(base64).ok_or(ExchangeError::Unusable("the private key is damaged"))?;
    let pair = match label {
        PKCS8 => RsaKeyPair::from_pkcs8(&der),
        _ => RsaKeyPair::from_der(&der),
    };
    pair.map_err(|_| ExchangeError::Unusable("the private key is no RSA key of 2048 to 8192 bits"))
}

/// What is between a label's lines.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    Some(rest.split_once(&format!("-----END {label}-----"))?.0)
}

fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(String::with_capacity(base64.len()));
    let mut characters = base64.chars();
    while let Some(character) = characters.next() {
        match character {
            // The end of a line, as JSON writes it.
            '\\' => drop(characters.next().filter(|escaped| ['n', 'r'].contains(escaped))?),
            ' ' | '\t' | '\r' | '\n' => {}
            digit => digits.push(digit),
        }
    }
    let mut der = Zeroizing::new(Vec::with_capacity(digits.len()));
    STANDARD.decode_vec(&*digits, &mut der).ok()?;
    Some(der)
}
