//! Topologies in the files of other tools.

use super::*;
use crate::input::{Files, InputError};
use crate::topology::NodeKind;

struct One<'a>(&'a str);

impl Files for One<'_> {
    fn read(&self, _: &str) -> Result<String, InputError> {
        Ok(self.0.to_owned())
    }
}

fn draw(kind: &str, text: &str) -> Result<Blueprint, InputError> {
    let spec = parse(&format!("[{kind}]\nfile = \"topology.txt\""));
    spec.topology.blueprint(&One(text))
}

const HPCC: &str = "6 2 6\n4 5\n0 4 100Gbps 0.001ms 0\n1 4 100Gbps 0.001ms 0\n2 5 100Gbps 0.001ms 0\n3 5 100Gbps 0.001ms 0\n\
                    4 5 400Gbps 0.002ms 0.01\n4 5 400Gbps 0.002ms 0\n";

#[test]
fn an_hpcc_file_is_a_fabric() {
    let fabric = Fabric::compile(&draw("hpcc", HPCC).unwrap());
    assert_eq!((fabric.hosts(), fabric.nodes().len(), fabric.links().len()), (4, 6, 12));
    assert_eq!(
        all_paths(&fabric, 0, 3),
        [
            "host0->switch4 switch4->switch5 switch5->host3",
            "host0->switch4 switch4->switch5#1 switch5->host3"
        ]
    );
    let link = fabric.link(fabric.links_by_name()["switch4->switch5"][0]);
    assert_eq!((link.rate, link.delay), (Rate::from_gbps(400), Time::from_us(2)));
    let gray: Vec<_> = fabric
        .losses()
        .iter()
        .map(|change| fabric.link_name(change.link))
        .collect();
    assert_eq!(gray, ["switch4->switch5", "switch5->switch4"]);
}

#[test]
fn a_simai_file_has_servers() {
    let text = "7 2 2 1 6 H100\n4 5 6\n0 4 2400Gbps 0.000025ms 0\n1 4 2400Gbps 0.000025ms 0\n2 5 2400Gbps 0.000025ms 0\n\
                3 5 2400Gbps 0.000025ms 0\n0 6 100Gbps 0.0005ms 0\n2 6 100Gbps 0.0005ms 0\n";
    let drawing = draw("simai", text).unwrap();
    let in_servers = drawing.graph.node_weights().filter(|node| node.in_server).count();
    let hosts = drawing
        .graph
        .node_weights()
        .filter(|node| node.kind == NodeKind::Host)
        .count();
    assert_eq!((in_servers, hosts), (2, 4));
    let fabric = Fabric::compile(&drawing);
    assert_eq!(all_paths(&fabric, 0, 1), ["host0->server0 server0->host1"]);
    assert_eq!(all_paths(&fabric, 0, 2), ["host0->switch6 switch6->host2"]);
    assert_eq!(fabric.hosts_per_server(), Some(2));
}

#[test]
fn files_that_contradict_themselves() {
    let change = |from: &str, to: &str| draw("hpcc", &HPCC.replacen(from, to, 1)).unwrap_err().to_string();
    let messages = [
        draw("hpcc", "").unwrap_err().to_string(),
        draw("simai", HPCC).unwrap_err().to_string(),
        change("6 2 6", "6 x 6"),
        change("6 2 6", "6 2 7"),
        change("6 2 6", "4000000000 2 6"),
        change("4 5\n", "4 4\n"),
        change("4 5\n", "4\n"),
        change("0 4 100Gbps", "0 9 100Gbps"),
        change("0 4 100Gbps", "4 4 100Gbps"),
        change("100Gbps", "0Gbps"),
        change("0.001ms", "soon"),
        change("0.01", "2"),
        change(" 0.001ms 0", ""),
        change("0 4 100Gbps 0.001ms 0\n", "1 4 100Gbps 0.001ms 0\n"),
        draw("hpcc", "1 1 0\n0\n").unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    topology.txt: it is empty
    topology.txt:1: the first line has 3 fields (it says `nodes gpus_per_server nv_switches switches links gpu_type`)
    topology.txt:1: `switches` is `x` (it must be a whole number)
    topology.txt: the first line says 7 links, and there are 6 (correct the count, or look for lines that are missing)
    topology.txt:1: the fabric would have 4000000000 nodes (at most 4000000 can be simulated)
    topology.txt:2: `4` is no id of a switch (ids are whole numbers below 6, each once)
    topology.txt:2: there are 1 ids of switches, and the first line says 2 (the second line names every switch)
    topology.txt:3: there is no node `9` (nodes are 0 to 5)
    topology.txt:3: the link joins node 4 to itself (the ends of a link must differ)
    topology.txt:3: the rate is `0Gbps` (it must be above 0, such as 100Gbps)
    topology.txt:3: the delay is `soon` (it must be a time, such as 0.001ms)
    topology.txt:7: the error rate is `2` (it is from 0 to 1)
    topology.txt:3: this line has 3 fields (a link is `source destination rate delay error_rate`, such as `0 4 100Gbps 0.001ms 0`)
    topology.txt: `host0` has no link (add one, or name it among the switches)
    topology.txt:1: all nodes are switches (nodes that the second line does not name are hosts)
    ");
}

#[test]
fn networks_that_astra_sim_could_not_build() {
    let network =
        "topology: [ Ring, Switch ]\nnpus_count: [ 4, 2 ]\nbandwidth: [ 80.0, 50.0 ]\nlatency: [ 1000.0, 500.0 ]\n";
    let fabric = Fabric::compile(&draw("astra-sim", network).unwrap());
    assert_eq!(
        (fabric.hosts(), fabric.nodes().len(), fabric.links().len()),
        (8, 12, 32)
    );
    let change = |from: &str, to: &str| {
        draw("astra-sim", &network.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    let messages = [
        draw("astra-sim", "").unwrap_err().to_string(),
        change("Ring", "Torus"),
        change("latency", "latencies"),
        change("[ 4, 2 ]", "[ 4 ]"),
        change("[ 4, 2 ]", "[ 4, 1 ]"),
        change("[ 4, 2 ]", "[ 4000000, 2 ]"),
        change("80.0", "0"),
        change("80.0", "tbd"),
        change("500.0", "-1"),
        change("500.0", ".nan"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    topology.txt:1: missing field `topology` (a network has lists `topology` (Ring, FullyConnected, Switch), `npus_count`, `bandwidth` (GB/s) and `latency` (ns), with an entry for each dimension)
    topology.txt:1: topology[0]: unknown variant `Torus`, expected one of `Ring`, `FullyConnected`, `Switch` at line 1 column 13 (a network has lists `topology` (Ring, FullyConnected, Switch), `npus_count`, `bandwidth` (GB/s) and `latency` (ns), with an entry for each dimension)
    topology.txt:4: unknown field `latencies`, expected one of `topology`, `npus_count`, `bandwidth`, `latency` at line 4 column 1 (a network has lists `topology` (Ring, FullyConnected, Switch), `npus_count`, `bandwidth` (GB/s) and `latency` (ns), with an entry for each dimension)
    topology.txt:2: `npus_count` has 1 entries, and `topology` has 2 (write one entry for each dimension)
    topology.txt:2: dimension 1 has 1 NPUs (every dimension has at least 2)
    topology.txt: the fabric would have 8000000 NPUs (at most 4000000 can be simulated)
    topology.txt:3: the bandwidth of dimension 0 is 0 GB/s (it must be above 0, and below 10^8)
    topology.txt:3: bandwidth[0]: invalid type: string "tbd", expected f64 at line 3 column 14 (a network has lists `topology` (Ring, FullyConnected, Switch), `npus_count`, `bandwidth` (GB/s) and `latency` (ns), with an entry for each dimension)
    topology.txt:4: the latency of dimension 1 is -1 ns (it is at least 0, and at most 106 days)
    topology.txt:4: the latency of dimension 1 is NaN ns (it is at least 0, and at most 106 days)
    "#);
}

/// A fabric by all that it consists of.
fn parts(
    drawing: &Blueprint,
) -> (
    Vec<crate::topology::Node>,
    Vec<(usize, usize, crate::topology::LinkSpec)>,
) {
    let edges = drawing.graph.raw_edges().iter();
    let links = edges.map(|edge| (edge.source().index(), edge.target().index(), edge.weight.clone()));
    (drawing.graph.node_weights().cloned().collect(), links.collect())
}

#[test]
fn what_is_exported_as_infragraph_comes_back() {
    let texts = [
        "[leaf-spine]\nleaves = 2\nspines = 2\nhosts_per_leaf = 2\nparallel = 2\nhost_link = { rate = \"100Gbps\" }\nfabric_link = { rate = \"25.6Gbps\", delay = \"0.3ns\" }",
        "[multi-plane]\nplanes = 2\ngpus = 2\nserver_link = { rate = \"3.6Tbps\" }\n[multi-plane.plane.leaf-spine]\nleaves = 2\nspines = 2\nhosts_per_leaf = 2\nhost_link = { rate = \"100Gbps\" }\nfabric_link = { rate = \"100Gbps\" }",
        "[rail]\nservers = 3\ngpus = 2\nhost_link = { rate = \"400Gbps\" }\nserver_link = { rate = \"3.6Tbps\" }",
        "[graph]\nrouting = \"up-down\"\nnodes = [{ name = \"a\", kind = \"host\" }, { name = \"b.1\", kind = \"host\" }, { name = \"x\", kind = \"switch\", tier = 3, latency = \"7ns\" }]\nlinks = [{ a = \"a\", b = \"x\", rate = \"1Gbps\", name = \"trunk\" }, { a = \"x\", b = \"b.1\", rate = \"1Gbps\" }]",
    ];
    for text in texts {
        let drawing = parse(text).topology.blueprint(&NoFiles).unwrap();
        let json = drawing.to_infragraph("a test");
        let again = draw("infragraph", &json).unwrap();
        assert_eq!(parts(&again), parts(&drawing));
        assert_eq!(again.routing, drawing.routing);
        let yaml = serde_yaml_ng::to_string(&serde_json::from_str::<serde_json::Value>(&json).unwrap()).unwrap();
        assert_eq!(parts(&draw("infragraph", &yaml).unwrap()), parts(&drawing));
    }
}

/// Two servers of two XPUs behind a switch for NVLink, with a network card each, on one leaf whose ports are parts of it.
const SERVERS: &str = r#"
name: pod
devices:
- name: server
  components:
  - {name: xpu, count: 2, choice: xpu}
  - {name: nvlsw, count: 1, choice: switch}
  - {name: nic, count: 2, choice: nic}
  links:
  - {name: nvlink, physical: {bandwidth: {choice: gigabytes_per_second, gigabytes_per_second: 450}}}
  - {name: pcie}
  edges:
  - {ep1: {component: xpu}, ep2: {component: nvlsw}, scheme: many2many, link: nvlink}
  - {ep1: {component: xpu}, ep2: {component: nic}, scheme: one2one, link: pcie}
- name: switch
  components:
  - {name: asic, count: 1, choice: cpu}
  - {name: port, count: 8, choice: port}
  links:
  - {name: ic}
  edges:
  - {ep1: {component: asic}, ep2: {component: port}, scheme: many2many, link: ic}
links:
- name: eth
  physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: 400}, latency: {choice: us, us: 0.5}}
instances:
- {name: host, device: server, count: 2}
- {name: leaf, device: switch, count: 1}
edges:
- {ep1: {instance: "host[0]", component: nic}, ep2: {instance: leaf, component: "port[0:2]"}, scheme: one2one, link: eth}
- {ep1: {instance: "host[1]", component: nic}, ep2: {instance: leaf, component: "port[2:4]"}, scheme: one2one, link: eth}
"#;

#[test]
fn parts_that_no_bandwidth_tells_apart_are_one_node() {
    let fabric = Fabric::compile(&draw("infragraph", SERVERS).unwrap());
    let names: Vec<_> = fabric.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(
        names[..4],
        ["host.0.xpu.0", "host.0.xpu.1", "host.1.xpu.0", "host.1.xpu.1"]
    );
    assert_eq!(names.len(), 4 + 2 + 1);
    assert_eq!(fabric.path_count(NodeId(0), NodeId(3)), 1);
    let path = fabric.path(NodeId(0), NodeId(3), 0);
    assert_eq!(
        path.iter()
            .map(|&id| fabric.link(id).rate.as_gbps())
            .collect::<Vec<_>>(),
        [400.0, 400.0]
    );
    assert_eq!(fabric.link(path[0]).delay, Time::from_ns(500));
}

#[test]
fn infragraph_files_that_cannot_be_used() {
    let change = |from: &str, to: &str| {
        draw("infragraph", &SERVERS.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    let messages = [
        change("gigabytes_per_second: 450", "gigabytes_per_second: -1"),
        change(
            "physical: {bandwidth: {choice: gigabytes_per_second, gigabytes_per_second: 450}}",
            "description: none",
        ),
        change("choice: xpu", "choice: cpu"),
        change("device: server", "device: box"),
        change("count: 2}\n- {name: leaf", "count: 4000000000}\n- {name: leaf"),
        change("port[0:2]", "port[0:2"),
        change("port[0:2]", "port[9]"),
        change("host[0]", "hosts[0]"),
        change("component: nvlsw", "component: nvswitch"),
        change("link: ic}", "link: wire}"),
        change("one2one, link: eth", "ring, link: eth"),
        change(
            "{name: nvlsw, count: 1, choice: switch}",
            "{name: server, count: 1, choice: device}",
        ),
        draw("infragraph", "{\"name\": 3}").unwrap_err().to_string(),
        draw("infragraph", "name: [").unwrap_err().to_string(),
        draw("infragraph", "").unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    topology.txt: the bandwidth of the link `nvlink` is -8 (it must be above 0)
    topology.txt: `host.0.xpu.0` and `host.0.xpu.1` are joined by links without a bandwidth (give the link between `xpu.1` and the others of its device a `physical.bandwidth`)
    topology.txt: there is no XPU (components of choice `xpu` are hosts)
    topology.txt: the instance `host` is of the device `box`, which is not described (`device` names one of `devices`)
    topology.txt: there are 20000000000 nodes (at most 4000000 can be simulated)
    topology.txt: `port[0:2` has no end (write `name`, `name[2]` or `name[0:4]`)
    topology.txt: `port[9]` selects nothing (there are 8: write `name[2]`, `name[0:4]` or `name[::2]`)
    topology.txt: there is no instance `hosts` (`ep1` and `ep2` name instances, such as `host[0]`)
    topology.txt: the device `server` has no `nvswitch` (an endpoint names components of the device, such as `nic[0]`)
    topology.txt: there is no link `wire` (an edge's `link` names one of `links`)
    topology.txt: edges of the scheme `ring` are not read (schemes are `one2one` and `many2many`)
    topology.txt: the devices `server` have devices inside that are not described, or each other (a component of choice `device` has the name of a device, which does not contain this one)
    topology.txt:1: invalid type: integer `3`, expected a string at line 1 column 10 (it is read as JSON, as it begins with a brace)
    topology.txt:1: name: invalid type: sequence, expected a string at line 1 column 7 (it is read as YAML, as it does not begin with a brace)
    topology.txt: there is no XPU (components of choice `xpu` are hosts)
    ");
}
