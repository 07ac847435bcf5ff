//! Progress on stderr: a line that disappears, or with `-v` a line for each answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use irsa::output::wrapped;
use irsa::text::safe;

use super::foreign::without_held;

/// How many of the answers that are waited for are named.
const NAMED: usize = 2;

/// Tells the user what the tool waits for.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Where whole lines go.
    lines: Arc<Mutex<dyn Write + Send>>,
    /// Columns of the terminal that they go to, if it is one.
    width: Option<usize>,
    each: bool,
    open: Arc<Mutex<Open>>,
    /// What was said: of many pods the same is to be said.
    said: Arc<Mutex<BTreeSet<String>>>,
}

/// What is waited for, the oldest first.
#[derive(Default)]
struct Open {
    next: u64,
    tasks: BTreeMap<u64, (String, Instant)>,
    /// What the time passes for while nothing is waited for.
    idle: Option<String>,
}

/// One thing being waited for.
pub struct Task {
    progress: Progress,
    number: u64,
    what: String,
    since: Instant,
}

/// Columns of the terminal on stderr, if it is one.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr())
        .map(|(terminal_size::Width(width), _)| usize::from(width))
}

/// Lines for stderr: broken between words where it is a terminal. A line that is a command is left as it is, to be copied.
pub fn for_stderr(text: &str) -> String {
    let Some(width) = width() else { return text.to_owned() };
    let is_command = |line: &str| ["kubectl ", "aws "].iter().any(|start| line.starts_with(start));
    let lines =
        text.lines().map(|line| if is_command(line) { line.to_owned() } else { wrapped(line, width) });
    lines.collect::<Vec<_>>().join("\n")
}

impl Open {
    /// What is open, and since when: `12 s: waiting for iam:GetRole, sts:GetCallerIdentity and 3 more`.
    fn shown(&self) -> String {
        let Some((_, since)) = self.tasks.values().next() else {
            return self.idle.clone().unwrap_or_default();
        };
        let named: Vec<&str> = self.tasks.values().take(NAMED).map(|(what, _)| what.as_str()).collect();
        let more = self.tasks.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{} s: waiting for {}{more}", since.elapsed().as_secs(), named.join(", "))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress {
    /// Shows a spinner on a terminal; with `each` a line for every answer, on any stderr.
    pub fn new(each: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let open: Arc<Mutex<Open>> = Arc::default();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {open}") {
            let (open, room) = (Arc::clone(&open), width().unwrap_or(80).saturating_sub(3));
            let draw = move |_: &ProgressState, line: &mut dyn fmt::Write| {
                let shown: String = locked(&open).shown().chars().take(room).collect();
                // Nothing is drawn then.
                let _ = line.write_str(&shown);
            };
            bar.set_style(style.with_key("open", draw));
        }
        let lines = Arc::new(Mutex::new(std::io::stderr()));
        Self { bar, lines, width: width(), each, open, said: Arc::default() }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self::lines(Arc::new(Mutex::new(std::io::sink())))
    }

    /// Writes there what the user must know.
    pub fn lines(lines: Arc<Mutex<dyn Write + Send>>) -> Self {
        let (bar, open, said) = (ProgressBar::hidden(), Arc::default(), Arc::default());
        Self { bar, lines, width: None, each: false, open, said }
    }

    /// Starts waiting for the answer to a request.
    pub fn start(&self, what: &str) -> Task {
        let since = Instant::now();
        let mut open = locked(&self.open);
        let number = open.next;
        open.next += 1;
        open.idle = None;
        open.tasks.insert(number, (without_held(&safe::line(what)), since));
        drop(open);
        // A fast answer should not flicker: the bar's first tick comes later than most answers.
        self.bar.enable_steady_tick(Duration::from_millis(150));
        Task { progress: self.clone(), number, what: what.to_owned(), since }
    }

    /// Says something that the user must know before it happens, on any stderr, once.
    pub fn say(&self, words: &str) {
        let line = safe::line(words);
        if locked(&self.said).insert(line.clone()) {
            self.line(&self.width.map_or(line.clone(), |width| wrapped(&line, width)));
        }
    }

    /// Shows on a terminal what time is left to pass for.
    pub fn pause(&self, words: &str) {
        locked(&self.open).idle = Some(without_held(&safe::line(words)));
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(150));
    }

    fn line(&self, line: &str) {
        self.bar.suspend(|| {
            // A closed stderr is no reason to stop.
            if let Ok(mut lines) = self.lines.lock() {
                let _ = writeln!(lines, "{}", without_held(line));
            }
        });
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Task {
    /// The answer came.
    pub fn finish(self, outcome: impl AsRef<str>) {
        if self.progress.each {
            let line = format!(
                "{:>6} ms  {:<9} {}",
                self.since.elapsed().as_millis(),
                outcome.as_ref(),
                safe::line(&self.what)
            );
            self.progress.line(&line);
        }
    }
}

impl Drop for Task {
    /// It is waited for no longer, whether or not the answer came.
    fn drop(&mut self) {
        locked(&self.progress.open).tasks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_named_and_nothing_else() {
        let progress = Progress::silent();
        let shown = || locked(&progress.open).shown();
        assert_eq!(shown(), "");
        let role = progress.start("iam:GetRole");
        let [caller, late] =
            ["sts:GetCallerIdentity", "eks:DescribeCluster"].map(|what| progress.start(what));
        assert_eq!(shown(), "0 s: waiting for iam:GetRole, sts:GetCallerIdentity and 1 more");
        role.finish("answered");
        assert_eq!(shown(), "0 s: waiting for sts:GetCallerIdentity, eks:DescribeCluster");
        // Nobody waits for it any more.
        drop(late);
        assert_eq!(shown(), "0 s: waiting for sts:GetCallerIdentity");
        drop(caller);
        assert_eq!(shown(), "");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let progress = Progress::lines(lines.clone());
        ["a", "b", "a"].iter().for_each(|words| progress.say(words));
        assert_eq!(*locked(&lines), b"a\nb\n");
    }
}
