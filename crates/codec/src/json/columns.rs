//! Columns that are filled from JSON.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, GenericListArray, NullBufferBuilder, OffsetSizeTrait, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef, Fields};

use super::cursor::Cursor;
use super::problem::Problem;
use crate::columns::{Leaf, leaf};

/// A column in the making.
pub(super) enum Column {
    Leaf(Box<dyn Leaf>),
    List(Box<List>),
    Object(Objects),
}

impl Column {
    /// Returns an empty column, or the type in it that JSON can't hold.
    pub(super) fn new(data_type: &DataType, capacity: usize) -> Result<Self, DataType> {
        Ok(match data_type {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => {
                Column::List(Box::new(List::new(data_type, capacity)?))
            }
            DataType::Struct(fields) => Column::Object(Objects::new(fields, capacity)?),
            _ => Column::Leaf(leaf(data_type, capacity).ok_or_else(|| data_type.clone())?),
        })
    }

    /// Reads the value at the cursor; `null` and what is missing are the caller's.
    fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut String) -> Result<(), Problem> {
        match self {
            Column::Leaf(leaf) => {
                cursor.peek();
                let start = cursor.at();
                let pushed = leaf.push(cursor.scalar(scratch)?);
                pushed.map_err(|expected| Problem::value(expected, cursor.found(start)))
            }
            Column::List(list) => list.read(cursor, scratch),
            Column::Object(objects) => objects.read(cursor, scratch),
        }
    }

    /// Reads the value at the cursor, or `null` where that may be.
    fn read_field(
        &mut self,
        field: &FieldRef,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
    ) -> Result<(), Problem> {
        cursor.peek();
        let start = cursor.at();
        if !cursor.null()? {
            return self.read(cursor, scratch);
        }
        if !field.is_nullable() {
            return Err(Problem::value("a value".to_owned(), cursor.found(start)));
        }
        self.push_null();
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Column::Leaf(leaf) => leaf.push_null(),
            Column::List(list) => list.push_null(),
            Column::Object(objects) => objects.push_null(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Column::Leaf(leaf) => leaf.len(),
            Column::List(list) => list.len(),
            Column::Object(objects) => objects.len,
        }
    }

    fn truncate(&mut self, len: usize) {
        match self {
            Column::Leaf(leaf) => leaf.truncate(len),
            Column::List(list) => list.truncate(len),
            Column::Object(objects) => objects.truncate(len),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Column::Leaf(leaf) => leaf.finish(),
            Column::List(list) => list.finish(),
            Column::Object(objects) => objects.finish(),
        }
    }
}

/// Lists in the making.
pub(super) struct List {
    data_type: DataType,
    field: FieldRef,
    values: Column,
    /// Where each list ends in the values, after a zero.
    ends: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl List {
    fn new(data_type: &DataType, capacity: usize) -> Result<Self, DataType> {
        let field = match data_type {
            DataType::List(field) | DataType::LargeList(field) => field,
            DataType::FixedSizeList(field, size) if *size > 0 => field,
            _ => return Err(data_type.clone()),
        };
        Ok(List {
            data_type: data_type.clone(),
            field: Arc::clone(field),
            values: Column::new(field.data_type(), capacity)?,
            ends: vec![0],
            nulls: NullBufferBuilder::new(capacity),
        })
    }

    /// Returns how many values each list has, where its type says so.
    fn size(&self) -> Option<usize> {
        match &self.data_type {
            DataType::FixedSizeList(_, size) => usize::try_from(*size).ok(),
            _ => None,
        }
    }

    fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut String) -> Result<(), Problem> {
        let found = cursor.peek();
        let start = cursor.at();
        if found != Some(b'[') {
            return Err(Problem::value("a list".to_owned(), cursor.found(start)));
        }
        cursor.pass(b'[');
        let first = self.values.len();
        let mut goes_on = !cursor.pass(b']');
        while goes_on {
            let place = self.values.len() - first;
            let read = self.values.read_field(&self.field, cursor, scratch);
            read.map_err(|problem| problem.at_place(place))?;
            goes_on = cursor.goes_on(b']')?;
        }
        let count = self.values.len() - first;
        if let Some(size) = self.size().filter(|size| *size != count) {
            let expected = format!("a list of {size}");
            return Err(Problem::value(expected, format!("one of {count}")));
        }
        let limit = match self.data_type {
            DataType::LargeList(_) => usize::MAX,
            _ => i32::MAX as usize,
        };
        if self.values.len() > limit {
            let expected = "at most 2,147,483,647 values in the lists of a batch";
            return Err(Problem::value(expected.to_owned(), "more".to_owned()));
        }
        self.ends.push(self.values.len());
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self) {
        for _ in 0..self.size().unwrap_or(0) {
            self.values.push_null();
        }
        self.ends.push(self.values.len());
        self.nulls.append_null();
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len + 1);
        self.nulls.truncate(len);
        self.values.truncate(self.ends[self.len()]);
    }

    fn finish(mut self) -> ArrayRef {
        let nulls = self.nulls.finish();
        let values = self.values.finish();
        match self.data_type {
            DataType::FixedSizeList(_, size) => {
                Arc::new(FixedSizeListArray::new(self.field, size, values, nulls))
            }
            DataType::LargeList(_) => {
                let offsets = offsets::<i64>(&self.ends);
                Arc::new(GenericListArray::new(self.field, offsets, values, nulls))
            }
            _ => {
                let offsets = offsets::<i32>(&self.ends);
                Arc::new(GenericListArray::new(self.field, offsets, values, nulls))
            }
        }
    }
}

fn offsets<O: OffsetSizeTrait>(ends: &[usize]) -> OffsetBuffer<O> {
    let offset = |end: &usize| O::from_usize(*end).expect("a list that is too long was refused");
    OffsetBuffer::new(ends.iter().map(offset).collect())
}

/// Objects in the making: the rows of a table, or of a column of structs.
pub(super) struct Objects {
    fields: Fields,
    columns: Vec<Column>,
    nulls: NullBufferBuilder,
    len: usize,
}

impl Objects {
    /// Returns no objects, or the type in them that JSON can't hold.
    pub(super) fn new(fields: &Fields, capacity: usize) -> Result<Self, DataType> {
        let column = |field: &FieldRef| Column::new(field.data_type(), capacity);
        Ok(Objects {
            fields: fields.clone(),
            columns: fields.iter().map(column).collect::<Result<_, _>>()?,
            nulls: NullBufferBuilder::new(capacity),
            len: 0,
        })
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Reads the object at the cursor: fields that no column has are passed, and the last of a name counts.
    ///
    /// Where it fails, columns may hold more than `len` values: the caller truncates.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
    ) -> Result<(), Problem> {
        let found = cursor.peek();
        let start = cursor.at();
        if found != Some(b'{') {
            return Err(Problem::value("an object".to_owned(), cursor.found(start)));
        }
        cursor.pass(b'{');
        // Messages mostly have their fields in the table's order.
        let mut next = 0;
        let mut goes_on = !cursor.pass(b'}');
        while goes_on {
            let name = cursor.name(scratch)?;
            match self.position(name, next) {
                Some(place) => {
                    self.read_column(place, cursor, scratch)?;
                    next = place + 1;
                }
                None => cursor.skip(scratch)?,
            }
            goes_on = cursor.goes_on(b'}')?;
        }
        self.fill()?;
        self.nulls.append_non_null();
        self.len += 1;
        Ok(())
    }

    fn position(&self, name: &str, next: usize) -> Option<usize> {
        match self.fields.get(next) {
            Some(field) if field.name() == name => Some(next),
            _ => self.fields.iter().position(|field| field.name() == name),
        }
    }

    fn read_column(
        &mut self,
        place: usize,
        cursor: &mut Cursor<'_>,
        scratch: &mut String,
    ) -> Result<(), Problem> {
        let field = &self.fields[place];
        let column = &mut self.columns[place];
        if column.len() > self.len {
            column.truncate(self.len);
        }
        let read = column.read_field(field, cursor, scratch);
        read.map_err(|problem| problem.in_field(field.name()))
    }

    /// Makes NULLs of the fields that the object does not have.
    fn fill(&mut self) -> Result<(), Problem> {
        for (column, field) in self.columns.iter_mut().zip(&self.fields) {
            if column.len() > self.len {
                continue;
            }
            if !field.is_nullable() {
                let problem = Problem::value("a value".to_owned(), "none".to_owned());
                return Err(problem.in_field(field.name()));
            }
            column.push_null();
        }
        Ok(())
    }

    fn push_null(&mut self) {
        self.columns.iter_mut().for_each(Column::push_null);
        self.nulls.append_null();
        self.len += 1;
    }

    /// Keeps the first `len` objects.
    pub(super) fn truncate(&mut self, len: usize) {
        for column in &mut self.columns {
            column.truncate(len);
        }
        self.nulls.truncate(len);
        self.len = len;
    }

    /// Returns the columns.
    pub(super) fn into_columns(self) -> Vec<ArrayRef> {
        self.columns.into_iter().map(Column::finish).collect()
    }

    fn finish(mut self) -> ArrayRef {
        let nulls = self.nulls.finish();
        let fields = self.fields.clone();
        let len = self.len;
        let array = StructArray::try_new_with_length(fields, self.into_columns(), nulls, len);
        Arc::new(array.expect("columns of the fields' types, one value an object"))
    }
}
