//! Text extraction from HTML.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Elements that begin and end a line of their own, and `br`; alphabetical.
const LINES: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "td",
    "th",
    "title",
    "tr",
    "ul",
];

/// Appends the text of `html`: tags and comments gone, character references resolved, scripts and styles dropped.
///
/// Read as a browser reads it (the tokenizer of the HTML standard), so nothing is an error: `a < b` stays, `a <b` opens
/// an element. Elements that begin a line of their own put a line feed between what stands before and behind them; other
/// white space stays as it is.
pub fn strip_html(html: &str, out: &mut String) {
    let start = out.len();
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let sink = TextSink {
        text: RefCell::new(std::mem::take(out)),
        start,
        dropped: Cell::new(false),
    };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    // It stops after a script, and goes on when it is asked to.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    *out = tokenizer.sink.text.take();
    if out.len() > start && out.ends_with('\n') && !html.ends_with('\n') {
        out.pop();
    }
}

/// Tells whether a text stays what it is when its HTML is stripped, without reading it as HTML.
pub fn is_plain(text: &str) -> bool {
    !text
        .bytes()
        .any(|byte| matches!(byte, b'<' | b'&' | b'\r' | b'\0'))
}

/// Sink of the HTML tokenizer that collects the text.
struct TextSink {
    text: RefCell<String>,
    /// Where the text of this document begins.
    start: usize,
    /// Whether what comes belongs to an element whose content is no text.
    dropped: Cell<bool>,
}

impl TextSink {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        self.dropped.set(false);
        if LINES.binary_search(&&*tag.name).is_ok() {
            let mut text = self.text.borrow_mut();
            if text.len() > self.start && !text.ends_with('\n') {
                text.push('\n');
            }
        }
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let raw = match &*tag.name {
            "script" => RawKind::ScriptData,
            "iframe" | "noembed" | "noframes" | "style" | "xmp" => RawKind::Rawtext,
            "textarea" | "title" => RawKind::Rcdata,
            "plaintext" => return TokenSinkResult::Plaintext,
            _ => return TokenSinkResult::Continue,
        };
        self.dropped
            .set(!matches!(&*tag.name, "textarea" | "title" | "xmp"));
        TokenSinkResult::RawData(raw)
    }
}

impl TokenSink for TextSink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(characters) if !self.dropped.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stripped(html: &str) -> String {
        let mut out = String::new();
        strip_html(html, &mut out);
        out
    }

    fn check(html: &str, expected: &str) {
        assert_eq!(stripped(html), expected, "{html:?}");
    }

    #[test]
    fn tags_and_comments_go_and_references_are_resolved() {
        check(
            "<b class='x>y'>bo</b>ld<!-- not <i>this</i> --> &amp; &lt;tag&gt; &eacute;&#x4e2d;&#20013;",
            "bold & <tag> é中中",
        );
    }

    #[test]
    fn scripts_and_styles_are_dropped_whatever_they_hold() {
        check(
            "a<script>if (x < 1) { document.write('<b>b</b>'); }</script>c<style>p > b { }</style>d",
            "acd",
        );
        check("a<SCRIPT>never closed <p>b", "a");
    }

    #[test]
    fn lines_are_parted() {
        check(
            "<html><title>T &amp; U</title><p>one</p><p>two<br>three</p><ul><li>x<li>y</ul>",
            "T & U\none\ntwo\nthree\nx\ny",
        );
        check("<div><div>a</div></div>", "a");
    }

    #[test]
    fn what_is_no_tag_stays() {
        check(
            "1 < 2 && 3 > 2 &unknown; a & b",
            "1 < 2 && 3 > 2 &unknown; a & b",
        );
        check("a <b", "a ");
        check("", "");
    }

    #[test]
    fn the_list_of_elements_is_alphabetical() {
        assert!(LINES.is_sorted());
    }

    proptest! {
        #[test]
        fn plain_text_stays_what_it_is(text in "\\PC*|[a-z <&;\\n]*") {
            if is_plain(&text) {
                prop_assert_eq!(stripped(&text), text);
            }
        }

        #[test]
        fn what_is_escaped_comes_back(text in "[a-z<>&;#x0-9 \\n]*") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
            prop_assert_eq!(stripped(&escaped), text);
        }
    }
}
