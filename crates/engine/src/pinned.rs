//! The versions of models that queries use, as jobs and streams write them down.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;

use serde::{Deserialize, Serialize};

use lexstream_models::ModelCatalog;
use lexstream_models::store::ModelReference;

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedModel {
    /// Its number.
    pub version: u32,
    /// The digest of its files and options.
    pub digest: String,
}

/// Why it can't be said what models a query uses.
#[derive(Debug, thiserror::Error)]
pub enum PinnedError {
    /// A model that a query names can't be read.
    #[error("model `{model}`")]
    Model {
        /// Name and version.
        model: String,
        /// What the store says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The query can't be planned.
    #[error(transparent)]
    Query(#[from] DataFusionError),
}

/// Returns the models that a query names, by name, as planning pins them.
pub fn models(
    context: &SessionContext,
    catalog: &ModelCatalog,
    plan: &LogicalPlan,
) -> Result<BTreeMap<String, PinnedModel>, PinnedError> {
    let functions = lexstream_udfs::names();
    let pinned = context.state().optimize(plan)?;
    let mut ids = Vec::new();
    pinned.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                if let Expr::ScalarFunction(call) = expression
                    && functions.iter().any(|name| name == call.func.name())
                {
                    ids.extend(call.args.iter().flat_map(pinned_ids));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let mut models = BTreeMap::new();
    for id in ids {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| PinnedError::Model {
            model: id.clone(),
            source,
        };
        let stored = match catalog.stored(&id) {
            Ok(stored) => stored,
            // A text that only looks like one: planning has found every model that is named.
            Err(error) if error.is_unknown() => continue,
            Err(error) => return Err(failed(error.into())),
        };
        let digest = stored.manifest.pin();
        let version = stored.version;
        models.insert(stored.name.to_string(), PinnedModel { version, digest });
    }
    Ok(models)
}

/// Returns what may be versions of models among an argument's texts: constants, once planning has pinned them.
fn pinned_ids(argument: &Expr) -> Vec<String> {
    let Expr::Literal(value, _) = argument else {
        return Vec::new();
    };
    let texts = match value {
        // Settings.
        ScalarValue::Struct(settings) => {
            let values = settings.columns().iter();
            values
                .filter_map(|value| ScalarValue::try_from_array(value, 0).ok())
                .collect()
        }
        other => vec![other.clone()],
    };
    let texts = texts.iter().filter_map(|text| text.try_as_str()?);
    texts
        .filter(|text| text.contains('@') && text.parse::<ModelReference>().is_ok())
        .map(str::to_owned)
        .collect()
}
