//! Variables in options, `${env:NAME}` and `${file:PATH:KEY}`, in the syntax of Kafka's config providers (KIP-297).

use std::collections::HashMap;

/// Returns the variables of the environment by name.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A variable that can't be resolved, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    pub variable: String,
    pub problem: String,
}

/// Tells whether a text is one variable and nothing else: it can be shown, whatever its value.
pub(crate) fn is_variable(text: &str) -> bool {
    next(text).is_some_and(|found| found.before.is_empty() && found.after.is_empty())
}

/// Tells whether a text has a variable.
pub(crate) fn has_variable(text: &str) -> bool {
    next(text).is_some()
}

/// Replaces every variable by its value; what only looks like one stays as it is.
pub(crate) fn resolve(text: &str, environment: &Environment<'_>) -> Result<String, Unresolved> {
    let (mut resolved, mut rest) = (String::new(), text);
    while let Some(found) = next(rest) {
        let value = match found.source {
            Source::Variable(name) => {
                environment(name).ok_or_else(|| "the environment has no such variable".to_owned())
            }
            Source::File(path, key) => of_file(path, key),
        };
        let value = value.map_err(|problem| Unresolved {
            variable: found.whole.to_owned(),
            problem,
        })?;
        resolved.push_str(found.before);
        resolved.push_str(&value);
        rest = found.after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

struct Found<'a> {
    before: &'a str,
    whole: &'a str,
    source: Source<'a>,
    after: &'a str,
}

enum Source<'a> {
    Variable(&'a str),
    File(&'a str, &'a str),
}

fn next(text: &str) -> Option<Found<'_>> {
    let mut from = 0;
    while let Some(at) = text[from..].find("${").map(|at| at + from) {
        let end = at + text[at..].find('}')?;
        let inner = &text[at + 2..end];
        let source = if let Some(name) = inner.strip_prefix("env:") {
            Some(Source::Variable(name))
        } else {
            let file = inner.strip_prefix("file:");
            let file = file.and_then(|file| file.rsplit_once(':'));
            file.map(|(path, key)| Source::File(path, key))
        };
        if let Some(source) = source {
            return Some(Found {
                before: &text[..at],
                whole: &text[at..=end],
                source,
                after: &text[end + 1..],
            });
        }
        from = at + 2;
    }
    None
}

fn of_file(path: &str, key: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let value = properties(&text).remove(key);
    value.ok_or_else(|| format!("{path} has no key `{key}`"))
}

/// Reads Java's properties: `key=value`, `key: value` or `key value`, comments, escapes, lines that a `\` continues.
fn properties(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            line.pop();
            match lines.next() {
                Some(more) => line.push_str(more.trim_start()),
                None => break,
            }
        }
        let (key, value) = key_and_value(&line);
        found.insert(unescaped(key), unescaped(value));
    }
    found
}

/// Splits a line at its first separator that is not escaped.
fn key_and_value(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, character)| {
        let ends = !escaped && (character.is_whitespace() || "=:".contains(*character));
        escaped = !escaped && *character == '\\';
        ends
    });
    let (key, rest) = line.split_at(end.map_or(line.len(), |(at, _)| at));
    let rest = rest.trim_start();
    (
        key,
        rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start(),
    )
}

fn unescaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            written.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => written.push('\t'),
            Some('n') => written.push('\n'),
            Some('r') => written.push('\r'),
            Some('f') => written.push('\u{c}'),
            Some('u') => {
                let digits = characters.as_str().get(..4);
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                if let Some(character) = code.and_then(char::from_u32) {
                    written.push(character);
                    characters = characters.as_str()[4..].chars();
                } else {
                    written.push('u');
                }
            }
            Some(other) => written.push(other),
            None => {}
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        (name == "NAME").then(|| "value".to_owned())
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(
            resolve(text, &environment),
            Ok(expected.to_owned()),
            "{text}"
        );
    }

    #[test]
    fn variables_are_replaced() {
        check("${env:NAME}", "value");
        check("a${env:NAME}b${env:NAME}", "avaluebvalue");
        check("nothing", "nothing");
        check("${other:NAME} ${env:NAME}", "${other:NAME} value");
        check("${env:NAME", "${env:NAME");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = resolve("x${env:OTHER}", &environment).expect_err("no variable");
        assert_eq!(error.variable, "${env:OTHER}");
        let error = resolve("${file:/no/file:key}", &environment).expect_err("no file");
        assert!(error.problem.contains("/no/file"), "{error:?}");
    }

    #[test]
    fn keys_of_a_file_are_replaced() {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        let lines = "# comment\n\nuser=anna\npass\\:word : a\\u00e9\\\\ b\\\n   c \nempty=\nbare\nurl=x=y:z\n";
        file.write_all(lines.as_bytes()).expect("written");
        let path = file.path().display().to_string();
        for (key, expected) in [
            ("user", "anna"),
            ("empty", ""),
            ("bare", ""),
            ("url", "x=y:z"),
        ] {
            check(&format!("${{file:{path}:{key}}}"), expected);
        }
        let properties = properties(lines);
        // As java.util.Properties reads the same text.
        assert_eq!(
            properties.get("pass:word").map(String::as_str),
            Some("aé\\ bc ")
        );
        let error = resolve(&format!("${{file:{path}:pin}}"), &environment).expect_err("no key");
        assert!(error.problem.ends_with("has no key `pin`"), "{error:?}");
        assert!(!error.problem.contains("anna"), "{error:?}");
    }

    #[test]
    fn one_variable_alone_can_be_shown() {
        assert!(is_variable("${env:NAME}"));
        assert!(!is_variable("pre${env:NAME}"));
        assert!(!is_variable("plain"));
        assert!(has_variable("pre${env:NAME}"));
    }
}
