//! The shell's own commands, which begin with `\`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use datafusion::common::plan_datafusion_err;
use lexstream_text::nearest;

use super::failure::Failure;
use super::query::Runner;
use lexstream_engine::documentation::Function;
use lexstream_engine::reference;

const COMMANDS: &str = "\
\\?          this list
\\d          the tables
\\d TABLE    the columns of a table
\\h          the functions, a family a line
\\h NAME     one function: what it returns, its arguments, an example
\\q          leave
Tab completes keywords, functions, tables, columns and settings; Ctrl-C stops a query.
";

/// What the shell does after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the next line.
    Ask,
    /// Leave.
    Leave,
}

/// Runs one command.
pub(super) fn run(runner: &Runner, command: &str) -> Result<Next, Failure> {
    let (name, argument) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let argument = argument.trim().trim_end_matches(';');
    match (name, argument) {
        ("\\q", _) => return Ok(Next::Leave),
        ("\\?", _) => io::stdout().write_all(COMMANDS.as_bytes())?,
        ("\\d", "") => runner.script("SHOW TABLES")?,
        ("\\d", table) => runner.script(&format!("DESCRIBE {}", quoted(table)))?,
        ("\\h", "") => io::stdout().write_all(families(&functions(runner)).as_bytes())?,
        ("\\h", name) => io::stdout().write_all(page(&functions(runner), name)?.as_bytes())?,
        _ => return Err(plan_datafusion_err!("no command `{name}`; \\? lists them").into()),
    }
    Ok(Next::Ask)
}

fn functions(runner: &Runner) -> Vec<Function> {
    reference::functions(&runner.engine().context().state())
}

/// Quotes a path, so that `\d reviews.parquet` works too.
fn quoted(table: &str) -> String {
    let is_path = table.contains(['/', '*']) || std::path::Path::new(table).exists();
    if is_path {
        format!("\"{}\"", table.replace('"', "\"\""))
    } else {
        table.to_owned()
    }
}

fn families(functions: &[Function]) -> String {
    let mut families: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for function in functions {
        let family = if function.section.is_empty() {
            "Other"
        } else {
            &function.section
        };
        families.entry(family).or_default().push(&function.name);
    }
    families
        .into_iter()
        .map(|(family, names)| format!("{family}\n  {}\n", names.join(", ")))
        .collect()
}

fn page(functions: &[Function], name: &str) -> Result<String, Failure> {
    let mut pages = functions
        .iter()
        .filter(|function| function.name.eq_ignore_ascii_case(name))
        .peekable();
    if pages.peek().is_none() {
        let meant = nearest(
            name,
            functions.iter().map(|function| function.name.as_str()),
        );
        let meant = meant
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        return Err(plan_datafusion_err!("no function `{name}`{meant}").into());
    }
    let mut out = String::new();
    for Function {
        name,
        kind,
        syntax,
        description,
        example,
        arguments,
        ..
    } in pages
    {
        let syntax = if syntax.is_empty() { name } else { syntax };
        out.push_str(&format!("{syntax}  ({})\n", kind.as_str()));
        for line in [description, example]
            .into_iter()
            .filter(|text| !text.is_empty())
        {
            out.push_str(&format!("{line}\n"));
        }
        for (argument, description) in arguments {
            out.push_str(&format!("  {argument}: {description}\n"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_syntax_and_example_and_a_slip_finds_its_function() {
        let functions =
            reference::functions(&crate::builder().build().expect("engine").context().state());
        let tokenize = page(&functions, "Tokenize").expect("page");
        assert!(
            tokenize.starts_with("tokenize(text [, tokenizer] [, settings])  (scalar)\n"),
            "{tokenize}"
        );
        assert!(
            tokenize.contains("> select tokenize('To be, or not!');\n[To, be, or, not]\n"),
            "{tokenize}"
        );
        assert!(
            page(&functions, "read_text")
                .expect("page")
                .contains("(table)")
        );
        assert_eq!(
            page(&functions, "tokenise")
                .expect_err("unknown")
                .to_string(),
            "no function `tokenise`; did you mean `tokenize`?"
        );
        assert!(
            families(&functions).contains(
                "Likeness\n  hamming_distance, jaccard_similarity, jaro_winkler_similarity"
            )
        );
    }
}
