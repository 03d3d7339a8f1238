//! The columns that a kind takes, held against those of the query behind `AS`.

use std::fmt;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;

/// What a column holds; each text encoding, width of integers and shape of lists counts as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers.
    Integer,
    /// Numbers, whole or not.
    Number,
    /// Texts.
    Text,
    /// Lists of texts.
    Tokens,
    /// Lists of numbers.
    Vector,
}

impl Holds {
    fn fits(self, data_type: &DataType) -> bool {
        match self {
            Self::Integer => data_type.is_integer(),
            Self::Number => data_type.is_numeric(),
            Self::Text => match data_type {
                DataType::Dictionary(_, value) => value.is_string(),
                other => other.is_string(),
            },
            Self::Tokens => item(data_type).is_some_and(|item| Self::Text.fits(item)),
            Self::Vector => item(data_type).is_some_and(DataType::is_numeric),
        }
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Tokens => "list of texts",
            Self::Vector => "list of numbers",
        })
    }
}

fn item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(item.data_type()),
        _ => None,
    }
}

/// A column that a kind takes.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// What messages call it; what the query calls it where it is taken by name.
    pub name: &'static str,
    /// What it may hold.
    pub holds: &'static [Holds],
    /// Whether the query may leave it out.
    pub optional: bool,
    /// Whether it is the column of this name, wherever it stands, and not the next one.
    pub by_name: bool,
}

impl ColumnSpec {
    /// Returns a column that the query must have, by its place among those that are not taken by name.
    pub const fn required(name: &'static str, holds: &'static [Holds]) -> Self {
        Self {
            name,
            holds,
            optional: false,
            by_name: false,
        }
    }

    /// Returns it as one that may be left out; one by its place leaves out those behind it too.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// Returns it as one that is found by its name, without regard to case.
    #[must_use]
    pub const fn by_name(self) -> Self {
        Self {
            by_name: true,
            ..self
        }
    }
}

/// A query has other columns than its model is made from.
#[derive(Debug, thiserror::Error)]
#[error("model `{model}`: expected a query with columns ({expected}), found ({found})")]
pub struct ColumnError {
    model: String,
    expected: String,
    found: String,
}

/// Where the columns that a kind takes stand in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<Option<Column>>);

/// One column of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its place in the query, from 0.
    pub place: usize,
    /// What it holds. A column that may be left out and has the type of NULL holds the first that it may.
    pub holds: Holds,
}

impl Columns {
    /// Finds the columns that a model takes, in the specifications' order.
    ///
    /// # Errors
    ///
    /// Where one is missing, one holds something else, or one is left over.
    pub fn find(model: &str, takes: &[ColumnSpec], query: &Schema) -> Result<Self, ColumnError> {
        let fields = query.fields();
        let named = |spec: &&ColumnSpec, place: &usize| {
            spec.by_name && fields[*place].name().eq_ignore_ascii_case(spec.name)
        };
        let mut others =
            (0..fields.len()).filter(|place| !takes.iter().any(|spec| named(&spec, place)));
        let mut found = Vec::new();
        for spec in takes {
            let place = match spec.by_name {
                true => (0..fields.len()).find(|place| named(&spec, place)),
                false => others.next(),
            };
            let column = place.and_then(|place| {
                let data_type = fields[place].data_type();
                let mut holds = spec.holds.iter();
                let holds = holds
                    .find(|holds| holds.fits(data_type) || spec.optional && data_type.is_null());
                holds.map(|holds| Column {
                    place,
                    holds: *holds,
                })
            });
            if column.is_none() && (place.is_some() || !spec.optional) {
                return Err(wrong(model, takes, query));
            }
            found.push(column);
        }
        let is_taken = |place: usize| {
            let mut found = found.iter().flatten();
            found.any(|column| column.place == place)
        };
        match (0..fields.len()).all(is_taken) {
            true => Ok(Self(found)),
            false => Err(wrong(model, takes, query)),
        }
    }

    /// Returns the column of a specification, by its place among them; none where the query leaves it out.
    pub fn get(&self, specification: usize) -> Option<Column> {
        self.0.get(specification).copied().flatten()
    }

    /// Returns the column of a specification in a batch of the query.
    pub fn of<'a>(&self, batch: &'a RecordBatch, specification: usize) -> Option<&'a ArrayRef> {
        self.get(specification)
            .map(|column| batch.column(column.place))
    }
}

fn wrong(model: &str, takes: &[ColumnSpec], query: &Schema) -> ColumnError {
    let mut expected = String::new();
    let mut open = 0;
    for (at, spec) in takes.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let holds: Vec<_> = spec.holds.iter().map(ToString::to_string).collect();
        let column = format!("{comma}{} {}", spec.name, holds.join(" or "));
        match (spec.optional, at > 0) {
            (true, true) => expected.push_str(&format!(" [{column}")),
            (true, false) => expected.push_str(&format!("[{column}")),
            (false, _) => expected.push_str(&column),
        }
        match (spec.optional, spec.by_name) {
            (true, true) => expected.push(']'),
            // Those behind it need it.
            (true, false) => open += 1,
            (false, _) => {}
        }
    }
    expected.push_str(&"]".repeat(open));
    let fields = query.fields().iter();
    let found: Vec<_> = fields
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    ColumnError {
        model: model.to_owned(),
        expected,
        found: found.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field;

    use super::*;

    const WORDS: &[ColumnSpec] = &[
        ColumnSpec::required("word", &[Holds::Text]),
        ColumnSpec::required("frequency", &[Holds::Integer]).optional(),
        ColumnSpec::required("tag", &[Holds::Text]).optional(),
    ];

    const LABELLED: &[ColumnSpec] = &[
        ColumnSpec::required("document", &[Holds::Text, Holds::Tokens, Holds::Vector]),
        ColumnSpec::required("label", &[Holds::Text, Holds::Integer]).by_name(),
        ColumnSpec::required("weight", &[Holds::Number])
            .optional()
            .by_name(),
    ];

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        let fields = columns.iter();
        Schema::new(
            fields
                .map(|(name, data_type)| Field::new(*name, data_type.clone(), true))
                .collect::<Vec<_>>(),
        )
    }

    fn list(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(item, true)))
    }

    fn check(
        takes: &[ColumnSpec],
        columns: &[(&str, DataType)],
        expected: &[Option<(usize, Holds)>],
    ) {
        let found = Columns::find("m", takes, &schema(columns)).expect("columns");
        let found: Vec<_> = (0..takes.len())
            .map(|at| found.get(at).map(|column| (column.place, column.holds)))
            .collect();
        assert_eq!(found, expected, "{columns:?}");
    }

    fn check_error(takes: &[ColumnSpec], columns: &[(&str, DataType)], expected: &str) {
        let failed = Columns::find("m", takes, &schema(columns)).expect_err(expected);
        assert_eq!(failed.to_string(), expected);
    }

    #[test]
    fn columns_are_taken_by_their_place() {
        use DataType::{Int8, LargeUtf8, Null, Utf8, Utf8View};
        let word = Some((0, Holds::Text));
        check(WORDS, &[("a", Utf8)], &[word, None, None]);
        check(
            WORDS,
            &[("a", LargeUtf8), ("b", Int8)],
            &[word, Some((1, Holds::Integer)), None],
        );
        check(
            WORDS,
            &[("a", Utf8View), ("b", Null), ("c", Utf8)],
            &[word, Some((1, Holds::Integer)), Some((2, Holds::Text))],
        );
    }

    #[test]
    fn columns_are_taken_by_their_name_wherever_they_stand() {
        use DataType::{Float32, Int64, Utf8};
        check(
            LABELLED,
            &[("LABEL", Int64), ("x", list(Utf8))],
            &[Some((1, Holds::Tokens)), Some((0, Holds::Integer)), None],
        );
        check(
            LABELLED,
            &[("weight", Float32), ("x", list(Float32)), ("label", Utf8)],
            &[
                Some((1, Holds::Vector)),
                Some((2, Holds::Text)),
                Some((0, Holds::Number)),
            ],
        );
    }

    #[test]
    fn other_columns_are_refused() {
        use DataType::{Int64, Null, Utf8};
        let words = |found: &str| {
            format!(
                "model `m`: expected a query with columns (word text [, frequency integer [, tag text]]), found ({found})"
            )
        };
        check_error(WORDS, &[], &words(""));
        check_error(WORDS, &[("a", Null)], &words("a Null"));
        check_error(WORDS, &[("a", Utf8), ("b", Utf8)], &words("a Utf8, b Utf8"));
        check_error(
            WORDS,
            &[("a", Utf8), ("b", Int64), ("c", Utf8), ("d", Utf8)],
            &words("a Utf8, b Int64, c Utf8, d Utf8"),
        );
        let labelled = |found: &str| {
            format!(
                "model `m`: expected a query with columns (document text or list of texts or list of numbers, label text or integer [, weight number]), found ({found})"
            )
        };
        check_error(LABELLED, &[("x", Utf8)], &labelled("x Utf8"));
        check_error(LABELLED, &[("label", Utf8)], &labelled("label Utf8"));
        check_error(
            LABELLED,
            &[("x", Utf8), ("label", Utf8), ("label", Utf8)],
            &labelled("x Utf8, label Utf8, label Utf8"),
        );
    }
}
