//! Plans as files: there and back, and what is refused.

use super::*;

/// One file under any name.
struct OneFile(String);

impl Files for OneFile {
    fn read(&self, _: &str) -> Result<String, InputError> {
        Ok(self.0.clone())
    }
}

fn parallel_links() -> Fabric {
    let cable = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::ZERO,
    };
    let spec = LeafSpine {
        parallel: 3,
        ..LeafSpine::uniform(2, 2, 2, cable)
    };
    Fabric::compile(&spec.blueprint().unwrap())
}

#[test]
fn every_placement_comes_back() {
    for (fabric, hosts) in [(leaf_spine(3, 4, 2), 6), (parallel_links(), 4)] {
        let schedule = all_to_all(hosts, 1_000);
        for name in ["ecmp", "spray", "weighted-spray", "ethereal", "cut-line"] {
            let placement = place(&scheme(name, json!({})), &fabric, &schedule);
            let text =
                serde_json::to_string(&PlanFile::from_placement(&fabric, &schedule, &placement).unwrap()).unwrap();
            let plan: LoadBalancing = serde_json::from_value(json!({ "plan": { "file": "plan.json" } })).unwrap();
            assert_eq!(
                plan.place(&fabric, &schedule, &OneFile(text), 1).unwrap(),
                placement,
                "{name}"
            );
        }
    }
}

#[test]
fn the_file_reads_as_documented() {
    let fabric = parallel_links();
    let schedule = schedule(&[(0, 2, 70, 0), (0, 1, 5, 0)]);
    let placement = Placement::from_subflows([
        vec![
            Subflow {
                route: Route::pinned(0),
                bytes: 30,
            },
            Subflow {
                route: Route::pinned(5),
                bytes: 30,
            },
            Subflow {
                route: Route::Even,
                bytes: 10,
            },
        ],
        vec![Subflow {
            route: Route::pinned(0),
            bytes: 5,
        }],
    ]);
    let plan = PlanFile::from_placement(&fabric, &schedule, &placement).unwrap();
    insta::assert_snapshot!(serde_json::to_string(&plan).unwrap(), @r#"{"flows":[{"flow":0,"src":0,"dst":2,"bytes":70,"pieces":[{"path":["leaf0","spine0","leaf1"],"bytes":30},{"path":["leaf0","spine0#1","leaf1#2"],"bytes":30},{"path":"even","bytes":10}]},{"flow":1,"src":0,"dst":1,"bytes":5,"pieces":[{"path":["leaf0"],"bytes":5}]}]}"#);
}

#[test]
fn a_plan_is_named_after_its_file() {
    let plan = |value| serde_json::from_value::<LoadBalancing>(json!({ "plan": value }));
    let label = |file: &str| plan(json!({ "file": file })).unwrap().label();
    assert_eq!(
        (label("a.json"), label("plans/a.json")),
        ("plan(file=a.json)".into(), "plan(file=a.json)".into())
    );
    insta::assert_snapshot!(plan(json!({})).unwrap_err(), @"missing field `file`");
    insta::assert_snapshot!(plan(json!({ "fil": "x" })).unwrap_err(), @"unknown field `fil`, expected `file`");
}

#[test]
fn dynamic_paths_are_no_plan() {
    let (fabric, schedule) = (leaf_spine(2, 2, 1), all_to_all(2, 1));
    let placement = place(&scheme("reps", json!({})), &fabric, &schedule);
    insta::assert_snapshot!(PlanFile::from_placement(&fabric, &schedule, &placement).unwrap_err(), @"this load balancing chooses paths while packets travel (a plan needs one that places flows before they are sent)");
}

#[test]
fn plans_that_do_not_fit_are_refused() {
    let fabric = leaf_spine(2, 2, 1);
    let flow = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut plan = json!({ "flows": [
            { "flow": 0, "src": 0, "dst": 1, "bytes": 8, "pieces": [{ "path": ["leaf0", "spine1", "leaf1"], "bytes": 8 }] },
        ] });
        change(&mut plan);
        let link = fabric.links_by_name()["leaf0->spine0"][0];
        let fabric = fabric.with(&[LinkChange { link, rate: Rate::ZERO }]);
        let result = PlannedPaths {
            file: "plan.json".into(),
        };
        let result =
            LoadBalancing::Plan(result).place(&fabric, &schedule(&[(0, 1, 8, 0)]), &OneFile(plan.to_string()), 1);
        result.map_or_else(|error| error.to_string(), |_| "fine".to_owned())
    };
    assert_eq!(flow(&|_| ()), "fine");
    insta::assert_snapshot!(flow(&|plan| plan["flows"] = json!([])), @"plan.json: flow 0 (host 0 to host 1) is not in the plan (make the plan again for this workload)");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["flow"] = json!(7)), @"plan.json: flows[0]: the workload has no flow 7");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["dst"] = json!(0)), @"plan.json: flows[0]: flow 0 goes from host 0 to host 1, but is planned from 0 to 0");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["bytes"] = json!(9)), @"plan.json: flows[0]: flow 0 has 8 bytes, but is planned with 9");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["bytes"] = json!(-9)), @"plan.json:1: flows[0].bytes: invalid value: integer `-9`, expected u64");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["bytes"] = json!(7)), @"plan.json: flows[0]: flow 0 has 8 bytes, but its pieces have 7");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"] = json!([])), @"plan.json: flows[0]: flow 0 has 8 bytes, but its pieces have 0");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["path"][1] = json!("spine0")), @"plan.json: flows[0].pieces[0]: the link leaf0->spine0 is down");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["path"][1] = json!("spine9")), @"plan.json: flows[0].pieces[0]: the fabric has no node `spine9`");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["path"] = json!(["leaf0", "leaf1"])), @"plan.json: flows[0].pieces[0]: no link leads from leaf0 to leaf1");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["path"] = json!(["leaf0", "spine1", "leaf0", "spine1", "leaf1"])), @"plan.json: flows[0].pieces[0]: leaf0 spine1 leaf0 spine1 leaf1 is not among the shortest ways to host1");
    insta::assert_snapshot!(flow(&|plan| plan["flows"][0]["pieces"][0]["path"] = json!("odd")), @r#"plan.json:1: flows[0].pieces[0].path: a path is a list of switches such as ["leaf0", "spine3", "leaf1"], or "even" or "weighted""#);
    insta::assert_snapshot!(flow(&|plan| plan["flow"] = json!([])), @"plan.json:1: flow: unknown field `flow`, expected one of `flows`, `congestion`, `bound`, `monge_gap`");
    insta::assert_snapshot!(flow(&|plan| {
        let twice = plan["flows"][0].clone();
        plan["flows"].as_array_mut().unwrap().push(twice);
    }), @"plan.json: flows[1]: flow 0 is planned twice");
    let text = |text: &str| PlanFile::parse("plan.json", text).unwrap_err().to_string();
    insta::assert_snapshot!(text(""), @r#"plan.json:1: EOF while parsing a value (`fabricsim place` writes plans: {"flows": [{"flow": 0, "src": 0, ...}]})"#);
    insta::assert_snapshot!(text("{\n\"flows\": [\n"), @"plan.json:3: flows: EOF while parsing a list");
    insta::assert_snapshot!(text("{\"flows\": []}\n{}"), @"plan.json:2: there is more text behind the plan");
    insta::assert_snapshot!(scheme("plan", json!({ "file": "x.json" })).place(&fabric, &schedule(&[]), &NoFiles, 1).unwrap_err(), @"x.json: there is no such file");
}
