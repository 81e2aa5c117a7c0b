//! Which org a request is for, before anything is known of who it is from: by the host, or the only one there is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use claviger_model::{Org, OrgId, PrivateReach, Subdomain};

use crate::Engine;

/// What the directory knows of orgs from outside. Requests that ask it are those that manage, so that a lock does.
#[derive(Default)]
pub(crate) struct Tenants(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The lowest number, and whose it is.
    first: Option<(i64, OrgId)>,
    by_subdomain: HashMap<Subdomain, OrgId>,
}

impl Tenants {
    pub(crate) fn put(&self, org: &Org) {
        let mut known = self.0.lock().expect("nothing panics while it holds this lock");
        if known.first.is_none_or(|(number, _)| org.number < number) {
            known.first = Some((org.number, org.id));
        }
        let is_as_before = match &org.subdomain {
            Some(subdomain) => known.by_subdomain.get(subdomain) == Some(&org.id),
            None => false,
        };
        if !is_as_before {
            known.by_subdomain.retain(|_, known| *known != org.id);
            if let Some(subdomain) = &org.subdomain {
                known.by_subdomain.insert(subdomain.clone(), org.id);
            }
        }
    }

    pub(crate) fn founding_org(&self) -> Option<OrgId> {
        self.0.lock().expect("nothing panics while it holds this lock").first.map(|(_, org)| org)
    }

    pub(crate) fn org_at(&self, subdomain: &str) -> Option<OrgId> {
        let subdomain = Subdomain::parse(subdomain).ok()?;
        let known = self.0.lock().expect("nothing panics while it holds this lock");
        known.by_subdomain.get(&subdomain).copied()
    }
}

impl Engine {
    /// The org that was made first: the one that is meant where nothing says which.
    pub fn founding_org(&self) -> Option<OrgId> {
        self.directory.founding_org()
    }

    /// Which private places calls of an org may reach; none for the Internet alone.
    pub fn private_reach(&self, org: OrgId) -> Option<Arc<PrivateReach>> {
        self.directory.private_reach(org)
    }

    /// The org that has a subdomain, which is in lower case.
    pub fn org_at(&self, subdomain: &str) -> Option<OrgId> {
        self.directory.org_at(subdomain)
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;
    use claviger_model::{OrgSettings, Timestamp};

    use super::*;

    fn org(id: OrgId, number: i64, subdomain: Option<&str>) -> Org {
        let at = Timestamp::from_micros(0);
        Org {
            id,
            number,
            name: String::new(),
            subdomain: subdomain.map(|text| Subdomain::parse(text).unwrap()),
            private_reach: Default::default(),
            settings: OrgSettings::default(),
            created_at: at,
            modified_at: at,
            disabled_at: None,
        }
    }

    #[test]
    fn a_subdomain_leads_to_whoever_has_it_now() {
        let random = SeededRandom::new(1);
        let (one, other) = (OrgId::generate(&random), OrgId::generate(&random));
        let tenants = Tenants::default();
        assert_eq!(tenants.founding_org(), None);
        tenants.put(&org(other, 2, Some("acme")));
        tenants.put(&org(one, 1, None));
        assert_eq!(tenants.founding_org(), Some(one));
        assert_eq!(
            [tenants.org_at("acme"), tenants.org_at("Acme"), tenants.org_at("a.b")],
            [Some(other), None, None]
        );
        // It is given up and taken by another, applied in this order and, after a restart, in any.
        tenants.put(&org(other, 2, Some("acme2")));
        tenants.put(&org(one, 1, Some("acme")));
        tenants.put(&org(other, 2, Some("acme2")));
        assert_eq!([tenants.org_at("acme"), tenants.org_at("acme2")], [Some(one), Some(other)]);
        tenants.put(&org(one, 1, None));
        assert_eq!(tenants.org_at("acme"), None);
    }
}
