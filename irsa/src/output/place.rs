//! Where a value was read, for a screen: without how it was read, and without what stands in every line.

use crate::facts::Source;

/// The place alone: a trust policy by its name, and the issuer left out of a condition key.
pub(super) fn place(source: &Source, ellipsis: &str) -> String {
    let of =
        |words: [&str; 2]| words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match source {
        Source::Api { object, field, .. } => of([object, &without_issuer(field, ellipsis)]),
        Source::Aws { action, field, .. } => match in_trust_policy(field, ellipsis) {
            Some(path) => of(["trust policy", &path]),
            None => of([action, field]),
        },
        Source::Probe { field, .. } => of(["probe", field]),
        Source::File { file, field, position, .. } => {
            let field = in_trust_policy(field, ellipsis).unwrap_or_else(|| without_issuer(field, ellipsis));
            of([&format!("{file}:{}:{}", position.line, position.column), &field])
        }
        Source::Web { .. } | Source::Token { .. } | Source::Log { .. } => source.to_string(),
    }
}

/// `…:sub` of `oidc.eks.eu-west-1.amazonaws.com/id/4F1E…:sub`; other keys as they are.
pub(super) fn short_key(key: &str, ellipsis: &str) -> String {
    match key.rsplit_once(':') {
        Some((issuer, claim)) if issuer.contains('/') => format!("{ellipsis}:{claim}"),
        _ => key.to_owned(),
    }
}

/// The path within the trust policy that is the field of a role.
fn in_trust_policy(field: &str, ellipsis: &str) -> Option<String> {
    let path = field.strip_prefix("Role.AssumeRolePolicyDocument")?;
    Some(without_issuer(path, ellipsis).trim_start_matches('.').to_owned())
}

/// A path, with the issuer left out of its keys: `StringEquals["…:sub"]`.
fn without_issuer(path: &str, ellipsis: &str) -> String {
    let part = |(index, part): (usize, &str)| {
        // Every second part stands in quotes.
        if index % 2 == 1 && part.contains("/id/") { short_key(part, ellipsis) } else { part.to_owned() }
    };
    path.split('"').enumerate().map(part).collect::<Vec<_>>().join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_every_line_is_left_out() {
        let (action, object) = (String::from("iam:GetRole"), String::from("arn:aws:iam::1:role/x"));
        let field =
            "Role.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals[\"oidc.x/id/4F1E:sub\"]";
        let policy = Source::Aws { action, object, field: field.into() };
        assert_eq!(place(&policy, "…"), "trust policy Statement[0].Condition.StringEquals[\"…:sub\"]");
        let annotation = Source::Api {
            verb: String::from("get"),
            object: String::from("serviceaccount/checkout"),
            namespace: Some(String::from("shop")),
            field: String::from(".metadata.annotations[\"eks.amazonaws.com/role-arn\"]"),
        };
        assert_eq!(
            place(&annotation, "…"),
            "serviceaccount/checkout .metadata.annotations[\"eks.amazonaws.com/role-arn\"]"
        );
    }
}
