//! A profile as one page of HTML, which needs nothing else: no script, no request.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Example, Lengths, Profile, QUANTILES};

/// What a browser may do with the page: show it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Returns the page; every text of the corpus is escaped.
pub fn page(profile: &Profile, title: &str, column: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                h1 { (title) }
                p.soft { "column " (column) ", by Lexstream " (env!("CARGO_PKG_VERSION")) }
                (figures(profile))
                (lengths("Characters", "characters", &profile.characters))
                (lengths("Tokens", "tokens", &profile.tokens))
                (languages(profile))
                (words(profile))
                (examples("Shortest texts", &profile.shortest))
                (examples("Longest texts", &profile.longest))
            }
        }
    };
    page.into_string()
}

fn figures(profile: &Profile) -> Markup {
    let rows = profile.rows;
    let figure = |name: &str, count: u64, of: u64, is_bad: bool, is_estimate: bool| {
        html! {
            div.warn[is_bad && count > 0] {
                dt { (name) }
                dd {
                    @if is_estimate { "≈ " }
                    (grouped(count))
                    @if of > 0 && of != count { " " small { (percent(count, of)) } }
                }
            }
        }
    };
    let texts = profile.texts();
    let near = &profile.near_duplicates;
    html! {
        dl.figures {
            (figure("Rows", rows, 0, false, false))
            (figure("Bytes of text", profile.bytes, 0, false, false))
            (figure("NULL", profile.nulls, rows, true, false))
            (figure("Empty", profile.empty, rows, true, false))
            (figure("White space only", profile.blank, rows, true, false))
            (figure("Exact duplicates", profile.repeated.texts, texts, true, profile.repeated.is_estimate))
            (figure("Near duplicates", near.alike, near.looked_at, true, true))
            (figure("With control characters", profile.marks.control.texts, texts, true, false))
            (figure("With U+FFFD", profile.marks.replacement.texts, texts, true, false))
            (figure("Distinct words", profile.words.distinct, 0, false, true))
        }
        p.estimate {
            "Exact duplicates are texts that came before"
            @if profile.repeated.is_estimate { ", estimated from a sample of distinct texts" }
            ". Near duplicates are those of " (grouped(near.looked_at))
            @if near.is_sample { " sampled" }
            " distinct texts of three words or more that share about four fifths of their runs of three words with another one (MinHash). "
            "Distinct words are estimated (HyperLogLog)."
        }
    }
}

fn lengths(title: &str, unit: &str, lengths: &Lengths) -> Markup {
    let mean = format!("{:.1}", lengths.mean());
    html! {
        section {
            h2 { (title) }
            @if let Some(least) = lengths.least() {
                (histogram(unit, lengths))
                div.scroll {
                    table {
                        thead { tr {
                            th { (unit) } th { "least" }
                            @for share in QUANTILES { th { (share * 100.0) " %" } }
                            th { "most" } th { "mean" } th { "sum" }
                        } }
                        tbody { tr {
                            th { "a text" } td { (grouped(least)) }
                            @for share in QUANTILES { td { (grouped(lengths.quantile(share))) } }
                            td { (grouped(lengths.most())) } td { (mean) } td { (grouped(lengths.sum())) }
                        } }
                    }
                }
                p.estimate { "Quantiles are within 1 %." }
            } @else {
                p { "There is no text." }
            }
        }
    }
}

fn histogram(unit: &str, lengths: &Lengths) -> Markup {
    let buckets = lengths.buckets();
    let rows = buckets
        .iter()
        .map(|bucket| (bucket.range(), bucket.texts, grouped(bucket.texts)));
    bars(&format!("Texts by their length in {unit}"), rows)
}

fn languages(profile: &Profile) -> Markup {
    let languages = &profile.languages;
    html! {
        section {
            h2 { "Languages" }
            (bars("Texts by language", languages.found.iter().map(|(language, rows)| {
                let name = language.unwrap_or("unknown");
                (name.to_owned(), *rows, format!("{} %", share(*rows, languages.looked_at)))
            })))
            p.estimate {
                "Of " (grouped(languages.looked_at)) " texts"
                @if languages.is_sample { ", a sample" }
                "; found out by their beginnings."
            }
        }
    }
}

fn words(profile: &Profile) -> Markup {
    let words = &profile.words;
    html! {
        section {
            h2 { "Frequent words" }
            (bars("Words by how often they come", words.frequent.iter().map(|word| {
                let count = match words.are_exact {
                    true => grouped(word.at_most),
                    false => format!("≈ {}", grouped(word.at_most)),
                };
                (visible(&word.word), word.at_most, count)
            })))
            p.estimate {
                "Without stop words of the languages found."
                @if !words.are_exact { " Counts are estimates that may be too high by at most " (grouped(words.frequent.iter().map(|word| word.at_most - word.at_least).max().unwrap_or(0))) "." }
            }
        }
    }
}

/// Returns a bar for each row, as long as its number.
fn bars(label: &str, rows: impl Iterator<Item = (String, u64, String)>) -> Markup {
    let rows: Vec<_> = rows.collect();
    let most = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
    html! {
        @if rows.is_empty() { p { "There is none." } }
        div.bars.chart role="img" aria-label=(label) {
            @for (name, count, shown) in &rows {
                div.name dir="auto" { (name) }
                div.track {
                    @if *count > 0 {
                        div.bar style=(format!("width: {:.2}%", *count as f64 * 100.0 / most as f64)) {}
                    }
                }
                div.count { (shown) }
            }
        }
    }
}

fn examples(title: &str, examples: &[Example]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if examples.is_empty() { p { "There is none." } }
            @for example in examples {
                blockquote dir="auto" {
                    (visible(&example.beginning))
                    @if example.is_cut() { span.soft { "…" } }
                }
                p.soft { (grouped(example.characters)) " characters" }
            }
        }
    }
}

/// Returns a text whose control characters are seen, as their pictures (U+2400 and on), and those that turn the direction of
/// writing by their numbers; lines stay lines.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' | '\n' | '\r' => shown.push(character),
            '\0'..' ' => shown.extend(char::from_u32(0x2400 + u32::from(character))),
            '\u{7f}' => shown.push('\u{2421}'),
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
            }
            other => shown.push(other),
        }
    }
    shown
}

/// Returns a number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a share in percent.
pub fn share(part: u64, whole: u64) -> String {
    format!("{:.1}", part as f64 * 100.0 / whole.max(1) as f64)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{} %", share(part, whole))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lexstream_text::tokenizers::Word;

    use super::super::Measure;
    use super::*;

    fn profile(texts: &[Option<&str>]) -> Profile {
        let mut measure = Measure::new(Arc::new(Word));
        for text in texts {
            measure.add(*text);
        }
        Measure::finish(vec![measure])
    }

    #[test]
    fn a_text_of_the_corpus_is_no_markup() {
        let hostile =
            "</style></blockquote><script>alert(1)</script><img src=x onerror=alert(2)> &amp;";
        let page = page(&profile(&[Some(hostile), None]), "<b>corpus</b>", "\"><i>");
        for markup in ["<script", "<img", "<b>", "<i>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert_eq!(page.matches("</style>").count(), 1);
    }

    #[test]
    fn control_characters_are_seen() {
        assert_eq!(
            visible("\u{1b}[1m\0\n\u{7f}\u{9b}é\u{202e}"),
            "␛[1m␀\n␡⟨U+009B⟩é⟨U+202E⟩"
        );
    }

    #[test]
    fn a_corpus_without_a_text_has_a_page_too() {
        for texts in [&[][..], &[None], &[Some("")]] {
            let page = page(&profile(texts), "empty", "text");
            assert!(page.ends_with("</html>"));
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
