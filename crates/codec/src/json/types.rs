//! The columns that objects have, found by reading some of them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema};

use super::cursor::Cursor;
use super::problem::Problem;
use super::records::{FailedRecord, Records, Step, Target};
use crate::columns::Scalar;

/// Objects and lists in one another, at most: types are read with recursion, here and by all that use them.
const DEEPEST: usize = 64;

/// Finds the columns of files of objects, in the order in which they come.
///
/// Whole numbers are BIGINT, those above its range UBIGINT where none is negative; with fractions, or of more digits,
/// numbers are DOUBLE. Values of several types are text, as are columns without a value.
#[derive(Debug)]
pub struct JsonTypes {
    records: Records,
    columns: Columns,
    /// Records that are still to be read.
    left: usize,
}

impl JsonTypes {
    /// Returns a reader that looks at so many records.
    pub fn new(records: usize) -> Self {
        JsonTypes {
            records: Records::new(),
            columns: Columns::default(),
            left: records,
        }
    }

    /// Begins with the next file.
    pub fn next_file(&mut self) {
        self.records = Records::new();
    }

    /// Looks at the records in some bytes of the file, and tells whether more are to be read.
    ///
    /// # Errors
    /// A record that can't be read.
    pub fn push(&mut self, bytes: &[u8]) -> Result<bool, FailedRecord> {
        self.records.push(bytes);
        self.read()
    }

    /// Looks at what is left of the file.
    ///
    /// # Errors
    /// A record that can't be read.
    pub fn finish(&mut self) -> Result<(), FailedRecord> {
        self.records.finish();
        self.read().map(drop)
    }

    fn read(&mut self) -> Result<bool, FailedRecord> {
        while self.left > 0 {
            match self.records.step(&mut self.columns) {
                Step::Read => self.left -= 1,
                Step::Failed(failed) => return Err(failed),
                Step::More | Step::End => break,
            }
        }
        Ok(self.left > 0)
    }

    /// Returns the columns that were found.
    pub fn schema(&self) -> Schema {
        Schema::new(self.columns.fields())
    }
}

/// What the values of a column have in common.
#[derive(Debug)]
enum Type {
    /// NULL at most.
    Unknown,
    Boolean,
    /// A whole number; tells whether one is negative.
    Integer(bool),
    /// A whole number above the range of 64 bits with a sign.
    Unsigned,
    Float,
    Text,
    List(Box<Type>),
    Object(Columns),
}

#[derive(Debug, Default)]
struct Columns {
    types: Vec<(String, Type)>,
    places: HashMap<String, usize>,
}

impl Target for Columns {
    fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut String) -> Result<(), Problem> {
        cursor.peek();
        let start = cursor.at();
        match cursor.pass(b'{') {
            true => self.object(cursor, scratch, 0),
            false => Err(Problem::value("an object".to_owned(), cursor.found(start))),
        }
    }

    /// Types are found even in an object that fails; nobody asks for them then.
    fn undo(&mut self) {}
}

impl Columns {
    /// Reads an object behind its brace.
    fn object(
        &mut self,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
        depth: usize,
    ) -> Result<(), Problem> {
        let mut next = 0;
        let mut goes_on = !cursor.pass(b'}');
        while goes_on {
            let name = cursor.name(scratch)?;
            let place = self.place(name, next);
            next = place + 1;
            let (name, column) = &mut self.types[place];
            let read = column.read(cursor, scratch, depth + 1);
            read.map_err(|problem| problem.in_field(name))?;
            goes_on = cursor.goes_on(b'}')?;
        }
        Ok(())
    }

    /// Returns the place of a name; objects mostly have their fields in one order.
    fn place(&mut self, name: &str, next: usize) -> usize {
        if self.types.get(next).is_some_and(|(known, _)| known == name) {
            return next;
        }
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.types.len();
        self.types.push((name.to_owned(), Type::Unknown));
        self.places.insert(name.to_owned(), place);
        place
    }

    fn fields(&self) -> Fields {
        let field = |(name, column): &(String, Type)| Field::new(name, column.data_type(), true);
        self.types.iter().map(field).collect()
    }
}

impl Type {
    /// Reads the value at the cursor.
    fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
        depth: usize,
    ) -> Result<(), Problem> {
        if cursor.null()? {
            return Ok(());
        }
        let start = cursor.at();
        let found = match cursor.scalar(scratch)? {
            Scalar::Boolean(_) => Type::Boolean,
            Scalar::Number(text) => Type::of_number(text),
            Scalar::Text(_) | Scalar::Field(_) => Type::Text,
            Scalar::Nested if depth > DEEPEST => {
                let expected = format!("at most {DEEPEST} objects and lists in one another");
                return Err(Problem::value(expected, cursor.found(start)));
            }
            Scalar::Nested if cursor.pass(b'{') => {
                return self.object(start, cursor, scratch, depth);
            }
            Scalar::Nested => return self.list(start, cursor, scratch, depth),
        };
        match self.take(found) {
            true => Ok(()),
            false => Err(Problem::value("an object".to_owned(), cursor.found(start))),
        }
    }

    fn object(
        &mut self,
        start: usize,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
        depth: usize,
    ) -> Result<(), Problem> {
        if let Type::Unknown = self {
            *self = Type::Object(Columns::default());
        }
        match self {
            Type::Object(columns) => columns.object(cursor, scratch, depth),
            Type::List(_) => Err(Problem::value("a list".to_owned(), cursor.found(start))),
            _ => Err(Problem::value("a scalar".to_owned(), cursor.found(start))),
        }
    }

    fn list(
        &mut self,
        start: usize,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
        depth: usize,
    ) -> Result<(), Problem> {
        cursor.pass(b'[');
        // A scalar among lists fails when it is read.
        if !matches!(self, Type::List(_) | Type::Object(_)) {
            *self = Type::List(Box::new(Type::Unknown));
        }
        let Type::List(items) = self else {
            return Err(Problem::value("an object".to_owned(), cursor.found(start)));
        };
        let mut goes_on = !cursor.pass(b']');
        let mut place = 0;
        while goes_on {
            let read = items.read(cursor, scratch, depth + 1);
            read.map_err(|problem| problem.at_place(place))?;
            goes_on = cursor.goes_on(b']')?;
            place += 1;
        }
        Ok(())
    }

    fn of_number(text: &str) -> Type {
        if text.parse::<i64>().is_ok() {
            Type::Integer(text.starts_with('-'))
        } else if text.parse::<u64>().is_ok() {
            Type::Unsigned
        } else {
            Type::Float
        }
    }

    /// Becomes what holds a scalar too; tells whether there is such a type.
    fn take(&mut self, found: Type) -> bool {
        use Type::*;
        match (&mut *self, found) {
            (Object(_), _) => return false,
            (List(_), _) | (Boolean, Boolean) | (Text, _) | (Unsigned, Unsigned) => {}
            (Float, Integer(_) | Unsigned | Float) => {}
            (Integer(negative), Integer(found)) => *negative |= found,
            (Unknown, found) => *self = found,
            (Integer(false), Unsigned) | (Unsigned, Integer(false)) => *self = Unsigned,
            (Integer(_) | Unsigned, Integer(_) | Unsigned | Float) => *self = Float,
            _ => *self = Text,
        }
        true
    }

    fn data_type(&self) -> DataType {
        match self {
            Type::Boolean => DataType::Boolean,
            Type::Integer(_) => DataType::Int64,
            Type::Unsigned => DataType::UInt64,
            Type::Float => DataType::Float64,
            Type::Unknown | Type::Text => DataType::Utf8,
            Type::List(items) => {
                DataType::List(Arc::new(Field::new_list_field(items.data_type(), true)))
            }
            Type::Object(columns) => DataType::Struct(columns.fields()),
        }
    }
}
