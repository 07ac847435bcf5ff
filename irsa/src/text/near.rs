//! Names that somebody may have meant.

/// How many names are offered.
const MOST: usize = 3;
/// How many names are listed where none is near.
const LISTED: usize = 5;

/// Up to three similar names: a few letters off, or what begins with the wanted one, as the names of a workload's pods do.
pub fn names<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance <= 2 + wanted.len() / 8 || name.starts_with(wanted))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// `; did you mean x or y?`; nothing if nothing is near.
pub fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}

/// What follows the sentence that something does not exist: what was meant, or else what is there.
pub fn hint<'a>(wanted: &str, there: impl IntoIterator<Item = &'a String>, what: &str) -> String {
    let there: Vec<&str> = there.into_iter().map(String::as_str).collect();
    let near = names(wanted, there.iter().copied());
    match (near.is_empty(), there.len()) {
        (false, _) => did_you_mean(&near),
        (true, 0) => format!("; there are no {what}"),
        (true, count) => {
            let shown = there.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
            let more = count.saturating_sub(LISTED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("; the {what} there: {shown}{more}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_or_what_is_there() {
        let there = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let said = |wanted, names: &[&str]| hint(wanted, &there(names), "contexts");
        assert_eq!(said("prdo", &["dev", "prod", "staging"]), "; did you mean prod?");
        assert_eq!(said("x1234", &["dev", "prod"]), "; the contexts there: dev, prod");
        assert_eq!(
            said("x1234567", &["a-1", "a-2", "a-3", "a-4", "a-5", "a-6", "a-7"]),
            "; the contexts there: a-1, a-2, a-3, a-4, a-5 and 2 more"
        );
        assert_eq!(said("x", &[]), "; there are no contexts");
        assert_eq!(names("checkout", ["checkout-7d9f", "other-service"]), ["checkout-7d9f"]);
    }
}
