//! Planning-time checks of constants: names of models and tokenizers, counts, settings.

use std::sync::Arc;

use datafusion_common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::{Expr, ReturnFieldArgs, lit};

use super::declaration::Declaration;
use super::kind::{Kind, is_text};
use super::pattern_model::PatternModel;
use super::settings::{self, Setting, SettingKind, Settings};
use lexstream_columns::model::{Ability, Model, ModelError, Models, Unable};
use lexstream_text::nearest;
use lexstream_text::{stop_words, tokenizers};

/// A constant that names a model, or something that is built in.
struct Named<'a> {
    /// Where it stands, for messages.
    what: String,
    found: &'a str,
    built_in: &'a [&'a str],
    ability: Ability,
    /// What else it may be, for messages, behind what is built in.
    or: &'a str,
}

impl Declaration {
    /// Refuses a column where a constant belongs, and a constant that names nothing.
    ///
    /// `model` is the one that this call is known to name; else it is looked for in `models`.
    pub(crate) fn check_constants(
        &self,
        args: &ReturnFieldArgs<'_>,
        model: Option<&Arc<dyn Model>>,
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let mut named = model.cloned();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let Some(field) = args.arg_fields.get(at) else {
                break;
            };
            if let Kind::Settings(known) = parameter.kind {
                settings::check_names(self.name, known, field.data_type())?;
                // A struct is no constant before the plan is simplified.
                if let Some(constant) = args.scalar_arguments.get(at).copied().flatten() {
                    settings::check_values(self.name, known, constant)?;
                }
                continue;
            }
            let kind = match parameter.kind {
                Kind::StopWords if is_text(field.data_type()) => Kind::Name(stop_words::LANGUAGES),
                kind => kind,
            };
            if !matches!(
                kind,
                Kind::Count | Kind::Number(..) | Kind::Name(_) | Kind::Tokenizer | Kind::Model(_)
            ) {
                continue;
            }
            let (function, name) = (self.name, parameter.name);
            let Some(constant) = args.scalar_arguments.get(at).copied().flatten() else {
                return plan_err!(
                    "{function}: `{name}` must be a constant, found `{}`",
                    field.name()
                );
            };
            match kind {
                Kind::Count => self.check_count(at, constant)?,
                Kind::Number(least, most) => self.check_number(at, constant, least, most)?,
                Kind::Name(known) => {
                    let found = self.constant_text(at, constant)?;
                    if !known.iter().any(|known| known.eq_ignore_ascii_case(found)) {
                        return self.unknown(&format!("`{name}`"), found, &known.join(", "), known);
                    }
                }
                _ if named.is_none() => named = self.model(at, constant, models)?,
                _ => {}
            }
        }
        Ok(named)
    }

    /// Returns which parameter may name a model; no function has two.
    pub(crate) fn model_at(&self) -> Option<usize> {
        self.position(|kind| matches!(kind, Kind::Tokenizer | Kind::Model(_)))
    }

    /// Returns which parameter has the call's settings.
    pub(crate) fn settings_at(&self) -> Option<usize> {
        self.position(|kind| matches!(kind, Kind::Settings(_)))
    }

    pub(super) fn position(&self, is_wanted: impl Fn(Kind) -> bool) -> Option<usize> {
        self.parameters
            .iter()
            .position(|parameter| is_wanted(parameter.kind))
    }

    /// Refuses settings that are no constant once the plan is simplified, or that have a wrong value.
    pub(crate) fn check_settings(&self, args: &[Expr]) -> Result<()> {
        let Some((at, found)) = self.settings_at().and_then(|at| Some((at, args.get(at)?))) else {
            return Ok(());
        };
        match (found, self.parameters[at].kind) {
            (Expr::Literal(constant, _), Kind::Settings(known)) => {
                settings::check_values(self.name, known, constant)
            }
            _ => plan_err!(
                "{}: `{}` must be a constant, found `{found}`",
                self.name,
                self.parameters[at].name
            ),
        }
    }

    /// Returns the model that the call's arguments name, where they do, whose version takes the name's place.
    pub(crate) fn pin(
        &self,
        args: &mut [Expr],
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let at = self.model_at().or_else(|| self.settings_at());
        let Some((at, Some(Expr::Literal(constant, _)))) = at.map(|at| (at, args.get(at))) else {
            return Ok(None);
        };
        let pinned = match self.parameters[at].kind {
            Kind::Settings(known) => self.pinned_setting(known, constant, models)?,
            _ => self
                .model(at, constant, models)?
                .map(|model| (lit(model.id()), model)),
        };
        Ok(pinned.map(|(pinned, model)| {
            args[at] = pinned;
            model
        }))
    }

    /// Returns the settings with the version of the model that one of them names, and the model.
    fn pinned_setting(
        &self,
        known: &[Setting],
        constant: &ScalarValue,
        models: &dyn Models,
    ) -> Result<Option<(Expr, Arc<dyn Model>)>> {
        let settings = Settings::of(constant)?;
        for setting in known {
            let SettingKind::NameOrTokenizer(names) = setting.kind else {
                continue;
            };
            let Some(found) = settings.text(setting.name)? else {
                continue;
            };
            let named = Named {
                what: format!("the setting `{}`", setting.name),
                found: &found,
                built_in: names,
                ability: Ability::Tokenize,
                or: " or a model",
            };
            if let Some(model) = self.model_named(&named, models)? {
                let pinned = settings.with_text(setting.name, model.id())?;
                return Ok(Some((lit(pinned), model)));
            }
        }
        Ok(None)
    }

    /// Returns the model that a constant names, none for a built-in tokenizer; a model that can't do the work is refused.
    pub(crate) fn model(
        &self,
        at: usize,
        constant: &ScalarValue,
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let found = self.constant_text(at, constant)?;
        let what = format!("`{}`", self.parameters[at].name);
        let (built_in, ability) = match self.parameters[at].kind {
            Kind::Model(ability) => (&[] as &[&str], ability),
            _ => (tokenizers::NAMES, Ability::Tokenize),
        };
        if !built_in.is_empty()
            && let Some(pattern) = PatternModel::named(found)
        {
            return match pattern {
                Ok(pattern) => Ok(Some(Arc::new(pattern))),
                Err(error) => plan_err!(
                    "{}: {what} must be a regular expression behind `regex:`, found `{found}`: {error}",
                    self.name
                ),
            };
        }
        let named = Named {
            what,
            found,
            built_in,
            ability,
            or: ", regex:… or a model",
        };
        self.model_named(&named, models)
    }

    fn model_named(
        &self,
        named: &Named<'_>,
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let Named {
            found, built_in, ..
        } = *named;
        if built_in
            .iter()
            .any(|known| known.eq_ignore_ascii_case(found))
        {
            return Ok(None);
        }
        let refused = |cause: ModelError| DataFusionError::External(cause).context(self.name);
        match models.open(found) {
            Ok(model) if named.ability.of(&*model) => Ok(Some(model)),
            Ok(model) => Err(refused(
                Unable::new(model.id(), model.kind(), named.ability).into(),
            )),
            Err(error) => {
                let names = models.names();
                let name = found.split('@').next().unwrap_or(found);
                if built_in.is_empty() && tokenizers::is_built_in(found) {
                    return plan_err!(
                        "{}: {} must be a model, found the built-in tokenizer `{found}`",
                        self.name,
                        named.what
                    );
                }
                if built_in.is_empty() || names.iter().any(|known| known.eq_ignore_ascii_case(name))
                {
                    return Err(refused(error));
                }
                let expected = built_in.join(", ") + named.or;
                let names = names.iter().map(String::as_str);
                let known: Vec<_> = built_in.iter().copied().chain(names).collect();
                self.unknown(&named.what, found, &expected, &known)
            }
        }
    }

    fn check_count(&self, at: usize, constant: &ScalarValue) -> Result<()> {
        if matches!(constant, ScalarValue::Int64(Some(1..))) {
            return Ok(());
        }
        plan_err!(
            "{}: `{}` must be a constant of at least 1, found {constant}",
            self.name,
            self.parameters[at].name
        )
    }

    fn check_number(&self, at: usize, constant: &ScalarValue, least: i64, most: i64) -> Result<()> {
        match constant {
            ScalarValue::Int64(Some(number)) if (least..=most).contains(number) => Ok(()),
            _ => plan_err!(
                "{}: `{}` must be a constant from {least} to {most}, found {constant}",
                self.name,
                self.parameters[at].name
            ),
        }
    }

    fn constant_text<'a>(&self, at: usize, constant: &'a ScalarValue) -> Result<&'a str> {
        match constant.try_as_str() {
            Some(Some(text)) => Ok(text),
            _ => plan_err!(
                "{}: `{}` must be a constant text, found {constant}",
                self.name,
                self.parameters[at].name
            ),
        }
    }

    fn unknown<T>(&self, what: &str, found: &str, expected: &str, known: &[&str]) -> Result<T> {
        let meant = nearest(found, known.iter().copied())
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        plan_err!(
            "{}: {what} must be one of {expected}, found `{found}`{meant}",
            self.name
        )
    }
}
