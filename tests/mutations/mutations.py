"""Deliberate mistakes, each behind a switch: what is wrong, which texts become which, and the tests that must see it.
Each entry of `filters` is one run of the tests; the next run is only made when the one before saw nothing.

`mutant("name")` is true in a run in which that mistake is switched on. All of them are in one build, so a text may be
changed once only. `SWITCH` is added to berth-domain: other crates call `berth_domain::mutant`, the crate itself
`crate::mutant`. A `const fn` cannot read the switch, so its mistake takes `const` away."""

WORKER = "functions/worker/src"
STEPS = f"{WORKER}/steps"
RUN = f"{WORKER}/run.rs"
STEP_RUN = f"{WORKER}/step_run.rs"
RECORD = f"{WORKER}/record.rs"
DOMAIN = "functions/domain/src"
WORKFLOW = f"{DOMAIN}/environment/workflow.rs"
RESOLVE = f"{DOMAIN}/request/resolve.rs"
LIMITS = f"{DOMAIN}/limits.rs"
LIFECYCLE = f"{DOMAIN}/environment/lifecycle.rs"
STEP = f"{DOMAIN}/step.rs"
PLAN = f"{DOMAIN}/plan.rs"
CHANGE = "functions/aws/src/store/change.rs"
PROBER = "functions/aws/src/prober.rs"
AUDIT = "functions/app/src/audit.rs"
RECOVER = "functions/app/src/recover.rs"
EMBEDDED = "infra/local/src/app/embedded.rs"
EXPIRY = "functions/aws/src/store/expiry.rs"

# The switch itself, appended to functions/domain/src/lib.rs.
SWITCH = '''
/// Whether the deliberate mistake of that name is switched on.
#[must_use]
pub fn mutant(name: &str) -> bool {
    std::env::var("BERTH_MUTANT").is_ok_and(|chosen| chosen == name)
}
'''

MUTATIONS = [
    {
        "name": "undo-skipped",
        "what": "UndoTargetGroup says that the target group is gone without having removed it",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                "Step::UndoTargetGroup => target_group::undo(run).await,",
                'Step::UndoTargetGroup if berth_domain::mutant("undo-skipped") => {\n                run.ledger().close(berth_domain::ResourceKind::TargetGroup).await?;\n                Ok(Progress::Done)\n            }\n            Step::UndoTargetGroup => target_group::undo(run).await,',
            ),
        ],
        "filters": ["faults::undos"],
    },
    {
        "name": "no-look-before-create",
        "what": "EnsureVpcLink creates without having looked by tag",
        "changes": [
            (
                f"{STEPS}/vpc_link.rs",
                "let link = match aws.vpc_links_find(&run.environment.id).await?.into_iter().next() {",
                'let looked = aws.vpc_links_find(&run.environment.id).await?.into_iter().next();\n    let link = match looked.filter(|_| !berth_domain::mutant("no-look-before-create")) {',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_that_loses"],
    },
    {
        "name": "no-consistency-window",
        "what": "a creation whose reply was lost is not given time to show",
        "changes": [
            (
                STEP_RUN,
                "let left = CONSISTENCY_WINDOW.checked_sub(",
                'let window = if berth_domain::mutant("no-consistency-window") { Duration::ZERO } else { CONSISTENCY_WINDOW };\n        let left = window.checked_sub(',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_with_any_change_slower", "random_histories"],
    },
    {
        "name": "no-lease",
        "what": "an operation is recovered at once, while a call of its old execution may still be running",
        "changes": [
            (
                LIFECYCLE,
                "let wait = clock.limit(CALL_LIMIT) * 2_u32.pow(self.operation.recoveries.saturating_sub(1));",
                'let wait = clock.limit(CALL_LIMIT) * 2_u32.pow(self.operation.recoveries.saturating_sub(1));\n        let wait = if crate::mutant("no-lease") { std::time::Duration::ZERO } else { wait };',
            ),
        ],
        "filters": ["faults::interrupted"],
    },
    {
        "name": "id-not-recorded",
        "what": "EnsureRestApi gives the API its paths before it records the id",
        "changes": [
            (
                f"{STEPS}/rest_api.rs",
                "            ledger.record_id(KIND, &api, None).await?;\n            api\n",
                '            if !berth_domain::mutant("id-not-recorded") {\n                ledger.record_id(KIND, &api, None).await?;\n            }\n            api\n',
            ),
            (
                f"{STEPS}/rest_api.rs",
                "        Ok(()) => Ok(Progress::Done),\n",
                '        Ok(()) => {\n            if berth_domain::mutant("id-not-recorded") {\n                run.ledger().record_id(KIND, &api, None).await?;\n            }\n            Ok(Progress::Done)\n        }\n',
            ),
        ],
        "filters": ["faults::crashes"],
    },
    {
        "name": "not-announced",
        "what": "a creation is not announced in the record",
        "changes": [
            (
                WORKFLOW,
                "        self.ledger.announce(kind, now);\n",
                '        if !crate::mutant("not-announced") {\n            self.ledger.announce(kind, now);\n        }\n',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_denied_any_call_after"],
    },
    {
        "name": "no-fence",
        "what": "a call may create although the entry has changed since it looked",
        "changes": [
            (
                WORKFLOW,
                "if self.must_stop(operation) || self.ledger.get(kind) != seen {",
                'if self.must_stop(operation) || (self.ledger.get(kind) != seen && !crate::mutant("no-fence")) {',
            ),
        ],
        "filters": ["faults::every_step_twice"],
    },
    {
        "name": "no-stop",
        "what": "a step that goes forward does not look whether it has to stop",
        "changes": [
            (
                RUN,
                "if !run.may_act() {",
                'let goes_on = run.step.direction() == Direction::Forward && berth_domain::mutant("no-stop");\n        if !goes_on && !run.may_act() {',
            ),
        ],
        "filters": ["faults::arrivals::a_delete_at_any_state_of_a_provisioning"],
    },
    {
        "name": "stale-removes",
        "what": "a call may remove when its operation is current or the environment is deleting, not only when both hold",
        "changes": [
            (
                WORKFLOW,
                "self.operation.id == *operation && self.status == Status::Deleting",
                'if crate::mutant("stale-removes") {\n            return self.operation.id == *operation || self.status == Status::Deleting;\n        }\n        self.operation.id == *operation && self.status == Status::Deleting',
            ),
        ],
        "filters": ["faults::stale_calls"],
    },
    {
        "name": "ready-unproven",
        "what": "EnsureReachable is done when the gateway answers in the service's place",
        "changes": [
            (
                f"{STEPS}/reachable.rs",
                "    let (observation, why) = match answer {\n",
                '    let (observation, why) = match answer {\n        ProbeResult::Service { .. } | ProbeResult::Gateway { .. } if berth_domain::mutant("ready-unproven") => {\n            return Progress::Done;\n        }\n',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_throttled", "workflow::provision", "random_histories"],
    },
    {
        "name": "ready-at-500",
        "what": "a service that answers 500 counts as ready",
        "changes": [
            (
                f"{STEPS}/reachable.rs",
                "ProbeResult::Service { status, .. } if status < 500 =>",
                'ProbeResult::Service { status, .. } if status < 500 + u16::from(berth_domain::mutant("ready-at-500")) =>',
            ),
        ],
        "filters": ["workflow::proof"],
    },
    {
        "name": "ready-anyway",
        "what": "MarkReady says ready although a failure or a delete has come meanwhile",
        "changes": [
            (
                WORKFLOW,
                "        if self.must_stop(operation) {\n            return Ok(());\n        }\n        self.become_status(Status::Ready)",
                '        if self.must_stop(operation) {\n            if crate::mutant("ready-anyway") {\n                self.status = Status::Ready;\n            }\n            return Ok(());\n        }\n        self.become_status(Status::Ready)',
            ),
        ],
        "filters": ["faults::arrivals"],
    },
    {
        "name": "removal-always-well",
        "what": "a removal that left something behind ends as if it had not",
        "changes": [
            (
                WORKFLOW,
                "        if self.ledger.left().next().is_some() {\n            let wait",
                '        if self.ledger.left().next().is_some() && !crate::mutant("removal-always-well") {\n            let wait',
            ),
        ],
        "filters": ["faults::undos"],
    },
    {
        "name": "needs-nothing-gone",
        "what": "an undo is tried although what holds its resource is still there",
        "changes": [
            (
                STEP,
                "    pub const fn waits_for(self) -> &'static [ResourceKind] {\n        self.row().waits_for\n",
                '    pub fn waits_for(self) -> &\'static [ResourceKind] {\n        if crate::mutant("needs-nothing-gone") {\n            return &[];\n        }\n        self.row().waits_for\n',
            ),
        ],
        "filters": ["faults::undos", "random_histories"],
    },
    {
        "name": "load-balancer-first",
        "what": "a removal's plan deletes the load balancer before the VPC link that uses it",
        "changes": [
            (
                PLAN,
                "/// The plan of an operation of `kind` for an environment with `topology`.\n#[must_use]\npub const fn for_topology(",
                'const LOAD_BALANCER_FIRST: Plan = Plan(&[Part::SideBySide(&[\n    Branch { name: "GatewayRemoval", steps: &[Step::UndoRestApi, Step::UndoLoadBalancer, Step::UndoVpcLink] },\n    Branch { name: "ServiceRemoval", steps: &[Step::UndoService, Step::UndoListener, Step::UndoTargetGroup] },\n])]);\n\n/// The plan of an operation of `kind` for an environment with `topology`.\n#[must_use]\npub fn for_topology(',
            ),
            (
                PLAN,
                "        (Kind::Delete, Topology::Dedicated) => DELETE_DEDICATED,",
                '        (Kind::Delete, Topology::Dedicated) if crate::mutant("load-balancer-first") => LOAD_BALANCER_FIRST,\n        (Kind::Delete, Topology::Dedicated) => DELETE_DEDICATED,',
            ),
        ],
        "filters": ["contract"],
    },
    {
        "name": "last-writer-wins",
        "what": "a record is written over another write",
        "changes": [
            (
                CHANGE,
                'const UNCHANGED: &str = "version = :expected";',
                'let unchanged = if berth_domain::mutant("last-writer-wins") {\n            "version = :expected OR attribute_exists(pk)"\n        } else {\n            "version = :expected"\n        };',
            ),
            (
                CHANGE,
                "put.condition_expression(UNCHANGED)",
                "put.condition_expression(unchanged)",
            ),
            (
                CHANGE,
                "            .condition_expression(UNCHANGED)",
                "            .condition_expression(unchanged)",
            ),
        ],
        "filters": ["workflow::provision", "faults::every_step_twice", "random_histories"],
    },
    {
        "name": "no-slot",
        "what": "operations whose rate the account shares do not wait for their slot",
        "changes": [
            (
                STEP_RUN,
                "let Some(rate_limit) = self.step.rate_limit() else { return Ok(None) };\n",
                'let rate_limit = self.step.rate_limit().filter(|_| !berth_domain::mutant("no-slot"));\n        let Some(rate_limit) = rate_limit else { return Ok(None) };\n',
            ),
        ],
        "filters": ["workflow::pacing"],
    },
    {
        "name": "no-recovery",
        "what": "the janitor leaves operations alone whose execution has ended",
        "changes": [
            (
                RECOVER,
                "        if environment.status().is_moving() {\n            self.ensure_execution",
                '        if environment.status().is_moving() && !berth_domain::mutant("no-recovery") {\n            self.ensure_execution',
            ),
            (
                RECOVER,
                "if environment.is_under_way(&identity.operation) {",
                'if environment.is_under_way(&identity.operation) && !berth_domain::mutant("no-recovery") {',
            ),
        ],
        "filters": ["workflow::janitor"],
    },
    {
        "name": "evidence-too-late",
        "what": "the evidence of a failure is not read before everything is undone",
        "changes": [
            (
                RECORD,
                "let evidence = evidence::collect(context, &environment, caught.step).await;",
                'let of = if berth_domain::mutant("evidence-too-late") { berth_domain::Step::MarkGone } else { caught.step };\n    let evidence = evidence::collect(context, &environment, of).await;',
            ),
        ],
        "filters": ["workflow::failure"],
    },
    {
        "name": "one-client-token",
        "what": "every service is created with the same client token",
        "changes": [
            (
                f"{STEPS}/service.rs",
                'let client_token = format!("{}-{}", run.environment.id.bare(), run.environment.attempt());',
                'let client_token = if berth_domain::mutant("one-client-token") {\n            "berth".to_owned()\n        } else {\n            format!("{}-{}", run.environment.id.bare(), run.environment.attempt())\n        };',
            ),
        ],
        "filters": ["workflow::provision"],
    },
    {
        "name": "ended-is-unwound",
        "what": "BeginRemoval unwinds an operation that has ended",
        "changes": [
            (
                WORKFLOW,
                "        if !self.is_under_way(operation) {\n            return Ok(());\n        }\n        if self.failure.is_none()",
                '        let may_begin = self.status.is_moving() || crate::mutant("ended-is-unwound");\n        if self.operation.id != *operation || !may_begin {\n            return Ok(());\n        }\n        if self.failure.is_none()',
            ),
        ],
        "filters": ["faults::interrupted::an_operation_that_has_ended"],
    },
    {
        "name": "nothing-reopened",
        "what": "a removal that is retried does not look again for what was announced and never found",
        "changes": [
            (
                LIFECYCLE,
                "        self.ledger.reopen(now);\n",
                '        if !crate::mutant("nothing-reopened") {\n            self.ledger.reopen(now);\n        }\n',
            ),
        ],
        "filters": ["faults::undos::what_turns_up"],
    },
    {
        "name": "inactive-is-gone",
        "what": "UndoService takes an earlier attempt's INACTIVE service for its own",
        "changes": [
            (
                f"{STEPS}/service.rs",
                "        _ => run.close_unless_late(KIND).await,",
                '        Some(_) if berth_domain::mutant("inactive-is-gone") => {\n            run.ledger().close(KIND).await?;\n            Ok(Progress::Done)\n        }\n        _ => run.close_unless_late(KIND).await,',
            ),
        ],
        "filters": ["faults::undos::an_earlier_attempts"],
    },
    {
        "name": "throttled-waits",
        "what": "a throttled creation waits for a late creation",
        "changes": [
            (
                f"{DOMAIN}/environment/ledger.rs",
                "(None, _) if !self.refused =>",
                '(None, _) if !self.refused || crate::mutant("throttled-waits") =>',
            ),
        ],
        "filters": ["workflow::pacing::a_creation"],
    },
    {
        "name": "denied-waits",
        "what": "a creation that AWS denied counts as one whose reply was lost",
        "changes": [
            (
                "functions/worker/src/ledger_writer.rs",
                "        if let Err(Error::Throttled { .. } | Error::Refused { .. }) = created {",
                '        if let Err(Error::Throttled { .. } | Error::Refused { .. }) = created\n            && !berth_domain::mutant("denied-waits")\n        {',
            ),
        ],
        "filters": ["faults::known_replies"],
    },
    {
        "name": "removed-waits",
        "what": "a resource whose deletion AWS has accepted is waited for",
        "changes": [
            (
                STEP_RUN,
                ".filter(|_| !resource.deletion_accepted)",
                '.filter(|_| !resource.deletion_accepted || berth_domain::mutant("removed-waits"))',
            ),
        ],
        "filters": ["faults::known_replies"],
    },
    {
        "name": "denial-hides",
        "what": "a denied creation hides that an earlier one was never answered",
        "changes": [
            (
                f"{DOMAIN}/environment/ledger.rs",
                "(_, earlier) => earlier,",
                '(_, earlier) => earlier.filter(|_| !crate::mutant("denial-hides")),',
            ),
        ],
        "filters": ["faults::known_replies"],
    },
    {
        "name": "answer-hides",
        "what": "a creation that was answered hides that an earlier one was not",
        "changes": [
            (
                f"{DOMAIN}/environment/ledger.rs",
                "(Some(_), Some(_)) => Some(self.announced_at),",
                '(Some(_), Some(_)) => Some(self.announced_at).filter(|_| !crate::mutant("answer-hides")),',
            ),
        ],
        "filters": ["faults::known_replies"],
    },
    {
        "name": "exhausted-adds",
        "what": "every throttled call moves the queue by a slot",
        "changes": [
            (
                RUN,
                "                run.context.store.bucket_exhausted(rate_limit).await?;\n",
                '                if berth_domain::mutant("exhausted-adds") {\n                    run.context.store.slot_reserve(rate_limit).await?;\n                }\n                run.context.store.bucket_exhausted(rate_limit).await?;\n',
            ),
        ],
        "filters": ["workflow::pacing::throttled_calls"],
    },
    {
        "name": "recoveries-stay",
        "what": "the recoveries of a provisioning count for its removal too",
        "changes": [
            (
                LIFECYCLE,
                "                self.operation.recoveries = 0;\n                self.become_status(Status::Deleting)",
                '                if !crate::mutant("recoveries-stay") {\n                    self.operation.recoveries = 0;\n                }\n                self.become_status(Status::Deleting)',
            ),
        ],
        "filters": ["workflow::janitor::a_removal_is_recovered"],
    },
    {
        "name": "undos-unlisted",
        "what": "a removal that was interrupted before its first step ends without a word on its undo steps",
        "changes": [
            (
                LIFECYCLE,
                "if self.ledger.left().next().is_some() {\n                    self.list_removal",
                'if self.ledger.left().next().is_some() && !crate::mutant("undos-unlisted") {\n                    self.list_removal',
            ),
        ],
        "filters": ["workflow::janitor::a_removal_that_is_interrupted"],
    },
    {
        "name": "begun-again",
        "what": "a Begin that is called again puts progress back",
        "changes": [
            (
                WORKFLOW,
                "if started.is_none_or(|at| clock.limit_passed(at, CALL_LIMIT * 2)) {",
                'if started.is_none_or(|at| clock.limit_passed(at, CALL_LIMIT * 2) || crate::mutant("begun-again")) {',
            ),
        ],
        "filters": ["faults::interrupted::a_begin_that"],
    },
    {
        "name": "error-without-body",
        "what": "the prober keeps no body of a 500",
        "changes": [
            (
                PROBER,
                "None if status >= 500 => ",
                'None if status > 500 || (status == 500 && !berth_domain::mutant("error-without-body")) => ',
            ),
        ],
        "filters": ["workflow::proof"],
    },
    {
        "name": "apis-at-once",
        "what": "an audit removes every orphaned REST API that is due",
        "changes": [
            (
                AUDIT,
                "if finding.kind == ResourceKind::RestApi && next_api.as_deref() != Some(&finding.id) {",
                'if finding.kind == ResourceKind::RestApi\n                && next_api.as_deref() != Some(&finding.id)\n                && !berth_domain::mutant("apis-at-once")\n            {',
            ),
        ],
        "filters": ["workflow::audit::orphans::orphaned"],
    },
    {
        "name": "refused-first",
        "what": "an orphan that AWS does not let go stays the next one to be removed",
        "changes": [
            (
                AUDIT,
                "        finding.slot_at = None;\n        finding.remove_after = self.clock.now_ms();\n",
                '        if !berth_domain::mutant("refused-first") {\n            finding.slot_at = None;\n            finding.remove_after = self.clock.now_ms();\n        }\n',
            ),
        ],
        "filters": ["workflow::audit::orphans::an_orphaned"],
    },
    {
        "name": "stage-unseen",
        "what": "the audit does not ask for a stage",
        "changes": [
            (
                AUDIT,
                "note(kind, self.aws.stage_get(api, &environment.spec.api.stage).await?.is_some());",
                'let is_there = self.aws.stage_get(api, &environment.spec.api.stage).await?.is_some();\n            note(kind, is_there || berth_domain::mutant("stage-unseen"));',
            ),
        ],
        "filters": ["workflow::audit::missing::a_listener_or_stage"],
    },
    {
        "name": "same-first",
        "what": "every audit begins with the same environment",
        "changes": [
            (
                AUDIT,
                "ready.rotate_left(first);",
                'ready.rotate_left(if berth_domain::mutant("same-first") { 0 } else { first });',
            ),
        ],
        "filters": ["workflow::audit::missing::an_audit_that_aws_keeps_waiting"],
    },
    {
        "name": "late-explained",
        "what": "a recorded id explains a resource also of an environment that is deleted",
        "changes": [
            (
                AUDIT,
                "Status::Failed | Status::Deleted => false,",
                'Status::Failed | Status::Deleted => recorded && berth_domain::mutant("late-explained"),',
            ),
        ],
        "filters": ["workflow::audit::orphans::what_a_late_call_recorded"],
    },
    {
        "name": "limits-not-asked",
        "what": "a request is accepted whatever the deployment's limits say",
        "changes": [
            (
                RESOLVE,
                "limits::refuse(excluded)?;",
                'if !crate::mutant("limits-not-asked") {\n            limits::refuse(excluded)?;\n        }',
            ),
        ],
        "filters": ["environments::create::limits"],
    },
    {
        "name": "network-checked-once",
        "what": "the load balancer is created although its network is no longer allowed",
        "changes": [
            (
                f"{STEPS}/load_balancer.rs",
                "limits::refuse(run.context.settings.limits.check_network(&run.environment.spec.network))?;",
                'if !berth_domain::mutant("network-checked-once") {\n                limits::refuse(run.context.settings.limits.check_network(&run.environment.spec.network))?;\n            }',
            ),
        ],
        "filters": ["workflow::limits::limits_that_were_tightened"],
    },
    {
        "name": "service-checked-once",
        "what": "the service is created although its task definition or network is no longer allowed",
        "changes": [
            (
                f"{STEPS}/service.rs",
                "must_be_allowed(run).await?;",
                'if !berth_domain::mutant("service-checked-once") {\n            must_be_allowed(run).await?;\n        }',
            ),
        ],
        "filters": ["workflow::limits"],
    },
    {
        "name": "team-by-prefix",
        "what": "a team may run what names a team whose name begins alike",
        "changes": [
            (
                LIMITS,
                "named == ALL_TEAMS || named == team.to_string()",
                'named == ALL_TEAMS\n                        || named == team.to_string()\n                        || (crate::mutant("team-by-prefix") && named.starts_with(&team.to_string()))',
            ),
        ],
        "filters": ["environments::create::limits"],
    },
    {
        "name": "throttles-fail",
        "what": "a Task that Lambda throttles is tried six times only",
        "changes": [
            (
                EMBEDDED,
                'MACHINE.replace("${WorkerFunction}", WORKER)',
                'MACHINE.replace("${WorkerFunction}", WORKER).replace(\n        "\\"MaxAttempts\\": 180",\n        if berth_domain::mutant("throttles-fail") { "\\"MaxAttempts\\": 6" } else { "\\"MaxAttempts\\": 180" },\n    )',
            ),
        ],
        "filters": ["workflow::pacing::ten_at_once"],
    },
    {
        "name": "tags-at-once",
        "what": "a denial by IAM that may not see a new API's tags yet fails the environment",
        "changes": [
            (
                STEP_RUN,
                "Error::Refused { code: PERMISSION_DENIED, message, cause } if is_new => {",
                'Error::Refused { code: PERMISSION_DENIED, message, cause } if is_new && !berth_domain::mutant("tags-at-once") => {',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_denied"],
    },
    {
        "name": "policy-forgotten",
        "what": "a REST API is created without the resource policy of its access",
        "changes": [
            (
                "functions/aws/src/resources/access.rs",
                "        Access::Open => return None,\n",
                '        Access::Open => return None,\n        _ if berth_domain::mutant("policy-forgotten") => return None,\n',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "unsigned-let-in",
        "what": "the methods of an environment with access iam need no signature",
        "changes": [
            (
                "functions/aws/src/resources/access.rs",
                '        Access::Iam => "AWS_IAM",\n',
                '        Access::Iam if !berth_domain::mutant("unsigned-let-in") => "AWS_IAM",\n        Access::Iam => "NONE",\n',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "loosest-ignored",
        "what": "a request may ask for any access",
        "changes": [
            (
                f"{DOMAIN}/access.rs",
                "if asked.kind() > self.loosest {",
                'if asked.kind() > self.loosest && !crate::mutant("loosest-ignored") {',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "unlimited-allowed",
        "what": "a deployment may call a range without a limit a range",
        "changes": [
            (
                f"{DOMAIN}/access.rs",
                "cidrs.iter().find(|cidr| cidr.is_unlimited())",
                'cidrs.iter().find(|cidr| cidr.is_unlimited() && !crate::mutant("unlimited-allowed"))',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "refusal-unproven",
        "what": "the proof does not see whether an uninvited request is refused",
        "changes": [
            (
                f"{STEPS}/reachable.rs",
                "            Progress::Done => unsigned_is_refused(",
                '            Progress::Done if berth_domain::mutant("refusal-unproven") => Ok(Progress::Done),\n            Progress::Done => unsigned_is_refused(',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "no-throttle",
        "what": "a stage has no throttle",
        "changes": [
            (
                f"{STEPS}/stage.rs",
                "    if found.and_then(|stage| stage.throttle) != Some(spec.throttle)\n",
                '    if !berth_domain::mutant("no-throttle")\n        && found.and_then(|stage| stage.throttle) != Some(spec.throttle)\n',
            ),
        ],
        "filters": ["environments::access"],
    },
    {
        "name": "unmasked",
        "what": "what programs and services print is stored as it is",
        "changes": [
            (
                f"{DOMAIN}/masking/mod.rs",
                "pub fn masked(text: &str) -> String {\n",
                'pub fn masked(text: &str) -> String {\n    if crate::mutant("unmasked") {\n        return text.to_owned();\n    }\n',
            ),
        ],
        "filters": ["workflow::proof", "workflow::failure::a_secret", "masking"],
    },
    {
        "name": "failed-expires",
        "what": "a failed environment expires like a deleted one",
        "changes": [
            (
                LIFECYCLE,
                "        if self.status == Status::Deleted {\n            self.kept_until",
                '        let expires = self.status == Status::Failed && crate::mutant("failed-expires");\n        if self.status == Status::Deleted || expires {\n            self.kept_until',
            ),
            (
                f"{DOMAIN}/environment/mod.rs",
                "self.kept_until.filter(|_| self.status == Status::Deleted)",
                'self.kept_until.filter(|_| self.status == Status::Deleted || crate::mutant("failed-expires"))',
            ),
        ],
        "filters": ["environments::retention"],
    },
    {
        "name": "expired-shown",
        "what": "what has expired is shown until DynamoDB removes it",
        "changes": [
            (
                EXPIRY,
                "expires_at(item).is_some_and(|at| at <= now.as_second())",
                'expires_at(item).is_some_and(|at| at <= now.as_second() && !berth_domain::mutant("expired-shown"))',
            ),
        ],
        "filters": ["environments::retention"],
    },
    {
        "name": "events-last",
        "what": "the events of a deleted environment never expire",
        "changes": [
            (
                EXPIRY,
                "        for keys in keys.chunks(EVENTS_AT_ONCE) {",
                '        let keys = if berth_domain::mutant("events-last") { Vec::new() } else { keys };\n        for keys in keys.chunks(EVENTS_AT_ONCE) {',
            ),
        ],
        "filters": ["environments::retention"],
    },
    {
        "name": "no-brake",
        "what": "an audit removes any number of resources without a record",
        "changes": [
            (
                AUDIT,
                "orphans.len() > self.settings.max_orphans_removed;",
                'orphans.len() > self.settings.max_orphans_removed && !berth_domain::mutant("no-brake");',
            ),
        ],
        "filters": ["workflow::audit::orphans"],
    },
    {
        "name": "unreadable-hides-all",
        "what": "one record that cannot be read makes the whole list fail",
        "changes": [
            (
                "functions/aws/src/store/environments.rs",
                "            records.extend(page.items.unwrap_or_default().iter().filter_map(Record::of));",
                '            records.extend(page.items.unwrap_or_default().iter().filter_map(Record::of));\n            let unreadable = records.iter().any(|record| matches!(record, Record::Unreadable(_)));\n            if unreadable && berth_domain::mutant("unreadable-hides-all") {\n                return Err(Error::internal("a record cannot be read"));\n            }',
            ),
        ],
        "filters": ["environments::unreadable"],
    },
    {
        "name": "unreadable-orphaned",
        "what": "the resources of an environment whose record cannot be read are taken for orphans",
        "changes": [
            (
                AUDIT,
                "Err(Error::Unreadable { .. }) => Ok(false),",
                'Err(Error::Unreadable { .. }) => Ok(berth_domain::mutant("unreadable-orphaned")),',
            ),
        ],
        "filters": ["workflow::audit::orphans"],
    },
    {
        "name": "unsigned",
        "what": "the history does not say who requested a change",
        "changes": [
            (
                LIFECYCLE,
                "        for event in self.pending_events.iter_mut().skip(first) {",
                '        let first = if crate::mutant("unsigned") { usize::MAX } else { first };\n        for event in self.pending_events.iter_mut().skip(first) {',
            ),
        ],
        "filters": ["environments::authors"],
    },
]
