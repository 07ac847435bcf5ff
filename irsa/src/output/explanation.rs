//! What a pasted error can mean: what it is, what can be behind it, and what to run next.

use super::style::{Paint, Style, wrap};
use crate::aws_error::causes::{self, Cause};
use crate::aws_error::{Kind, Layer, Principal, PrincipalKind, SessionSource, Sighting};
use crate::checks;
use crate::text::{duration, shell};
use jiff::SignedDuration;

/// Columns of the names of pieces.
const KEYS: usize = 17;

/// Explains each error of a text once; or, if there are none, the caller that the text names.
pub fn errors(sightings: &[Sighting], caller: Option<&Principal>, style: &Style) -> String {
    let mut page = Page { out: String::new(), style };
    let mut explained = Vec::new();
    for sighting in sightings {
        let meaning = causes::of(sighting);
        if explained.contains(&meaning.what) {
            continue;
        }
        if !explained.is_empty() {
            page.out.push('\n');
            page.line(0, &style.rule());
        }
        page.text(0, meaning.what, Paint::Strong);
        // A text about one error may name its caller apart from it.
        let caller = sighting.principal.as_ref().or(caller.filter(|_| sightings.len() == 1));
        page.pieces(sighting, caller);
        // What says nothing about the pod's identity has no cause that `debug` could find.
        if !meaning.causes.is_empty() {
            page.causes(meaning.causes);
            page.next(sighting, meaning.causes);
        }
        explained.push(meaning.what);
    }
    if let (true, Some(caller)) = (sightings.is_empty(), caller) {
        page.text(0, "No known AWS error found in this text, but it names a caller.", Paint::Strong);
        page.out.push('\n');
        page.caller(caller);
        page.heading("next");
        page.command(&debug(None));
    }
    page.out
}

struct Page<'s> {
    out: String,
    style: &'s Style,
}

impl Page<'_> {
    fn line(&mut self, indent: usize, line: &str) {
        self.out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(2, &self.style.paint(Paint::Strong, text));
    }

    fn command(&mut self, command: &str) {
        // One line whatever its length, so that it can be pasted.
        self.line(4, &self.style.paint(Paint::Command, command));
    }

    /// A text at an indent, after a lead of the same width.
    fn text(&mut self, indent: usize, text: &str, paint: Paint) {
        self.led(&" ".repeat(indent), text, paint);
    }

    fn led(&mut self, lead: &str, text: &str, paint: Paint) {
        let columns = self.style.columns().saturating_sub(lead.len());
        for (index, line) in wrap(&self.style.line(text), columns, columns, false).iter().enumerate() {
            let line = self.style.paint(paint, line);
            if index == 0 { self.line(0, &format!("{lead}{line}")) } else { self.line(lead.len(), &line) }
        }
    }

    fn piece(&mut self, key: &str, value: &str) {
        self.led(&format!("  {key:<KEYS$}"), value, Paint::Plain);
    }

    fn pieces(&mut self, sighting: &Sighting, caller: Option<&Principal>) {
        let start = self.out.len();
        if let Some(caller) = caller {
            self.caller(caller);
        }
        let account = sighting.service_account.as_ref().map(|it| format!("{}/{}", it.namespace, it.name));
        for (key, value) in [
            ("service account", account.as_ref()),
            ("action", sighting.action.as_ref()),
            ("on", sighting.resource.as_ref()),
            ("issuer", sighting.issuer.as_ref()),
            ("in account", sighting.account.as_ref()),
            ("host", sighting.host.as_ref()),
            ("request id", sighting.request_id.as_ref()),
        ] {
            if let Some(value) = value {
                self.piece(key, value);
            }
        }
        if let Kind::TokenExpired { now: Some(now), expired: Some(expired) } = sighting.kind
            && let Some(late) = now.checked_sub(expired)
        {
            self.piece(
                "expired",
                &format!(
                    "{} before the request, by STS's clock",
                    duration::words(SignedDuration::from_secs(i64::try_from(late).unwrap_or(i64::MAX)))
                ),
            );
        }
        if self.out.len() > start {
            self.out.insert(start, '\n');
        }
    }

    fn caller(&mut self, caller: &Principal) {
        self.piece("caller", &caller.arn);
        self.piece("", who(caller));
    }

    fn causes(&mut self, causes: &[Cause]) {
        match causes {
            [_] => self.heading("cause"),
            _ => self.heading("possible causes, most likely first"),
        }
        for (index, cause) in causes.iter().enumerate() {
            let lead =
                if causes.len() > 1 { format!("    {:>2}. ", index + 1) } else { String::from("    ") };
            self.led(&lead, &format!("{} [{}]", cause.when, cause.id), Paint::Plain);
        }
    }

    fn next(&mut self, sighting: &Sighting, causes: &[Cause]) {
        self.heading("next");
        let several = causes.len() > 1;
        self.text(
            4,
            if several { "find out which one it is" } else { "check whether this is the cause" },
            Paint::Plain,
        );
        self.command(&debug(Some(sighting)));
        if let Some(command) = policies(sighting) {
            self.text(4, "or list the role's policies", Paint::Plain);
            self.command(&command);
        }
        let has_page =
            |id| checks::by_id(id).is_some() || checks::NOT_A_FAULT.iter().any(|(it, _)| *it == id);
        if let Some(cause) = causes.iter().find(|cause| has_page(cause.id)) {
            let what = if several { "or read about one of the causes" } else { "or read about the cause" };
            self.text(4, what, Paint::Plain);
            self.command(&shell::command(["kubectl", "irsa", "explain", cause.id]));
        }
    }
}

/// `debug` for the service account that the text names, if any.
fn debug(sighting: Option<&Sighting>) -> String {
    match sighting.and_then(|sighting| sighting.service_account.as_ref()) {
        Some(account) => {
            let target = format!("sa/{}", account.name);
            shell::command(["kubectl", "irsa", "debug", &target, "-n", &account.namespace])
        }
        None => String::from("kubectl irsa debug pod/NAME"),
    }
}

/// How to list the policies of a role that was denied something, unless another kind of policy denied it.
fn policies(sighting: &Sighting) -> Option<String> {
    let own = sighting.because.is_none_or(|because| because.layer == Layer::IdentityPolicy);
    match &sighting.principal.as_ref()?.kind {
        PrincipalKind::AssumedRole { role, source, .. }
            if own && sighting.kind == Kind::NotAuthorized && *source != SessionSource::NodeInstance =>
        {
            Some(shell::command(["aws", "iam", "list-attached-role-policies", "--role-name", role]))
        }
        _ => None,
    }
}

/// Who a caller is, judging by its ARN.
fn who(caller: &Principal) -> &'static str {
    match &caller.kind {
        PrincipalKind::AssumedRole { source, .. } => match source {
            SessionSource::NodeInstance => "the node's role, from the instance metadata service",
            SessionSource::Botocore => "a role, assumed with a web identity token by boto3 or the AWS CLI",
            SessionSource::Go => "a role, assumed with a web identity token by the SDK for Go",
            SessionSource::Java => "a role, assumed with a web identity token by an SDK for Java",
            SessionSource::Js => "a role, assumed with a web identity token by the SDK for JavaScript",
            SessionSource::Php => "a role, assumed with a web identity token by the SDK for PHP",
            SessionSource::Ruby => "a role, assumed with a web identity token by the SDK for Ruby",
            SessionSource::DotNet => "a role, assumed by the SDK for .NET",
            SessionSource::Rust => "a role, assumed with a web identity token by the SDK for Rust",
            SessionSource::PodIdentity => "a role, from EKS Pod Identity",
            SessionSource::Custom => {
                "a role; its session name is custom, so it does not show how the role was assumed"
            }
        },
        PrincipalKind::User(_) => "an IAM user, with access keys: not a pod's role",
        PrincipalKind::FederatedUser(_) => "a federated user: not a pod's role",
        PrincipalKind::Root => "the account's root user: not a pod's role",
    }
}
