//! What is wrong with a message, and in which column.

use crate::CodecError;

/// What is wrong with a message; the columns around it add themselves.
#[derive(Debug)]
pub(super) struct Problem(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// The text is no JSON, wherever that is in the table.
    Syntax { expected: String, found: String },
    /// A value that its column can't hold.
    Value {
        path: String,
        expected: String,
        found: String,
    },
}

impl Problem {
    /// Returns the problem of text that is no JSON.
    pub(super) fn syntax(expected: String, found: String) -> Self {
        Problem(Box::new(Kind::Syntax { expected, found }))
    }

    /// Returns the problem of a value.
    pub(super) fn value(expected: String, found: String) -> Self {
        let path = String::new();
        Problem(Box::new(Kind::Value {
            path,
            expected,
            found,
        }))
    }

    /// Adds the field that the value is in.
    pub(super) fn in_field(mut self, name: &str) -> Self {
        if let Kind::Value { path, .. } = &mut *self.0 {
            let dot = if path.is_empty() || path.starts_with('[') {
                ""
            } else {
                "."
            };
            *path = format!("{name}{dot}{path}");
        }
        self
    }

    /// Adds the place in a list that the value is at.
    pub(super) fn at_place(mut self, place: usize) -> Self {
        if let Kind::Value { path, .. } = &mut *self.0 {
            let dot = if path.is_empty() || path.starts_with('[') {
                ""
            } else {
                "."
            };
            *path = format!("[{place}]{dot}{path}");
        }
        self
    }
}

impl From<Problem> for CodecError {
    fn from(problem: Problem) -> Self {
        match *problem.0 {
            Kind::Syntax { expected, found } => CodecError::message(expected, found),
            Kind::Value {
                path,
                expected,
                found,
            } if path.is_empty() => CodecError::message(expected, found),
            Kind::Value {
                path,
                expected,
                found,
            } => CodecError::message(format!("{expected} in `{path}`"), found),
        }
    }
}
