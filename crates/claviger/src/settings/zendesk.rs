//! What the operator decides for the Zendesk dialect.

use claviger_zendesk::Options;

use super::SettingsError;
use super::faults::Faults;

/// A number of which none would leave nothing to do.
pub(super) fn positive(setting: &'static str, number: Option<u32>) -> Result<Option<u32>, SettingsError> {
    match number {
        Some(0) => Err(SettingsError::Nothing { setting }),
        number => Ok(number),
    }
}

pub(super) fn options(
    base_domain: Option<String>,
    public_url: Option<String>,
    shows_tokens: bool,
    faults: &mut Faults,
) -> Option<Options> {
    let options = match base_domain {
        None => Ok(Options::default()),
        Some(text) => Options::under(&text).map_err(|error| SettingsError::ZendeskBaseDomain { text, error }),
    };
    let options = faults.note(options);
    let Some(text) = public_url else { return Some(options?.showing_tokens(shows_tokens)) };
    // Asked also where there is no domain to it: what is wrong with it is wrong everywhere.
    let located = options.clone().unwrap_or_default().with_public_url(&text);
    let located = faults.note(located.map_err(|error| SettingsError::ZendeskPublicUrl { text, error }));
    options.and(located).map(|options| options.showing_tokens(shows_tokens))
}

#[cfg(test)]
mod tests {
    use claviger_egress::Policy;

    use super::*;
    use crate::settings::testing::{check, refused};

    #[test]
    fn oauth_is_as_the_operator_decides() {
        let public = |text: &str| check(|typed| typed.zendesk_public_url = Some(text.into()));
        let expected = Options::default().with_public_url("https://claviger.example").unwrap();
        assert_eq!(public("https://claviger.example/").unwrap().serve.zendesk, expected);
        refused(
            |typed| typed.zendesk_public_url = Some("claviger.example".into()),
            "--zendesk-public-url claviger.example is no address of a server",
        );
        let shown = check(|typed| typed.zendesk_show_tokens = Some(true)).unwrap().serve.zendesk;
        assert_eq!(shown, Options::default().showing_tokens(true));
        let anywhere = check(|typed| typed.zendesk_oauth_anywhere = Some(true)).unwrap().serve;
        assert_eq!(
            (anywhere.oauth_policy, anywhere.webhook_policy),
            (Policy::private_too(), Policy::public())
        );
    }

    #[test]
    fn the_zendesk_dialects_numbers_are_some() {
        let numbers = check(|typed| {
            typed.zendesk_requests_per_minute = Some(1);
            typed.zendesk_connections_max = Some(7);
        });
        let numbers = numbers.map(|it| (it.serve.zis_requests_per_minute, it.zis_connections_max));
        assert_eq!(numbers.unwrap(), (Some(1), Some(7)));
        refused(|typed| typed.zendesk_requests_per_minute = Some(0), "--zendesk-requests-per-minute 0");
        refused(|typed| typed.zendesk_connections_max = Some(0), "--zendesk-connections-max 0");
    }

    #[test]
    fn the_zendesk_dialect_has_a_domain_or_one_org() {
        let under = |text: &str| {
            check(|typed| typed.zendesk_base_domain = Some(text.into())).map(|it| it.serve.zendesk)
        };
        assert_eq!(under("claviger.example").unwrap(), Options::under("claviger.example").unwrap());
        for text in ["", "https://claviger.example", "*.claviger.example"] {
            refused(
                |typed| typed.zendesk_base_domain = Some(text.into()),
                "is not a domain: write it as example.com",
            );
        }
    }
}
