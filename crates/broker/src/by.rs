//! Who a call is for: a caller, or the server itself, which tests connections by its own clock.

use claviger_engine::{Caller, Engine, Proof};
use claviger_model::{Connection, CredentialId, UserId};

/// See the module's documentation.
pub(crate) enum By {
    /// Somebody, and by what they proved who they are.
    Caller(Box<Caller>, Proof),
    /// Nobody: the connection's terms ask for it.
    Server,
}

impl By {
    pub(crate) fn caller(caller: &Caller, proof: Proof) -> Self {
        Self::Caller(Box::new(caller.clone()), proof)
    }

    /// Whether it counts as a use of the connection. A test of the server's does not: what nobody uses is to be found.
    pub(crate) fn is_use(&self) -> bool {
        matches!(self, Self::Caller(..))
    }

    /// Whether what is under way may go on.
    pub(crate) fn may_go_on(&self, engine: &Engine, connection: &Connection) -> bool {
        match self {
            Self::Caller(caller, proof) => engine.may_go_on(caller, proof, connection),
            Self::Server => engine.may_check(connection),
        }
    }

    /// The credential; none where it is the server itself.
    pub(crate) fn acting(&self) -> Option<CredentialId> {
        match self {
            Self::Caller(caller, _) => Some(caller.acting()),
            Self::Server => None,
        }
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Caller(caller, _) => caller.user(),
            Self::Server => None,
        }
    }
}
