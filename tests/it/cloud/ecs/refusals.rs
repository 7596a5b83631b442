//! What ECS's rules refuse of a registration, with its words. The sources are at docs/aws.md#registering-a-task-definition.

use tests::call_ecs;

use super::registration::{smallest, with};
use super::*;

const APP: &str = "/containerDefinitions/0";
const ROLE: &str = "arn:aws:iam::000000000000:role/task-execution";

fn app(member: &str, value: Value) -> (String, Value) {
    (format!("{APP}/{member}"), value)
}

fn logs(driver: &str, options: Value) -> (String, Value) {
    app("logConfiguration", json!({"logDriver": driver, "options": options}))
}

fn to(pointer: &str, value: Value) -> (String, Value) {
    (pointer.to_owned(), value)
}

/// Another container.
fn sidecar(members: Value) -> (String, Value) {
    let mut sidecar = json!({"name": "sidecar", "image": "nginx", "essential": false});
    sidecar.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    to("/containerDefinitions/-", sidecar)
}

/// Each row: what is asked beside the smallest definition, and AWS's words.
#[expect(clippy::too_many_lines, reason = "a table")]
fn refused() -> Vec<(Vec<(String, Value)>, &'static str)> {
    let awslogs = json!({"awslogs-group": "/app", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"});
    let secret = json!([{"name": "PASSWORD", "valueFrom": "password"}]);
    vec![
        (vec![to("/family", json!("a b"))], "Family contains invalid characters."),
        (vec![to("/containerDefinitions", json!([]))], "Container list cannot be empty."),
        (
            vec![to("/containerDefinitions", json!(vec![smallest()["containerDefinitions"][0].clone(); 11]))],
            "Too many containers.",
        ),
        (vec![app("name", json!(""))], "Container.name should not be null or empty."),
        (vec![app("image", Value::Null)], "Container.image should not be null or empty."),
        (vec![app("name", json!("a.b"))], "Container.name contains invalid characters."),
        (vec![app("image", json!("$IMAGE"))], "Container.image contains invalid characters."),
        (vec![sidecar(json!({"name": "app"}))], "Container names must be unique within a task definition."),
        (vec![app("essential", json!(false))], "Task definition doesn't have any essential container."),
        (vec![app("memory", json!(1024))], "The 'memory' setting for container 'app' is greater than for the task."),
        (
            vec![app("memory", json!(256)), app("memoryReservation", json!(512))],
            "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
        ),
        (
            vec![app("memoryReservation", json!(300)), sidecar(json!({"memoryReservation": 300}))],
            "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.",
        ),
        (
            vec![app("cpu", json!(200)), sidecar(json!({"cpu": 100}))],
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ),
        (
            vec![to("/requiresCompatibilities", json!(["EC2"])), to("/memory", Value::Null)],
            "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
        (
            vec![to("/cpu", json!("a lot"))],
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        ),
        (vec![to("/taskRoleArn", json!("arn:aws:iam::12:role/x"))], "Role is not valid"),
        (
            vec![to("/inferenceAccelerators", json!([{"deviceName": "a", "deviceType": "eia1.medium"}]))],
            "Unsupported field 'inferenceAccelerators'",
        ),
        // Under awsvpc.
        (vec![app("links", json!(["db"]))], "Links are not supported when networkMode=awsvpc."),
        (vec![app("hostname", json!("a"))], "hostname is not supported on container when networkMode=awsvpc."),
        (
            vec![app("extraHosts", json!([{"hostname": "a", "ipAddress": "10.0.0.1"}]))],
            "Extra hosts are not supported on container when networkMode=awsvpc.",
        ),
        (
            vec![app("dnsServers", json!(["10.0.0.2"]))],
            "DNS servers are not supported on container when networkMode=awsvpc.",
        ),
        (
            vec![app("disableNetworking", json!(true))],
            "Disable Networking is not supported on container when networkMode=awsvpc.",
        ),
        // Ports.
        (
            vec![app("portMappings", json!([{"containerPort": 80, "hostPort": 8080}]))],
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        ),
        (
            vec![sidecar(json!({"portMappings": [{"containerPort": 80}]}))],
            "TCP container port '80' is used multiple times in task when networkMode=awsvpc.",
        ),
        (
            vec![app(
                "portMappings",
                json!([{"containerPortRange": "8080-8085"}, {"containerPortRange": "8085-8090"}]),
            )],
            "TCP container port '8085' is used multiple times in task when networkMode=awsvpc.",
        ),
        (
            vec![app("portMappings", json!([{"containerPort": 80, "containerPortRange": "8080-8085"}]))],
            "Invalid port mapping for container 'app', cannot specify both single port and port range.",
        ),
        (
            vec![app("portMappings", json!([{"containerPortRange": "8085-8080"}]))],
            "Invalid 'containerPortRange' setting for container 'app'.",
        ),
        (
            vec![app(
                "portMappings",
                json!([{"containerPort": 80, "name": "web"}, {"containerPort": 81, "name": "web"}]),
            )],
            "When networkMode=awsvpc, port mapping name is already used",
        ),
        // What names something else of the definition.
        (
            vec![app("dependsOn", json!([{"containerName": "nope", "condition": "START"}]))],
            "Cannot depend on container + 'nope' because it does not exist",
        ),
        (
            vec![
                app("dependsOn", json!([{"containerName": "sidecar", "condition": "COMPLETE"}])),
                sidecar(json!({"essential": true})),
            ],
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        ),
        (
            vec![app("dependsOn", json!([{"containerName": "sidecar", "condition": "HEALTHY"}])), sidecar(json!({}))],
            "A dependency container with HEALTHY condition must have health check configured",
        ),
        (
            vec![
                app("dependsOn", json!([{"containerName": "sidecar", "condition": "START"}])),
                sidecar(json!({"dependsOn": [{"containerName": "app", "condition": "START"}]})),
            ],
            "Container dependencies cannot have a cycle.",
        ),
        (
            vec![app("mountPoints", json!([{"sourceVolume": "nope", "containerPath": "/data"}]))],
            "Unknown volume 'nope'.",
        ),
        (
            vec![app("volumesFrom", json!([{"sourceContainer": "nope"}]))],
            "Invalid 'volumesFrom' setting. Unknown container: 'nope'.",
        ),
        (
            vec![to("/volumes", json!([{"name": "v", "configuredAtLaunch": true}]))],
            "Volumes [v] are not referenced by any of the containers",
        ),
        (
            vec![to(
                "/volumes",
                json!([{"name": "v", "efsVolumeConfiguration": {
                "fileSystemId": "fs-1", "rootDirectory": "/x", "authorizationConfig": {"accessPointId": "fsap-1"}}}]),
            )],
            "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
        ),
        (
            vec![to(
                "/volumes",
                json!([{"name": "v", "efsVolumeConfiguration": {
                "fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}}}]),
            )],
            "EFS IAM authorization requires TransitEncryption to be enabled",
        ),
        (
            vec![to(
                "/volumes",
                json!([{"name": "v", "efsVolumeConfiguration": {
                "fileSystemId": "fs-1", "transitEncryptionPort": 2049}}]),
            )],
            "TransitEncryptionPort requires that TransitEncryption is enabled",
        ),
        (
            vec![logs("awsfirelens", json!({}))],
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified",
        ),
        (
            vec![app("firelensConfiguration", json!({"type": "fluentbit"}))],
            "When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver",
        ),
        (
            vec![
                logs("awsfirelens", json!({})),
                sidecar(json!({"firelensConfiguration": {"type": "fluentbit", "options": {
                    "config-file-type": "s3", "config-file-value": "s3://bucket/fluentbit.conf"}}})),
            ],
            "Invalid arn syntax.",
        ),
        (
            vec![to("/proxyConfiguration", json!({"type": "APPMESH", "containerName": "envoy"}))],
            "Proxy container [envoy] does not exist",
        ),
        (vec![to("/proxyConfiguration", json!({"type": "APPMESH", "containerName": "app"}))], "Ingress port not found"),
        // A container by itself.
        (
            vec![app("healthCheck", json!({"command": ["CMD", "true"], "interval": 301}))],
            "Health check interval must be less than or equal to the maximum allowed value 300 for container 'app'",
        ),
        (
            vec![app("healthCheck", json!({"command": ["CMD", "true"], "startPeriod": 600}))],
            "Health check startPeriod must be less than or equal to the maximum allowed value 300 for container 'app'",
        ),
        (
            vec![app("restartPolicy", json!({"enabled": true, "restartAttemptPeriod": 30}))],
            "The 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800.",
        ),
        (
            vec![app("secrets", secret.clone())],
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ),
        (
            vec![
                to("/executionRoleArn", json!(ROLE)),
                app("secrets", secret),
                app("environment", json!([{"name": "PASSWORD", "value": "x"}])),
            ],
            "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'PASSWORD'.",
        ),
        (
            vec![app("environmentFiles", json!(vec![json!({"type": "s3", "value": "arn:aws:s3:::b/a.env"}); 11]))],
            "The maximum number of environment files was exceeded. Specify ten or less and try again.",
        ),
        (vec![app("environmentFiles", json!([{"type": "s3", "value": "s3://bucket/a.env"}]))], "Invalid arn syntax."),
        (
            vec![to("/executionRoleArn", json!(ROLE)), logs("awslogs", json!({"awslogs-region": "us-east-1"}))],
            "Log driver awslogs requires options: awslogs-group",
        ),
        // Fargate.
        (vec![to("/networkMode", json!("bridge"))], "Fargate only supports network mode \u{2018}awsvpc\u{2019}."),
        (vec![to("/cpu", Value::Null)], "Fargate requires that 'cpu' be defined at the task level."),
        (
            vec![to("/memory", Value::Null), app("memory", json!(512))],
            "Fargate requires that 'memory' be defined at the task level.",
        ),
        (
            vec![to("/cpu", json!("1024")), to("/memory", json!("1024"))],
            "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the Amazon ECS documentation for the valid values.",
        ),
        (
            vec![
                to("/cpu", json!("512")),
                to("/memory", json!("2048")),
                to("/runtimePlatform", json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"})),
            ],
            "No Fargate configuration exists for given values: 512 CPU, 2048 memory. See the Amazon ECS documentation for the valid values.",
        ),
        (
            vec![logs("awslogs", awslogs)],
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        (
            vec![
                to("/executionRoleArn", json!(ROLE)),
                logs("awslogs", json!({"awslogs-group": "/app", "awslogs-region": "us-east-1"})),
            ],
            "Fargate requires log configuration options to include awslogs-stream-prefix",
        ),
        (
            vec![app("image", json!("000000000000.dkr.ecr.us-east-1.amazonaws.com/app:1"))],
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ),
        (
            vec![logs("json-file", json!({}))],
            "json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]",
        ),
        (vec![to("/ipcMode", json!("task"))], "Fargate compatible task definitions do not support ipcMode"),
        (vec![to("/pidMode", json!("host"))], "Tasks using the Fargate launch type do not support pidMode 'host'"),
        (
            vec![to("/placementConstraints", json!([{"type": "memberOf", "expression": "a"}]))],
            "Fargate compatible task definitions do not support constraints",
        ),
        (
            vec![to("/volumes", json!([{"name": "v", "host": {"sourcePath": "/data"}}]))],
            "Fargate compatible task definitions do not support sourcePath",
        ),
        (
            vec![to("/volumes", json!([{"name": "v", "dockerVolumeConfiguration": {"scope": "task"}}]))],
            "Fargate compatible task definitions do not support dockerVolumeConfiguration",
        ),
        (vec![to("/ephemeralStorage", json!({"sizeInGiB": 20}))], "EphemeralStorage size should be at least 21"),
        (vec![to("/ephemeralStorage", json!({"sizeInGiB": 201}))], "EphemeralStorage size should be at most 200"),
        (
            vec![to("/ephemeralStorage", json!({"sizeInGiB": 50})), to("/requiresCompatibilities", json!(["EC2"]))],
            "Tasks using the EC2 launch type do not support EphemeralStorage",
        ),
        (
            vec![app("privileged", json!(true))],
            "Fargate requires that the \u{2018}privileged\u{2019} setting be \u{2018}false\u{2019} at the container level.",
        ),
        (
            vec![app("linuxParameters", json!({"maxSwap": 0}))],
            "Fargate compatible task definitions do not support maxSwap",
        ),
        (
            vec![app("linuxParameters", json!({"capabilities": {"add": ["NET_ADMIN"]}}))],
            "NET_ADMIN is not allowed on Fargate.",
        ),
        (
            vec![app("resourceRequirements", json!([{"type": "GPU", "value": "1"}]))],
            "Tasks using the Fargate launch type do not support GPU resource requirements.",
        ),
        (
            vec![app("stopTimeout", json!(121))],
            "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_ecs_refuses_of_a_registration_is_refused_with_its_words() {
    let account = Account::unlimited();
    let (status, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &smallest()).await;
    assert_eq!(status, 200, "{reply}");
    for (changes, words) in refused() {
        let changes: Vec<(&str, Value)> = changes.iter().map(|(at, value)| (at.as_str(), value.clone())).collect();
        let reply = call_ecs(&account.endpoint, "RegisterTaskDefinition", &with(&changes)).await;
        assert_eq!(reply, (400, json!({"__type": "ClientException", "message": words})), "{changes:?}");
    }
    let long = "x".repeat(65_536);
    let definition = with(&[("/containerDefinitions/0/environment", json!([{"name": "A", "value": long}]))]);
    let (_, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &definition).await;
    let length = definition.to_string().len();
    let words = format!("Actual length: '{length}'. Max allowed length is '65536' bytes.");
    assert_eq!(reply["message"], words);
    let (_, known) = call_ecs(&account.endpoint, "DescribeTaskDefinition", &json!({"taskDefinition": "small"})).await;
    assert_eq!(known["taskDefinition"]["revision"], 1);
}
