//! Token exchanges, in code, chosen by name: each is one integration's.

use crate::settings::Settings;

/// The scope of Azure's resource manager, to which every connection without a scope of its own leads.
const RESOURCE_MANAGER: &str = "https://management.azure.com/.default";

/// An exchange of a connection's secret for a token of short life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// STS AssumeRole with the operator's own AWS credentials.
    AwsAssumeRole,
    /// OAuth 2.0 client credentials at Microsoft Entra.
    AzureClientCredentials,
    /// A signed JWT as a grant at Google.
    GcpJwtBearer,
}

impl Exchange {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "aws" => Some(Self::AwsAssumeRole),
            "azure" => Some(Self::AzureClientCredentials),
            "gcp" => Some(Self::GcpJwtBearer),
            _ => None,
        }
    }

    /// The settings and secrets that it reads: an entry that chooses it must have them.
    pub fn needs(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::AwsAssumeRole => (&["account_id", "role", "external_id"], &[]),
            Self::AzureClientCredentials => {
                (&["tenant_id", "app_client_id", "custom_scopes"], &["client_secret"])
            }
            Self::GcpJwtBearer => (&["service_account_email"], &["private_key"]),
        }
    }

    /// The settings from which its URL is built.
    pub(crate) fn url_fields(self) -> &'static [&'static str] {
        match self {
            Self::AzureClientCredentials => &["tenant_id"],
            Self::AwsAssumeRole | Self::GcpJwtBearer => &[],
        }
    }

    /// Where it goes. AWS has one address per region, the operator's choice; the others have one each.
    pub fn url(self, settings: &Settings, region: &str) -> Option<String> {
        match self {
            Self::AwsAssumeRole => Some(format!("https://sts.{region}.amazonaws.com/")),
            Self::AzureClientCredentials => {
                let tenant = settings.text("tenant_id")?;
                Some(format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"))
            }
            Self::GcpJwtBearer => Some("https://oauth2.googleapis.com/token".to_owned()),
        }
    }

    /// The scope that is asked for where nothing is called, to prove the secret. Of Azure, the connection's own, or that of
    /// the resource manager: an application gets a token for it whatever it may do there.
    pub fn scope_of_proof(self, settings: &Settings) -> Option<String> {
        match self {
            Self::AzureClientCredentials => {
                Some(settings.text("custom_scopes").unwrap_or(RESOURCE_MANAGER).to_owned())
            }
            Self::AwsAssumeRole | Self::GcpJwtBearer => None,
        }
    }

    /// So many seconds before it ends a token is renewed. Source: the vendors' own libraries (botocore, azure-identity,
    /// google-auth).
    pub fn renew_seconds_before(self) -> u32 {
        match self {
            Self::AwsAssumeRole => 600,
            Self::AzureClientCredentials => 300,
            Self::GcpJwtBearer => 225,
        }
    }
}
