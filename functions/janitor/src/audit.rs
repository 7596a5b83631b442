//! The audit: what is tagged in AWS against what the records say, both ways. A resource without a record that explains it
//! is reported at once and removed after a grace period; a record whose resource is gone says so to whoever looks. Of
//! `ready` environments the listener and the stage are asked for too, which no list of what is tagged has.
//!
//! Records are the truth, so they are read again for every difference, after AWS was: a resource is announced in the record
//! before it is created, and what is not there then has none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use berth_aws::resources::Tagged;
use berth_aws::store::Finding;
use berth_domain::environment::ResourceKind;
use berth_domain::rate_limit::RateLimit;
use berth_domain::{Environment, EnvironmentId, Error, Status, usual};
use jiff::Timestamp;

use crate::Janitor;

/// Between two environments whose listener and stage are asked for: GetStage shares 10 calls a second with everything else
/// that is asked of API Gateway in this account (docs/aws.md#rates).
const PAUSE: Duration = Duration::from_millis(250);

/// How long one audit asks for them; with what it does not come to, the next one may begin.
const ASKING: Duration = Duration::from_secs(120);

/// What a list of what is tagged has of an environment.
const TAGGED: [ResourceKind; 5] = [
    ResourceKind::RestApi,
    ResourceKind::VpcLink,
    ResourceKind::Service,
    ResourceKind::LoadBalancer,
    ResourceKind::TargetGroup,
];

/// What is tagged in AWS.
type There<'a> = BTreeSet<(ResourceKind, &'a str)>;

impl Janitor {
    pub(crate) async fn audit(&self) -> Result<(), Error> {
        let live = self.store.environments_due(Timestamp::MAX).await?;
        // Environments stay in the cluster they were accepted for, also when the deployment's is another one now.
        let clusters = live.iter().map(|environment| environment.spec.cluster.as_str());
        let clusters: BTreeSet<&str> = clusters.chain([self.settings.cluster.as_str()]).collect();
        let tagged = self.resources.tagged(&self.settings.deployment, &clusters).await?;
        let records: BTreeMap<&EnvironmentId, &Environment> =
            live.iter().map(|environment| (&environment.id, environment)).collect();
        let mut orphans = Vec::new();
        for resource in &tagged {
            let explained = records.get(&resource.environment).is_some_and(|record| explains(record, resource));
            if !explained && self.is_orphan(resource).await? {
                orphans.push(resource);
            }
        }
        self.deal_with(&orphans).await?;
        let there: There = tagged.iter().map(|resource| (resource.kind, resource.id.as_str())).collect();
        let mut ready = Vec::new();
        for environment in live.iter().filter(|environment| environment.status == Status::Ready) {
            let missing = missing(environment, &there);
            if missing.iter().copied().ne(environment.missing.keys().copied()) {
                self.note_missing(environment, &missing).await?;
            }
            ready.push((environment, missing));
        }
        self.ask(ready, &there).await
    }

    /// Asks for listeners and stages, wherever it begins: an audit that comes to its end before the last is not to leave out
    /// the same ones every time.
    async fn ask(
        &self,
        mut ready: Vec<(&Environment, BTreeSet<ResourceKind>)>,
        there: &There<'_>,
    ) -> Result<(), Error> {
        let began = self.clock.now();
        let first = usize::try_from(began.as_millisecond()).unwrap_or_default() % ready.len().max(1);
        ready.rotate_left(first);
        for (environment, noted) in ready {
            if self.clock.since(began) > ASKING {
                tracing::warn!("not every listener and stage was asked for");
                break;
            }
            self.clock.sleep(PAUSE).await;
            let missing = match self.still_missing(environment, noted.clone(), there).await {
                // What was noted stays until AWS can be asked.
                Err(error @ (Error::Throttled { .. } | Error::Unavailable { .. })) => {
                    tracing::warn!(environment = %environment.id, cause = error.cause(), "nobody knows what is missing");
                    continue;
                }
                missing => missing?,
            };
            if missing != noted {
                self.note_missing(environment, &missing).await?;
            }
        }
        Ok(())
    }

    /// Whether the record, read after the resource was seen, does not explain it.
    async fn is_orphan(&self, resource: &Tagged) -> Result<bool, Error> {
        match self.store.environment_get(&resource.team, &resource.environment).await {
            Ok(environment) => Ok(!explains(&environment, resource)),
            Err(Error::NotFound { .. }) => Ok(true),
            // A record that cannot be read may explain it, and keeps no other from being looked after.
            Err(Error::Internal { cause }) => {
                tracing::error!(environment = %resource.environment, cause, "a record cannot be read");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Reports orphans, removes those whose time is over (of REST APIs one), and forgets those that are gone.
    async fn deal_with(&self, orphans: &[&Tagged]) -> Result<(), Error> {
        let known = self.store.findings().await?;
        for finding in &known {
            if orphans.iter().all(|orphan| !is_of(finding, orphan)) {
                tracing::info!(?finding, "gone, or explained after all");
                self.store.finding_delete(finding).await?;
            }
        }
        let mut due = Vec::new();
        for orphan in orphans {
            let finding = match known.iter().find(|finding| is_of(finding, orphan)) {
                Some(finding) => finding.clone(),
                None => self.report(orphan).await?,
            };
            if finding.remove_after <= self.clock.now() {
                due.push((orphan, finding));
            }
        }
        // Turns that come while nobody is here to use them would all be used at once, at the cost of those who delete.
        let apis = due.iter().map(|(_, finding)| finding).filter(|finding| finding.kind == ResourceKind::RestApi);
        let next_api = apis.min_by_key(|finding| (finding.slot_at.is_none(), finding.remove_after));
        let next_api = next_api.map(|finding| finding.id.clone());
        for (orphan, mut finding) in due {
            if finding.kind == ResourceKind::RestApi && next_api.as_deref() != Some(&finding.id) {
                finding.why = Some("another REST API is removed before it: one at each audit".to_owned());
                self.store.finding_put(&finding).await?;
            } else if self.is_orphan(orphan).await? {
                // Its record was read long ago, when others came before it.
                self.remove(finding).await?;
            }
        }
        Ok(())
    }

    async fn report(&self, orphan: &Tagged) -> Result<Finding, Error> {
        let finding = Finding {
            kind: orphan.kind,
            id: orphan.id.clone(),
            environment: orphan.environment.clone(),
            team: orphan.team.clone(),
            found_at: self.clock.now_ms(),
            remove_after: self.clock.deadline(self.clock.scale(usual::ORPHAN_GRACE)),
            slot_at: None,
            why: None,
        };
        tracing::warn!(?finding, "no record explains this resource");
        self.store.finding_put(&finding).await?;
        Ok(finding)
    }

    /// Removes an orphan, or says why it is still there: what it needs gone goes first, at this audit or an earlier one.
    async fn remove(&self, mut finding: Finding) -> Result<(), Error> {
        if finding.kind == ResourceKind::RestApi {
            // Taken once, like any other turn; if it does not come at once, a later audit uses it.
            let turn = match finding.slot_at {
                Some(turn) => turn,
                None => self.store.slot_reserve(RateLimit::DeleteRestApi).await?,
            };
            finding.slot_at = Some(turn);
            if turn > self.clock.now() {
                finding.why = Some(format!("waiting for its slot: {}", RateLimit::DeleteRestApi));
                return self.store.finding_put(&finding).await;
            }
        }
        let removed = self.resources.tagged_remove(finding.kind, &finding.id).await;
        // What is still there next time has used its turn, and comes after those that were not tried.
        finding.slot_at = None;
        finding.remove_after = self.clock.now_ms();
        finding.why = match removed {
            Ok(why) => why,
            Err(error) => Some(error.public().to_owned()),
        };
        tracing::warn!(?finding, "a resource that no record explains is removed");
        self.store.finding_put(&finding).await
    }

    /// What is missing of `environment`, once its listener and stage were asked for too. What belongs to a resource that is
    /// missing went with it: it is not asked for, and what was noted of it stays.
    async fn still_missing(
        &self,
        environment: &Environment,
        mut missing: BTreeSet<ResourceKind>,
        there: &There<'_>,
    ) -> Result<BTreeSet<ResourceKind>, Error> {
        let recorded = |kind: ResourceKind| environment.resources.id(kind).map(|id| (kind, id));
        let present = |kind| recorded(kind).filter(|entry| there.contains(entry));
        let mut note = |kind, is_there| if is_there { missing.remove(&kind) } else { missing.insert(kind) };
        if let (Some((_, load_balancer)), Some((kind, listener))) =
            (present(ResourceKind::LoadBalancer), recorded(ResourceKind::Listener))
        {
            note(kind, self.resources.listener_find(load_balancer).await?.as_deref() == Some(listener));
        }
        if let (Some((_, api)), Some((kind, _))) = (present(ResourceKind::RestApi), recorded(ResourceKind::Stage)) {
            note(kind, self.resources.stage_exists(api, &environment.spec.api.stage).await?);
        }
        Ok(missing)
    }

    async fn note_missing(&self, seen: &Environment, missing: &BTreeSet<ResourceKind>) -> Result<(), Error> {
        tracing::warn!(environment = %seen.id, ?missing, "recorded resources that are not there");
        let note = |environment: &mut Environment, now| {
            // Only what is still as it was when AWS was asked.
            if environment.status == Status::Ready && environment.resources == seen.resources {
                environment.note_missing(missing, now);
            }
            Ok(())
        };
        self.store.environment_change(&seen.team, &seen.id, note).await.map(drop)
    }
}

/// What is missing of `environment` as far as the list of what is tagged tells; of the rest, what was noted.
fn missing(environment: &Environment, there: &There<'_>) -> BTreeSet<ResourceKind> {
    let gone = |kind: &ResourceKind| environment.resources.id(*kind).is_some_and(|id| !there.contains(&(*kind, id)));
    let noted = environment.missing.keys().copied().filter(|kind| !TAGGED.contains(kind));
    TAGGED.into_iter().filter(gone).chain(noted).collect()
}

fn is_of(finding: &Finding, resource: &Tagged) -> bool {
    finding.kind == resource.kind && finding.id == resource.id
}

/// Whether `environment` knows of `resource`: it is recorded, or it may just be being made or taken away. Of what is `failed`
/// or `deleted` nothing may be left, whatever a call may have recorded too late.
fn explains(environment: &Environment, resource: &Tagged) -> bool {
    let recorded = environment.resources.id(resource.kind) == Some(resource.id.as_str());
    match environment.status {
        Status::Queued | Status::Provisioning | Status::Deleting => true,
        Status::Ready | Status::CleanupFailed => recorded,
        Status::Failed | Status::Deleted => false,
    }
}
