//! `kubectl irsa explain`: the pages of the checks, offline.

use clap::Args;

use super::{CliError, print};
use crate::checks;

/// Print the page of a failure mode, or list them all
///
/// The page says what happens, what you see, how it is decided, what is no fault, and how to repair it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # all failure modes, in the order of the chain
  kubectl irsa explain

  # one of them
  kubectl irsa explain sa-not-annotated")]
pub struct Explain {
    /// Id of a failure mode, as `debug` prints it
    #[arg(value_name = "ID")]
    id: Option<String>,
}

impl Explain {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        let Some(id) = &self.id else { return print(&list()) };
        let id = id.trim().to_ascii_lowercase();
        if let Some(check) = checks::by_id(&id) {
            return print(&check.page());
        }
        match checks::NOT_A_FAULT.iter().find(|(known, _)| *known == id) {
            Some((_, page)) => print(page),
            None => Err(no_such_check(&id)),
        }
    }
}

/// Every id with its title, by link.
fn list() -> String {
    let mut text = String::new();
    let width = ids().map(str::len).max().unwrap_or(0);
    for step in crate::step::Step::ALL {
        let here: Vec<_> = checks::ALL.iter().filter(|check| check.meta.step == step).collect();
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
    checks::ALL.iter().map(|check| check.meta.id).chain(checks::NOT_A_FAULT.iter().map(|(id, _)| *id))
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
