//! How results are printed: one file a format.

mod cell;
mod delimited;
mod encoder;
mod json;
mod plans;
mod table;

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;

pub(super) use cell::{cut, visible, width};

use super::failure::Failure;
use lexstream_engine::config::SqlConfig;

/// Where results go.
pub(super) type Output = Box<dyn Write>;

/// Prints one result, batch by batch.
pub(super) trait Printer {
    /// Takes rows; they have reached the reader when this returns, or soon after.
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure>;

    /// Prints what was held back; called several times a second.
    fn tick(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Prints what belongs at the end; the footer is for people and only a table has one.
    fn finish(&mut self, footer: Option<&str>) -> Result<(), Failure>;
}

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people; lists are shortened
    Table,
    /// Comma-separated values, nested values as JSON
    Csv,
    /// Tab-separated values, nested values as JSON; tab, line break and backslash as \t, \n, \r, \\
    Tsv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    NdJson,
}

impl Format {
    /// Returns the printer of one result; `terminal` tells whether a person is looking.
    pub(super) fn printer(
        self,
        schema: &SchemaRef,
        output: Output,
        settings: &SqlConfig,
        terminal: bool,
    ) -> Result<Box<dyn Printer>, Failure> {
        // A statement that only changes the session prints nothing in any format.
        if schema.fields().is_empty() {
            return Ok(Box::new(Nothing));
        }
        Ok(match self {
            Self::Table if plans::are_in(schema) => Box::new(plans::Plans::new(output)),
            Self::Table => Box::new(table::Table::new(schema, output, settings, terminal)),
            Self::Csv => Box::new(delimited::Delimited::csv(schema, output)?),
            Self::Tsv => Box::new(delimited::Delimited::tsv(schema, output)?),
            Self::Json => Box::new(json::Json::array(output)),
            Self::NdJson => Box::new(json::Json::lines(output)),
        })
    }
}

struct Nothing;

impl Printer for Nothing {
    fn batch(&mut self, _: &RecordBatch) -> Result<(), Failure> {
        Ok(())
    }

    fn finish(&mut self, _: Option<&str>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;

    /// Output that a test can read.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const NESTED: &str = "SELECT 1 AS n, 'a\tb\"' AS text, tokenize('To be or not to be') AS tokens, \
                          named_struct('x', 1.5, 'y', NULL) AS s, NULL AS nothing, '漢👍🏽' AS wide";

    async fn check(query: &str, format: Format, expected: &str) {
        let printed = print(query, format).await.expect(query);
        assert_eq!(printed, expected, "{query}");
    }

    async fn print(query: &str, format: Format) -> Result<String, Failure> {
        let frame = crate::builder()
            .build()
            .expect("engine")
            .sql(query)
            .await
            .expect(query);
        let schema = SchemaRef::new(frame.schema().as_arrow().clone());
        let output = Shared::default();
        let settings = SqlConfig::default();
        let mut printer = format.printer(&schema, Box::new(output.clone()), &settings, false)?;
        for batch in frame.collect().await.expect("rows") {
            printer.batch(&batch)?;
        }
        printer.finish(Some("the end"))?;
        let printed = output.0.borrow().clone();
        Ok(String::from_utf8(printed).expect("UTF-8"))
    }

    #[tokio::test]
    async fn a_table_shortens_lists_and_escapes_control_characters() {
        let expected = "\
+---+-------+-------------------+-------------------+---------+------+
| n | text  | tokens            | s                 | nothing | wide |
+---+-------+-------------------+-------------------+---------+------+
| 1 | a\\tb\" | [To, be, or, … 6] | {x: 1.5, y: NULL} | NULL    | 漢👍🏽 |
+---+-------+-------------------+-------------------+---------+------+
the end
";
        check(NESTED, Format::Table, expected).await;
    }

    #[tokio::test]
    async fn separated_values_hold_json() {
        check(
            NESTED,
            Format::Csv,
            "n,text,tokens,s,nothing,wide\n1,\"a\tb\"\"\",\"[\"\"To\"\",\"\"be\"\",\"\"or\"\",\"\"not\"\",\"\"to\"\",\"\"be\"\"]\",\"{\"\"x\"\":1.5,\"\"y\"\":null}\",,漢👍🏽\n",
        )
        .await;
        check(
            NESTED,
            Format::Tsv,
            "n\ttext\ttokens\ts\tnothing\twide\n1\ta\\tb\"\t[\"To\",\"be\",\"or\",\"not\",\"to\",\"be\"]\t{\"x\":1.5,\"y\":null}\t\t漢👍🏽\n",
        )
        .await;
    }

    #[tokio::test]
    async fn json_holds_whole_values_and_nulls() {
        let row = "{\"n\":1,\"text\":\"a\\tb\\\"\",\"tokens\":[\"To\",\"be\",\"or\",\"not\",\"to\",\"be\"],\"s\":{\"x\":1.5,\"y\":null},\"nothing\":null,\"wide\":\"漢👍🏽\"}";
        check(NESTED, Format::Json, &format!("[{row}]\n")).await;
        check(NESTED, Format::NdJson, &format!("{row}\n")).await;
    }

    #[tokio::test]
    async fn maps_whose_keys_are_no_text_are_lists_of_key_and_value() {
        let query = "SELECT MAP {1: 'a', 2: NULL} AS m, MAP {'k': MAP {true: 1}} AS n";
        let m = r#"[{"key":1,"value":"a"},{"key":2,"value":null}]"#;
        let n = r#"{"k":[{"key":true,"value":1}]}"#;
        let row = format!("{{\"m\":{m},\"n\":{n}}}\n");
        check(query, Format::NdJson, &row).await;
        check(query, Format::Tsv, &format!("m\tn\n{m}\t{n}\n")).await;
        let quoted = |json: &str| format!("\"{}\"", json.replace('"', "\"\""));
        let csv = format!("m,n\n{},{}\n", quoted(m), quoted(n));
        check(query, Format::Csv, &csv).await;
    }

    #[tokio::test]
    async fn numbers_and_times_are_valid_json_or_an_error() {
        let query = "SELECT arrow_cast(n, 'Decimal128(5, -3)') AS d, TIMESTAMP '2024-01-02T03:04:05' AS t \
                     FROM (VALUES (0), (4000), (-7000)) AS v(n)";
        let rows = ["0", "4000", "-7000"]
            .map(|d| format!("{{\"d\":{d},\"t\":\"2024-01-02T03:04:05\"}}\n"));
        check(query, Format::NdJson, &rows.concat()).await;
        let beyond = "SELECT [arrow_cast(9000000000000000, 'Timestamp(Millisecond, None)')] AS t";
        for format in [Format::Json, Format::NdJson, Format::Csv] {
            let error = print(beyond, format).await.expect_err(beyond).to_string();
            assert!(error.contains("9000000000000000"), "{error}");
        }
    }

    #[tokio::test]
    async fn no_rows_still_have_a_header() {
        let none = "SELECT 1 AS n WHERE false";
        check(none, Format::Table, "+---+\n| n |\n+---+\n+---+\nthe end\n").await;
        check(none, Format::Csv, "n\n").await;
        check(none, Format::Json, "[]\n").await;
        check(none, Format::NdJson, "").await;
    }

    #[tokio::test]
    async fn a_statement_without_columns_prints_nothing() {
        check("CREATE TABLE t AS SELECT 1", Format::Table, "").await;
        check("CREATE TABLE t AS SELECT 1", Format::Json, "").await;
    }

    #[tokio::test]
    async fn plans_keep_their_lines() {
        let expected = "\
logical_plan:
  Projection: Int64(1) AS n
    EmptyRelation: rows=1
physical_plan:
  ProjectionExec: expr=[1 as n]
    PlaceholderRowExec
the end
";
        check("EXPLAIN SELECT 1 AS n", Format::Table, expected).await;
    }

    #[tokio::test]
    async fn columns_fit_the_rows_of_several_batches() {
        let query =
            "SELECT * FROM (SELECT 'a' AS text UNION ALL SELECT 'a longer text') ORDER BY 1";
        let expected = "\
+---------------+
| text          |
+---------------+
| a             |
| a longer text |
+---------------+
the end
";
        check(query, Format::Table, expected).await;
    }

    #[tokio::test]
    async fn numbers_stand_at_the_right() {
        let query = "SELECT * FROM (VALUES (1, 'a'), (100, 'b')) AS t(number, text)";
        let expected = "\
+--------+------+
| number | text |
+--------+------+
|      1 | a    |
|    100 | b    |
+--------+------+
the end
";
        check(query, Format::Table, expected).await;
    }
}
