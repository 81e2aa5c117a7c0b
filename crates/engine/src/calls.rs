//! What was called through connections.

mod line;
mod noting;

use std::fmt;
use std::str::FromStr;

use claviger_model::{ConnectionId, Relation, Timestamp};
use claviger_store::CallBatch;
use uuid::Uuid;

pub use line::Call;
pub use noting::{BegunUse, Use, UsedBy};

use crate::permit::rights::ConnectionsRead;
use crate::{Engine, Error, Permit};

/// So many rows are read at once: a row has up to 1000 lines of 256 KiB together, and 4 MiB of them are in memory then at
/// most.
const ROWS_AT_ONCE: i64 = 16;

/// A place among a connection's calls, for whoever reads on from there. Written, it is opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPlace {
    /// When the row's last call ended.
    last_at: Timestamp,
    /// The row.
    row: Uuid,
    /// How many of its lines, from its first, are still to be read.
    left: u32,
}

impl CallPlace {
    /// The first row, from the latest, that has something to read for whoever goes on from here: its `last_at` and id are
    /// below these.
    fn rows_before(self) -> (Timestamp, Uuid) {
        match (self.left, self.row.as_u128().checked_add(1)) {
            (0, _) => (self.last_at, self.row),
            (_, Some(next)) => (self.last_at, Uuid::from_u128(next)),
            (_, None) => (Timestamp::from_micros(self.last_at.micros().saturating_add(1)), Uuid::nil()),
        }
    }
}

impl fmt::Display for CallPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.last_at.micros(), self.row.simple(), self.left)
    }
}

impl FromStr for CallPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (at, rest) = text.split_once('.')?;
            let (row, left) = rest.split_once('.')?;
            let last_at = Timestamp::from_micros(at.parse().ok()?);
            Some(Self { last_at, row: Uuid::try_parse(row).ok()?, left: left.parse().ok()? })
        };
        read().ok_or("must be what an answer gave as next")
    }
}

impl Engine {
    /// An id for some calls.
    pub fn new_batch_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.vault.random().fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Keeps what was called: all of it, or none. Giving the same batches again does no harm.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn record_calls(&self, batches: &[CallBatch]) -> Result<(), Error> {
        Ok(self.store.record_calls(batches).await?)
    }

    /// Up to `limit` of the calls that were made through a connection, the latest first, and from where to read on if there
    /// are more; for whoever may see it. A connection that is gone shows nothing any more.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its viewer.
    pub async fn list_calls(
        &self,
        permit: &Permit<ConnectionsRead>,
        id: ConnectionId,
        before: Option<CallPlace>,
        limit: usize,
    ) -> Result<(Vec<Call>, Option<CallPlace>), Error> {
        self.connection_for(permit.caller(), id.into(), Relation::Viewer).await?;
        let (mut calls, mut last) = (Vec::new(), None);
        let mut from = before.map(CallPlace::rows_before);
        loop {
            let rows = self.store.list_calls(permit.org(), id, from, ROWS_AT_ONCE).await?;
            for row in &rows {
                let lines: Vec<_> = row.lines.lines().collect();
                let begun = before.filter(|place| place.row == row.id && place.last_at == row.last_at);
                let unread = begun.map_or(lines.len(), |place| lines.len().min(place.left as usize));
                for (place, line) in lines[..unread].iter().enumerate().rev() {
                    if calls.len() == limit {
                        return Ok((calls, last));
                    }
                    calls.push(Call::read(line)?);
                    // A row has at most as many lines as its count of them, which is of this type, tells.
                    let left = u32::try_from(place).unwrap_or(u32::MAX);
                    last = Some(CallPlace { last_at: row.last_at, row: row.id, left });
                }
                from = Some((row.last_at, row.id));
            }
            if (rows.len() as i64) < ROWS_AT_ONCE {
                return Ok((calls, None));
            }
        }
    }

    /// Erases some of what was called before a moment. Tells whether that was all of it.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn forget_calls(&self, before: Timestamp) -> Result<bool, Error> {
        Ok(self.store.forget_calls(before).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_is_written() {
        for left in [0, 7] {
            let place =
                CallPlace { last_at: Timestamp::from_micros(17), row: Uuid::from_u128(u128::MAX), left };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3",
            "x.00000000000000000000000000000000.1",
            "1.00000000000000000000000000000000.-1",
        ] {
            assert!(bad.parse::<CallPlace>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_left_of_a_row_is_read_with_it() {
        let place =
            |row, left| CallPlace { last_at: Timestamp::from_micros(17), row: Uuid::from_u128(row), left };
        let at = Timestamp::from_micros;
        assert_eq!(place(5, 0).rows_before(), (at(17), Uuid::from_u128(5)));
        assert_eq!(place(5, 1).rows_before(), (at(17), Uuid::from_u128(6)));
        assert_eq!(place(u128::MAX, 1).rows_before(), (at(18), Uuid::nil()));
    }
}
