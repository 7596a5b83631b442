//! Reads a JSON body field by field and collects every mistake with its place, where serde would stop at the first one. A
//! field's own rule is its type's `Deserialize` (see `values`).
//!
//! Reading goes on after a mistake, with a default in the field's place; [`read`] then refuses the body.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::scalar::Scalar;
use crate::error::{Error, Field};

/// Reads `body`, which is to be an object, with `fields`.
///
/// # Errors
/// `Invalid`: `malformed_json`, or `invalid_request` with every bad place.
pub(super) fn read<T>(body: &[u8], fields: impl FnOnce(&mut Object<'_>) -> Option<T>) -> Result<T, Error> {
    let malformed = |error: serde_json::Error| {
        Error::invalid("malformed_json", "", format!("The body must be a JSON object: {error}."))
    };
    // Reads all of it, also what `RawValue` takes as it stands.
    serde_json::from_slice::<Value>(body).map_err(malformed)?;
    let text = serde_json::from_slice::<&RawValue>(body).map_err(malformed)?;
    let mut mistakes = Vec::new();
    match Object::read(String::new(), text.get(), &mut mistakes, fields) {
        Some(request) if mistakes.is_empty() => Ok(request),
        _ => Err(invalid_request(mistakes)),
    }
}

/// An object of the body: the members that are still to be read.
pub(super) struct Object<'a> {
    pointer: String,
    members: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
    mistakes: &'a mut Vec<Field>,
}

impl Object<'_> {
    /// Reads the object `text` at `pointer`; one without members if it is none.
    fn read<T>(pointer: String, text: &str, mistakes: &mut Vec<Field>, fields: impl FnOnce(&mut Object<'_>) -> T) -> T {
        let mut object = Object { pointer, members: BTreeMap::new(), known: Vec::new(), mistakes };
        let Ok(Members(members)) = serde_json::from_str(text) else {
            // Without the mistakes that would follow from this one.
            let mut ignored = Vec::new();
            object.mistakes.push(Field { pointer: object.pointer, message: "must be a JSON object".to_owned() });
            return fields(&mut Object { pointer: String::new(), mistakes: &mut ignored, ..object });
        };
        for (name, value) in members {
            if object.members.contains_key(&name) {
                object.mistake(&name, "must not be there twice");
            }
            object.members.insert(name, value);
        }
        let read = fields(&mut object);
        for name in std::mem::take(&mut object.members).into_keys() {
            let known = object.known.join(", ");
            object.mistake(&name, format!("is unknown; the fields here are {known}"));
        }
        read
    }

    /// The field `name`, which has to be there.
    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        match self.take(name) {
            Some(value) => self.scalar(self.place(name), &value),
            None => {
                self.mistake(name, "is required");
                None
            }
        }
    }

    /// The field `name`; its default if it is not there.
    pub(super) fn optional<T: DeserializeOwned + Default>(&mut self, name: &'static str) -> T {
        let value = self.take(name);
        value.and_then(|value| self.scalar(self.place(name), &value)).unwrap_or_default()
    }

    /// The object `name`; if it is not there, one whose fields have their defaults.
    pub(super) fn object<T>(&mut self, name: &'static str, fields: impl FnOnce(&mut Object<'_>) -> T) -> T {
        let value = self.take(name);
        Object::read(self.place(name), value.as_ref().map_or("{}", |value| value.get()), self.mistakes, fields)
    }

    /// The object `name`; `None` if it is not there.
    pub(super) fn optional_object<T>(
        &mut self,
        name: &'static str,
        fields: impl FnOnce(&mut Object<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        Object::read(self.place(name), value.get(), self.mistakes, fields)
    }

    /// The list `name`, which has to be there, with so many entries, each once.
    pub(super) fn required_list<T: DeserializeOwned + PartialEq>(
        &mut self,
        name: &'static str,
        bounds: &RangeInclusive<usize>,
    ) -> Option<Vec<T>> {
        if self.members.get(name).is_none_or(|value| value.get() == "null") {
            self.take(name);
            self.mistake(name, "is required");
            return None;
        }
        self.list(name, bounds)
    }

    /// The list `name` with so many entries, each once; `None` if it is not there or `null`.
    pub(super) fn list<T: DeserializeOwned + PartialEq>(
        &mut self,
        name: &'static str,
        bounds: &RangeInclusive<usize>,
    ) -> Option<Vec<T>> {
        let text = self.take(name)?;
        let entries = match serde_json::from_str::<Option<Vec<Box<RawValue>>>>(text.get()) {
            Ok(entries) => entries?,
            Err(_) => {
                self.mistake(name, "must be an array or null");
                return None;
            }
        };
        if !bounds.contains(&entries.len()) {
            self.mistake(name, format!("must have {} to {} entries", bounds.start(), bounds.end()));
        }
        let mut list = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let place = format!("{}/{index}", self.place(name));
            match self.scalar(place.clone(), entry) {
                Some(entry) if list.contains(&entry) => {
                    self.mistakes.push(Field { pointer: place, message: "must not be there twice".to_owned() });
                }
                entry => list.extend(entry),
            }
        }
        Some(list)
    }

    /// The object `name` with entries of one kind, at most so many; empty if it is not there.
    pub(super) fn map<K: DeserializeOwned + Ord, V: DeserializeOwned>(
        &mut self,
        name: &'static str,
        at_most: usize,
    ) -> BTreeMap<K, V> {
        self.object(name, |object| {
            let members = std::mem::take(&mut object.members);
            if members.len() > at_most {
                let message = format!("must have at most {at_most} entries");
                object.mistakes.push(Field { pointer: object.pointer.clone(), message });
            }
            let mut map = BTreeMap::new();
            for (key, value) in members {
                let place = object.place(&key);
                let value = object.scalar(place.clone(), &value);
                let key = object.checked(place, Value::String(key));
                map.extend(key.zip(value));
            }
            map
        })
    }

    fn take(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.known.push(name);
        self.members.remove(name)
    }

    /// A value that is neither array nor object: serde would take an object with one key for the word of an enum.
    fn scalar<T: DeserializeOwned>(&mut self, pointer: String, value: &RawValue) -> Option<T> {
        match serde_json::from_str(value.get()) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                self.checked(pointer, value)
            }
            _ => {
                self.mistakes.push(Field { pointer, message: "must be one value, not an array or object".to_owned() });
                None
            }
        }
    }

    fn checked<T: DeserializeOwned>(&mut self, pointer: String, value: Value) -> Option<T> {
        T::deserialize(Scalar(value))
            .map_err(|error| self.mistakes.push(Field { pointer, message: error.to_string() }))
            .ok()
    }

    fn mistake(&mut self, name: &str, message: impl Into<String>) {
        let pointer = self.place(name);
        self.mistakes.push(Field { pointer, message: message.into() });
    }

    /// The JSON pointer (RFC 6901) to the member `name`.
    fn place(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// An object's members in the order of the text; a key that stands there twice is here twice.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                std::iter::from_fn(|| map.next_entry().transpose()).collect::<Result<_, _>>().map(Members)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// The error that lists these bad places.
fn invalid_request(fields: Vec<Field>) -> Error {
    let message = match fields.as_slice() {
        [Field { pointer, message }] if pointer.is_empty() => format!("The body {message}."),
        [Field { pointer, message }] => format!("{pointer}: {message}."),
        several => format!("{} fields are wrong. Correct those that `errors` lists.", several.len()),
    };
    Error::Invalid { code: "invalid_request", message, fields }
}
