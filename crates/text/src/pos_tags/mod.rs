//! Part-of-speech tags of Chinese words, as jieba.posseg gives them.
//!
//! posseg cuts anew, by patterns of its own: the most probable words of the dictionary, which knows their tags, and for
//! the characters between them one hidden Markov model of words and tags together. So its tokens may differ from those of
//! [`Jieba`](super::tokenizers::Jieba). The model's numbers are jieba's (MIT, see `text/LICENSE-jieba.txt`).

mod hidden_markov;
mod hidden_states;
mod pos_tagger;

pub use pos_tagger::PosTagger;
