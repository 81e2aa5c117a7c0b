//! Where the digests of dead secrets are kept outside the database, so that a restore does not bring them back.

use std::io;

use claviger_model::Position;
use claviger_vault::Digest;

/// A list of the dead. It is written before anybody is told that something died.
pub trait DeadList: Send + Sync {
    /// Adds digests that died up to a position; they are durable when this returns. Called for every batch of
    /// entries, mostly with none, which must cost nothing worth naming.
    ///
    /// # Errors
    /// When they are not known to be durable; the same ones will be given again.
    fn append(&self, dead: &[Digest], through: Position) -> io::Result<()>;
}

/// Keeps nothing: for databases that nobody would restore, as those of tests.
#[derive(Debug, Clone, Copy)]
pub struct NoDeadList;

impl DeadList for NoDeadList {
    fn append(&self, _: &[Digest], _: Position) -> io::Result<()> {
        Ok(())
    }
}
