//! Settings of a call: one constant struct at its end, such as `{hmm: false}`.

use std::sync::Arc;

use arrow::array::{Array, StructArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};

use lexstream_text::nearest;

/// One setting of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub name: &'static str,
    pub kind: SettingKind,
}

impl Setting {
    pub(crate) const fn new(name: &'static str, kind: SettingKind) -> Self {
        Self { name, kind }
    }
}

/// What a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingKind {
    /// A truth value.
    Flag,
    /// A whole number of at least this.
    Number(i64),
    /// One of these names, without regard to case.
    Name(&'static [&'static str]),
    /// One of these names, without regard to case, or a model that has a tokenizer.
    NameOrTokenizer(&'static [&'static str]),
}

/// Refuses a struct with a setting that the function does not have.
pub(crate) fn check_names(
    function: &str,
    known: &'static [Setting],
    found: &DataType,
) -> Result<()> {
    let DataType::Struct(fields) = found else {
        return Ok(());
    };
    let names: Vec<_> = known.iter().map(|setting| setting.name).collect();
    for field in fields {
        let found = field.name();
        if !names.contains(&found.as_str()) {
            let meant = nearest(found, names.iter().copied())
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            return plan_err!(
                "{function}: expected the settings {}, found `{found}`{meant}",
                names.join(", ")
            );
        }
    }
    Ok(())
}

/// Refuses a value that a setting can't have.
pub(crate) fn check_values(
    function: &str,
    known: &'static [Setting],
    constant: &ScalarValue,
) -> Result<()> {
    let settings = Settings::of(constant)?;
    for setting in known {
        let Some(value) = settings.value(setting.name)? else {
            continue;
        };
        let expected = match setting.kind {
            SettingKind::Flag => match value {
                ScalarValue::Boolean(Some(_)) => continue,
                _ => "true or false".to_owned(),
            },
            SettingKind::Number(least) => match number(&value) {
                Some(found) if found >= least => continue,
                _ => format!("a whole number of at least {least}"),
            },
            SettingKind::Name(names) => match value.try_as_str().flatten() {
                Some(found) if names.iter().any(|name| name.eq_ignore_ascii_case(found)) => {
                    continue;
                }
                _ => format!("one of {}", names.join(", ")),
            },
            // What is none of the names is a model's.
            SettingKind::NameOrTokenizer(names) => match value.try_as_str().flatten() {
                Some(_) => continue,
                None => format!("one of {} or a model", names.join(", ")),
            },
        };
        let shown = match value.try_as_str().flatten() {
            Some(text) => format!("`{text}`"),
            None => value.to_string(),
        };
        return plan_err!(
            "{function}: the setting `{}` must be {expected}, found {shown}",
            setting.name
        );
    }
    Ok(())
}

/// The settings of one call, checked at planning; none where they are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(Option<Arc<StructArray>>);

impl Settings {
    /// Takes a constant struct, or NULL.
    pub(crate) fn of(constant: &ScalarValue) -> Result<Self> {
        match constant {
            ScalarValue::Struct(settings) if settings.is_valid(0) => {
                Ok(Self(Some(Arc::clone(settings))))
            }
            other if other.is_null() => Ok(Self(None)),
            other => internal_err!("settings were {} at planning", other.data_type()),
        }
    }

    /// Returns a truth value.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(match self.value(name)? {
            Some(ScalarValue::Boolean(Some(flag))) => flag,
            _ => default,
        })
    }

    /// Returns a whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.value(name)?.as_ref().and_then(number))
    }

    /// Returns a text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        let value = self.value(name)?;
        Ok(value.and_then(|value| value.try_as_str().flatten().map(str::to_owned)))
    }

    /// Returns the settings with another text for one of them.
    pub(crate) fn with_text(&self, name: &str, text: &str) -> Result<ScalarValue> {
        let Some(settings) = &self.0 else {
            return internal_err!("there are no settings to change");
        };
        let (fields, mut columns, nulls) = settings.as_ref().clone().into_parts();
        for (field, column) in fields.iter().zip(&mut columns) {
            if field.name() == name {
                let text = ScalarValue::from(text).cast_to(field.data_type())?;
                *column = text.to_array()?;
            }
        }
        let changed = StructArray::try_new(fields, columns, nulls)?;
        Ok(ScalarValue::Struct(Arc::new(changed)))
    }

    fn value(&self, name: &str) -> Result<Option<ScalarValue>> {
        let column = self.0.as_ref().and_then(|found| found.column_by_name(name));
        column
            .map(|column| ScalarValue::try_from_array(column, 0))
            .transpose()
    }
}

fn number(value: &ScalarValue) -> Option<i64> {
    if !value.data_type().is_integer() {
        return None;
    }
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(number)) => number,
        _ => None,
    }
}
