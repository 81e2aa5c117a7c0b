//! What is asked of a connection beyond what the catalog says: hosts that its type can name, and an end to come.

use claviger_catalog::{Connection as Entry, Faults, Host, Origin, Scheme};
use claviger_model::Timestamp;

use crate::{Error, FieldError};

/// The most hosts that a connection names by itself: each widens where its secrets may go.
pub const CONNECTION_HOSTS_MAX: usize = 20;

/// Faults in a connection's hosts. A host that its type would never send anything to is no use, and taken for a
/// mistake.
pub(crate) fn judge_hosts(entry: &Entry<'_>, hosts: &[Host]) -> Vec<FieldError> {
    if hosts.len() > CONNECTION_HOSTS_MAX {
        return vec![field("hosts", format!("must be at most {CONNECTION_HOSTS_MAX}"))];
    }
    let allowed = entry.allowed_hosts(hosts);
    let refused = |host: &Host| {
        let target = Origin::new(Scheme::Https, host.clone());
        allowed.check(&target).is_err()
    };
    let wrong = hosts.iter().enumerate().filter(|(_, host)| refused(host));
    let fault = |(place, _)| {
        let reason = "is no host that a connection with these settings can name".to_owned();
        field(&format!("hosts/{place}"), reason)
    };
    wrong.map(fault).collect()
}

/// The fault of an end that has come already.
pub(super) fn judge_end(end: Option<Timestamp>, now: Timestamp) -> Option<FieldError> {
    end.filter(|end| *end <= now).map(|_| field("expires_at", "must be in the future".to_owned()))
}

/// What could be made, unless something is wrong with it beyond what the catalog says: all of it is told at once.
pub(super) fn all_told<T>(made: Result<T, Error>, mut own: Vec<FieldError>) -> Result<T, Error> {
    match made {
        made if own.is_empty() => made,
        Ok(_) => Err(Error::Invalid(own)),
        Err(Error::BadConnection(faults)) => {
            own.extend(in_body(&faults));
            Err(Error::Invalid(own))
        }
        Err(Error::Invalid(others)) => {
            own.extend(others);
            Err(Error::Invalid(own))
        }
        Err(error) => Err(error),
    }
}

/// The catalog's faults, as fields of a body with the member `integration`.
fn in_body(faults: &Faults) -> impl Iterator<Item = FieldError> {
    faults.iter().map(|fault| field(&format!("integration{}", fault.pointer), fault.reason.clone()))
}

fn field(field: &str, reason: String) -> FieldError {
    FieldError { field: field.to_owned(), reason }
}
