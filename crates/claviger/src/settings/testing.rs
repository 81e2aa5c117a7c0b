//! How tests of settings check them.

use zeroize::Zeroizing;

use super::{SecretVariables, Settings, SettingsErrors, Typed};

pub(super) fn check(edit: impl FnOnce(&mut Typed)) -> Result<Settings, SettingsErrors> {
    check_with(SecretVariables::default(), edit)
}

pub(super) fn check_with(
    secrets: SecretVariables,
    edit: impl FnOnce(&mut Typed),
) -> Result<Settings, SettingsErrors> {
    let mut typed = Typed::default();
    edit(&mut typed);
    Settings::check(typed, secrets)
}

pub(super) fn refused(edit: impl FnOnce(&mut Typed), expected: &str) {
    let sentence = check(edit).unwrap_err().to_string();
    assert!(sentence.contains(expected), "{sentence}");
}

pub(super) fn secret(text: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(text.to_owned()))
}
