//! One connection, from its create through its changes, beside the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use claviger_catalog::{
    Connection, CredentialType, Faults, SecretName, Secrets, ServerValues, Settings, Shape, Updated,
};
use claviger_model::testing::SeededRandom;
use serde_json::Value;

use super::model::Model;
use super::{CATALOG, oracle, types};

const PRINCIPAL: &str = "464622532012";

/// What happened, for whoever wants to know that anything does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: Option<String>,
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) repointed: usize,
    /// Changes that moved a token, which they brought.
    pub(crate) moved: usize,
    pub(crate) refused: usize,
}

/// One connection and its fate.
pub(super) struct Case {
    random: SeededRandom,
    pub(super) needle: &'static str,
    pub(super) kept: Option<Kept>,
    pub(super) seen: Seen,
}

/// A connection as it is stored, and as the model has it.
pub(super) struct Kept {
    settings: Settings,
    credential: &'static CredentialType,
    pub(super) model: Model,
}

impl Kept {
    fn connection(&self) -> Connection<'_> {
        CATALOG.connection(&self.settings).unwrap()
    }

    fn names(&self) -> BTreeSet<SecretName> {
        self.model.secrets.keys().map(|name| SecretName::parse(name).unwrap()).collect()
    }
}

impl Case {
    /// No connection yet. `needle` is what gives a secret away.
    pub(super) fn new(needle: &'static str) -> Self {
        Self { random: SeededRandom::new(1), needle, kept: None, seen: Seen::default() }
    }

    /// `expected`: whether it must be taken, where that is known.
    pub(super) fn create(&mut self, body: &Value, expected: Option<bool>) {
        let server = ServerValues { principal_id: PRINCIPAL, random: &self.random };
        let created = match CATALOG.create(body.clone(), &server) {
            Ok(created) => created,
            Err(faults) => return self.refused(body, &faults, expected),
        };
        assert_ne!(expected, Some(false), "taken, but must be refused: {body}");
        self.seen.created += 1;
        oracle::warnings(body, &created.warnings, self.needle);
        let settings = oracle::stored(&created.settings);
        let (entry, credential) =
            *types().iter().find(|(_, credential)| credential.kind() == settings.credentials()).unwrap();
        self.seen.kind = Some(credential.kind().to_owned());
        let model = Model::empty(entry.kind(), credential.kind()).after(credential, body);
        let mut model = model.unwrap_or_else(|reason| panic!("taken in spite of: {reason}: {body}"));
        let shown = CATALOG.connection(&settings).unwrap().shown(&created.secrets.keys().cloned().collect());
        self.needle = self.no_leak(body, credential, &created, &settings, &shown);
        made(credential, &mut model, &shown, true);
        assert_eq!(shown, model.shown, "what is kept is not what was created: {body}");
        assert_eq!(revealed(&created.secrets), model.secrets, "other secrets are kept: {body}");
        self.keep(settings, credential, model);
    }

    pub(super) fn update(&mut self, body: &Value, expected: Option<bool>) {
        let Some(kept) = &self.kept else { return };
        let server = ServerValues { principal_id: PRINCIPAL, random: &self.random };
        let names = kept.names();
        let updated = match kept.connection().update(&names, body.clone(), &server) {
            Ok(updated) => updated,
            Err(faults) => return self.refused(body, &faults, expected),
        };
        assert_ne!(expected, Some(false), "taken, but must be refused: {body} over {:?}", kept.model);
        self.seen.updated += 1;
        oracle::warnings(body, &updated.warnings, self.needle);
        let settings = oracle::stored(&updated.settings);
        self.seen.repointed += usize::from(stays_or_brings_all(kept, &names, &settings, &updated));
        self.seen.moved += usize::from(stays_or_is_brought(kept, &names, &settings, &updated));
        let model = kept.model.after(kept.credential, body);
        let mut model = model.unwrap_or_else(|reason| panic!("taken in spite of: {reason}: {body}"));
        let mut secrets = kept.model.secrets.clone();
        for name in &updated.delete {
            assert!(secrets.remove(name.as_str()).is_some(), "deletes {name}, which is not kept: {body}");
        }
        secrets.extend(revealed(&updated.write));
        assert_eq!(secrets, model.secrets, "other secrets are kept: {body}");
        let now = secrets.keys().map(|name| SecretName::parse(name).unwrap()).collect();
        let shown = CATALOG.connection(&settings).unwrap().shown(&now);
        let needle = self.no_leak(body, kept.credential, &updated, &settings, &shown);
        let renew = body["credentials"]["generate_new_external_id"] == true;
        made(kept.credential, &mut model, &shown, renew);
        assert_eq!(shown, model.shown, "what is kept is not what was changed: {body}");
        let credential = kept.credential;
        self.keep(settings, credential, model);
        self.needle = needle;
    }

    fn refused(&mut self, body: &Value, faults: &Faults, expected: Option<bool>) {
        self.seen.refused += 1;
        oracle::refusal(body, faults, self.needle);
        assert_ne!(expected, Some(true), "refused, but must be taken: {faults}: {body}");
    }

    fn keep(&mut self, settings: Settings, credential: &'static CredentialType, model: Model) {
        oracle::one_line_each("", &model.shown);
        model.secrets.iter().for_each(|(name, text)| oracle::one_line(name, text));
        let kept = Kept { settings, credential, model };
        oracle::destination(&kept.connection(), &kept.settings);
        self.kept = Some(kept);
    }

    /// Says what gives a secret away from here on: nothing, if somebody put one where none belongs, and there it is kept.
    fn no_leak(
        &self,
        body: &Value,
        credential: &CredentialType,
        answer: &impl Debug,
        settings: &Settings,
        shown: &Value,
    ) -> &'static str {
        let in_clear = oracle::in_clear(credential, body, self.needle);
        let needle = if in_clear { "\u{0}" } else { self.needle };
        oracle::no_leak(needle, answer, settings, shown);
        needle
    }

    /// Clients send back what they read. Without the secrets, which nobody reads, that is no change.
    pub(super) fn unchanged_by_what_is_shown(&self) {
        let Some(kept) = &self.kept else { return };
        let mut body = kept.model.shown.clone();
        for field in kept.credential.secret_fields() {
            body["credentials"].as_object_mut().unwrap().remove(field.name());
        }
        let server = ServerValues { principal_id: PRINCIPAL, random: &self.random };
        let updated = kept.connection().update(&kept.names(), body, &server);
        let updated = updated.unwrap_or_else(|faults| panic!("what is shown is refused: {faults}"));
        assert_eq!(updated.settings, kept.settings, "what is shown is a change");
        assert!(updated.write.is_empty() && updated.delete.is_empty() && !updated.repointed);
    }
}

/// A secret goes where it went before, or whoever changes that brings it or deletes it. Says whether it goes elsewhere.
fn stays_or_brings_all(
    kept: &Kept,
    names: &BTreeSet<SecretName>,
    settings: &Settings,
    updated: &Updated,
) -> bool {
    let before = oracle::destination(&kept.connection(), &kept.settings);
    let after = oracle::destination(&CATALOG.connection(settings).unwrap(), settings);
    let goes_elsewhere = before != after;
    if goes_elsewhere || updated.repointed {
        let settled = |name: &SecretName| updated.write.contains_key(name) || updated.delete.contains(name);
        assert!(names.iter().all(settled), "a kept secret goes from {before} to {after}");
        assert!(updated.repointed, "goes from {before} to {after} unsaid");
    }
    goes_elsewhere
}

/// A token stands where it stood before, among the same text, or whoever changes that brings it. Says whether one moves.
fn stays_or_is_brought(
    kept: &Kept,
    names: &BTreeSet<SecretName>,
    settings: &Settings,
    updated: &Updated,
) -> bool {
    let moves = |name: &&SecretName| {
        let before = oracle::places(&kept.settings, name.as_str());
        !oracle::places(settings, name.as_str()).is_subset(&before)
    };
    let moved: Vec<_> = names.iter().filter(moves).collect();
    for name in &moved {
        assert!(
            updated.write.contains_key(*name),
            "{name} stands elsewhere, and was not brought: {settings:?}"
        );
    }
    !moved.is_empty()
}

/// Takes over what the server made, when it had to make it.
fn made(credential: &CredentialType, model: &mut Model, shown: &Value, anew: bool) {
    for field in credential.fields().iter().filter(|field| matches!(field.shape(), Shape::Made(_))) {
        let is_external = field.name() == "external_id";
        let now = &shown["credentials"][field.name()];
        let known = &mut model.shown["credentials"][field.name()];
        if is_external && anew {
            let text = now.as_str().unwrap();
            assert!(text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
            assert_ne!(now, known, "no new ExternalId");
            *known = now.clone();
        } else if !is_external {
            assert_eq!(now, PRINCIPAL);
            *known = now.clone();
        }
    }
}

fn revealed(secrets: &Secrets) -> BTreeMap<String, String> {
    secrets.iter().map(|(name, secret)| (name.to_string(), secret.reveal().to_owned())).collect()
}
