//! The table that was meant by a name that none has.

use datafusion::common::{DataFusionError, plan_datafusion_err};
use datafusion::execution::SessionState;
use lexstream_text::nearest;

use super::files;

/// Says more in an error that a table is missing: why a file or a folder of its name is none, or which table's name is
/// the nearest. Other errors stay as they are.
pub async fn with_nearest(state: &SessionState, error: DataFusionError) -> DataFusionError {
    let DataFusionError::Plan(message) = error.find_root() else {
        return error;
    };
    // As the planner words it, with the catalog and the schema in front.
    let name = message
        .strip_prefix("table '")
        .and_then(|rest| rest.split_once("' not found"))
        .map(|(name, _)| name);
    let Some(name) = name else {
        return error;
    };
    let catalog = &state.config_options().catalog;
    let usual = format!("{}.{}.", catalog.default_catalog, catalog.default_schema);
    let Some(name) = name.strip_prefix(&usual) else {
        return error;
    };
    if let Err(unreadable) = files::find(state, name, false).await {
        return unreadable;
    }
    let catalogs = state.catalog_list();
    let catalogs = catalogs
        .catalog_names()
        .into_iter()
        .filter_map(|name| catalogs.catalog(&name));
    let schemas = catalogs.flat_map(|catalog| {
        let names = catalog.schema_names().into_iter();
        names
            .filter_map(move |name| catalog.schema(&name))
            .collect::<Vec<_>>()
    });
    let tables: Vec<_> = schemas.flat_map(|schema| schema.table_names()).collect();
    match nearest(name, tables.iter().map(String::as_str)) {
        Some(meant) => plan_datafusion_err!("no table `{name}`; did you mean `{meant}`?"),
        None => error,
    }
}
