//! `# irsa-lint: ignore=ID`: comments in a file that suppress a problem on their line or on the next.

use std::collections::{BTreeMap, BTreeSet};

const MARK: &str = "irsa-lint:";

/// The ids that are ignored, by line.
#[derive(Debug, Default)]
pub(super) struct Ignored(BTreeMap<usize, BTreeSet<String>>);

impl Ignored {
    /// Those of a file.
    pub(super) fn of(text: &str) -> Self {
        let mut ignored: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let Some((before, comment)) = line.split_once('#') else { continue };
            let Some((_, rest)) = comment.split_once(MARK) else { continue };
            let Some(ids) = rest.trim().strip_prefix("ignore=") else { continue };
            let ids = ids.split(|c: char| c == ',' || c.is_whitespace()).filter(|id| !id.is_empty());
            let own = index + 1;
            // A comment by itself is about what follows.
            let about = if before.trim().is_empty() { own + 1 } else { own };
            ignored.entry(about).or_default().extend(ids.map(str::to_owned));
        }
        Self(ignored)
    }

    /// Whether a problem of that id on that line is.
    pub(super) fn covers(&self, line: usize, id: &str) -> bool {
        self.0.get(&line).is_some_and(|ids| ids.contains(id) || ids.contains("all"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_line_or_before_it() {
        let ignored =
            Ignored::of("a: b # irsa-lint: ignore=x\n# irsa-lint: ignore=y,z\nc: d\n# irsa-lint: other\n");
        let covers = |line, id| ignored.covers(line, id);
        assert!(covers(1, "x") && covers(3, "y") && covers(3, "z"));
        assert!(!covers(2, "x") && !covers(1, "y") && !covers(2, "y") && !covers(5, "other"));
    }
}
