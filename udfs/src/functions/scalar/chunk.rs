//! The SQL function `chunk`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_datafusion_err, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, Volatility};

use crate::functions::{
    Args, Declaration, Kind, Parameter, ScalarFunction, Setting, SettingKind, Settings,
};
use lexstream_columns::model::Model;
use lexstream_columns::{chunk_column, types};
use lexstream_text::chunks::{Cut, Unit};

#[derive(Debug)]
pub(crate) struct Chunk;

impl ScalarFunction for Chunk {
    const DECLARATION: Declaration = Declaration {
        name: "chunk",
        family: "Pieces",
        description: "Returns the pieces of a text that are no longer than `size`, with where they start and end in it, in code points from 0, as List<Struct<text Utf8, start Int64, end Int64>>. A piece that is not the last ends behind the last blank line in its second half; where there is none, behind the last sentence there (UAX #29); else behind the last white space, at the last word boundary, or between two grapheme clusters; a cluster that is longer than a piece is cut. Without overlap the pieces concatenate to the text. Empty text has none. Memory is for the pieces of one batch; a model's tokens cost several times what tokenize does: as much of the text is cut as may be a piece, then the piece, and what overlaps again.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to cut. NULL gives NULL."),
            Parameter::new(
                "size",
                Kind::Count,
                "A constant of at least 1: the most units of a piece.",
            ),
            Parameter::optional(
                "settings",
                Kind::Settings(&[
                    Setting::new("overlap", SettingKind::Number(0)),
                    Setting::new("unit", SettingKind::NameOrTokenizer(Unit::NAMES)),
                ]),
                "A constant struct: `unit`, `char` (code points, the default), `word` (words by UAX #29; what stands between belongs to the word before) or a model that has a tokenizer: its tokens without special ones, of which the piece alone, as the model reads it, has no more than `size`, unless it is a single code point; `overlap`, how many units at the end of a piece the next one repeats at most, from a word on: fewer than `size`, 0 by default.",
            ),
        ],
        example: r"
> select chunk('One two. Three four five.', 12);
[{text: One two. , start: 0, end: 9}, {text: Three four , start: 9, end: 20}, {text: five., start: 20, end: 25}]
> select chunk('one two three four five', 3, {unit: 'word', overlap: 1});
[{text: one two three , start: 0, end: 14}, {text: three four five, start: 8, end: 23}]
",
        related: &["sentences"],
    };

    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::chunks())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        let constant = |at: usize| args.scalar_arguments.get(at).copied().flatten();
        if let (Some(ScalarValue::Int64(Some(size))), Some(settings)) = (constant(1), constant(2))
            && let Some(overlap) = Settings::of(settings)?.number("overlap")?
            && overlap >= *size
        {
            return plan_err!("chunk: `overlap` must be less than `size`, {size}, found {overlap}");
        }
        Ok(())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let settings = args.settings()?;
        let unit = match settings.text("unit")? {
            None => Unit::Char,
            Some(name) => match Unit::named(&name) {
                Some(unit) => unit,
                None => Unit::tokens(args.tokenizer_of(&name)?).ok_or_else(|| {
                    internal_datafusion_err!("chunk: the tokens of `{name}` don't lie in the text")
                })?,
            },
        };
        let Some(size) = args.count(1)? else {
            return internal_err!("chunk: planning has checked the size");
        };
        let overlap = settings.number("overlap")?.unwrap_or(0) as usize;
        let cut = Cut {
            size,
            overlap,
            unit,
        };
        args.map_texts(0, |texts| Ok(chunk_column(texts, &cut)?))
    }
}
