//! What is said of a function, whoever brings it.

use datafusion::logical_expr::Documentation;

/// What kind of call a function takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FunctionKind {
    /// One value a row.
    Scalar,
    /// One value a group.
    Aggregate,
    /// One value a row, from the rows around it.
    Window,
    /// Rows, in FROM.
    Table,
}

impl FunctionKind {
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
    pub kind: FunctionKind,
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
    /// Returns a function as DataFusion documents it; what is missing is empty.
    pub(crate) fn new(
        name: String,
        kind: FunctionKind,
        documentation: Option<&Documentation>,
    ) -> Self {
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
