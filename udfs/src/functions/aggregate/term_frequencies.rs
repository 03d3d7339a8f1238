//! `term_frequencies(tokens)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion_macros::user_doc;

use crate::columns::{TokenLists, term_count_list, types};
use crate::functions::{Kind, Parameter, Parameters};
use crate::text::term_counts::TermCounts;

const PARAMETERS: Parameters = Parameters {
    function: "term_frequencies",
    list: &[Parameter {
        name: "tokens",
        kind: Kind::Tokens,
    }],
    required: 1,
};

#[user_doc(
    doc_section(label = "Text Functions"),
    description = "Returns how often each token occurs in the lists of a group, as List<Struct<term Utf8, count Int64>>, most frequent first, ties by term in byte order. NULL where no list is not NULL. It holds one entry a distinct term, not the lists, and works as a window function over sliding frames too.",
    syntax_example = "term_frequencies(tokens)",
    sql_example = r"```sql
> select term_frequencies(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: to, count: 2}, {term: not, count: 1}, {term: or, count: 1}]
```",
    argument(
        name = "tokens",
        description = "Lists of texts. NULL lists and NULL tokens are left out."
    )
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct TermFrequencies {
    signature: Signature,
}

impl Default for TermFrequencies {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for TermFrequencies {
    fn name(&self) -> &str {
        PARAMETERS.function
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(PARAMETERS.coerce(arguments))
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("{}: return_field knows the type", self.name())
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        PARAMETERS.check(arguments)?;
        Ok(Arc::new(Field::new(
            self.name(),
            types::term_counts(),
            true,
        )))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format_state_name(args.name, "counts"),
            types::term_counts(),
            true,
        ))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "{}: DISTINCT is not supported; array_distinct(tokens) counts each token once a list",
                self.name()
            );
        }
        Ok(Box::new(Frequencies::default()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The counts of one group, and how many lists they come from: with none, the result is NULL.
#[derive(Debug, Default)]
struct Frequencies {
    counts: TermCounts,
    lists: usize,
}

impl Frequencies {
    fn value(&self, list: impl FnOnce(&TermCounts) -> Result<ListArray>) -> Result<ScalarValue> {
        if self.lists == 0 {
            return ScalarValue::try_from(&types::term_counts());
        }
        Ok(ScalarValue::List(Arc::new(list(&self.counts)?)))
    }
}

impl Accumulator for Frequencies {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let lists = TokenLists::try_new(&values[0])?;
        self.lists += lists.valid_count();
        lists.for_each_token(|token| self.counts.add(token, 1));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let lists = TokenLists::try_new(&values[0])?;
        self.lists -= lists.valid_count();
        lists.for_each_token(|token| self.counts.remove(token, 1));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let entries = lists.value(row);
            let entries = entries.as_struct();
            let terms = entries.column(0).as_string::<i32>();
            let counts = entries.column(1).as_primitive::<Int64Type>();
            for (term, count) in terms.iter().zip(counts.values()) {
                self.counts.add(term.unwrap_or_default(), *count);
            }
            self.lists += 1;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            self.value(|counts| Ok(term_count_list(counts.iter())?))?,
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.value(|counts| Ok(term_count_list(counts.most_frequent().into_iter())?))
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.counts) + self.counts.size()
    }
}
