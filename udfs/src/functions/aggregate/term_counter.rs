//! Adapter from [`TokenAggregate`] to DataFusion's aggregates.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use arrow::error::ArrowError;
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use crate::functions::Declaration;
use lexstream_columns::{TokenLists, Tokens, counted_terms, merge_counted_terms, types};
use lexstream_text::collocations::BigramCounts;
use lexstream_text::tfidf::DocumentCounts;

/// An aggregate that returns one list of what it has counted in a group's lists.
pub(super) trait TokenAggregate: Debug + Send + Sync + 'static {
    /// Its signature and documentation.
    const DECLARATION: Declaration;
    /// Its state.
    type Counts: ListCounts;

    /// Returns the type of the list.
    fn result_type() -> DataType;

    /// Returns the list, as a column of one row.
    fn result(counts: &Self::Counts) -> Result<ListArray, ArrowError>;
}

/// Retractable, mergeable counts over lists of tokens; their state is tables of terms.
pub(super) trait ListCounts: Debug + Default + Send + Sync {
    /// The names of the tables in a partial result.
    const TABLES: &'static [&'static str];

    /// Adds a list.
    fn add(&mut self, tokens: Tokens<'_>);

    /// Takes away a list that was added.
    fn remove(&mut self, tokens: Tokens<'_>);

    /// Returns the tables; each has counted all lists.
    fn tables(&self) -> Vec<&DocumentCounts>;

    /// Returns the same, to be merged with those of other lists.
    fn tables_mut(&mut self) -> Vec<&mut DocumentCounts>;
}

impl ListCounts for DocumentCounts {
    const TABLES: &'static [&'static str] = &["terms"];

    fn add(&mut self, tokens: Tokens<'_>) {
        self.begin();
        tokens.iter().for_each(|token| self.add(token));
    }

    fn remove(&mut self, tokens: Tokens<'_>) {
        self.begin_removal();
        tokens.iter().for_each(|token| self.remove(token));
    }

    fn tables(&self) -> Vec<&DocumentCounts> {
        vec![self]
    }

    fn tables_mut(&mut self) -> Vec<&mut DocumentCounts> {
        vec![self]
    }
}

impl ListCounts for BigramCounts {
    const TABLES: &'static [&'static str] = &["tokens", "bigrams"];

    fn add(&mut self, tokens: Tokens<'_>) {
        self.add(tokens.iter());
    }

    fn remove(&mut self, tokens: Tokens<'_>) {
        self.remove(tokens.iter());
    }

    fn tables(&self) -> Vec<&DocumentCounts> {
        self.tables().into()
    }

    fn tables_mut(&mut self) -> Vec<&mut DocumentCounts> {
        self.tables_mut().into()
    }
}

/// The aggregate in the form DataFusion takes.
#[derive(Debug)]
pub(super) struct TermCounter<F> {
    signature: Signature,
    documentation: LazyLock<Documentation>,
    function: PhantomData<F>,
}

impl<F: TokenAggregate> Default for TermCounter<F> {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: LazyLock::new(|| F::DECLARATION.documentation("")),
            function: PhantomData,
        }
    }
}

// All of one type are equal.
impl<F> PartialEq for TermCounter<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F> Eq for TermCounter<F> {}

impl<F> std::hash::Hash for TermCounter<F> {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl<F: TokenAggregate> AggregateUDFImpl for TermCounter<F> {
    fn name(&self) -> &str {
        F::DECLARATION.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(F::DECLARATION.coerce(arguments))
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("{}: return_field knows the type", F::DECLARATION.name)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        F::DECLARATION.check(arguments)?;
        Ok(Arc::new(Field::new(
            F::DECLARATION.name,
            F::result_type(),
            true,
        )))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name: &str, data_type| -> FieldRef {
            Arc::new(Field::new(
                format_state_name(args.name, name),
                data_type,
                true,
            ))
        };
        let tables = F::Counts::TABLES.iter();
        let tables = tables.map(|name| field(name, types::counted_terms()));
        Ok([field("lists", DataType::Int64)]
            .into_iter()
            .chain(tables)
            .collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "{}: DISTINCT is not supported; array_distinct(tokens) counts each token once a list",
                F::DECLARATION.name
            );
        }
        Ok(Box::new(Counter::<F>(F::Counts::default())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The counts of one group.
#[derive(Debug)]
struct Counter<F: TokenAggregate>(F::Counts);

impl<F: TokenAggregate> Counter<F> {
    fn lists(&self) -> u64 {
        let tables = self.0.tables();
        tables.first().map_or(0, |table| table.documents())
    }
}

impl<F: TokenAggregate> Accumulator for Counter<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let lists = TokenLists::try_new(&values[0])?;
        let rows = lists.rows().into_iter().flatten();
        rows.for_each(|tokens| self.0.add(tokens));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let lists = TokenLists::try_new(&values[0])?;
        let rows = lists.rows().into_iter().flatten();
        rows.for_each(|tokens| self.0.remove(tokens));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_primitive::<Int64Type>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            for (table, state) in self.0.tables_mut().into_iter().zip(&states[1..]) {
                table.merge_documents(lists.value(row) as u64);
                merge_counted_terms(state.as_list(), row, table);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = vec![ScalarValue::from(self.lists() as i64)];
        for table in self.0.tables() {
            state.push(ScalarValue::List(Arc::new(counted_terms(table)?)));
        }
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.lists() == 0 {
            return ScalarValue::try_from(&F::result_type());
        }
        Ok(ScalarValue::List(Arc::new(F::result(&self.0)?)))
    }

    fn size(&self) -> usize {
        let tables = self.0.tables().into_iter();
        let beyond = |table: &DocumentCounts| table.size() - size_of_val(table);
        size_of_val(self) + tables.map(beyond).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{collocations, term_frequencies};
    use super::*;
    use lexstream_columns::token_list;

    fn check<F: TokenAggregate>() {
        let column = |tokens: &[&str]| [token_list(tokens).expect("one row")];
        let (first, second) = (column(&["to", "be"]), column(&["be", "to", "be"]));
        let mut counters = [(); 3].map(|()| Counter::<F>(F::Counts::default()));
        let [whole, part, other] = &mut counters;
        assert!(whole.evaluate().expect("a list").is_null());
        for (counter, lists) in [(&mut *whole, &first), (part, &first), (other, &second)] {
            counter.update_batch(lists).expect("one row");
        }
        whole.update_batch(&second).expect("one row");
        let state = other.state().expect("a state").into_iter();
        let state: Result<Vec<_>> = state.map(|value| value.to_array()).collect();
        part.merge_batch(&state.expect("columns")).expect("a state");
        assert_eq!(
            part.evaluate().expect("a list"),
            whole.evaluate().expect("a list")
        );
        assert!(whole.size() > size_of_val(whole));
        whole.retract_batch(&first).expect("one row");
        assert_eq!(
            whole.evaluate().expect("a list"),
            other.evaluate().expect("a list")
        );
    }

    #[test]
    fn parts_make_the_whole_and_what_is_retracted_was_never_there() {
        check::<collocations::Collocations>();
        check::<term_frequencies::TermFrequencies>();
    }
}
