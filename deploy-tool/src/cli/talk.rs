//! How the tool talks: the same for every verb.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

/// How to talk: data goes to the standard output, talk to the standard error
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Talk")]
pub struct Talk {
    /// For people or for programs
    #[arg(
        long,
        short,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    #[arg(help = "For people or for programs: text, json")]
    #[arg(
        long_help = "Print for people (text) or for programs (json)\n\nWith json, verbs that act print one event a line \
                     while they work, verbs that look print one document."
    )]
    pub output: OutputFormat,
    /// Print nothing but warnings, errors and data
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Print every request to the API server, and log files
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    #[arg(help = "Use colours: auto, always, never")]
    #[arg(
        long_help = "Use colours: auto, always, never\n\nauto: on a terminal, unless NO_COLOR is set; CLICOLOR_FORCE=1 \
                     means always."
    )]
    pub color: Color,
}

impl Talk {
    /// What the printer has to know.
    pub fn options(&self) -> terminal::Options {
        terminal::Options {
            output: match self.output {
                OutputFormat::Text => terminal::OutputFormat::Text,
                OutputFormat::Json => terminal::OutputFormat::Json,
            },
            quiet: self.quiet,
            verbose: self.verbose,
        }
    }
}

/// What to print on the standard output
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to use colours
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise
    Auto,
    /// Even into a file
    Always,
    /// Not even on a terminal
    Never,
}

/// The colours that a command line asks for which cannot be read, or asks for help.
pub fn color_of(arguments: &[OsString]) -> Color {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let after = texts.windows(2).find(|two| two[0] == "--color").map(|two| two[1]);
    let value = after.or_else(|| texts.iter().find_map(|text| text.strip_prefix("--color=")));
    value
        .and_then(|value| Color::from_str(value, false).ok())
        .unwrap_or(Color::Auto)
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}
