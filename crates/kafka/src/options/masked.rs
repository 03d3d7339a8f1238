//! Masks secrets in SQL, for a shell's history.

use std::borrow::Cow;

use super::config_provider::is_variable;
use super::properties::PROPERTIES;
use super::settings::SECRET;

/// Masks the values of secret options in a statement with asterisks; variables stay, they reveal nothing.
pub fn masked(statement: &str) -> Cow<'_, str> {
    let mut masked: Option<String> = None;
    // ASCII alone changes its case: places stay the same.
    let lower = statement.to_ascii_lowercase();
    let secret = PROPERTIES.iter().filter(|property| property.secret);
    let mut places: Vec<_> = secret
        .flat_map(|property| lower.match_indices(property.name))
        .filter_map(|(at, name)| value_behind(statement, at + name.len()))
        .filter(|(start, end)| !is_variable(&statement[*start..*end]))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (start, end) in places.into_iter().rev() {
        let text = masked.get_or_insert_with(|| statement.to_owned());
        text.replace_range(start..end, SECRET);
    }
    masked.map_or(Cow::Borrowed(statement), Cow::Owned)
}

/// Returns where the text behind an option's key lies: `'key' 'text'`, `key 'text'` or `'key' = 'text'`.
fn value_behind(statement: &str, key_end: usize) -> Option<(usize, usize)> {
    let rest = &statement[key_end..];
    let rest = rest.strip_prefix(['\'', '"']).unwrap_or(rest);
    let rest = rest.trim_start_matches(|character: char| {
        character.is_whitespace() || character == '=' || character == ','
    });
    let rest = rest.strip_prefix('\'')?;
    let start = statement.len() - rest.len();
    // Two quotes are one within the text; a text that never ends is a secret to its end.
    let mut from = 0;
    loop {
        let Some(end) = rest[from..].find('\'') else {
            return Some((start, statement.len()));
        };
        let end = from + end;
        if !rest[end + 1..].starts_with('\'') {
            return Some((start, start + end));
        }
        from = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, expected: &str) {
        assert_eq!(masked(statement), expected);
    }

    #[test]
    fn values_of_secret_options_are_masked() {
        check(
            "CREATE EXTERNAL TABLE t (a INT) STORED AS KAFKA LOCATION 'x' OPTIONS ('SASL.Password' 'ge''heim', 'acks' 'all', sasl.username 'anna')",
            "CREATE EXTERNAL TABLE t (a INT) STORED AS KAFKA LOCATION 'x' OPTIONS ('SASL.Password' '***', 'acks' 'all', sasl.username '***')",
        );
        check(
            "('ssl.key.password'\n=\n'geheim'",
            "('ssl.key.password'\n=\n'***'",
        );
        check("('ssl.key.pem' 'geheim", "('ssl.key.pem' '***");
    }

    #[test]
    fn variables_and_other_statements_stay() {
        check(
            "('sasl.password' '${env:P}')",
            "('sasl.password' '${env:P}')",
        );
        check("('sasl.password' 'x${env:P}')", "('sasl.password' '***')");
        check("SELECT 'sasl.password'", "SELECT 'sasl.password'");
        assert!(matches!(masked("SELECT 'ä'"), Cow::Borrowed(_)));
    }
}
