//! What `lint` prints, and how it ends.

use std::fs;

use irsa::documents::Place;
use irsa::facts::Position;
use irsa::lint::{Problem, Report};
use irsa::output::{Style, lint as output};
use irsa::severity::Severity;
use irsa_tests::run::{plugin, run};
use serde_json::Value;

const MANIFESTS: &str = include_str!("shop.yaml");
const TEMPLATE: &str = include_str!("template.yaml");
const PLAN: &str = include_str!("plan.json");

fn files() -> Vec<(String, String)> {
    [("shop.yaml", MANIFESTS), ("template.yaml", TEMPLATE), ("plan.json", PLAN)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into()
}

#[test]
fn for_a_terminal() {
    let report = crate::judged(&files());
    insta::assert_snapshot!("text", output::text(&report, &Style::default()));
    let plain = Style { unicode: false, ..Style::default() };
    assert!(output::text(&report, &plain).is_ascii());
    let colored = output::text(&report, &Style { color: true, ..Style::default() });
    assert!(colored.contains("\u{1b}["));
    // Sentences fit the terminal; values are whole, whatever their length.
    for line in output::text(&report, &Style::default()).lines() {
        assert!(line.chars().count() <= 80 || line.starts_with("    "), "{line}");
    }
}

#[test]
fn as_annotations() {
    insta::assert_snapshot!("github", output::github(&crate::judged(&files())));
}

#[test]
fn as_sarif() {
    let report = crate::judged(&files());
    let sarif: Value = serde_json::from_str(&output::sarif(&report).unwrap()).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(
        (&sarif["version"], &run["tool"]["driver"]["name"]),
        (&"2.1.0".into(), &"kubectl-irsa".into())
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), report.problems.len());
    for (result, problem) in results.iter().zip(&report.problems) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!((&rules[index]["id"], &result["ruleId"]), (&problem.id.into(), &problem.id.into()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], problem.place.file);
        assert_eq!(place["region"]["startLine"], problem.place.position.line);
        assert_eq!(place["region"]["startColumn"], problem.place.position.column);
    }
    insta::assert_snapshot!("sarif", output::sarif(&report).unwrap());
}

/// A report whose every text is hostile.
fn hostile(text: &str) -> Report {
    let place = Place { file: text.to_owned(), position: Position { line: 3, column: 5 } };
    let problem = |severity| Problem {
        place: place.clone(),
        id: "trust-sub-mismatch",
        severity,
        summary: text.to_owned(),
        what: text.to_owned(),
        expected: Some(text.to_owned()),
        found: Some(text.to_owned()),
        fix: Some(text.to_owned()),
    };
    let unchecked = irsa::lint::Unchecked { place: place.clone(), words: text.to_owned() };
    let mut report = Report {
        problems: vec![problem(Severity::Error), problem(Severity::Warning)],
        unchecked: vec![unchecked],
        ..Report::default()
    };
    report.checked.roles = 1;
    report
}

#[test]
fn no_text_leaves_its_place() {
    let texts = [
        "a\n::error file=x::injected",
        "a\r\n::set-output name=x::y",
        "%0A::error::x",
        "file=x,line=1::y",
        "]]></failure><failure message=\"x\">",
        "\u{0}\u{1}\u{8}\u{b}\u{fffe}&<>\"'",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{202e}txt.exe\u{200b}",
        "\",\"level\":\"none",
        "../../%2e%2e/x y#z?q",
    ];
    for text in texts {
        let report = hostile(text);
        let plain = output::text(&report, &Style::default());
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{plain:?}");
        assert!(!plain.contains('\u{202e}') && !plain.lines().any(|line| line.starts_with("::")), "{plain}");
        let annotations = output::github(&report);
        let lines: Vec<&str> = annotations.lines().collect();
        assert_eq!(lines.len(), 3, "{annotations}");
        for line in lines {
            let commands = ["::error file=", "::warning file=", "::notice file="];
            assert!(commands.iter().any(|command| line.starts_with(command)), "{line}");
            // The properties end where they are meant to end.
            let properties = line.trim_start_matches(':').split("::").next().unwrap();
            assert_eq!(properties.matches(',').count(), 3, "{line}");
            assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
        }
        let sarif: Value = serde_json::from_str(&output::sarif(&report).unwrap()).unwrap();
        assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 2);
        let uri =
            sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                .clone();
        assert!(uri.as_str().unwrap().chars().all(|c| c.is_ascii_graphic()), "{uri}");
        let json: Value = serde_json::from_str(&output::json(&report).unwrap()).unwrap();
        assert_eq!(json["problems"][0]["summary"], *text, "JSON keeps the text itself");
    }
}

/// What the plugin does with hostile names in files, in every format.
#[test]
fn hostile_files() {
    let directory = tempfile::tempdir().unwrap();
    let name = "a\u{202e}b::error::,x\u{1b}[31m]]><&.yaml";
    let path = directory.path().join(name);
    let role = "arn:aws:iam::1:role/x\\n::error::y]]></failure>\\u001b[2J";
    let account = format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: \"a\\n::warning::b\", annotations: {{eks.amazonaws.com/role-arn: \"{role}\"}}}}}}"
    );
    fs::write(&path, account).unwrap();
    for format in ["text", "json", "sarif", "junit", "github"] {
        let told = run(plugin().args(["lint", "-o", format]).arg(&path));
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(told.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{format}: {told:?}");
        assert!(!told.stdout.contains("\n::error::y") && !told.stdout.contains("\n::warning::b"), "{told:?}");
        if format == "junit" {
            let read = quick_junit::Report::deserialize_from_str(&told.stdout).unwrap();
            assert_eq!((read.tests, read.failures, read.test_suites.len()), (1, 1, 1));
        }
    }
}

#[test]
fn junit_holds_every_problem() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files() {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let told = run(plugin().args(["lint", "-o", "junit", "."]).current_dir(directory.path()));
    let read = quick_junit::Report::deserialize_from_str(&told.stdout).unwrap();
    let problems = crate::judged(&files()).problems.len();
    assert_eq!((read.tests, read.failures, told.code), (problems, problems, Some(1)));
    let fine = run(plugin()
        .args(["lint", "-o", "junit", "--only", "trust-quota", "."])
        .current_dir(directory.path()));
    let read = quick_junit::Report::deserialize_from_str(&fine.stdout).unwrap();
    assert_eq!((read.tests, read.failures, fine.code), (1, 0, Some(0)));
}

#[test]
fn exit_codes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for (name, text) in files() {
        fs::write(path(&name), text).unwrap();
    }
    let lint = |arguments: &[&str]| run(plugin().arg("lint").args(arguments).current_dir(directory.path()));
    assert_eq!(lint(&["."]).code, Some(1));
    assert_eq!(lint(&["--only", "trust-permissive", "."]).code, Some(1), "a warning");
    assert_eq!(lint(&["--only", "trust-permissive", "--fail-on", "error", "."]).code, Some(0));
    let ids: std::collections::BTreeSet<&str> =
        crate::judged(&files()).problems.iter().map(|it| it.id).collect();
    let all = ids.into_iter().collect::<Vec<_>>().join(",");
    let skipped = lint(&["--skip", &all, "."]);
    assert_eq!(skipped.code, Some(0), "{skipped:?}");
    assert!(skipped.stdout.contains("no problems"), "{skipped:?}");

    let misspelt = lint(&["--skip", "trust-permisive", "."]);
    assert!(misspelt.code == Some(2) && misspelt.stderr.contains("trust-permissive"), "{misspelt:?}");
    let missing = lint(&["missing.yaml"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("missing.yaml does not exist"), "{missing:?}");
    fs::write(path("broken.yaml"), "a: [").unwrap();
    let broken = lint(&["broken.yaml"]);
    assert!(broken.code == Some(2) && broken.stdout.contains("could not read"), "{broken:?}");
    assert_eq!(lint(&["broken.yaml", "shop.yaml"]).code, Some(1), "problems come first");

    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("values.yaml"), "replicas: 2\n").unwrap();
    let nothing = run(plugin().args(["lint", "-o", "json"]).arg(empty.path()));
    assert!(nothing.code == Some(0) && nothing.stderr.contains("nothing to check"), "{nothing:?}");
    fs::remove_file(empty.path().join("values.yaml")).unwrap();
    let nothing = run(plugin().arg("lint").arg(empty.path()));
    assert!(nothing.code == Some(0) && nothing.stdout.contains("nothing to check"), "{nothing:?}");
}

/// What `helm template` and `kubectl kustomize` print, through a pipe.
#[test]
fn from_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("piped");
    fs::write(&path, MANIFESTS).unwrap();
    let piped = run(plugin().args(["lint", "-"]).stdin(fs::File::open(&path).unwrap()));
    assert!(
        piped.code == Some(1) && piped.stdout.contains("stdin:8:33: error role-arn-malformed"),
        "{piped:?}"
    );
}

/// The steps of the action, with the shell that GitHub gives them: `bash`, and inputs that are hostile.
#[cfg(unix)]
#[test]
fn the_action() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let action: Value =
        serde_saphyr::from_str(&fs::read_to_string(format!("{root}/action.yml")).unwrap()).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let script = |index: usize| steps[index]["run"].as_str().unwrap();
    // What comes from outside is in the environment, never in the script.
    steps.iter().for_each(|step| assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}"));
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files() {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let plugin_directory = irsa_tests::run::binary().parent().unwrap().display().to_string();
    let path = format!("{plugin_directory}:{}", std::env::var("PATH").unwrap());
    let step = |index: usize, paths: &str, args: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script(index)]).env_clear();
        bash.env("PATH", &path).env("PATHS", paths).env("ARGS", args);
        bash.env("FAIL_ON", "warning").env("FORMAT", "github").current_dir(directory.path());
        run(&mut bash)
    };
    let installed = step(0, ".", "");
    assert_eq!((installed.code, installed.stdout.as_str()), (Some(0), ""), "it is on the PATH");
    let told = step(1, ".", "");
    assert!(told.code == Some(1) && told.stdout.starts_with("::error file=./plan.json,line="), "{told:?}");
    let told = step(1, "shop.yaml\nplan.json", "--only role-arn-malformed");
    assert_eq!((told.code, told.stdout.matches("::error ").count()), (Some(1), 1), "{told:?}");
    let hostile = step(1, "$(touch${IFS}x) *", "--skip pi-trust");
    assert!(hostile.code == Some(2) && !directory.path().join("x").exists(), "{hostile:?}");
}

/// The hook passes files by name, of which most are none of ours.
#[test]
fn files_by_name_that_are_something_else() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("values.yaml"), "replicas: 2\n").unwrap();
    fs::write(directory.path().join("chart.yaml"), "kind: ServiceAccount\nname: {{ .Values.name }}\n")
        .unwrap();
    fs::write(directory.path().join("list.json"), "[1, 2]\n").unwrap();
    let told =
        run(plugin().args(["lint", "values.yaml", "chart.yaml", "list.json"]).current_dir(directory.path()));
    assert_eq!(told.code, Some(0), "{told:?}");
    for name in ["values.yaml:1:1: no kind", "chart.yaml:2", "list.json:1:1: a list, not an object"] {
        assert!(told.stderr.contains(name), "{told:?}");
    }
    let hooks =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.pre-commit-hooks.yaml")).unwrap();
    let hooks: Value = serde_saphyr::from_str(&hooks).unwrap();
    assert_eq!(
        (&hooks[0]["entry"], &hooks[0]["require_serial"]),
        (&"kubectl-irsa lint".into(), &true.into())
    );
}

/// Values of Secrets, of variables and of other annotations stay where they are.
#[test]
fn no_value_that_may_be_secret_is_shown() {
    let canary = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY";
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: aws, namespace: shop, annotations: {{note: {canary}}}}}\n\
         stringData: {{AWS_SECRET_ACCESS_KEY: {canary}, AWS_ACCESS_KEY_ID: {canary}}}\n---\n{MANIFESTS}\
         \x20           - {{name: PASSWORD, value: {canary}}}\n\x20         envFrom: [{{secretRef: {{name: aws}}}}]\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: broken}}\nstringData: [{canary}]\n---\na: [{canary}\n"
    );
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), text).unwrap();
    for format in ["text", "json", "sarif", "junit", "github"] {
        let told = run(plugin().args(["lint", "-v", "-o", format, "."]).current_dir(directory.path()));
        assert!(
            told.code == Some(1) && !told.stdout.contains(canary) && !told.stderr.contains(canary),
            "{told:?}"
        );
    }
}
