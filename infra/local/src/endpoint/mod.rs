//! The one AWS endpoint: finds which service and operation a request is for, lets the call's fault happen, takes the call's
//! latency, and writes the reply in the service's protocol. Over TCP see `serve`, in process see `sdk`.
//!
//! Signatures are not checked: whoever reaches the loopback port is the account's owner.

pub mod query;
pub mod sdk;
pub mod serve;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::faults::lambda_process;
use crate::faults::{Fault, Faults};
use crate::stand_in::dynamo::Dynamo;
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;
use crate::stand_in::{self, Cloud, apigateway, ec2, sts};
use crate::step_functions::States;

/// How long the last call of a process that has exited is on its way (AWS time): longer than Step Functions waits before it
/// calls again.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// The endpoint; cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    dynamo: Dynamo,
    states: States,
    faults: Faults,
    records_changed: Notify,
    /// Numbers the answers, for their request ids.
    answered: AtomicU64,
}

/// A way to the endpoint that does not keep it alive: the endpoint's own functions call through it.
#[derive(Clone)]
pub struct WeakDoor(Weak<Inner>);

impl WeakDoor {
    /// The endpoint, while somebody else keeps it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Door> {
        self.0.upgrade().map(Door)
    }
}

/// The caller gets no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReply {
    /// The connection was reset before the call had an effect.
    Reset,
    /// The call had its effect; its reply was lost.
    Lost,
}

/// One call, told apart from its protocol.
struct Call {
    protocol: Protocol,
    operation: String,
    input: Value,
}

#[derive(Clone, Copy)]
enum Protocol {
    Elb,
    Ecs,
    ApiGateway,
    Logs,
    DynamoDb,
    States,
    Sts,
    Ec2,
}

impl Protocol {
    /// The service's name in IAM actions.
    fn prefix(self) -> &'static str {
        match self {
            Self::Elb => "elasticloadbalancing",
            Self::Ecs => "ecs",
            Self::ApiGateway => "apigateway",
            Self::Logs => "logs",
            Self::DynamoDb => "dynamodb",
            Self::States => "states",
            Self::Sts => "sts",
            Self::Ec2 => "ec2",
        }
    }
}

impl Door {
    /// The endpoint in front of these services.
    #[must_use]
    pub fn new(cloud: Cloud, dynamo: Dynamo, states: States) -> Self {
        Self(Arc::new(Inner {
            cloud,
            dynamo,
            states,
            faults: Faults::default(),
            records_changed: Notify::new(),
            answered: AtomicU64::new(1),
        }))
    }

    /// A way to this endpoint that does not keep it alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakDoor {
        WeakDoor(Arc::downgrade(&self.0))
    }

    /// Waits until DynamoDB has been written to since the last call of this.
    pub async fn records_changed(&self) {
        self.0.records_changed.notified().await;
    }

    /// The scripted faults and the journal.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Answers one request: a stage's data path, or an API call.
    ///
    /// # Errors
    /// [`NoReply`] when a fault says that the caller gets none.
    pub async fn request(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoReply> {
        if let Some((api, stage, path)) = apigateway::stage_of(&request) {
            return Ok(apigateway::invoke(&self.0.cloud, &api, &stage, &path, request).await);
        }
        let Some(call) = classify(&request) else {
            return Ok(json_reply(
                StatusCode::NOT_FOUND,
                "application/json",
                &json!({"message": "berth-local knows no such AWS operation; it plays ELBv2, ECS, API Gateway v1, DynamoDB, Step Functions and a little of CloudWatch Logs, STS and EC2"}),
            ));
        };
        let name = format!("{}:{}", call.protocol.prefix(), call.operation);
        match self.0.faults.next(&name, lambda_process::is_function()) {
            None => {
                let result = self.answer(&call).await;
                Ok(self.write(&call, result))
            }
            Some(fault) => self.go_wrong(call, fault).await,
        }
    }

    /// Answers a call that meets a fault.
    async fn go_wrong(&self, call: Call, fault: Fault) -> Result<Response<Bytes>, NoReply> {
        match fault {
            Fault::Refuse(refusal) => Ok(self.write(&call, Err(refusal))),
            Fault::RefuseAfter(refusal) => {
                drop(self.answer(&call).await);
                Ok(self.write(&call, Err(refusal)))
            }
            Fault::Reset => Err(NoReply::Reset),
            Fault::LoseReply => {
                drop(self.answer(&call).await);
                Err(NoReply::Lost)
            }
            Fault::Slow(by) => self.answer_late(call, by).await.map_err(|_| NoReply::Lost),
            Fault::ComesUpFailed(why) => {
                let result = self.answer(&call).await;
                if let Ok((_, reply)) = &result {
                    self.0.cloud.change(|sim| stand_in::doom(sim, &call.operation, reply, &why));
                }
                Ok(self.write(&call, result))
            }
            Fault::VanishBefore => {
                lambda_process::vanish().await;
                Err(NoReply::Reset)
            }
            Fault::Vanish => {
                drop(self.answer(&call).await);
                lambda_process::vanish().await;
                Err(NoReply::Lost)
            }
            Fault::Exit => {
                let on_its_way = self.answer_late(call, ON_ITS_WAY);
                lambda_process::exit().await;
                drop(on_its_way.await);
                Err(NoReply::Lost)
            }
        }
    }

    /// Lets the call happen this much later (AWS time), on its own: what AWS is slow to do, it does also for a caller who no
    /// longer waits.
    fn answer_late(&self, call: Call, by: Duration) -> JoinHandle<Response<Bytes>> {
        let door = self.clone();
        tokio::spawn(async move {
            door.clock().sleep(by).await;
            let result = door.answer(&call).await;
            door.write(&call, result)
        })
    }

    fn clock(&self) -> berth_domain::Clock {
        self.0.cloud.read(|sim| sim.clock.clone())
    }

    /// Lets the call happen; what it comes to.
    async fn answer(&self, call: &Call) -> Result<(u16, Value), Refusal> {
        let Call { protocol, operation, input } = call;
        if !input.is_object() {
            return Err(Refusal::bad("SerializationException", "the body is not a JSON object"));
        }
        let cloud = &self.0.cloud;
        match protocol {
            Protocol::DynamoDb => {
                let result = self.0.dynamo.call(operation, input);
                if matches!(operation.as_str(), "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem") {
                    self.0.records_changed.notify_one();
                }
                result
            }
            Protocol::States => self.0.states.call(operation, input).map(|reply| (200, reply)),
            Protocol::Sts => sts::call(operation).map(|reply| (200, reply)),
            Protocol::Ec2 => ec2::call(operation, input).map(|reply| (200, reply)),
            Protocol::Elb | Protocol::Ecs | Protocol::ApiGateway | Protocol::Logs => {
                let (latency, clock) = cloud.change(|sim| (sim.take(Latency::Call), sim.clock.clone()));
                clock.sleep(latency / 2).await;
                let result = cloud.change(|sim| stand_in::call(sim, protocol.prefix(), operation, input));
                clock.sleep(latency / 2).await;
                result
            }
        }
    }

    fn write(&self, call: &Call, result: Result<(u16, Value), Refusal>) -> Response<Bytes> {
        let request_id = format!("00000000-0000-4000-8000-{:012x}", self.0.answered.fetch_add(1, Ordering::Relaxed));
        let mut response = match call.protocol {
            Protocol::Elb => xml_reply(query::ELB, &call.operation, result, &request_id),
            Protocol::Sts => xml_reply(query::STS, &call.operation, result, &request_id),
            Protocol::Ec2 => xml_reply(query::EC2, &call.operation, result, &request_id),
            Protocol::Ecs | Protocol::Logs => aws_json("application/x-amz-json-1.1", result),
            Protocol::DynamoDb | Protocol::States => aws_json("application/x-amz-json-1.0", result),
            Protocol::ApiGateway => rest_json(result),
        };
        if let Ok(value) = request_id.parse() {
            response.headers_mut().insert("x-amzn-requestid", value);
        }
        response
    }
}

fn classify(request: &Request<Bytes>) -> Option<Call> {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    if let Some((service, operation)) = target.and_then(|target| target.split_once('.')) {
        let protocol = match service {
            "AmazonEC2ContainerServiceV20141113" => Protocol::Ecs,
            "Logs_20140328" => Protocol::Logs,
            "DynamoDB_20120810" => Protocol::DynamoDb,
            "AWSStepFunctions" => Protocol::States,
            _ => return None,
        };
        // What is no JSON object is left `Null`, and refused in `answer`.
        let input = serde_json::from_slice(request.body()).unwrap_or_default();
        return Some(Call { protocol, operation: operation.to_owned(), input });
    }
    if let Some((operation, input)) = apigateway::route(request) {
        return Some(Call { protocol: Protocol::ApiGateway, operation: operation.to_owned(), input });
    }
    if request.uri().path() != "/" || request.method() != http::Method::POST {
        return None;
    }
    let version = form_urlencoded::parse(request.body()).find(|(key, _)| key == "Version")?.1.into_owned();
    let protocol = match version.as_str() {
        "2015-12-01" => Protocol::Elb,
        "2011-06-15" => Protocol::Sts,
        "2016-11-15" => Protocol::Ec2,
        _ => return None,
    };
    let (operation, input) = query::parse(request.body());
    Some(Call { protocol, operation, input })
}

fn xml_reply(
    dialect: query::Dialect,
    operation: &str,
    result: Result<(u16, Value), Refusal>,
    request_id: &str,
) -> Response<Bytes> {
    let (status, xml) = match result {
        Ok((status, reply)) => (status, query::reply(dialect, operation, &reply, request_id)),
        Err(refusal) => (refusal.status, query::refuse(dialect, &refusal, request_id)),
    };
    respond(status, "text/xml", xml.into())
}

fn aws_json(content_type: &'static str, result: Result<(u16, Value), Refusal>) -> Response<Bytes> {
    match result {
        Ok((status, reply)) => respond(status, content_type, reply.to_string().into()),
        Err(refusal) => respond(
            refusal.status,
            content_type,
            refusal
                .body
                .map_or_else(|| json!({"__type": refusal.code, "message": refusal.message}), |body| *body)
                .to_string()
                .into(),
        ),
    }
}

fn rest_json(result: Result<(u16, Value), Refusal>) -> Response<Bytes> {
    match result {
        Ok((status, Value::Null)) => respond(status, "application/json", Bytes::new()),
        Ok((status, reply)) => respond(status, "application/json", reply.to_string().into()),
        Err(refusal) => {
            let mut response =
                respond(refusal.status, "application/json", json!({"message": refusal.message}).to_string().into());
            if let Ok(value) = refusal.code.parse() {
                response.headers_mut().insert("x-amzn-errortype", value);
            }
            response
        }
    }
}

fn json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> Response<Bytes> {
    respond(status.as_u16(), content_type, body.to_string().into())
}

fn respond(status: u16, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
