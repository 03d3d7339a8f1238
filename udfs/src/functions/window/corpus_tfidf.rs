//! The SQL function `corpus_tfidf`.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use crate::functions::{Declaration, Parameter};
use lexstream_columns::{TermListWriter, TokenLists, Tokens, types};
use lexstream_text::bags::Bag;
use lexstream_text::tfidf::{DocumentCounts, bigquery_weight};

const DECLARATION: Declaration = Declaration {
    name: "corpus_tfidf",
    family: "Vectors",
    description: "Returns the TF-IDF weight of each distinct token of a row's list within the rows of the window, as List<Struct<term Utf8, weight Float64>>, heaviest first and equal ones by term, by BigQuery's formula: tf / length × ln(1 + N / (1 + df)), where tf is how often the token occurs in the list, length how many tokens the list has, N how many lists the window has and df how many of them have the token. NULL lists are no part of the window. Frames may slide: what leaves the frame is taken away. It holds the rows of a partition and one entry a distinct term.",
    parameters: &[Parameter::TOKENS],
    example: r"
> select corpus_tfidf(tokenize(text)) over () from (values ('a b'), ('b b c')) as t(text);
[{term: a, weight: 0.34657359027997264}, {term: b, weight: 0.2554128118829953}]
[{term: b, weight: 0.3405504158439937}, {term: c, weight: 0.23104906018664842}]
",
    related: &["document_frequencies", "tfidf"],
};

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| DECLARATION.documentation(" OVER (…)"));

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CorpusTfidf {
    signature: Signature,
}

impl Default for CorpusTfidf {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl WindowUDFImpl for CorpusTfidf {
    fn name(&self) -> &str {
        DECLARATION.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(DECLARATION.coerce(arguments))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        DECLARATION.check(args.input_fields())?;
        Ok(Arc::new(Field::new(
            args.name(),
            types::term_weights(),
            true,
        )))
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Partition::default()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// The rows of a partition, asked one after another.
#[derive(Debug, Default)]
struct Partition {
    lists: Option<TokenLists>,
    /// The row that is asked for next.
    row: usize,
    /// The rows that are counted.
    frame: Range<usize>,
    counts: DocumentCounts,
}

impl PartitionEvaluator for Partition {
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let lists = match self.lists.take() {
            Some(lists) => lists,
            None => TokenLists::try_new(&values[0])?,
        };
        self.slide(&lists, range);
        let weights = self.weights(lists.row(self.row))?;
        self.row += 1;
        self.lists = Some(lists);
        Ok(weights)
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}

impl Partition {
    /// Takes away what is in the frame of the row before and not in this one, and adds what is new.
    fn slide(&mut self, lists: &TokenLists, range: &Range<usize>) {
        let (old, new) = (self.frame.clone(), range.clone());
        for row in outside(&old, &new) {
            if let Some(tokens) = lists.row(row) {
                self.counts.begin_removal();
                tokens.iter().for_each(|token| self.counts.remove(token));
            }
        }
        for row in outside(&new, &old) {
            if let Some(tokens) = lists.row(row) {
                self.counts.begin();
                tokens.iter().for_each(|token| self.counts.add(token));
            }
        }
        self.frame = new;
    }

    /// Returns the weights of a list's tokens, as a list of one row.
    fn weights(&self, tokens: Option<Tokens<'_>>) -> Result<ScalarValue> {
        let mut out = TermListWriter::<Float64Type>::new(1);
        match tokens {
            None => out.null()?,
            Some(tokens) => {
                let mut spans = Vec::new();
                let bytes = tokens.places(&mut spans);
                let list: Vec<&str> = tokens.iter().collect();
                let length = list.len() as u64;
                let mut bag = Bag::default();
                let counted = bag.count(bytes, &spans).iter();
                let mut weights: Vec<_> = counted
                    .map(|found| {
                        let term = list[found.place as usize];
                        let with = self.counts.documents_with(term);
                        let (count, documents) = (u64::from(found.count), self.counts.documents());
                        (term, bigquery_weight(count, length, documents, with))
                    })
                    .collect();
                // They are in the order of terms, and stay so where they are equal.
                weights.sort_by(|a, b| b.1.total_cmp(&a.1));
                for (term, weight) in weights {
                    out.term(term, weight);
                }
                out.end_row()?;
            }
        }
        let column = out.finish(types::term_weight_fields())?;
        Ok(ScalarValue::List(Arc::new(column.as_list::<i32>().clone())))
    }
}

/// Returns the numbers of a range that are not in another.
fn outside(range: &Range<usize>, other: &Range<usize>) -> impl Iterator<Item = usize> {
    let before = range.start..range.end.min(other.start);
    let behind = range.start.max(other.end)..range.end;
    // Where the other is empty or lies apart, one of them is the whole range already.
    let behind = if before.end >= range.end {
        0..0
    } else {
        behind
    };
    before.chain(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_outside_is_there_once() {
        for (start, end) in [(0, 0), (0, 3), (2, 5), (4, 4), (1, 2), (5, 7)] {
            for (other_start, other_end) in [(0, 0), (0, 4), (1, 2), (3, 6), (2, 2), (6, 8)] {
                let (range, other) = (start..end, other_start..other_end);
                let found: Vec<_> = outside(&range, &other).collect();
                let expected: Vec<_> = range.clone().filter(|at| !other.contains(at)).collect();
                assert_eq!(found, expected, "{range:?} without {other:?}");
            }
        }
    }
}
