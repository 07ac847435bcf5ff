//! Who asks AWS: whose credentials count, what is said where there are none, and that the report names whom it signed in as.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::World;
use serde_json::{Value, json};

/// Two accounts: keys of the first are in the environment, those of the second in the profile `prod`.
const TWO_ACCOUNTS: &str = "
base: eks
about: the user has keys of the role's account in the environment, and a profile of another
expect: {verdict: healthy}
---
apiVersion: irsa.test/v1
kind: AwsAccount
account: '444455556666'
region: eu-west-1
profiles: [prod, staging]
";
const IN_ENVIRONMENT: &str = "111122223333";
const IN_PROFILE: &str = "444455556666";

struct Machine {
    directory: tempfile::TempDir,
    kube: FakeKube,
    aws: FakeAws,
}

impl Machine {
    fn of(world: &str) -> Self {
        let world = World::parse("sign-in", world).unwrap();
        let kube = FakeKube::start(&world);
        let aws = FakeAws::start(&world, Some(&kube));
        Self { directory: tempfile::tempdir().unwrap(), kube, aws }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The run, still to be changed.
    fn debug(&self) -> Command {
        let mut command = plugin();
        command.env("KUBECONFIG", self.kube.kubeconfig(self.path())).envs(self.aws.env(self.path()));
        command.args(["debug", "pod/checkout-7d9f8b6c5d-x2x4z", "-n", "shop", "--no-probe", "-o", "json"]);
        command
    }
}

fn without_keys(command: &mut Command) -> &mut Command {
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env_remove("AWS_SESSION_TOKEN")
}

/// Why the role could not be read, and the permission that is asked for.
fn role(run: &Run) -> (String, Value) {
    let json = run.json();
    let unknowns = json["unknowns"].as_array().unwrap();
    let of_role = unknowns.iter().find(|unknown| unknown["what"].as_str().unwrap().starts_with("IAM role"));
    let of_role = of_role.unwrap_or_else(|| panic!("the role is known: {json}"));
    (of_role["why"].as_str().unwrap().to_owned(), of_role["grant"].clone())
}

#[test]
fn a_profile_that_is_asked_for_wins_over_keys_in_the_environment() {
    let machine = Machine::of(TWO_ACCOUNTS);
    let caller = |run: &Run| run.json()["caller"]["account"].as_str().unwrap_or("nobody").to_owned();
    assert_eq!(caller(&run(&mut machine.debug())), IN_ENVIRONMENT);
    assert_eq!(caller(&run(machine.debug().args(["--profile", "prod"]))), IN_PROFILE);
    // As in the AWS CLI, whose commands the report prints: the environment's own profile does not.
    assert_eq!(caller(&run(machine.debug().env("AWS_PROFILE", "prod"))), IN_ENVIRONMENT);
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let mut command = machine.debug();
        assert_eq!(caller(&run(without_keys(&mut command).env(name, "prod"))), IN_PROFILE, "{name}");
    }
    let json = run(&mut machine.debug()).json();
    assert_eq!(
        json["caller"],
        json!({"account": IN_ENVIRONMENT, "arn": "arn:aws:iam::111122223333:user/oncall"})
    );
}

#[test]
fn a_profile_that_does_not_exist_is_an_error() {
    let machine = Machine::of(TWO_ACCOUNTS);
    let refused = |run: &Run, words: &str| {
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    };
    let meant = "there is no AWS profile \"prdo\" (--profile); did you mean prod?";
    refused(&run(machine.debug().args(["--profile", "prdo"])), meant);
    let mut thumbprint = plugin();
    thumbprint.envs(machine.aws.env(machine.path())).args(["thumbprint", "https://oidc.example.com"]);
    refused(&run(thumbprint.args(["--profile", "prdo"])), meant);
    let listed = "there is no AWS profile \"x1234\" (AWS_PROFILE); the profiles there: prod, staging";
    refused(&run(machine.debug().env("AWS_PROFILE", "x1234")), listed);
}

#[test]
fn another_account_or_no_credentials_are_called_that() {
    let machine = Machine::of(TWO_ACCOUNTS);
    let (why, grant) = role(&run(machine.debug().args(["--profile", "prod"])));
    assert!(
        why.contains("signed in to account 444455556666") && why.contains("account 111122223333"),
        "{why}"
    );
    assert!(why.contains("--profile"), "{why}");
    assert_eq!(grant, Value::Null);

    let mut nobody = machine.debug();
    let (why, grant) = role(&run(without_keys(&mut nobody)));
    assert!(why.starts_with("no AWS credentials"), "{why}");
    assert_eq!(grant, Value::Null);
}

#[test]
fn a_session_that_has_expired_says_how_to_sign_in_again() {
    let expired = "
base: eks
about: the session of yesterday
expect: {verdict: inconclusive}
---
kind: AwsAccount
sessionExpired: true
profiles: [prod]
";
    let machine = Machine::of(expired);
    let (why, grant) = role(&run(machine.debug().args(["--profile", "prod"])));
    assert!(why.contains("have expired") && why.contains("`aws sso login --profile prod`"), "{why}");
    assert_eq!(grant, Value::Null);
}

#[test]
fn an_sso_session_that_was_never_started_says_how_to_start_it() {
    let machine = Machine::of(TWO_ACCOUNTS);
    let config = machine.path().join("sso-config");
    std::fs::write(
        &config,
        "[profile work]\nsso_start_url = https://s.invalid/\nsso_region = eu-west-1\nsso_account_id = 111122223333\n\
         sso_role_name = r\nregion = eu-west-1\n",
    )
    .unwrap();
    let mut command = machine.debug();
    command.env("AWS_CONFIG_FILE", config).env("HOME", machine.path()).args(["--profile", "work"]);
    let (why, grant) = role(&run(&mut command));
    assert!(why.contains("`aws sso login --profile work`"), "{why}");
    assert_eq!(grant, Value::Null);
}
