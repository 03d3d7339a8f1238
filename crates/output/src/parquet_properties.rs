//! How a Parquet file is written.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::common::config::TableParquetOptions;
use datafusion::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder,
};
use datafusion::parquet::schema::types::ColumnPath;

use super::dictionaries::is_hardly_repeated;

/// How the row groups of a file are written.
#[derive(Debug)]
pub(super) struct Properties {
    /// As DataFusion's options say, and vectors without a dictionary.
    usual: WriterPropertiesBuilder,
    /// Columns that have a dictionary unless their values tell against it, each by its place and its path.
    open: Vec<(usize, ColumnPath)>,
    /// The same, and texts without dictionary and statistics.
    pub(super) long_texts: WriterProperties,
}

impl Properties {
    pub(super) fn try_new(
        schema: &SchemaRef,
        options: &TableParquetOptions,
    ) -> Result<Self, DataFusionError> {
        let mut options = options.clone();
        options.arrow_schema(schema);
        let mut leaves = Vec::new();
        for field in schema.fields() {
            find_leaves(field, false, &mut Vec::new(), &mut leaves);
        }
        let mut usual = WriterPropertiesBuilder::try_from(&options)?;
        let (mut texts, mut open) = (Vec::new(), Vec::new());
        for leaf in leaves {
            let asked = options.column_specific_options.get(&leaf.path.join("."));
            let is_asked = asked.is_some_and(|asked| asked.dictionary_enabled.is_some())
                || options.global.dictionary_enabled == Some(false);
            let place = match leaf.path.as_slice() {
                [name] => schema.index_of(name).ok(),
                _ => None,
            };
            let path = ColumnPath::new(leaf.path);
            open.extend(
                place
                    .filter(|_| !is_asked)
                    .map(|place| (place, path.clone())),
            );
            match leaf.data_type {
                // Hardly a number with a point is there twice.
                data_type if data_type.is_floating() && leaf.is_in_list && !is_asked => {
                    usual = usual.set_column_dictionary_enabled(path, false);
                }
                data_type if data_type.is_string() || data_type.is_binary() => texts.push(path),
                _ => {}
            }
        }
        let mut long_texts = usual.clone();
        for path in texts {
            long_texts = long_texts
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        }
        Ok(Self {
            usual,
            open,
            long_texts: long_texts.build(),
        })
    }

    /// Returns how usual row groups are written, going by the first rows.
    pub(super) fn usual(&self, first: &[RecordBatch]) -> Result<WriterProperties, DataFusionError> {
        let mut usual = self.usual.clone();
        for (place, path) in &self.open {
            if is_hardly_repeated(first.iter().map(|batch| batch.column(*place)))? {
                usual = usual.set_column_dictionary_enabled(path.clone(), false);
            }
        }
        Ok(usual.build())
    }
}

/// A column of the file.
struct Leaf {
    path: Vec<String>,
    data_type: DataType,
    is_in_list: bool,
}

/// Adds the leaves of a field, by the paths that Parquet's writer gives them.
fn find_leaves(field: &FieldRef, is_in_list: bool, above: &mut Vec<String>, found: &mut Vec<Leaf>) {
    above.push(field.name().clone());
    match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            above.push("list".to_owned());
            find_leaves(item, true, above, found);
            above.pop();
        }
        DataType::Struct(fields) => fields
            .iter()
            .for_each(|field| find_leaves(field, false, above, found)),
        DataType::Map(entries, _) => find_leaves(entries, false, above, found),
        DataType::Dictionary(_, value) => found.push(Leaf {
            path: above.clone(),
            data_type: value.as_ref().clone(),
            is_in_list,
        }),
        data_type => found.push(Leaf {
            path: above.clone(),
            data_type: data_type.clone(),
            is_in_list,
        }),
    }
    above.pop();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::parquet::arrow::ArrowSchemaConverter;

    use super::*;

    #[test]
    fn vectors_have_no_dictionary_wherever_they_stand() {
        let vector = |size| {
            let item = Arc::new(Field::new_list_field(DataType::Float32, true));
            DataType::FixedSizeList(item, size)
        };
        let inner = Field::new("v", vector(3), true);
        let list = DataType::new_list(vector(2), true);
        let schema = Arc::new(Schema::new(vec![
            Field::new("text", DataType::Utf8View, true),
            Field::new("v", vector(2), true),
            Field::new("s", DataType::Struct(vec![inner].into()), true),
            Field::new("vs", list, true),
            Field::new("ids", DataType::new_list(DataType::Int64, true), true),
            Field::new_map(
                "m",
                "entries",
                Field::new("keys", DataType::Utf8, false),
                Field::new("values", DataType::Utf8, true),
                false,
                true,
            ),
        ]));
        let properties = Properties::try_new(&schema, &TableParquetOptions::default());
        let properties = properties.expect("properties");
        let usual = properties.usual(&[]).expect("properties");
        let columns = ArrowSchemaConverter::new()
            .convert(&schema)
            .expect("a schema");
        let with: Vec<_> = columns
            .columns()
            .iter()
            .filter(|column| usual.dictionary_enabled(column.path()))
            .map(|column| column.path().string())
            .collect();
        assert_eq!(
            with,
            [
                "text",
                "ids.list.item",
                "m.entries.keys",
                "m.entries.values"
            ]
        );
        for column in columns.columns() {
            let statistics = |of: &WriterProperties| of.statistics_enabled(column.path());
            let name = column.path().string();
            let is_text = name == "text" || name.starts_with("m.");
            let expected = match is_text {
                true => EnabledStatistics::None,
                false => statistics(&usual),
            };
            assert_ne!(statistics(&usual), EnabledStatistics::None, "{name}");
            assert_eq!(statistics(&properties.long_texts), expected, "{name}");
        }
    }
}
