//! EKS: clusters and EKS Pod Identity associations of the caller's account, in the endpoint's Region.

use super::account::{Account, Association, Cluster};
use super::call::Call;
use super::failure::Failure;
use super::serve::Server;
use crate::world::uid_of;
use serde_json::{Value, json};

/// EKS's operations.
pub fn answer(server: &Server, call: &Call, account: &Account) -> Result<Value, Failure> {
    match call.operation.as_str() {
        "ListClusters" => {
            let names = clusters(account, call).map(|cluster| json!(cluster.name));
            page(call, "clusters", names.collect())
        }
        "DescribeCluster" => {
            let cluster = cluster(account, call)?;
            Ok(json!({ "cluster": described(server, account, cluster) }))
        }
        "ListPodIdentityAssociations" => {
            let cluster = cluster(account, call)?;
            let wanted = |name: &str, value: &str| call.param(name).is_none_or(|wanted| wanted == value);
            let associations = cluster
                .pod_identity_associations
                .iter()
                .filter(|a| wanted("namespace", &a.namespace) && wanted("serviceAccount", &a.service_account))
                .map(|association| listed(account, cluster, association));
            page(call, "associations", associations.collect())
        }
        "DescribePodIdentityAssociation" => {
            let cluster = cluster(account, call)?;
            let found = &cluster.pod_identity_associations[index(cluster, call)?];
            Ok(json!({ "association": association(account, cluster, found) }))
        }
        "CreateAddon" => {
            let (cluster, name) =
                (cluster(account, call)?, call.json["addonName"].as_str().unwrap_or_default());
            if name != "eks-pod-identity-agent" {
                return Err(Failure::NotModelled(format!("add-on {name}")));
            }
            let is_own = cluster.issuer(&server.header.issuer) == server.header.issuer;
            if is_own && !server.cluster.get().is_some_and(|install| install()) {
                let message = "Addon already exists.";
                return Err(Failure::refused(409, "ResourceInUseException", message));
            }
            let arn = arn(account, &cluster.region, &format!("addon/{}/{name}/1", cluster.name));
            Ok(json!({ "addon": {
                "addonName": name, "clusterName": cluster.name, "status": "CREATING", "addonArn": arn,
                "createdAt": server.now().as_second(), "modifiedAt": server.now().as_second(),
            }}))
        }
        // What runs on the nodes stays, as with `--preserve`.
        "DeleteAddon" => {
            let (cluster, name) = (cluster(account, call)?, call.text("addonName"));
            Ok(json!({ "addon": {"addonName": name, "clusterName": cluster.name, "status": "DELETING"}}))
        }
        "CreatePodIdentityAssociation" => create_association(server, call, account),
        "UpdatePodIdentityAssociation" => {
            let (body, accounts) = (&call.json, server.accounts());
            server.change(&account.account, |account| {
                let (at, number) = position(account, call)?;
                let role =
                    body["roleArn"].as_str().map(|arn| role_of(account, &accounts, arn)).transpose()?;
                let changed = &mut account.eks[at].pod_identity_associations[number];
                changed.role_arn = role.unwrap_or_else(|| changed.role_arn.clone());
                changed.disable_session_tags =
                    body["disableSessionTags"].as_bool().unwrap_or(changed.disable_session_tags);
                // An empty text removes it.
                if let Some(target) = body["targetRoleArn"].as_str() {
                    changed.target_role_arn = (!target.is_empty()).then(|| target.to_owned());
                }
                let cluster = &account.eks[at];
                let shown = association(account, cluster, &cluster.pod_identity_associations[number]);
                Ok(json!({ "association": shown }))
            })
        }
        "DeletePodIdentityAssociation" => server.change(&account.account, |account| {
            let (at, number) = position(account, call)?;
            let cluster = &account.eks[at];
            let shown = association(account, cluster, &cluster.pod_identity_associations[number]);
            account.eks[at].pod_identity_associations.remove(number);
            Ok(json!({ "association": shown }))
        }),
        other => Err(Failure::NotModelled(format!("eks:{other}"))),
    }
}

/// How a denial names what the call is about.
pub fn resource(account: &Account, call: &Call) -> String {
    let name = call.param("name").unwrap_or("*");
    match call.param("associationId") {
        Some(id) => arn(account, &call.endpoint.region, &format!("podidentityassociation/{name}/{id}")),
        None => arn(account, &call.endpoint.region, &format!("cluster/{name}")),
    }
}

fn arn(account: &Account, region: &str, resource: &str) -> String {
    format!("arn:{}:eks:{region}:{}:{resource}", account.partition.name(), account.account)
}

fn clusters<'a>(account: &'a Account, call: &'a Call) -> impl Iterator<Item = &'a Cluster> {
    account.eks.iter().filter(|cluster| cluster.region == call.endpoint.region)
}

fn cluster<'a>(account: &'a Account, call: &'a Call) -> Result<&'a Cluster, Failure> {
    let name = call.text("name");
    clusters(account, call)
        .find(|cluster| cluster.name == name)
        .ok_or_else(|| no_such(format!("No cluster found for name: {name}.")))
}

/// Which of a cluster's associations has this id.
fn index(cluster: &Cluster, call: &Call) -> Result<usize, Failure> {
    let id = call.text("associationId");
    let found = cluster.pod_identity_associations.iter().position(|it| association_id(cluster, it) == id);
    found.ok_or_else(|| no_such(format!("No association found for id: {id}.")))
}

/// The same with the index of the cluster.
fn position(account: &Account, call: &Call) -> Result<(usize, usize), Failure> {
    let found = cluster(account, call)?;
    let at = account.eks.iter().position(|it| std::ptr::eq(it, found)).unwrap_or_default();
    Ok((at, index(found, call)?))
}

/// The role of an association lies in the cluster's account, and exists.
fn role_of(account: &Account, all: &[Account], arn: &str) -> Result<String, Failure> {
    let invalid = |message: &str| Failure::refused(400, "InvalidParameterException", message);
    if account.roles.iter().any(|role| account.role_arn(role) == arn) {
        return Ok(arn.to_owned());
    }
    let elsewhere = all.iter().flat_map(|other| other.roles.iter().map(move |role| other.role_arn(role)));
    Err(match elsewhere.into_iter().any(|other| other == arn) {
        true => invalid("Cross-account pass role is not allowed."),
        false => invalid("Role provided in the request does not exist."),
    })
}

fn create_association(server: &Server, call: &Call, account: &Account) -> Result<Value, Failure> {
    let text = |name: &str| call.json[name].as_str().map(str::to_owned);
    let required = |name: &str| {
        let message = format!("{name} is required");
        text(name).ok_or_else(|| Failure::refused(400, "InvalidParameterException", message))
    };
    let new = Association {
        namespace: required("namespace")?,
        service_account: required("serviceAccount")?,
        role_arn: role_of(account, &server.accounts(), &required("roleArn")?)?,
        target_role_arn: text("targetRoleArn"),
        disable_session_tags: call.json["disableSessionTags"].as_bool().unwrap_or(false),
        created: server.now(),
    };
    server.change(&account.account, |account| {
        let found = cluster(account, call)?;
        let at = account.eks.iter().position(|it| std::ptr::eq(it, found)).unwrap_or_default();
        let same = |it: &&Association| {
            (&it.namespace, &it.service_account) == (&new.namespace, &new.service_account)
        };
        if let Some(same) = found.pod_identity_associations.iter().find(same) {
            let message = format!("Association already exists: {}", association_id(found, same));
            return Err(Failure::refused(409, "ResourceInUseException", message));
        }
        account.eks[at].pod_identity_associations.push(new.clone());
        Ok(json!({ "association": association(account, &account.eks[at], &new) }))
    })
}

fn no_such(message: String) -> Failure {
    Failure::refused(404, "ResourceNotFoundException", message)
}

fn described(server: &Server, account: &Account, cluster: &Cluster) -> Value {
    json!({
        "name": cluster.name, "arn": arn(account, &cluster.region, &format!("cluster/{}", cluster.name)),
        "createdAt": cluster.created.as_second(), "version": cluster.version, "endpoint": cluster.endpoint,
        "identity": { "oidc": { "issuer": cluster.issuer(&server.header.issuer) } },
        "status": cluster.status, "platformVersion": cluster.platform_version, "tags": {},
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" }, "health": { "issues": [] },
    })
}

/// Lists do not tell the role.
fn listed(account: &Account, cluster: &Cluster, association: &Association) -> Value {
    let id = association_id(cluster, association);
    let resource = format!("podidentityassociation/{}/{id}", cluster.name);
    json!({
        "clusterName": cluster.name, "namespace": association.namespace,
        "serviceAccount": association.service_account,
        "associationArn": arn(account, &cluster.region, &resource), "associationId": id,
    })
}

fn association(account: &Account, cluster: &Cluster, association: &Association) -> Value {
    let mut described = listed(account, cluster, association);
    described["roleArn"] = json!(association.role_arn);
    described["createdAt"] = json!(association.created.as_second());
    described["modifiedAt"] = json!(association.created.as_second());
    described["disableSessionTags"] = json!(association.disable_session_tags);
    described["tags"] = json!({});
    if let Some(target) = &association.target_role_arn {
        described["targetRoleArn"] = json!(target);
        described["externalId"] = json!(external_id(account, cluster, association));
    }
    described
}

/// What EKS sends to the target role as `sts:ExternalId` (EKS user guide, `pod-id-assign-target-role`).
pub fn external_id(account: &Account, cluster: &Cluster, association: &Association) -> String {
    let Association { namespace, service_account, .. } = association;
    format!("{}/{}/{}/{namespace}/{service_account}", cluster.region, account.account, cluster.name)
}

/// The ARN of a cluster.
pub fn cluster_arn(account: &Account, cluster: &Cluster) -> String {
    arn(account, &cluster.region, &format!("cluster/{}", cluster.name))
}

fn association_id(cluster: &Cluster, association: &Association) -> String {
    let of = format!("{}/{}/{}", cluster.name, association.namespace, association.service_account);
    format!("a-{}", &uid_of(&of).replace('-', "")[..17])
}

/// A list in pages: 100 entries unless the call names another number.
fn page(call: &Call, name: &str, items: Vec<Value>) -> Result<Value, Failure> {
    let page = call.page("nextToken", "maxResults", 100, items)?;
    let mut answer = json!({ name: page.items });
    if let Some(next) = page.next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}
