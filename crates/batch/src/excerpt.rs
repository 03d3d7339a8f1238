//! Statements as error messages show them.

/// Characters of a statement that an error shows.
const SHOWN: usize = 60;

/// Returns the beginning of a statement.
pub(crate) fn excerpt(sql: &str) -> String {
    match sql.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &sql[..end]),
        None => sql.to_owned(),
    }
}
