//! Agreement of bags, hashed vectors and sketches, by the golden files that python/goldens.py writes.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Float32Type, Int32Type, Int64Type};
use serde_json::{Value, json};

use crate::agreement::{evaluate, goldens};

/// Checks an expression over the goldens' texts against what they say under `name`.
async fn check(name: &str, expression: &str, shown: impl Fn(&dyn Array, usize) -> Value) {
    let goldens = goldens("sketches");
    let expression = expression.replace(
        "tokens",
        "tokenize(replace(text, chr(28), ' '), 'whitespace')",
    );
    let found = evaluate(&expression, &goldens).await;
    assert_eq!(found.len(), goldens.len());
    for (row, golden) in goldens.iter().enumerate() {
        assert_eq!(
            shown(&*found, row),
            golden[name],
            "{expression} of {}",
            golden["text"]
        );
    }
}

#[tokio::test]
async fn bags_are_pythons() {
    check("bag_of_words", "bag_of_words(tokens)", |found, row| {
        let bag = found.as_list::<i32>().value(row);
        let (terms, counts) = (bag.as_struct().column(0), bag.as_struct().column(1));
        let counts = counts.as_primitive::<Int64Type>();
        let terms = terms.as_string::<i32>().iter().zip(counts);
        terms.map(|(term, count)| json!([term, count])).collect()
    })
    .await;
}

#[tokio::test]
async fn hashed_vectors_are_hashing_vectorizers() {
    for dimension in [7, 1_048_576] {
        let name = format!("hash_vector_{dimension}");
        check(
            &name,
            &format!("hash_vector(tokens, {dimension})"),
            |found, row| {
                let vectors = found.as_struct();
                let indices = vectors.column(0).as_list::<i32>().value(row);
                let values = vectors.column(1).as_list::<i32>().value(row);
                json!([
                    indices.as_primitive::<Int32Type>().values().to_vec(),
                    values.as_primitive::<Float32Type>().values().to_vec()
                ])
            },
        )
        .await;
    }
}

#[tokio::test]
async fn sketches_are_their_formulas() {
    check("minhash", "minhash(tokens, 8)", |found, row| {
        let signature = found.as_fixed_size_list().value(row);
        json!(signature.as_primitive::<Int32Type>().values().to_vec())
    })
    .await;
    check(
        "minhash_bands",
        "minhash_bands(minhash(tokens, 8, 7), 2)",
        |found, row| {
            let hashes = found.as_list::<i32>().value(row);
            json!(hashes.as_primitive::<Int64Type>().values().to_vec())
        },
    )
    .await;
    check("simhash", "simhash(tokens)", |found, row| {
        json!(found.as_primitive::<Int64Type>().value(row))
    })
    .await;
}
