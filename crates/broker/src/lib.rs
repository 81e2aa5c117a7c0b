//! The broker: uses a connection for a caller who never holds its secret.
//!
//! A call comes through the [`Door`](claviger_http::Door), or is asked for as an action ([`act`], [`place`]), and goes in this
//! order through
//!
//! - who calls, and for whom: [`credentials`], [`by`];
//! - which connection and path are meant: [`address`];
//! - where that is and what the connection adds: [`aim`], [`prepared`], [`template`], [`multipart`], [`mint`], [`voucher`];
//! - whether the connection's terms admit it, and there is room: [`rules`], [`room`], [`memory`];
//! - what of the caller's request goes along: [`headers`], [`query`], [`inbody`], [`draft`];
//! - the exchange, once more where that helps: [`pool`], [`link`], [`send`], [`retry`];
//! - the answer on its way back, as long as the right to it: [`answer`], [`redaction`], [`right`].
//!
//! Every call that names a connection, by a caller who may use connections at all, is recorded ([`record`]), and every
//! refusal is a row of one table ([`refusal`]), from which the API's description is written too ([`description`]). Tests of
//! connections ([`probe`], [`prove`]) go the same way, those of the server's own ([`check`]) for nobody.
//!
//! Where a secret may go is decided here and nowhere else: the origin comes from the connection, or from the caller among
//! those that the connection allows, is compared in its one form, and is the very one that is connected to. How to get
//! there safely is the matter of `claviger-egress`.

mod act;
mod address;
mod aim;
mod answer;
mod broker;
mod by;
mod charset;
mod check;
mod credentials;
mod description;
mod door;
mod draft;
mod faults;
mod forward;
mod headers;
mod inbody;
mod inside;
mod link;
mod members;
mod memory;
mod mint;
mod multipart;
mod onward;
mod outbody;
mod place;
mod pool;
mod prepared;
mod probe;
mod prove;
mod query;
mod record;
mod redaction;
mod refusal;
mod replaced;
mod retry;
mod right;
mod room;
mod rules;
mod send;
mod template;
mod voucher;

pub use act::{Acted, Action};
pub use broker::{Background, Broker, Options};
pub use faults::Faults;
#[cfg(feature = "faults")]
pub use faults::Guard;
pub use headers::no_page_of_ours;
pub use memory::Held;
pub use place::{Place, PlaceFault};
pub use probe::Tested;
pub use refusal::{ERROR, PathFault, Refusal, headers_of};
