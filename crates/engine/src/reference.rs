//! What functions and settings there are: the one list behind `SHOW FUNCTIONS`, `\h` and the reference pages.

use std::collections::BTreeMap;
use std::fmt::Write;

use datafusion::common::config::ExtensionOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Documentation;
use lexstream_udfs as udfs;

#[cfg(feature = "kafka")]
use crate::codec;
use crate::config::LexstreamConfig;
#[cfg(feature = "kafka")]
use crate::kafka;
use crate::kinds::{self, COMMON, OptionSpec};
use crate::tables;

/// What kind of call a function takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One value a row.
    Scalar,
    /// One value a group.
    Aggregate,
    /// One value a row, from the rows around it.
    Window,
    /// Rows, in FROM.
    Table,
}

impl Kind {
    /// Returns the kind's name: `scalar`, `aggregate`, `window` or `table`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Table => "table",
        }
    }
}

/// One function of a session, with its documentation; a text that is missing is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Name under which SQL calls it.
    pub name: String,
    /// What kind of call it takes part in.
    pub kind: Kind,
    /// Family, such as `Words`.
    pub section: String,
    /// How a call is written.
    pub syntax: String,
    /// What it returns.
    pub description: String,
    /// Queries, each after `> `, and their results.
    pub example: String,
    /// Name and description of each argument.
    pub arguments: Vec<(String, String)>,
}

impl Function {
    fn new(name: String, kind: Kind, documentation: Option<&Documentation>) -> Self {
        let Some(documentation) = documentation else {
            let empty = String::new;
            return Self {
                name,
                kind,
                section: empty(),
                syntax: empty(),
                description: empty(),
                example: empty(),
                arguments: Vec::new(),
            };
        };
        Self {
            name,
            kind,
            section: documentation.doc_section.label.to_owned(),
            syntax: documentation.syntax_example.clone(),
            description: documentation.description.trim().to_owned(),
            example: documentation
                .sql_example
                .as_deref()
                .map(without_fence)
                .unwrap_or_default(),
            arguments: documentation.arguments.clone().unwrap_or_default(),
        }
    }
}

/// Returns an example without the lines that fence it in Markdown.
fn without_fence(example: &str) -> String {
    let lines = example
        .lines()
        .filter(|line| !line.trim_start().starts_with("```"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Returns every function of a session, by name; aliases are left out.
pub fn functions(state: &SessionState) -> Vec<Function> {
    // A session lists a function once for every alias; by its own name it is there once.
    let mut functions = BTreeMap::new();
    let mut add =
        |function: Function| functions.insert((function.name.clone(), function.kind), function);
    for function in state.scalar_functions().values() {
        add(Function::new(
            function.name().to_owned(),
            Kind::Scalar,
            function.documentation(),
        ));
    }
    for function in state.aggregate_functions().values() {
        add(Function::new(
            function.name().to_owned(),
            Kind::Aggregate,
            function.documentation(),
        ));
    }
    for function in state.window_functions().values() {
        add(Function::new(
            function.name().to_owned(),
            Kind::Window,
            function.documentation(),
        ));
    }
    let ours = tables::functions();
    for name in state.table_functions().keys() {
        match ours.iter().find(|function| function.name == *name) {
            Some(function) => add(function.clone()),
            None => add(Function::new(name.clone(), Kind::Table, None)),
        };
    }
    functions.into_values().collect()
}

/// The families of Lexstream's own functions, in the order of the reference: a page and an example each.
const FAMILIES: &[Family] = &[
    Family {
        name: "Words",
        about: "What words there are in a text, in what form, of what part of speech and language.",
        example: "functions/words.sql",
    },
    Family {
        name: "Pieces",
        about: "Parts of texts longer or more telling than a word.",
        example: "functions/pieces.sql",
    },
    Family {
        name: "Vectors",
        about: "Texts as numbers: counted, weighed by a corpus, compared.",
        example: "functions/vectors.sql",
    },
    Family {
        name: "Likeness",
        about: "How alike two texts are, and which of many are.",
        example: "functions/likeness.sql",
    },
    Family {
        name: "Models",
        about: "What neural models make of texts and numbers. Statements and options: [models](../models.md).",
        example: "search.sql",
    },
    Family {
        name: "Files",
        about: "Files that become rows.",
        example: "corpus.sql",
    },
];

/// A family of functions.
struct Family {
    name: &'static str,
    /// One sentence.
    about: &'static str,
    /// A script under `examples/`.
    example: &'static str,
}

impl Family {
    fn page(&self) -> String {
        format!("functions/{}.md", self.name.to_lowercase())
    }
}

/// Returns every page of the reference as Markdown, each with its path under `docs/`.
pub fn pages(state: &SessionState) -> Vec<(String, String)> {
    let mut pages = functions_pages(state);
    pages.push(("models.md".to_owned(), models_markdown()));
    pages.push(("settings.md".to_owned(), settings_markdown()));
    #[cfg(feature = "kafka")]
    pages.push(("topic_options.md".to_owned(), topic_options_markdown()));
    pages
}

/// Returns the pages of Lexstream's own functions: a list, and a page a family.
fn functions_pages(state: &SessionState) -> Vec<(String, String)> {
    let mut ours = udfs::names();
    ours.extend(
        tables::functions()
            .into_iter()
            .map(|function| function.name),
    );
    let functions = functions(state).into_iter();
    let functions: Vec<_> = functions
        .filter(|function| ours.contains(&function.name))
        .collect();
    let mut list = String::from("# SQL functions\n\nGenerated by `make docs`; do not edit.\n");
    let mut pages = Vec::new();
    for family in FAMILIES {
        let (name, about, path) = (family.name, family.about, family.page());
        let example = family.example;
        let mut page = format!(
            "# {name}\n\nGenerated by `make docs`; do not edit.\n\n{about} An example: [{example}](../../examples/{example}).\n"
        );
        let about = about.replace("(../", "(");
        write(
            &mut list,
            format_args!(
                "\n## {name}\n\n{about} An example: [{example}](../examples/{example}).\n\n| function | what it does |\n|---|---|\n"
            ),
        );
        for function in functions.iter().filter(|function| function.section == name) {
            write_function(&mut page, function);
            let name = &function.name;
            let first = first_sentence(&function.description).replace('|', "\\|");
            write(
                &mut list,
                format_args!("| [{name}]({path}#{name}) | {first} |\n"),
            );
        }
        pages.push((path, page));
    }
    pages.push(("functions.md".to_owned(), list));
    pages
}

/// Returns what stands before the first full stop that a capital follows.
fn first_sentence(text: &str) -> &str {
    let mut stops = text.match_indices(". ").map(|(at, _)| at);
    let end = stops.find(|at| text[at + 2..].starts_with(char::is_uppercase));
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

fn write_function(page: &mut String, function: &Function) {
    let Function {
        name,
        kind,
        syntax,
        description,
        example,
        arguments,
        ..
    } = function;
    let kind = kind.as_str();
    write(
        page,
        format_args!("\n## {name}\n\n`{syntax}` · {kind}\n\n{description}\n"),
    );
    if !arguments.is_empty() {
        page.push('\n');
    }
    for (argument, description) in arguments {
        write(page, format_args!("- `{argument}`: {description}\n"));
    }
    write(page, format_args!("\n```sql\n{example}\n```\n"));
}

/// Returns the reference of statements about models, and of the kinds of models, as Markdown.
fn models_markdown() -> String {
    let mut out = String::from(
        "# Models\n\nGenerated by `make docs`; do not edit.\n\n\
         Everything learned is a model: made by a statement, kept as a folder with a manifest, called by name.\n\n\
         | statement | what it does |\n|---|---|\n\
         | `CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name [COMMENT '…'] WITH ('key' = 'value', …) [AS query]` | makes a model from files, or from the rows of a query; `OR REPLACE` adds a version where there is one |\n\
         | `ALTER MODEL name SET ('key' = 'value', …)` | makes a new version with these options changed |\n\
         | `ALTER MODEL name RENAME TO other` | renames all versions |\n\
         | `DROP MODEL [IF EXISTS] name` | deletes all versions, `DROP MODEL 'name@2'` one; files that a model refers to stay |\n\
         | `SHOW MODELS [LIKE 'pattern']` | lists the newest versions; the table function `models()` lists all |\n\
         | `DESCRIBE MODEL name` | lists what is known of one, `'name@2'` too |\n\n\
         Names are letters, digits and `_`, without case. A query keeps the version it began with; `'name@2'` asks for a given one. \
         Models lie in `--home`, else `LEXSTREAM_HOME`, else the platform's place for the user's data; any number of processes may share a home. \
         A version appears by one rename. Each file's size and SHA-256 are checked when the model is loaded.\n\n\
         ## Options of every kind\n",
    );
    options(&mut out, COMMON);
    for kind in kinds::ALL {
        write(
            &mut out,
            format_args!("\n## {}\n\n{}\n", kind.name(), kind.description()),
        );
        options(&mut out, kind.options());
    }
    out
}

fn options(out: &mut String, options: &[OptionSpec]) {
    out.push_str("\n| option | default | meaning |\n|---|---|---|\n");
    for OptionSpec {
        name,
        default,
        description,
    } in options
    {
        let default = code(default);
        write(
            out,
            format_args!("| `{name}` | {default} | {description} |\n"),
        );
    }
}

/// Returns the reference of the options that topics' tables have, and of the settings of streams, as Markdown.
#[cfg(feature = "kafka")]
fn topic_options_markdown() -> String {
    let mut out = String::from(
        "# Options of topics\n\nGenerated by `make docs`; do not edit.\n\n\
         What stands in `OPTIONS (…)` of a table that is `STORED AS KAFKA`: the options below, those of its format, and every other \
         one of librdkafka under its own name. [topics.md](topics.md) says what a table is, [stream.md](stream.md) what a stream makes of it.\n\n\
         ## Lexstream's own\n\n| option | default | meaning |\n|---|---|---|\n",
    );
    for option in kafka::OPTIONS {
        row(&mut out, option.name, option.default, option.description);
    }
    out.push_str("\n## Of formats\n\n| option | of | default | meaning |\n|---|---|---|---|\n");
    for option in codec::OPTIONS {
        let of = option.format.unwrap_or("every format");
        let default = code(option.default);
        write(
            &mut out,
            format_args!(
                "| `{}` | {of} | {default} | {} |\n",
                option.name, option.description
            ),
        );
    }
    out.push_str(
        "\n## Settings of streams\n\n`SET lexstream.stream.…` in the script, or `--set`.\n\n\
         | setting | default | meaning |\n|---|---|---|\n",
    );
    for entry in LexstreamConfig::default().entries() {
        if entry.key.starts_with("lexstream.stream.") {
            let value = entry.value.unwrap_or_default();
            row(&mut out, &entry.key, &value, entry.description);
        }
    }
    out.push_str("\n## Defaults that are not librdkafka's\n\n| option | value |\n|---|---|\n");
    for (option, value) in kafka::defaults() {
        write(&mut out, format_args!("| `{option}` | `{value}` |\n"));
    }
    out.push_str("\n## What can't be set\n\n| option | allowed | why |\n|---|---|---|\n");
    for (option, allowed, reason) in kafka::refused() {
        let allowed = code(allowed.unwrap_or_default());
        write(
            &mut out,
            format_args!("| `{option}` | {allowed} | {reason} |\n"),
        );
    }
    out
}

#[cfg(feature = "kafka")]
fn row(out: &mut String, name: &str, default: &str, description: &str) {
    let default = code(default);
    write(
        out,
        format_args!("| `{name}` | {default} | {description} |\n"),
    );
}

/// Returns a value as code; nothing where there is none.
fn code(value: &str) -> String {
    match value {
        "" => String::new(),
        value => format!("`{value}`"),
    }
}

/// Returns the reference of Lexstream's settings as Markdown.
fn settings_markdown() -> String {
    let mut out = String::from(
        "# Settings\n\nGenerated by `make docs`; do not edit.\n\n\
         `SET lexstream.sql.max_rows = 100` in SQL, `--set lexstream.sql.max_rows=100` on the command line, \
         `SHOW lexstream.sql.max_rows` to see one. DataFusion's own settings work the same way.\n\n\
         | setting | default | meaning |\n|---|---|---|\n",
    );
    for entry in LexstreamConfig::default().entries() {
        let (key, value) = (entry.key, entry.value.unwrap_or_default());
        write(
            &mut out,
            format_args!("| `{key}` | `{value}` | {} |\n", entry.description),
        );
    }
    out
}

fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("a string takes all that is written to it");
}
