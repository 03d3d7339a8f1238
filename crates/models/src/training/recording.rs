//! Rows that are kept while they are read, to be read again.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use lexstream_columns::model::ModelError;

use super::Batches;
use super::spill::{Spill, decode, encode};
use crate::kinds::Rows;

/// How many bytes of rows stay in memory by default; what comes behind them is spilled to disk.
pub const MEMORY: usize = 256 << 20;

/// The first pass over the rows of a query, which keeps them.
///
/// It gives the batches as they come, so that what the first pass counts is counted while the query runs; the query is
/// read once.
#[derive(Debug)]
pub struct Recording<'a> {
    rows: Rows,
    kept: TrainingRows,
    memory: Memory<'a>,
    failed: bool,
}

#[derive(Debug)]
struct Memory<'a> {
    /// Bytes that are left.
    left: usize,
    /// Where a spill file goes once they are used up.
    folder: &'a Path,
}

impl<'a> Recording<'a> {
    /// Keeps rows, `bytes` of them in memory and those behind in a file in `folder`.
    pub fn new(rows: Rows, bytes: usize, folder: &'a Path) -> Self {
        Self {
            kept: TrainingRows {
                schema: rows.schema.clone(),
                blocks: Vec::new(),
                spill: None,
                rows: 0,
            },
            rows,
            memory: Memory {
                left: bytes,
                folder,
            },
            failed: false,
        }
    }

    /// Reads what is left and returns all rows.
    ///
    /// # Errors
    ///
    /// Where the query fails, or failed in the pass before; where the disk is full.
    pub fn finish(mut self) -> Result<TrainingRows, ModelError> {
        for batch in &mut self {
            batch?;
        }
        if self.failed {
            return Err("the query behind AS failed before its last row".into());
        }
        Ok(self.kept)
    }
}

impl Iterator for Recording<'_> {
    type Item = Result<RecordBatch, ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.rows.batches.next()?;
        let kept = batch.and_then(|batch| {
            self.kept.keep(&batch, &mut self.memory)?;
            Ok(batch)
        });
        self.failed = kept.is_err();
        Some(kept)
    }
}

/// The rows of a query, to be read as often as one wants, by any number of threads.
///
/// A batch lies in memory or in a file without a name, which goes with this value.
#[derive(Debug)]
pub struct TrainingRows {
    schema: SchemaRef,
    blocks: Vec<Block>,
    spill: Option<Spill>,
    rows: u64,
}

#[derive(Debug)]
enum Block {
    Memory(Buffer),
    Spilled(Range<u64>),
}

impl TrainingRows {
    /// Returns the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns how many batches they are in; none is empty.
    pub fn batches(&self) -> usize {
        self.blocks.len()
    }

    /// Tells whether some are on disk.
    pub fn is_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// Returns the batch at a place below [`TrainingRows::batches`], in the query's order.
    ///
    /// # Errors
    ///
    /// Where the disk can't be read.
    ///
    /// # Panics
    ///
    /// Where there is no such place.
    pub fn batch(&self, at: usize) -> Result<RecordBatch, ModelError> {
        let block = match (&self.blocks[at], &self.spill) {
            (Block::Memory(block), _) => block.clone(),
            (Block::Spilled(block), Some(spill)) => spill.read(block)?,
            (Block::Spilled(_), None) => unreachable!("what is spilled has a file"),
        };
        Ok(decode(block)?)
    }

    /// Begins to read them again, from the first to the last.
    pub fn pass(&self) -> RowsPass<'_> {
        RowsPass {
            rows: self,
            next: AtomicUsize::new(0),
        }
    }

    fn keep(&mut self, batch: &RecordBatch, memory: &mut Memory<'_>) -> Result<(), ModelError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut block = encode(batch)?;
        block.shrink_to_fit();
        let block = match &mut self.spill {
            None if block.len() <= memory.left => {
                memory.left -= block.len();
                Block::Memory(Buffer::from_vec(block))
            }
            spill => {
                let spill = match spill {
                    Some(spill) => spill,
                    None => spill.insert(Spill::new(memory.folder)?),
                };
                Block::Spilled(spill.append(&block)?)
            }
        };
        self.blocks.push(block);
        self.rows += batch.num_rows() as u64;
        Ok(())
    }
}

/// One pass over rows: threads take the batches in turn, or one iterates over them.
#[derive(Debug)]
pub struct RowsPass<'a> {
    rows: &'a TrainingRows,
    next: AtomicUsize,
}

impl Batches for RowsPass<'_> {
    fn next_batch(&self) -> Option<Result<RecordBatch, ModelError>> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        (at < self.rows.batches()).then(|| self.rows.batch(at))
    }
}

impl Iterator for RowsPass<'_> {
    type Item = Result<RecordBatch, ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, AsArray, DictionaryArray, Int64Array, ListBuilder, StringArray, StringBuilder,
        StringViewArray,
    };
    use arrow::datatypes::{Int32Type, Int64Type};

    use super::*;
    use crate::progress::Activities;
    use crate::training::{Once, Workers};

    /// A batch of every shape that texts have, NULLs and dictionaries of its own included.
    fn batch(start: i64) -> RecordBatch {
        let text =
            |at: i64| (at % 5 != 0).then(|| format!("a text that no view holds itself, {at}"));
        let numbers = start..start + 100;
        let mut tokens = ListBuilder::new(StringBuilder::new());
        for at in numbers.clone() {
            tokens.append_option(text(at).map(|text| {
                text.split(' ')
                    .map(|word| Some(word.to_owned()))
                    .collect::<Vec<_>>()
            }));
        }
        let texts: Vec<_> = numbers.clone().map(text).collect();
        let texts = || texts.iter().map(Option::as_deref);
        RecordBatch::try_from_iter([
            ("n", Arc::new(numbers.collect::<Int64Array>()) as ArrayRef),
            ("text", Arc::new(texts().collect::<StringArray>())),
            ("view", Arc::new(texts().collect::<StringViewArray>())),
            (
                "of_few",
                Arc::new(texts().collect::<DictionaryArray<Int32Type>>()),
            ),
            ("tokens", Arc::new(tokens.finish())),
        ])
        .expect("a batch")
    }

    fn query() -> Vec<RecordBatch> {
        // Slices of one batch, as tables in memory give them, and one without rows.
        let whole = batch(0);
        let slices = (0..10).map(|at| whole.slice(at * 10, 10));
        let more = [batch(100), whole.slice(0, 0), batch(200)];
        slices.chain(more).collect()
    }

    fn rows(batches: Vec<Result<RecordBatch, ModelError>>) -> Rows {
        Rows {
            schema: batch(0).schema(),
            batches: Box::new(batches.into_iter()),
        }
    }

    fn recorded(bytes: usize) -> TrainingRows {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = rows(query().into_iter().map(Ok).collect());
        let mut recording = Recording::new(rows, bytes, folder.path());
        let first: Vec<_> = (&mut recording).collect::<Result<_, _>>().expect("a pass");
        assert_eq!(first, query());
        let kept = recording.finish().expect("rows");
        // The spill file has no name.
        let names = std::fs::read_dir(folder.path()).expect("a folder");
        assert_eq!(names.count(), 0);
        kept
    }

    #[test]
    fn rows_are_the_same_in_each_pass_from_memory_and_from_disk() {
        let expected: Vec<_> = query()
            .into_iter()
            .filter(|batch| batch.num_rows() > 0)
            .collect();
        for (bytes, is_spilled) in [(0, true), (20_000, true), (1 << 20, false)] {
            let kept = recorded(bytes);
            assert_eq!(
                (kept.is_spilled(), kept.rows()),
                (is_spilled, 300),
                "{bytes}"
            );
            for _ in 0..3 {
                let pass: Result<Vec<_>, _> = kept.pass().collect();
                assert_eq!(pass.expect("a pass"), expected, "{bytes}");
            }
            assert_eq!(kept.batch(1).expect("a batch"), expected[1]);
        }
    }

    #[test]
    fn what_is_in_memory_stays_below_the_bound() {
        let kept = recorded(20_000);
        let in_memory = |block: &Block| match block {
            Block::Memory(block) => Some(block.capacity()),
            Block::Spilled(_) => None,
        };
        let blocks: Vec<_> = kept.blocks.iter().filter_map(in_memory).collect();
        assert!(!blocks.is_empty());
        assert!(blocks.iter().sum::<usize>() <= 20_000, "{blocks:?}");
    }

    #[test]
    fn threads_share_a_pass() {
        let kept = recorded(20_000);
        let progress = Arc::<Activities>::default().begin("m");
        let add = |sum: &mut i64, batch: &RecordBatch| {
            *sum += batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .sum::<i64>();
            Ok(())
        };
        for _ in 0..3 {
            let sums = Workers::new(None, &progress).fold(&kept.pass(), || 0, add);
            // The sum of 0 to 299.
            assert_eq!(sums.expect("sums").iter().sum::<i64>(), 44_850);
        }
    }

    #[test]
    fn the_first_pass_may_be_shared_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = rows(query().into_iter().map(Ok).collect());
        let mut recording = Recording::new(rows, 0, folder.path());
        let progress = Arc::<Activities>::default().begin("m");
        let add = |rows: &mut usize, batch: &RecordBatch| {
            *rows += batch.num_rows();
            Ok(())
        };
        let counts = Workers::new(None, &progress).fold(&Once::new(&mut recording), || 0, add);
        assert_eq!(counts.expect("counts").iter().sum::<usize>(), 300);
        assert_eq!(recording.finish().expect("rows").rows(), 300);
    }

    #[test]
    fn a_query_that_fails_gives_its_error_and_no_rows() {
        let batches = || {
            rows(vec![
                Ok(batch(0)),
                Err("a wrong cast".into()),
                Ok(batch(100)),
            ])
        };
        let folder = tempfile::tempdir().expect("a folder");
        let failed = Recording::new(batches(), 0, folder.path()).finish();
        assert_eq!(failed.expect_err("failed").to_string(), "a wrong cast");
        let mut recording = Recording::new(batches(), 0, folder.path());
        assert_eq!((&mut recording).filter(Result::is_ok).count(), 1);
        let failed = recording.finish().expect_err("failed").to_string();
        assert_eq!(failed, "the query behind AS failed before its last row");
    }

    #[test]
    fn a_spill_that_fails_ends_the_pass() {
        let rows = rows(query().into_iter().map(Ok).collect());
        let failed = Recording::new(rows, 0, Path::new("/no/such/folder")).finish();
        let message = failed.expect_err("no folder").to_string();
        assert!(
            message.contains("could not create a spill file in /no/such/folder"),
            "{message}"
        );
    }
}
