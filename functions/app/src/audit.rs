//! The audit compares what is tagged in AWS with the records, both ways:
//!
//! - A resource that no record explains (an orphan) is reported at once as a finding, and removed after a grace period.
//! - A `ready` environment one of whose recorded resources is gone says so in `missing`. Lists of tagged resources have neither
//!   listeners nor stages, so those are asked for one by one.
//! - A record that cannot be read is reported as well, and explains every resource whose tag names its environment.
//!
//! Records are the truth, so for every difference the record is read again, after AWS was: a resource is announced in the
//! record before it is created, so a resource without an announcement then is an orphan.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use berth_aws::resources::{Deletion, Tagged};
use berth_aws::store::{Finding, Unreadable, UnreadableRecord, Watched};
use berth_domain::rate_limit::RateLimit;
use berth_domain::{Environment, EnvironmentId, Error, ResourceKind, Status, timing};
use jiff::Timestamp;

use crate::App;

/// Between two environments whose listener and stage are asked for: GetStage shares 10 calls a second with everything else
/// that is asked of API Gateway in this account (docs/aws.md#rates).
const PAUSE: Duration = Duration::from_millis(250);

/// How long one audit asks for them; the next audit may begin with the rest.
const ASKING: Duration = Duration::from_secs(120);

/// The kinds that lists of tagged resources have.
const TAGGED: [ResourceKind; 5] = [
    ResourceKind::RestApi,
    ResourceKind::VpcLink,
    ResourceKind::Service,
    ResourceKind::LoadBalancer,
    ResourceKind::TargetGroup,
];

/// What operators must hear of, as one audit saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Resources that no record explains.
    pub orphans: usize,
    /// Whether there are more of them than one audit may remove, so that it removed none.
    pub are_held: bool,
    /// Ready environments that miss a resource.
    pub missing: usize,
    /// Environments whose records cannot be read.
    pub unreadable: usize,
    /// Environments whose removal could not be finished.
    pub cleanup_failed: usize,
    /// Environments that wait for a slot.
    pub waiting: usize,
}

/// The tagged resources that are there.
type There<'a> = BTreeSet<(ResourceKind, &'a str)>;

impl App {
    /// Compares records and AWS, and says what operators must hear of.
    ///
    /// # Errors
    /// `Unavailable` when the table or AWS cannot be reached: the next audit does the rest.
    pub async fn audit(&self) -> Result<AuditReport, Error> {
        let Watched { environments: live, unreadable } = self.store.environments_due(Timestamp::MAX).await?;
        self.report_unreadable(&unreadable).await?;
        // Environments stay in the cluster they were accepted for, also when the deployment's is another one now.
        let clusters = live.iter().map(|environment| environment.spec.cluster.as_str());
        let clusters: BTreeSet<&str> = clusters.chain([self.settings.cluster.as_str()]).collect();
        let tagged = self.aws.tagged(&self.settings.deployment, &clusters).await?;
        let records: BTreeMap<&EnvironmentId, &Environment> =
            live.iter().map(|environment| (&environment.id, environment)).collect();
        let mut orphans = Vec::new();
        for resource in &tagged {
            let explained = records.get(&resource.environment).is_some_and(|record| explains(record, resource));
            if !explained && self.is_orphan(resource).await? {
                orphans.push(resource);
            }
        }
        let are_held = orphans.len() > self.settings.max_orphans_removed;
        self.handle_orphans(&orphans, are_held).await?;
        let there: There = tagged.iter().map(|resource| (resource.kind, resource.id.as_str())).collect();
        let mut ready = Vec::new();
        for environment in live.iter().filter(|environment| environment.status() == Status::Ready) {
            let missing = missing(environment, &there);
            if missing.iter().copied().ne(environment.missing().keys().copied()) {
                self.note_missing(environment, &missing).await?;
            }
            ready.push((environment, missing));
        }
        let missing = self.ask(ready, &there).await?;
        let now = self.clock.now();
        let count = |is: fn(&Environment, Timestamp) -> bool| live.iter().filter(|one| is(one, now)).count();
        Ok(AuditReport {
            orphans: orphans.len(),
            are_held,
            missing,
            unreadable: unreadable.len(),
            cleanup_failed: count(|environment, _| environment.status() == Status::CleanupFailed),
            waiting: count(Environment::waits_for_slot),
        })
    }

    /// Asks for listeners and stages; answers how many environments miss anything. It begins at another environment each time, so
    /// that an audit that runs out of time does not leave out the same ones every time.
    async fn ask(
        &self,
        mut ready: Vec<(&Environment, BTreeSet<ResourceKind>)>,
        there: &There<'_>,
    ) -> Result<usize, Error> {
        let began = self.clock.now();
        let mut lacking: BTreeSet<&EnvironmentId> =
            ready.iter().filter(|(_, missing)| !missing.is_empty()).map(|(environment, _)| &environment.id).collect();
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
                    tracing::warn!(environment = %environment.id, cause = error.cause(), "what is missing is not known");
                    continue;
                }
                missing => missing?,
            };
            if missing != noted {
                self.note_missing(environment, &missing).await?;
            }
            if missing.is_empty() {
                lacking.remove(&environment.id);
            } else {
                lacking.insert(&environment.id);
            }
        }
        Ok(lacking.len())
    }

    /// Keeps the records that cannot be read, and forgets those that can be read again.
    async fn report_unreadable(&self, unreadable: &[Unreadable]) -> Result<(), Error> {
        let known = self.store.unreadable_records().await?;
        for record in &known {
            if unreadable.iter().all(|one| one.id != record.environment) {
                tracing::info!(environment = %record.environment, "its record can be read again, or is gone");
                self.store.unreadable_record_delete(record).await?;
            }
        }
        for one in unreadable.iter().filter(|one| known.iter().all(|record| record.environment != one.id)) {
            let record = UnreadableRecord {
                team: one.team.clone(),
                environment: one.id.clone(),
                name: one.name.clone(),
                found_at: self.clock.now_ms(),
            };
            self.store.unreadable_record_put(&record).await?;
        }
        Ok(())
    }

    /// Whether the record, read after the resource was seen, does not explain it.
    async fn is_orphan(&self, resource: &Tagged) -> Result<bool, Error> {
        match self.store.environment_get(&resource.team, &resource.environment).await {
            Ok(environment) => Ok(!explains(&environment, resource)),
            Err(Error::NotFound { .. }) => Ok(true),
            // A record that cannot be read may explain it. It does not stop the audit of the others.
            Err(Error::Unreadable { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reports orphans, removes those whose grace period is over (of REST APIs one), and forgets those that are gone. When
    /// `are_held`, it removes none: so many at once are a lost table rather than lost records.
    async fn handle_orphans(&self, orphans: &[&Tagged], are_held: bool) -> Result<(), Error> {
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
        if are_held {
            let (seen, most) = (orphans.len(), self.settings.max_orphans_removed);
            tracing::error!(seen, most, "more resources without a record than one audit may remove: none is removed");
            for (_, mut finding) in due {
                finding.why = Some(format!(
                    "none is removed: {seen} resources without a record were found, and one audit removes at most {most} (MaxOrphansRemoved)"
                ));
                self.store.finding_put(&finding).await?;
            }
            return Ok(());
        }
        // Slots that fall between two audits would be used in one burst and delay users' deletes, so one is reserved per audit.
        let apis = due.iter().map(|(_, finding)| finding).filter(|finding| finding.kind == ResourceKind::RestApi);
        let next_api = apis.min_by_key(|finding| (finding.slot_at.is_none(), finding.remove_after));
        let next_api = next_api.map(|finding| finding.id.clone());
        for (orphan, mut finding) in due {
            if finding.kind == ResourceKind::RestApi && next_api.as_deref() != Some(&finding.id) {
                finding.why = Some("another REST API is removed before it: one at each audit".to_owned());
                self.store.finding_put(&finding).await?;
            } else if self.is_orphan(orphan).await? {
                // Its record was read long ago if other orphans came before it, so it is read again.
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
            remove_after: self.clock.deadline(self.clock.scale(timing::ORPHAN_GRACE)),
            slot_at: None,
            why: None,
        };
        tracing::warn!(?finding, "no record explains this resource");
        self.store.finding_put(&finding).await?;
        Ok(finding)
    }

    /// Removes an orphan, or notes why it is still there. Orphans come in the order in which they can be removed.
    async fn remove(&self, mut finding: Finding) -> Result<(), Error> {
        if finding.kind == ResourceKind::RestApi {
            // Reserved once, like any other slot; if it does not come at once, a later audit uses it.
            let slot = match finding.slot_at {
                Some(slot) => slot,
                None => self.store.slot_reserve(RateLimit::DeleteRestApi).await?,
            };
            finding.slot_at = Some(slot);
            if slot > self.clock.now() {
                finding.why = Some(format!("waiting for its slot: {}", RateLimit::DeleteRestApi));
                return self.store.finding_put(&finding).await;
            }
        }
        let removed = self.aws.tagged_remove(finding.kind, &finding.id).await;
        // An orphan that is still there next time has used its slot, and comes after those that were not tried.
        finding.slot_at = None;
        finding.remove_after = self.clock.now_ms();
        finding.why = match removed {
            Ok(Deletion::Accepted) => None,
            Ok(Deletion::InUse(message)) => Some(message),
            Err(error) => Some(error.public().to_owned()),
        };
        tracing::warn!(?finding, "a resource that no record explains is removed");
        self.store.finding_put(&finding).await
    }

    /// What is missing of `environment`, with its listener and stage. A listener or stage whose load balancer or API is missing went
    /// with it: it is not asked for, and what was noted of it stays.
    async fn still_missing(
        &self,
        environment: &Environment,
        mut missing: BTreeSet<ResourceKind>,
        there: &There<'_>,
    ) -> Result<BTreeSet<ResourceKind>, Error> {
        let recorded = |kind: ResourceKind| environment.ledger().id(kind).map(|id| (kind, id));
        let present = |kind| recorded(kind).filter(|entry| there.contains(entry));
        let mut note = |kind, is_there| if is_there { missing.remove(&kind) } else { missing.insert(kind) };
        if let (Some((_, load_balancer)), Some((kind, listener))) =
            (present(ResourceKind::LoadBalancer), recorded(ResourceKind::Listener))
        {
            note(kind, self.aws.listener_find(load_balancer).await?.as_deref() == Some(listener));
        }
        if let (Some((_, api)), Some((kind, _))) = (present(ResourceKind::RestApi), recorded(ResourceKind::Stage)) {
            note(kind, self.aws.stage_get(api, &environment.spec.api.stage).await?.is_some());
        }
        Ok(missing)
    }

    async fn note_missing(&self, seen: &Environment, missing: &BTreeSet<ResourceKind>) -> Result<(), Error> {
        tracing::warn!(environment = %seen.id, ?missing, "recorded resources that are not there");
        let note = |environment: &mut Environment, now| {
            // Only what is still as it was when AWS was asked.
            if environment.status() == Status::Ready && environment.ledger() == seen.ledger() {
                environment.note_missing(missing, now);
            }
            Ok(())
        };
        self.store.environment_change(&seen.team, &seen.id, note).await.map(drop)
    }
}

/// What is missing of `environment` according to the tagged resources; of the other kinds, what was noted earlier.
fn missing(environment: &Environment, there: &There<'_>) -> BTreeSet<ResourceKind> {
    let gone = |kind: &ResourceKind| environment.ledger().id(*kind).is_some_and(|id| !there.contains(&(*kind, id)));
    let noted = environment.missing().keys().copied().filter(|kind| !TAGGED.contains(kind));
    TAGGED.into_iter().filter(gone).chain(noted).collect()
}

fn is_of(finding: &Finding, resource: &Tagged) -> bool {
    finding.kind == resource.kind && finding.id == resource.id
}

/// Whether `environment` explains `resource`: it is recorded, or may just be being created or removed. A `failed` or `deleted`
/// environment explains nothing, whatever a call may have recorded too late.
fn explains(environment: &Environment, resource: &Tagged) -> bool {
    let recorded = environment.ledger().id(resource.kind) == Some(resource.id.as_str());
    match environment.status() {
        Status::Queued | Status::Provisioning | Status::Deleting => true,
        Status::Ready | Status::CleanupFailed => recorded,
        Status::Failed | Status::Deleted => false,
    }
}
