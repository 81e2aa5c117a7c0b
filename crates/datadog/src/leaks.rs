//! `leak_information`: which of the keys in an answer were found where they should not be (reference: "Key
//! Management").
//!
//! What is known of a leak, type `leaked_keys`, stands in `included` whenever a key in the answer has one, whatever was
//! asked to be included: the vendor's schema has it there and says of no parameter that asks for it.

use claviger_engine::{Engine, Error as EngineError};
use claviger_model::{CredentialId, Leak, OrgId};
use serde_json::{Value, json};

use crate::times;
use crate::wire::{One, Reference, Relation, leaked_key};

/// A key in an answer.
pub(crate) trait Leakable {
    /// Its id.
    fn id(&self) -> &str;
    /// Where it says that it leaked.
    fn leak_information(&mut self) -> &mut Relation<Option<Reference>>;
}

/// Says of each key of an org in an answer whether it leaked.
pub(crate) async fn show<T: Leakable>(
    engine: &Engine,
    org: OrgId,
    keys: &mut [T],
    included: &mut Option<Vec<Value>>,
) -> Result<(), EngineError> {
    let ids: Vec<CredentialId> = keys.iter().filter_map(|key| key.id().parse().ok()).collect();
    for leak in engine.leaks_of(org, &ids).await? {
        let id = leak.credential.to_string();
        for key in keys.iter_mut().filter(|key| key.id() == id) {
            *key.leak_information() = leaked_key(leak.id);
        }
        included.get_or_insert_default().push(object(&leak));
    }
    Ok(())
}

/// The same of the one key of an answer.
pub(crate) async fn shown<T: Leakable>(
    engine: &Engine,
    org: OrgId,
    mut answer: One<T>,
) -> Result<One<T>, EngineError> {
    show(engine, org, std::slice::from_mut(&mut answer.data), &mut answer.included).await?;
    Ok(answer)
}

fn object(leak: &Leak) -> Value {
    let mut attributes = json!({ "date": times::v2(leak.at) });
    if let Some(source) = leak.url.as_ref().or(leak.source.as_ref()) {
        attributes["leak_source"] = json!(source);
    }
    json!({ "type": "leaked_keys", "id": leak.id.to_string(), "attributes": attributes })
}
