//! Who may hand on what: roles to users, and permissions to roles.
//!
//! Whoever manages the org's people (`user_access_manage`) decides which roles there are and who has them, as with
//! the vendor. A credential that is narrowed by scopes does not: what it hands on must be within what it may do
//! itself, so that it cannot make up through others, or through its owner's roles, for what it was not given. The
//! same holds for whoever brings in people or machines without managing everybody's access. Taking away is never
//! refused on these grounds.

use claviger_model::{Permission, PermissionSet};

use crate::{Caller, Error};

/// Whether a caller manages everybody's access: by permission, and with a credential that is not narrowed.
pub(crate) fn manages_everybody(caller: &Caller) -> bool {
    caller.scopes().is_none() && caller.may(Permission::USER_ACCESS_MANAGE)
}

/// Refuses to hand on more than the caller may.
pub(crate) fn check_grant(caller: &Caller, granted: &PermissionSet) -> Result<(), Error> {
    match manages_everybody(caller) || caller.may_all(granted) {
        true => Ok(()),
        false => Err(Error::Refused(&[])),
    }
}
