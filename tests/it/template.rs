//! The SAM template and the code agree. Read as text: cfn-lint knows CloudFormation, these tests know Berth.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use berth_local::authorizer::{PREFLIGHT, RESULT_TTL};
use berth_local::cli::RETENTION_DAYS;
use berth_local::embedded::{MACHINE, MAX_ORPHANS_REMOVED};
use berth_local::lambda_functions::WORKER_TIMEOUT;
use http::Method;
use regex::Regex;
use serde_json::Value;
use tests::World;

const TEMPLATE: &str = include_str!("../../infra/template.yaml");

/// The lines of one resource or parameter.
fn resource(name: &str) -> Vec<&'static str> {
    let lines: Vec<_> = TEMPLATE
        .lines()
        .skip_while(|line| *line != format!("  {name}:"))
        .skip(1)
        .take_while(|line| line.starts_with("    ") || line.trim().is_empty())
        .collect();
    assert!(!lines.is_empty(), "the template has no {name}");
    lines
}

/// What stands behind `key` there.
fn value(name: &str, key: &str) -> &'static str {
    resource(name).into_iter().find_map(|line| line.trim().strip_prefix(key)).expect("the key").trim()
}

/// The number that stands behind `key` there.
fn number(name: &str, key: &str) -> u64 {
    value(name, key).parse().expect("a number")
}

/// The names of all resources of a type.
fn names_of(kind: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut lines = TEMPLATE.lines().peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| next.trim() == format!("Type: {kind}")) {
            names.push(line.trim().trim_end_matches(':'));
        }
    }
    names
}

/// What the environment variables of a function are called.
fn variables(function: &str) -> BTreeSet<String> {
    let lines = resource(function);
    let variables = lines.iter().skip_while(|line| line.trim() != "Variables:").skip(1);
    let names = variables.filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name.to_owned());
    names.filter(|name| !name.starts_with('#')).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The variables that a text names: words in quotes that begin with a prefix of ours.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split('"').skip(1).step_by(2);
    words
        .filter(|word| word.starts_with("BERTH_") || word.starts_with("AWS_LAMBDA_HTTP_"))
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_function_gets_the_variables_that_its_code_reads_and_no_others() {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let settings = std::fs::read_to_string(functions.join("domain/src/settings.rs")).expect("the settings");
    for (folder, function) in [
        ("api", "ApiFunction"),
        ("worker", "WorkerFunction"),
        ("janitor", "JanitorFunction"),
        ("authorizer", "AuthorizerFunction"),
    ] {
        let texts = sources(&functions.join(folder).join("src"));
        let texts: Vec<_> = texts.iter().map(|path| std::fs::read_to_string(path).expect("a source")).collect();
        let mut read: BTreeSet<String> = texts.iter().flat_map(|text| named(text)).collect();
        if texts.iter().any(|text| text.contains("berth_domain::settings::Settings")) {
            read.extend(named(&settings));
        }
        assert_eq!(variables(function), read, "{function}");
    }
}

#[test]
fn the_worker_ends_when_the_embedded_one_does_and_the_api_before_api_gateway_gives_up() {
    assert_eq!(number("WorkerFunction", "Timeout:"), WORKER_TIMEOUT.as_secs());
    // API Gateway's integration time-out (docs/aws.md#quotas).
    assert!(number("ApiFunction", "Timeout:") <= 29);
    // A call looks for 25 s and then once more, for 30 s at most (functions/worker/src/run.rs): that is no alarm.
    let alarm = number("WorkerDurationAlarm", "Threshold:");
    assert!((55_001..number("WorkerFunction", "Timeout:") * 1000).contains(&alarm), "{alarm}");
}

#[tokio::test(start_paused = true)]
async fn a_token_reaches_the_authorizer_and_what_has_not_its_shape_does_not() {
    let shape = Regex::new(value("Authorizer", "IdentityValidationExpression:")).expect("an expression");
    let token = World::new().await.token("demo");
    for header in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")] {
        assert!(shape.is_match(&header), "{header}");
    }
    let (head, body) = ("a".repeat(40), "b".repeat(200));
    for header in [
        "x".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        "Bearer a.b.c".to_owned(),
        format!("Bearer {token}.{token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {head}.{body}."),
        format!("Bearer {head}.{body}.{}", "c".repeat(85)),
        format!("Bearer {head}.{body}.{}=", "c".repeat(86)),
    ] {
        assert!(!shape.is_match(&header), "{header}");
    }
}

#[test]
fn every_path_that_needs_no_token_has_a_throttle_of_its_own() {
    let throttled: BTreeSet<(&str, &str)> = resource("Stage")
        .windows(3)
        .filter_map(|lines| {
            let path = lines[0].trim().strip_prefix("- ResourcePath: ")?.trim_matches('"');
            let method = lines[1].trim().strip_prefix("HttpMethod: ")?;
            lines[2].trim().ends_with("!Ref OpenRequestsPerSecond").then_some((path, method))
        })
        .collect();
    let open: Vec<_> = names_of("AWS::ApiGateway::Method")
        .into_iter()
        .filter(|method| value(method, "AuthorizationType:") == "NONE")
        .map(|method| {
            let path = match value(method, "ResourceId:").strip_prefix("!Ref ") {
                // A slash in a path is written ~1.
                Some(resource) => format!("/~1{}", value(resource, "PathPart:").trim_matches('"')),
                None => "/".to_owned(),
            };
            (path, value(method, "HttpMethod:"))
        })
        .collect();
    for (path, method) in &open {
        // Of ANY it is not known whether settings apply to it.
        assert_ne!(*method, "ANY", "{path}");
        assert!(throttled.contains(&(path.as_str(), *method)), "{method} {path} can use up the API");
    }
    assert_eq!(throttled.len(), open.len(), "{throttled:?}");
}

#[tokio::test(start_paused = true)]
async fn what_api_gateway_answers_without_the_function_is_what_the_embedded_system_answers() {
    let preflight = resource("RootOptions").join("\n").to_ascii_lowercase();
    for (name, value) in PREFLIGHT {
        let line = format!("method.response.header.{name}: \"'{value}'\"").to_ascii_lowercase();
        assert!(preflight.contains(&line), "{line}");
    }
    for options in ["ProxyOptions", "HealthzOptions", "OpenapiOptions"] {
        assert_eq!(value(options, "Integration:"), "*preflight");
    }
    let answer = World::new().await.call("demo", Method::GET, "/healthz", &Value::Null).await.expect(200);
    let template = value("HealthzGet", "ResponseTemplates: { application/json: '").trim_end_matches("' }");
    assert_eq!(template, answer.text);
}

#[test]
fn a_header_of_api_gateways_own_answers_is_a_literal_or_its_request_id() {
    // No source shows anything else in a gateway response of AWS, and a wrong mapping fails the whole stack.
    for line in TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("gatewayresponse.header.")) {
        let (name, value) = line.split_once(": ").expect("a header");
        let literal = value.starts_with("\"'") || value.starts_with("!If [HasAllowedOrigin, !Sub \"'");
        assert!(literal || value == "context.requestId", "{name}: {value}");
    }
}

#[test]
fn the_embedded_gateway_keeps_the_authorizers_results_for_as_long_as_a_deployed_one() {
    assert_eq!(number("AuthorizerCacheSeconds", "Default:"), RESULT_TTL.as_secs());
}

#[test]
fn the_embedded_system_keeps_deleted_environments_for_as_long_as_a_deployed_one() {
    assert_eq!(number("RetentionDays", "Default:"), u64::from(RETENTION_DAYS));
    assert_eq!(number("MaxOrphansRemoved", "Default:"), MAX_ORPHANS_REMOVED as u64);
}

#[test]
fn every_alarm_on_a_metric_of_berth_names_one_that_the_janitor_measures() {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/janitor/src/metrics.rs"));
    let source = source.expect("the metrics");
    let alarms: Vec<&str> = TEMPLATE.split("      Namespace: Berth\n").skip(1).collect();
    for alarm in &alarms {
        let name = alarm.trim_start().strip_prefix("MetricName: ").and_then(|rest| rest.lines().next());
        let name = name.expect("a name");
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
        assert!(alarm.lines().take(4).any(|line| line.trim() == "- { Name: Deployment, Value: !Ref Table }"), "{name}");
    }
    assert_eq!(alarms.len(), 6);
}

#[test]
fn the_state_machine_gets_every_placeholder_that_it_has() {
    let placeholders: BTreeSet<&str> =
        MACHINE.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    let lines = resource("Machine");
    let given: BTreeSet<&str> = lines
        .iter()
        .skip_while(|line| line.trim() != "DefinitionSubstitutions:")
        .skip(1)
        .take_while(|line| line.starts_with("        "))
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(given, placeholders);
}

#[tokio::test(start_paused = true)]
async fn the_table_is_the_one_that_the_embedded_system_makes() {
    // The embedded system has made it.
    let world = World::new().await;
    let dynamodb = &world.system.clients.dynamodb;
    let made = dynamodb.describe_table().table_name("berth").send().await.expect("the table").table.expect("a table");
    let text = resource("Table").join("\n");
    let key = |name: &str, kind: &str| format!("{{ AttributeName: {name}, KeyType: {kind} }}");
    for element in made.key_schema() {
        assert!(text.contains(&key(element.attribute_name(), element.key_type().as_str())), "{element:?}");
    }
    for attribute in made.attribute_definitions() {
        let (name, kind) = (attribute.attribute_name(), attribute.attribute_type().as_str());
        let kind = if kind == "N" { "\"N\"" } else { kind };
        assert!(text.contains(&format!("{{ AttributeName: {name}, AttributeType: {kind} }}")), "{attribute:?}");
    }
    for index in made.global_secondary_indexes() {
        assert!(text.contains(&format!("IndexName: {}", index.index_name().expect("a name"))));
        for element in index.key_schema() {
            assert!(text.contains(&key(element.attribute_name(), element.key_type().as_str())), "{element:?}");
        }
        let projected = index.projection().and_then(|projection| projection.projection_type()).expect("a projection");
        assert!(text.contains(&format!("ProjectionType: {}", projected.as_str())));
    }
    let expiry = dynamodb.describe_time_to_live().table_name("berth").send().await.expect("its expiry");
    let attribute = expiry.time_to_live_description.and_then(|expiry| expiry.attribute_name).expect("an attribute");
    assert!(text.contains(&format!("TimeToLiveSpecification: {{ AttributeName: {attribute}, Enabled: true }}")));
}

#[test]
fn what_api_gateway_refuses_reads_like_what_the_api_refuses() {
    let mut seen = 0;
    for line in TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("application/json: '")) {
        // The only part that is not JSON until it is rendered.
        let body = line.trim_end_matches('\'').replace("$context.error.messageString", "\"why\"").replace("''", "'");
        let problem: serde_json::Value = serde_json::from_str(&body).expect(line);
        let members: BTreeSet<&str> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["type", "title", "status", "code", "detail", "request_id"]), "{line}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} gateway responses");
}
