//! Reads a definition from its text, and checks it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::asl::{Definition, Invalid};
use super::check;

impl Definition {
    /// Parses and checks a definition.
    ///
    /// # Errors
    /// Names the state and the field that are outside the subset or break a rule.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        unique_keys(text)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let mut definition: Self =
            serde_path_to_error::deserialize(&mut json).map_err(|error| Invalid(error.to_string()))?;
        text.clone_into(&mut definition.text);
        check::definition(&definition)?;
        Ok(definition)
    }
}

/// Refuses JSON that names a key twice: of two states with one name, a parser would silently keep the second.
fn unique_keys(text: &str) -> Result<(), Invalid> {
    let mut json = serde_json::Deserializer::from_str(text);
    UniqueKeys.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| Invalid(error.to_string()))
}

struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("'{key}' stands twice in one object")));
            }
            map.next_value_seed(Self)?;
            keys.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
