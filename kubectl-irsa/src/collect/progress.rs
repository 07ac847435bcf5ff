//! Progress on stderr: a line that disappears, or with `-v` a line for each answer.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::foreign::without_held;

/// Tells the user what the tool waits for.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Where whole lines go.
    lines: Arc<Mutex<dyn Write + Send>>,
    each: bool,
    open: Arc<AtomicUsize>,
}

/// One thing being waited for.
pub struct Task {
    progress: Progress,
    what: String,
    since: Instant,
}

impl Progress {
    /// Shows a spinner on a terminal; with `each` a line for every answer, on any stderr.
    pub fn new(each: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, lines: Arc::new(Mutex::new(std::io::stderr())), each, open: Arc::default() }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self::lines(Arc::new(Mutex::new(std::io::sink())))
    }

    /// Writes there what the user must know.
    pub fn lines(lines: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self { bar: ProgressBar::hidden(), lines, each: false, open: Arc::default() }
    }

    /// Starts waiting for the answer to a request.
    pub fn start(&self, what: &str) -> Task {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        // A fast answer should not flicker: the bar's first tick comes later than most answers.
        self.bar.enable_steady_tick(Duration::from_millis(150));
        let what_for = without_held(&irsa::text::safe::line(what));
        self.bar.set_message(format!("waiting for {open} answers: {what_for}"));
        Task { progress: self.clone(), what: what.to_owned(), since: Instant::now() }
    }

    /// Says something that the user must know before it happens, on any stderr.
    pub fn say(&self, words: &str) {
        self.line(&irsa::text::safe::line(words));
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
        self.progress.open.fetch_sub(1, Ordering::Relaxed);
        if self.progress.each {
            let line = format!(
                "{:>6} ms  {:<9} {}",
                self.since.elapsed().as_millis(),
                outcome.as_ref(),
                irsa::text::safe::line(&self.what)
            );
            self.progress.line(&line);
        }
    }
}
