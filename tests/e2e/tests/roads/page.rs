//! The commands of a page of docs/roads, and what it says that they print.

use e2e::repository;

/// A line after `$ `, and the lines below it.
pub struct Command {
    /// What is typed.
    pub line: String,
    /// What it prints; `…` stands for anything, and in a line of its own for any lines.
    pub printed: Vec<String>,
}

/// All commands of the `console` blocks of a page, in their order.
pub fn commands(page: &str) -> Vec<Command> {
    let path = repository().join("docs/roads").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut commands: Vec<Command> = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ if !in_block => {}
            _ => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(typed), _) => commands.push(Command {
                    line: typed.to_owned(),
                    printed: Vec::new(),
                }),
                (None, Some(command)) => command.printed.push(line.to_owned()),
                (None, None) => panic!("{page}: a block begins without a command: {line}"),
            },
        }
    }
    commands
}

/// Whether a line is as a page has it.
pub fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(_) if part.is_empty() => rest = "",
            Some(at) => {
                rest = &rest[at + part.len()..];
                open = false;
            }
            None => return false,
        }
    }
    open || rest.is_empty()
}

#[test]
fn an_ellipsis_stands_for_anything() {
    for (pattern, line, expected) in [
        ("ready", "ready", true),
        ("ready", "ready now", false),
        ("ready …", "ready (3.1 s)", true),
        ("at …:3306 (volume …)", "at 127.0.0.1:3306 (volume a)", true),
        ("at …:3306 (volume …)", "at 127.0.0.1:3307 (volume a)", false),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, line), expected, "{pattern} and {line}");
    }
}
