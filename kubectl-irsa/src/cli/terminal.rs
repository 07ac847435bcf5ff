//! What the terminal on stdout can do, judging by the environment.

use std::io::{IsTerminal, Write as _};

use irsa::output::Style;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What stdout can do, and how much the reader wants.
pub fn style(color: Color, verbose: u8) -> Style {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (windows, terminal) = (cfg!(windows), std::io::stdout().is_terminal());
    // Of stderr or stdin where stdout is a pipe: what reads it shows it on the same terminal.
    let size = terminal_size::terminal_size().map(|(terminal_size::Width(width), _)| usize::from(width));
    // A console of Windows has to be told, whatever is wanted; there a terminal that is none names itself in TERM.
    let told = anstyle_query::windows::enable_ansi_colors().unwrap_or(true);
    let understands = told || anstyle_query::term_supports_ansi_color();
    Style {
        color: match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => has_color(terminal && understands, var),
        },
        width: size.unwrap_or(80).clamp(40, 100),
        unicode: has_unicode(windows, terminal, var),
        posix: has_posix_shell(windows, var),
        verbose,
        fix_as: None,
    }
}

/// Columns of the terminal, if stdout is one.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout())
        .map(|(terminal_size::Width(width), _)| usize::from(width))
}

fn has_color(terminal: bool, var: impl Fn(&str) -> Option<String>) -> bool {
    var("NO_COLOR").is_none()
        && (var("CLICOLOR_FORCE").is_some() || (terminal && var("TERM").is_none_or(|term| term != "dumb")))
}

fn has_unicode(windows: bool, terminal: bool, var: impl Fn(&str) -> Option<String>) -> bool {
    match ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(&var) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8") || locale == "c" || locale == "posix"
        }
        // The console's own window lacks the characters, and PowerShell takes what is piped to it for another encoding.
        None if windows => {
            let known = ["WT_SESSION", "TERM_PROGRAM", "TERMINAL_EMULATOR", "ConEmuPID"];
            terminal && known.into_iter().any(|name| var(name).is_some())
        }
        // A locale that says nothing of UTF-8 is mostly a container's; one that names another charset means it.
        None => true,
    }
}

/// On Windows Git Bash and its like say so.
fn has_posix_shell(windows: bool, var: impl Fn(&str) -> Option<String>) -> bool {
    !windows || var("MSYSTEM").is_some() || var("SHELL").is_some()
}

/// A question, whose answer stands on the same line.
pub(super) fn prompt(question: &str) {
    // Whoever cannot see it does not answer, which is no.
    let _ = write!(std::io::stderr(), "{}", irsa::text::safe::line(question));
    let _ = std::io::stderr().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment: `NAME=value` by `NAME=value`.
    fn env<'e>(of: &'e [&str]) -> impl Fn(&str) -> Option<String> + 'e {
        |name| of.iter().find_map(|set| Some(set.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }

    #[test]
    fn colour_where_it_is_shown_and_wanted() {
        assert!(has_color(true, env(&[])) && has_color(true, env(&["TERM=xterm"])));
        assert!(!has_color(true, env(&["TERM=dumb"])) && !has_color(false, env(&[])));
        assert!(has_color(false, env(&["CLICOLOR_FORCE=1"])));
        assert!(!has_color(true, env(&["NO_COLOR=1", "CLICOLOR_FORCE=1"])));
    }

    #[test]
    fn signs_beyond_ascii_where_they_are_shown() {
        for terminal in [true, false] {
            assert!(has_unicode(false, terminal, env(&[])));
            assert!(has_unicode(false, terminal, env(&["LANG=C"])));
            assert!(!has_unicode(false, terminal, env(&["LANG=de_DE.ISO-8859-1"])));
            assert!(!has_unicode(true, terminal, env(&[])));
            // Git Bash.
            assert!(has_unicode(true, terminal, env(&["LANG=en_US.UTF-8"])));
        }
        assert!(has_unicode(true, true, env(&["WT_SESSION=1"])));
        assert!(!has_unicode(true, false, env(&["WT_SESSION=1"])));
    }

    #[test]
    fn whose_commands_are_read_as_they_are_written() {
        assert!(has_posix_shell(false, env(&[])));
        assert!(has_posix_shell(true, env(&["MSYSTEM=MINGW64"])));
        assert!(!has_posix_shell(true, env(&["WT_SESSION=1"])));
    }
}
