//! Repairs whose commands cannot be run here, and why. One that can be is no longer an exception, which is checked.

/// Check, world, and the reason.
const OUT_OF_REACH: &[(&str, &str, &str)] = &[(
    "configmap-mode-confusion",
    "configmap-mode-confusion/broken.ends-the-webhook",
    "kubectl edit opens an editor, in which a person corrects the JSON",
)];

/// Why the repair of a check's finding in this world cannot be run.
pub fn reason(check: &str, world: &str) -> Option<&'static str> {
    let found = OUT_OF_REACH.iter().find(|(id, name, _)| *id == check && *name == world);
    found.map(|(_, _, reason)| *reason)
}

/// All of them.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    OUT_OF_REACH.iter().map(|(check, world, _)| (*check, *world))
}
