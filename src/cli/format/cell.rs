//! One cell of a table: a value on one line, in bounded width.

use std::fmt::Write;
use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Writes the values of one column as text; lists of more than `max_items` are shortened to `[a, b, … 384]`.
pub(super) struct Cells<'a> {
    array: &'a dyn Array,
    shape: Shape<'a>,
    max_items: usize,
}

enum Shape<'a> {
    Flat(ArrayFormatter<'a>),
    List(Box<Cells<'a>>, Box<dyn Fn(usize) -> Range<usize> + 'a>),
    Struct(Vec<(&'a str, Cells<'a>)>),
    Map(Box<[Cells<'a>; 2]>, Box<dyn Fn(usize) -> Range<usize> + 'a>),
}

impl<'a> Cells<'a> {
    /// Takes a column; no limit on items is 0.
    pub(super) fn new(
        array: &'a dyn Array,
        options: &'a FormatOptions<'a>,
        max_items: usize,
    ) -> Result<Self, ArrowError> {
        let inner = |array: &'a dyn Array| Self::new(array, options, max_items);
        let shape = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let offsets = list.value_offsets();
                let span = move |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
                Shape::List(Box::new(inner(list.values())?), Box::new(span))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let offsets = list.value_offsets();
                let span = move |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
                Shape::List(Box::new(inner(list.values())?), Box::new(span))
            }
            DataType::FixedSizeList(_, size) => {
                let size = *size as usize;
                let span = move |row: usize| row * size..(row + 1) * size;
                Shape::List(
                    Box::new(inner(array.as_fixed_size_list().values())?),
                    Box::new(span),
                )
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns =
                    columns.map(|(field, column)| Ok((field.name().as_str(), inner(column)?)));
                Shape::Struct(columns.collect::<Result<_, ArrowError>>()?)
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let offsets = map.value_offsets();
                let span = move |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
                Shape::Map(
                    Box::new([inner(map.keys())?, inner(map.values())?]),
                    Box::new(span),
                )
            }
            _ => Shape::Flat(ArrayFormatter::try_new(array, options)?),
        };
        Ok(Self {
            array,
            shape,
            max_items,
        })
    }

    /// Appends the value of one row.
    pub(super) fn write(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        match &self.shape {
            // A flat array's formatter knows its NULLs, those inside a dictionary too.
            Shape::Flat(values) => write_visible(&values.value(row).try_to_string()?, out),
            _ if self.array.is_null(row) => out.push_str("NULL"),
            Shape::List(items, span) => {
                self.write_items(["[", "]"], span(row), out, |item, out| {
                    items.write(item, out)
                })?;
            }
            Shape::Map(entries, span) => {
                self.write_items(["{", "}"], span(row), out, |item, out| {
                    entries[0].write(item, out)?;
                    out.push_str(": ");
                    entries[1].write(item, out)
                })?;
            }
            Shape::Struct(fields) => {
                out.push('{');
                for (at, (name, values)) in fields.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    write_visible(name, out);
                    out.push_str(": ");
                    values.write(row, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    fn write_items(
        &self,
        [open, close]: [&str; 2],
        items: Range<usize>,
        out: &mut String,
        write: impl Fn(usize, &mut String) -> Result<(), ArrowError>,
    ) -> Result<(), ArrowError> {
        let length = items.len();
        let shown = if self.max_items == 0 {
            length
        } else {
            length.min(self.max_items)
        };
        out.push_str(open);
        for (at, item) in items.take(shown).enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            write(item, out)?;
        }
        if shown < length {
            write!(out, ", … {length}").expect("a string takes all that is written to it");
        }
        out.push_str(close);
        Ok(())
    }
}

/// Returns a text so that it stays on one line and cannot command the terminal.
pub(in crate::cli) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    write_visible(text, &mut out);
    out
}

/// Appends a text so that it stays on one line and cannot command the terminal: control characters and
/// those that turn the direction of writing are shown as escapes.
fn write_visible(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => {
                out.extend(character.escape_unicode());
            }
            _ if character.is_control() => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
}

/// Returns how many columns of a terminal a text takes.
pub(in crate::cli) fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to at most `max` columns, its last one `…`, and returns its width; 0 cuts nothing.
pub(in crate::cli) fn cut(text: &mut String, max: usize) -> usize {
    let whole = width(text);
    if max == 0 || whole <= max {
        return whole;
    }
    let mut taken = 0;
    let end = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or(0);
        taken >= max
    });
    text.truncate(end.map_or(text.len(), |(at, _)| at));
    text.push('…');
    width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_cut(text: &str, max: usize, expected: &str) {
        let mut cell = text.to_owned();
        let taken = cut(&mut cell, max);
        assert_eq!(cell, expected);
        assert_eq!(taken, width(expected));
        assert!(max == 0 || taken <= max);
    }

    #[test]
    fn a_wide_text_is_cut_at_its_width() {
        check_cut("abcdef", 4, "abc…");
        check_cut("漢字漢字", 4, "漢…");
        check_cut("abcd", 4, "abcd");
        check_cut("abcdef", 0, "abcdef");
        check_cut("", 4, "");
    }

    #[test]
    fn a_text_cannot_command_the_terminal() {
        let mut out = String::new();
        write_visible("a\u{1b}[31m\nb\u{202e}c\u{7}", &mut out);
        assert_eq!(out, "a\\u{1b}[31m\\nb\\u{202e}c\\u{7}");
    }
}
