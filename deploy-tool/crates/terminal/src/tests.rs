//! Whatever the words are that come from elsewhere: nothing that this crate prints acts on a terminal, but for its own
//! colours.

use std::time::Duration;

use anstyle::AnsiColor;
use diagnostics::Error;
use jiff::Timestamp;

use super::change::{Action, Change};
use super::event::Event;
use super::frame::{self, Size};
use super::line::{Line, Sign};
use super::plain_progress::PlainProgress;
use super::printer::failure_text;
use super::row::{Row, RowState};
use super::styled::Styled;
use super::table::aligned;
use super::tracker::Table;
use super::visible::visible_json;

/// Sequences of real attacks, then every character alone.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\u{1b}]0;OWNED\u{7}",
        "\u{1b}]52;c;T1dORUQ=\u{7}",
        "\u{1b}[2K\r\u{1b}[32m✓ ready\u{1b}[0m",
        "\u{9b}2J\u{9d}0;OWNED\u{9c}",
        "\u{1b}P+q544e\u{1b}\\",
        "a\u{202e}txt.exe\u{2066}",
        "before\n✓ ready (0.1 s)",
    ]
    .map(str::to_owned)
    .into();
    texts.extend(
        (0..0x3000)
            .chain(0xfe00..0x1_0000)
            .chain(0xe_0000..0xe_0200)
            .filter_map(|number| {
                let character = char::from_u32(number)?;
                Some(format!("a{character}b"))
            }),
    );
    texts
}

/// The ways of this crate to make text: each is given words of others, and says what would be printed.
fn printed(text: &str) -> Vec<String> {
    let row = Row {
        title: text.to_owned(),
        state: RowState::Failed,
        ready: Some((0, 1)),
        reason: text.to_owned(),
    };
    let mut table = Table::default();
    table.update(vec![row.clone()], Duration::ZERO);
    let size = Size { width: 200, height: 20 };
    let mut lines = frame::frame(text, text, &table, Duration::ZERO, size);
    lines.extend(frame::record(&table, Duration::ZERO, size.width));
    lines.extend(PlainProgress::default().tick(text, text, &table, Duration::from_secs(60)));
    lines.push(Line::new(Sign::Warning, text));
    lines.push(Line::below(Sign::Done, text));
    let failure = Error::cluster(text).cause(text).detail(text).hint(text);
    let change = Change {
        action: Action::Created,
        title: text.to_owned(),
        fields: vec![("name", text.into())],
    };
    let events = [
        Event::StepStarted { step: text },
        Event::StepFinished {
            step: text,
            outcome: text,
            seconds: 0.0,
        },
        Event::StepFailed {
            step: text,
            seconds: 0.0,
        },
        Event::object(text, &row),
        Event::Written {
            step: text,
            change: &change,
        },
        Event::Warning { text },
        Event::Message { text },
        Event::failure(&failure),
        Event::Result {
            exit_code: 0,
            seconds: 0.0,
            data: Some(text.into()),
        },
    ];
    let mut all: Vec<String> = lines.iter().map(|line| line.styled().render(true)).collect();
    all.extend(
        events
            .iter()
            .map(|event| visible_json(&event.line(Timestamp::UNIX_EPOCH))),
    );
    all.push(failure_text(&failure).render(true));
    // Text for the reader has lines.
    let text = &text.replace('\n', " ");
    all.push(
        Styled::from(text)
            .painted(AnsiColor::Green.on_default(), text)
            .render(true),
    );
    all.push(Styled::from(aligned([text], [[text.to_owned()]].into_iter())).render(true));
    all
}

#[test]
fn nothing_of_others_acts_on_a_terminal() {
    let own = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[0m"];
    let is_bidirectional =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    for text in hostile() {
        for printed in printed(&text) {
            let rest = own
                .iter()
                .fold(printed.clone(), |rest, sequence| rest.replace(sequence, ""));
            let acts = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_bidirectional(c);
            assert!(!rest.contains(acts), "{text:?} is printed as {printed:?}");
            assert!(
                !rest.contains("\n✓ ready"),
                "{text:?} looks like a line of our own: {printed:?}"
            );
        }
    }
}
