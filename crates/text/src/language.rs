//! The language of a text.

use whatlang::{Lang, Script};

/// How much of a text is looked at, in bytes: more changes no answer, and costs.
const LOOKED_AT: usize = 4096;

/// Below this confidence whatlang was wrong about 56 of 105 short texts of ours, from it on about 2 of 210.
const SURE: f64 = 0.3;

/// A language and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// The code of ISO 639-1.
    pub language: &'static str,
    /// From 0 to 1.
    pub confidence: f64,
}

/// Returns the language of a text by its first 4 KiB; none for a text without letters that a language is known of.
///
/// whatlang knows 70 languages by their trigrams, and how sure it is. Where it is not, whichlang decides, which knows 16 by
/// a linear classifier and says nothing else: where its language has the text's script and all of its letters.
pub fn detect_language(text: &str) -> Option<Detected> {
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    let found = whatlang::detect(text)?;
    let detected = |language| Detected {
        language,
        confidence: found.confidence(),
    };
    if found.confidence() < SURE
        && let Some((language, script, letters)) = by_classifier(text)
        && script == found.script()
        && has_only(text, letters)
    {
        return Some(detected(language));
    }
    Some(detected(code(found.lang())))
}

/// Returns the language that whichlang finds, with its script and its letters, those of ASCII left out; none for a script
/// in which every letter goes.
fn by_classifier(text: &str) -> Option<(&'static str, Script, Option<&'static str>)> {
    let latin = |language, letters| Some((language, Script::Latin, Some(letters)));
    match whichlang::detect_language(text) {
        whichlang::Lang::Ara => Some(("ar", Script::Arabic, None)),
        whichlang::Lang::Deu => latin("de", "äöüß"),
        whichlang::Lang::Eng => latin("en", ""),
        whichlang::Lang::Fra => latin("fr", "àâæçéèêëîïôœùûüÿ"),
        whichlang::Lang::Hin => Some(("hi", Script::Devanagari, None)),
        whichlang::Lang::Ita => latin("it", "àèéìíîòóùú"),
        whichlang::Lang::Nld => latin("nl", "áèéëíïóöúü"),
        whichlang::Lang::Por => latin("pt", "áâãàçéêíóôõúü"),
        whichlang::Lang::Rus => Some(("ru", Script::Cyrillic, Some(RUSSIAN))),
        whichlang::Lang::Spa => latin("es", "áéíñóúü"),
        whichlang::Lang::Swe => latin("sv", "åäöé"),
        whichlang::Lang::Tur => latin("tr", "âçğıîöşûü\u{307}"),
        whichlang::Lang::Vie => latin("vi", VIETNAMESE),
        // whatlang is always sure of these.
        whichlang::Lang::Cmn | whichlang::Lang::Jpn | whichlang::Lang::Kor => None,
    }
}

const RUSSIAN: &str = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя";
const VIETNAMESE: &str = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ\u{300}\u{301}\u{303}\u{309}\u{323}";

/// Tells whether all letters of a text are these or of ASCII.
fn has_only(text: &str, letters: Option<&str>) -> bool {
    let Some(letters) = letters else {
        return true;
    };
    let mut lower = text.chars().flat_map(char::to_lowercase);
    lower.all(|character| {
        character.is_ascii() || !character.is_alphabetic() || letters.contains(character)
    })
}

/// Returns a language's code of ISO 639-1.
fn code(language: Lang) -> &'static str {
    match language {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = detect_language(text);
        assert_eq!(found.map(|found| found.language), expected, "{text}");
    }

    #[test]
    fn short_texts_have_their_language() {
        check("Where is the station?", Some("en"));
        check("Wo ist der Bahnhof?", Some("de"));
        check("Niemand ging ans Telefon", Some("de"));
        check("Nessuno ha risposto al telefono", Some("it"));
        check("Llovió toda la noche", Some("es"));
        check("Jag har tappat mina nycklar", Some("sv"));
        check("Я потерял свои ключи", Some("ru"));
        check("Мій брат живе поруч", Some("uk"));
        check("Gdzie jest dworzec?", Some("pl"));
        check("Κανείς δεν απάντησε", Some("el"));
        check("أين تقع محطة القطار؟", Some("ar"));
        check("火车站在哪里？", Some("zh"));
        check("駅はどこにありますか", Some("ja"));
        check("기차역이 어디에 있나요?", Some("ko"));
    }

    #[test]
    fn letters_that_a_language_lacks_are_not_its() {
        assert!(has_only("Straße, 5 €", Some("äöüß")));
        assert!(!has_only("Żółw", Some("äöüß")));
    }

    #[test]
    fn without_letters_there_is_no_language() {
        for text in ["", " ", "42 + 1 = 43", "…!?", "👍"] {
            check(text, None);
        }
    }

    #[test]
    fn the_beginning_decides() {
        let (english, german) = ("This is what the text begins with. ", "Damit hört er auf. ");
        check(&(english.repeat(200) + &german.repeat(400)), Some("en"));
    }

    #[test]
    fn every_language_has_a_code_of_its_own() {
        let codes: HashSet<_> = Lang::all().iter().map(|language| code(*language)).collect();
        assert_eq!(codes.len(), Lang::all().len());
        assert!(codes.iter().all(|code| code.len() == 2));
    }

    proptest! {
        #[test]
        fn confidence_is_from_0_to_1(text in "\\PC*|[a-zäöüß ]*|[а-я ]*") {
            if let Some(found) = detect_language(&text) {
                prop_assert!((0.0..=1.0).contains(&found.confidence), "{found:?}");
            }
        }
    }
}
