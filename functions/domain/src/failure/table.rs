//! The table of known causes. The first that shows is named, so what is more specific stands before what is less, and
//! what AWS says of a stopped task before what only follows from it.
//!
//! A new cause is a new entry here and a line in `docs/failures.md`. How a failure is read: `Seen`, in `causes`.

use super::causes::{Cause, has_one};
use super::{Observation, Source, Who};
use crate::error::{NOT_ALLOWED, PERMISSION_DENIED};
use crate::step::Step;

/// The table.
pub static CAUSES: [Cause; 42] = [
    // Berth itself, and what AWS refuses (docs/aws.md#retry-or-give-up).
    Cause {
        name: "not_allowed",
        meaning: "The deployment no longer allows what the environment was created with: a subnet, a security group, a public address, or its task definition (its family, a role, or the team in its tag `berth:team`).",
        what_to_do: "Delete this environment and create it again within what the message names; or have the message's rule widened (the tag by the owner of the task definition, a limit of the deployment by an operator), then {retry}.",
        who: Who::Caller,
        shows: |seen| seen.code == NOT_ALLOWED,
    },
    Cause {
        name: "permission_denied",
        meaning: "Berth's role may not make the AWS call that the message names.",
        what_to_do: "An operator has to allow that call in the policy of Berth's worker; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.code == PERMISSION_DENIED,
    },
    Cause {
        name: "quota_exceeded",
        meaning: "A quota of the AWS account is used up: load balancers, VPC links, REST APIs, target groups.",
        what_to_do: "Delete environments that are not needed, or have an operator raise the quota that the message names; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.code == "aws_quota_exceeded",
    },
    Cause {
        name: "service_linked_role_missing",
        meaning: "ECS has no service-linked role in this account, or may not assume it.",
        what_to_do: "An operator creates it once (`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`); then {retry}.",
        who: Who::Operator,
        shows: |seen| {
            seen.message_mentions(&[
                "Unable to assume the service linked role",
                "the ECS service role being passed has the proper permissions",
            ])
        },
    },
    Cause {
        name: "cluster_missing",
        meaning: "The ECS cluster that the environment is pinned to is not there.",
        what_to_do: "An operator has to bring the cluster back, then {retry}; or delete this environment and create it again in the deployment's present cluster.",
        who: Who::Operator,
        shows: |seen| seen.message_mentions(&["ClusterNotFoundException", "Cluster not found"]),
    },
    Cause {
        name: "subnet_without_addresses",
        meaning: "A subnet has no free address left for the load balancer or a task.",
        what_to_do: "Name other subnets in a new environment, or have an operator free addresses; then {retry}.",
        who: Who::Operator,
        shows: |seen| {
            let texts = [
                "Not enough IP space available",
                "enough free addresses",
                "no free IP addresses",
                "InsufficientFreeAddresses",
            ];
            seen.message_mentions(&texts) || seen.tasks_say(&texts)
        },
    },
    Cause {
        name: "network_not_found",
        meaning: "A subnet or security group is not there, or does not belong to the same VPC.",
        what_to_do: "Delete this environment and create it again with subnets and security groups that exist. If the request named none, an operator has to correct the deployment's.",
        who: Who::Caller,
        shows: |seen| {
            seen.message_mentions(&[
                "SubnetNotFound",
                "InvalidSubnet",
                "InvalidSecurityGroup",
                "InvalidGroup",
                "subnet ID",
                "security group ID",
            ])
        },
    },
    Cause {
        name: "task_definition_inactive",
        meaning: "The pinned revision of the task definition was deregistered or deleted.",
        what_to_do: "The revision is pinned: delete this environment and create it again with an active revision.",
        who: Who::Caller,
        shows: |seen| {
            let texts = ["TaskDefinition is inactive", "The task definition does not exist"];
            seen.code == "task_definition_not_found" || seen.message_mentions(&texts) || seen.tasks_say(&texts)
        },
    },
    // Why tasks do not start or do not stay (docs/aws.md#why-tasks-stop).
    Cause {
        name: "registry_not_reachable",
        meaning: "Tasks have no way to the image registry.",
        what_to_do: "The tasks' subnets need a NAT gateway or VPC endpoints for the registry, or the tasks a public address (`network.assign_public_ip`): an operator can give the former, a new environment the latter. Then {retry}.",
        who: Who::Operator,
        shows: |seen| {
            seen.tasks_say(&["unable to retrieve ecr registry auth", "api.ecr."])
                || seen.at(Source::StoppedTask).any(|detail| {
                    detail.contains("CannotPull")
                        && has_one(
                            detail,
                            &["i/o timeout", "dial tcp", "Client.Timeout", "request canceled", "no such host"],
                        )
                })
        },
    },
    Cause {
        name: "registry_rate_limited",
        meaning: "The image registry answers no more pulls for now.",
        what_to_do: "Wait and {retry}; to be rid of it, keep the image in a registry of your own (ECR) and create the environment from a revision that names it there.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["toomanyrequests", "pull rate limit"]),
    },
    Cause {
        name: "image_of_other_platform",
        meaning: "The image is not built for the task's processor.",
        what_to_do: "Build the image for the platform of the task definition (`runtimePlatform`, linux/amd64 if it names none), push it under the same name, and {retry}.",
        who: Who::Caller,
        shows: |seen| {
            // The second is the kernel's word for it, and comes where the program's own words would.
            seen.tasks_say(&["descriptor matching platform"])
                || (seen.tasks_say(&["EssentialContainerExited"]) && seen.says(Source::Log, &["exec format error"]))
        },
    },
    Cause {
        name: "image_not_pullable",
        meaning: "The image cannot be pulled: its name or tag is wrong, or the task's execution role may not read it.",
        what_to_do: "Push the image, or let the task's execution role pull it, then {retry}. If the task definition names the wrong image, register a corrected revision, delete this environment and create it again: the revision is pinned.",
        who: Who::Caller,
        shows: |seen| {
            seen.tasks_say(&["CannotPullContainerError", "CannotPullImageManifestError", "CannotPullECRContainerError"])
        },
    },
    Cause {
        name: "logging_not_set_up",
        meaning: "The task cannot write its log: its log group is missing, or its execution role may not write there.",
        what_to_do: "Create the log group that the evidence names, or allow the task's execution role to write to it (logs:CreateLogStream, logs:PutLogEvents); then {retry}.",
        who: Who::Caller,
        shows: |seen| {
            seen.tasks_say(&[
                "failed to validate logger args",
                "failed to initialize logging driver",
                "failed to create Cloudwatch log stream",
            ])
        },
    },
    Cause {
        name: "volume_not_mountable",
        meaning: "A file system of the task cannot be mounted.",
        what_to_do: "See in `evidence` which one; let the tasks' security group reach it (NFS, port 2049) and their role mount it; then {retry}.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["EFS utils", "mount.nfs4", "failed to mount"]),
    },
    Cause {
        name: "secrets_not_readable",
        meaning: "A secret or parameter that the task definition names cannot be read: it is not there, its execution role may not read it, or it cannot be reached.",
        what_to_do: "Create the secret that the evidence names, or let the task's execution role read it (secretsmanager:GetSecretValue, ssm:GetParameters), then {retry}.",
        who: Who::Caller,
        shows: |seen| {
            seen.tasks_say(&[
                "unable to pull secrets",
                "unable to retrieve secret",
                "failed to fetch secret",
                "invalid ssm parameters",
            ])
        },
    },
    Cause {
        name: "task_role_unusable",
        meaning: "ECS may not assume a role that the task definition names.",
        what_to_do: "Let ecs-tasks.amazonaws.com assume the task's roles, then {retry}.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["unable to assume the role"]),
    },
    Cause {
        name: "out_of_memory",
        meaning: "A container used more memory than the task definition gives it.",
        what_to_do: "Register a revision with more memory, then delete this environment and create it again: the revision is pinned.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["OutOfMemory"]),
    },
    Cause {
        name: "container_cannot_start",
        meaning: "A container's program could not be started: a wrong command or entry point, usually.",
        what_to_do: "See in `evidence` what could not be started. Fix the image and {retry}, or register a corrected revision, delete this environment and create it again: the revision is pinned.",
        who: Who::Caller,
        shows: |seen| {
            seen.tasks_say(&["CannotStartContainerError", "CannotCreateContainerError", "ContainerRuntimeError"])
        },
    },
    Cause {
        name: "container_health_check_failing",
        meaning: "The health check in the task definition finds a container unhealthy.",
        what_to_do: "See the last log lines in `evidence`. Fix the program or the task definition's health check; for a new image of the same name {retry}; a new revision needs a new environment.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["failed container health checks"]),
    },
    Cause {
        name: "container_exited",
        meaning: "A program ended that should go on running.",
        what_to_do: "See its exit code and last log lines in `evidence`. Fix the image and {retry}, or register a corrected revision, delete this environment and create it again: the revision is pinned.",
        who: Who::Caller,
        shows: |seen| seen.tasks_say(&["EssentialContainerExited", "Essential container in task exited"]),
    },
    Cause {
        name: "vcpu_quota",
        meaning: "The account runs as many Fargate vCPUs at one time as its quota allows.",
        what_to_do: "Delete environments that are not needed, or have an operator raise the quota \"Fargate On-Demand vCPU resource count\"; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.tasks_say(&["limit on the number of vCPUs"]),
    },
    Cause {
        name: "no_capacity",
        meaning: "AWS has no Fargate capacity left in these zones for now.",
        what_to_do: "Wait a little and {retry}, or create the environment in subnets of other zones.",
        who: Who::Aws,
        shows: |seen| seen.tasks_say(&["Capacity is unavailable"]),
    },
    Cause {
        name: "task_lost_by_aws",
        meaning: "AWS ended the tasks: an internal error, a retired host, or a network interface that was not made in time.",
        what_to_do: "Usually it passes: {retry}. If it does not, give the operators the id {id}.",
        who: Who::Aws,
        shows: |seen| {
            seen.tasks_say(&[
                "InternalError",
                "InfrastructureHealth",
                "TerminationNotice",
                "SpotInterruption",
                "network interface provisioning",
            ])
        },
    },
    // The load balancer's view of the tasks (docs/aws.md#target-health).
    Cause {
        name: "zone_not_enabled",
        meaning: "Tasks run in an availability zone that the load balancer does not serve.",
        what_to_do: "Delete this environment and create it again with one subnet for each zone; if the request named none, an operator has to correct the deployment's subnets.",
        who: Who::Operator,
        shows: |seen| seen.says(Source::TargetHealth, &["Target.NotInUse"]),
    },
    Cause {
        name: "listens_on_loopback",
        meaning: "By its log, the program listens on 127.0.0.1 only, which only its own container can reach.",
        what_to_do: "Make the program listen on 0.0.0.0. Push the corrected image under the same name and {retry}, or create the environment again from a corrected revision.",
        who: Who::Caller,
        shows: |seen| {
            let mut said = seen.listens().filter(|said| seen.expects(said.port)).peekable();
            seen.is_unhealthy() && said.peek().is_some() && said.all(|said| said.only_itself)
        },
    },
    Cause {
        name: "port_mismatch",
        meaning: "By its log, the program listens on another port than the load balancer asks.",
        what_to_do: "Make the program listen on the port that the task definition maps (`container.port`) and {retry}; or map the port of the log, and delete this environment and create it again from that revision.",
        who: Who::Caller,
        shows: |seen| {
            let known = seen.at(Source::TargetHealth).next().is_some();
            let mut said = seen.listens().peekable();
            known && seen.is_unhealthy() && said.peek().is_some() && said.all(|said| !seen.expects(said.port))
        },
    },
    Cause {
        name: "security_group_closed",
        meaning: "Nothing comes back from the tasks: usually a security group is closed between load balancer and tasks, or between API Gateway and load balancer.",
        what_to_do: "The tasks' security groups have to let the load balancer in on the container's port. Fix them and {retry}; or, if the request named them, create the environment again with others.",
        who: Who::Operator,
        shows: |seen| {
            seen.says(Source::TargetHealth, &["Target.Timeout"])
                || seen.says(Source::Gateway, &["Endpoint request timed out"])
        },
    },
    Cause {
        name: "health_check_failing",
        meaning: "The load balancer's health checks fail. Usually the program listens on another port or on 127.0.0.1 only, or answers the health check's path with another status than 200 to 399; else a security group keeps the load balancer out.",
        what_to_do: "Check that the program listens on 0.0.0.0 at `container.port` and answers GET on `health_check.path` with 200 to 399. Fix it and {retry}; another port or path needs a new environment.",
        who: Who::Caller,
        shows: |seen| seen.step != Step::EnsureReachable && seen.is_unhealthy(),
    },
    // The load balancer and the link (docs/aws.md#load-balancer-states, #vpc-links).
    Cause {
        name: "load_balancer_failed",
        meaning: "AWS could not set up the load balancer.",
        what_to_do: "Usually it passes: {retry}. If it does not, the reason in `evidence` is for an operator.",
        who: Who::Aws,
        shows: |seen| seen.code == "load_balancer_failed",
    },
    Cause {
        name: "link_in_use",
        meaning: "The load balancer already serves another VPC link or endpoint service, and can serve one only.",
        what_to_do: "An operator finds and deletes the other VPC link or endpoint service of this load balancer; then {retry}.",
        who: Who::Operator,
        shows: |seen| {
            let texts = ["already associated with another VPC Endpoint Service"];
            seen.message_mentions(&texts) || seen.says(Source::VpcLink, &texts)
        },
    },
    Cause {
        name: "link_failed",
        meaning: "API Gateway could not set up the VPC link.",
        what_to_do: "Usually it passes: {retry}. If it does not, the reason in `evidence` is for an operator.",
        who: Who::Aws,
        shows: |seen| seen.code == "vpc_link_failed",
    },
    Cause {
        name: "deleted_by_others",
        meaning: "Somebody else deleted something of this environment while Berth built it.",
        what_to_do: "Find out who cleans up this account, then {retry}.",
        who: Who::Operator,
        shows: |seen| matches!(seen.code, "resource_lost" | "vpc_link_deleted"),
    },
    // The proof (docs/aws.md#the-gateways-own-answers).
    Cause {
        name: "service_answers_5xx",
        meaning: "The service is reached, and answers the health check's path with a server error.",
        what_to_do: "See the answer and the last log lines in `evidence`. Fix the program and {retry}.",
        who: Who::Caller,
        shows: |seen| seen.observed(Observation::ServiceError),
    },
    Cause {
        name: "service_refuses_connections",
        meaning: "API Gateway's connections to the service are refused or reset.",
        what_to_do: "Usually the program closes connections or no healthy task is left; see tasks and target health in `evidence`. Fix it and {retry}.",
        who: Who::Caller,
        shows: |seen| seen.says(Source::Gateway, &["Network error communicating with endpoint"]),
    },
    Cause {
        name: "stage_closed",
        meaning: "API Gateway forbids the request: the stage does not show yet, or a resource policy or firewall of the account keeps callers out.",
        what_to_do: "If the stage was only late, {retry}. Otherwise an operator has to see which policy or WAF rule guards new APIs.",
        who: Who::Operator,
        shows: |seen| seen.observed(Observation::StageNotServed),
    },
    Cause {
        name: "gateway_cannot_reach",
        meaning: "API Gateway does not reach the service through the VPC link.",
        what_to_do: "Check target health in `evidence` and the security groups of load balancer and tasks; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.observed(Observation::ServiceUnreachable),
    },
    Cause {
        name: "proof_refused",
        meaning: "API Gateway refuses the signed request by which Berth proves that the service answers.",
        what_to_do: "An operator has to find what denies Berth's worker `execute-api:Invoke`: a service control policy, a permissions boundary, or a changed resource policy of the REST API; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.observed(Observation::ProofRefused),
    },
    Cause {
        name: "access_not_enforced",
        meaning: "A request that the environment's `access` does not permit reached the service.",
        what_to_do: "Another client changed the REST API while it came up. An operator has to find which (CloudTrail, PutMethod and UpdateMethod); then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.code == "access_not_enforced",
    },
    Cause {
        name: "url_not_reachable",
        meaning: "Nobody answers at the public URL when Berth asks.",
        what_to_do: "An operator has to let Berth's worker reach API Gateway's public endpoint; then {retry}.",
        who: Who::Operator,
        shows: |seen| seen.observed(Observation::NoAnswer),
    },
    // The workflow itself.
    Cause {
        name: "workflow_interrupted",
        meaning: "A step of Berth was cut off or crashed.",
        what_to_do: "To try again, {retry}; if it happens again, give the operators the id {id}.",
        who: Who::Caller,
        shows: |seen| matches!(seen.code, "step_crashed" | "step_timed_out" | "workflow_interrupted"),
    },
    Cause {
        name: "aws_unavailable",
        meaning: "AWS put a call off until Berth gave up: throttling, or an outage.",
        what_to_do: "Wait a little and {retry}; the AWS Health Dashboard says whether a service is impaired.",
        who: Who::Aws,
        shows: |seen| matches!(seen.code, "aws_unavailable" | "aws_busy"),
    },
    Cause {
        name: "timed_out",
        meaning: "AWS took longer than Berth waits, and does not say why.",
        what_to_do: "The message says what was waited for. To try again, {retry}; if it happens again, give the operators the id {id}.",
        who: Who::Aws,
        shows: |seen| seen.code == "timed_out",
    },
];
