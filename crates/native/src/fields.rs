//! Members of a flat body, read one by one. Every bad one is named, and so is every one that nobody asked for.

use claviger_engine::FieldError;
use claviger_http::JsonObject;
use claviger_model::excerpt;
use serde_json::Value;

use crate::Error;

/// The members of a body on their way to being understood.
pub(crate) struct Fields<'a> {
    object: &'a JsonObject,
    known: Vec<&'static str>,
    faults: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The members of an object.
    pub(crate) fn of(body: &'a Value) -> Result<Self, Error> {
        match body.as_object() {
            Some(object) => Ok(Self { object, known: Vec::new(), faults: Vec::new() }),
            None => Err(Error::invalid(vec![FieldError {
                field: "body".to_owned(),
                reason: "must be an object".to_owned(),
            }])),
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object.get(name)
    }

    fn fault(&mut self, name: &str, reason: String) {
        self.faults.push(FieldError { field: excerpt(name), reason });
    }

    /// A text that is to mean something.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = match self.value(name)? {
            Value::String(text) => parse(text),
            _ => Err("must be a string".to_owned()),
        };
        parsed.map_err(|reason| self.fault(name, reason)).ok()
    }

    /// A member that is to mean something, of whichever type.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        read(self.value(name)?).map_err(|reason| self.fault(name, reason)).ok()
    }

    /// A flag.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let flag = self.value(name)?.as_bool();
        if flag.is_none() {
            self.fault(name, "must be true or false".to_owned());
        }
        flag
    }

    /// Refuses a body without a member.
    pub(crate) fn require(&mut self, name: &'static str) {
        if !self.object.contains_key(name) {
            self.fault(name, "is missing".to_owned());
        }
    }

    /// To be called last: refuses a body with faults.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let surplus: Vec<_> =
            self.object.keys().filter(|name| !self.known.contains(&name.as_str())).cloned().collect();
        for name in surplus {
            self.fault(&name, "is not known here".to_owned());
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Error::invalid(self.faults)) }
    }
}
