//! Forms, as token endpoints take them.

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::percent;

/// A form's body, of names and values that may be secret: cleared when the request is done with. Blanks are `%20`, which
/// every reader of forms understands.
pub(crate) fn body(pairs: &[(&str, &str)]) -> Bytes {
    // As large as it can become, so that growing leaves no copies behind.
    let size = pairs.iter().map(|(name, value)| (name.len() + value.len()) * 3 + 2).sum();
    let mut text = Zeroizing::new(String::with_capacity(size));
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        percent::encode_into(&mut text, name.as_bytes());
        text.push('=');
        percent::encode_into(&mut text, value.as_bytes());
    }
    Bytes::from_owner(text)
}
