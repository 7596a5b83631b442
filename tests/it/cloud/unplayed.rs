//! What the stand-in does not play is refused in the form of the protocol that was spoken, and says so.

use bytes::Bytes;
use http::{Method, Request};
use tests::Account;

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_not_played_says_so_in_the_form_of_its_protocol() {
    let account = Account::new();
    let form = "application/x-www-form-urlencoded";
    let list = Request::builder().uri("/").header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIA/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
    );
    let answer = account.endpoint.call(list.body(Bytes::new()).unwrap()).await.unwrap();
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (400, &"application/xml".parse().unwrap())
    );
    assert!(
        text.contains("<Code>NotImplemented</Code>") && text.contains("berth-local does not play GET / of s3"),
        "{text}"
    );
    for (what, method, path, target, content_type, body, status, answered_in, part) in [
        (
            "SSM",
            "POST",
            "/",
            "AmazonSSM.GetParameter",
            "application/x-amz-json-1.1",
            "{}",
            400,
            "application/x-amz-json-1.1",
            "\"__type\":\"UnknownOperationException\"",
        ),
        (
            "an unknown target",
            "POST",
            "/",
            "Nothing_2020.Do",
            "application/x-amz-json-1.0",
            "{}",
            400,
            "application/x-amz-json-1.0",
            "\"__type\":\"UnknownOperationException\"",
        ),
        (
            "DynamoDB",
            "POST",
            "/",
            "DynamoDB_20120810.ExportTableToPointInTime",
            "application/x-amz-json-1.0",
            "{}",
            400,
            "application/x-amz-json-1.0",
            "UnknownOperationException",
        ),
        (
            "Step Functions",
            "POST",
            "/",
            "AWSStepFunctions.RedriveExecution",
            "application/x-amz-json-1.0",
            "{}",
            400,
            "application/x-amz-json-1.0",
            "UnknownOperationException",
        ),
        (
            "CloudWatch Logs",
            "POST",
            "/",
            "Logs_20140328.StartQuery",
            "application/x-amz-json-1.1",
            "{}",
            400,
            "application/x-amz-json-1.1",
            "UnknownOperationException",
        ),
        (
            "ECS",
            "POST",
            "/",
            "AmazonEC2ContainerServiceV20141113.RunTask",
            "application/x-amz-json-1.1",
            "{}",
            400,
            "application/x-amz-json-1.1",
            "UnknownOperationException",
        ),
        (
            "IAM",
            "POST",
            "/",
            "",
            form,
            "Action=ListRoles&Version=2010-05-08",
            400,
            "text/xml",
            "<Code>InvalidAction</Code>",
        ),
        (
            "ELBv2",
            "POST",
            "/",
            "",
            form,
            "Action=SetIpAddressType&Version=2015-12-01",
            400,
            "text/xml",
            "<Code>InvalidAction</Code>",
        ),
        (
            "EC2",
            "POST",
            "/",
            "",
            form,
            "Action=RunInstances&Version=2016-11-15",
            400,
            "text/xml",
            "<Code>InvalidAction</Code>",
        ),
        (
            "STS",
            "POST",
            "/",
            "",
            form,
            "Action=AssumeRole&Version=2011-06-15",
            400,
            "text/xml",
            "<Code>InvalidAction</Code>",
        ),
        ("Lambda", "GET", "/2015-03-31/functions", "", "", "", 400, "application/json", "\"message\""),
    ] {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
        for (name, value) in [("x-amz-target", target), ("content-type", content_type)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let answer = account.endpoint.call(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{what}: {text}");
        assert_eq!(answer.headers()["content-type"], answered_in, "{what}: {text}");
        assert!(text.contains("berth-local does not play") && text.contains(part), "{what}: {text}");
    }
}
