//! The proof: a request goes to the public stage URL, and the service itself must answer. Nothing to undo.

use berth_aws::Answer;
use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, recorded, waiting};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let api = recorded(environment, ResourceKind::RestApi)?;
    let url = context.settings.url_of(api, &environment.spec.api.stage);
    let why = match context.prober.probe(&format!("{url}{}", environment.spec.health_check.path)).await? {
        Answer::Service { status, .. } if status < 500 => return Ok(Progress::Ready),
        Answer::Service { status, body } => format!("the service answers {status} through {url}: {body}"),
        Answer::Gateway { status: 403, detail } => format!("the stage does not answer yet ({detail})"),
        Answer::Gateway { detail, .. } => format!("API Gateway does not reach the service ({detail})"),
        Answer::Nobody { detail } => format!("nobody answers at {url} ({detail})"),
    };
    Ok(waiting(context, environment, Step::EnsureReachable, why))
}
