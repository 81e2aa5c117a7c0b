//! Settings that have a section of their own in the configuration file: `[catalog]` and `[aws]`; for `[broker]` see
//! [`super::upstreams`].

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::SettingsError;
use super::faults::Faults;

/// The sections by name: `region` within `[aws]` is the setting `aws_region`.
pub(super) const SECTIONS: [&str; 3] = ["aws", "broker", "catalog"];
/// Keys of sections that have no flag: one since everybody on a machine sees its flags, one since it is a list.
pub(super) const FILE_ONLY: [&str; 2] = ["aws_secret_access_key", "broker_upstream"];

/// `[catalog]`.
#[derive(Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypedCatalog {
    /// Integrations of your own for connections, in the form of the catalog [default: none]
    #[arg(
        id = "catalog_extra",
        long = "catalog-extra",
        value_name = "FILE",
        env = "CLAVIGER_CATALOG_EXTRA",
        global = true
    )]
    pub extra: Option<PathBuf>,
}

/// `[aws]`: as whom the server assumes the roles of AWS connections.
#[derive(Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypedAws {
    /// The region whose STS the server's own AWS credentials go to
    #[arg(
        id = "aws_region",
        long = "aws-region",
        value_name = "REGION",
        env = "CLAVIGER_AWS_REGION",
        global = true
    )]
    pub region: Option<String>,
    /// The AWS account of the server's own AWS credentials, which roles are to trust [default: none]
    #[arg(
        id = "aws_principal_id",
        long = "aws-principal-id",
        value_name = "ACCOUNT",
        env = "CLAVIGER_AWS_PRINCIPAL_ID",
        global = true
    )]
    pub principal_id: Option<String>,
    /// The id of the server's own AWS access key; its secret comes from CLAVIGER_AWS_SECRET_ACCESS_KEY or the file
    #[arg(
        id = "aws_access_key_id",
        long = "aws-access-key-id",
        value_name = "ID",
        env = "CLAVIGER_AWS_ACCESS_KEY_ID",
        global = true
    )]
    pub access_key_id: Option<String>,
    /// The secret.
    #[arg(skip)]
    pub secret_access_key: Option<SecretSetting>,
}

/// A secret that was written into the configuration file. It does not print.
pub struct SecretSetting(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl TypedCatalog {
    pub(super) fn or(self, below: Self) -> Self {
        Self { extra: self.extra.or(below.extra) }
    }
}

impl TypedAws {
    pub(super) fn or(self, below: Self) -> Self {
        Self {
            region: self.region.or(below.region),
            principal_id: self.principal_id.or(below.principal_id),
            access_key_id: self.access_key_id.or(below.access_key_id),
            secret_access_key: self.secret_access_key.or(below.secret_access_key),
        }
    }
}

/// The server's own credentials at AWS.
#[derive(Clone)]
pub struct Aws {
    /// The region whose STS they go to.
    pub region: String,
    /// Their account, which roles are to trust.
    pub principal_id: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Zeroizing<String>,
}

/// Shows everything but the secret.
impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, principal_id, access_key_id, .. } = self;
        write!(f, "Aws({region}, {principal_id}, {access_key_id}, ..)")
    }
}

impl Aws {
    /// What was typed, if there is no fault in it; none within where nothing was. `secret` is what the environment holds, which wins over the file.
    pub(super) fn check(
        typed: TypedAws,
        secret: Option<Zeroizing<String>>,
        faults: &mut Faults,
    ) -> Option<Option<Self>> {
        let secret = secret.or(typed.secret_access_key.map(|secret| secret.0));
        let parts = [
            ("--aws-region", typed.region.is_some()),
            ("--aws-principal-id", typed.principal_id.is_some()),
            ("--aws-access-key-id", typed.access_key_id.is_some()),
            ("CLAVIGER_AWS_SECRET_ACCESS_KEY", secret.is_some()),
        ];
        let (Some(region), Some(principal_id), Some(access_key_id), Some(secret_access_key)) =
            (typed.region, typed.principal_id, typed.access_key_id, secret)
        else {
            let missing: Vec<_> =
                parts.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect();
            if missing.len() == parts.len() {
                return Some(None);
            }
            faults.add(SettingsError::HalfAws { missing: missing.join(", ") });
            return None;
        };
        let mut is_whole = true;
        let mut refuse = |error| {
            faults.add(error);
            is_whole = false;
        };
        let no = |setting, text: &str, form| SettingsError::Aws { setting, text: text.to_owned(), form };
        let is = |text: &str, fits: fn(u8) -> bool| {
            !text.is_empty() && text.len() <= 128 && text.bytes().all(fits)
        };
        if !is(&region, |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            refuse(no("--aws-region", &region, "a region such as eu-west-1"));
        }
        if principal_id.len() != 12 || !is(&principal_id, |byte| byte.is_ascii_digit()) {
            refuse(no("--aws-principal-id", &principal_id, "an account of 12 digits"));
        }
        if !is(&access_key_id, |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9')) {
            refuse(no("--aws-access-key-id", &access_key_id, "an access key's id, capitals and digits"));
        }
        if !is(&secret_access_key, |byte| byte.is_ascii_graphic()) {
            refuse(SettingsError::AwsSecret);
        }
        is_whole.then_some(Some(Self { region, principal_id, access_key_id, secret_access_key }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SecretVariables;
    use crate::settings::testing::{check, check_with, refused, secret};

    #[test]
    fn the_servers_own_credentials_at_aws_are_whole_or_not_there() {
        assert!(check(|_| ()).unwrap().aws.is_none());
        let typed = || TypedAws {
            region: Some("eu-west-1".into()),
            principal_id: Some("123456789012".into()),
            access_key_id: Some("AKIDEXAMPLE".into()),
            secret_access_key: Some(SecretSetting(Zeroizing::new("hunter2".into()))),
        };
        let settings = check(|it| it.aws = typed()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.aws.unwrap().secret_access_key.as_str(), "hunter2");
        // The environment wins over the file.
        let secrets =
            SecretVariables { aws_secret_access_key: secret("other"), ..SecretVariables::default() };
        let aws = check_with(secrets, |it| it.aws = typed()).unwrap().aws.unwrap();
        assert_eq!(aws.secret_access_key.as_str(), "other");
        refused(
            |it| it.aws.region = Some("eu-west-1".into()),
            "give --aws-principal-id, --aws-access-key-id",
        );
        refused(
            |it| it.aws = TypedAws { secret_access_key: None, ..typed() },
            "CLAVIGER_AWS_SECRET_ACCESS_KEY",
        );
        refused(|it| it.aws = TypedAws { region: Some("EU".into()), ..typed() }, "--aws-region EU is not");
        refused(|it| it.aws = TypedAws { principal_id: Some("1".into()), ..typed() }, "12 digits");
        refused(
            |it| it.aws = TypedAws { access_key_id: Some("a b".into()), ..typed() },
            "--aws-access-key-id a b",
        );
        let bad = Some(SecretSetting(Zeroizing::new("hunter2 \n".into())));
        let sentence =
            check(|it| it.aws = TypedAws { secret_access_key: bad, ..typed() }).unwrap_err().to_string();
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
}
