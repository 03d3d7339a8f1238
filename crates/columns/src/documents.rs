//! Vectorizer outputs over a column of texts or of token lists.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::Float64Type;
use arrow::error::ArrowError;

use super::{SparseWriter, TermListWriter, Texts, TokenLists, Tokens, types};
use lexstream_text::tfidf::{Counted, Query, Vectorizer};

/// A column of texts, or of their tokens.
#[derive(Debug, Clone)]
pub enum Documents {
    /// Texts.
    Texts(Texts),
    /// Lists of tokens.
    Tokens(TokenLists),
}

/// One row.
#[derive(Clone, Copy)]
enum Document<'a> {
    Text(&'a str),
    Tokens(Tokens<'a>),
}

impl Document<'_> {
    fn read(self, vectorizer: &Vectorizer, counted: &mut Counted) {
        match self {
            Self::Text(text) => vectorizer.read_text(text, counted),
            Self::Tokens(tokens) => vectorizer.read_tokens(tokens.iter(), counted),
        }
    }

    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Tokens(a), Self::Tokens(b)) => a.iter().eq(b.iter()),
            _ => false,
        }
    }
}

impl Documents {
    /// Returns how many rows there are, NULLs included.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(lists) => lists.len(),
        }
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns about how many distinct terms the rows have, counted by the row: texts have one in eight bytes or so.
    fn terms(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.bytes() / 8,
            Self::Tokens(lists) => lists.tokens(),
        }
    }

    fn rows(&self) -> Vec<Option<Document<'_>>> {
        match self {
            Self::Texts(texts) => {
                let rows = texts.values().into_iter();
                rows.map(|row| row.map(Document::Text)).collect()
            }
            Self::Tokens(lists) => {
                let rows = lists.rows().into_iter();
                rows.map(|row| row.map(Document::Tokens)).collect()
            }
        }
    }
}

/// Returns the counts of the known terms of each row as sparse vectors; NULL stays.
///
/// # Errors
/// Fails where the batch has more entries than 32-bit offsets count.
pub fn count_vector_column(
    documents: &Documents,
    vectorizer: &Vectorizer,
) -> Result<ArrayRef, ArrowError> {
    sparse_column(documents, vectorizer, Vectorizer::count)
}

/// Returns the weights of the known terms of each row as sparse vectors; NULL stays.
///
/// # Errors
/// Fails where the batch has more entries than 32-bit offsets count.
pub fn weight_vector_column(
    documents: &Documents,
    vectorizer: &Vectorizer,
) -> Result<ArrayRef, ArrowError> {
    sparse_column(documents, vectorizer, Vectorizer::weigh)
}

fn sparse_column(
    documents: &Documents,
    vectorizer: &Vectorizer,
    entries: fn(&Vectorizer, &mut Counted),
) -> Result<ArrayRef, ArrowError> {
    let mut out = SparseWriter::new(documents.len(), documents.terms());
    let mut counted = Counted::default();
    for row in documents.rows() {
        let Some(document) = row else {
            out.null()?;
            continue;
        };
        document.read(vectorizer, &mut counted);
        entries(vectorizer, &mut counted);
        let entries = counted.entries.iter();
        out.row(entries.map(|(number, value)| (*number, *value as f32)))?;
    }
    out.finish()
}

/// Returns the known terms of each row with their weights, heaviest first and equal ones by term, at most `most` of them;
/// NULL stays.
///
/// # Errors
/// Fails where the batch has more than 2 GiB of terms, and names the row from which on it has.
pub fn term_weight_column(
    documents: &Documents,
    vectorizer: &Vectorizer,
    most: usize,
) -> Result<ArrayRef, ArrowError> {
    let mut out = TermListWriter::<Float64Type>::new(documents.len());
    let mut counted = Counted::default();
    for row in documents.rows() {
        let Some(document) = row else {
            out.null()?;
            continue;
        };
        document.read(vectorizer, &mut counted);
        vectorizer.weigh(&mut counted);
        // Numbers are in the order of terms.
        let entries = &mut counted.entries;
        entries.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (number, weight) in entries.iter().take(most) {
            out.term(vectorizer.vocabulary().term(*number), *weight);
        }
        out.end_row()?;
    }
    out.finish(types::term_weight_fields())
}

/// Returns how well each row answers the query in the same row, as Float64; NULL on either side gives NULL.
///
/// # Errors
/// Passes on Arrow's check of the column, whose parts fit by construction.
pub fn bm25_column(
    queries: &Documents,
    documents: &Documents,
    vectorizer: &Vectorizer,
) -> Result<ArrayRef, ArrowError> {
    let mut counted = Counted::default();
    // The query of the row before, so that one query for all rows is read once.
    let mut known: Option<(Document<'_>, Query)> = None;
    let mut scores = Vec::with_capacity(documents.len());
    for (query, document) in queries.rows().into_iter().zip(documents.rows()) {
        let Some((query, document)) = query.zip(document) else {
            scores.push(None);
            continue;
        };
        if known.as_ref().is_none_or(|(before, _)| !before.is(query)) {
            query.read(vectorizer, &mut counted);
            known = Some((query, vectorizer.query(&mut counted)));
        }
        document.read(vectorizer, &mut counted);
        let score = known
            .as_mut()
            .map(|(_, query)| vectorizer.score(query, &counted));
        scores.push(score);
    }
    Ok(Arc::new(Float64Array::from(scores)))
}
