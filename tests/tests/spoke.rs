//! The real spoke, asked as a hub and a person ask it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use pattoo_common::document::{Document, Sample, SampleValue};
use pattoo_tests::{
    Daemon, Folder, PATIENCE, SpokeOptions, add_to_pattoo_section, again_after_stalls, binary,
    free_port, http_get, run, wait_until, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";

struct Spoke {
    port: u16,
    daemon: Daemon,
    folder: Folder,
}

fn spoke(more: &str) -> Spoke {
    let folder = Folder::new("spoke");
    let port = free_port();
    let options = SpokeOptions { port, fixture: None, more: more.to_owned() };
    let configuration = write_spoke_config(&folder, &options);
    let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
    let daemon = Daemon::new(binary(SPOKE), &configuration, pid_file);
    daemon.start();
    Spoke { port, daemon, folder }
}

impl Spoke {
    fn poll(&self) -> Vec<u8> {
        let answer = http_get(self.port, "/pattoo-agent-linux/300").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.body
    }

    fn request(&self, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn samples<'d>(document: &'d Document<'_>) -> Vec<Sample<'d>> {
    document.samples().collect::<Result<_, _>>().unwrap()
}

fn number(samples: &[Sample<'_>], key: &str) -> f64 {
    let sample = samples.iter().find(|sample| sample.key == key);
    match sample.unwrap_or_else(|| panic!("no {key}")).value {
        #[expect(clippy::cast_precision_loss, reason = "figures of this machine")]
        SampleValue::Integer(value) => value as f64,
        SampleValue::Float(value) => value,
        ref other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn sends_what_the_original_meant_to_send() {
    again_after_stalls(|| {
        let spoke = spoke("");
        let body = spoke.poll();
        let document = Document::parse(&body).unwrap();
        let samples = samples(&document);
        assert!(number(&samples, "process_count") >= 2.0);
        for minutes in ["01", "05", "15"] {
            assert!(number(&samples, &format!("load_average_{minutes}min")) >= 0.0);
        }
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap();
        if cpuinfo.contains("cpu MHz") {
            assert!(number(&samples, "cpu_frequency") > 0.0);
        }
        assert!(number(&samples, "uptime") > 0.0 && number(&samples, "boot_time") > 1e9);
        let memory = fs::read_to_string("/proc/meminfo").unwrap();
        let total_kib: f64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!((number(&samples, "memory_total") - total_kib * 1024.0).abs() < 1.0);
        spoke.daemon.stop();
    });
}

#[test]
fn every_key_of_the_capture_is_sent_in_its_order_with_its_type() {
    again_after_stalls(|| {
        let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/spoke-response.json");
        let capture = fs::read(capture).unwrap();
        let capture = Document::parse(&capture).unwrap();
        let keys = |samples: &[Sample<'_>]| {
            let mut keys: Vec<(String, u8)> = Vec::new();
            for sample in samples {
                let key = (sample.key.to_string(), sample.data_type.code());
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            keys
        };
        let wanted = keys(&samples(&capture));
        let spoke = spoke("");
        let body = spoke.poll();
        let document = Document::parse(&body).unwrap();
        let sent = keys(&samples(&document));
        let known: Vec<_> = sent.into_iter().filter(|key| wanted.contains(key)).collect();
        assert_eq!(known, wanted);
        for sample in samples(&document) {
            assert_eq!(sample.expected_checksum().as_str(), sample.checksum, "{sample:?}");
        }
        spoke.daemon.stop();
    });
}

#[test]
fn paths_and_methods_are_answered_as_promised() {
    let spoke = spoke("");
    for path in
        ["/pattoo-agent-linux/1", "/pattoo-agent-linux/007", "/pattoo-agent-linux/86400", "/"]
    {
        assert_eq!(http_get(spoke.port, path).unwrap().status, 200, "{path}");
    }
    for path in [
        "/pattoo-agent-linux/0",
        "/pattoo-agent-linux/86401",
        "/pattoo-agent-linux/abc",
        "/pattoo-agent-linux/-5",
        "/pattoo-agent-linux/1.5",
        "/pattoo-agent-linux/300/",
        "/abc",
    ] {
        let answer = http_get(spoke.port, path).unwrap();
        assert_eq!(answer.status, 404, "{path}");
        let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error["error"].is_string(), "{path}: {error}");
    }
    let head = spoke.request("HEAD /pattoo-agent-linux/300 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-length: "), "{head}");
    let options = spoke.request("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(options.starts_with("HTTP/1.1 200 ") && options.contains("Allow: GET"), "{options}");
    for method in ["POST", "PUT", "DELETE", "BREW"] {
        let request = format!("{method} /pattoo-agent-linux/300 HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = spoke.request(&request);
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("{\"error\":"), "{answer}");
    }
    spoke.daemon.stop();
}

#[test]
fn shows_a_page_without_scripts() {
    again_after_stalls(|| {
        let spoke = spoke("hostname: board-7.example.net\n");
        let answer = http_get(spoke.port, "/").unwrap();
        let page = String::from_utf8(answer.body).unwrap();
        assert!(
            answer.head.contains("text/html") && answer.head.contains("Content-Security-Policy")
        );
        for part in [
            "board-7.example.net",
            "CPU",
            "Load",
            "Memory",
            "Swap",
            "Disk space",
            "Network",
            "Sources",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(
            !page.contains("<script") && !page.contains("http://") && !page.contains("https://")
        );
        spoke.daemon.stop();
    });
}

#[test]
fn a_browser_does_not_shorten_the_window_of_the_hub() {
    again_after_stalls(|| {
        let tree = Folder::new("windows");
        // Ticks of user and idle since the start of the machine.
        let ticks = |user: u64, idle: u64| {
            let cpu = format!("{user} 0 0 {idle} 0 0 0 0 0 0");
            tree.write("proc/stat", &format!("cpu  {cpu}\ncpu0 {cpu}\nbtime 1700000000\n"));
        };
        ticks(3_000, 1_000);
        let spoke = spoke(&format!("proc_directory: {}\n", tree.join("proc").display()));
        let idle = |path: &str| {
            let body = http_get(spoke.port, path).unwrap().body;
            number(&samples(&Document::parse(&body).unwrap()), "cpu_times_percent_idle")
        };
        let is =
            |value: f64, wanted: f64| assert!((value - wanted).abs() < 0.01, "{value}, {wanted}");
        is(idle("/pattoo-agent-linux/300"), 25.0);
        ticks(3_100, 1_000);
        http_get(spoke.port, "/").unwrap();
        is(idle("/pattoo-agent-linux/60"), 24.4);
        ticks(3_100, 1_100);
        // Since its own last request, with what the others have seen in between.
        is(idle("/pattoo-agent-linux/300"), 50.0);
        is(idle("/pattoo-agent-linux/60"), 100.0);
        spoke.daemon.stop();
    });
}

#[test]
fn keeps_its_agent_id_and_its_name() {
    let spoke = spoke("");
    let id = |body: &[u8]| Document::parse(body).unwrap().agent_id().to_owned();
    let first = id(&spoke.poll());
    assert!(first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    let restarted = spoke.daemon.run(&["--restart"]);
    assert_eq!(restarted.code, 0, "{restarted:?}");
    assert_eq!(id(&spoke.poll()), first);
    let check = spoke.daemon.run(&["--check"]);
    assert!(check.code == 0 && check.stdout.contains(&first), "{check:?}");
    spoke.daemon.stop();
}

#[test]
fn once_and_explain_need_no_daemon() {
    again_after_stalls(|| {
        let folder = Folder::new("once");
        let options = SpokeOptions { port: free_port(), fixture: None, more: String::new() };
        let configuration = write_spoke_config(&folder, &options);
        let once = run(&binary(SPOKE), &configuration, &["--once"]);
        assert_eq!(once.code, 0, "{once:?}");
        let document = Document::parse(once.stdout.as_bytes()).unwrap();
        assert!(document.datapoint_count() > 50);
        let explain = run(&binary(SPOKE), &configuration, &["--explain"]);
        assert_eq!(explain.code, 0, "{explain:?}");
        assert!(
            explain.stdout.contains("memory") && explain.stdout.contains("datapoints"),
            "{explain:?}"
        );
    });
}

/// As a user who may not read one of the kernel's files.
#[test]
fn explain_tells_files_and_the_permission_that_is_missing() {
    again_after_stalls(|| {
        let tree = Folder::new("explain_tree");
        let loadavg = tree.write("proc/loadavg", "0.1 0.2 0.3 1/2 3\n");
        fs::set_permissions(&loadavg, fs::Permissions::from_mode(0o000)).unwrap();
        let uptime = tree.write("proc/uptime", "7.5 1.0\n");
        let folder = Folder::new("explain");
        let fixture = Some(tree.path().to_owned());
        let options = SpokeOptions { port: free_port(), fixture, more: String::new() };
        let configuration = write_spoke_config(&folder, &options);
        // Root may read everything, so it is to become somebody else first.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            add_to_pattoo_section(&folder, &["user: 65534", "group: 65534"]);
        }
        let explained = run(&binary(SPOKE), &configuration, &["--explain"]);
        assert_eq!(explained.code, 0, "{explained:?}");
        let text = explained.stdout;
        let path = loadavg.display();
        let denied =
            format!("    {path}: no permission: the right to read {path} is missing (mode 0000");
        assert!(text.contains(&denied), "{text}");
        assert!(text.contains(&format!("    {}: 8 bytes read\n", uptime.display())), "{text}");
        let absent = tree.join("proc/meminfo");
        assert!(
            text.contains(&format!("    {}: there is no such file\n", absent.display())),
            "{text}"
        );
    });
}

#[test]
fn a_source_that_fails_is_named_and_the_answer_comes() {
    again_after_stalls(|| {
        let tree = Folder::new("broken");
        for file in [
            "stat",
            "uptime",
            "loadavg",
            "vmstat",
            "diskstats",
            "net/dev",
            "self/mounts",
            "filesystems",
        ] {
            if let Ok(text) = fs::read_to_string(format!("/proc/{file}")) {
                tree.write(format!("proc/{file}"), &text);
            }
        }
        tree.write("proc/meminfo", "MemTotal: many kB\n");
        let spoke = spoke(&format!("proc_directory: {}\n", tree.join("proc").display()));
        let body = spoke.poll();
        let document = Document::parse(&body).unwrap();
        let samples = samples(&document);
        assert!(!samples.iter().any(|sample| sample.key.starts_with("memory_")));
        assert!(samples.iter().any(|sample| sample.key == "cpu_times_user"));
        let page = String::from_utf8(http_get(spoke.port, "/").unwrap().body).unwrap();
        assert!(page.contains("meminfo") && page.contains("line 1"), "the page names the fault");
        let log = || fs::read_to_string(spoke.folder.join(format!("log/{SPOKE}.log"))).unwrap();
        wait_until("the log names it", PATIENCE, || log().contains("meminfo"));
        spoke.poll();
        spoke.poll();
        assert_eq!(log().matches("meminfo").count(), 1, "once: {}", log());
        tree.write("proc/meminfo", &fs::read_to_string("/proc/meminfo").unwrap());
        wait_until("it is well again", PATIENCE, || {
            String::from_utf8_lossy(&spoke.poll()).contains("memory_total")
        });
        spoke.daemon.stop();
    });
}
