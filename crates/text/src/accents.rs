//! Letters without their accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Appends what is ASCII in the compatibility decomposition (NFKD) of `text`, as scikit-learn's `strip_accents_ascii` does.
pub fn strip_to_ascii(text: &str, out: &mut String) {
    out.extend(text.nfkd().filter(char::is_ascii));
}

/// Appends `text` in compatibility decomposition (NFKD) without its combining marks, as scikit-learn's
/// `strip_accents_unicode` does.
///
/// Combining is what has a canonical combining class other than 0: vowel signs of Indic scripts stay. Letters that do
/// not decompose, such as ø and ł, stay too.
pub fn strip_accents(text: &str, out: &mut String) {
    out.extend(
        text.nfkd()
            .filter(|character| canonical_combining_class(*character) == 0),
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stripped(text: &str) -> String {
        let mut out = String::new();
        strip_accents(text, &mut out);
        out
    }

    #[test]
    fn composed_and_decomposed_letters_lose_their_accent() {
        assert_eq!(stripped("café cafe\u{301} Zürich"), "cafe cafe Zurich");
    }

    #[test]
    fn what_does_not_decompose_stays() {
        assert_eq!(stripped("øłđ 漢字"), "øłđ 漢字");
    }

    #[test]
    fn ligatures_are_opened() {
        assert_eq!(stripped("ﬁ x²"), "fi x2");
    }

    proptest! {
        #[test]
        fn ascii_stays_and_twice_is_once(text in "\\PC*", ascii in "[ -~]*") {
            prop_assert_eq!(stripped(&ascii), ascii);
            prop_assert_eq!(stripped(&stripped(&text)), stripped(&text));
        }
    }
}
