//! What went wrong, as shown to the user and as an exit code.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::signals::was_terminated;
use super::tell::tell;
use crate::config::ConfigError;
use crate::report::ReportError;
use crate::runner::RunError;

/// The exit code that tells a scheduler to run the command again: EX_TEMPFAIL of sysexits.h.
const TRY_AGAIN: u8 = 75;

/// Why a verb ended without success.
#[derive(Debug)]
pub(super) enum Failure {
    /// The configuration cannot be used.
    Config(Box<ConfigError>),
    /// Flows that did not finish, listed.
    Stuck(String),
    /// Comparisons that failed, counted.
    ChecksFailed(String),
    /// Points that a folder lacks.
    Incomplete(String),
    /// Ctrl-C: points that were not begun, of all.
    Interrupted { left: usize, points: usize },
    /// Ctrl-C, with nothing to show.
    Stopped,
    /// A results folder that cannot be reported on.
    Report(ReportError),
    /// A file or stream could not be read or written.
    Io(io::Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io(error) => Self::Io(error),
            RunError::Config(error) => Self::Config(error),
        }
    }
}

impl Failure {
    /// Tells the user on stderr; the exit code says the same in short.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Config(error) => {
                tell(render(&error, &theme()).trim_end_matches('\n'));
                ExitCode::from(2)
            }
            Self::Stuck(text) | Self::ChecksFailed(text) | Self::Incomplete(text) => {
                tell(format_args!("error: {text}"));
                ExitCode::FAILURE
            }
            Self::Interrupted { left, points } => {
                tell(format_args!(
                    "interrupted: {left} of {points} points are left; the same command goes on from here"
                ));
                ExitCode::from(if was_terminated() { TRY_AGAIN } else { 130 })
            }
            Self::Stopped => {
                tell("interrupted");
                ExitCode::from(130)
            }
            Self::Report(error) => {
                tell(format_args!("error: {error}"));
                ExitCode::from(2)
            }
            // The reader of the output has closed the pipe.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Io(error) => {
                tell(format_args!("error: {error}"));
                ExitCode::from(2)
            }
        }
    }
}

fn theme() -> GraphicalTheme {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stderr().is_terminal() && !plain {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    }
}

/// Columns of messages: fixed, so that they look the same everywhere.
const WIDTH: usize = 100;

/// Longer lines of a file are not shown: the caret would be far out of sight.
const LONGEST_LINE: usize = 300;

fn render(error: &ConfigError, theme: &GraphicalTheme) -> String {
    let report = Report::of(error);
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme.clone())
        .with_width(WIDTH)
        .with_links(false);
    match handler.render_report(&mut text, &report) {
        Ok(()) => text,
        Err(_) => format!("error: {error}\n"),
    }
}

/// A configuration error as miette draws it.
#[derive(Debug)]
struct Report {
    message: String,
    help: Option<String>,
    shown: Option<(NamedSource<String>, LabeledSpan)>,
}

impl Report {
    fn of(error: &ConfigError) -> Self {
        let mut message = error.message.clone();
        let mut shown = None;
        if let Some(at) = &error.at {
            let (line, column) = at.source.line_and_column(at.span.start);
            if at.source.line(line).len() <= LONGEST_LINE {
                let source = NamedSource::new(&at.source.name, at.source.text.clone());
                // A caret under the first line of what may be a long list.
                let end = at.span.end.min(at.source.line(line).end).max(at.span.start);
                shown = Some((source, LabeledSpan::underline(at.span.start..end)));
            } else {
                message = format!("{}:{line}:{column}: {message}", at.source.name);
            }
        }
        Self {
            message,
            help: (!error.help.is_empty()).then(|| error.help.clone()),
            shown,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl Diagnostic for Report {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.shown.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.shown
            .as_ref()
            .map(|(_, label)| Box::new(std::iter::once(label.clone())) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
