//! What a program may run unasked, judged by the words of the command: by a list of what is known to be harmless, so that what is
//! new has to be thought of here as well.

use std::fmt::Write;

use serde_json::Value;

/// What is wrong with the repairs of a diagnosis.
pub fn problems(diagnosis: &Value) -> String {
    let mut problems = String::new();
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    for (finding, fix) in findings
        .flat_map(|finding| finding["fixes"].as_array().into_iter().flatten().map(move |fix| (finding, fix)))
    {
        let mut object = |what: &str| {
            let _ = writeln!(problems, "repair of {}: {what}: {fix}", finding["id"]);
        };
        let (kind, safe) = (fix["kind"].as_str().unwrap_or_default(), fix["safe"] == true);
        let Some(command) = fix["command"].as_str() else {
            if kind != "advice" || !safe {
                object("has no command and is no advice");
            }
            continue;
        };
        let words: Vec<&str> = command.split(' ').collect();
        match kind {
            "inspect" if !looks(&words) => object("changes something"),
            "shared" if looks(&words) => object("only looks"),
            "own" | "shared" if words.contains(&"delete") => object("deletes"),
            "advice" => object("is more than advice"),
            _ => {}
        }
        if safe && command.contains("\"${") {
            object("has to be completed and is called safe");
        }
        if safe && !looks(&words) && !is_own(&words, command, &diagnosis["target"]) {
            object("is called safe");
        }
    }
    problems
}

/// True for a command that only looks.
fn looks(words: &[&str]) -> bool {
    let reads =
        |verb: &&str| ["get-", "list-", "describe-", "simulate-"].iter().any(|read| verb.starts_with(read));
    !is_compound(words)
        && match words {
            ["eksctl", "get", ..] | ["kubectl", "irsa", "thumbprint", ..] => true,
            ["aws", _, verb, ..] => reads(verb),
            ["kubectl", rest @ ..] => matches!(without_flags(rest), ["get" | "describe" | "logs", ..]),
            _ => false,
        }
}

/// True for a change of what belongs to the target alone.
fn is_own(words: &[&str], command: &str, target: &Value) -> bool {
    let is_workload = |name: &str| {
        ["deployment/", "statefulset/", "daemonset/", "cronjob/"].iter().any(|kind| name.starts_with(kind))
    };
    let own_namespace = ["-n", target["namespace"].as_str().unwrap_or_default()];
    let in_own_namespace =
        words.windows(2).any(|pair| pair == own_namespace) && own_namespace[1] != "kube-system";
    !is_compound(words)
        && match words {
            ["aws", "iam", "create-role", ..] => true,
            ["aws", "iam", "update-assume-role-policy", ..] => corrects_one_statement(command, target),
            ["kubectl", rest @ ..] => {
                in_own_namespace
                    && match without_flags(rest) {
                        ["annotate" | "create", "serviceaccount", name, ..] => *name != "default",
                        ["rollout", "restart", name, ..]
                        | ["set", "env" | "serviceaccount", name, ..]
                        | ["patch", name, ..] => is_workload(name),
                        _ => false,
                    }
            }
            _ => false,
        }
}

fn is_compound(words: &[&str]) -> bool {
    words.iter().any(|word| ["|", ";", "&&"].contains(word) || word.contains("$("))
}

/// What follows the flags that name the cluster.
fn without_flags<'w, 's>(words: &'w [&'s str]) -> &'w [&'s str] {
    let flags = words.iter().take_while(|word| word.starts_with("--")).count();
    &words[flags..]
}

/// True if the new policy names the target's subject in one statement, and nobody beside it there.
fn corrects_one_statement(command: &str, target: &Value) -> bool {
    let document = command.split_once('\'').and_then(|(_, rest)| rest.split_once('\'')).map(|(json, _)| json);
    let Some(policy) = document.and_then(|json| serde_json::from_str::<Value>(json).ok()) else {
        return false;
    };
    let [namespace, name] =
        ["namespace", "serviceAccount"].map(|field| target[field].as_str().unwrap_or_default());
    let subject = format!("\"system:serviceaccount:{namespace}:{name}\"");
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().map(Value::to_string).collect(),
        single => vec![single.to_string()],
    };
    let own: Vec<&String> = statements.iter().filter(|statement| statement.contains(&subject)).collect();
    matches!(own[..], [one] if one.matches("system:serviceaccount:").count() == 1 && !one.contains("[\"system:"))
}
