//! Unicode normalization forms (UAX #15).

use unicode_normalization::{
    IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfd_quick, is_nfkc_quick, is_nfkd_quick,
};

/// A Unicode normalization form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormalForm {
    /// Canonical composition.
    Nfc,
    /// Canonical decomposition.
    Nfd,
    /// Compatibility composition.
    Nfkc,
    /// Compatibility decomposition.
    Nfkd,
}

impl NormalForm {
    /// The names of the forms, alphabetical.
    pub const NAMES: &'static [&'static str] = &["nfc", "nfd", "nfkc", "nfkd"];

    /// Returns the form of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        const FORMS: [NormalForm; NormalForm::NAMES.len()] = [
            NormalForm::Nfc,
            NormalForm::Nfd,
            NormalForm::Nfkc,
            NormalForm::Nfkd,
        ];
        let at = Self::NAMES
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))?;
        Some(FORMS[at])
    }

    /// Tells, without a copy, that `text` surely is in this form; false says nothing.
    pub fn surely_holds(self, text: &str) -> bool {
        // All of ASCII is in every form.
        if text.is_ascii() {
            return true;
        }
        let answer = match self {
            Self::Nfc => is_nfc_quick(text.chars()),
            Self::Nfd => is_nfd_quick(text.chars()),
            Self::Nfkc => is_nfkc_quick(text.chars()),
            Self::Nfkd => is_nfkd_quick(text.chars()),
        };
        answer == IsNormalized::Yes
    }

    /// Appends `text` in this form to `out`.
    pub fn normalize(self, text: &str, out: &mut String) {
        match self {
            Self::Nfc => out.extend(text.nfc()),
            Self::Nfd => out.extend(text.nfd()),
            Self::Nfkc => out.extend(text.nfkc()),
            Self::Nfkd => out.extend(text.nfkd()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalized(form: NormalForm, text: &str) -> String {
        let mut out = String::new();
        form.normalize(text, &mut out);
        out
    }

    #[test]
    fn forms_differ_as_the_standard_says() {
        // UAX #15, figure 6: the ligature is only opened by the compatibility forms.
        let text = "ﬁ\u{e9}";
        assert_eq!(normalized(NormalForm::Nfc, text), "ﬁ\u{e9}");
        assert_eq!(normalized(NormalForm::Nfd, text), "ﬁe\u{301}");
        assert_eq!(normalized(NormalForm::Nfkc, text), "fi\u{e9}");
        assert_eq!(normalized(NormalForm::Nfkd, text), "fie\u{301}");
    }

    proptest! {
        #[test]
        fn a_text_that_surely_is_in_a_form_is_not_changed_by_it(text in "\\PC*|[a-zé\u{301}ﬁ가\u{1100}\u{1161}]*") {
            for name in NormalForm::NAMES {
                let form = NormalForm::named(name).expect("in the list");
                let once = normalized(form, &text);
                prop_assert_eq!(&normalized(form, &once), &once, "{} twice", name);
                if form.surely_holds(&text) {
                    prop_assert_eq!(&once, &text, "{}", name);
                }
            }
        }
    }
}
