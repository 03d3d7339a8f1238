//! Names that DataFusion has too: the list, and that both agree on what both do.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use lexstream::udfs;

#[test]
fn one_name_is_shared() {
    let state = SessionContext::new().state();
    let known = |name: &String| {
        state.scalar_functions().contains_key(name)
            || state.aggregate_functions().contains_key(name)
    };
    let shared: Vec<_> = udfs::names().into_iter().filter(known).collect();
    assert_eq!(shared, ["dot_product"]);
}

#[tokio::test]
async fn dot_product_agrees_with_inner_product() {
    let (theirs, ours) = (SessionContext::new(), SessionContext::new());
    lexstream::register_all(&ours, &Arc::new(lexstream::ModelCatalog::new(None)))
        .expect("functions");
    for arguments in [
        "[1.0, 2.0], [3.0, 4.5]",
        "[1, 2], [3, 4]",
        "[1.0], NULL",
        "[1.0, NULL], [1.0, 2.0]",
        "arrow_cast([1.5], 'LargeList(Float64)'), [2.0]",
    ] {
        let query = format!("SELECT dot_product({arguments}) AS value");
        let mut shown = Vec::new();
        for context in [&theirs, &ours] {
            let rows = context
                .sql(&query)
                .await
                .expect(&query)
                .collect()
                .await
                .expect(&query);
            shown.push(pretty_format_batches(&rows).expect("table").to_string());
        }
        assert_eq!(shown[0], shown[1], "{query}");
    }
    for context in [&theirs, &ours] {
        let frame = context.sql("SELECT dot_product([1.0], [1.0, 2.0])").await;
        let failed = match frame {
            Ok(frame) => frame.collect().await.is_err(),
            Err(_) => true,
        };
        assert!(failed, "vectors of different lengths");
    }
}
