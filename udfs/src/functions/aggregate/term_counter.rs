//! The one shape of the aggregates that count terms.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use crate::columns::{TokenLists, counted_terms, merge_counted_terms, term_counts, types};
use crate::functions::{Kind, Parameter, Parameters};
use crate::text::tfidf::{DocumentCounts, TermCount};

/// An aggregate that returns the terms of a group's lists, each with a number.
pub(super) trait TermNumbers: Debug + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;

    /// Returns the number of a term.
    fn number(count: &TermCount<'_>) -> u64;

    /// Returns the documentation that `#[user_doc]` builds.
    fn documentation() -> Option<&'static Documentation>;
}

/// The aggregate in the form DataFusion takes.
#[derive(Debug)]
pub(super) struct TermCounter<F> {
    signature: Signature,
    function: PhantomData<F>,
}

impl<F> Default for TermCounter<F> {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
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

impl<F: TermNumbers> TermCounter<F> {
    const PARAMETERS: Parameters = Parameters {
        function: F::NAME,
        list: &[Parameter {
            name: "tokens",
            kind: Kind::Tokens,
        }],
        required: 1,
    };
}

impl<F: TermNumbers> AggregateUDFImpl for TermCounter<F> {
    fn name(&self) -> &str {
        F::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(Self::PARAMETERS.coerce(arguments))
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("{}: return_field knows the type", F::NAME)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        Self::PARAMETERS.check(arguments)?;
        Ok(Arc::new(Field::new(F::NAME, types::term_counts(), true)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name, data_type| -> FieldRef {
            Arc::new(Field::new(
                format_state_name(args.name, name),
                data_type,
                true,
            ))
        };
        Ok(vec![
            field("lists", DataType::Int64),
            field("terms", types::counted_terms()),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "{}: DISTINCT is not supported; array_distinct(tokens) counts each token once a list",
                F::NAME
            );
        }
        Ok(Box::new(Counter::<F> {
            counts: DocumentCounts::default(),
            function: PhantomData,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        F::documentation()
    }
}

/// The counts of one group.
#[derive(Debug)]
struct Counter<F> {
    counts: DocumentCounts,
    function: PhantomData<F>,
}

impl<F: TermNumbers> Accumulator for Counter<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for tokens in TokenLists::try_new(&values[0])?
            .rows()
            .into_iter()
            .flatten()
        {
            self.counts.begin();
            tokens.iter().for_each(|token| self.counts.add(token));
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for tokens in TokenLists::try_new(&values[0])?
            .rows()
            .into_iter()
            .flatten()
        {
            self.counts.begin_removal();
            tokens.iter().for_each(|token| self.counts.remove(token));
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_primitive::<Int64Type>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            self.counts.merge_documents(lists.value(row) as u64);
            merge_counted_terms(states[1].as_list(), row, &mut self.counts);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::from(self.counts.documents() as i64),
            ScalarValue::List(Arc::new(counted_terms(&self.counts)?)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.counts.documents() == 0 {
            return ScalarValue::try_from(&types::term_counts());
        }
        let list = term_counts(&self.counts, F::number)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.counts) + self.counts.size()
    }
}
