//! The column that is looked at.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, ident};
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use futures::StreamExt;
use lexstream_columns::Texts;
use lexstream_text::tokenizers::Tokenizer;
use tokio::task::JoinSet;

use super::{Measure, Profile};
use lexstream_engine::Engine;
use lexstream_engine::tables;

/// The name that a column of texts most likely has.
const LIKELY: &str = "text";

/// A column of texts in files, before it is read.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
}

impl Column {
    /// Finds the column in the files that a path, a glob or a folder names.
    ///
    /// Without a name it is `text`, else the only column of texts; where there are several, that is an error that lists
    /// them.
    pub async fn find(engine: &Engine, path: &str, name: Option<&str>) -> Result<Self> {
        let table = tables::files(engine.context(), path, false).await?;
        let name = chosen(path, &table.schema(), name)?;
        let column: Expr = ident(&name);
        let frame = engine.context().read_table(table)?.select([column])?;
        Ok(Self {
            context: Arc::new(frame.task_ctx()),
            plan: frame.create_physical_plan().await?,
            name,
        })
    }

    /// Returns the plan that reads it, whose figures tell how far it is.
    pub fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// Reads it once, on as many threads as queries have.
    pub async fn profile(self, tokenizer: Arc<dyn Tokenizer>) -> Result<Profile> {
        let streams = execute_stream_partitioned(self.plan, self.context)?;
        // Dropped, it ends what it has begun.
        let mut measuring = JoinSet::new();
        for mut batches in streams {
            let mut measure = Measure::new(Arc::clone(&tokenizer));
            measuring.spawn(async move {
                while let Some(batch) = batches.next().await {
                    let texts = Texts::try_new(Arc::clone(batch?.column(0)))?;
                    for text in texts.values() {
                        measure.add(text);
                    }
                }
                Ok::<_, DataFusionError>(measure)
            });
        }
        let mut measures = Vec::with_capacity(measuring.len());
        while let Some(measured) = measuring.join_next().await {
            match measured {
                Ok(measured) => measures.push(measured?),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(Measure::finish(measures))
    }
}

/// Returns the name of the column that is meant.
fn chosen(path: &str, schema: &Schema, name: Option<&str>) -> Result<String> {
    let fields = schema.fields().iter();
    let texts = fields.filter(|field| holds_texts(field.data_type()));
    let texts: Vec<&str> = texts.map(|field| field.name().as_str()).collect();
    let listed = match texts.is_empty() {
        true => "none".to_owned(),
        false => texts.join(", "),
    };
    let wanted = name.unwrap_or(LIKELY);
    match (name, &*texts) {
        _ if texts.contains(&wanted) => Ok(wanted.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => {
            let all = schema.fields().iter();
            let all = all.map(|field| format!("{} {}", field.name(), field.data_type()));
            let found = match schema.fields().is_empty() {
                true => "none".to_owned(),
                false => all.collect::<Vec<_>>().join(", "),
            };
            plan_err!("{path}: expected a column of texts, found columns: {found}")
        }
        (None, _) => {
            plan_err!("{path}: expected --column NAME, a column of texts; there are: {listed}")
        }
        (Some(name), _) => match schema.field_with_name(name) {
            Ok(field) => {
                let found = field.data_type();
                plan_err!(
                    "{path}: column {name}: expected texts, found {found}; columns of texts: {listed}"
                )
            }
            Err(_) => plan_err!("{path}: no column {name}; columns of texts: {listed}"),
        },
    }
}

fn holds_texts(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => value.is_string(),
        other => other.is_string(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;

    use super::*;

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        let fields = columns.iter();
        let fields = fields.map(|(name, of)| Field::new(*name, of.clone(), true));
        Schema::new(fields.collect::<Vec<_>>())
    }

    #[test]
    fn the_column_is_the_one_that_is_named_or_text_or_the_only_one() {
        let several = schema(&[
            ("title", DataType::Utf8),
            ("text", DataType::Utf8View),
            ("id", DataType::Int64),
        ]);
        assert_eq!(chosen("f", &several, None).expect("text"), "text");
        assert_eq!(
            chosen("f", &several, Some("title")).expect("title"),
            "title"
        );
        let one = schema(&[("id", DataType::Int64), ("body", DataType::LargeUtf8)]);
        assert_eq!(chosen("f", &one, None).expect("the only one"), "body");
    }

    #[test]
    fn without_texts_the_columns_are_told() {
        for (columns, expected) in [
            (
                &[][..],
                "f: expected a column of texts, found columns: none",
            ),
            (
                &[("n", DataType::Int64)],
                "f: expected a column of texts, found columns: n Int64",
            ),
        ] {
            let error = chosen("f", &schema(columns), None).expect_err("no texts");
            assert!(error.strip_backtrace().contains(expected), "{expected}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let two = schema(&[
            ("a", DataType::Utf8),
            ("b", DataType::Utf8),
            ("n", DataType::Int64),
        ]);
        for (name, expected) in [
            (
                None,
                "f: expected --column NAME, a column of texts; there are: a, b",
            ),
            (Some("c"), "f: no column c; columns of texts: a, b"),
            (
                Some("n"),
                "f: column n: expected texts, found Int64; columns of texts: a, b",
            ),
        ] {
            let error = chosen("f", &two, name)
                .expect_err("no such column")
                .strip_backtrace();
            assert!(error.contains(expected), "{error}");
        }
    }
}
