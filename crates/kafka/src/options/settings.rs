//! Options by key, as they were given, and as they may be shown.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::config_provider::{Environment, has_variable, is_variable, resolve};
use super::error::OptionsError;

/// What is shown in place of a secret.
pub(crate) const SECRET: &str = "***";

/// Options by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<String, Setting>);

#[derive(Clone, PartialEq, Eq)]
struct Setting {
    /// What may be shown: the text as it was given, or asterisks.
    shown: String,
    value: String,
    /// Whether the value may be shown as it is.
    is_public: bool,
}

impl Settings {
    /// Adds an option, its variables replaced.
    pub(crate) fn insert(
        &mut self,
        key: &str,
        text: &str,
        is_secret: bool,
        environment: &Environment<'_>,
    ) -> Result<(), OptionsError> {
        let value = resolve(text, environment).map_err(|unresolved| OptionsError::Variable {
            option: key.to_owned(),
            variable: unresolved.variable,
            problem: unresolved.problem,
        })?;
        let is_shown = !is_secret || is_variable(text);
        let setting = Setting {
            shown: if is_shown { text } else { SECRET }.to_owned(),
            is_public: !is_secret && !has_variable(text),
            value,
        };
        self.0.insert(key.to_owned(), setting);
        Ok(())
    }

    /// Returns a value.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|setting| setting.value.as_str())
    }

    /// Returns keys and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let settings = self.0.iter();
        settings.map(|(key, setting)| (key.as_str(), setting.value.as_str()))
    }

    /// Returns keys and what may be shown of their values.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let settings = self.0.iter();
        settings.map(|(key, setting)| (key.as_str(), setting.shown.as_str()))
    }

    /// Tells whether an option's value may be shown as it is.
    pub(crate) fn is_public(&self, key: &str) -> bool {
        self.0.get(key).is_none_or(|setting| setting.is_public)
    }

    /// Returns what an error says that it found as an option's value.
    pub(crate) fn found(&self, key: &str) -> String {
        match self.0.get(key) {
            Some(setting) => format!("`{}`", setting.shown),
            None => "nothing".to_owned(),
        }
    }

    /// Returns the error of a value that an option can't have.
    pub(crate) fn wrong(&self, key: &str, expected: impl Into<String>) -> OptionsError {
        OptionsError::Value {
            option: key.to_owned(),
            expected: expected.into(),
            found: self.found(key),
        }
    }

    /// Returns a value that is one of a few names, without regard to case.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, OptionsError> {
        let Some(found) = self.text(key) else {
            return Ok(None);
        };
        let mut of_name = choices.iter();
        match of_name.find(|(name, _)| name.eq_ignore_ascii_case(found)) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let names: Vec<_> = choices
                    .iter()
                    .map(|(name, _)| format!("`{name}`"))
                    .collect();
                Err(self.wrong(key, names.join(" or ")))
            }
        }
    }

    /// Returns a value that is a number.
    pub(crate) fn number<T: FromStr>(
        &self,
        key: &str,
        expected: &str,
        is_allowed: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, OptionsError> {
        let Some(found) = self.text(key) else {
            return Ok(None);
        };
        let number = found
            .trim()
            .parse()
            .ok()
            .filter(|number| is_allowed(number));
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, expected)),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}
