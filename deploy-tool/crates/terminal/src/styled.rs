//! Text with colours. Colours are the program's alone: what text holds is shown, never obeyed.

use anstyle::Style;

use super::visible::{bounded, visible};

/// Pieces of text, each in a style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    pieces: Vec<(Style, String)>,
}

impl Styled {
    /// Adds text as it is.
    pub fn push(&mut self, text: impl Into<String>) {
        self.paint(Style::new(), text);
    }

    /// Adds text in a style.
    pub fn paint(&mut self, style: Style, text: impl Into<String>) {
        self.pieces.push((style, text.into()));
    }

    /// The same with more behind it.
    #[must_use]
    pub fn with(mut self, text: impl Into<String>) -> Self {
        self.push(text);
        self
    }

    /// The same with more behind it, in a style.
    #[must_use]
    pub fn painted(mut self, style: Style, text: impl Into<String>) -> Self {
        self.paint(style, text);
        self
    }

    /// Adds all of another one.
    pub fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Truncates text of other programs, so that it does not flood the screen.
    #[must_use]
    pub fn bounded(self) -> Self {
        let pieces = self.pieces.into_iter();
        Self {
            pieces: pieces
                .map(|(style, text)| (style, bounded(&text).into_owned()))
                .collect(),
        }
    }

    /// The text alone, as it was given.
    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Renders the text with or without colours. All output is rendered here.
    pub fn render(&self, color: bool) -> String {
        let pieces = self.pieces.iter().map(|(style, text)| {
            if color {
                format!("{style}{}{style:#}", visible(text))
            } else {
                visible(text).into_owned()
            }
        });
        pieces.collect()
    }
}

impl From<&str> for Styled {
    fn from(text: &str) -> Self {
        Self::default().with(text)
    }
}

impl From<String> for Styled {
    fn from(text: String) -> Self {
        Self::default().with(text)
    }
}

impl From<&String> for Styled {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl Extend<Styled> for Styled {
    fn extend<I: IntoIterator<Item = Styled>>(&mut self, all: I) {
        all.into_iter().for_each(|piece| self.append(piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;

    #[test]
    fn colours_are_the_programs_and_none_are_the_texts() {
        let red = AnsiColor::Red.on_default();
        let text = Styled::from("a ").painted(red, "b\u{1b}[32m").with("\n");
        assert_eq!(text.render(true), "a \u{1b}[31mb\\x1b[32m\u{1b}[0m\n");
        assert_eq!(text.render(false), "a b\\x1b[32m\n");
    }
}
