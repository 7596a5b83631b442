//! The proof: a request goes the way that the environment's access permits, and the service itself must answer; a request that
//! the access does not permit must be refused. Nothing to undo.

use berth_aws::ProbeResult;
use berth_domain::access::Access;
use berth_domain::failure::Observation;
use berth_domain::masking::masked;
use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

/// The gateway's error types for a caller that it does not admit (docs/aws.md#who-may-invoke).
const NOT_ADMITTED: [&str; 5] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
];
/// Its error type for a request that a resource policy does not permit.
const NOT_IN_POLICY: &str = "AccessDeniedException";
/// Its error type for a request without a signature, and for a path that the stage does not have.
const NO_SIGNATURE: &str = "MissingAuthenticationTokenException";

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let spec = &run.environment.spec;
    let prober = &run.context.prober;
    let api = run.recorded(ResourceKind::RestApi)?;
    let url = run.context.settings.url_of(api, &spec.api.stage);
    let target = format!("{url}{}", spec.health_check.path);
    match &spec.access {
        Access::Open => Ok(judge(run, &url, prober.probe(&target).await?)),
        Access::Iam => match judge(run, &url, prober.probe_signed(&target).await?) {
            Progress::Done => unsigned_is_refused(run, &url, prober.probe(&target).await?),
            waiting => Ok(waiting),
        },
        Access::Cidrs { .. } => match prober.probe(&target).await? {
            ProbeResult::Gateway { kind, .. } if kind == NOT_IN_POLICY => behind_policy(run, &url).await,
            // The worker's own address is in the ranges, or there is no policy.
            ProbeResult::Service { .. } if !run.context.aws.rest_api_has_policy(api).await? => {
                Err(not_enforced(&url, "from any address, and its access is `cidrs`"))
            }
            answer => Ok(judge(run, &url, answer)),
        },
    }
}

/// What an answer through `url` shows of the service.
fn judge(run: &StepRun<'_>, url: &str, answer: ProbeResult) -> Progress {
    let (observation, why) = match answer {
        ProbeResult::Service { status, .. } if status < 500 => return Progress::Done,
        ProbeResult::Service { status, body } => {
            // Masked here already: a step that gives up repeats it in the state machine's history.
            (Observation::ServiceError, format!("the service answers {status} through {url}: {}", masked(&body)))
        }
        ProbeResult::Gateway { status: 403, kind, detail } if NOT_ADMITTED.contains(&&*kind) => {
            (Observation::ProofRefused, format!("API Gateway refuses Berth's own request ({detail})"))
        }
        ProbeResult::Gateway { status: 403, detail, .. } => {
            (Observation::StageNotServed, format!("the stage does not answer yet ({detail})"))
        }
        ProbeResult::Gateway { detail, .. } => {
            (Observation::ServiceUnreachable, format!("API Gateway does not reach the service ({detail})"))
        }
        ProbeResult::NoAnswer { detail } => (Observation::NoAnswer, format!("{url} does not answer ({detail})")),
    };
    run.waiting(why).observed(observation)
}

/// The service has answered a signed request: an unsigned one must be refused.
fn unsigned_is_refused(run: &StepRun<'_>, url: &str, answer: ProbeResult) -> Result<Progress, Error> {
    match answer {
        ProbeResult::Gateway { kind, .. } if kind == NO_SIGNATURE => Ok(Progress::Done),
        ProbeResult::Service { .. } => Err(not_enforced(url, "without a signature, and its access is `iam`")),
        other => Ok(judge(run, url, other)),
    }
}

fn not_enforced(url: &str, who: &str) -> Error {
    let message = format!("The service answers requests through {url} {who}.");
    Error::Failed { code: "access_not_enforced", message }
}

/// The resource policy refuses the worker's request, as it should: API Gateway itself requests the service, in the REST API's
/// current configuration, which must be the one that the stage serves.
async fn behind_policy(run: &StepRun<'_>, url: &str) -> Result<Progress, Error> {
    let (aws, spec) = (&run.context.aws, &run.environment.spec);
    let (api, link) = (run.recorded(ResourceKind::RestApi)?, run.recorded(ResourceKind::VpcLink)?);
    let served = aws.stage_get(api, &spec.api.stage).await?.and_then(|stage| stage.deployment);
    let newest = aws.deployment_find(api).await?;
    if served.is_none() || served != newest {
        let why = format!("the stage serves deployment {served:?}, and the newest is {newest:?}");
        return Ok(run.waiting(why).observed(Observation::StageNotServed));
    }
    Ok(judge(run, url, aws.test_invoke(api, &spec.health_check.path, link).await?))
}
