//! Names of models: `name` and `name@version`.

use std::fmt;
use std::str::FromStr;

use super::StoreError;

/// A model's name: a letter, then letters, digits and `_`, all ASCII; kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

impl ModelName {
    /// Returns the name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelName {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let name = text.to_ascii_lowercase();
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        // A name is a folder's name, which file systems bound.
        if starts_well && name.chars().all(goes_on) && name.len() <= 128 {
            Ok(Self(name))
        } else {
            Err(StoreError::Name(text.to_owned()))
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What SQL names: a model's newest version, or a given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    /// The model.
    pub name: ModelName,
    /// The version, from 1; none is the newest.
    pub version: Option<u32>,
}

impl FromStr for ModelReference {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let Some((name, version)) = text.split_once('@') else {
            return Ok(Self {
                name: text.parse()?,
                version: None,
            });
        };
        match version.parse() {
            Ok(number) if number > 0 && !version.starts_with(['+', '0']) => Ok(Self {
                name: name.parse()?,
                version: Some(number),
            }),
            _ => Err(StoreError::Version(text.to_owned())),
        }
    }
}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_nothing_else_is_a_name() {
        assert_eq!(
            "MiniLM_6".parse::<ModelName>().expect("name").as_str(),
            "minilm_6"
        );
        for text in ["", "6lm", "_m", "a-b", "a.b", "../a", "a/b", "模型", "a b"] {
            assert!(text.parse::<ModelName>().is_err(), "{text:?}");
        }
        assert!("a".repeat(129).parse::<ModelName>().is_err());
    }

    #[test]
    fn a_reference_may_have_a_version_from_1() {
        let reference: ModelReference = "D@12".parse().expect("reference");
        assert_eq!(
            (reference.to_string(), reference.version),
            ("d@12".to_owned(), Some(12))
        );
        assert_eq!("d".parse::<ModelReference>().expect("name").version, None);
        for text in [
            "d@",
            "d@0",
            "d@01",
            "d@+1",
            "d@-1",
            "d@x",
            "d@1@2",
            "@1",
            "d@99999999999",
        ] {
            assert!(text.parse::<ModelReference>().is_err(), "{text:?}");
        }
    }
}
