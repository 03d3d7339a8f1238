//! NOT NULL of an output's columns, checked row by row.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

/// Returns a plan with the same columns, in which NULL is an error of its row where `table` says NOT NULL.
pub fn checked(plan: LogicalPlan, table: &SchemaRef) -> Result<LogicalPlan> {
    if table.fields().iter().all(|field| field.is_nullable()) {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().zip(table.fields());
    let columns = columns.map(|(column, field)| {
        if field.is_nullable() {
            return Expr::Column(column);
        }
        let name = column.name.clone();
        let check = ScalarUDF::new_from_impl(NotNull {
            signature: Signature::any(1, Volatility::Immutable),
            column: name.clone(),
        });
        check.call(vec![Expr::Column(column)]).alias(name)
    });
    let projection = Projection::try_new(columns.collect(), Arc::new(plan))?;
    Ok(LogicalPlan::Projection(projection))
}

/// Hands on a column, and fails on NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NotNull {
    signature: Signature,
    column: String,
}

impl ScalarUDFImpl for NotNull {
    fn name(&self) -> &'static str {
        "not_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("not_null: return_field_from_args knows the type")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(field) = args.arg_fields.first() else {
            return internal_err!("not_null: expected one column, found none");
        };
        Ok(Arc::new(Field::clone(field).with_nullable(false)))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(value) = args.args.pop() else {
            return internal_err!("not_null: expected one column, found none");
        };
        let has_null = match &value {
            ColumnarValue::Array(array) => array.logical_null_count() > 0,
            ColumnarValue::Scalar(value) => value.is_null(),
        };
        if has_null {
            return exec_err!("column `{}` is NOT NULL, found NULL", self.column);
        }
        Ok(value)
    }
}
