//! `kubectl irsa explain`: the pages of the checks, and the possible causes of a pasted error; offline.

use clap::Args;

use super::terminal::{self, Color, style};
use super::{CliError, print};
use irsa::aws_error::{self, Sighting};
use irsa::checks::{self, catalogue::entries};
use irsa::output::{Style, catalogue, explanation};

/// A search has at most this many words; a longer text is an error.
const MOST_WORDS: usize = 3;
/// Characters of the shortest word that is searched for.
const SHORTEST_WORD: usize = 3;

/// Print the page of a failure mode, or what an error can mean
///
/// The page says what happens, what you see, how it is decided, what is not a fault, and how to repair it. For an error, the
/// possible failure modes are shown, with what tells them apart.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # all failure modes, in the order of the chain
  kubectl irsa explain

  # one of them
  kubectl irsa explain sa-not-annotated

  # all that have to do with a word
  kubectl irsa explain audience

  # an error that an application printed
  kubectl irsa explain 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

  # a log; nothing of it is kept
  kubectl logs checkout-7d9f | kubectl irsa explain -")]
pub struct Explain {
    /// ID of a failure mode, as `debug` prints it; a word to search for; or the text of an error, in quotes; - reads it from
    /// stdin
    #[arg(value_name = "ID | WORD | ERROR")]
    words: Vec<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        let text = match self.words.join(" ") {
            words if words.is_empty() => {
                let (style, width) = (style(Color::default(), 0), terminal::width());
                return print(&catalogue::list(&entries().collect::<Vec<_>>(), width, &style));
            }
            words if words == "-" => super::stdin()?,
            words => words,
        };
        match checks::catalogue::page(text.trim()) {
            Some(page) => print(&page),
            None => print(&explain(&text)?),
        }
    }
}

/// The AWS errors in a text that is not an id.
fn explain(text: &str) -> Result<String, CliError> {
    let sightings = errors(text);
    let caller = aws_error::caller(&aws_error::unwrapped(text));
    if sightings.is_empty() && caller.is_none() {
        let words = searched(text);
        let found = words.as_deref().map(checks::catalogue::search).unwrap_or_default();
        return match words.as_deref() {
            Some([word]) if found.is_empty() => Err(no_such_check(&word.to_ascii_lowercase())),
            Some(words) if !found.is_empty() => {
                let style = style(Color::default(), 0);
                Ok(catalogue::found(&words.join(" "), &found, terminal::width(), &style))
            }
            _ => Err(CliError::NoErrorKnown),
        };
    }
    Ok(explanation::errors(&sightings, caller.as_ref(), &Style::default()))
}

/// The errors of a text: as in a log, or as broken by a terminal or a mail; as if it were one line; or without the words that
/// tie them to AWS, since whoever asks here means an AWS error.
fn errors(text: &str) -> Vec<Sighting> {
    let as_pasted = aws_error::pasted(text);
    if !as_pasted.is_empty() {
        return as_pasted;
    }
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let unbroken = aws_error::parse(&one_line);
    // One word is more likely a misspelt id.
    if !unbroken.is_empty() || !one_line.contains(' ') {
        return unbroken;
    }
    aws_error::parse(&format!("AssumeRoleWithWebIdentity S3Exception {one_line}"))
}

/// The words of a search: a few, none so short that every page contains it. Anything longer is the text of an error.
fn searched(text: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let few = (1..=MOST_WORDS).contains(&words.len());
    (few && words.iter().all(|word| word.chars().count() >= SHORTEST_WORD)).then_some(words)
}

fn ids() -> impl Iterator<Item = &'static str> {
    entries().map(|entry| entry.id)
}

/// The error for an id that no check has, with ids that are close.
pub fn no_such_check(id: &str) -> CliError {
    let mut near: Vec<(usize, &str)> = ids()
        .map(|known| (strsim::damerau_levenshtein(id, known), known))
        .filter(|(distance, known)| *distance <= 1 + id.len() / 4 || (id.len() > 3 && known.contains(id)))
        .collect();
    near.sort_unstable();
    CliError::NoSuchCheck {
        id: id.to_owned(),
        near: near.into_iter().take(3).map(|(_, known)| known.to_owned()).collect(),
    }
}
