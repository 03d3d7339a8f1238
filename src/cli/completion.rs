//! What Tab completes, and when a statement is whole.

use std::collections::BTreeSet;

use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::query::Runner;
use lexstream_engine::{reference, sql};

/// The words that may be typed: keywords, functions with their parenthesis, tables, columns and settings of a session.
pub(super) struct Completions {
    words: BTreeSet<String>,
    dialect: Dialect,
}

impl Completions {
    /// Reads the words of a session as it is now.
    pub(super) fn of(runner: &Runner) -> Self {
        let context = runner.engine().context().clone();
        let state = context.state();
        let mut words: BTreeSet<String> =
            ALL_KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(
            reference::functions(&state)
                .into_iter()
                .map(|function| function.name + "("),
        );
        words.extend(
            state
                .config_options()
                .entries()
                .into_iter()
                .map(|entry| entry.key),
        );
        let dialect = state.config_options().sql_parser.dialect;
        words.extend(runner.queries().block_on(names(&context)));
        Self { words, dialect }
    }

    fn starting_with(&self, prefix: &str) -> Vec<String> {
        let lower = prefix.chars().all(|character| !character.is_uppercase());
        let alike = |word: &&String| {
            word.len() > prefix.len()
                && word
                    .get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let is_keyword = |word: &str| word.chars().all(|character| !character.is_lowercase());
        self.words
            .iter()
            .filter(alike)
            .map(|word| {
                if lower && is_keyword(word) {
                    word.to_lowercase()
                } else {
                    word.clone()
                }
            })
            .collect()
    }
}

/// Returns the tables of a session and their columns.
async fn names(context: &SessionContext) -> Vec<String> {
    let mut names = Vec::new();
    for catalog in context.catalog_names() {
        let Some(catalog) = context.catalog(&catalog) else {
            continue;
        };
        for schema in catalog.schema_names() {
            let Some(schema) = catalog.schema(&schema) else {
                continue;
            };
            for table in schema.table_names() {
                if let Ok(Some(provider)) = schema.table(&table).await {
                    names.extend(
                        provider
                            .schema()
                            .fields()
                            .iter()
                            .map(|field| field.name().clone()),
                    );
                }
                names.push(table);
            }
        }
    }
    names
}

impl Completer for Completions {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let is_word =
            |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
        let start = line[..at]
            .rfind(|character| !is_word(character))
            .map_or(0, |before| {
                before + line[before..].chars().next().map_or(0, char::len_utf8)
            });
        let prefix = &line[start..at];
        if prefix.is_empty() {
            return Ok((at, Vec::new()));
        }
        let mut words = self.starting_with(prefix);
        if line.starts_with('\\') {
            // A command takes a function's name alone.
            for word in &mut words {
                word.truncate(word.trim_end_matches('(').len());
            }
        }
        Ok((start, words))
    }
}

impl Validator for Completions {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input().trim();
        let whole = line.starts_with('\\')
            || matches!(line, "exit" | "quit")
            || sql::is_complete(line, self.dialect);
        Ok(if whole {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Highlighter for Completions {}

impl Hinter for Completions {
    type Hint = String;
}

impl Helper for Completions {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_in_the_case_they_are_typed() {
        let words = ["SELECT", "SET", "select_me", "tokenize("]
            .into_iter()
            .map(str::to_owned)
            .collect();
        let completions = Completions {
            words,
            dialect: Dialect::Generic,
        };
        assert_eq!(
            completions.starting_with("se"),
            ["select", "set", "select_me"]
        );
        assert_eq!(completions.starting_with("SEL"), ["SELECT", "select_me"]);
        assert_eq!(completions.starting_with("tok"), ["tokenize("]);
        assert!(completions.starting_with("漢").is_empty());
    }
}
