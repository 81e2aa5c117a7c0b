//! The members of an answer.

use claviger_catalog::SecretText;
use claviger_outbound::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Tokens, member, refusal};
use crate::ExchangeError;

/// What is looked at, where it stands in the text: no copies of secrets. A member that comes twice is an error, since
/// readers differ in which of them counts.
#[derive(Deserialize)]
pub(super) struct Members<'a> {
    #[serde(borrow)]
    access_token: Option<&'a RawValue>,
    #[serde(borrow)]
    token_type: Option<&'a RawValue>,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error_description: Option<&'a RawValue>,
}

pub(super) fn read(answer: &Answer, text: &str, sent: &[&SecretText]) -> Result<Tokens, ExchangeError> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        return Err(refusal::unreadable(answer).unwrap_or(ExchangeError::Garbage("is no JSON object")));
    };
    if let Some(error) = refusal::of(answer, &members, sent) {
        return Err(error);
    }
    let access_token = member::token(members.access_token)?;
    Ok(Tokens {
        access_token: access_token.ok_or(ExchangeError::Garbage("has no access_token"))?,
        token_type: member::token_type(members.token_type)?,
        refresh_token: member::token(members.refresh_token)?,
        expires_in: member::seconds(members.expires_in)?,
        scope: member::scope(members.scope)?,
        body: SecretText::new(text.to_owned()),
    })
}
