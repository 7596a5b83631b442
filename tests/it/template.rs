//! The SAM template and the code agree. Read as text: cfn-lint knows CloudFormation, these tests know Berth.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use berth_local::authorizer::RESULT_TTL;
use berth_local::cli::RETENTION_DAYS;
use berth_local::embedded::{MACHINE, MAX_ORPHANS_REMOVED};
use berth_local::lambda_functions::WORKER_TIMEOUT;
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

/// The number that stands behind `key` there.
fn number(name: &str, key: &str) -> u64 {
    let line = resource(name).into_iter().find_map(|line| line.trim().strip_prefix(key));
    line.expect("the key").trim().parse().expect("a number")
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
