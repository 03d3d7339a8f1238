//! Scalar functions: one a file.

mod bag_of_words;
mod bm25;
mod char_ngrams;
mod chunk;
mod classify;
mod classify_scores;
mod cosine_similarity;
mod count_vector;
mod detect_language;
mod detect_language_score;
mod dot_product;
mod embed;
mod euclidean_distance;
mod hamming_distance;
mod hash_vector;
mod jaccard_similarity;
mod jaro_winkler_similarity;
mod key_sentences;
mod keywords;
mod levenshtein_similarity;
mod minhash;
mod minhash_bands;
mod minhash_similarity;
mod ngrams;
mod normalize_text;
mod normalize_whitespace;
mod pos_tag;
mod predict;
mod remove_stop_words;
mod rerank;
mod sentences;
mod simhash;
mod stem;
mod stop_words;
mod strip_accents;
mod strip_html;
mod tfidf;
mod tfidf_terms;
mod token_count;
mod token_ids;
mod token_set_ratio;
mod tokenize;

pub use bag_of_words::without_tokens;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

use super::scalar_function::udf;
use lexstream_columns::model::Models;

/// Returns every scalar function, alphabetical; those that name a model find it in `models`.
pub fn all(models: &Arc<dyn Models>) -> Vec<Arc<ScalarUDF>> {
    vec![
        udf::<bag_of_words::BagOfWords>(models),
        udf::<bm25::Bm25>(models),
        udf::<char_ngrams::CharNgramsOfText>(models),
        udf::<chunk::Chunk>(models),
        udf::<classify::Classify>(models),
        udf::<classify_scores::ClassifyScores>(models),
        udf::<cosine_similarity::CosineSimilarity>(models),
        udf::<count_vector::CountVector>(models),
        udf::<detect_language::DetectLanguage>(models),
        udf::<detect_language_score::DetectLanguageScore>(models),
        udf::<dot_product::DotProduct>(models),
        udf::<embed::Embed>(models),
        udf::<euclidean_distance::EuclideanDistance>(models),
        udf::<hamming_distance::HammingDistance>(models),
        udf::<hash_vector::HashVector>(models),
        udf::<jaccard_similarity::JaccardSimilarity>(models),
        udf::<jaro_winkler_similarity::JaroWinklerSimilarity>(models),
        udf::<key_sentences::KeySentencesOfText>(models),
        udf::<keywords::Keywords>(models),
        udf::<levenshtein_similarity::LevenshteinSimilarity>(models),
        udf::<minhash::MinHashOfTokens>(models),
        udf::<minhash_bands::MinHashBands>(models),
        udf::<minhash_similarity::MinHashSimilarity>(models),
        udf::<ngrams::Ngrams>(models),
        udf::<normalize_text::NormalizeText>(models),
        udf::<normalize_whitespace::NormalizeWhitespace>(models),
        udf::<pos_tag::PosTag>(models),
        udf::<predict::Predict>(models),
        udf::<remove_stop_words::RemoveStopWords>(models),
        udf::<rerank::Rerank>(models),
        udf::<sentences::Sentences>(models),
        udf::<simhash::SimHash>(models),
        udf::<stem::Stem>(models),
        udf::<stop_words::StopWordsOfLanguage>(models),
        udf::<strip_accents::StripAccents>(models),
        udf::<strip_html::StripHtml>(models),
        udf::<tfidf::Tfidf>(models),
        udf::<tfidf_terms::TfidfTerms>(models),
        udf::<token_count::TokenCount>(models),
        udf::<token_ids::TokenIds>(models),
        udf::<token_set_ratio::TokenSetRatio>(models),
        udf::<tokenize::Tokenize>(models),
    ]
}
