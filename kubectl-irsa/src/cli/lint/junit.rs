//! JUnit's XML: each problem is a failed test of its file.

use std::collections::BTreeMap;

use irsa::lint::{Problem, Report};
use irsa::output::lint::message;
use irsa::text::safe;
use quick_junit::{NonSuccessKind, Report as Tests, TestCase, TestCaseStatus, TestSuite};

use crate::cli::CliError;

/// One suite for each file with problems, or one with a test that passes.
pub(super) fn render(report: &Report) -> Result<String, CliError> {
    let mut tests = Tests::new("kubectl-irsa lint");
    let mut files: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for problem in &report.problems {
        files.entry(&problem.place.file).or_default().push(problem);
    }
    for (file, problems) in files {
        let mut suite = TestSuite::new(safe::line(file));
        for problem in problems {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(safe::line(&problem.summary)).set_type(problem.id);
            let place = safe::line(&problem.place.to_string());
            status.set_description(format!("{place}\n{}", message(problem)));
            let position = problem.place.position;
            let name = format!("{}:{}:{}", problem.id, position.line, position.column);
            let mut case = TestCase::new(name, status);
            case.set_classname(safe::line(file));
            suite.add_test_case(case);
        }
        tests.add_test_suite(suite);
    }
    let mut of_run = TestSuite::new("lint");
    for error in &report.unread {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(safe::line(&format!("could not read {error}"))).set_type("unread");
        of_run.add_test_case(TestCase::new("could not read", status));
    }
    if report.problems.is_empty() && report.unread.is_empty() {
        of_run.add_test_case(TestCase::new("no problems", TestCaseStatus::success()));
    }
    if !of_run.test_cases.is_empty() {
        tests.add_test_suite(of_run);
    }
    let text = tests.to_string().map_err(|error| CliError::Junit(error.to_string()))?;
    Ok(text)
}
