//! Functions that give one value a row: one a file.

mod char_ngrams;
mod classify;
mod classify_scores;
mod cosine_similarity;
mod dot_product;
mod embed;
mod euclidean_distance;
mod jaccard_similarity;
mod jaro_winkler_similarity;
mod levenshtein_similarity;
mod ngrams;
mod normalize_text;
mod normalize_whitespace;
mod predict;
mod remove_stop_words;
mod rerank;
mod sentences;
mod stem;
mod stop_words;
mod strip_accents;
mod token_count;
mod token_ids;
mod token_set_ratio;
mod tokenize;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

use super::scalar_function::udf;
use crate::model::Models;

/// Returns every scalar function, alphabetical; those that name a model find it in `models`.
pub fn all(models: &Arc<dyn Models>) -> Vec<Arc<ScalarUDF>> {
    vec![
        udf::<char_ngrams::CharNgramsOfText>(models),
        udf::<classify::Classify>(models),
        udf::<classify_scores::ClassifyScores>(models),
        udf::<cosine_similarity::CosineSimilarity>(models),
        udf::<dot_product::DotProduct>(models),
        udf::<embed::Embed>(models),
        udf::<euclidean_distance::EuclideanDistance>(models),
        udf::<jaccard_similarity::JaccardSimilarity>(models),
        udf::<jaro_winkler_similarity::JaroWinklerSimilarity>(models),
        udf::<levenshtein_similarity::LevenshteinSimilarity>(models),
        udf::<ngrams::Ngrams>(models),
        udf::<normalize_text::NormalizeText>(models),
        udf::<normalize_whitespace::NormalizeWhitespace>(models),
        udf::<predict::Predict>(models),
        udf::<remove_stop_words::RemoveStopWords>(models),
        udf::<rerank::Rerank>(models),
        udf::<sentences::Sentences>(models),
        udf::<stem::Stem>(models),
        udf::<stop_words::StopWordsOfLanguage>(models),
        udf::<strip_accents::StripAccents>(models),
        udf::<token_count::TokenCount>(models),
        udf::<token_ids::TokenIds>(models),
        udf::<token_set_ratio::TokenSetRatio>(models),
        udf::<tokenize::Tokenize>(models),
    ]
}
