//! Characters that are hardly ever meant.

/// Characters of one sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marked {
    /// Texts with at least one.
    pub texts: u64,
    /// How many there are.
    pub characters: u64,
}

/// What tells of texts that were cut, decoded or scraped wrongly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Control characters (category Cc) but tab, line feed and carriage return.
    pub control: Marked,
    /// U+FFFD, which decoders put where bytes are not what they expect.
    pub replacement: Marked,
}

impl Marked {
    fn add(&mut self, characters: u64) {
        self.characters += characters;
        self.texts += u64::from(characters > 0);
    }

    fn merge(&mut self, other: Self) {
        self.characters += other.characters;
        self.texts += other.texts;
    }
}

impl Marks {
    pub(super) fn add(&mut self, text: &str) {
        // Bytes first, many at once: hardly any text has either. 0xC2 begins the controls from U+0080 on, 0xEF U+FFFD.
        let found = text.bytes().fold(0, |found, byte| {
            let is_low = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
            let is_control = is_low | (byte == 0x7f) | (byte == 0xc2);
            found | u8::from(is_control) | u8::from(byte == 0xef) << 1
        });
        let (mut controls, mut replaced) = (0, 0);
        if found & 1 != 0 {
            let is_control = |character: &char| {
                character.is_control() && !matches!(character, '\t' | '\n' | '\r')
            };
            controls = text.chars().filter(is_control).count();
        }
        if found & 2 != 0 {
            replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
        }
        self.control.add(controls as u64);
        self.replacement.add(replaced as u64);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.control.merge(other.control);
        self.replacement.merge(other.replacement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_replacements_are_counted_by_text_and_by_character() {
        let mut marks = Marks::default();
        for text in [
            "a\tb\r\n",
            "\u{0}\u{1b}[0m\u{7f}",
            "\u{85}é\u{a0}",
            "caf\u{fffd}\u{fffd}",
            "漢字 ﬁ",
        ] {
            marks.add(text);
        }
        let expected = Marks {
            control: Marked {
                texts: 2,
                characters: 4,
            },
            replacement: Marked {
                texts: 1,
                characters: 2,
            },
        };
        assert_eq!(marks, expected);
    }
}
