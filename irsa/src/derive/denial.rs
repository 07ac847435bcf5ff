//! What AWS denied a caller that it knows: which action, on what, and by which kind of policy.
//!
//! Two sources: the application's own errors, and IAM's simulator if the user named an action (`--action`). If both cover the
//! same action, the application's error counts: it reflects policies that the simulator does not see.

use super::Derived;
use super::app_errors::{AppError, Weight};
use super::caller::Who;
use crate::aws_error::{Because, Kind, Layer, PrincipalKind, Sighting};
use crate::facts::aws::Simulated;
use crate::facts::{Fact, Source, Unknown, Why};
use crate::severity::Severity;

/// The kind of policy that a denial comes from; each is a failure mode of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culprit {
    /// The role's own policies.
    Identity,
    /// The role's permissions boundary.
    Boundary,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// The policy of the session.
    Session,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// The policy of the resource.
    Resource,
    /// The policies on a KMS key, its own or the role's.
    Key,
    /// Either side of a second `AssumeRole`.
    Chain,
}

impl Culprit {
    /// True if IAM's simulator sees policies of this kind.
    pub const fn is_simulated(self) -> bool {
        matches!(self, Self::Identity | Self::Boundary | Self::ServiceControl)
    }
}

/// One denial.
#[derive(Debug, Clone)]
pub struct Denial<'d> {
    /// Where it comes from.
    pub culprit: Culprit,
    /// The policy as AWS names it, and whether it has a Deny; `None` where AWS names none.
    pub because: Option<Because>,
    /// `s3:GetObject`.
    pub action: Option<&'d str>,
    /// The ARN that it was denied on.
    pub resource: Option<&'d str>,
    /// The operation, where AWS did not name the action.
    pub operation: Option<&'d str>,
    /// The role that was denied it.
    pub role: Role,
    /// Who says so.
    pub witness: Witness<'d>,
    /// True if the simulator, which sees policies of this kind, allows the same by now.
    pub repaired: bool,
}

/// The role that was denied something.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name; `None` where AWS did not name the caller.
    pub name: Option<String>,
    /// Its account.
    pub account: Option<String>,
    /// True if it is the role that the pod should have.
    pub expected: bool,
    /// True if it is the node's, with which the EKS Pod Identity agent asks for the pod's credentials.
    pub of_agent: bool,
}

/// Who reports a denial.
#[derive(Debug, Clone, Copy)]
pub enum Witness<'d> {
    /// The application.
    AppErrors(&'d AppError<'d>),
    /// The EKS Pod Identity agent, to the probe.
    Agent(&'d Source),
    /// IAM's simulator.
    Simulator(&'d Simulated, &'d Source),
}

/// All denials, and what is known from the simulator.
#[derive(Debug)]
pub struct Denials<'d> {
    /// The denials.
    pub all: Vec<Denial<'d>>,
    /// True if AWS denied something to a caller that is not a role of the pod.
    pub of_others: bool,
    /// What the simulator says.
    pub simulator: Simulator<'d>,
}

/// What the simulator says about the actions it was given.
#[derive(Debug)]
pub enum Simulator<'d> {
    /// It was not asked.
    NotAsked,
    /// It could not be asked.
    Unknown(&'d Unknown),
    /// Its answer to these depends on context that it was not given.
    Open(Vec<Unknown>),
    /// It answered.
    Answered,
}

impl<'d> Denials<'d> {
    /// Finds them.
    pub fn of(derived: &'d Derived<'_>) -> Self {
        // Whom the agent gave credentials, it was not denied them.
        let answered = derived.agent_answer().is_some_and(|answer| answer.gave_credentials());
        let said = || {
            let asked = move |said: &AppError<'_>| answered && said.error.kind == Kind::NodeNotAuthorized;
            derived.app_errors.iter().filter(move |said| is_denial(said) && !asked(said))
        };
        let of_others = said().any(|said| !is_of_a_role(said));
        let mut all: Vec<Denial<'d>> = Vec::new();
        let allowed = |denial: &Denial<'_>| {
            let results = derived.facts.aws.simulation.known().into_iter().flat_map(|results| &results.value);
            results.filter(|result| result.decision == "allowed").any(|result| {
                denial.action == Some(&result.action) && denial.resource == Some(&result.resource)
            })
        };
        let by_agent = derived.agent_answer().and_then(|answer| {
            let sighting = answer.sighting.as_ref().filter(|said| is_above_the_node(said))?;
            Some(denied(sighting, false, Witness::Agent(&answer.source)))
        });
        all.extend(by_agent);
        for mut denial in said().filter(|said| is_of_a_role(said)).filter_map(spoken) {
            denial.repaired = denial.because.is_some() && denial.culprit.is_simulated() && allowed(&denial);
            // Two objects of one bucket are one fault.
            if !all.iter().any(|known| known.culprit == denial.culprit && known.action == denial.action) {
                all.push(denial);
            }
        }
        let mut open = Vec::new();
        let simulator = match &derived.facts.aws.simulation {
            Fact::Known(results) => {
                for result in results.value.iter().filter(|result| result.decision != "allowed") {
                    if all.iter().any(|known| known.action == Some(&result.action)) {
                        continue;
                    }
                    match simulated(derived, result, &results.source) {
                        Ok(denial) => all.push(denial),
                        Err(unknown) => open.push(unknown),
                    }
                }
                if open.is_empty() { Simulator::Answered } else { Simulator::Open(open) }
            }
            Fact::Absent { .. } => Simulator::NotAsked,
            Fact::Unknown(unknown) if matches!(unknown.why, Why::NotAsked(_) | Why::NotInFiles) => {
                Simulator::NotAsked
            }
            Fact::Unknown(unknown) => Simulator::Unknown(unknown),
        };
        Self { all, of_others, simulator }
    }
}

/// True for errors that say a caller was denied an action. What the node's role lacks to request credentials for pods is
/// `pi-node-role`, unless a policy above that role denies it.
fn is_denial(said: &AppError<'_>) -> bool {
    match said.error.kind {
        Kind::NotAuthorized | Kind::NotAuthorizedToChain | Kind::NotAuthorizedToTag | Kind::AccessDenied => {
            true
        }
        Kind::NodeNotAuthorized => is_above_the_node(said.error),
        _ => false,
    }
}

/// True if it is not the node's role that lacks the permission to ask EKS Auth, but a policy above it that forbids it. What AWS
/// says of the reason goes before who asked.
pub(crate) fn is_above_the_node(said: &Sighting) -> bool {
    said.kind == Kind::NodeNotAuthorized && said.because.is_some_and(Because::is_above)
}

/// False if the caller was the node, on its own account, or an IAM user: the wrong caller is then the fault.
fn is_of_a_role(said: &AppError<'_>) -> bool {
    said.error.kind == Kind::NodeNotAuthorized
        || said.caller.is_none_or(|caller| matches!(caller.who, Who::Expected | Who::OtherRole))
}

fn spoken<'d>(said: &'d AppError<'d>) -> Option<Denial<'d>> {
    let error = said.error;
    // That is config-role-arn-double-assume.
    if error.assumes_itself() {
        return None;
    }
    let expected = said.caller.is_some_and(|caller| caller.who == Who::Expected);
    Some(denied(error, expected, Witness::AppErrors(said)))
}

fn denied<'d>(error: &'d Sighting, expected: bool, witness: Witness<'d>) -> Denial<'d> {
    let of_agent = error.kind == Kind::NodeNotAuthorized;
    let role = match error.principal.as_ref().map(|principal| (&principal.kind, &principal.account)) {
        Some((PrincipalKind::AssumedRole { role, .. }, account)) => {
            Role { name: Some(role.clone()), account: Some(account.clone()), expected, of_agent }
        }
        _ => Role { name: None, account: None, expected: false, of_agent },
    };
    Denial {
        culprit: culprit(error.kind, error.action.as_deref(), error.because),
        because: error.because,
        action: error.action.as_deref(),
        resource: error.resource.as_deref(),
        operation: error.operation.as_deref(),
        role,
        witness,
        repaired: false,
    }
}

fn culprit(kind: Kind, action: Option<&str>, because: Option<Because>) -> Culprit {
    let chain = matches!(kind, Kind::NotAuthorizedToChain | Kind::NotAuthorizedToTag);
    let key = action.is_some_and(|action| action.starts_with("kms:"));
    match because.map(|because| because.layer) {
        Some(Layer::PermissionsBoundary) => Culprit::Boundary,
        Some(Layer::ServiceControlPolicy) => Culprit::ServiceControl,
        Some(Layer::ResourceControlPolicy) => Culprit::ResourceControl,
        Some(Layer::SessionPolicy) => Culprit::Session,
        Some(Layer::VpcEndpointPolicy) => Culprit::Endpoint,
        _ if chain => Culprit::Chain,
        _ if key => Culprit::Key,
        Some(Layer::TrustPolicy) => Culprit::Chain,
        Some(Layer::ResourcePolicy) => Culprit::Resource,
        Some(Layer::IdentityPolicy) | None => Culprit::Identity,
    }
}

fn simulated<'d>(
    derived: &Derived<'_>,
    result: &'d Simulated,
    source: &'d Source,
) -> Result<Denial<'d>, Unknown> {
    let (culprit, layer) = if result.boundary_allows == Some(false) {
        (Culprit::Boundary, Layer::PermissionsBoundary)
    } else if result.organization_allows == Some(false) {
        (Culprit::ServiceControl, Layer::ServiceControlPolicy)
    } else if result.action.starts_with("kms:") {
        (Culprit::Key, Layer::IdentityPolicy)
    } else {
        (Culprit::Identity, Layer::IdentityPolicy)
    };
    if !result.missing_context.is_empty() {
        return Err(Unknown {
            what: format!("whether the role is allowed {} on {}", result.action, result.resource),
            why: Why::Failed(format!(
                "its policies depend on {}, which the simulator was not given",
                result.missing_context.join(", ")
            )),
            grant: None,
        });
    }
    let arn = derived.expected_role().and_then(|arn| crate::aws::arn::RoleArn::parse(arn).ok());
    Ok(Denial {
        culprit,
        because: Some(Because { layer, explicit: result.decision == "explicitDeny" }),
        action: Some(&result.action),
        resource: Some(result.resource.as_str()).filter(|resource| *resource != "*"),
        operation: None,
        role: Role {
            name: arn.as_ref().map(|arn| arn.name().to_owned()),
            account: arn.as_ref().map(|arn| arn.account.to_owned()),
            expected: true,
            of_agent: false,
        },
        witness: Witness::Simulator(result, source),
        repaired: false,
    })
}

impl Denial<'_> {
    /// True if a policy forbids it, and not merely none allows it.
    pub fn is_explicit(&self) -> bool {
        self.because.is_some_and(|because| because.explicit)
    }

    /// What was denied, as AWS names it: `s3:GetObject`, or the operation.
    pub fn what(&self) -> &str {
        self.action.or(self.operation).unwrap_or("the call")
    }

    /// Where it was read.
    pub fn source(&self) -> &Source {
        match self.witness {
            Witness::AppErrors(said) => said.source,
            Witness::Agent(source) | Witness::Simulator(_, source) => source,
        }
    }

    /// True if AWS named neither the caller nor a policy: S3 often does not. Then it is not known to be the role's.
    pub fn is_nameless(&self) -> bool {
        self.role.name.is_none() && self.because.is_none()
    }

    /// True if it was denied just now.
    pub fn is_current(&self) -> bool {
        match self.witness {
            Witness::AppErrors(said) => said.weight == Weight::Current,
            Witness::Agent(_) | Witness::Simulator(..) => true,
        }
    }

    /// An error counts by its age; less if it has been overtaken, or if AWS did not name the caller.
    pub fn severity(&self, derived: &Derived<'_>) -> Severity {
        let Witness::AppErrors(said) = self.witness else { return Severity::Error };
        if self.role.of_agent {
            return said.severity();
        }
        let unproven = self.role.name.is_none() && !derived.sts_answer.accepted();
        if unproven || self.is_nameless() || self.repaired {
            said.severity().max(Severity::Warning)
        } else {
            said.severity()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_that_aws_names_decides_and_then_what_was_denied() {
        let of = |kind, action, layer: Option<Layer>| {
            culprit(kind, Some(action), layer.map(|layer| Because { layer, explicit: false }))
        };
        let denied = |action, layer| of(Kind::NotAuthorized, action, layer);
        assert_eq!(denied("s3:GetObject", None), Culprit::Identity);
        assert_eq!(denied("s3:GetObject", Some(Layer::ResourcePolicy)), Culprit::Resource);
        assert_eq!(denied("kms:Decrypt", Some(Layer::ResourcePolicy)), Culprit::Key);
        assert_eq!(denied("kms:Decrypt", Some(Layer::PermissionsBoundary)), Culprit::Boundary);
        let second = of(Kind::NotAuthorizedToChain, "sts:AssumeRole", Some(Layer::IdentityPolicy));
        assert_eq!(second, Culprit::Chain);
    }
}
