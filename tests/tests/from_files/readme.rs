//! What the README shows is what `./demo` prints, as text and as a picture of a terminal.

use std::path::{Path, PathBuf};

use anstyle_svg::{Term, WIN10_CONSOLE};
use irsa_tests::run::{plugin, run};

/// Columns of the terminal in the picture.
const COLUMNS: usize = 80;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The run of `./demo`: its command, and what it prints.
fn demo(color: &str) -> (String, String) {
    let script = std::fs::read_to_string(repository().join("demo")).unwrap();
    let command = script.lines().last().unwrap();
    let arguments = command.strip_prefix("exec ./target/debug/kubectl-irsa ").unwrap();
    let arguments = arguments.strip_suffix(" \"$@\"").unwrap();
    let run =
        run(plugin().args(arguments.split(' ')).arg(format!("--color={color}")).current_dir(repository()));
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    (format!("$ kubectl irsa {arguments}"), run.stdout)
}

/// Holds a file against what it is to be, or writes it.
fn compare(path: &str, wanted: &str) {
    let file = repository().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let how = "UPDATE_DOCS=1 cargo test --workspace --test from_files readme";
    assert!(found == wanted, "{path} does not show what ./demo prints. {how} writes it");
}

#[test]
fn the_readme_has_what_the_demo_prints() {
    let (command, printed) = demo("never");
    let page = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (before, rest) = page.split_once("<!-- demo -->\n").expect("the README has a place for it");
    let (_, after) = rest.split_once("<!-- end -->\n").expect("the place ends");
    let wanted =
        format!("{before}<!-- demo -->\n\n```console\n{command}\n{printed}```\n\n<!-- end -->\n{after}");
    compare("README.md", &wanted);
}

#[test]
fn the_picture_is_of_the_demo() {
    let (command, printed) = demo("always");
    assert!(printed.contains('\u{1b}'), "the picture has colours");
    let shown = format!("{command}\n{printed}");
    let terminal = Term::new().palette(WIN10_CONSOLE).min_width_px(0);
    compare("docs/demo.svg", &terminal.render_svg(&on_a_terminal(shown.trim_end())));
}

/// The text as a terminal shows it: a line that is too long goes on in the next row.
fn on_a_terminal(text: &str) -> String {
    let (mut out, mut column, mut escape) = (String::new(), 0, false);
    for character in text.chars() {
        match character {
            '\n' => column = 0,
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            _ => {
                if column == COLUMNS {
                    out.push('\n');
                    column = 0;
                }
                column += 1;
            }
        }
        out.push(character);
    }
    out
}
