//! The one AWS endpoint. For each request it finds service and operation (`protocol`, `services`), applies the call's
//! fault, takes the call's latency, lets the service answer, and writes the reply. `serve` offers it over TCP, to the requests
//! that `trust` admits; `sdk` in process.
//!
//! Signatures of API calls are not checked: every client that reaches the loopback port acts as the account's owner.

mod protocol;
mod query;
pub mod sdk;
pub mod serve;
pub mod services;
pub mod trust;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use protocol::AwsCall;

use crate::faults::lambda_process;
use crate::faults::{Fault, Faults};
use crate::stand_in::dynamo::{self, Dynamo};
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;
use crate::stand_in::service::{Handler, Reply};
use crate::stand_in::{Cloud, apigateway};
use crate::step_functions::States;

/// How long the last call of an exited process is under way (AWS time): longer than Step Functions waits before its
/// retry.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// The endpoint; cheap to clone.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    dynamo: Dynamo,
    states: States,
    faults: Faults,
    records_changed: Notify,
    /// Number of the next reply, for its request id.
    answered: AtomicU64,
}

/// A weak handle: the functions that the endpoint invokes call it through this, so that they do not keep it alive.
#[derive(Clone)]
pub struct WeakEndpoint(Weak<Inner>);

impl WeakEndpoint {
    /// The endpoint, as long as another handle keeps it alive.
    #[must_use]
    pub fn upgrade(&self) -> Option<Endpoint> {
        self.0.upgrade().map(Endpoint)
    }
}

/// Why the caller gets no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReply {
    /// The connection was reset before the call had an effect.
    Reset,
    /// The call had its effect; its reply was lost.
    Lost,
}

impl Endpoint {
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

    /// A handle that does not keep this endpoint alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakEndpoint {
        WeakEndpoint(Arc::downgrade(&self.0))
    }

    /// Waits for a write to DynamoDB since the previous call of this method.
    pub async fn records_changed(&self) {
        self.0.records_changed.notified().await;
    }

    /// The scripted faults and the journal.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Answers one request, whichever it is: a client's to a stage, or an API call. In process there is one door for both.
    ///
    /// # Errors
    /// [`NoReply`] when the call's fault withholds the reply.
    pub async fn request(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoReply> {
        match apigateway::stage_of(&request) {
            Some((api, stage, path)) => Ok(apigateway::invoke(&self.0.cloud, &api, &stage, &path, request).await),
            None => self.call(request).await,
        }
    }

    /// Answers a client's request to a stage; `None` when its path is no stage's.
    pub async fn invoke(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let (api, stage, path) = apigateway::stage_of(&request)?;
        Some(apigateway::invoke(&self.0.cloud, &api, &stage, &path, request).await)
    }

    /// Answers an API call.
    ///
    /// # Errors
    /// [`NoReply`] when the call's fault withholds the reply.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoReply> {
        let Some(call) = protocol::read(&request) else { return Ok(protocol::unknown(&request)) };
        match self.0.faults.next(call.service, &call.operation, lambda_process::is_function()) {
            None => {
                let result = self.answer(&call).await;
                Ok(self.write(&call, result))
            }
            Some(fault) => self.go_wrong(call, fault).await,
        }
    }

    /// Answers a call that meets a fault.
    async fn go_wrong(&self, call: AwsCall, fault: Fault) -> Result<Response<Bytes>, NoReply> {
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
                let provisioned = call.service.provisioned.as_ref();
                if let (Ok((_, reply)), Some(provisioned)) = (&result, provisioned)
                    && provisioned.operation == call.operation
                {
                    self.0.cloud.change(|account| (provisioned.fail_when_ready)(account, reply, &why));
                }
                Ok(self.write(&call, result))
            }
            Fault::KillBefore => {
                lambda_process::kill().await;
                Err(NoReply::Reset)
            }
            Fault::Kill => {
                drop(self.answer(&call).await);
                lambda_process::kill().await;
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

    /// Answers the call this much later (AWS time), in a task of its own: a slow call takes effect even if its caller
    /// no longer waits.
    fn answer_late(&self, call: AwsCall, by: Duration) -> JoinHandle<Response<Bytes>> {
        let endpoint = self.clone();
        tokio::spawn(async move {
            endpoint.clock().sleep(by).await;
            let result = endpoint.answer(&call).await;
            endpoint.write(&call, result)
        })
    }

    fn clock(&self) -> berth_domain::Clock {
        self.0.cloud.read(|account| account.engine.clock.clone())
    }

    /// Answers a call that meets no fault.
    async fn answer(&self, call: &AwsCall) -> Result<Reply, Refusal> {
        let AwsCall { service, operation, input } = call;
        if !input.is_object() {
            return Err(Refusal::bad("SerializationException", "the body is not a JSON object"));
        }
        let cloud = &self.0.cloud;
        match &service.handler {
            Handler::Account(calls) => {
                let (latency, clock) =
                    cloud.change(|account| (account.engine.take(Latency::Call), account.engine.clock.clone()));
                clock.sleep(latency / 2).await;
                let mut result = cloud.change(|account| account.call(service, calls, operation, input));
                if let Some(network) = calls.network.as_ref().filter(|network| network.operation == operation)
                    && result.is_ok()
                {
                    result = (network.call)(cloud.clone(), input.clone()).await;
                }
                clock.sleep(latency / 2).await;
                result
            }
            Handler::Fixed(call) => call(operation, input).map(|reply| (200, reply)),
            Handler::DynamoDb => {
                let result = self.0.dynamo.call(operation, input);
                if dynamo::writes(operation) {
                    self.0.records_changed.notify_one();
                }
                result
            }
            Handler::StepFunctions => self.0.states.call(operation, input).map(|reply| (200, reply)),
        }
    }

    fn write(&self, call: &AwsCall, result: Result<Reply, Refusal>) -> Response<Bytes> {
        let request_id = format!("00000000-0000-4000-8000-{:012x}", self.0.answered.fetch_add(1, Ordering::Relaxed));
        protocol::write(call, result, &request_id)
    }
}
