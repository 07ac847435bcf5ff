//! One step of a repair. Its constructor says what it touches; whether a program may run it follows from that.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Act, Change, Command, PolicyChange};

/// One step of a repair: made only by a constructor that says what it touches.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    kind: Kind,
    title: String,
    command: Option<Command>,
    change: Option<Change>,
    policy: Option<PolicyChange>,
    /// Another way to what the step before it does.
    alternative: bool,
}

/// What a step of a repair touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The target's own objects.
    Own,
    /// What others use as well.
    Shared,
    /// A pod, which is deleted.
    Deletion,
    /// Nothing: it only reads.
    Inspect,
    /// It is a sentence; what it touches is up to whoever follows it.
    Advice,
}

impl Fix {
    /// Touches nothing but the target's own objects, and narrows or restores what they had. Another team notices nothing of it.
    ///
    /// Only this module makes one, so that the exceptions are decided in one place: a service account `default`, objects of
    /// `kube-system`, and a trust policy of which more than the own statement would change are not the target's own. See
    /// [`super::workload::change`], [`super::service_account::change`] and [`super::trust_policy`].
    pub(super) fn own(title: impl Into<String>, act: Act) -> Self {
        Self::doing(Kind::Own, title, act)
    }

    /// Touches what others use as well, or grants permissions: a person has to decide about it.
    ///
    /// The registration of the webhook, a namespace, an OIDC provider, a `default` service account, an object of `kube-system`,
    /// a NetworkPolicy, an add-on, a policy of the organization, a whole policy document. So is a role that one more subject may
    /// assume, and a permission that a role gets: otherwise anyone who can annotate a service account, or make its pod request
    /// something, could have a program grant it.
    pub fn shared(title: impl Into<String>, act: Act) -> Self {
        Self::doing(Kind::Shared, title, act)
    }

    /// Deletes a pod. Its controller makes a new one, but what runs in it ends: a person has to decide about it.
    pub fn deletion(title: impl Into<String>, act: Act) -> Self {
        Self::doing(Kind::Deletion, title, act)
    }

    /// Reads, and changes nothing: `get`, `list`, `describe`, `simulate`, `logs`.
    pub fn inspect(title: impl Into<String>, command: Command) -> Self {
        Self::new(Kind::Inspect, title, Some(command))
    }

    /// A change to something that we cannot see, or cannot decide: a chart, an image, somebody else's policy.
    pub fn advice(title: impl Into<String>) -> Self {
        Self::new(Kind::Advice, title, None)
    }

    fn new(kind: Kind, title: impl Into<String>, command: Option<Command>) -> Self {
        Self { kind, title: title.into(), command, change: None, policy: None, alternative: false }
    }

    fn doing(kind: Kind, title: impl Into<String>, act: Act) -> Self {
        Self { change: act.change, ..Self::new(kind, title, Some(act.command)) }
    }

    /// Says what its command does to a policy document.
    #[must_use]
    pub fn changing(self, policy: PolicyChange) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Marks it as another way to what the step before it does; its title says for whom.
    #[must_use]
    pub fn alternative(self) -> Self {
        Self { alternative: true, ..self }
    }

    /// What it does, in an imperative sentence.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The command, if a command does it.
    pub fn command(&self) -> Option<&Command> {
        self.command.as_ref()
    }

    /// What it changes, as data; `None` if it changes nothing, or only its command says how.
    pub fn change(&self) -> Option<&Change> {
        self.change.as_ref()
    }

    /// What its command does to a policy document, if it does.
    pub fn policy(&self) -> Option<&PolicyChange> {
        self.policy.as_ref()
    }

    /// True if it is another way to what the step before it does.
    pub fn is_alternative(&self) -> bool {
        self.alternative
    }

    /// What it touches.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// True if its command, where it has one, may be run as it is printed without harm to anybody: it is complete, and touches
    /// the target's own objects or none.
    pub fn is_safe(&self) -> bool {
        let complete = self.command.as_ref().is_none_or(|command| !command.asks());
        match self.kind {
            Kind::Own | Kind::Inspect => complete,
            Kind::Shared | Kind::Deletion => false,
            Kind::Advice => true,
        }
    }

    /// True if a person should think before running it. A command that only needs a value says so in its title.
    pub fn needs_thought(&self) -> bool {
        matches!(self.kind, Kind::Shared | Kind::Deletion)
    }

    /// One that changes the condition of a role's only statement, for the samples of the output.
    #[cfg(test)]
    pub(crate) fn sample_of_policy(before: &str, after: &str) -> Self {
        let document = |condition: &str| -> crate::policy::Json {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}]}}"#
            );
            serde_json::from_str(&text).unwrap_or(crate::policy::Json::Null)
        };
        let role = || ["--role-name", "shop-checkout"].into_iter();
        let get = Command::new(["aws", "iam", "get-role"].into_iter().chain(role()));
        let put = Command::new(["aws", "iam", "update-assume-role-policy"].into_iter().chain(role()));
        let put = put.words(["--policy-document"]).document(document(after));
        let change = PolicyChange::sample(
            document(before),
            get.into_file("shop-checkout.json".into()),
            document(after),
        );
        let title = "in the trust policy of role shop-checkout: add the service account";
        Self::shared(title, Act::only_by(put)).changing(change)
    }

    /// One for the samples of the output.
    #[cfg(test)]
    pub(crate) fn sample(title: &str, command: Option<Command>) -> Self {
        match command {
            Some(command) => Self::own(title, Act::only_by(command)),
            None => Self::advice(title),
        }
    }
}

impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fix = serializer.serialize_struct("Fix", 7)?;
        fix.serialize_field("title", &self.title)?;
        fix.serialize_field("command", &self.command.as_ref().map(Command::to_string))?;
        fix.serialize_field("safe", &self.is_safe())?;
        fix.serialize_field("kind", &self.kind)?;
        fix.serialize_field("alternative", &self.alternative)?;
        fix.serialize_field("change", &self.change)?;
        fix.serialize_field("policy", &self.policy)?;
        fix.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::Placeholder;

    fn command() -> Command {
        Command::new(["kubectl", "get", "pods"])
    }

    fn act() -> Act {
        Act::only_by(command())
    }

    #[test]
    fn what_is_safe_follows_from_what_it_touches() {
        for (fix, kind, safe, thought) in [
            (Fix::own("t", act()), Kind::Own, true, false),
            (Fix::shared("t", act()), Kind::Shared, false, true),
            (Fix::deletion("t", act()), Kind::Deletion, false, true),
            (Fix::inspect("t", command()), Kind::Inspect, true, false),
            (Fix::advice("t"), Kind::Advice, true, false),
        ] {
            assert_eq!((fix.kind(), fix.is_safe(), fix.needs_thought()), (kind, safe, thought));
        }
    }

    #[test]
    fn what_the_reader_has_to_complete_is_not_safe() {
        let asks = || command().ask("--profile", Placeholder::Profile);
        assert!(!Fix::own("t", Act::only_by(asks())).is_safe());
        assert!(!Fix::inspect("t", asks()).is_safe());
        assert!(!Fix::own("t", Act::only_by(asks())).needs_thought(), "its title says what is to be set");
    }

    #[test]
    fn its_text_decides_nothing() {
        let command = Command::new(["kubectl", "set", "env", "delete", "${X:?}"]);
        assert!(Fix::own("delete the webhook", Act::only_by(command)).is_safe());
    }

    #[test]
    fn json() {
        assert_eq!(
            serde_json::to_value(Fix::shared("t", act())).unwrap(),
            serde_json::json!({"title": "t", "command": "kubectl get pods", "safe": false, "kind": "shared", "alternative": false, "change": null, "policy": null})
        );
        assert_eq!(
            serde_json::to_value(Fix::advice("t")).unwrap(),
            serde_json::json!({"title": "t", "command": null, "safe": true, "kind": "advice", "alternative": false, "change": null, "policy": null})
        );
    }
}
