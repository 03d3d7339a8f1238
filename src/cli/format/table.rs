//! `table`: for people.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::util::display::FormatOptions;

use super::cell::{Cells, cut, width};
use super::{Output, Printer};
use crate::cli::failure::Failure;
use lexstream_engine::config::SqlConfig;

/// How many rows are held back at most to find the widths of the columns.
const HELD_ROWS: usize = 1000;

/// Prints a table whose columns are as wide as the header and the first rows ask for: those that come
/// before the first tick, at most 1,000.
///
/// A later cell that is wider is cut on a terminal, and stands out of its column elsewhere: rows are
/// printed as they come, and nothing that is piped is lost.
pub(super) struct Table {
    output: Output,
    names: Vec<String>,
    numeric: Vec<bool>,
    /// None until the header is printed.
    widths: Option<Vec<usize>>,
    /// Rows that wait for the header.
    held: Vec<Vec<String>>,
    max_items: usize,
    max_width: usize,
    terminal: bool,
}

impl Table {
    pub(super) fn new(
        schema: &SchemaRef,
        output: Output,
        settings: &SqlConfig,
        terminal: bool,
    ) -> Self {
        Self {
            output,
            names: schema
                .fields()
                .iter()
                .map(|field| field.name().replace(char::is_control, " "))
                .collect(),
            numeric: schema
                .fields()
                .iter()
                .map(|field| field.data_type().is_numeric())
                .collect(),
            widths: None,
            held: Vec::new(),
            max_items: settings.max_items,
            max_width: if terminal { settings.max_width } else { 0 },
            terminal,
        }
    }

    fn rule(&mut self) -> Result<(), Failure> {
        let widths = self.widths.iter().flatten();
        let rule: String = widths
            .map(|width| format!("+{}", "-".repeat(width + 2)))
            .collect();
        Ok(writeln!(self.output, "{rule}+")?)
    }

    fn row(&mut self, cells: impl Iterator<Item = (String, bool)>) -> Result<(), Failure> {
        let widths = self.widths.as_deref().unwrap_or_default();
        for ((mut cell, right), column) in cells.zip(widths) {
            let width = cut(&mut cell, if self.terminal { *column } else { 0 });
            let space = " ".repeat(column.saturating_sub(width));
            match right {
                true => write!(self.output, "| {space}{cell} ")?,
                false => write!(self.output, "| {cell}{space} ")?,
            }
        }
        Ok(writeln!(self.output, "|")?)
    }

    /// Prints the header, if it is not there yet, over columns that fit the rows held back, and these rows.
    fn release(&mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.held);
        if self.widths.is_none() {
            let widths = self.names.iter().enumerate().map(|(column, name)| {
                let widest = rows.iter().map(|row| width(&row[column])).max();
                widest.unwrap_or(0).max(width(name))
            });
            self.widths = Some(widths.collect());
            self.rule()?;
            let names = self.names.clone();
            self.row(names.into_iter().map(|name| (name, false)))?;
            self.rule()?;
        }
        let numeric = self.numeric.clone();
        for cells in rows {
            self.row(cells.into_iter().zip(numeric.iter().copied()))?;
        }
        Ok(self.output.flush()?)
    }
}

impl Printer for Table {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let options = FormatOptions::new().with_null("NULL");
        let columns = batch
            .columns()
            .iter()
            .map(|column| Cells::new(column, &options, self.max_items));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let mut cells = Vec::with_capacity(columns.len());
            for column in &columns {
                let mut cell = String::new();
                column.write(row, &mut cell)?;
                cut(&mut cell, self.max_width);
                cells.push(cell);
            }
            self.held.push(cells);
        }
        if self.widths.is_some() || self.held.len() >= HELD_ROWS {
            self.release()?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Failure> {
        if self.held.is_empty() {
            Ok(())
        } else {
            self.release()
        }
    }

    fn finish(&mut self, footer: Option<&str>) -> Result<(), Failure> {
        self.release()?;
        self.rule()?;
        if let Some(footer) = footer {
            writeln!(self.output, "{footer}")?;
        }
        Ok(self.output.flush()?)
    }
}
