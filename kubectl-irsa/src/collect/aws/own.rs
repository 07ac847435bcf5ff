//! Whether an answer is the service's own. The SDK reads leniently: `{}`, `null` or nothing at all is an empty list to it, and a
//! proxy's page an error without a code. One look at every answer, whatever was asked, keeps these from being AWS's word.

use crate::collect::web::{BETWEEN, is_page};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use irsa::aws::endpoint::host_of_url;
use roxmltree::{Document, Node};
use serde_json::Value;
use thiserror::Error;

/// An answer that is not the service's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the endpoint of {service}, {host}, answered with {shape} (HTTP {status}){}", .shape.stands_between())]
pub(super) struct Foreign {
    service: String,
    host: String,
    status: u16,
    shape: Shape,
}

/// What it is instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Shape {
    #[error("nothing")]
    Empty,
    #[error("a web page")]
    Page,
    #[error("a redirection")]
    Redirection,
    #[error("what is not {0}")]
    Other(&'static str),
    #[error("an answer to {operation} that lacks {member}")]
    Lacks { operation: String, member: &'static str },
    #[error("an answer to {0}, of which it is not known what it must have")]
    Unknown(String),
}

impl Shape {
    fn stands_between(&self) -> String {
        match self {
            Self::Page | Self::Redirection => format!(": {BETWEEN}"),
            Self::Empty | Self::Other(_) | Self::Lacks { .. } | Self::Unknown(_) => String::new(),
        }
    }
}

impl Foreign {
    /// The one among the causes of an error.
    pub(super) fn of<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

/// Whom a request was sent to.
#[derive(Debug)]
struct Asked {
    host: String,
}

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}

/// Looks at every answer.
#[derive(Debug)]
pub(super) struct ItsOwn;

#[dyn_dispatch_hint]
impl Intercept for ItsOwn {
    fn name(&self) -> &'static str {
        "ItsOwn"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(host) = host_of_url(context.request().uri()) {
            config.interceptor_state().store_put(Asked { host: host.to_owned() });
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(asked), Some(body)) = (config.load::<Metadata>(), context.response().body().bytes()) else {
            // Nothing that is asked here is streamed.
            return Err("the answer was not looked at".into());
        };
        let status = context.response().status().as_u16();
        let named = context.response().headers().get("x-amzn-errortype").is_some();
        let host = config.load::<Asked>().map_or("its host is not known", |asked| &asked.host);
        look(asked.service(), asked.name(), status, named, body).map_err(|shape| {
            Foreign { service: asked.service().to_owned(), host: host.to_owned(), status, shape }.into()
        })
    }
}

/// What AWS always sends, as a path.
#[derive(Debug, Clone, Copy)]
enum Member {
    /// It may be empty: a list.
    There(&'static str),
    /// It is not.
    Filled(&'static str),
}

/// What the answer to an operation always has: the SDK reads its lack as an empty list or an empty text. `None` is an operation that
/// nobody has looked up yet, whose answers are refused.
fn members(operation: &str) -> Option<&'static [Member]> {
    use Member::{Filled, There};
    Some(match operation {
        // https://docs.aws.amazon.com/STS/latest/APIReference/
        "AssumeRoleWithWebIdentity" => &[Filled("AssumedRoleUser/Arn"), Filled("Credentials/SessionToken")],
        "GetCallerIdentity" => &[Filled("Account"), Filled("Arn")],
        // https://docs.aws.amazon.com/IAM/latest/APIReference/
        "GetRole" => &[Filled("Role/RoleName"), Filled("Role/Arn"), Filled("Role/AssumeRolePolicyDocument")],
        "ListRoles" => &[There("Roles")],
        "ListAttachedRolePolicies" => &[There("AttachedPolicies")],
        "ListRolePolicies" => &[There("PolicyNames")],
        "ListOpenIDConnectProviders" => &[There("OpenIDConnectProviderList")],
        // Its list of client ids is nowhere said to be there where it is empty.
        "GetOpenIDConnectProvider" => &[Filled("Url")],
        "SimulatePrincipalPolicy" => &[There("EvaluationResults")],
        // These answer with nothing but the request's id.
        "UpdateAssumeRolePolicy"
        | "PutRolePolicy"
        | "DeleteRole"
        | "DeleteRolePolicy"
        | "DeleteOpenIDConnectProvider"
        | "AddClientIDToOpenIDConnectProvider"
        | "RemoveClientIDFromOpenIDConnectProvider" => &[],
        "GetRolePolicy" => &[Filled("PolicyDocument")],
        "CreateRole" => &[Filled("Role/Arn")],
        "CreateOpenIDConnectProvider" => &[Filled("OpenIDConnectProviderArn")],
        // https://docs.aws.amazon.com/eks/latest/APIReference/
        "DescribeCluster" => &[Filled("cluster/name"), Filled("cluster/arn")],
        "ListPodIdentityAssociations" => &[There("associations")],
        "DescribePodIdentityAssociation" => {
            &[Filled("association/associationId"), Filled("association/roleArn")]
        }
        "CreatePodIdentityAssociation" | "UpdatePodIdentityAssociation" | "DeletePodIdentityAssociation" => {
            &[Filled("association/associationId")]
        }
        "CreateAddon" | "DeleteAddon" => &[Filled("addon/addonName")],
        // https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/
        "LookupEvents" => &[There("Events")],
        _ => return None,
    })
}

/// The first member that an answer lacks, by what it holds at a path.
fn lacks(operation: &str, held: impl Fn(&str) -> Option<bool>) -> Result<(), Shape> {
    let Some(members) = members(operation) else { return Err(Shape::Unknown(operation.to_owned())) };
    let missing = members.iter().find_map(|member| match member {
        Member::There(path) => held(path).is_none().then_some(*path),
        Member::Filled(path) => (held(path) != Some(true)).then_some(*path),
    });
    match missing {
        Some(member) => Err(Shape::Lacks { operation: operation.to_owned(), member }),
        None => Ok(()),
    }
}

/// Looks at an answer; `named` if a header names the error.
fn look(service: &str, operation: &str, status: u16, named: bool, body: &[u8]) -> Result<(), Shape> {
    let text = body.trim_ascii();
    match status {
        300..=399 => return Err(Shape::Redirection),
        400.. if named && text.is_empty() => return Ok(()),
        _ if text.is_empty() => return Err(Shape::Empty),
        _ => {}
    }
    let (format, is_own) = match service {
        "STS" | "IAM" => ("STS's and IAM's XML", xml(operation, status, text)?),
        _ => ("the service's JSON", json(operation, status, named, text)?),
    };
    match is_own {
        true => Ok(()),
        false if is_page(text) => Err(Shape::Page),
        false => Err(Shape::Other(format)),
    }
}

fn json(operation: &str, status: u16, named: bool, text: &[u8]) -> Result<bool, Shape> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(text) else { return Ok(false) };
    if status >= 400 {
        return Ok(named || ["__type", "code", "Code"].iter().any(|key| answer.contains_key(*key)));
    }
    let answer = Value::Object(answer);
    lacks(operation, |path| match answer.pointer(&format!("/{path}"))? {
        Value::Null => None,
        Value::String(text) => Some(!text.trim().is_empty()),
        _ => Some(true),
    })?;
    Ok(true)
}

fn xml(operation: &str, status: u16, text: &[u8]) -> Result<bool, Shape> {
    // The SDK stops reading at the end of what it looks for, so that half an answer is a whole one to it.
    let Some(document) = str::from_utf8(text).ok().and_then(|text| Document::parse(text).ok()) else {
        return Ok(false);
    };
    let root = document.root_element();
    if status >= 400 {
        return Ok(root.tag_name().name() == "ErrorResponse" && child(root, "Error").is_some());
    }
    if root.tag_name().name().strip_suffix("Response") != Some(operation) {
        return Ok(false);
    }
    let result = child(root, &format!("{operation}Result"));
    lacks(operation, |path| {
        let found = path.split('/').try_fold(result?, child)?;
        Some(found.has_children())
    })?;
    Ok(true)
}

fn child<'d>(node: Node<'d, 'd>, name: &str) -> Option<Node<'d, 'd>> {
    node.children().find(|child| child.tag_name().name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: [(&str, &str); 13] = [
        ("STS", "GetCallerIdentity"),
        ("STS", "AssumeRoleWithWebIdentity"),
        ("IAM", "GetRole"),
        ("IAM", "ListRoles"),
        ("IAM", "ListAttachedRolePolicies"),
        ("IAM", "ListRolePolicies"),
        ("IAM", "ListOpenIDConnectProviders"),
        ("IAM", "GetOpenIDConnectProvider"),
        ("IAM", "SimulatePrincipalPolicy"),
        ("EKS", "DescribeCluster"),
        ("EKS", "ListPodIdentityAssociations"),
        ("EKS", "DescribePodIdentityAssociation"),
        ("CloudTrail", "LookupEvents"),
    ];

    #[test]
    fn no_operation_takes_a_foreign_answer_for_its_own() {
        for (service, operation) in OPERATIONS {
            for status in [200, 204, 302, 400, 403, 404, 407, 500, 502, 503] {
                for body in
                    ["", " \n", "null", "{}", "[]", "<html><body>Sign in", "<!DOCTYPE html><p>", "<a/>", "ok"]
                {
                    let seen = look(service, operation, status, false, body.as_bytes());
                    assert!(seen.is_err(), "{service} {operation} {status} {body:?}");
                }
            }
        }
    }

    #[test]
    fn the_services_own_answers_are_theirs() {
        let ours =
            |service, operation, status, body: &str| look(service, operation, status, false, body.as_bytes());
        let none = "<ListRolePoliciesResponse xmlns=\"u\"><ListRolePoliciesResult><PolicyNames/></ListRolePoliciesResult></ListRolePoliciesResponse>";
        assert_eq!(ours("IAM", "ListRolePolicies", 200, none), Ok(()));
        let denied =
            "<?xml version=\"1.0\"?><ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
        assert_eq!(ours("STS", "GetCallerIdentity", 403, denied), Ok(()));
        assert_eq!(ours("EKS", "ListPodIdentityAssociations", 200, "{\"associations\": []}"), Ok(()));
        assert_eq!(
            ours("CloudTrail", "LookupEvents", 400, "{\"__type\": \"AccessDeniedException\"}"),
            Ok(())
        );
        assert_eq!(look("EKS", "DescribeCluster", 403, true, b"{\"message\": \"m\"}"), Ok(()));
        assert_eq!(look("EKS", "DescribeCluster", 404, true, b""), Ok(()));
    }

    #[test]
    fn an_operation_that_nobody_looked_up_is_refused() {
        let answered = |operation: &str| {
            let body = format!("<{operation}Response><{operation}Result/></{operation}Response>");
            look("IAM", operation, 200, false, body.as_bytes())
        };
        assert_eq!(answered("ListUsers"), Err(Shape::Unknown(String::from("ListUsers"))));
        for (_, operation) in OPERATIONS {
            assert!(matches!(answered(operation), Err(Shape::Lacks { .. })), "{operation}");
        }
    }

    #[test]
    fn every_member_is_missed() {
        let text = "{\"association\": {\"associationId\": \"a-1\", \"roleArn\": \"arn\"}}";
        let seen = |body: &str| look("EKS", "DescribePodIdentityAssociation", 200, false, body.as_bytes());
        assert_eq!(seen(text), Ok(()));
        for (old, new) in [("a-1", ""), ("\"arn\"", "null"), ("roleArn", "other"), ("association\"", "x\"")] {
            assert!(matches!(seen(&text.replace(old, new)), Err(Shape::Lacks { .. })), "{old}");
        }
        let session = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>a</Arn>\
                       </AssumedRoleUser></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        let seen = look("STS", "AssumeRoleWithWebIdentity", 200, false, session.as_bytes());
        let member = "Credentials/SessionToken";
        assert_eq!(seen, Err(Shape::Lacks { operation: String::from("AssumeRoleWithWebIdentity"), member }));
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = "<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName><Arn>a</Arn><AssumeRolePolicyDocument>%7B%7D\
             </AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>";
        assert_eq!(look("IAM", "GetRole", 200, false, whole.as_bytes()), Ok(()));
        for end in 1..whole.len() {
            assert!(look("IAM", "GetRole", 200, false, &whole.as_bytes()[..end]).is_err(), "{end}");
        }
        let deep = "<a>".repeat(200_000);
        assert!(look("IAM", "GetRole", 200, false, deep.as_bytes()).is_err());
    }

    #[test]
    fn what_came_is_said() {
        let foreign = |shape, status| {
            Foreign { service: String::from("STS"), host: String::from("sts.example.com"), status, shape }
                .to_string()
        };
        assert_eq!(
            foreign(Shape::Page, 200),
            "the endpoint of STS, sts.example.com, answered with a web page (HTTP 200): a proxy or a captive portal stands between"
        );
        assert_eq!(
            foreign(Shape::Empty, 204),
            "the endpoint of STS, sts.example.com, answered with nothing (HTTP 204)"
        );
    }
}
