//! What a repair changes in a policy document, as the lines that differ.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::place::short_key;
use crate::policy::Json;
use crate::repair::StatementChange;
use crate::text::safe;

/// Lines that stand in each other's place.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub removed: Vec<String>,
    pub added: Vec<String>,
}

/// The lines of a statement that a repair removes and adds. Not to be pasted: an issuer that stays in a condition's key is left out.
pub(super) fn difference(change: &StatementChange<'_>, columns: usize, ellipsis: &str) -> Vec<Hunk> {
    let before = change.before.map(condition_keys).unwrap_or_default();
    let stays = |key: &str| before.contains(&key) && condition_keys(change.after).contains(&key);
    let lines = |statement: &Json| -> Vec<String> {
        let lines = without_issuers(statement, &stays, ellipsis).lines(columns);
        lines.iter().map(|line| safe::escape_in_strings(line)).collect()
    };
    let (old, new) = (change.before.map(lines).unwrap_or_default(), lines(change.after));
    let of = |lines: &[String], range| lines.get::<Range<usize>>(range).unwrap_or_default().to_vec();
    let mut hunks = vec![Hunk::default()];
    for operation in capture_diff_slices(Algorithm::Myers, &old, &new) {
        match (operation.tag(), hunks.last_mut()) {
            (DiffTag::Equal, _) | (_, None) => hunks.push(Hunk::default()),
            (_, Some(hunk)) => {
                hunk.removed.extend(of(&old, operation.old_range()));
                hunk.added.extend(of(&new, operation.new_range()));
            }
        }
    }
    hunks.retain(|hunk| *hunk != Hunk::default());
    hunks
}

/// `oidc.eks.eu-west-1.amazonaws.com/id/4F1E…:sub`, and the others.
fn condition_keys(statement: &Json) -> Vec<&str> {
    let Some(Json::Object(operators)) = statement.get("Condition") else { return Vec::new() };
    let keys = operators.iter().filter_map(|(_, tests)| match tests {
        Json::Object(keys) => Some(keys.iter().map(|(key, _)| key.as_str())),
        _ => None,
    });
    keys.flatten().collect()
}

fn without_issuers(json: &Json, stays: &impl Fn(&str) -> bool, ellipsis: &str) -> Json {
    let short = |key: &str| if stays(key) { short_key(key, ellipsis) } else { key.to_owned() };
    match json {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(key, value)| (short(key), without_issuers(value, stays, ellipsis)))
                .collect(),
        ),
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| without_issuers(item, stays, ellipsis)).collect())
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(before: Option<&str>, after: &str) -> Vec<String> {
        let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        let (before, after) = (before.map(read), read(after));
        let change = StatementChange { index: 0, before: before.as_ref(), after: &after };
        let shown = difference(&change, 60, "…").into_iter().flat_map(|hunk| {
            let removed = hunk.removed.into_iter().map(|line| format!("- {}", line.trim_start()));
            removed
                .chain(hunk.added.into_iter().map(|line| format!("+ {}", line.trim_start())))
                .collect::<Vec<_>>()
        });
        shown.collect()
    }

    #[test]
    fn only_what_changes_is_shown_and_an_issuer_that_stays_is_not() {
        assert_eq!(
            lines(
                Some(
                    r#"{"Effect":"Allow","Condition":{"StringEquals":{"oidc.x/id/1:sub":"a","oidc.x/id/1:aud":"sts"}}}"#
                ),
                r#"{"Effect":"Allow","Condition":{"StringEquals":{"oidc.x/id/1:sub":["a","b"],"oidc.x/id/1:aud":"sts"}}}"#,
            ),
            [r#"- "…:sub": "a","#, r#"+ "…:sub": ["a", "b"],"#]
        );
    }

    #[test]
    fn an_issuer_that_changes_is_shown() {
        let shown = lines(
            Some(r#"{"Condition":{"StringEquals":{"oidc.x/id/1:sub":"a"}}}"#),
            r#"{"Condition":{"StringEquals":{"oidc.x/id/2:sub":"a"}}}"#,
        );
        assert!(shown[0].contains("oidc.x/id/1:sub") && shown[1].contains("oidc.x/id/2:sub"), "{shown:?}");
    }

    #[test]
    fn an_added_statement_is_shown_whole() {
        assert_eq!(
            lines(None, r#"{"Effect":"Allow","Action":"sts:TagSession"}"#),
            ["+ {", r#"+ "Effect": "Allow","#, r#"+ "Action": "sts:TagSession""#, "+ }"]
        );
    }
}
