//! What is being waited for, on stderr: a line that goes away, or with `-v` a line for each answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells the user what the tool waits for.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
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
        Self { bar, each, open: Arc::default() }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self { bar: ProgressBar::hidden(), each: false, open: Arc::default() }
    }

    /// Starts waiting for the answer to a request.
    pub fn start(&self, what: &str) -> Task {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        // A fast answer should not flicker: the bar's first tick comes later than most answers.
        self.bar.enable_steady_tick(Duration::from_millis(150));
        self.bar.set_message(format!("waiting for {open} answers: {}", irsa::text::safe::line(what)));
        Task { progress: self.clone(), what: what.to_owned(), since: Instant::now() }
    }

    /// Says something that the user must know before it happens, on any stderr.
    pub fn say(&self, words: &str) {
        self.bar.suspend(|| {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{}", irsa::text::safe::line(words));
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
            self.progress.bar.suspend(|| {
                use std::io::Write;
                // A closed stderr is no reason to stop.
                let _ = writeln!(std::io::stderr(), "{line}");
            });
        }
    }
}
