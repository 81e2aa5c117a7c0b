//! The broker: uses a connection for a caller who never holds its secret.
//!
//! A call comes through the [`Door`](claviger_http::Door) and goes, in this order, through: who calls ([`credentials`]),
//! which connection and path are meant ([`address`]), where that is and what the connection adds ([`prepared`],
//! [`template`], [`multipart`], [`mint`], [`voucher`]), what of the caller's request goes along ([`headers`], [`query`], [`draft`]), the exchange ([`send`], [`pool`]), and the answer
//! on its way back ([`answer`], [`redaction`]). Every call that names a connection is recorded ([`record`]), and every
//! refusal is a row of one table ([`refusal`]).
//!
//! Where a secret may go is decided here and nowhere else: the origin comes from the connection, or from the caller among
//! those that the connection allows, is compared in its one form, and is the very one that is connected to. How to get
//! there safely is the matter of `claviger-egress`.

mod address;
mod answer;
mod broker;
mod credentials;
mod door;
mod draft;
mod faults;
mod headers;
mod inside;
mod mint;
mod multipart;
mod outbody;
mod pool;
mod prepared;
mod probe;
mod query;
mod record;
mod redaction;
mod refusal;
mod right;
mod send;
mod template;
mod voucher;

pub use broker::{Background, Broker, Options};
pub use faults::Faults;
#[cfg(feature = "faults")]
pub use faults::Guard;
pub use probe::Tested;
pub use refusal::{PathFault, Refusal};
