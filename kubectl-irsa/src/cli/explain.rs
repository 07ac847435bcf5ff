//! `kubectl irsa explain`: the pages of the checks, and the possible causes of a pasted error; offline.

use clap::Args;

use super::terminal::{self, Color, style};
use super::{CliError, print};
use irsa::aws_error::{self, Sighting};
use irsa::checks::{self, catalogue::Entry, catalogue::entries};
use irsa::output::{self, Style, catalogue, explanation};

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
  # how many there are, by link, in the order of the chain; in a pipe all of them
  kubectl irsa explain
  kubectl irsa explain | grep annotation

  # one of them
  kubectl irsa explain sa-not-annotated

  # those of a link, and all that have to do with some words
  kubectl irsa explain trust policy
  kubectl irsa explain node role

  # an error that an application printed
  kubectl irsa explain 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

  # a log; nothing of it is kept
  kubectl logs checkout-7d9f | kubectl irsa explain -")]
pub struct Explain {
    /// ID of a failure mode, as `debug` prints it; a link of the chain; words to search for; or the text of an error, in quotes;
    /// - reads it from stdin
    #[arg(value_name = "ID | WORDS | ERROR")]
    words: Vec<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        let text = match self.words.join(" ") {
            words if words.is_empty() => {
                let all: Vec<Entry> = entries().collect();
                let style = style(Color::default(), 0);
                return print(&match terminal::width() {
                    Some(_) => catalogue::overview(&all, &style),
                    None => catalogue::list(&all, &style),
                });
            }
            words if words == "-" => super::stdin()?,
            words => words,
        };
        match checks::catalogue::entry(text.trim()) {
            Some(entry) => print(&page(&entry)),
            None => print(&explain(&text)?),
        }
    }
}

/// A page for a terminal, or the Markdown that it is written in.
fn page(entry: &Entry) -> String {
    match terminal::width() {
        Some(_) => output::page::render(entry, &style(Color::default(), 0)),
        None => entry.page.clone(),
    }
}

/// The AWS errors in a text that is not an id.
fn explain(text: &str) -> Result<String, CliError> {
    let group = checks::catalogue::group(text.trim());
    if !group.is_empty() {
        return Ok(pages(text.trim(), &group));
    }
    let sightings = errors(text);
    let caller = aws_error::caller(&aws_error::unwrapped(text));
    if sightings.is_empty() && caller.is_none() {
        let words = searched(text);
        let found = words.as_deref().map(checks::catalogue::search).unwrap_or_default();
        return match words.as_deref() {
            Some([word]) if found.is_empty() => Err(no_such_check(&word.to_ascii_lowercase())),
            Some(words) if !found.is_empty() => Ok(pages(&words.join(" "), &found)),
            _ => Err(CliError::NoErrorKnown),
        };
    }
    Ok(explanation::errors(&sightings, caller.as_ref(), &Style::default()))
}

/// The only page, or a list of them.
fn pages(words: &str, found: &[Entry]) -> String {
    match found {
        [only] => page(only),
        _ => catalogue::found(words, found, terminal::width(), &style(Color::default(), 0)),
    }
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
