//! The fields of one credential type, read by their shapes.

use std::collections::BTreeSet;

use claviger_model::excerpt;
use serde_json::Value;
use zeroize::Zeroizing;

use super::object::Object;
use super::{CONTENT_MAX, CONTENT_TYPE_MAX, Given, Item, LIST_MAX, RENEW};
use crate::entry::CredentialType;
use crate::fault::{Fault, Faults, Warning};
use crate::field::{Field, Made, Shape, StandsFor};
use crate::format::Format;
use crate::secret::{SecretText, wipe};
use crate::settings::{HttpBody, SECRET_ITEM, Settings};
use crate::vendor;

/// Reads the fields of one credential type.
pub(super) struct Reader<'r> {
    pub(super) credential: &'r CredentialType,
    pub(super) stored: Option<&'r Settings>,
    pub(super) given: Given,
    pub(super) faults: &'r mut Faults,
}

impl Reader<'_> {
    pub(super) fn read(&mut self, field: &Field, object: &mut Object) {
        let absent = !object.has(&field.name);
        if absent && field.required && self.stored.is_none() {
            self.faults.push(object.pointer(&field.name), "is required");
        }
        match &field.shape {
            Shape::Text { format, stands_for } => self.text(field, format, stands_for, object),
            Shape::List { names, values } => self.list(field, names, values, object),
            Shape::HttpBody => self.body(field, object),
            Shape::Made(made) => self.made(field, *made, object),
        }
    }

    fn text(&mut self, field: &Field, format: &Format, stands_for: &StandsFor, object: &mut Object) {
        let Some(text) = object.optional(&field.name, self.faults) else { return };
        let pointer = object.pointer(&field.name);
        if let Err(misfit) = format.check(&text) {
            let vendor = vendor::mismatch(&self.credential.kind, &field.name, self.stored.is_none());
            let vendor = vendor.filter(|_| misfit.pattern);
            return self.faults.add(Fault { pointer, reason: misfit.reason, vendor });
        }
        if let Some(reason) = stands_for.refusal(&text) {
            return self.faults.push(pointer, reason);
        }
        if field.hint.as_ref().is_some_and(|hint| !hint.is_match(&text)) {
            let reason = "does not look as it usually does".to_owned();
            self.given.warnings.push(Warning { pointer, reason });
        }
        self.given.texts.insert(field.name.clone(), owned(text));
    }

    /// What the server makes may come back as it was shown: clients send what they read.
    fn made(&mut self, field: &Field, made: Made, object: &mut Object) {
        if made == Made::ExternalId && self.stored.is_some() {
            self.given.renew = object.flag(RENEW, self.faults);
        }
        let kept = self.stored.and_then(|stored| stored.text(&field.name));
        if let Some(text) = object.optional(&field.name, self.faults)
            && Some(text.as_str()) != kept
        {
            self.faults.push(object.pointer(&field.name), "is made by the server and cannot be set");
        }
    }

    fn list(&mut self, field: &Field, names: &Format, values: &Format, object: &mut Object) {
        let Some(value) = object.take(&field.name) else { return };
        let at = object.pointer(&field.name);
        let items = match value {
            // What follows looks at each beside each other, so that no more are looked at than there may be.
            Value::Array(items) if items.len() <= LIST_MAX => items,
            mut other => {
                wipe(&mut other);
                let reason = match other {
                    Value::Array(_) => format!("must have at most {LIST_MAX} items"),
                    _ => "must be a list".to_owned(),
                };
                return self.faults.push(at, reason);
            }
        };
        let mut seen = BTreeSet::new();
        let mut read = Vec::new();
        for (index, value) in items.into_iter().enumerate() {
            let Some(item) = self.item(field, names, values, value, format!("{at}/{index}")) else {
                continue;
            };
            if !seen.insert(item.name.clone()) {
                self.faults
                    .push(format!("{}/name", item.at), format!("{} is there twice", excerpt(&item.name)));
            }
            read.push(item);
        }
        self.given.lists.insert(field.name.clone(), read);
    }

    fn item(
        &mut self,
        field: &Field,
        names: &Format,
        values: &Format,
        value: Value,
        at: String,
    ) -> Option<Item> {
        let faults = &mut *self.faults;
        let is_update = self.stored.is_some();
        let mut object = Object::open(value, at, faults)?;
        let deleted = is_update && object.flag("deleted", faults);
        let name = object.required("name", faults);
        if field.secret
            && let Some(kind) = object.required("type", faults)
            && *kind != SECRET_ITEM
        {
            faults.push(object.pointer("type"), format!("must be {SECRET_ITEM}"));
        }
        // An update may name a plain item without a value; of a secret one the vendor asks for all, even to delete it.
        let is_optional = is_update && !field.secret;
        let value = match is_optional {
            true => object.optional("value", faults),
            false => object.required("value", faults),
        };
        if let Some(value) = value.as_ref().filter(|_| !deleted)
            && let Err(misfit) = values.check(value)
        {
            faults.push(object.pointer("value"), misfit.reason);
        }
        if let Some(name) = &name
            && let Err(misfit) = names.check(name)
        {
            faults.push(object.pointer("name"), misfit.reason);
            return close(object, faults);
        }
        let at = object.at.clone();
        object.close(faults);
        // A missing value is told of already; with one in its place, nothing else that follows from it is.
        let value = match value {
            _ if deleted => None,
            None if !is_optional => Some(Zeroizing::default()),
            value => value,
        };
        let value = value.map(owned);
        name.map(|name| Item { name: name.to_string(), value, deleted, at })
    }

    fn body(&mut self, field: &Field, object: &mut Object) {
        let Some(value) = object.take(&field.name) else { return };
        let Some(mut inner) = Object::open(value, object.pointer(&field.name), self.faults) else { return };
        let body = HttpBody {
            content: self.part(
                &mut inner,
                "content",
                is_content,
                "text of at most 65536 characters, without NUL",
            ),
            content_type: self.part(
                &mut inner,
                "content_type",
                is_media_type,
                "a media type such as application/json",
            ),
        };
        inner.close(self.faults);
        self.given.body = Some((field.name.clone(), body));
    }

    fn part(
        &mut self,
        object: &mut Object,
        name: &str,
        fits: fn(&str) -> bool,
        says: &str,
    ) -> Option<String> {
        let text = object.optional(name, self.faults)?;
        if !fits(&text) {
            self.faults.push(object.pointer(name), format!("must be {says}"));
        }
        Some(text.to_string())
    }
}

fn close(object: Object, faults: &mut Faults) -> Option<Item> {
    object.close(faults);
    None
}

fn owned(mut text: Zeroizing<String>) -> SecretText {
    SecretText::new(std::mem::take(&mut *text))
}

fn is_content(text: &str) -> bool {
    text.chars().nth(CONTENT_MAX).is_none() && !text.contains('\0')
}

/// `type/subtype`, and parameters of visible ASCII after a semicolon.
fn is_media_type(text: &str) -> bool {
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_token = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
    };
    let visible = |c: char| c == '\t' || c == ' ' || c.is_ascii_graphic();
    text.chars().nth(CONTENT_TYPE_MAX).is_none()
        && parameters.chars().all(visible)
        && kind.trim_end_matches([' ', '\t']).split_once('/').is_some_and(|(a, b)| is_token(a) && is_token(b))
}
