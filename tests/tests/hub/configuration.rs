//! The files of an original, as they are: both daemons, and a batch that comes.

use std::fs;
use std::path::Path;

use pattoo_tests::{Daemon, Folder, PATIENCE, Receiver, binary, free_port, http_get, wait_until};

use crate::hub::{OURS, PROGRAM};

const SPOKE: &str = "pattoo_agent_linux_spoked";

#[test]
fn keys_at_the_top() {
    runs_from(
        "top",
        |port| {
            format!("ip_listen_address: 127.0.0.1\nip_bind_port: {port}\npolling_interval: 300\n")
        },
        |port| {
            format!(
                "polling_interval: 1\nip_devices:\n- ip_address: 127.0.0.1\n  ip_bind_port: {port}\n"
            )
        },
    );
}

#[test]
fn keys_under_the_name_of_the_program_with_their_older_names() {
    runs_from(
        "section",
        |port| format!("{SPOKE}:\n    ip_listen_address: 127.0.0.1\n    ip_bind_port: {port}\n"),
        |port| {
            format!(
                "{PROGRAM}:\n    polling_interval: 1\n    ip_targets:\n        - ip_address: 127.0.0.1\n          bind_port: {port}\n"
            )
        },
    );
}

fn runs_from(test: &str, spoke_file: fn(u16) -> String, hub_file: fn(u16) -> String) {
    let folder = Folder::new(&format!("original-{test}"));
    let server = Receiver::start(OURS);
    let port = free_port();
    let root = folder.path().display();
    folder.write(
        "etc/pattoo.yaml",
        &format!(
            "pattoo:\n  log_directory: {root}/log\n  log_level: debug\n  cache_directory: {root}/cache\n  daemon_directory: {root}/daemon\n  language: en\npattoo_agent_api:\n  ip_address: 127.0.0.1\n  ip_bind_port: {}\n",
            server.port()
        ),
    );
    let configuration = folder.join("etc");
    let daemon = |program: &str, text: String| {
        fs::write(configuration.join(format!("{program}.yaml")), text).unwrap();
        let pid_file = folder.join(Path::new("daemon/pid").join(format!("{program}.pid")));
        Daemon::new(binary(program), &configuration, pid_file)
    };
    let daemons =
        [(SPOKE, daemon(SPOKE, spoke_file(port))), (PROGRAM, daemon(PROGRAM, hub_file(port)))];
    let expect_status = |word: &str, code: i32| {
        for (program, daemon) in &daemons {
            let status = daemon.status();
            assert_eq!(
                (status.stdout, status.code),
                (format!("Daemon is {word} - {program}\n"), code)
            );
        }
    };

    expect_status("stopped", 3);
    for (_, daemon) in &daemons {
        daemon.start();
    }
    let polled = || {
        let answer = http_get(port, "/pattoo-agent-linux/300").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.head);
        assert!(String::from_utf8_lossy(&answer.body).contains("memory_total"));
    };
    polled();
    expect_status("running", 0);
    let has_figures = |from: usize| {
        wait_until("a batch with the figures of the spoke", PATIENCE, || {
            let posts = server.posts();
            posts[from..].iter().any(|post| post.samples.iter().any(|s| s.key == "memory_total"))
        });
    };
    has_figures(0);
    for (program, daemon) in &daemons {
        let before = daemon.pid();
        let restarted = daemon.run(&["--restart"]);
        assert_eq!(restarted.code, 0, "{program}: {restarted:?}");
        assert_ne!(daemon.pid(), before, "{program}");
    }
    polled();
    has_figures(server.posts().len());
    for (_, daemon) in &daemons {
        daemon.stop();
    }
    expect_status("stopped", 3);
}
