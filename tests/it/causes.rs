//! What AWS says of failures, in its own words (docs/aws.md), is recognised; what it does
//! not say is not claimed. Failures that the stand-in can play are told whole in `workflow::failure`.

use berth_domain::Step;
use berth_domain::failure::causes::diagnose;
use berth_domain::failure::evidence::bounded;
use berth_domain::failure::log_hints::listening;
use berth_domain::failure::{Evidence, Observation, Source};

/// The name of the cause that is seen in `step`'s failure with `code`, in a message and in evidence (`source: detail`).
fn cause(step: Step, code: &str, message: &str, evidence: &[&str]) -> Option<&'static str> {
    let entry = |entry: &&str| {
        let (source, detail) = entry.split_once(": ").expect("source: detail");
        Evidence::new(source.parse().expect("a source"), detail)
    };
    let evidence: Vec<Evidence> = evidence.iter().map(entry).collect();
    diagnose(step, code, message, &evidence).map(|cause| cause.name)
}

#[test]
fn the_reasons_of_stopped_tasks_are_told_apart() {
    for (stopped, known) in [
        (
            "TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/team/absent:1: not found",
            "image_not_pullable",
        ),
        (
            "TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to do request: Head \"https://registry-1.docker.io/v2/library/nginx/manifests/1\": dial tcp 3.94.224.37:443: i/o timeout",
            "registry_not_reachable",
        ),
        (
            "TaskFailedToStart: CannotPullContainerError: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
            "registry_rate_limited",
        ),
        (
            "TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/amd64'",
            "image_of_other_platform",
        ),
        (
            "TaskFailedToStart: ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:1:secret:db: AccessDeniedException",
            "secrets_not_readable",
        ),
        (
            "TaskFailedToStart: ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed",
            "registry_not_reachable",
        ),
        (
            "TaskFailedToStart: ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
            "logging_not_set_up",
        ),
        (
            "TaskFailedToStart: ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes",
            "volume_not_mountable",
        ),
        (
            "TaskFailedToStart: ECS was unable to assume the role 'arn:aws:iam::1:role/absent' that was provided for this task.",
            "task_role_unusable",
        ),
        (
            "EssentialContainerExited: Essential container in task exited; container web exited with code 137; container web: OutOfMemoryError: Container killed due to memory usage",
            "out_of_memory",
        ),
        (
            "TaskFailedToStart: CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: exec: \"serve\": executable file not found in $PATH",
            "container_cannot_start",
        ),
        ("ServiceSchedulerInitiated: Task failed container health checks", "container_health_check_failing"),
        (
            "EssentialContainerExited: Essential container in task exited; container web exited with code 3",
            "container_exited",
        ),
        ("TaskFailedToStart: Timeout waiting for network interface provisioning to complete.", "task_lost_by_aws"),
        (
            "ServiceSchedulerInitiated: Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:t)",
            "health_check_failing",
        ),
    ] {
        let seen =
            cause(Step::EnsureService, "service_failed", "ECS gave up", &[&format!("stopped_task: task 1: {stopped}")]);
        assert_eq!(seen, Some(known), "{stopped}");
    }
    for (event, known) in [
        (
            "(service berth-1) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently.",
            "vcpu_quota",
        ),
        (
            "(service berth-1) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.",
            "no_capacity",
        ),
        (
            "(service berth-1) was unable to place a task. Reason: The subnets have no free IP addresses.",
            "subnet_without_addresses",
        ),
    ] {
        let seen =
            cause(Step::EnsureService, "timed_out", "gave up after 1200 s", &[&format!("service_event: {event}")]);
        assert_eq!(seen, Some(known), "{event}");
    }
}

#[test]
fn what_aws_refuses_names_who_can_change_it() {
    for (step, code, message, known) in [
        (
            Step::EnsureLoadBalancer,
            "aws_permission_denied",
            "AWS does not allow Berth to call CreateLoadBalancer",
            "permission_denied",
        ),
        (Step::EnsureLoadBalancer, "not_allowed", "subnet-1 is not allowed in this deployment.", "not_allowed"),
        (
            Step::EnsureService,
            "task_definition_not_found",
            "ECS has no task definition \"arn:…:1\".",
            "task_definition_inactive",
        ),
        (Step::EnsureVpcLink, "aws_quota_exceeded", "CreateVpcLink: … (LimitExceededException)", "quota_exceeded"),
        (
            Step::EnsureLoadBalancer,
            "aws_refused",
            "CreateLoadBalancer was refused by AWS: InvalidSubnet: Not enough IP space available in subnet-1. ELB requires at least 8 free IP addresses in each subnet.",
            "subnet_without_addresses",
        ),
        (
            Step::EnsureLoadBalancer,
            "aws_refused",
            "CreateLoadBalancer was refused by AWS: SubnetNotFound: The subnet ID 'subnet-1' does not exist",
            "network_not_found",
        ),
        (
            Step::EnsureService,
            "aws_refused",
            "CreateService was refused by AWS: ClusterNotFoundException: Cluster not found.",
            "cluster_missing",
        ),
        (
            Step::EnsureService,
            "aws_refused",
            "CreateService was refused by AWS: ClientException: TaskDefinition is inactive",
            "task_definition_inactive",
        ),
        (
            Step::EnsureService,
            "timed_out",
            "EnsureService gave up after 1200 s: Unable to assume the service linked role.",
            "service_linked_role_missing",
        ),
        (
            Step::EnsureVpcLink,
            "vpc_link_failed",
            "API Gateway could not set up the VPC link: NLB is already associated with another VPC Endpoint Service.",
            "link_in_use",
        ),
        (
            Step::EnsureVpcLink,
            "vpc_link_failed",
            "API Gateway could not set up the VPC link: NLB ARN is malformed.",
            "link_failed",
        ),
        (Step::EnsureVpcLink, "vpc_link_deleted", "Another client is deleting VPC link abc.", "deleted_by_others"),
        (
            Step::EnsureLoadBalancerActive,
            "load_balancer_failed",
            "The load balancer could not be set up: an address was taken.",
            "load_balancer_failed",
        ),
        (
            Step::EnsureRestApi,
            "aws_unavailable",
            "CreateRestApi was put off by AWS: TooManyRequestsException",
            "aws_unavailable",
        ),
        (Step::EnsureRestApi, "step_timed_out", "EnsureRestApi ended with States.Timeout", "workflow_interrupted"),
        (Step::EnsureLoadBalancerActive, "timed_out", "EnsureLoadBalancerActive gave up after 900 s", "timed_out"),
    ] {
        assert_eq!(cause(step, code, message, &[]), Some(known), "{message}");
    }
    let unknown = "CreateListener was refused by AWS: UnsupportedProtocol: …";
    assert_eq!(cause(Step::EnsureListener, "aws_refused", unknown, &[]), None, "what is not known is shown raw");
}

#[test]
fn what_answers_the_proof_is_told_apart() {
    for (observation, answer, known) in [
        (Observation::ServiceError, "maintenance", "service_answers_5xx"),
        (Observation::ServiceUnreachable, "504: Endpoint request timed out", "security_group_closed"),
        (
            Observation::ServiceUnreachable,
            "504: Network error communicating with endpoint",
            "service_refuses_connections",
        ),
        (Observation::ServiceUnreachable, "500: Internal server error", "gateway_cannot_reach"),
        (Observation::StageNotServed, "403 ForbiddenException", "stage_closed"),
        (Observation::NoAnswer, "dns error", "url_not_reachable"),
    ] {
        let gateway = Evidence::new(Source::Gateway, answer).observed(Some(observation));
        let stopped = "task 1: EssentialContainerExited: Essential container in task exited";
        let stopped = Evidence::new(Source::StoppedTask, stopped);
        let cause_when = |running: Evidence| {
            let evidence = [gateway.clone(), running, stopped.clone()];
            diagnose(Step::EnsureReachable, "timed_out", "", &evidence).map(|cause| cause.name)
        };
        // A task that stopped and was replaced does not explain why the proof fails.
        let all = Evidence::new(Source::Service, "all run").observed(Some(Observation::AllTasksRunning));
        assert_eq!(cause_when(all), Some(known), "{answer}");
        assert_eq!(cause_when(Evidence::new(Source::Service, "none runs")), Some("container_exited"), "{answer}");
    }
}

#[test]
fn a_wrong_port_is_named_only_when_the_log_says_so() {
    let failing = "target_health: 10.0.1.10:8000: unhealthy: Target.FailedHealthChecks: Health checks failed";
    for (line, known) in [
        ("Server listening on http://0.0.0.0:3000", "port_mismatch"),
        (" * Running on http://127.0.0.1:8000 (Press CTRL+C to quit)", "listens_on_loopback"),
        ("Listening on 0.0.0.0:8000", "health_check_failing"),
        ("12:30:45 connecting to db:5432", "health_check_failing"),
    ] {
        let log = format!("log: container web: {line}");
        assert_eq!(cause(Step::EnsureTargetHealth, "timed_out", "", &[failing, &log]), Some(known), "{line}");
    }
    let timeout = "target_health: 10.0.1.10:8000: unhealthy: Target.Timeout: Request timed out";
    assert_eq!(cause(Step::EnsureTargetHealth, "timed_out", "", &[timeout]), Some("security_group_closed"));
    let unused = "target_health: 10.0.1.10:8000: unused: Target.NotInUse: Target is in an Availability Zone that is not enabled for the load balancer";
    assert_eq!(cause(Step::EnsureTargetHealth, "timed_out", "", &[unused]), Some("zone_not_enabled"));
    let healthy = "target_health: 10.0.1.10:8000: healthy";
    let elsewhere = "log: container web: metrics listening on :9090";
    assert_eq!(cause(Step::EnsureTargetHealth, "timed_out", "", &[healthy, elsewhere]), Some("timed_out"));
}

#[test]
fn where_a_program_listens_is_read_from_what_programs_usually_say() {
    for (line, port, only_itself) in [
        ("Listening on port 3000", 3000, false),
        ("Example app listening at http://localhost:3000", 3000, true),
        ("2026/11/22 12:30:45 server listening on :8080", 8080, false),
        ("Tomcat started on port 8080 (http) with context path ''", 8080, false),
        ("Tomcat started on port(s): 8081 (http)", 8081, false),
        ("Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)", 8000, true),
        ("[INFO] Listening at: http://0.0.0.0:5000 (7)", 5000, false),
        ("now listening on: http://[::]:80", 80, false),
    ] {
        let seen = listening(line).map(|found| (found.port, found.only_itself));
        assert_eq!(seen, Some((port, only_itself)), "{line}");
    }
    for line in ["GET /listen 200 in 12 ms", "connected to 10.0.0.3:5432", "listening for changes in 3 files", ""] {
        assert_eq!(listening(line), None, "{line}");
    }
}

#[test]
fn neither_a_programs_words_nor_what_could_not_be_read_are_taken_for_aws_s() {
    let said = "log: container web: CannotPullContainerError, said the deployer";
    assert_eq!(cause(Step::EnsureService, "service_failed", "ECS gave up", &[said]), None);
    let denied = "AWS does not allow Berth to call DescribeTasks: OutOfMemoryError";
    let unread = [Evidence::unread(Source::StoppedTask, denied)];
    assert!(diagnose(Step::EnsureService, "service_failed", "ECS gave up", &unread).is_none());
}

#[test]
fn evidence_fits_into_the_record_and_keeps_the_newest_lines() {
    let mut evidence = vec![Evidence::new(Source::StoppedTask, "é".repeat(100_000))];
    let lines: Vec<String> = (0..500).map(|number| format!("{number} {}", "ü".repeat(1_000))).collect();
    evidence.extend(Evidence::log_lines("web", &lines));
    let kept = bounded(evidence);
    let size: usize = kept.iter().map(|entry| entry.source.to_string().len() + entry.detail.len()).sum();
    assert!(size < 16_500, "{size}");
    assert!(kept[0].source == Source::StoppedTask && kept[0].detail.len() <= 600);
    let lines: Vec<&str> =
        kept.iter().filter(|entry| entry.source == Source::Log).map(|entry| &*entry.detail).collect();
    assert!(lines.len() > 20 && lines.last().expect("a line").starts_with("container web: 499 "), "{}", lines.len());
    assert!(kept.last().expect("an entry").detail.contains("more entries were seen"), "{kept:?}");
}
