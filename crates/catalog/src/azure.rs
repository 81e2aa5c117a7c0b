//! Which scope a token of Azure is for, and which hosts may have it.

use claviger_model::Host;

use crate::host::HostPattern;

/// Hosts and the resource that they belong to. A token is good for one resource; several of them have families of
/// hosts. Sources: Microsoft's documentation for the first two; the others are general knowledge.
const RESOURCES: [(&str, &str); 9] = [
    ("management.azure.com", "https://management.azure.com"),
    ("graph.microsoft.com", "https://graph.microsoft.com"),
    ("*.vault.azure.net", "https://vault.azure.net"),
    ("*.blob.core.windows.net", "https://storage.azure.com"),
    ("*.queue.core.windows.net", "https://storage.azure.com"),
    ("*.table.core.windows.net", "https://storage.azure.com"),
    ("*.dfs.core.windows.net", "https://storage.azure.com"),
    ("api.loganalytics.io", "https://api.loganalytics.io"),
    ("api.loganalytics.azure.com", "https://api.loganalytics.azure.com"),
];

const DEFAULT: &str = "/.default";

/// The scope of a token for a host, where the connection names none.
pub(crate) fn scope_for(host: &Host) -> Option<String> {
    let matches = |text: &str| HostPattern::parse(text).is_ok_and(|pattern| pattern.matches(host));
    let (_, resource) = RESOURCES.iter().find(|(text, _)| matches(text))?;
    Some(format!("{resource}{DEFAULT}"))
}

/// The hosts that may have a token of a scope that the connection names. From `api://…` and GUIDs none follow: then
/// the connection must name its hosts.
pub(crate) fn hosts_of(scope: &str) -> Vec<HostPattern> {
    let Some(rest) = scope.strip_prefix("https://") else { return Vec::new() };
    let authority = rest.split('/').next().unwrap_or(rest);
    // A token for a resource with a user or port in it would be bound to a host that it does not name.
    let Ok(host) = authority.parse::<Host>() else { return Vec::new() };
    let resource = format!("https://{host}");
    let family = RESOURCES.iter().filter(|(_, of)| *of == resource).map(|(text, _)| *text);
    let family: Vec<HostPattern> = family.filter_map(|text| HostPattern::parse(text).ok()).collect();
    if family.is_empty() { vec![HostPattern::Exact(host)] } else { family }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_have(scope: &str, host: &str) -> bool {
        hosts_of(scope).iter().any(|pattern| pattern.matches(&host.parse().unwrap()))
    }

    #[test]
    fn a_scope_follows_from_the_host() {
        let scope = |host: &str| scope_for(&host.parse().unwrap());
        assert_eq!(scope("graph.microsoft.com").as_deref(), Some("https://graph.microsoft.com/.default"));
        assert_eq!(scope("a.blob.core.windows.net").as_deref(), Some("https://storage.azure.com/.default"));
        assert_eq!(scope("evil.example"), None);
    }

    #[test]
    fn a_token_goes_to_its_resource_alone() {
        assert!(may_have("https://management.azure.com/.default", "management.azure.com"));
        assert!(may_have("https://vault.azure.net/.default", "my.vault.azure.net"));
        assert!(may_have("https://storage.azure.com/.default", "a.dfs.core.windows.net"));
        assert!(may_have("https://api.own.example//.default", "api.own.example"));
        assert!(!may_have("https://vault.azure.net/.default", "vault.azure.net"));
        assert!(!may_have("https://management.azure.com/.default", "graph.microsoft.com"));
        for scope in ["api://7f3c/.default", "https://user@graph.microsoft.com/.default", "https:///x"] {
            assert_eq!(hosts_of(scope), [], "{scope}");
        }
    }

    #[test]
    fn every_row_is_a_host() {
        for (text, _) in RESOURCES {
            assert!(HostPattern::parse(text).is_ok(), "{text}");
        }
    }
}
