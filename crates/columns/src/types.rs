//! Arrow types of the functions' arguments and results.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

/// The item of a list; its name is the one that Arrow and DataFusion use.
fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type, true))
}

/// One text: Utf8View.
pub const TEXT: DataType = DataType::Utf8View;

/// One token: Utf8, since it is shorter than a view.
pub const TOKEN: DataType = DataType::Utf8;

static TOKEN_FIELD: LazyLock<FieldRef> = LazyLock::new(|| item(TOKEN));
static TERM_COUNT: LazyLock<FieldRef> =
    LazyLock::new(|| item(DataType::Struct(term_count_fields())));

/// Returns the field of one token in a list.
pub fn token_field() -> FieldRef {
    Arc::clone(&TOKEN_FIELD)
}

/// Returns the type of the tokens of one text: `List<Utf8>`.
pub fn tokens() -> DataType {
    DataType::List(token_field())
}

/// Returns the fields of a term and how often it occurs: `term` Utf8, `count` Int64.
pub fn term_count_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("term", TOKEN, true),
            Field::new("count", DataType::Int64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the field of one term and count in a list.
pub fn term_count_field() -> FieldRef {
    Arc::clone(&TERM_COUNT)
}

/// Returns the type of terms and counts: `List<Struct<term, count>>`.
pub fn term_counts() -> DataType {
    DataType::List(term_count_field())
}

/// Returns the type of dense vectors of this dimension: `FixedSizeList<Float32>`.
///
/// A dimension above 2³¹ - 1 is taken for that.
pub fn vectors(dimension: usize) -> DataType {
    DataType::FixedSizeList(
        component_field(),
        i32::try_from(dimension).unwrap_or(i32::MAX),
    )
}

/// Returns the field of one component in a vector.
pub fn component_field() -> FieldRef {
    static FIELD: LazyLock<FieldRef> = LazyLock::new(|| item(DataType::Float32));
    Arc::clone(&FIELD)
}

/// Returns the fields of a term, in how many texts it occurs and how often: `term` Utf8, `documents` and `occurrences`
/// Int64.
pub fn counted_term_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("term", TOKEN, true),
            Field::new("documents", DataType::Int64, true),
            Field::new("occurrences", DataType::Int64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of what aggregates know of terms: `List<Struct<term, documents, occurrences>>`.
pub fn counted_terms() -> DataType {
    DataType::List(item(DataType::Struct(counted_term_fields())))
}

/// Returns the fields of a term and its weight: `term` Utf8, `weight` Float64.
pub fn term_weight_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("term", TOKEN, true),
            Field::new("weight", DataType::Float64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of terms and weights: `List<Struct<term, weight>>`.
pub fn term_weights() -> DataType {
    DataType::List(item(DataType::Struct(term_weight_fields())))
}

/// Returns the fields of a keyword and its score: `term` Utf8, `score` Float64.
pub fn term_score_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("term", TOKEN, true),
            Field::new("score", DataType::Float64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of keywords: `List<Struct<term, score>>`.
pub fn term_scores() -> DataType {
    DataType::List(item(DataType::Struct(term_score_fields())))
}

/// Returns the fields of a bigram, how often it occurs and its information: `bigram` Utf8, `count` Int64, `pmi` Float64.
pub fn collocation_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("bigram", TOKEN, true),
            Field::new("count", DataType::Int64, true),
            Field::new("pmi", DataType::Float64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of bigrams: `List<Struct<bigram, count, pmi>>`.
pub fn collocations() -> DataType {
    DataType::List(item(DataType::Struct(collocation_fields())))
}

/// Returns the fields of a piece of a text: `text` Utf8, `start` and `end` Int64 in code points.
pub fn chunk_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("text", DataType::Utf8, true),
            Field::new("start", DataType::Int64, true),
            Field::new("end", DataType::Int64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of the pieces of a text: `List<Struct<text, start, end>>`.
pub fn chunks() -> DataType {
    DataType::List(item(DataType::Struct(chunk_fields())))
}

/// Returns the fields of a sparse vector: `indices` `List<Int32>`, from 0 and ascending, and `values` `List<Float32>`.
pub fn sparse_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("indices", DataType::List(item(DataType::Int32)), true),
            Field::new("values", DataType::List(component_field()), true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of sparse vectors: `Struct<indices, values>`.
pub fn sparse_vectors() -> DataType {
    DataType::Struct(sparse_fields())
}

/// Returns the type of MinHash signatures of this length: `FixedSizeList<Int32>`.
pub fn signatures(length: i32) -> DataType {
    DataType::FixedSizeList(token_id_field(), length)
}

/// Returns the field of one hash in a list.
pub fn hash_field() -> FieldRef {
    static FIELD: LazyLock<FieldRef> = LazyLock::new(|| item(DataType::Int64));
    Arc::clone(&FIELD)
}

/// Returns the type of lists of hashes: `List<Int64>`.
pub fn hashes() -> DataType {
    DataType::List(hash_field())
}

/// Returns the fields of a token and its part of speech: `token` and `tag`, Utf8.
pub fn tagged_token_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("token", TOKEN, true),
            Field::new("tag", TOKEN, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the field of one token with its part of speech in a list.
pub fn tagged_token_field() -> FieldRef {
    static FIELD: LazyLock<FieldRef> =
        LazyLock::new(|| item(DataType::Struct(tagged_token_fields())));
    Arc::clone(&FIELD)
}

/// Returns the type of tokens with their parts of speech: `List<Struct<token, tag>>`.
pub fn tagged_tokens() -> DataType {
    DataType::List(tagged_token_field())
}

/// Returns the fields of a language and how sure it is: `language` Utf8, `confidence` Float64.
pub fn detected_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("language", DataType::Utf8, true),
            Field::new("confidence", DataType::Float64, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of a language with its confidence: `Struct<language, confidence>`.
pub fn detected() -> DataType {
    DataType::Struct(detected_fields())
}

/// Returns the fields of a label and its score: `label` Utf8, `score` Float32.
pub fn label_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("label", DataType::Utf8, true),
            Field::new("score", DataType::Float32, true),
        ])
    });
    FIELDS.clone()
}

/// Returns the type of a label with its score: `Struct<label, score>`.
pub fn label() -> DataType {
    DataType::Struct(label_fields())
}

/// Returns the field of one label in a list.
pub fn label_field() -> FieldRef {
    static FIELD: LazyLock<FieldRef> = LazyLock::new(|| item(label()));
    Arc::clone(&FIELD)
}

/// Returns the type of labels with their scores: `List<Struct<label, score>>`.
pub fn labels() -> DataType {
    DataType::List(label_field())
}

/// Returns the field of one token's number in a list.
pub fn token_id_field() -> FieldRef {
    static FIELD: LazyLock<FieldRef> = LazyLock::new(|| item(DataType::Int32));
    Arc::clone(&FIELD)
}

/// Returns the type of the numbers of a text's tokens: `List<Int32>`.
pub fn token_ids() -> DataType {
    DataType::List(token_id_field())
}
