//! The proof: a request goes to the public stage URL, and the service itself must answer. Nothing to undo.

use berth_aws::ProbeResult;
use berth_domain::failure::Observation;
use berth_domain::masking::masked;
use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let spec = &run.environment.spec;
    let url = run.context.settings.url_of(run.recorded(ResourceKind::RestApi)?, &spec.api.stage);
    let (observation, why) = match run.context.prober.probe(&format!("{url}{}", spec.health_check.path)).await? {
        ProbeResult::Service { status, .. } if status < 500 => return Ok(Progress::Done),
        ProbeResult::Service { status, body } => {
            // Masked here already: a step that gives up repeats it in the state machine's history.
            (Observation::ServiceError, format!("the service answers {status} through {url}: {}", masked(&body)))
        }
        ProbeResult::Gateway { status: 403, detail } => {
            (Observation::StageNotServed, format!("the stage does not answer yet ({detail})"))
        }
        ProbeResult::Gateway { detail, .. } => {
            (Observation::ServiceUnreachable, format!("API Gateway does not reach the service ({detail})"))
        }
        ProbeResult::NoAnswer { detail } => (Observation::NoAnswer, format!("{url} does not answer ({detail})")),
    };
    Ok(run.waiting(why).observed(observation))
}
