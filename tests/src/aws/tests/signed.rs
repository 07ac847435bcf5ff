//! Calls with credentials, and what stands in their way.

use super::*;

const ID: &str = "AKIAUSER111122223333";
const SECRET: &str = "secret-access-key/of+111122223333";
const EKS: &str = "eks.eu-west-1.amazonaws.com";
const TRAIL: &str = "cloudtrail.eu-west-1.amazonaws.com";

fn ask(fakes: &Fakes, host: &str, action: &str, params: &[(&str, &str)]) -> Got {
    fakes.send_signed(form(host, action, params), ID, SECRET).unwrap()
}

fn get(fakes: &Fakes, target: &str) -> Got {
    let call = Call { method: "GET", host: EKS, target, headers: Vec::new(), body: String::new() };
    fakes.send_signed(call, ID, SECRET).unwrap()
}

fn lookup(fakes: &Fakes, request: &Value) -> Got {
    let target = "CloudTrail_20131101.LookupEvents".to_owned();
    let headers = vec![("x-amz-target", target)];
    let call = Call { method: "POST", host: TRAIL, target: "/", headers, body: request.to_string() };
    fakes.send_signed(call, ID, SECRET).unwrap()
}

#[test]
fn callers() {
    let sso = "\n---\napiVersion: irsa.test/v1\nkind: AwsAccount\naccount: '444455556666'\n\
               caller: arn:aws:sts::444455556666:assumed-role/Admin/jane\n";
    let fakes = fakes("", sso);
    let got = ask(&fakes, STS, "GetCallerIdentity", &[]);
    assert_eq!(element(&got.body, "Arn"), "arn:aws:iam::111122223333:user/oncall");
    assert_eq!(element(&got.body, "Account"), "111122223333");

    let (id, secret) = ("ASIAUSER444455556666", "secret-access-key/of+444455556666");
    let without_token = fakes.send_signed(form(STS, "GetCallerIdentity", &[]), id, secret).unwrap();
    assert_eq!(refusal(&without_token).1, "InvalidClientTokenId");
    let mut call = form(STS, "GetCallerIdentity", &[]);
    call.headers.push(("x-amz-security-token", "session-token//of+444455556666==".to_owned()));
    let got = fakes.send_signed(call, id, secret).unwrap();
    assert_eq!(element(&got.body, "Arn"), "arn:aws:sts::444455556666:assumed-role/Admin/jane");
    assert!(element(&got.body, "UserId").ends_with(":jane"));
}

#[test]
fn credentials_that_are_refused() {
    let fakes = fakes("", "");
    let unsigned = fakes.send(&form(IAM, "GetRole", &[])).unwrap();
    assert_eq!(refusal(&unsigned).1, "MissingAuthenticationToken");
    let signed =
        |host, id, secret| refusal(&fakes.send_signed(form(host, "GetRole", &[]), id, secret).unwrap());
    assert_eq!(signed(IAM, "AKIANOBODY0000000000", SECRET).1, "InvalidClientTokenId");
    assert_eq!(signed(IAM, ID, "wrong").1, "SignatureDoesNotMatch");
    let other_partition = signed("iam.cn-north-1.amazonaws.com.cn", ID, SECRET);
    assert_eq!((other_partition.0, other_partition.1.as_str()), (403, "InvalidClientTokenId"));
    let call =
        Call { method: "GET", host: EKS, target: "/clusters", headers: Vec::new(), body: String::new() };
    let json = fakes.send_signed(call, ID, "wrong").unwrap();
    assert_eq!((json.code, json.header("x-amzn-errortype")), (403, "InvalidSignatureException"));

    let expired = super::fakes("", "sessionExpired: true");
    let found = refusal(&ask(&expired, STS, "GetCallerIdentity", &[]));
    assert_eq!((found.0, found.1.as_str()), (403, "ExpiredToken"));
    let found = lookup(&expired, &json!({}));
    assert_eq!((found.code, found.json()["__type"].as_str()), (400, Some("ExpiredTokenException")));
}

#[test]
fn credentials_that_sts_issued_are_noticed() {
    let fakes = fakes("", "");
    let token = fakes.token(|_| {});
    let params = [("RoleArn", ROLE), ("RoleSessionName", "debug"), ("WebIdentityToken", token.as_str())];
    let issued = fakes.assume(STS, &params).unwrap().body;
    assert_eq!(fakes.aws.issued_credentials_used(), 0);
    let mut call = form(STS, "GetCallerIdentity", &[]);
    call.headers.push(("x-amz-security-token", element(&issued, "SessionToken").to_owned()));
    let (id, secret) = (element(&issued, "AccessKeyId"), element(&issued, "SecretAccessKey"));
    let got = fakes.send_signed(call, id, secret).unwrap();
    assert_eq!(element(&got.body, "Arn"), "arn:aws:sts::111122223333:assumed-role/shop-checkout/debug");
    assert_eq!(fakes.aws.issued_credentials_used(), 1);
}

#[test]
fn roles_and_their_policies() {
    let account = ACCOUNT.replace(
        "  - name: shop-checkout",
        "  - name: verbatim
    path: /team/
    trust: '{ \"Version\" : \"2012-10-17\" }'
    attached: ['arn:aws:iam::aws:policy/A', 'arn:aws:iam::111122223333:policy/team/B']
    inline: {orders: {Statement: []}}
    boundary: arn:aws:iam::111122223333:policy/edge
    lastUsed: {date: 2026-11-21T00:00:00Z, region: eu-west-1}
  - name: shop-checkout",
    );
    let fakes = start(&format!("{HEADER}\n---\n{account}"));
    let role = ask(&fakes, IAM, "GetRole", &[("RoleName", "verbatim")]).body;
    assert_eq!(element(&role, "Arn"), "arn:aws:iam::111122223333:role/team/verbatim");
    let encoded = "%7B%20%22Version%22%20%3A%20%222012-10-17%22%20%7D";
    assert_eq!(element(&role, "AssumeRolePolicyDocument"), encoded);
    assert_eq!(element(&role, "PermissionsBoundaryArn"), "arn:aws:iam::111122223333:policy/edge");
    assert_eq!(element(&role, "LastUsedDate"), "2026-11-21T00:00:00Z");
    assert_eq!(element(&role, "CreateDate"), "2026-11-01T00:00:00Z");

    let list = |action| ask(&fakes, IAM, action, &[("RoleName", "verbatim")]).body;
    assert_eq!(element(&list("ListRolePolicies"), "member"), "orders");
    assert!(list("ListAttachedRolePolicies").contains("<PolicyName>B</PolicyName>"));
    let page = [("RoleName", "verbatim"), ("MaxItems", "1")];
    let first = ask(&fakes, IAM, "ListAttachedRolePolicies", &page).body;
    assert_eq!((element(&first, "IsTruncated"), element(&first, "PolicyName")), ("true", "A"));
    let next = [page[0], page[1], ("Marker", element(&first, "Marker"))];
    let second = ask(&fakes, IAM, "ListAttachedRolePolicies", &next).body;
    assert_eq!((element(&second, "IsTruncated"), element(&second, "PolicyName")), ("false", "B"));
    assert_eq!(ask(&fakes, IAM, "ListRoles", &[]).body.matches("<RoleName>").count(), 2);
    let inline =
        ask(&fakes, IAM, "GetRolePolicy", &[("RoleName", "verbatim"), ("PolicyName", "orders")]).body;
    assert_eq!(element(&inline, "PolicyDocument"), "%7B%22Statement%22%3A%5B%5D%7D");

    let missing = refusal(&ask(&fakes, IAM, "GetRole", &[("RoleName", "nobody")]));
    let expected = (404, "NoSuchEntity".to_owned(), "The role with name nobody cannot be found.".to_owned());
    assert_eq!(missing, expected);
}

#[test]
fn providers() {
    let fakes = fakes("", "");
    let arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";
    assert_eq!(element(&ask(&fakes, IAM, "ListOpenIDConnectProviders", &[]).body, "Arn"), arn);
    let get = |arn| ask(&fakes, IAM, "GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)]);
    let provider = get(arn).body;
    assert_eq!(element(&provider, "Url"), "oidc.eks.eu-west-1.amazonaws.com/id/A");
    assert_eq!(element(&provider, "ClientIDList"), "<member>sts.amazonaws.com</member>");
    let other = "arn:aws:iam::111122223333:oidc-provider/other";
    let message = format!("OpenIDConnect Provider not found for arn {other}");
    assert_eq!(refusal(&get(other)), (404, "NoSuchEntity".to_owned(), message));
    assert_eq!(get("arn:aws:iam::444455556666:oidc-provider/x").code, 500);
    assert_eq!(fakes.aws.problems().len(), 1);
}

#[test]
fn simulations() {
    let simulate = "simulate:\n  - {action: 's3:GetObject', resource: 'arn:aws:s3:::orders/*', decision: explicitDeny, \
                    matched: [edge], boundaryAllows: true, organizationAllows: false}\n";
    let fakes = fakes("", simulate);
    let run = |action| {
        let params = [
            ("PolicySourceArn", ROLE),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", "arn:aws:s3:::orders/*"),
        ];
        ask(&fakes, IAM, "SimulatePrincipalPolicy", &params)
    };
    let body = run("s3:GetObject").body;
    assert_eq!(element(&body, "EvalDecision"), "explicitDeny");
    assert_eq!(element(&body, "SourcePolicyId"), "edge");
    assert_eq!(element(&body, "AllowedByPermissionsBoundary"), "true");
    assert_eq!(element(&body, "AllowedByOrganizations"), "false");
    assert_eq!(run("s3:PutObject").code, 500);
    assert!(
        fakes.aws.problems()[0].contains("no entry in simulate for s3:PutObject on arn:aws:s3:::orders/*")
    );
}

#[test]
fn clusters() {
    let role = "roleArn: 'arn:aws:iam::111122223333:role/x'";
    let account = format!(
        "eks:
  - name: main
    region: eu-west-1
    podIdentityAssociations:
      - {{namespace: shop, serviceAccount: a, {role}}}
      - {{namespace: shop, serviceAccount: b, {role}}}
  - {{name: far, region: eu-west-2}}
"
    );
    let fakes = fakes("", &account);
    assert_eq!(get(&fakes, "/clusters").json(), json!({"clusters": ["main"]}));
    let cluster = get(&fakes, "/clusters/main").json()["cluster"].clone();
    assert_eq!(cluster["identity"]["oidc"]["issuer"], ISSUER);
    assert_eq!(cluster["arn"], "arn:aws:eks:eu-west-1:111122223333:cluster/main");
    let missing = get(&fakes, "/clusters/far");
    assert_eq!((missing.code, missing.header("x-amzn-errortype")), (404, "ResourceNotFoundException"));
    assert_eq!(missing.json()["message"], "No cluster found for name: far.");

    let list = |query: &str| get(&fakes, &format!("/clusters/main/pod-identity-associations{query}")).json();
    let first = list("?maxResults=1");
    assert_eq!((first["associations"].as_array().unwrap().len(), &first["nextToken"]), (1, &json!("1")));
    assert_eq!(list("?maxResults=1&nextToken=1")["associations"][0]["serviceAccount"], "b");
    assert_eq!(list("?namespace=other")["associations"], json!([]));
    let chosen = list("?namespace=shop&serviceAccount=b")["associations"][0].clone();
    assert!(chosen["roleArn"].is_null(), "only a description tells the role");
    let id = chosen["associationId"].as_str().unwrap();
    let described = get(&fakes, &format!("/clusters/main/pod-identity-associations/{id}")).json();
    assert_eq!(described["association"]["roleArn"], "arn:aws:iam::111122223333:role/x");
    assert_eq!(get(&fakes, "/clusters/main/addons").code, 500);
    assert_eq!(fakes.aws.problems(), ["the fake AWS does not know the answer: GET /clusters/main/addons"]);
}

#[test]
fn the_trail() {
    let event = |time: &str, more: &str| {
        format!(
            "  - {{time: '2026-11-22T0{time}:00Z', region: eu-west-1, roleArn: '{ROLE}', subject: 'a'{more}}}\n"
        )
    };
    let account = format!(
        "trail:\n{}{}{}",
        event("6:00", ""),
        event("7:00", ", errorCode: AccessDenied"),
        event("5:00", "").replace("eu-west-1", "eu-west-2")
    );
    let fakes = fakes("", &account);
    let by_name = json!([{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]);
    let first = lookup(&fakes, &json!({"LookupAttributes": by_name, "MaxResults": 1})).json();
    assert_eq!(first["NextToken"], "1");
    let record: Value =
        serde_json::from_str(first["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventTime"], "2026-11-22T07:00:00Z", "the newest first");
    assert_eq!(
        (&record["errorCode"], &record["errorMessage"]),
        (&json!("AccessDenied"), &json!("An unknown error occurred"))
    );
    assert_eq!(record["userIdentity"]["userName"], "a");
    let second = lookup(&fakes, &json!({"MaxResults": 1, "NextToken": "1"}));
    assert_eq!(second.json()["Events"][0]["EventTime"], 1_795_327_200);
    assert!(fakes.aws.secrets().iter().any(|secret| second.body.contains(secret)), "as real records do");
    let since = lookup(&fakes, &json!({"StartTime": 1_795_330_000, "EndTime": 1_795_334_400})).json();
    assert_eq!(since["Events"].as_array().unwrap().len(), 1);
    let two = json!([{"AttributeKey": "EventName", "AttributeValue": "x"}, {"AttributeKey": "Username", "AttributeValue": "x"}]);
    assert_eq!(lookup(&fakes, &json!({ "LookupAttributes": two })).code, 500);
    assert_eq!(
        fakes.aws.problems(),
        ["the fake AWS does not know the answer: LookupEvents by several attributes"]
    );
}

#[test]
fn denials() {
    let fakes = fakes("", "deny: ['iam:*', 'eks:DescribeCluster', 'cloudtrail:LookupEvents']");
    let user = "User: arn:aws:iam::111122223333:user/oncall is not authorized to perform:";
    for (action, params, resource) in [
        ("GetRole", vec![("RoleName", "x")], "role x"),
        ("ListOpenIDConnectProviders", vec![], "arn:aws:iam::111122223333:oidc-provider/*"),
        ("SimulatePrincipalPolicy", vec![("PolicySourceArn", ROLE)], ROLE),
    ] {
        let message = format!(
            "{user} iam:{action} on resource: {resource} because no identity-based policy allows the iam:{action} action"
        );
        assert_eq!(refusal(&ask(&fakes, IAM, action, &params)), (403, "AccessDenied".to_owned(), message));
    }
    let eks = get(&fakes, "/clusters/main");
    assert_eq!((eks.code, eks.header("x-amzn-errortype")), (403, "AccessDeniedException"));
    assert!(eks.message().contains("on resource: arn:aws:eks:eu-west-1:111122223333:cluster/main because"));
    let trail = lookup(&fakes, &json!({}));
    assert_eq!((trail.code, &trail.json()["__type"]), (400, &json!("AccessDeniedException")));
}

#[test]
fn faults() {
    let fakes = fakes(
        "laptop: {unreachable: [sts.eu-west-2.amazonaws.com]}",
        "throttle: ['iam:List*', 'eks:*']\nfail: {'iam:GetRole': 503}\ncut: ['sts:*']\n",
    );
    let throttled = refusal(&ask(&fakes, IAM, "ListRoles", &[]));
    assert_eq!(throttled, (400, "Throttling".to_owned(), "Rate exceeded".to_owned()));
    assert_eq!(get(&fakes, "/clusters").code, 429);
    assert_eq!(refusal(&ask(&fakes, IAM, "GetRole", &[])).1, "ServiceUnavailable");
    assert_eq!(fakes.assume(STS, &[("RoleArn", ROLE)]).unwrap_err(), NoAnswer::Broken);
    for host in ["sts.eu-west-2.amazonaws.com", "sts.eu-west-9.amazonaws.com", "example.com"] {
        let refused = fakes.assume(host, &[]).unwrap_err();
        assert_eq!(refused, NoAnswer::Proxy("HTTP/1.1 502 Bad Gateway".to_owned()), "{host}");
    }
    let seen = fakes.aws.requests();
    assert_eq!(seen.iter().filter(|seen| seen.action == "CONNECT").count(), 3);
    assert!(seen.iter().any(|seen| seen.status.is_none()), "the cut one");
    assert_eq!(fakes.aws.problems(), Vec::<String>::new());
}

#[test]
fn the_environment_of_a_user() {
    let more = "profiles: [prod]\nregion: eu-west-1\n---\napiVersion: irsa.test/v1\nkind: AwsAccount\n\
                account: '444455556666'\ncaller: arn:aws:sts::444455556666:assumed-role/Admin/jane\nprofiles: [other]\n";
    let fakes = fakes("", more);
    let directory = tempfile::tempdir().unwrap();
    let variables = fakes.aws.env(directory.path());
    let value =
        |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(value("AWS_ACCESS_KEY_ID"), Some(ID));
    assert_eq!(value("AWS_SECRET_ACCESS_KEY"), Some(SECRET));
    assert_eq!((value("AWS_SESSION_TOKEN"), value("AWS_REGION")), (None, Some("eu-west-1")));
    assert_eq!(value("HTTPS_PROXY"), Some(fakes.aws.proxy().as_str()));
    let file = |name| std::fs::read_to_string(value(name).unwrap()).unwrap();
    assert_eq!(file("AWS_CONFIG_FILE"), "[profile prod]\nregion = eu-west-1\n[profile other]\n");
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE");
    assert!(credentials.starts_with(&format!("[prod]\naws_access_key_id = {ID}\n")), "{credentials}");
    assert!(credentials.contains("aws_session_token = session-token//of+444455556666=="), "{credentials}");

    let out = super::fakes("", "signedIn: false");
    assert!(!out.aws.env(directory.path()).iter().any(|(name, _)| name == "AWS_ACCESS_KEY_ID"));
}
