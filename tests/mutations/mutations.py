"""Deliberate mistakes: what is wrong, which texts become which, and the tests that ought to see it (each entry of
`filters` is one run; the next one is only made when the one before saw nothing)."""

STEPS = "functions/worker/src/steps"
RUN = "functions/worker/src/run.rs"
RECORD = "functions/worker/src/record.rs"
LIFE = "functions/domain/src/environment/life.rs"

MUTATIONS = [
    {
        "name": "undo-skipped",
        "what": "UndoTargetGroup says that the target group is gone without having removed it",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                "Step::UndoTargetGroup => target_group::undo(context, environment).await,",
                "Step::UndoTargetGroup => {\n            context.absent(environment, ResourceKind::TargetGroup).await?;\n            Ok(Progress::Ready)\n        }",
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
                "let looked = context.resources.vpc_links_find(environment).await?.into_iter().next();\n    let link = match looked.filter(|_| false) {",
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
                "const SETTLING: Duration = Duration::from_secs(30);",
                "const SETTLING: Duration = Duration::from_secs(0);",
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
                "let wait = clock.limit(CALL_LIMIT) * 2_u32.pow(taken_up.min(MOST_TRIES).saturating_sub(1));",
                "let wait = clock.limit(CALL_LIMIT) * 0;",
            ),
        ],
        "filters": ["faults::cut_off", "random_histories"],
    },
    {
        "name": "id-not-recorded",
        "what": "EnsureRestApi gives the API its paths before it records the id",
        "changes": [
            (
                f"{STEPS}/rest_api.rs",
                "            context.found(environment, KIND, &api, None).await?;\n            api\n",
                "            api\n",
            ),
            (
                f"{STEPS}/rest_api.rs",
                "    context.resources.rest_api_route(&api, dns_name).await?;\n",
                "    context.resources.rest_api_route(&api, dns_name).await?;\n    context.found(environment, KIND, &api, None).await?;\n",
            ),
        ],
        "filters": ["faults::every_call", "faults::crashes", "random_histories"],
    },
    {
        "name": "not-announced",
        "what": "a creation is not announced in the record",
        "changes": [("functions/worker/src/context.rs", "            environment.resources.announce(kind, now);\n", "            let _ = now;\n")],
        "filters": ["faults::every_call::a_provisioning_denied_any_call_after"],
    },
    {
        "name": "no-fence",
        "what": "whoever has looked may create, whatever has happened to the entry since",
        "changes": [
            (
                "functions/worker/src/context.rs",
                "environment.resources.get(kind) != seen.resources.get(kind)",
                "environment.resources.get(kind).is_some() && seen.version > environment.version",
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
                "        let result = match",
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
                "Answer::Service { status, .. } if status < 500 => return Ok(Progress::Ready),",
                "Answer::Service { .. } | Answer::Gateway { .. } => return Ok(Progress::Ready),",
            ),
        ],
        "filters": ["faults::every_call::a_provisioning_throttled", "workflow::provision", "random_histories"],
    },
    {
        "name": "removal-always-well",
        "what": "a removal that left something behind ends as if it had not",
        "changes": [(LIFE, "        if self.resources.left().next().is_some() {\n            let again", "        if self.resources.left().count() > 7 {\n            let again")],
        "filters": ["faults::undos"],
    },
    {
        "name": "needs-nothing-gone",
        "what": "an undo is tried although what holds its resource is still there",
        "changes": [
            ("functions/domain/src/step.rs", "Self::UndoVpcLink => &[ResourceKind::RestApi],", "Self::UndoVpcLink => &[],"),
            ("functions/domain/src/step.rs", "Self::UndoLoadBalancer => &[ResourceKind::VpcLink],", "Self::UndoLoadBalancer => &[],"),
            ("functions/domain/src/step.rs", "Self::UndoTargetGroup => &[ResourceKind::Listener],", "Self::UndoTargetGroup => &[],"),
        ],
        "filters": ["faults::undos"],
    },
    {
        "name": "last-writer-wins",
        "what": "a record is written although another write came between",
        "changes": [
            (
                "functions/aws/src/store/change.rs",
                'const UNCHANGED: &str = "version = :expected";',
                'const UNCHANGED: &str = "version = :expected OR attribute_exists(pk)";',
            ),
        ],
        "filters": ["workflow::provision", "faults::every_step_twice", "random_histories"],
    },
    {
        "name": "no-turn",
        "what": "paced operations do not wait for their turn",
        "changes": [
            (
                f"{STEPS}/mod.rs",
                "    let Some(paced) = Paced::of(step) else { return Ok(None) };\n",
                "    let Some(paced) = Paced::of(step).filter(|_| false) else { return Ok(None) };\n",
            ),
        ],
        "filters": ["workflow::pacing"],
    },
    {
        "name": "nobody-takes-up",
        "what": "the janitor leaves operations alone whose execution has ended",
        "changes": [
            ("functions/janitor/src/sweep.rs", "        if environment.status.is_moving() {\n            self.operations.run", "        if environment.status.is_moving() && environment.version == 0 {\n            self.operations.run"),
            ("functions/janitor/src/sweep.rs", "if environment.operation.id == identity.operation && environment.status.is_moving() {", "if environment.operation.id == identity.operation && environment.version == 0 {"),
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
                "let evidence = evidence::gather(context, &environment, Step::MarkGone).await;",
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
                '.client_token("berth")',
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
                "if environment.operation.id != identity.operation {\n            return Ok(());",
            ),
        ],
        "filters": ["faults::every_step_twice", "faults::crashes", "random_histories"],
    },
    {
        "name": "nothing-reopened",
        "what": "a removal that is tried again does not look once more for what was announced and never found",
        "changes": [(LIFE, "        self.resources.reopen(now);\n", "        let _ = &self.resources;\n")],
        "filters": ["faults::every_call::a_delete_denied", "faults::every_call::a_retried_removal", "random_histories"],
    },
    {
        "name": "ready-anyway",
        "what": "MarkReady does not look whether a failure or a delete has come meanwhile",
        "changes": [
            (
                RECORD,
                "        if environment.must_stop(&identity.operation) {\n            return Ok(());\n        }\n        environment.become_status(Status::Ready)",
                "        environment.become_status(Status::Ready)",
            ),
        ],
        "filters": ["faults::arrivals", "faults::cut_off", "faults::every_step_twice", "random_histories"],
    },
]
