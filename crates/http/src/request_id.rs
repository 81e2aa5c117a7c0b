//! A request's id, in its answer, in logs and in the ledger.

use std::sync::atomic::{AtomicU64, Ordering};

use claviger_model::{Random, RequestId};
use http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that tells a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The same where the other may be somebody else's: on answers that are passed on.
pub const OWN_REQUEST_ID: HeaderName = HeaderName::from_static("claviger-request-id");

/// Gives ids: a random half for this process and a number, since a fresh random id for each request would cost
/// more than verifying does. They are names, not secrets.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// A new series.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let (process, first) = bytes.split_at(8);
        let number = |half: &[u8]| half.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Self { process: number(process), next: AtomicU64::new(number(first)) }
    }

    /// The next id.
    pub fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let bits = u128::from(self.process) << 64 | u128::from(number);
        RequestId::from_uuid(uuid::Builder::from_u128(bits).with_version(uuid::Version::Random).into_uuid())
    }
}

/// The id as a header's value.
pub fn request_id_header(id: RequestId) -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = id.uuid().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).expect("an id is hexadecimal and dashes")
}
