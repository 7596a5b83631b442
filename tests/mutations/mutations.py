"""Deliberate mistakes, each behind a switch: what is wrong, which texts become which, and the tests that ought to see it
(each entry of `filters` is one run; the next one is only made when the one before saw nothing).

`mutant("name")` is true in a run in which that mistake is switched on. All of them are in one build, so a text may be
changed once only, and `MUTANT` says how a crate reaches the switch."""

STEPS = "functions/worker/src/steps"
RUN = "functions/worker/src/run.rs"
RECORD = "functions/worker/src/record.rs"
LIFE = "functions/domain/src/environment/life.rs"
CHANGE = "functions/aws/src/store/change.rs"
STEP = "functions/domain/src/step.rs"
SWEEP = "functions/janitor/src/sweep.rs"
AUDIT = "functions/janitor/src/audit.rs"

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
                "Step::UndoTargetGroup => target_group::undo(context, environment).await,",
                'Step::UndoTargetGroup if berth_domain::mutant("undo-skipped") => {\n            context.absent(environment, ResourceKind::TargetGroup).await?;\n            Ok(Progress::Ready)\n        }\n        Step::UndoTargetGroup => target_group::undo(context, environment).await,',
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
                "let link = match context.resources.vpc_links_find(environment).await?.into_iter().next() {",
                'let looked = context.resources.vpc_links_find(environment).await?.into_iter().next();\n    let link = match looked.filter(|_| !berth_domain::mutant("no-look-before-create")) {',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_that_loses"],
    },
    {
        "name": "no-settle-window",
        "what": "a creation whose reply was lost is not given time to show",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                "let left = SETTLING.checked_sub(",
                'let settling = if berth_domain::mutant("no-settle-window") { Duration::ZERO } else { SETTLING };\n    let left = settling.checked_sub(',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_with_any_change_slower", "random_histories"],
    },
    {
        "name": "no-lease",
        "what": "an operation is taken up at once, while a call of its old execution may still be running",
        "changes": [
            (
                LIFE,
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
                "            context.found(environment, KIND, &api, None).await?;\n            api\n",
                '            if !berth_domain::mutant("id-not-recorded") {\n                context.found(environment, KIND, &api, None).await?;\n            }\n            api\n',
            ),
            (
                f"{STEPS}/rest_api.rs",
                "    context.resources.rest_api_route(&api, dns_name).await?;\n",
                '    context.resources.rest_api_route(&api, dns_name).await?;\n    if berth_domain::mutant("id-not-recorded") {\n        context.found(environment, KIND, &api, None).await?;\n    }\n',
            ),
        ],
        "filters": ["faults::crashes"],
    },
    {
        "name": "not-announced",
        "what": "a creation is not announced in the record",
        "changes": [
            (
                "functions/worker/src/context.rs",
                "            environment.resources.announce(kind, now);\n",
                '            if !berth_domain::mutant("not-announced") {\n                environment.resources.announce(kind, now);\n            }\n',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_denied_any_call_after"],
    },
    {
        "name": "no-fence",
        "what": "whoever has looked may create, whatever has happened to the entry since",
        "changes": [
            (
                "functions/worker/src/context.rs",
                "if environment.must_stop(&seen.operation.id) || environment.resources.get(kind) != seen.resources.get(kind)",
                'if environment.must_stop(&seen.operation.id) || (environment.resources.get(kind) != seen.resources.get(kind) && !berth_domain::mutant("no-fence"))',
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
                "        if environment.must_stop(&identity.operation) {\n            return Ok(Outcome::Stop);\n        }\n        let result = match",
                '        if environment.must_stop(&identity.operation) && !berth_domain::mutant("no-stop") {\n            return Ok(Outcome::Stop);\n        }\n        let result = match',
            ),
        ],
        "filters": ["faults::arrivals::a_delete_at_any_state_of_a_provisioning"],
    },
    {
        "name": "ready-unproven",
        "what": "EnsureReachable is done when anybody answers, the gateway too",
        "changes": [
            (
                f"{STEPS}/reachable.rs",
                "        Answer::Service { status, .. } if status < 500 => return Ok(Progress::Ready),",
                '        Answer::Service { .. } | Answer::Gateway { .. } if berth_domain::mutant("ready-unproven") => {\n            return Ok(Progress::Ready);\n        }\n        Answer::Service { status, .. } if status < 500 => return Ok(Progress::Ready),',
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_throttled", "workflow::provision", "random_histories"],
    },
    {
        "name": "ready-anyway",
        "what": "MarkReady says ready although a failure or a delete has come meanwhile",
        "changes": [
            (
                RECORD,
                "        if environment.must_stop(&identity.operation) {\n            return Ok(());\n        }\n        environment.become_status(Status::Ready)",
                '        if environment.must_stop(&identity.operation) {\n            if berth_domain::mutant("ready-anyway") {\n                environment.status = Status::Ready;\n            }\n            return Ok(());\n        }\n        environment.become_status(Status::Ready)',
            ),
        ],
        "filters": ["faults::arrivals"],
    },
    {
        "name": "removal-always-well",
        "what": "a removal that left something behind ends as if it had not",
        "changes": [
            (
                LIFE,
                "        if self.resources.left().next().is_some() {\n            let again",
                '        if self.resources.left().next().is_some() && !crate::mutant("removal-always-well") {\n            let again',
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
                "            Self::UndoVpcLink => &[ResourceKind::RestApi],",
                '            _ if crate::mutant("needs-nothing-gone") => &[],\n            Self::UndoVpcLink => &[ResourceKind::RestApi],',
            ),
        ],
        "filters": ["faults::undos", "random_histories"],
    },
    {
        "name": "last-writer-wins",
        "what": "a record is written although another write came between",
        "changes": [
            (
                CHANGE,
                'const UNCHANGED: &str = "version = :expected";',
                'let unchanged = if berth_domain::mutant("last-writer-wins") {\n            "version = :expected OR attribute_exists(pk)"\n        } else {\n            "version = :expected"\n        };',
            ),
            (CHANGE, "put.condition_expression(UNCHANGED)", "put.condition_expression(unchanged)"),
            (CHANGE, "            .condition_expression(UNCHANGED)", "            .condition_expression(unchanged)"),
        ],
        "filters": ["workflow::provision", "faults::every_step_twice", "random_histories"],
    },
    {
        "name": "no-turn",
        "what": "paced operations do not wait for their turn",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                "    let Some(rate_limit) = RateLimit::of(step) else { return Ok(None) };\n",
                '    let Some(rate_limit) = RateLimit::of(step).filter(|_| !berth_domain::mutant("no-turn")) else { return Ok(None) };\n',
            ),
        ],
        "filters": ["workflow::pacing"],
    },
    {
        "name": "nobody-takes-up",
        "what": "the janitor leaves operations alone whose execution has ended",
        "changes": [
            (
                SWEEP,
                "        if environment.status.is_moving() {\n            self.operations.run",
                '        if environment.status.is_moving() && !berth_domain::mutant("nobody-takes-up") {\n            self.operations.run',
            ),
            (
                SWEEP,
                "if environment.operation.id == identity.operation && environment.status.is_moving() {",
                'if environment.operation.id == identity.operation\n            && environment.status.is_moving()\n            && !berth_domain::mutant("nobody-takes-up")\n        {',
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
                "let evidence = evidence::gather(context, &environment, caught.step).await;",
                'let of = if berth_domain::mutant("evidence-too-late") { Step::MarkGone } else { caught.step };\n    let evidence = evidence::gather(context, &environment, of).await;',
            ),
        ],
        "filters": ["workflow::failure"],
    },
    {
        "name": "one-client-token",
        "what": "every service is created with the same client token",
        "changes": [
            (
                "functions/aws/src/resources/service.rs",
                '.client_token(format!("{}-{}", environment.id.bare(), environment.attempt))',
                '.client_token(if berth_domain::mutant("one-client-token") {\n                "berth".to_owned()\n            } else {\n                format!("{}-{}", environment.id.bare(), environment.attempt)\n            })',
            ),
        ],
        "filters": ["workflow::provision"],
    },
    {
        "name": "ended-is-unwound",
        "what": "BeginRemoval unwinds an operation that has ended",
        "changes": [
            (
                RECORD,
                "if environment.operation.id != identity.operation || !environment.status.is_moving() {\n            return Ok(());",
                'if environment.operation.id != identity.operation\n            || (!environment.status.is_moving() && !berth_domain::mutant("ended-is-unwound"))\n        {\n            return Ok(());',
            ),
        ],
        "filters": ["faults::interrupted::an_operation_that_has_ended"],
    },
    {
        "name": "nothing-reopened",
        "what": "a removal that is tried again does not look once more for what was announced and never found",
        "changes": [
            (
                LIFE,
                "        self.resources.reopen(now);\n",
                '        if !crate::mutant("nothing-reopened") {\n            self.resources.reopen(now);\n        }\n',
            ),
        ],
        "filters": ["faults::undos::what_turns_up"],
    },
    {
        "name": "inactive-is-gone",
        "what": "UndoService takes an earlier attempt's INACTIVE service for its own",
        "changes": [
            (
                "functions/worker/src/steps/service.rs",
                "        _ => {\n            if let Some(waiting) = may_turn_up(context, environment, kind) {",
                '        gone => {\n            let gone = gone.is_some() && berth_domain::mutant("inactive-is-gone");\n            if let Some(waiting) = may_turn_up(context, environment, kind).filter(|_| !gone) {',
            ),
        ],
        "filters": ["faults::undos::an_earlier_attempts"],
    },
    {
        "name": "throttled-settles",
        "what": "a throttled creation waits for what may turn up",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                ".filter(|resource| !resource.refused)?;",
                '.filter(|resource| !resource.refused || berth_domain::mutant("throttled-settles"))?;',
            ),
        ],
        "filters": ["workflow::pacing::a_creation"],
    },
    {
        "name": "used-up-adds",
        "what": "every throttled call moves the queue by a turn",
        "changes": [
            (
                RUN,
                "        context.store.bucket_exhausted(rate_limit).await?;\n",
                '        if berth_domain::mutant("used-up-adds") {\n            context.store.slot_reserve(rate_limit).await?;\n        }\n        context.store.bucket_exhausted(rate_limit).await?;\n',
            ),
        ],
        "filters": ["workflow::pacing::throttled_calls"],
    },
    {
        "name": "taken-up-stays",
        "what": "how often a provisioning was cut off counts for its removal too",
        "changes": [
            (
                LIFE,
                "                self.operation.recoveries = 0;\n                self.become_status(Status::Deleting)",
                '                if !crate::mutant("taken-up-stays") {\n                    self.operation.recoveries = 0;\n                }\n                self.become_status(Status::Deleting)',
            ),
        ],
        "filters": ["workflow::janitor::a_removal_is_taken_up"],
    },
    {
        "name": "undos-unlisted",
        "what": "a removal that was cut off before its first step ends without a word on its undo steps",
        "changes": [
            (
                LIFE,
                "if self.resources.left().next().is_some() {\n                    self.begin_removal",
                'if self.resources.left().next().is_some() && !crate::mutant("undos-unlisted") {\n                    self.begin_removal',
            ),
        ],
        "filters": ["workflow::janitor::a_removal_that_is_cut_off"],
    },
    {
        "name": "begun-again",
        "what": "a Begin that is made again puts progress back",
        "changes": [
            (
                RECORD,
                "if begun.is_none_or(|moment| context.clock.is_over(moment, CALL_LIMIT * 2)) {",
                'if begun.is_none_or(|moment| {\n                context.clock.is_over(moment, CALL_LIMIT * 2) || berth_domain::mutant("begun-again")\n            }) {',
            ),
        ],
        "filters": ["faults::interrupted::a_begin_that"],
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
        "filters": ["workflow::audit::orphaned"],
    },
    {
        "name": "refused-first",
        "what": "an orphan that AWS does not let go stays the next one to be removed",
        "changes": [
            (
                AUDIT,
                "        finding.slot_at = None;\n        finding.remove_after = self.clock.stamp();\n",
                '        if !berth_domain::mutant("refused-first") {\n            finding.slot_at = None;\n            finding.remove_after = self.clock.stamp();\n        }\n',
            ),
        ],
        "filters": ["workflow::audit::an_orphaned"],
    },
    {
        "name": "stage-unseen",
        "what": "the audit does not ask for a stage",
        "changes": [
            (
                AUDIT,
                "note(kind, self.resources.stage_exists(api, &environment.spec.api.stage).await?);",
                'let is_there = self.resources.stage_exists(api, &environment.spec.api.stage).await?;\n            note(kind, is_there || berth_domain::mutant("stage-unseen"));',
            ),
        ],
        "filters": ["workflow::audit::a_listener_or_stage"],
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
        "filters": ["workflow::audit::an_audit_that_aws_keeps_waiting"],
    },
    {
        "name": "late-explained",
        "what": "what is recorded explains a resource also of an environment that is deleted",
        "changes": [
            (
                AUDIT,
                "Status::Failed | Status::Deleted => false,",
                'Status::Failed | Status::Deleted => recorded && berth_domain::mutant("late-explained"),',
            ),
        ],
        "filters": ["workflow::audit::what_a_late_call_recorded"],
    },
]
