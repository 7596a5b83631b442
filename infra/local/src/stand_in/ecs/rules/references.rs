//! The rules of what names something else of the definition: dependencies, volumes, FireLens, the proxy.

use std::collections::BTreeSet;

use super::{Object, Registration};
use crate::stand_in::ecs::input::client;
use crate::stand_in::refusal::Refusal;

/// The properties without which there is no App Mesh proxy, and AWS's name for each.
const PROXY_PROPERTIES: [(&str, &str); 2] = [("ProxyIngressPort", "Ingress"), ("ProxyEgressPort", "Egress")];

pub(super) fn check(registration: Registration<'_>) -> Result<(), Refusal> {
    check_dependencies(registration)?;
    check_volumes(registration)?;
    check_mounts(registration)?;
    check_firelens(registration)?;
    check_proxy(registration)
}

fn check_dependencies(registration: Registration<'_>) -> Result<(), Refusal> {
    for container in registration.containers() {
        for dependency in container.objects("dependsOn") {
            let name = dependency.text("containerName");
            let Some(other) = registration.container(name) else {
                return Err(client(format!("Cannot depend on container + '{name}' because it does not exist")));
            };
            let is_essential = !other.has("essential") || other.is_on("essential");
            match dependency.text("condition") {
                "SUCCESS" | "COMPLETE" if is_essential => {
                    return Err(client(
                        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
                    ));
                }
                "HEALTHY" if !other.has("healthCheck") => {
                    return Err(client(
                        "A dependency container with HEALTHY condition must have health check configured",
                    ));
                }
                _ => {}
            }
        }
    }
    // Takes out what depends on nothing that is left, again and again: what stays depends on itself.
    let mut left: BTreeSet<&str> = registration.containers().map(|container| container.text("name")).collect();
    while let Some(free) = registration.containers().find(|container| {
        left.contains(container.text("name"))
            && !container.objects("dependsOn").any(|dependency| left.contains(dependency.text("containerName")))
    }) {
        left.remove(free.text("name"));
    }
    if left.is_empty() { Ok(()) } else { Err(client("Container dependencies cannot have a cycle.")) }
}

fn check_volumes(registration: Registration<'_>) -> Result<(), Refusal> {
    for volume in registration.whole.objects("volumes") {
        let efs = volume.object("efsVolumeConfiguration");
        let authorization = efs.object("authorizationConfig");
        let encrypted = efs.text("transitEncryption") == "ENABLED";
        if authorization.says("accessPointId") && !["", "/"].contains(&efs.text("rootDirectory")) {
            return Err(client(
                "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
            ));
        }
        if authorization.text("iam") == "ENABLED" && !encrypted {
            return Err(client("EFS IAM authorization requires TransitEncryption to be enabled"));
        }
        if efs.has("transitEncryptionPort") && !encrypted {
            return Err(client("TransitEncryptionPort requires that TransitEncryption is enabled"));
        }
    }
    Ok(())
}

fn check_mounts(registration: Registration<'_>) -> Result<(), Refusal> {
    let volumes: BTreeSet<&str> = registration.whole.objects("volumes").map(|volume| volume.text("name")).collect();
    let mut mounted = BTreeSet::new();
    for container in registration.containers() {
        for mount in container.objects("mountPoints").map(|mount| mount.text("sourceVolume")) {
            if !volumes.contains(mount) {
                return Err(client(format!("Unknown volume '{mount}'.")));
            }
            mounted.insert(mount);
        }
        for source in container.objects("volumesFrom").map(|source| source.text("sourceContainer")) {
            if registration.container(source).is_none() {
                return Err(client(format!("Invalid 'volumesFrom' setting. Unknown container: '{source}'.")));
            }
        }
    }
    let at_launch = registration.whole.objects("volumes").filter(|volume| volume.is_on("configuredAtLaunch"));
    let unmounted: Vec<&str> =
        at_launch.map(|volume| volume.text("name")).filter(|name| !mounted.contains(name)).collect();
    if unmounted.is_empty() {
        return Ok(());
    }
    Err(client(format!("Volumes [{}] are not referenced by any of the containers", unmounted.join(", "))))
}

fn check_firelens(registration: Registration<'_>) -> Result<(), Refusal> {
    let logs = |container: &Object<'_>| container.object("logConfiguration").text("logDriver") == "awsfirelens";
    let routes = |container: &Object<'_>| container.has("firelensConfiguration");
    let (logs, routes) =
        (registration.containers().any(|each| logs(&each)), registration.containers().any(|each| routes(&each)));
    match (logs, routes) {
        (true, false) => Err(client(
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified",
        )),
        (false, true) => Err(client(
            "When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver",
        )),
        _ => Ok(()),
    }?;
    // FireLens's configuration in S3 is named by ARN.
    for options in registration.containers().map(|each| each.object("firelensConfiguration").object("options")) {
        if options.text("config-file-type") == "s3" && !options.text("config-file-value").starts_with("arn:") {
            return Err(client("Invalid arn syntax."));
        }
    }
    Ok(())
}

fn check_proxy(registration: Registration<'_>) -> Result<(), Refusal> {
    let proxy = registration.whole.object("proxyConfiguration");
    if !proxy.says("containerName") {
        return Ok(());
    }
    if !registration.is_awsvpc() {
        return Err(client("APPMESH proxy configuration is only supported in networkMode=awsvpc."));
    }
    let name = proxy.text("containerName");
    if registration.container(name).is_none() {
        return Err(client(format!("Proxy container [{name}] does not exist")));
    }
    let given: BTreeSet<&str> = proxy.objects("properties").map(|property| property.text("name")).collect();
    match PROXY_PROPERTIES.into_iter().find(|(property, _)| !given.contains(property)) {
        Some((_, noun)) => Err(client(format!("{noun} port not found"))),
        None => Ok(()),
    }
}
