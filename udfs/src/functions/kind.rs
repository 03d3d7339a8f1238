//! Kinds of arguments, and the type that each is coerced to.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::settings::Setting;
use lexstream_columns::model::Ability;
use lexstream_columns::types;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A column or a constant of texts, in any string encoding or as binary that holds UTF-8.
    Text,
    /// Columns or constants of numbers, truth values or texts, or of lists of them: one or more, and so the last.
    Inputs,
    /// A column or a constant of lists of texts.
    Tokens,
    /// A column or a constant of lists of numbers, or of sparse vectors.
    Vector,
    /// A column or a constant of whole numbers.
    Integer,
    /// A column or a constant of lists of whole numbers.
    Integers,
    /// A column or a constant of texts, or of lists of texts.
    TextOrTokens,
    /// A constant text that names a language with a list of stop words, or a column or a constant of lists of texts.
    StopWords,
    /// A constant number of at least 1.
    Count,
    /// A constant number from the first to the second.
    Number(i64, i64),
    /// A constant text that is one of these names, without regard to case.
    Name(&'static [&'static str]),
    /// A constant text that names a tokenizer: a built-in one, or a model that has one.
    Tokenizer,
    /// A constant text that names a model with this ability.
    Model(Ability),
    /// A constant struct of these settings, alphabetical.
    Settings(&'static [Setting]),
}

/// Returns the type that an argument is cast to, or none where it does not fit.
pub(super) fn coerced(kind: Kind, found: &DataType) -> Option<DataType> {
    match kind {
        Kind::Text => match found {
            DataType::Null => Some(types::TEXT),
            _ => is_text(found).then(|| found.clone()),
        },
        Kind::TextOrTokens => match item_of(found) {
            None => coerced(Kind::Text, found),
            Some(_) => coerced(Kind::Tokens, found),
        },
        Kind::StopWords if is_text(found) => Some(found.clone()),
        Kind::StopWords => coerced(Kind::Tokens, found),
        Kind::Count | Kind::Number(..) | Kind::Integer => {
            (found.is_integer() || found.is_null()).then_some(DataType::Int64)
        }
        Kind::Name(_) | Kind::Tokenizer | Kind::Model(_) => match found {
            DataType::Null => Some(DataType::Utf8),
            _ => is_text(found).then(|| found.clone()),
        },
        Kind::Inputs => is_input(found).then(|| found.clone()),
        Kind::Settings(_) => {
            (found.is_null() || matches!(found, DataType::Struct(_))).then(|| found.clone())
        }
        Kind::Tokens => match found {
            DataType::Null => Some(types::tokens()),
            _ => item_of(found)
                .is_some_and(|item| is_text(item) || item.is_null())
                .then(types::tokens),
        },
        Kind::Integers => {
            let item = Arc::new(Field::new_list_field(DataType::Int64, true));
            match (item_of(found), found) {
                (None, DataType::Null) => Some(DataType::List(item)),
                (Some(of), _) if !(of.is_integer() || of.is_null()) => None,
                (Some(_), DataType::FixedSizeList(_, size)) => {
                    Some(DataType::FixedSizeList(item, *size))
                }
                (Some(_), _) => Some(DataType::List(item)),
                (None, _) => None,
            }
        }
        Kind::Vector if matches!(found, DataType::Struct(_)) => sparse(found),
        Kind::Vector => {
            let component = match item_of(found) {
                _ if found.is_null() => DataType::Float64,
                Some(item @ (DataType::Float32 | DataType::Float64)) => item.clone(),
                Some(DataType::Float16) => DataType::Float32,
                Some(item) if item.is_numeric() || item.is_null() => DataType::Float64,
                _ => return None,
            };
            let item = Arc::new(Field::new_list_field(component, true));
            Some(match found {
                DataType::FixedSizeList(_, size) => DataType::FixedSizeList(item, *size),
                DataType::LargeList(_) | DataType::LargeListView(_) => DataType::LargeList(item),
                _ => DataType::List(item),
            })
        }
    }
}

/// Returns the type that a struct of `indices` and `values` is cast to, or none where it is something else.
fn sparse(found: &DataType) -> Option<DataType> {
    let DataType::Struct(fields) = found else {
        return None;
    };
    let [indices, values] = &fields[..] else {
        return None;
    };
    let is_sparse = indices.name() == "indices"
        && values.name() == "values"
        && item_of(indices.data_type()).is_some_and(|item| item.is_integer() || item.is_null());
    let values = coerced(Kind::Vector, values.data_type()).filter(|_| is_sparse)?;
    let fields = [types::sparse_fields()[0].data_type().clone(), values];
    let names = ["indices", "values"];
    let fields = names.into_iter().zip(fields);
    Some(DataType::Struct(
        fields
            .map(|(name, data_type)| Field::new(name, data_type, true))
            .collect(),
    ))
}

/// Tells whether a column holds texts, as they are or in a dictionary; binary may hold UTF-8.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => {
            other.is_string()
                || matches!(
                    other,
                    DataType::Binary | DataType::LargeBinary | DataType::BinaryView
                )
        }
    }
}

/// Tells whether a column may go into a graph.
fn is_input(data_type: &DataType) -> bool {
    match item_of(data_type) {
        Some(item) => is_input(item),
        None => {
            data_type.is_numeric()
                || data_type.is_null()
                || *data_type == DataType::Boolean
                || is_text(data_type)
        }
    }
}

/// Returns the type of a list's items.
pub(super) fn item_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

pub(super) fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Tokens => "a list of texts",
        Kind::Vector => "a list of numbers or a struct of indices and values",
        Kind::Integer => "a whole number",
        Kind::Integers => "a list of whole numbers",
        Kind::Inputs => "numbers, truth values, texts, or lists of them",
        Kind::TextOrTokens => "a text or a list of texts",
        Kind::StopWords => "a constant text or a list of texts",
        Kind::Count | Kind::Number(..) => "a constant whole number",
        Kind::Settings(_) => "a constant struct of settings, such as {hmm: false}",
        Kind::Name(_) | Kind::Tokenizer | Kind::Model(_) => "a constant text",
    }
}

/// Returns what to write instead, where that is clear.
pub(super) fn hint(kind: Kind, found: &DataType) -> &'static str {
    match (kind, found) {
        (Kind::Text, _) if item_of(found).is_some() => "; array_to_string(list, ' ') joins one",
        (Kind::Text, _) if !found.is_nested() => "; CAST(… AS VARCHAR) makes one",
        (Kind::Tokens, _) if is_text(found) => "; tokenize(text) makes one",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_of_texts_is_a_text_and_keeps_its_encoding() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        assert_eq!(coerced(Kind::Text, &dictionary), Some(dictionary.clone()));
        assert_eq!(coerced(Kind::Text, &DataType::Null), Some(types::TEXT));
    }

    #[test]
    fn integers_become_doubles_and_the_list_stays_what_it_is() {
        let list = |item: DataType| {
            DataType::FixedSizeList(Arc::new(Field::new_list_field(item, true)), 3)
        };
        assert_eq!(
            coerced(Kind::Vector, &list(DataType::Int8)),
            Some(list(DataType::Float64))
        );
        assert_eq!(
            coerced(Kind::Vector, &list(DataType::Float32)),
            Some(list(DataType::Float32))
        );
        assert_eq!(coerced(Kind::Vector, &list(DataType::Utf8)), None);
    }
}
