//! Which condition keys a call has that assumes a role.
//!
//! A key is *present*, *absent* or *unknown*; what nobody documents is unknown, so that no condition on it is called broken
//! and none is ever removed. The sources are two pages of the IAM User Guide: `reference_policies_condition-keys`, which says
//! of every global key when it is *available*, and `reference_policies_iam-condition-keys` for those of STS.

use Class::{Absent, Is, Unknown};

/// Who makes the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `sts:AssumeRoleWithWebIdentity`, with a token that has no claims for tags or a source identity. It is not signed: no
    /// principal of AWS makes it.
    WebIdentity,
    /// `sts:AssumeRole` or `sts:TagSession` by the service principal of an AWS service, directly.
    Service,
    /// The same by the session of a role, or by a service with its credentials.
    RoleSession,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Every such call has it, with this value.
    Is(&'static str),
    /// No such call has it.
    Absent,
    /// It depends, because …; whoever knows more sets it.
    Unknown(&'static str),
}

/// What is known of a key in such a call; `None` if AWS has no global key of that name and STS none of its own.
pub(super) fn class(call: Call, key: &str) -> Option<Class> {
    let of = |row: &Row| match call {
        Call::WebIdentity => row.web_identity,
        Call::Service => row.service,
        Call::RoleSession => row.role_session,
    };
    KEYS.iter().find(|row| matches(row.key, key)).map(of)
}

/// The keys that every such call has, with their values.
pub(super) fn certain(call: Call) -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().filter_map(move |row| match class(call, row.key) {
        Some(Is(value)) => Some((row.key, value)),
        _ => None,
    })
}

/// True if the row is about the key. A `*` at its end stands for any ending, as in `aws:RequestTag/*`.
fn matches(row: &str, key: &str) -> bool {
    match row.strip_suffix('*') {
        Some(head) => key.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head)),
        None => key.eq_ignore_ascii_case(row),
    }
}

/// A key, and what is known of it in each kind of call.
struct Row {
    key: &'static str,
    web_identity: Class,
    service: Class,
    role_session: Class,
}

const fn row(key: &'static str, web_identity: Class, service: Class, role_session: Class) -> Row {
    Row { key, web_identity, service, role_session }
}

const CALLER: Class = Unknown("it depends on the caller");
const ORGANIZATION: Class = Unknown("it depends on the organization of the caller's account");
const UNSIGNED: Class = Unknown("AWS does not document its value for calls that are not signed");
const SERVICE: Class = Unknown("AWS does not document its value for the calls of a service");
const SESSION: Class = Unknown("it depends on how the caller's session was created");
const PATH: Class = Unknown("it depends on where the call comes from");
const ENDPOINT: Class = Unknown("it depends on whether the call goes through a VPC endpoint");
const ROLE: Class = Unknown("it describes the role, and was not read");
const TIME: Class = Unknown("it depends on when the call is made");
const REGION: Class = Unknown("it depends on the STS endpoint that is called");
const CLIENT: Class = Unknown("the client chooses it");
const TAGS: Class = Unknown("it depends on the session tags of the call");
const ON_BEHALF: Class = Unknown("it depends on what the service calls on behalf of");
const NOT_KNOWN: Class = Unknown("it is none of the keys that are known here");

/// The first row that matches counts.
const KEYS: &[Row] = &[
    // Properties of the principal.
    // "All signed requests."
    row("aws:PrincipalArn", Absent, SERVICE, CALLER),
    // "All requests"; `anonymous` for anonymous ones. Whether a call with a token is one of those is not said.
    row("aws:PrincipalAccount", UNSIGNED, SERVICE, CALLER),
    // "Only if the principal is a member of an organization", which a service principal never is.
    row("aws:PrincipalOrgID", Absent, Absent, ORGANIZATION),
    row("aws:PrincipalOrgPaths", Absent, Absent, ORGANIZATION),
    // Tags of an IAM user, of a role or of its session.
    row("aws:PrincipalTag/*", Absent, Absent, CALLER),
    // "All signed requests that use AWS credentials"; false for what is no service principal. That an unsigned call does not
    // have it is said of anonymous ones only.
    row("aws:PrincipalIsAWSService", UNSIGNED, Is("true"), Is("false")),
    // "When the call is made by an AWS service principal"; the caller knows which.
    row("aws:PrincipalServiceName", Absent, SERVICE, Absent),
    row("aws:PrincipalServiceNamesList", Absent, SERVICE, Absent),
    // "All requests, including anonymous requests"; the values are documented for signed ones.
    row("aws:PrincipalType", UNSIGNED, SERVICE, Is("AssumedRole")),
    row("aws:userid", UNSIGNED, SERVICE, CALLER),
    // IAM users alone have it.
    row("aws:username", Absent, Absent, Absent),
    // Properties of a role session: "only available when a request is made by a principal with role session … credentials".
    row("aws:AssumedRoot", Absent, Absent, Absent),
    // Also "in the role-trust policy when an OIDC provider is used to call AssumeRoleWithWebIdentity": the provider's ARN,
    // which is part of the call and set with it.
    row("aws:FederatedProvider", UNSIGNED, Absent, SESSION),
    row("aws:TokenIssueTime", Absent, Absent, TIME),
    row("aws:SignInSessionArn", Absent, Absent, SESSION),
    // "Not present for federated identities."
    row("aws:MultiFactorAuthAge", Absent, Absent, SESSION),
    row("aws:MultiFactorAuthPresent", Absent, Absent, SESSION),
    row("aws:ChatbotSourceArn", Absent, Absent, SESSION),
    row("aws:Ec2InstanceSourceVpc", Absent, Absent, SESSION),
    row("aws:Ec2InstanceSourcePrivateIPv4", Absent, Absent, SESSION),
    row("aws:SourceIdentity", Absent, Absent, SESSION),
    row("ec2:RoleDelivery", Absent, Absent, SESSION),
    row("ec2:SourceInstanceArn", Absent, Absent, SESSION),
    row("glue:RoleAssumedBy", Absent, Absent, SESSION),
    row("glue:CredentialIssuingService", Absent, Absent, SESSION),
    row("codebuild:BuildArn", Absent, Absent, SESSION),
    row("codebuild:ProjectArn", Absent, Absent, SESSION),
    row("lambda:SourceFunctionArn", Absent, Absent, SESSION),
    row("ssm:SourceInstanceArn", Absent, Absent, SESSION),
    row("identitystore:UserId", Absent, Absent, SESSION),
    // Properties of the network; of a service's own calls they are "redacted".
    row("aws:SourceIp", PATH, SERVICE, PATH),
    row("aws:VpcSourceIp", PATH, SERVICE, PATH),
    row("aws:SourceVpc", ENDPOINT, SERVICE, ENDPOINT),
    row("aws:SourceVpcArn", ENDPOINT, SERVICE, ENDPOINT),
    row("aws:SourceVpce", ENDPOINT, SERVICE, ENDPOINT),
    row("aws:VpceAccount", ENDPOINT, SERVICE, ENDPOINT),
    row("aws:VpceOrg*", ENDPOINT, SERVICE, ENDPOINT),
    // Properties of the resource, which is the role.
    row("aws:ResourceAccount", ROLE, ROLE, ROLE),
    row("aws:ResourceOrg*", ROLE, ROLE, ROLE),
    row("aws:ResourceTag/*", ROLE, ROLE, ROLE),
    row("iam:ResourceTag/*", ROLE, ROLE, ROLE),
    // Properties of the request.
    // "When the principal makes the call directly", the key is false, and the list of services is not there.
    row("aws:ViaAWSService", Is("false"), Is("false"), ON_BEHALF),
    row("aws:CalledVia", Absent, Absent, ON_BEHALF),
    row("aws:CalledViaFirst", Absent, Absent, ON_BEHALF),
    row("aws:CalledViaLast", Absent, Absent, ON_BEHALF),
    row("aws:CalledViaAWSMCP", Absent, Absent, ON_BEHALF),
    // False for a direct call, and not part of one: the guide says both.
    row("aws:ViaAWSMCPService", UNSIGNED, SERVICE, ON_BEHALF),
    row("aws:IsMcpServiceAction", Absent, Absent, Absent),
    // "Always included."
    row("aws:CurrentTime", TIME, TIME, TIME),
    row("aws:EpochTime", TIME, TIME, TIME),
    row("aws:RequestedRegion", REGION, REGION, REGION),
    row("aws:UserAgent", CLIENT, SERVICE, CLIENT),
    // STS has no endpoint without TLS.
    row("aws:SecureTransport", Is("true"), Is("true"), Is("true")),
    // "Not included for programmatic requests."
    row("aws:referer", Absent, Absent, Absent),
    // Session tags: those of a web identity come from claims, which this call's token does not have.
    row("aws:RequestTag/*", Absent, TAGS, TAGS),
    row("aws:TagKeys", Absent, TAGS, TAGS),
    row("sts:TransitiveTagKeys", Absent, TAGS, TAGS),
    // "Only when the call … is being made directly by an AWS service principal on behalf of a resource."
    row("aws:Source*", Absent, ON_BEHALF, Absent),
    // STS's own.
    row("sts:RoleSessionName", CLIENT, CLIENT, CLIENT),
    row("sts:DurationSeconds", CLIENT, CLIENT, CLIENT),
    // AssumeRoleWithWebIdentity has no such parameters; the source identity would be a claim.
    row("sts:ExternalId", Absent, CLIENT, CLIENT),
    row("sts:SourceIdentity", Absent, CLIENT, CLIENT),
    row("sts:RequestContext*", Absent, CLIENT, CLIENT),
    // Of other operations: GetServiceBearerToken and AssumeRoot.
    row("sts:AWSServiceName", Absent, Absent, Absent),
    row("sts:TaskPolicyArn", Absent, Absent, Absent),
    // A newer key, or a mistyped one.
    row("aws:*", NOT_KNOWN, NOT_KNOWN, NOT_KNOWN),
    row("sts:*", NOT_KNOWN, NOT_KNOWN, NOT_KNOWN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_reached() {
        for (index, row) in KEYS.iter().enumerate() {
            let hidden = KEYS[..index].iter().find(|before| matches(before.key, row.key));
            assert!(hidden.is_none(), "{} is hidden by {}", row.key, hidden.map_or("", |row| row.key));
        }
    }

    /// The table of `reference_policies_condition-keys`, as of November 2026: each has a row of its own, or one of its kind.
    #[test]
    fn every_global_key_is_classified() {
        let of_the_guide = "aws:PrincipalArn aws:PrincipalAccount aws:PrincipalOrgPaths aws:PrincipalOrgID aws:PrincipalTag/team \
             aws:PrincipalIsAWSService aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType aws:userid \
             aws:username aws:AssumedRoot aws:FederatedProvider aws:TokenIssueTime aws:SignInSessionArn aws:MultiFactorAuthAge \
             aws:MultiFactorAuthPresent aws:ChatbotSourceArn aws:Ec2InstanceSourceVpc aws:Ec2InstanceSourcePrivateIPv4 \
             aws:SourceIdentity ec2:RoleDelivery ec2:SourceInstanceArn glue:RoleAssumedBy glue:CredentialIssuingService \
             codebuild:BuildArn codebuild:ProjectArn lambda:SourceFunctionArn ssm:SourceInstanceArn identitystore:UserId \
             aws:SourceIp aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths \
             aws:VpcSourceIp aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:ResourceTag/team aws:CalledVia \
             aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP aws:ViaAWSService aws:ViaAWSMCPService aws:CurrentTime \
             aws:EpochTime aws:referer aws:RequestedRegion aws:RequestTag/team aws:TagKeys aws:SecureTransport \
             aws:SourceAccount aws:SourceArn aws:SourceOrgID aws:SourceOrgPaths aws:UserAgent aws:IsMcpServiceAction";
        for key in of_the_guide.split_whitespace() {
            for call in [Call::WebIdentity, Call::Service, Call::RoleSession] {
                let class = class(call, key);
                assert!(class.is_some_and(|class| class != NOT_KNOWN), "{key}: {class:?}");
            }
        }
    }

    #[test]
    fn a_call_with_a_token() {
        let of = |key| class(Call::WebIdentity, key);
        assert_eq!(of("AWS:viaawsservice"), Some(Is("false")));
        assert_eq!(of("aws:PrincipalArn"), Some(Absent));
        assert_eq!(of("aws:requesttag/Team"), Some(Absent));
        assert_eq!(of("aws:SourceAccount"), Some(Absent));
        assert_eq!(of("aws:SourceVpce"), Some(ENDPOINT));
        assert_eq!(of("aws:PrincipalType"), Some(UNSIGNED));
        assert_eq!(of("aws:FutureKey"), Some(NOT_KNOWN));
        assert_eq!(of("s3:prefix"), None);
        assert_eq!(of("é"), None);
    }

    #[test]
    fn a_call_of_a_service() {
        let of = |key| class(Call::Service, key);
        assert_eq!(of("aws:PrincipalIsAWSService"), Some(Is("true")));
        assert_eq!(of("aws:RequestTag/kubernetes-namespace"), Some(TAGS));
        assert_eq!(of("aws:SourceArn"), Some(ON_BEHALF));
        assert_eq!(of("aws:MultiFactorAuthPresent"), Some(Absent));
    }
}
