//! SQL functions: one a file, one alphabetical list a kind.

pub mod aggregate;
mod args;
mod constants;
mod declaration;
mod kind;
mod parameters;
mod pattern_model;
pub mod scalar;
mod scalar_function;
mod settings;
pub mod window;

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_expr::registry::FunctionRegistry;

use lexstream_columns::model::{Models, NoModels};

pub use scalar::without_tokens;

pub(crate) use args::Args;
pub(crate) use declaration::{Declaration, Parameter};
pub(crate) use kind::Kind;
pub(crate) use scalar_function::ScalarFunction;
pub(crate) use settings::{Setting, SettingKind, Settings};

/// The functions that run a model, alphabetical: an engine may evaluate them where waiting does no harm.
pub const MODEL_FUNCTIONS: &[&str] = &["classify", "classify_scores", "embed", "predict", "rerank"];

/// Adds every function to a registry, with the models that they find by name ([`NoModels`] for none).
///
/// A function that the registry already has under one of our names is replaced.
///
/// # Errors
/// Fails where the registry refuses a function.
pub fn register_all(registry: &mut dyn FunctionRegistry, models: &Arc<dyn Models>) -> Result<()> {
    for function in scalar::all(models) {
        registry.register_udf(Arc::clone(&function))?;
    }
    for function in aggregate::all() {
        registry.register_udaf(Arc::clone(&function))?;
    }
    for function in window::all() {
        registry.register_udwf(Arc::clone(&function))?;
    }
    Ok(())
}

/// Returns the name of every function, alphabetical.
pub fn names() -> Vec<String> {
    let models: Arc<dyn Models> = Arc::new(NoModels);
    let scalar = scalar::all(&models)
        .into_iter()
        .map(|function| function.name().to_owned());
    let aggregate = aggregate::all()
        .into_iter()
        .map(|function| function.name().to_owned());
    let window = window::all()
        .into_iter()
        .map(|function| function.name().to_owned());
    let mut names: Vec<_> = scalar.chain(aggregate).chain(window).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use datafusion_expr::{Documentation, Volatility};

    use super::*;

    fn check(name: &str, documentation: Option<&Documentation>) {
        assert!(
            documentation.is_some_and(|page| page.sql_example.is_some()),
            "{name}: no example"
        );
    }

    #[test]
    fn lists_are_alphabetical_and_every_function_has_an_example() {
        let models: Arc<dyn Models> = Arc::new(NoModels);
        let (scalar, aggregate, window) = (scalar::all(&models), aggregate::all(), window::all());
        assert!(scalar.is_sorted_by_key(|function| function.name().to_owned()));
        assert!(aggregate.is_sorted_by_key(|function| function.name().to_owned()));
        assert!(window.is_sorted_by_key(|function| function.name().to_owned()));
        window
            .iter()
            .for_each(|function| check(function.name(), function.documentation()));
        scalar
            .iter()
            .for_each(|function| check(function.name(), function.documentation()));
        aggregate
            .iter()
            .for_each(|function| check(function.name(), function.documentation()));
    }

    #[test]
    fn what_runs_a_model_is_listed_and_not_folded_at_planning() {
        let models: Arc<dyn Models> = Arc::new(NoModels);
        let volatile: Vec<_> = scalar::all(&models)
            .iter()
            .filter(|function| function.signature().volatility == Volatility::Volatile)
            .map(|function| function.name().to_owned())
            .collect();
        assert_eq!(volatile, MODEL_FUNCTIONS);
    }
}
