//! Adapter from [`ScalarFunction`] to DataFusion's scalar functions.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, expr,
};

use super::{Args, Declaration};
use lexstream_columns::model::{Model, Models};

/// A scalar function: declaration, return type and evaluation of a batch; the rest is the same for all.
pub(crate) trait ScalarFunction: Debug + Send + Sync + 'static {
    /// Its signature and documentation.
    const DECLARATION: Declaration;
    /// `Immutable` for what depends on its arguments alone, `Stable` for what reads a model.
    const VOLATILITY: Volatility = Volatility::Immutable;

    /// Returns the result's type for arguments that fit.
    ///
    /// `model` is the one that a constant names.
    fn return_type(arguments: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType>;

    /// Returns the result's type where it depends on constants.
    fn return_type_of(args: &ReturnFieldArgs<'_>, model: Option<&dyn Model>) -> Result<DataType> {
        Self::return_type(args.arg_fields, model)
    }

    /// Refuses constants that are valid one by one, but not together.
    fn check_together(_: &ReturnFieldArgs<'_>) -> Result<()> {
        Ok(())
    }

    /// Computes one batch.
    fn invoke(args: &Args<'_>) -> Result<ColumnarValue>;
}

/// Returns a function in the form DataFusion takes.
pub(crate) fn udf<F: ScalarFunction>(models: &Arc<dyn Models>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Udf::<F> {
        signature: Signature::user_defined(F::VOLATILITY),
        documentation: Arc::new(LazyLock::new(|| F::DECLARATION.documentation(""))),
        models: Arc::clone(models),
        model: None,
        function: PhantomData,
    }))
}

/// Tells whether a function is this one, of a call that names no model.
pub(super) fn is_without_model<F: ScalarFunction>(function: &ScalarUDF) -> bool {
    let found = function.inner().downcast_ref::<Udf<F>>();
    found.is_some_and(|udf| udf.model.is_none())
}

#[derive(Debug)]
struct Udf<F> {
    signature: Signature,
    documentation: Arc<LazyLock<Documentation>>,
    models: Arc<dyn Models>,
    /// The model that this call names, from planning on: a query keeps the version it began with.
    model: Option<Arc<dyn Model>>,
    function: PhantomData<F>,
}

impl<F> Udf<F> {
    fn model_id(&self) -> Option<&str> {
        self.model.as_ref().map(|model| model.id())
    }
}

// Two of them are equal where their types and models are.
impl<F> PartialEq for Udf<F> {
    fn eq(&self, other: &Self) -> bool {
        self.model_id() == other.model_id() && Arc::ptr_eq(&self.models, &other.models)
    }
}

impl<F> Eq for Udf<F> {}

impl<F> Hash for Udf<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.model_id().hash(state);
    }
}

impl<F: ScalarFunction> ScalarUDFImpl for Udf<F> {
    fn name(&self) -> &str {
        F::DECLARATION.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(F::DECLARATION.coerce(arguments))
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("{}: return_field_from_args knows the type", self.name())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        F::DECLARATION.check(args.arg_fields)?;
        let model = F::DECLARATION.check_constants(&args, self.model.as_ref(), &*self.models)?;
        F::check_together(&args)?;
        Ok(Arc::new(Field::new(
            self.name(),
            F::return_type_of(&args, model.as_deref())?,
            true,
        )))
    }

    /// Pins the name of a model to its version: EXPLAIN shows it, and the running query keeps it.
    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        F::DECLARATION.check_settings(&args)?;
        if self.model.is_some() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let Some(model) = F::DECLARATION.pin(&mut args, &*self.models)? else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let pinned = ScalarUDF::new_from_impl(Self {
            signature: self.signature.clone(),
            documentation: Arc::clone(&self.documentation),
            models: Arc::clone(&self.models),
            model: Some(model),
            function: PhantomData,
        });
        let call = expr::ScalarFunction::new_udf(Arc::new(pinned), args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        F::invoke(&Args::new(
            &F::DECLARATION,
            args,
            self.model.as_ref(),
            &*self.models,
        ))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
