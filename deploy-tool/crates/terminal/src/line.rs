//! Pure: a message line with a status symbol.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::row::RowState;
use super::styled::Styled;
use super::visible::bounded;
use super::width::cut;

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// How things stand. The signs differ without colours, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// In progress.
    Waiting,
    /// Something to look at.
    Warning,
}

impl From<RowState> for Sign {
    fn from(state: RowState) -> Self {
        match state {
            RowState::Failed => Self::Failed,
            RowState::Waiting => Self::Waiting,
            RowState::Done => Self::Done,
        }
    }
}

impl Sign {
    fn glyph(self) -> (char, Style) {
        match self {
            Self::Done => ('✓', GREEN),
            Self::Failed => ('✗', RED),
            Self::Waiting => ('…', Style::new()),
            Self::Warning => ('!', YELLOW),
        }
    }
}

/// A line of talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many columns it is moved in.
    pub indent: usize,
    /// How things stand.
    pub sign: Sign,
    /// The message.
    pub text: String,
}

impl Line {
    /// A line at the left edge.
    pub fn new(sign: Sign, text: impl Into<String>) -> Self {
        Self {
            indent: 0,
            sign,
            text: text.into(),
        }
    }

    /// A line below another one.
    pub fn below(sign: Sign, text: impl Into<String>) -> Self {
        Self {
            indent: 2,
            ..Self::new(sign, text)
        }
    }

    /// Cut to a number of columns.
    #[must_use]
    pub fn fitting(mut self, columns: usize) -> Self {
        self.text = cut(&self.text, columns.saturating_sub(self.indent + 2));
        self
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.indent + 2 + self.text.width()
    }

    /// With colours. A text of several lines stays below its sign: none of them looks like a line of its own.
    pub fn styled(&self) -> Styled {
        let (glyph, style) = self.sign.glyph();
        let below = format!("\n{}", " ".repeat(self.indent + 2));
        let text = bounded(self.text.trim_end()).replace('\n', &below);
        Styled::from(" ".repeat(self.indent))
            .painted(style, glyph.to_string())
            .with(format!(" {text}"))
    }
}
