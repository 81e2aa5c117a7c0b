//! What goes into a statement and what comes out of a row, for both drivers.

use claviger_model::{
    ConnectionId, CredentialId, CredentialKind, EntryId, Expiry, InvitationId, LeakId, OrgId, PermissionId,
    RoleId, Timestamp, UserId, WebhookId, ZisIntegrationId, ZisOAuthClientId, ZisOAuthFlowId,
};
use claviger_vault::Digest;
use std::fmt::{self, Display};
use std::str::FromStr;
use uuid::Uuid;

use crate::StoreError;

/// A parameter of a statement.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Shows the kind only: parameters may be names of customers or sealed values.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Int(_) => "int",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        })
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&Digest> for Value {
    fn from(value: &Digest) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.micros())
    }
}

impl From<Expiry> for Value {
    fn from(value: Expiry) -> Self {
        value.timestamp().into()
    }
}

impl From<CredentialKind> for Value {
    fn from(value: CredentialKind) -> Self {
        Self::Text(value.as_str().to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl From<$id> for Value {
            fn from(value: $id) -> Self {
                Self::Text(value.to_string())
            }
        }
    )*};
}
ids!(
    OrgId,
    UserId,
    RoleId,
    PermissionId,
    InvitationId,
    CredentialId,
    EntryId,
    WebhookId,
    ConnectionId,
    LeakId,
    ZisIntegrationId,
    ZisOAuthClientId,
    ZisOAuthFlowId,
    Uuid
);

/// Builds a statement's parameters.
macro_rules! params {
    ($($value:expr),* $(,)?) => { Vec::<$crate::value::Value>::from([$($crate::value::Value::from($value)),*]) };
}
pub(crate) use params;

/// A row that is in no driver's hands, as a backup has them.
impl Row for Vec<Value> {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Int(int)) => Ok(Some(*int)),
            _ => Err(StoreError::damaged(format!("column {column} is no number"))),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            _ => Err(StoreError::damaged(format!("column {column} is no text"))),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            _ => Err(StoreError::damaged(format!("column {column} is no bytes"))),
        }
    }
}

/// A row of either driver. Columns are numbered from 0.
pub(crate) trait Row {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;
}

/// What every row can be asked for, on top of the three columns types there are.
impl dyn Row + '_ {
    pub(crate) fn opt<T: Column>(&self, column: usize) -> Result<Option<T>, StoreError> {
        T::read(self, column)
    }

    pub(crate) fn get<T: Column>(&self, column: usize) -> Result<T, StoreError> {
        self.opt(column)?.ok_or_else(|| StoreError::damaged(format!("column {column} is null")))
    }

    /// A text that has a type of its own.
    pub(crate) fn parsed<T: FromStr + Display>(&self, column: usize) -> Result<T, StoreError> {
        self.opt_parsed(column)?.ok_or_else(|| StoreError::damaged(format!("column {column} is null")))
    }

    /// A text that has a type of its own, in the one form in which that is written: an id in capitals would
    /// parse, but no statement would find its row.
    pub(crate) fn opt_parsed<T: FromStr + Display>(&self, column: usize) -> Result<Option<T>, StoreError> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        let parsed: Option<T> = text.parse().ok().filter(|parsed| is_written_as(parsed, text));
        let damaged = || StoreError::damaged(format!("column {column} does not parse"));
        parsed.ok_or_else(damaged).map(Some)
    }
}

/// Whether a value's text is this one. Does not allocate: a start reads millions.
fn is_written_as(value: &impl Display, text: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    fmt::write(&mut rest, format_args!("{value}")).is_ok() && rest.0.is_empty()
}

/// A type that a column can be read as; `None` where the column is null.
pub(crate) trait Column: Sized {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError>;
}

impl Column for i64 {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        row.int(column)
    }
}

impl Column for u32 {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        let int = row.int(column)?;
        int.map(|int| {
            Self::try_from(int).map_err(|_| StoreError::damaged(format!("column {column} is out of range")))
        })
        .transpose()
    }
}

impl Column for bool {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        match row.int(column)? {
            None => Ok(None),
            Some(flag @ (0 | 1)) => Ok(Some(flag == 1)),
            Some(_) => Err(StoreError::damaged(format!("column {column} is no flag"))),
        }
    }
}

impl Column for Timestamp {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.int(column)?.map(Self::from_micros))
    }
}

impl Column for String {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.text(column)?.map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.bytes(column)?.map(<[u8]>::to_vec))
    }
}

impl Column for Digest {
    fn read(row: &(dyn Row + '_), column: usize) -> Result<Option<Self>, StoreError> {
        let bytes = row.bytes(column)?;
        let digest = bytes.map(|bytes| {
            Self::try_from(bytes).map_err(|_| StoreError::damaged(format!("column {column} is no digest")))
        });
        digest.transpose()
    }
}
