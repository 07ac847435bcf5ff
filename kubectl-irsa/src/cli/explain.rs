//! `kubectl irsa explain`: the pages of the checks, and what a pasted error can mean; offline.

use clap::Args;

use super::{CliError, print};
use irsa::aws_error::{self, Sighting};
use irsa::checks;
use irsa::output::{Style, explanation};

/// Print the page of a failure mode, or what an error can mean
///
/// The page says what happens, what you see, how it is decided, what is no fault, and how to repair it. Of an error, the
/// failure modes that can be behind it are shown, with what tells them apart.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # all failure modes, in the order of the chain
  kubectl irsa explain

  # one of them
  kubectl irsa explain sa-not-annotated

  # an error that an application printed
  kubectl irsa explain 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

  # a log; nothing of it is kept
  kubectl logs checkout-7d9f | kubectl irsa explain -")]
pub struct Explain {
    /// Id of a failure mode, as `debug` prints it; or the text of an error, in quotes; - reads it from stdin
    #[arg(value_name = "ID | ERROR")]
    words: Vec<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        let text = match self.words.join(" ") {
            words if words.is_empty() => return print(&list()),
            words if words == "-" => super::stdin()?,
            words => words,
        };
        match page(text.trim()) {
            Some(page) => print(&page),
            None => print(&explain(&text)?),
        }
    }
}

/// The page of an id.
fn page(id: &str) -> Option<String> {
    let id = id.to_ascii_lowercase();
    let check = checks::by_id(&id).map(checks::Check::page);
    check.or_else(|| {
        let (_, page) = checks::NOT_A_FAULT.iter().find(|(known, _)| *known == id)?;
        Some((*page).to_owned())
    })
}

/// What a text that is no id says of AWS.
fn explain(text: &str) -> Result<String, CliError> {
    let sightings = errors(text);
    let caller = aws_error::caller(text);
    if sightings.is_empty() && caller.is_none() {
        let word = text.trim();
        let may_be_id = !word.is_empty() && !word.contains(char::is_whitespace);
        return Err(if may_be_id {
            no_such_check(&word.to_ascii_lowercase())
        } else {
            CliError::NoErrorKnown
        });
    }
    Ok(explanation::errors(&sightings, caller.as_ref(), &Style::default()))
}

/// The errors of a text: as a log has them; as a terminal broke them; or short of the words that make them AWS's, since who
/// asks here means an error of AWS.
fn errors(text: &str) -> Vec<Sighting> {
    let as_log = aws_error::parse(text);
    if !as_log.is_empty() {
        return as_log;
    }
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let unbroken = aws_error::parse(&one_line);
    // One word is rather a misspelled id.
    if !unbroken.is_empty() || !one_line.contains(' ') {
        return unbroken;
    }
    aws_error::parse(&format!("AssumeRoleWithWebIdentity S3Exception {one_line}"))
}

/// Every id with its title, by link.
fn list() -> String {
    let mut text = String::new();
    let width = ids().map(str::len).max().unwrap_or(0);
    for step in irsa::step::Step::ALL {
        let here: Vec<_> = checks::all().filter(|check| check.meta.step == step).collect();
        if !here.is_empty() {
            text.push_str(&format!("{}\n", step.label()));
        }
        for check in here {
            text.push_str(&format!("  {:width$}  {}\n", check.meta.id, check.meta.title));
        }
    }
    if !checks::NOT_A_FAULT.is_empty() {
        text.push_str("suspected, and no fault\n");
    }
    for (id, page) in checks::NOT_A_FAULT {
        let title = page.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        text.push_str(&format!("  {id:width$}  {title}\n"));
    }
    text
}

fn ids() -> impl Iterator<Item = &'static str> {
    checks::all().map(|check| check.meta.id).chain(checks::NOT_A_FAULT.iter().map(|(id, _)| *id))
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
