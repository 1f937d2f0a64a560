//! Pure: texts in terminal columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::visible::visible_line;

/// The start of a text that fits into a number of terminal columns, with `…` where something is missing; what
/// would move the cursor is shown as an escape.
pub fn cut(text: &str, columns: usize) -> String {
    let shown = visible_line(text);
    if shown.width() <= columns {
        return shown;
    }
    let mut width = 1;
    let mut start: String = shown
        .chars()
        .take_while(|character| {
            width += character.width().unwrap_or(0);
            width <= columns
        })
        .collect();
    if columns > 0 {
        start.push('…');
    }
    start
}

/// A text filled up with spaces on its right; one that is too long is cut.
pub fn pad_right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let missing = columns.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

/// A text filled up with spaces on its left; one that is too long is cut.
pub fn pad_left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    " ".repeat(columns.saturating_sub(text.width())) + &text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_place_never_wraps_and_never_moves_the_cursor() {
        assert_eq!(cut("abc\r\x1b[2Kdef", 20), "abc\\r\\x1b[2Kdef");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(cut("漢字", 4), "漢字");
        assert_eq!(cut("abc", 0), "");
        for columns in 0..100 {
            assert!(cut(&"漢x".repeat(50), columns).width() <= columns);
        }
    }

    #[test]
    fn columns_are_filled_up() {
        assert_eq!((pad_right("ab", 4), pad_left("ab", 4)), ("ab  ".into(), "  ab".into()));
        assert_eq!((pad_right("漢字", 3), pad_left("漢", 3)), ("漢…".into(), " 漢".into()));
    }
}
