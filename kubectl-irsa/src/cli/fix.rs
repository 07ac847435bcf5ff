//! `debug --fix` and `debug --undo`: what is to change is shown and agreed to before anything changes, and the way back is on the disk
//! before that.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use thiserror::Error;

use super::{CliError, print, read_before};
use crate::apply::undo::{Back, Taken, Undo, UndoError, UndoFile};
use crate::apply::{Hands, Refusal};
use crate::collect::{Deadline, Progress};
use irsa::diagnosis::{Diagnosis, Plan};
use irsa::output::Style;
use irsa::output::plan::{Shown, plan};
use irsa::text::shell;

/// What may be changed without asking.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Consent {
    /// With --fix or --undo: do not ask about what only the target uses
    #[arg(long)]
    yes: bool,
    /// With --yes: do not ask about what others share, or about pods that are deleted, either
    #[arg(long, requires = "yes")]
    allow_shared: bool,
}

/// Why nothing, or not everything, was changed.
#[derive(Debug, Error)]
pub(crate) enum FixError {
    /// Nobody can be asked.
    #[error(
        "nothing was changed: {0} needs your word, and there is no terminal to ask at; add {1}, or run the printed commands"
    )]
    NobodyToAsk(&'static str, &'static str),
    /// A step failed, and those before it were taken.
    #[error("{}", .0.words())]
    HalfWay(Box<HalfWay>),
    /// The first step failed.
    #[error("nothing was changed: {title}: {cause}")]
    Nothing {
        /// The step.
        title: String,
        /// Why not.
        cause: Refusal,
    },
    /// The file that leads back.
    #[error(transparent)]
    File(#[from] UndoError),
    /// Where it leads back is another cluster.
    #[error(
        "{path} leads back in the cluster at {theirs}, and this is {ours}: choose its context with --context"
    )]
    OtherCluster {
        /// The file.
        path: String,
        /// The server that it is for.
        theirs: String,
        /// The server that is reached.
        ours: String,
    },
    /// A way back failed.
    #[error("{title}: {cause}; {done} of {all} steps were undone, the last first")]
    NotUndone {
        /// The step whose way back it is.
        title: String,
        /// Why not.
        cause: Refusal,
        /// How many were undone.
        done: usize,
        /// How many there are.
        all: usize,
    },
}

/// What was done, what was not, and how to go back.
#[derive(Debug)]
pub(crate) struct HalfWay {
    cause: Refusal,
    done: Vec<String>,
    failed: String,
    left: Vec<String>,
    /// `None` if nothing was done for certain.
    undo: Option<PathBuf>,
}

impl HalfWay {
    fn words(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.failed, self.cause)];
        lines.extend(self.done.iter().map(|title| format!("  done      {title}")));
        let state = if self.cause.is_open() { "not known" } else { "not done " };
        lines.push(format!("  {state} {}", self.failed));
        lines.extend(self.left.iter().map(|title| format!("  not done  {title}")));
        lines.extend(self.undo.as_ref().map(|undo| format!("to go back: {}", back_command(undo))));
        lines.join("\n")
    }
}

/// How a repair went.
pub(super) enum Outcome {
    /// Every step was taken; whether that repairs all that is broken.
    Done {
        /// False if a fault is left to a person, so that there is no point in waiting.
        is_whole: bool,
    },
    /// The user said no, or there is nothing that a program can do.
    Left,
}

/// Repairs what is broken, after the user's consent.
///
/// # Errors
/// Nobody can be asked, or a step fails: the error says what was done before.
pub(super) async fn repair(
    hands: &Hands,
    diagnoses: &[Diagnosis],
    consent: &Consent,
    deadline: &Deadline,
    style: &Style,
    progress: &Progress,
) -> Result<Outcome, CliError> {
    let Plan { steps, by_hand, left, later } = Plan::of(diagnoses);
    if steps.is_empty() {
        let why = if by_hand.is_empty() {
            "nothing is broken that a repair is known for"
        } else {
            "the repair is a person's"
        };
        progress.say(&format!("--fix: nothing to change: {why}"));
        return Ok(Outcome::Left);
    }
    let mut shown = Vec::new();
    for step in &steps {
        let present = hands.present(step.change).await;
        let present =
            present.map_err(|cause| FixError::Nothing { title: step.fix.title().to_owned(), cause })?;
        shown.push(Shown { step: *step, present });
    }
    print(&format!("\n{}", plan(&shown, &by_hand, &later, style)))?;
    progress.clear();
    if !agreed(&steps, consent, deadline).await? {
        progress.say("nothing was changed");
        return Ok(Outcome::Left);
    }
    let undo = Undo::new(hands.api.server().to_owned());
    let mut file = UndoFile::create(file_name(diagnoses), undo).map_err(FixError::from)?;
    let titles = |range: &[irsa::diagnosis::Step<'_>]| {
        range.iter().map(|step| step.fix.title().to_owned()).collect::<Vec<_>>()
    };
    for (index, step) in steps.iter().enumerate() {
        let title = step.fix.title().to_owned();
        let (before, after) =
            (steps.get(..index).unwrap_or_default(), steps.get(index + 1..).unwrap_or_default());
        match hands.apply(step.change, step.fix.policy()).await {
            Ok(back) => {
                progress.say(&format!("done: {title}"));
                file.add(Taken { title, back }).map_err(FixError::from)?;
            }
            Err(cause) => {
                let undo = (index > 0).then(|| file.path().to_owned());
                if undo.is_none() {
                    // It holds nothing.
                    let _ = std::fs::remove_file(file.path());
                    if !cause.is_open() {
                        return Err(FixError::Nothing { title, cause }.into());
                    }
                }
                let (done, left) = (titles(before), titles(after));
                let half_way = HalfWay { cause, done, failed: title, left, undo };
                return Err(FixError::HalfWay(Box::new(half_way)).into());
            }
        }
    }
    progress.say(&format!("to go back: {}", back_command(file.path())));
    Ok(Outcome::Done { is_whole: left.is_empty() && later.is_empty() })
}

/// Goes back from a repair, its last step first.
///
/// # Errors
/// The file cannot be read, or is another cluster's; or a step's way back is not open any more.
pub(super) async fn go_back(
    hands: &Hands,
    path: &Path,
    consent: &Consent,
    deadline: &Deadline,
    progress: &Progress,
) -> Result<(), CliError> {
    let undo = Undo::read(path).map_err(FixError::from)?;
    let ours = hands.api.server();
    if undo.server != ours {
        let (theirs, path) = (undo.server, path.display().to_string());
        return Err(FixError::OtherCluster { path, theirs, ours: ours.to_owned() }.into());
    }
    let mut lines = vec![format!("--undo: {} steps", undo.steps.len())];
    let way_back = undo.way_back();
    for (index, Taken { title, back }) in way_back.iter().enumerate() {
        let what = match back {
            Back::Restart { .. } => String::from("is done again"),
            Back::Nothing { why } => why.clone(),
            Back::Patch { .. } | Back::Delete { .. } | Back::Aws { .. } => String::from("is taken back"),
        };
        lines.push(format!("{} {} ({what})", index + 1, irsa::text::safe::line(title)));
    }
    let width = super::terminal::width().unwrap_or(80).clamp(40, 100);
    let lines: Vec<String> = lines.iter().map(|line| irsa::output::wrapped(line, width)).collect();
    print(&format!("{}\n", lines.join("\n")))?;
    let question = "go back? [y/N] ";
    if !consent.yes && !ask(question, "--undo", "--yes", deadline).await? {
        progress.say("nothing was changed");
        return Ok(());
    }
    let all = way_back.len();
    for (done, Taken { title, back }) in way_back.into_iter().enumerate() {
        match hands.go_back(back).await {
            Ok(()) if matches!(back, Back::Nothing { .. }) => {}
            Ok(()) if matches!(back, Back::Restart { .. }) => progress.say(&format!("done again: {title}")),
            Ok(()) => progress.say(&format!("undone: {title}")),
            Err(cause) => return Err(FixError::NotUndone { title: title.clone(), cause, done, all }.into()),
        }
    }
    Ok(())
}

/// Whether the user wants all of it: one question for what is the target's own, and one for each step that others notice.
async fn agreed(
    steps: &[irsa::diagnosis::Step<'_>],
    consent: &Consent,
    deadline: &Deadline,
) -> Result<bool, CliError> {
    if !consent.yes && !ask("make these changes? [y/N] ", "--fix", "--yes", deadline).await? {
        return Ok(false);
    }
    for (index, step) in steps.iter().enumerate() {
        if step.fix.needs_thought() && !consent.allow_shared {
            let question = format!("step {} is not the target's own; do it all the same? [y/N] ", index + 1);
            if !ask(&question, "what others share", "--allow-shared", deadline).await? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// A question on the terminal; anything but yes is no.
async fn ask(
    question: &str,
    what: &'static str,
    flag: &'static str,
    deadline: &Deadline,
) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(FixError::NobodyToAsk(what, flag).into());
    }
    super::terminal::prompt(question);
    let answer = read_before(deadline, "your answer", || {
        let mut answer = Vec::new();
        for byte in std::io::stdin().lock().bytes().take(LONGEST_ANSWER) {
            match byte {
                Ok(b'\n') => break,
                Ok(byte) => answer.push(byte),
                Err(error) => return Err(CliError::Runtime(error)),
            }
        }
        Ok(String::from_utf8_lossy(&answer).trim().to_ascii_lowercase())
    });
    Ok(matches!(answer.await?.as_str(), "y" | "yes"))
}

/// Bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64;

/// `irsa-undo-shop-checkout-20261129T164405Z.json`.
fn file_name(diagnoses: &[Diagnosis]) -> PathBuf {
    let target = diagnoses.first().map(|diagnosis| &diagnosis.target);
    let name = target.map(|target| format!("{}-{}-", target.namespace, target.name)).unwrap_or_default();
    // Names of objects have no other characters; a file's own may.
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    PathBuf::from(format!("irsa-undo-{name}{}.json", Timestamp::now().strftime("%Y%m%dT%H%M%SZ")))
}

fn back_command(path: &Path) -> String {
    format!("kubectl irsa debug --undo {}", shell::quote(&path.display().to_string()))
}
