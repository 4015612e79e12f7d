//! Pages, traces, costs and what builds without a feature say.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{folder, run, stdout, text};

const EXPERIMENT: &str = r#"
engine = "packet"

[topology.leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "64KiB"

[[faults]]
link = "leaf0-spine1"
rate = "25Gbps"

[output]
flows = true
links = true
series = "1us"

[sweep]
load_balancing = ["ecmp", "spray"]
"workload.all-to-all.message" = ["16KiB", "64KiB"]
seed = [1, 2]
"#;

fn ran() -> tempfile::TempDir {
    let dir = folder(&[("exp.toml", EXPERIMENT)]);
    stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
    dir
}

/// What the data of the script begin behind.
const DATA: &str = "type=\"application/json\">";

/// What stands between two texts.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("{before}")).1;
    rest.split_once(after).unwrap().0
}

/// The cells of the table, by row, under the columns of results.csv that they say they are.
fn table(page: &str) -> (Vec<Option<String>>, Vec<Vec<String>>) {
    let table = between(page, "<table id=\"table\">", "</table>");
    let heads = between(table, "<thead>", "</thead>").split("<th ").skip(1).map(|head| {
        let tag = head.split_once('>').unwrap().0;
        tag.contains("data-column")
            .then(|| between(tag, "data-column=\"", "\"").to_owned())
    });
    let rows = between(table, "<tbody>", "</tbody>").split("<tr ").skip(1).map(|row| {
        let cells = row.split("<td").skip(1);
        cells.map(|cell| between(cell, ">", "</td>").to_owned()).collect()
    });
    (heads.collect(), rows.collect())
}

#[test]
fn every_number_of_the_page_is_that_of_the_results() {
    let dir = ran();
    let answer = stdout(dir.path(), &["report", "results", "--out", "page.html"]);
    assert_eq!(answer, "page.html\n");
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    let mut reader = csv::Reader::from_path(dir.path().join("results/results.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    // What people read.
    let (heads, cells) = table(&page);
    assert_eq!(cells.len(), rows.len());
    let mut compared = 0;
    for (row, cells) in rows.iter().zip(&cells) {
        for (head, cell) in heads.iter().zip(cells) {
            if let Some(name) = head {
                assert_eq!(cell, &row[column(name)], "{name}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 8 * rows.len(), "{compared}");
    // What the script draws.
    let data: Value = serde_json::from_str(between(&page, DATA, "</script>")).unwrap();
    for (row, drawn) in rows.iter().zip(data["rows"].as_array().unwrap()) {
        for (name, value) in data["columns"]
            .as_array()
            .unwrap()
            .iter()
            .zip(drawn.as_array().unwrap())
        {
            let cell = &row[column(name.as_str().unwrap())];
            match value {
                Value::Null => assert_eq!(cell, ""),
                Value::Number(number) => assert_eq!(number.as_f64().unwrap(), cell.parse::<f64>().unwrap()),
                Value::String(text) => assert_eq!(text, cell),
                other => panic!("{other}"),
            }
        }
    }
    // The fabric with its fault, and details of every point.
    let fabric = &data["fabrics"][0];
    assert_eq!(fabric["links"].as_array().unwrap().len(), 16);
    assert!(
        fabric["faults"]
            .as_object()
            .unwrap()
            .values()
            .all(|fault| fault == "rate 25Gbps")
    );
    assert_eq!(data["details"].as_object().unwrap().len(), 8);
    // Nothing may be asked for, and there is no address to ask.
    assert!(page.contains("default-src 'none'"));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!page.contains("https://"));
    assert!(
        page.contains("times as fast as ecmp and "),
        "{}",
        between(&page, "class=\"verdict\">", "</p>")
    );
}

/// Names from files cannot become markup, nor end the script's data.
#[test]
fn names_are_no_markup() {
    let text = EXPERIMENT.replacen("engine", "name = \"<img src=x onerror=alert(1)>\"\nengine", 1);
    let dir = folder(&[("exp.toml", &text)]);
    stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
    stdout(dir.path(), &["report", "results"]);
    let page = fs::read_to_string(dir.path().join("results/report.html")).unwrap();
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;img src=x"));
}

#[test]
fn a_page_of_many_points_stays_small() {
    let seeds: Vec<String> = (1..=63).map(|seed| seed.to_string()).collect();
    let text = EXPERIMENT.replace("seed = [1, 2]", &format!("seed = [{}]", seeds.join(", ")));
    let dir = folder(&[("exp.toml", &text)]);
    stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
    let output = run(dir.path(), &["report", "results", "--point", "9"]);
    assert!(output.status.success());
    assert!(text_of(&output).contains("the page has room for the details of"));
    let page = fs::read_to_string(dir.path().join("results/report.html")).unwrap();
    assert!(page.len() < 2_000_000, "{}", page.len());
    let data: Value = serde_json::from_str(between(&page, DATA, "</script>")).unwrap();
    assert_eq!(data["rows"].as_array().unwrap().len(), 252);
    assert!(data["details"]["9"].is_object(), "what was asked for comes first");
}

fn text_of(output: &std::process::Output) -> String {
    text(&output.stderr)
}

#[test]
fn traces_are_written_and_what_is_missing_is_said() {
    let dir = ran();
    let answer = stdout(dir.path(), &["trace", "results", "--point", "3", "--out", "x.pftrace"]);
    assert_eq!(answer, "x.pftrace\n");
    let trace = fs::read(dir.path().join("x.pftrace")).unwrap();
    assert!(trace.windows(6).any(|name| name == b"host 3"));
    let refused = run(dir.path(), &["trace", "results", "--point", "8"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        text_of(&refused),
        "error: --point 8: there is no such point; they are numbered from 0 to 7\n"
    );
    let plain = EXPERIMENT.split("[output]").next().unwrap();
    fs::write(dir.path().join("plain.toml"), plain).unwrap();
    stdout(dir.path(), &["run", "plain.toml", "--out", "plain", "--quiet"]);
    let refused = text_of(&run(dir.path(), &["trace", "plain"]));
    assert!(
        refused.starts_with("error: point 0: nothing with a time was kept of it; write `flows = true`"),
        "{refused}"
    );
}

/// Flows wait for those that their schedule names, and go where the placement says.
#[test]
fn paths_tell_ways_and_causes() {
    let ring = EXPERIMENT
        .replace(
            "[workload.all-to-all]\nmessage = \"64KiB\"",
            "[workload.all-reduce]\nsize = \"64KiB\"\nalgorithm = \"ring\"",
        )
        .replace("\"workload.all-to-all.message\" = [\"16KiB\", \"64KiB\"]\n", "");
    let dir = folder(&[("exp.toml", &ring)]);
    stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
    let points = fs::read_to_string(dir.path().join("results/points.csv")).unwrap();
    let hash = points.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    let point = dir.path().join("results/points").join(hash);
    let rows = |name: &str| -> Vec<csv::StringRecord> {
        csv::Reader::from_path(point.join(name))
            .unwrap()
            .records()
            .map(Result::unwrap)
            .collect()
    };
    let (flows, paths) = (rows("flows.csv"), rows("paths.csv"));
    assert_eq!(flows.len(), 2 * 3 * 4);
    let mut passed_on = 0;
    for (flow, path) in flows.iter().zip(&paths) {
        let links: Vec<&str> = path[2].split(' ').collect();
        assert!(links[0].starts_with(&format!("host{}->", &flow[1])), "{path:?}");
        assert!(
            links.last().unwrap().ends_with(&format!("->host{}", &flow[2])),
            "{path:?}"
        );
        assert!(links.contains(&&path[3]));
        let Ok(after) = path[1].parse::<usize>() else { continue };
        // A rank of a ring passes on what its left neighbor has sent it, when it is there, behind what it sent itself.
        let before = flows.iter().find(|flow| flow[0] == after.to_string()).unwrap();
        if before[1] == flow[1] {
            continue;
        }
        assert_eq!(before[2], flow[1]);
        passed_on += 1;
        let end = |flow: &csv::StringRecord| flow[4].parse::<f64>().unwrap() + flow[5].parse::<f64>().unwrap();
        assert!(end(before) <= flow[4].parse::<f64>().unwrap() + 1e-6);
    }
    let first_steps = paths.iter().filter(|path| path[1].is_empty()).count();
    assert_eq!(first_steps, 4);
    assert!(passed_on > 10, "{passed_on}");
}

#[test]
fn a_check_tells_the_cost() {
    let dir = folder(&[("exp.toml", EXPERIMENT)]);
    let cost = text_of(&run(dir.path(), &["check", "exp.toml"]));
    assert!(
        cost.starts_with("8 points: 4 hosts, 12 transfers and 192 packets, about "),
        "{cost}"
    );
    assert!(cost.contains(" each at most; about "), "{cost}");
    assert_eq!(text_of(&run(dir.path(), &["check", "exp.toml", "--quick"])), "");
}

#[test]
#[cfg(not(feature = "server"))]
fn a_build_without_a_server_says_how_to_get_one() {
    let dir = folder(&[]);
    let refused = run(dir.path(), &["serve", "."]);
    assert_eq!(refused.status.code(), Some(2));
    let told = text_of(&refused);
    assert!(
        told.contains("this build has no server") && told.contains("--features server"),
        "{told}"
    );
}

#[test]
#[cfg(not(feature = "parquet"))]
fn a_build_without_parquet_says_how_to_get_one() {
    let dir = folder(&[("exp.toml", &EXPERIMENT.replace("flows = true", "parquet = true"))]);
    let refused = run(dir.path(), &["run", "exp.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = text_of(&refused);
    assert!(
        told.contains("output.parquet") && told.contains("--features parquet"),
        "{told}"
    );
}

#[test]
#[cfg(feature = "parquet")]
fn parquet_is_written_beside_the_table() {
    let dir = folder(&[("exp.toml", &EXPERIMENT.replace("flows = true", "parquet = true"))]);
    stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
    let file = fs::read(dir.path().join("results/results.parquet")).unwrap();
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
}

/// Every command has a page of its own, and examples in its help.
#[test]
fn every_command_has_a_manual_page_and_examples() {
    let dir = folder(&[]);
    stdout(dir.path(), &["man", "--out", "man1"]);
    let help = stdout(dir.path(), &["--help"]);
    let commands = between(&help, "Commands:\n", "\n\n")
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut seen = 0;
    for command in commands.filter(|command| *command != "help" && command.starts_with(|c: char| c.is_lowercase())) {
        if !Path::new(&dir.path().join(format!("man1/fabricsim-{command}.1"))).exists() {
            // A line of a longer description.
            continue;
        }
        let help = stdout(dir.path(), &[command, "--help"]);
        assert!(help.contains("Example"), "{command}: {help}");
        let page = stdout(dir.path(), &["man", command]);
        assert!(page.contains(&format!("fabricsim\\-{command}")), "{command}");
        seen += 1;
    }
    assert!(seen >= 17, "{seen}");
    assert_eq!(run(dir.path(), &["man", "nonsense"]).status.code(), Some(2));
}

#[cfg(feature = "server")]
mod served {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Stdio};
    use std::time::Duration;

    use super::*;
    use crate::cli::fabricsim;

    /// A server that is ended with the test.
    struct Server {
        child: Child,
        port: u16,
        token: String,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    impl Server {
        fn start(dir: &Path, what: &str) -> Self {
            let mut child = fabricsim(dir)
                .args(["serve", what, "--port", "0"])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut url = String::new();
            let mut byte = [0];
            let stderr = child.stderr.as_mut().unwrap();
            while !url.ends_with('\n') {
                stderr.read_exact(&mut byte).unwrap();
                url.push(char::from(byte[0]));
            }
            let rest = url.trim().strip_prefix("http://127.0.0.1:").unwrap();
            let (port, token) = rest.split_once('/').unwrap();
            let (port, token) = (port.parse().unwrap(), token.trim_end_matches('/').to_owned());
            Self { child, port, token }
        }

        fn send(&self, bytes: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(bytes).unwrap();
            stream
        }

        fn ask(&self, method: &str, path: &str, host: &str) -> String {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let mut answer = Vec::new();
            let _ = self.send(request.as_bytes()).read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        }

        fn get(&self, path: &str) -> String {
            self.ask("GET", path, &format!("127.0.0.1:{}", self.port))
        }
    }

    #[test]
    fn only_who_has_the_token_and_the_name_gets_anything() {
        let dir = ran();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        let server = Server::start(dir.path(), "results");
        let token = server.token.clone();
        assert!(server.get(&format!("/{token}/")).contains("times as fast as ecmp"));
        assert!(
            server
                .get(&format!("/{token}/files/results.csv"))
                .contains("point,engine")
        );
        for path in [
            "/",
            "/x/",
            &format!("/{}/", "0".repeat(32)),
            &format!("/{token}/files/../secret"),
            &format!("/{token}/files/%2e%2e/secret"),
            &format!("/{token}/files/plots/..%2f..%2fsecret"),
            &format!("/{token}/files//etc/passwd"),
            &format!("/{token}/files/.lock"),
        ] {
            let answer = server.get(path);
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
            assert!(!answer.contains("secret\n"), "{path}");
        }
        let answer = server.ask("GET", &format!("/{token}/"), "evil.example:80");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        let answer = server.ask(
            "POST",
            &format!("/{token}/cancel"),
            &format!("localhost:{}", server.port),
        );
        assert!(answer.starts_with("HTTP/1.1 404"), "there is no run: {answer}");
    }

    #[test]
    fn garbage_slow_clients_and_crowds_keep_nobody_out() {
        let dir = ran();
        let server = Server::start(dir.path(), "results");
        let page = format!("/{}/", server.token);
        for garbage in [
            &b"\x00\xff\x00\n\n"[..],
            b"GET\r\n\r\n",
            &[b'a'; 70_000],
            b"GET / HTTP/9.9\r\n\r\n",
        ] {
            let mut answer = Vec::new();
            let mut stream = server.send(garbage);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP/1.1 200"));
        }
        let half = format!("GET {page} HTTP/1.1\r\nHost: 127");
        let _slow: Vec<TcpStream> = (0..50).map(|_| server.send(half.as_bytes())).collect();
        let ask = || assert!(server.get(&page).starts_with("HTTP/1.1 200"));
        std::thread::scope(|scope| (0..50).for_each(|_| drop(scope.spawn(ask))));
    }

    /// Who asks for much and takes nothing has no copy of it in the memory of the server, and who sends what never ends is cut
    /// off.
    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_bounded_whatever_clients_do() {
        let dir = ran();
        let results = dir.path().join("results");
        fs::write(results.join("large.csv"), vec![b'x'; 32 << 20]).unwrap();
        // A page of some MB.
        let text = fs::read_to_string(results.join("experiment.toml")).unwrap();
        fs::write(results.join("experiment.toml"), text + &"# long\n".repeat(500_000)).unwrap();
        let server = Server::start(dir.path(), "results");
        let (page, file) = (
            format!("/{}/", server.token),
            format!("/{}/files/large.csv", server.token),
        );
        assert!(server.get(&page).len() > 3_000_000);
        assert!(server.get(&file).len() > 32 << 20);
        let peak = || {
            let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
            between(&status, "VmHWM:", "kB").trim().parse::<u64>().unwrap() / 1_024
        };
        let before = peak();
        let idle = |path: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", server.port);
            let mut stream = server.send(request.as_bytes());
            stream.read_exact(&mut [0; 200]).unwrap();
            stream
        };
        let mut held: Vec<TcpStream> = (0..50).flat_map(|_| [idle(&page), idle(&file)]).collect();
        for _ in 0..50 {
            let mut stream = server.send(b"GET / HTTP/1.1\r\n");
            // Until nobody reads any more.
            while stream.write_all(&[b'a'; 10_000]).is_ok() {}
            held.push(stream);
        }
        assert!(server.get(&page).starts_with("HTTP/1.1 200"));
        let now = peak();
        assert!(now < before + 100, "{before} MB, and then {now} MB");
    }

    /// What another process writes into the folder is on the page.
    #[test]
    fn a_folder_is_shown_as_it_is_now() {
        let dir = ran();
        let server = Server::start(dir.path(), "results");
        let page = format!("/{}/", server.token);
        assert!(!server.get(&page).contains("data-point=\"8\""));
        let more = EXPERIMENT.replace("seed = [1, 2]", "seed = [1, 2, 3]");
        fs::write(dir.path().join("exp.toml"), more).unwrap();
        stdout(dir.path(), &["run", "exp.toml", "--out", "results", "--quiet"]);
        assert!(server.get(&page).contains("data-point=\"8\""));
    }

    #[test]
    fn a_running_experiment_tells_its_news_and_can_be_cancelled() {
        let seeds: Vec<String> = (1..=400).map(|seed| seed.to_string()).collect();
        let text = EXPERIMENT.replace("seed = [1, 2]", &format!("seed = [{}]", seeds.join(", ")));
        let dir = folder(&[("exp.toml", &text)]);
        let server = Server::start(dir.path(), "exp.toml");
        let request = format!(
            "GET /{}/events HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
            server.token, server.port
        );
        let mut news = server.send(request.as_bytes());
        let mut heard = String::new();
        let mut buffer = [0; 512];
        let mut asked = false;
        // Until the run says that it has ended.
        while !heard.contains("\"cancelled\"") && !heard.contains("\"state\":\"done\"") {
            let count = news.read(&mut buffer).unwrap();
            assert!(count > 0, "{heard}");
            heard += &String::from_utf8_lossy(&buffer[..count]);
            if !asked && heard.contains("\"state\":\"running\"") {
                let answer = server.ask(
                    "POST",
                    &format!("/{}/cancel", server.token),
                    &format!("localhost:{}", server.port),
                );
                assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
                asked = true;
            }
        }
        assert!(asked);
        assert!(server.get(&format!("/{}/", server.token)).starts_with("HTTP/1.1 200"));
    }
}
