//! Texts in lower case.

/// Appends the lower case of `text` (Unicode's full mapping, as Python's `str.lower`).
pub fn to_lowercase(text: &str, out: &mut String) {
    // The one letter whose lower case depends on its neighbours: the standard library knows how.
    if !text.is_ascii() && text.contains('Σ') {
        out.push_str(&text.to_lowercase());
        return;
    }
    out.reserve(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, other) = rest.split_at(ascii_prefix(rest.as_bytes()));
        let start = out.len();
        out.push_str(ascii);
        out[start..].make_ascii_lowercase();
        let mut characters = other.chars();
        if let Some(character) = characters.next() {
            out.extend(character.to_lowercase());
        }
        rest = characters.as_str();
    }
}

/// Returns how many bytes come before the first that is not ASCII.
fn ascii_prefix(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<32>();
    let whole = chunks.iter().take_while(|chunk| chunk.is_ascii()).count() * 32;
    let rest = &bytes[whole..];
    whole + rest.iter().take_while(|byte| byte.is_ascii()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_standard_librarys(text in "\\PC*|[a-zA-Z ΣΟΣİß]*") {
            let mut out = String::new();
            to_lowercase(&text, &mut out);
            prop_assert_eq!(out, text.to_lowercase());
        }
    }
}
