//! Putting what a body brings over what a connection holds; a new connection holds nothing.

use std::collections::BTreeSet;

use crate::entry::CredentialType;
use crate::fault::Faults;
use crate::field::{Field, Shape};
use crate::request::{Given, Item, LIST_MAX};
use crate::secret::{SecretName, Secrets};
use crate::settings::{NamedValue, Setting, Settings};

/// What comes of it.
pub(crate) struct Merged {
    pub(crate) settings: Settings,
    pub(crate) write: Secrets,
    /// Of items that were deleted, whether they were there or not.
    pub(crate) delete: BTreeSet<SecretName>,
}

/// Merges. Lists are merged by name: a known name is changed, an unknown one added at the end, `deleted` removes it, and
/// nothing if there is no such item. A body is replaced whole. What is absent keeps.
///
/// The secrets are taken out of `given`; all else stays, for the checks that follow.
pub(crate) fn merge(
    credential: &CredentialType,
    settings: Settings,
    given: &mut Given,
    faults: &mut Faults,
) -> Merged {
    let mut merged = Merged { settings, write: Secrets::new(), delete: BTreeSet::new() };
    for field in &credential.fields {
        match &field.shape {
            Shape::Text { .. } => merged.text(field, given),
            Shape::List { names, .. } => {
                if let Some(items) = given.lists.get_mut(&field.name) {
                    merged.list(field, items, names.ignore_case, faults);
                }
            }
            Shape::HttpBody => {
                if let Some((name, body)) = &given.body {
                    merged.settings.fields.insert(name.clone(), Setting::Body(body.clone()));
                }
            }
            Shape::Made(_) => {}
        }
    }
    merged
}

impl Merged {
    fn text(&mut self, field: &Field, given: &mut Given) {
        if field.secret {
            let secret = given.texts.remove(&field.name);
            self.write.extend(secret.map(|secret| (SecretName::field(&field.name), secret)));
        } else if let Some(text) = given.texts.get(&field.name) {
            self.settings.fields.insert(field.name.clone(), Setting::Text(text.reveal().to_owned()));
        }
    }

    fn list(&mut self, field: &Field, items: &mut [Item], ignore_case: bool, faults: &mut Faults) {
        let mut values = self.settings.list(&field.name).to_vec();
        for item in items.iter_mut().filter(|item| item.deleted) {
            values.retain(|value| value.name != item.name);
            if field.secret {
                self.delete.insert(SecretName::item(&field.name, &item.name));
            }
        }
        for item in items.iter_mut().filter(|item| !item.deleted) {
            self.set(field, item, &mut values, faults);
        }
        check_list(field, items, &values, ignore_case, faults);
        self.settings.fields.insert(field.name.clone(), Setting::List(values));
    }

    fn set(&mut self, field: &Field, item: &mut Item, values: &mut Vec<NamedValue>, faults: &mut Faults) {
        let known = values.iter_mut().find(|value| value.name == item.name);
        if known.is_none() && item.value.is_none() {
            return faults.push(format!("{}/value", item.at), "is required: there is no such item yet");
        }
        let secret = item.value.take_if(|_| field.secret);
        let value = item.value.as_ref().map(|value| value.reveal().to_owned());
        match known {
            Some(known) if value.is_some() => known.value = value,
            Some(_) => {}
            None => values.push(NamedValue { name: item.name.clone(), value }),
        }
        if let Some(secret) = secret {
            self.write.insert(SecretName::item(&field.name, &item.name), secret);
        }
    }
}

/// What holds for a list as a whole, after merging.
fn check_list(field: &Field, items: &[Item], values: &[NamedValue], ignore_case: bool, faults: &mut Faults) {
    if values.len() > LIST_MAX && items.len() <= LIST_MAX {
        faults.push(format!("/credentials/{}", field.name), format!("would have more than {LIST_MAX} items"));
    }
    if !ignore_case {
        return;
    }
    let same = |a: &str, b: &str| a != b && a.eq_ignore_ascii_case(b);
    // The later of two is the wrong one, so that a pair is told of once.
    for (index, value) in values.iter().enumerate() {
        let other = values[..index].iter().find(|other| same(&other.name, &value.name));
        let at = other.and_then(|other| {
            let at = |name: &str| items.iter().find(|item| item.name == name).map(|item| item.at.as_str());
            at(&value.name).or_else(|| at(&other.name))
        });
        if let Some(at) = at {
            faults.push(format!("{at}/name"), "differs from another one in upper and lower case only");
        }
    }
}
