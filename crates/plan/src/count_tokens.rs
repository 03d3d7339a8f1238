//! The rule that counts tokens where they are cut.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use lexstream_udfs::functions::without_tokens;

/// Makes `bag_of_words(text, …)` of `bag_of_words(tokenize(text, …))`, which writes no tokens down.
///
/// It comes behind the rule that finds what stands in a plan twice: tokens that others take, too, are cut once, and stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountTokens;

impl OptimizerRule for CountTokens {
    fn name(&self) -> &'static str {
        "count_tokens"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        let count = |expression: Expr| {
            let name = names.save(&expression);
            let counted = expression.transform_up(|call| {
                Ok(match without_tokens(&call) {
                    Some(counted) => Transformed::yes(counted),
                    None => Transformed::no(call),
                })
            })?;
            Ok(counted.update_data(|expression| name.restore(expression)))
        };
        plan.map_expressions(|expression| match expression {
            // The names are those of the expressions in it.
            Expr::GroupingSet(_) => expression.map_children(count),
            _ => count(expression),
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::tree_node::TreeNodeRecursion;
    use datafusion::logical_expr::expr::ScalarFunction;

    use super::*;
    use lexstream_engine::EngineBuilder;

    /// Checks how often a query cuts a text.
    async fn check(select: &str, expected: usize) {
        let engine = EngineBuilder::default().build().expect("an engine");
        let from = "FROM (SELECT column1 || '' AS text FROM (VALUES ('to be'), ('or not to be')))";
        let frame = engine.sql(&format!("{select} {from}")).await.expect(select);
        let names: Vec<_> = frame.schema().field_names();
        let plan = frame.clone().into_optimized_plan().expect(select);
        let mut found = 0;
        let mut look = |expression: &Expr| {
            let is_call = |call: &ScalarFunction| call.func.name() == "tokenize";
            found += usize::from(matches!(expression, Expr::ScalarFunction(call) if is_call(call)));
            Ok(TreeNodeRecursion::Continue)
        };
        let looked = plan.apply(|node| node.apply_expressions(|of_node| of_node.apply(&mut look)));
        looked.expect(select);
        assert_eq!(found, expected, "{}", plan.display_indent());
        assert_eq!(plan.schema().field_names(), names);
        frame.collect().await.expect(select);
    }

    #[tokio::test]
    async fn tokens_that_only_a_bag_takes_are_not_written() {
        check("SELECT bag_of_words(text, 'sklearn')", 0).await;
        check("SELECT bag_of_words(tokenize(text, 'sklearn')) AS bag", 0).await;
        let lengths = "SELECT sum(array_length(bag_of_words(tokenize(text)))) AS n";
        check(lengths, 0).await;
    }

    #[tokio::test]
    async fn tokens_that_others_take_too_are_cut_once() {
        let both = "SELECT bag_of_words(tokenize(text)) AS bag, simhash(tokenize(text)) AS hash";
        check(both, 1).await;
        check(
            "SELECT bag_of_words(tokenize(text, 'regex:[a-z]+')) AS bag",
            1,
        )
        .await;
    }
}
