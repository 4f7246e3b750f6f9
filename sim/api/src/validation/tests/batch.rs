use serde_json::{Value, json};

use super::{expect_on_create, meta, with};

fn job_spec() -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}});
    json!({"template": template})
}

fn job() -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta(), "spec": job_spec()})
}

fn cron_job() -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(),
        "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": job_spec()}},
    })
}

#[test]
fn jobs_end() {
    expect_on_create(
        &job(),
        &[
            (
                "/spec/template/spec/restartPolicy",
                json!("Always"),
                &[r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#],
            ),
            (
                "/spec/template/spec/restartPolicy",
                Value::Null,
                &[r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#],
            ),
            ("/spec/template/spec/restartPolicy", json!("OnFailure"), &[]),
            (
                "/spec/parallelism",
                json!(-1),
                &["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"],
            ),
            (
                "/spec/backoffLimit",
                json!(-1),
                &["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"],
            ),
            (
                "/spec/completionMode",
                json!("Random"),
                &[
                    r#"spec.completionMode: Unsupported value: "Random": supported values: "NonIndexed", "Indexed""#,
                ],
            ),
            (
                "/spec/podReplacementPolicy",
                json!("Never"),
                &[
                    r#"spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed""#,
                ],
            ),
            (
                "/spec/backoffLimitPerIndex",
                json!(1),
                &["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
            ),
            ("/spec/manualSelector", json!(true), &["spec.selector: Required value"]),
        ],
    );
}

#[test]
fn indexed_jobs_say_how_many() {
    let mut indexed = with(&job(), "/spec/completionMode", &json!("Indexed"));
    indexed["spec"]["completions"] = json!(3);
    indexed["spec"]["parallelism"] = json!(3);
    expect_on_create(
        &indexed,
        &[
            (
                "/spec/completions",
                Value::Null,
                &["spec.completions: Required value: when completion mode is Indexed"],
            ),
            (
                "/spec/parallelism",
                json!(100_001),
                &[
                    "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
                ],
            ),
            (
                "/spec/maxFailedIndexes",
                json!(1),
                &["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
            ),
            (
                "/metadata/name",
                json!("x".repeat(63)),
                &[&format!(
                    "metadata.name: Invalid value: \"{0}\": will not able to create pod with invalid DNS label: {0}-2",
                    "x".repeat(63)
                )],
            ),
        ],
    );
}

#[test]
fn policies_of_jobs() {
    let rule = |rule: Value| json!({"rules": [rule]});
    let path = "spec.podFailurePolicy.rules[0]";
    let row = |text: &str| format!("{path}{text}");
    let unknown = row(
        r#".action: Unsupported value: "Cry": supported values: "Count", "FailIndex", "FailJob", "Ignore""#,
    );
    let neither = row(": Invalid value: specifying one of OnExitCodes and OnPodConditions is required");
    let zero = row(".onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator");
    let order = row(".onExitCodes.values: Invalid value: [2,1]: must be ordered");
    let index = row(r#".action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set"#);
    let codes =
        |values: Value| json!({"action": "FailJob", "onExitCodes": {"operator": "In", "values": values}});
    expect_on_create(
        &job(),
        &[
            ("/spec/podFailurePolicy", rule(codes(json!([1, 2]))), &[]),
            ("/spec/podFailurePolicy", rule(codes(json!([0]))), &[&zero]),
            ("/spec/podFailurePolicy", rule(codes(json!([2, 1]))), &[&order]),
            (
                "/spec/podFailurePolicy",
                rule(json!({"action": "Cry", "onPodConditions": [{"type": "A"}]})),
                &[&unknown],
            ),
            ("/spec/podFailurePolicy", rule(json!({"action": "Ignore"})), &[&neither]),
            (
                "/spec/podFailurePolicy",
                rule(json!({"action": "FailIndex", "onPodConditions": [{"type": "A"}]})),
                &[&index],
            ),
            (
                "/spec/successPolicy",
                rule(json!({"succeededCount": 1})),
                &[
                    r#"spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode"#,
                ],
            ),
        ],
    );
}

#[test]
fn cron_jobs() {
    expect_on_create(
        &cron_job(),
        &[
            ("/spec/schedule", json!(""), &["spec.schedule: Required value"]),
            (
                "/spec/schedule",
                json!("* * * *"),
                &[
                    r#"spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]"#,
                ],
            ),
            (
                "/spec/schedule",
                json!("TZ=UTC 0 * * * *"),
                &[
                    r#"spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
                ],
            ),
            ("/spec/timeZone", json!("Europe/Berlin"), &[]),
            (
                "/spec/timeZone",
                json!("Mars/"),
                &[r#"spec.timeZone: Invalid value: "Mars/": unknown time zone Mars/"#],
            ),
            (
                "/spec/concurrencyPolicy",
                json!("Hope"),
                &[
                    r#"spec.concurrencyPolicy: Unsupported value: "Hope": supported values: "Allow", "Forbid", "Replace""#,
                ],
            ),
            (
                "/spec/startingDeadlineSeconds",
                json!(-1),
                &["spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"],
            ),
            (
                "/spec/jobTemplate/spec/template/spec/restartPolicy",
                Value::Null,
                &[
                    r#"spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#,
                ],
            ),
            (
                "/spec/jobTemplate/spec/selector",
                json!({"matchLabels": {"a": "b"}}),
                &[
                    r#"spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated"#,
                ],
            ),
            (
                "/metadata/name",
                json!("x".repeat(53)),
                &[&format!(
                    "metadata.name: Invalid value: \"{}\": must be no more than 52 characters",
                    "x".repeat(53)
                )],
            ),
        ],
    );
}
