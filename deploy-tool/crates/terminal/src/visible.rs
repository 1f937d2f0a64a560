//! Pure: text of others (containers, registries, API servers, manifests) made harmless for a terminal.
//!
//! Control characters move the cursor, set titles and the clipboard; bidirectional overrides and line separators show a
//! text in another order than it has. All of them become escapes. (kubectl: CVE-2021-25743; <https://trojansource.codes>)

use std::borrow::Cow;
use std::fmt::Write;

/// A longer line of talk is cut, in characters.
const LONGEST_LINE: usize = 2_000;
/// More lines of one text of talk are left out.
const MOST_LINES: usize = 400;

/// The text with an escape for each character that does something: `\x1b`, `\r`, `\u{202e}`. Newlines and tabs stay, and
/// `\r\n` is a newline.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => shown.push_str("\\r"),
            // Writing to a string does not fail.
            active if is_active(active) && active.is_ascii() => _ = write!(shown, "\\x{:02x}", u32::from(active)),
            active if is_active(active) => _ = write!(shown, "{}", active.escape_unicode()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// The same on one line: for a cell of a table.
pub fn visible_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// JSON of the same value that does nothing on a terminal: such characters are in strings only, where JSON has escapes.
pub fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if is_active(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The text without what makes it endless: long lines are cut, and of many lines the first and the last are kept.
pub fn bounded(text: &str) -> Cow<'_, str> {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_long = |line: &&str| line.len() > LONGEST_LINE && line.chars().count() > LONGEST_LINE;
    if lines.len() <= MOST_LINES && !lines.iter().any(is_long) {
        return Cow::Borrowed(text);
    }
    let cut = |line: &str| match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}… ({} more bytes)", &line[..end], line.len() - end),
        None => line.to_owned(),
    };
    let left_out = lines.len().saturating_sub(MOST_LINES);
    let (first, last) = lines.split_at(lines.len().min(MOST_LINES / 2));
    let mut kept: Vec<String> = first.iter().copied().map(cut).collect();
    if left_out > 0 {
        kept.push(format!("… ({left_out} more lines)"));
    }
    kept.extend(last[left_out.min(last.len())..].iter().copied().map(cut));
    Cow::Owned(kept.join("\n"))
}

/// Whether a terminal does something other than show it.
fn is_active(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Marks and overrides of direction, separators of lines, annotations, and tags, which are not shown at all.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_something_is_shown_as_an_escape() {
        let cases = [
            ("plain, ünïcödé 漢字 👩‍💻", "plain, ünïcödé 漢字 👩‍💻"),
            ("a\n\tb\r\n", "a\n\tb\n"),
            ("10 %\r20 %", "10 %\\r20 %"),
            ("\u{1b}]0;OWNED\u{7}", "\\x1b]0;OWNED\\x07"),
            (
                "\u{1b}[2K\u{1b}[32m✓ ready\u{1b}[0m",
                "\\x1b[2K\\x1b[32m✓ ready\\x1b[0m",
            ),
            ("\u{9b}31m \u{9d}52;c;T1dO\u{9c}", "\\u{9b}31m \\u{9d}52;c;T1dO\\u{9c}"),
            ("user\u{202e}nimda\u{2066}", "user\\u{202e}nimda\\u{2066}"),
            ("\0\u{8}\u{b}\u{c}\u{7f}", "\\x00\\x08\\x0b\\x0c\\x7f"),
            ("a\u{2028}b\u{85}", "a\\u{2028}b\\u{85}"),
            ("hidden\u{e0041}", "hidden\\u{e0041}"),
        ];
        for (text, expected) in cases {
            assert_eq!(visible(text), expected);
            assert_eq!(visible(&visible(text)), expected, "twice is once");
        }
        assert_eq!(visible_line("a\nb\tc"), "a\\nb\\tc");
    }

    #[test]
    fn json_keeps_its_value() {
        let all: String = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
        let json = serde_json::to_string(&all).unwrap();
        let shown = visible_json(&json);
        assert!(!shown.contains(is_active));
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), all);
    }

    #[test]
    fn talk_has_an_end() {
        assert_eq!(bounded("a\nb\n"), "a\nb\n");
        let long = bounded(&"漢".repeat(2_100)).into_owned();
        assert!(long.ends_with("漢… (300 more bytes)"), "{long}");
        let many: Vec<String> = (0..1_000).map(|line| line.to_string()).collect();
        let many = bounded(&many.join("\n")).into_owned();
        assert!(many.starts_with("0\n1\n") && many.ends_with("\n998\n999"), "{many}");
        assert!(many.contains("\n199\n… (600 more lines)\n800\n"), "{many}");
        assert!(bounded(&"x\n".repeat(1_000_000)).len() < 2_000);
    }
}
