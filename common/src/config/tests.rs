//! Whole folders of configuration, as the original wrote them and as people do.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use log::LevelFilter;

use super::*;
use crate::http_client::Address;
use crate::test_folder::TestFolder;

mod who_may_ask;

const PATTOO: &str = "pattoo:\n  log_directory: /tmp/log\n  cache_directory: /tmp/cache\n  \
                      daemon_directory: /tmp/daemon\n";
const ONE_DEVICE: &str = "ip_devices:\n  - ip_address: 127.0.0.1\n    ip_bind_port: 5000\n";

/// A folder of its own with these files.
fn folder_with(files: &[(&str, &str)]) -> TestFolder {
    let folder = TestFolder::new();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file is written");
    }
    folder
}

fn spoke(pattoo: &str, own: &str) -> Result<(SpokeConfig, Report), ConfigError> {
    let folder = folder_with(&[("pattoo.yaml", pattoo), ("pattoo_agent_linux_spoked.yaml", own)]);
    SpokeConfig::load(folder.path())
}

fn hub(pattoo: &str, own: &str) -> Result<(HubConfig, Report), ConfigError> {
    let folder = folder_with(&[("pattoo.yaml", pattoo), ("pattoo_agent_linux_hubd.yaml", own)]);
    HubConfig::load(folder.path())
}

fn server(own: &str) -> Result<(ServerConfig, Report), ConfigError> {
    let folder = folder_with(&[("pattoo.yaml", ""), ("pattoo_server.yaml", own)]);
    ServerConfig::load(folder.path())
}

/// The only problem of a hub's own file: line, key, message.
fn hub_problem(own: &str) -> (Option<usize>, String, String) {
    let mut error = hub(PATTOO, own).expect_err("must be refused");
    assert_eq!(error.problems.len(), 1, "{error}");
    match error.problems.remove(0) {
        Problem::Value { line, key, message, .. } => (line, key, message),
        other => panic!("another problem: {other}"),
    }
}

fn address(host: &str, port: u16) -> Address {
    Address { host: host.to_owned(), port }
}

#[test]
fn without_keys_everything_has_its_default() {
    let (config, report) = spoke("", "").expect("defaults");
    assert_eq!(config.pattoo.log_directory, Path::new("/var/log/pattoo"));
    assert_eq!(config.pattoo.system_daemon_directory, config.pattoo.daemon_directory);
    assert_eq!(config.pattoo.log_level, LevelFilter::Info);
    assert_eq!(config.pattoo.language, "en");
    assert_eq!(config.ip_listen_address, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    assert_eq!((config.ip_bind_port, config.workers, config.hostname), (5000, 2, None));
    assert_eq!(config.proc_directory, Path::new("/proc"));
    assert!(report.entries.iter().all(|entry| entry.origin == Origin::Default));
    assert_eq!(report.warnings, []);

    let (config, _) = hub("", ONE_DEVICE).expect("defaults");
    assert_eq!(config.agent_api, AgentApi { ip_address: "localhost".into(), ip_bind_port: 20201 });
    assert_eq!(config.polling_interval, Duration::from_mins(5));
    assert_eq!(config.poll_timeout, Duration::from_secs(10));
    assert_eq!((config.post_mode, config.spool), (PostMode::Auto, SpoolMode::Always));
    assert_eq!((config.max_batch_bytes, config.max_threads), (8 << 20, 1_024));
    assert_eq!((config.spool_max_bytes, config.spool_min_free_bytes), (256 << 20, None));
    assert_eq!(config.spool_max_age, Duration::from_hours(7 * 24));
}

#[test]
fn keys_at_the_top_and_keys_in_a_section_are_the_same() {
    let keys = "ip_listen_address: \"0::\"\nip_bind_port: '5001'\n";
    let in_section =
        "pattoo_agent_linux_spoked:\n  ip_listen_address: \"0::\"\n  ip_bind_port: '5001'\n";
    let (top, _) = spoke(PATTOO, keys).expect("keys at the top");
    let (section, _) = spoke(PATTOO, in_section).expect("keys in a section");
    assert_eq!(top, section);
    assert_eq!(top.ip_bind_port, 5001);
    assert_eq!(top.ip_listen_address.to_string(), "::");
}

#[test]
fn the_other_names_of_the_original_are_read() {
    let old = "ip_targets:\n- ip_address: web1\n  bind_port: 5001\n- {ip_address: '::1'}\n";
    let (config, report) = hub(PATTOO, old).expect("an old file");
    assert_eq!(config.ip_devices, [address("web1", 5001), address("::1", 5000)]);
    assert_eq!(report.warnings, []);
    let both = format!("{ONE_DEVICE}{old}");
    let (config, report) = hub(PATTOO, &both).expect("both names");
    assert_eq!(config.ip_devices, [address("127.0.0.1", 5000)]);
    assert_eq!(report.warnings[0].line, Some(4));
    assert!(report.warnings[0].message.contains("`ip_devices` is given too"));
}

/// The shape that the original's setup script wrote, with a host that is one.
#[test]
fn a_lone_device_is_a_list_of_one() {
    let own = "ip_targets:\n  ip_address: 127.0.0.1\n  ip_bind_port: 5000\npolling_interval: 300\n";
    assert_eq!(hub(PATTOO, own).expect("one").0.ip_devices, [address("127.0.0.1", 5000)]);
    let (line, key, _) =
        hub_problem("ip_targets:\n  ip_bind_port: 5000\n  ip_address: '127:0.0.1'\n");
    assert_eq!((line, key.as_str()), (Some(3), "ip_targets[0].ip_address"));
}

/// The folder that the unit tests of the original's last release wrote.
#[test]
fn the_folder_of_the_original_loads_without_a_warning() {
    let api = "pattoo_agent_api:\n  ip_address: 127.0.0.11\n  ip_bind_port: 50001\n";
    let pattoo = "pattoo:\n  cache_directory: /tmp/a\n  daemon_directory: /tmp/b\n  language: abc\n  \
                  log_directory: /tmp/c\n  log_level: debug\n\
                  pattoo_web_api:\n  ip_address: 127.0.0.12\n  ip_bind_port: 50002\n";
    let folder = folder_with(&[
        ("pattoo.yaml", pattoo),
        ("pattoo_agent.yaml", api),
        ("pattoo_agent_linux_autonomousd.yaml", "polling_interval: 80\n"),
        (
            "pattoo_agent_linux_spoked.yaml",
            "ip_bind_port: 5000\nip_listen_address: 127.0.0.1\npolling_interval: 300\n",
        ),
        (
            "pattoo_agent_linux_hubd.yaml",
            "ip_targets:\n- ip_address: 127.0.0.1\n  ip_bind_port: 5000\npolling_interval: 98\n",
        ),
    ]);
    let (config, report) = SpokeConfig::load(folder.path()).expect("the spoke's");
    let text = report.to_string();
    assert!(text.contains("  pattoo_web_api: not used by this program\n"), "{text}");
    assert!(text.contains("  polling_interval: not used by this program\n"), "{text}");
    assert_eq!((config.pattoo.log_level, report.warnings), (LevelFilter::Debug, vec![]));
    let (config, report) = HubConfig::load(folder.path()).expect("the hub's");
    assert_eq!(config.agent_api.address(), address("127.0.0.11", 50001));
    assert_eq!(config.polling_interval, Duration::from_secs(98));
    assert_eq!(report.warnings, []);
}

/// The template of the first releases, before `pattoo` and `pattoo_agent_api`.
#[test]
fn the_sections_of_the_first_releases_are_read() {
    let pattoo = "main:\n\n    log_level: debug\n    daemon_directory: /tmp/daemon\n\n\
                  polling:\n    polling_interval: 300\n    ip_address: ::1\n    ip_bind_port: 20201\n";
    let (config, report) = hub(pattoo, ONE_DEVICE).expect("the old sections");
    assert_eq!(config.pattoo.daemon_directory, Path::new("/tmp/daemon"));
    assert_eq!(config.agent_api.address(), address("::1", 20201));
    assert_eq!(report.warnings.len(), 1, "{report}");
    assert!(report.warnings[0].message.starts_with("polling.polling_interval: "));
    let remote = "remote_api:\n  api_ip_address: 192.168.1.100\n  api_ip_bind_port: 6000\n";
    let (config, _) = hub(remote, ONE_DEVICE).expect("the oldest section");
    assert_eq!(config.agent_api.address(), address("192.168.1.100", 6000));
}

#[test]
fn the_agent_file_wins() {
    let pattoo = format!("{PATTOO}pattoo_agent_api:\n  ip_address: first\n");
    let folder = folder_with(&[
        ("pattoo.yaml", &pattoo),
        ("pattoo_agent.yaml", "pattoo_agent_api:\n  ip_address: second\n"),
        ("pattoo_agent_linux_hubd.yaml", ONE_DEVICE),
    ]);
    let (config, report) = HubConfig::load(folder.path()).expect("both");
    assert_eq!(config.agent_api.ip_address, "second");
    assert_eq!(report.warnings[0].line, Some(5));
    fs::remove_file(folder.path().join("pattoo_agent.yaml")).expect("removed");
    assert_eq!(HubConfig::load(folder.path()).expect("one").0.agent_api.ip_address, "first");
}

#[test]
fn log_levels_of_the_original_and_ours() {
    for (word, level) in [
        ("DEBUG", LevelFilter::Debug),
        ("warning", LevelFilter::Warn),
        ("critical", LevelFilter::Error),
        ("trace", LevelFilter::Trace),
    ] {
        let pattoo = format!("pattoo:\n  log_level: {word}\n");
        assert_eq!(spoke(&pattoo, "").expect(word).0.pattoo.log_level, level);
    }
    let error = spoke("pattoo:\n  log_level: loud\n", "").expect_err("refused").to_string();
    assert!(error.contains("pattoo.yaml:2: pattoo.log_level: \"loud\" stands here; wanted one of"));
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let own = "ip_listen_addres: 127.0.0.1\n\nport: 5000\n";
    let (config, report) = spoke(PATTOO, own).expect("unknown keys do no harm");
    assert_eq!(config.ip_listen_address, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let lines: Vec<_> = report.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [Some(1), Some(3)]);
    let text = report.warnings[0].to_string();
    assert!(
        text.contains("ip_listen_addres: this key is not known; was `ip_listen_address` meant?")
    );
    assert!(report.warnings[1].message.contains("not known here"));
}

#[test]
fn a_hub_without_devices_is_told_what_to_add() {
    for own in ["", "ip_devices:\n", "ip_devices: []\n", "pattoo_agent_linux_hubd:\n"] {
        let (_, key, message) = hub_problem(own);
        assert_eq!(key, "ip_devices", "{own:?}");
        assert!(message.contains("- ip_address: 127.0.0.1"), "{message}");
    }
    let error = hub(PATTOO, "ip_devises:\n- ip_address: a\n").expect_err("misspelt").to_string();
    assert!(error.contains("was `ip_devices` meant?"), "{error}");
}

#[test]
fn values_that_are_not_what_was_wanted() {
    let of = |text: &str| hub_problem(&format!("{ONE_DEVICE}{text}\n"));
    for text in [
        "polling_interval: 0",
        "polling_interval: 86401",
        "polling_interval: -300",
        "polling_interval: 010",
        "polling_interval: soon",
        "post_mode: sometimes",
        "max_batch_bytes: 1",
        "poll_timeout: 0",
        "max_threads: 0",
        "spool: never",
        "spool_max_age: 1",
        "hostname: a b",
        "hostname: 12",
    ] {
        let (line, key, message) = of(text);
        assert_eq!((line, text.starts_with(&key)), (Some(4), true), "{text}: {key}");
        assert!(message.contains("wanted"), "{message}");
    }
    for port in ["0", "65536", "-1", "a", "1.5", "010", "[1]", "99999999999999999999999999999"] {
        let own = format!("ip_devices:\n  - ip_address: a\n\n    ip_bind_port: {port}\n");
        let (line, key, message) = hub_problem(&own);
        assert_eq!((line, key.as_str()), (Some(4), "ip_devices[0].ip_bind_port"));
        assert!(message.ends_with("wanted a port from 1 to 65535"), "{message}");
    }
    let (line, key, message) = hub_problem("ip_devices:\n  - ip_address: a\n  - ip_bind_port: 1\n");
    assert_eq!((line, key.as_str()), (Some(3), "ip_devices[1].ip_address"));
    assert!(message.starts_with("it is missing"), "{message}");
    assert_eq!(hub_problem("ip_devices:\n- a\n").0, Some(2));
    assert_eq!(hub_problem("ip_devices: 7\n").0, Some(1));
    assert_eq!(hub_problem("- a\n- b\n").1, "");
}

#[test]
fn all_problems_are_told_at_once() {
    let error = hub(
        "pattoo:\n  log_directory: log\n",
        "ip_devices:\n- ip_address: a b\n- ip_address: a\n  ip_bind_port: 0\n",
    );
    let error = error.expect_err("three problems");
    assert_eq!(error.problems.len(), 3, "{error}");
    assert_eq!(error.to_string().lines().count(), 3);
}

#[test]
fn a_file_that_cannot_be_used_is_told_once() {
    let missing = folder_with(&[]);
    let error = HubConfig::load(missing.path()).expect_err("no pattoo.yaml");
    assert!(error.to_string().contains("pattoo.yaml: this file is missing"), "{error}");

    let error = spoke("pattoo:\n  a: 1\n b: 2\n", "").expect_err("no YAML");
    assert!(matches!(&error.problems[..], [Problem::Syntax { line: Some(3), .. }]), "{error}");

    let twice = "ip_bind_port: 1\n\nip_bind_port: 2\n";
    let error = spoke(PATTOO, twice).expect_err("a key twice");
    assert!(matches!(&error.problems[..], [Problem::Syntax { line: Some(3), .. }]), "{error}");

    let error = spoke(&format!("#{}", "x".repeat(MAX_FILE_BYTES)), "").expect_err("too large");
    assert!(error.to_string().contains("is larger than 64 KiB"), "{error}");

    let folder = folder_with(&[]);
    fs::write(folder.path().join("pattoo.yaml"), b"a: 1\nb: \xff\n").expect("written");
    let error = SpokeConfig::load(folder.path()).expect_err("no UTF-8");
    assert!(matches!(&error.problems[..], [Problem::Syntax { line: Some(2), .. }]), "{error}");

    let folder = folder_with(&[]);
    fs::create_dir(folder.path().join("pattoo.yaml")).expect("a folder");
    let error = SpokeConfig::load(folder.path()).expect_err("a folder");
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn a_file_of_exactly_the_limit_is_read() {
    let text = format!("#{}", "x".repeat(MAX_FILE_BYTES - 1));
    assert!(spoke(&text, "").is_ok());
}

#[test]
fn devices_that_stand_twice_are_polled_once() {
    let own =
        "ip_devices:\n- ip_address: a\n- ip_address: b\n- {ip_address: a, ip_bind_port: 5000}\n";
    let (config, report) = hub(PATTOO, own).expect("a warning only");
    assert_eq!(config.ip_devices, [address("a", 5000), address("b", 5000)]);
    assert_eq!(report.warnings[0].line, Some(4));
}

#[test]
fn the_time_of_a_poll_stays_below_the_interval() {
    let (config, report) = hub(PATTOO, &format!("{ONE_DEVICE}polling_interval: 5\n")).expect("5 s");
    assert_eq!(config.poll_timeout, Duration::from_secs(4));
    assert_eq!(report.warnings, []);
    let own = format!("{ONE_DEVICE}polling_interval: 1\npoll_timeout: 30\n");
    let (config, report) = hub(PATTOO, &own).expect("1 s");
    assert_eq!(config.poll_timeout, Duration::from_millis(800));
    assert_eq!(report.warnings[0].line, Some(5));
}

#[test]
fn a_batch_fits_into_the_spool() {
    let own = format!("{ONE_DEVICE}spool_max_bytes: 2 MiB\n");
    let (config, report) = hub(PATTOO, &own).expect("a small spool");
    assert_eq!((config.max_batch_bytes, config.spool_max_bytes), (2 << 20, 2 << 20));
    assert_eq!(report.warnings, []);
    let (config, report) = hub(PATTOO, &format!("{own}max_batch_bytes: 3 MiB\n")).expect("less");
    assert_eq!(config.max_batch_bytes, 2 << 20);
    assert_eq!(report.warnings[0].line, Some(5));
}

/// The file of a hub with many devices.
fn long_list(devices: usize) -> String {
    let mut own = String::from("ip_devices:\n");
    for number in 0..devices {
        let (high, low) = (number / 256, number % 256);
        writeln!(own, "  - ip_address: 10.0.{high}.{low}\n    ip_bind_port: 5000").expect("text");
    }
    own
}

#[test]
fn ten_thousand_devices_load_and_are_not_listed_one_by_one() {
    let (config, report) = hub(PATTOO, &long_list(10_000)).expect("a long list");
    assert_eq!(config.ip_devices.len(), 10_000);
    assert_eq!(config.ip_devices[9_999], address("10.0.39.15", 5000));
    let listed = report.entries.iter().filter(|entry| entry.key.starts_with("ip_devices"));
    assert_eq!(listed.count(), 1);
}

#[test]
fn the_same_fault_in_every_device_is_counted() {
    let own = long_list(500);
    let misspelt = own.replace("ip_bind_port", "ip_bind_prot");
    let (_, report) = hub(PATTOO, &misspelt).expect("warnings only");
    assert_eq!(report.warnings.len(), 20);
    assert_eq!(report.warnings[19].line, Some(41));
    assert!(report.warnings[19].message.ends_with("(and 480 more warnings)"));
    let error = hub(PATTOO, &own.replace("5000", "0")).expect_err("ports of 0");
    assert_eq!((error.problems.len(), error.more_problems), (20, 480));
    assert!(error.to_string().ends_with("... and 480 more of such problems"));
}

#[test]
fn the_report_tells_values_and_where_they_are_from() {
    let (_, report) = hub(PATTOO, &format!("{ONE_DEVICE}spool_max_age: 2 d\n")).expect("a hub");
    let text = report.to_string();
    assert!(text.contains("  pattoo.log_directory: /tmp/log\n"), "{text}");
    assert!(text.contains("  pattoo.log_level: info  (default)\n"), "{text}");
    assert!(text.contains("  ip_devices: 1 in a list\n"), "{text}");
    assert!(text.contains("  spool_max_age: 172800 s\n"), "{text}");
    assert!(text.contains("  max_batch_bytes: 8 MiB  (default)\n"), "{text}");
    assert!(text.contains("pattoo_agent_linux_hubd.yaml\n"), "{text}");
}

#[test]
fn the_folder_is_named_or_is_the_usual_one() {
    let folder = folder_with(&[]);
    let nowhere = folder.path().join("nowhere");
    let named = |path: &Path| Some(path.as_os_str().to_owned());
    assert_eq!(folder_of(named(folder.path()), &nowhere).expect("named"), folder.path());
    assert_eq!(folder_of(None, folder.path()).expect("usual"), folder.path());
    assert_eq!(folder_of(Some(OsString::new()), folder.path()).expect("empty"), folder.path());
    let error = folder_of(None, &nowhere).expect_err("neither").to_string();
    assert!(error.contains("PATTOO_CONFIGDIR is not set"), "{error}");
    let error = folder_of(named(&nowhere), folder.path()).expect_err("wrong").to_string();
    assert!(error.contains("nowhere, which is no folder"), "{error}");
    let odd = OsString::from_vec(vec![0xff]);
    assert!(folder_of(Some(odd), folder.path()).is_err());
}

/// The samples in `etc/` are what people begin with: they load, they name every
/// key, and what they name is the default.
#[test]
fn the_samples_are_the_defaults() {
    let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc");
    let (config, report) = SpokeConfig::load(&etc).expect("the spoke's samples");
    assert_eq!(report.warnings, []);
    assert_eq!(config, spoke("", "").expect("the defaults").0);
    assert_named(&report);
    let (config, report) = HubConfig::load(&etc).expect("the hub's samples");
    assert_eq!(report.warnings, []);
    assert_eq!(config, hub("", ONE_DEVICE).expect("the defaults").0);
    assert_named(&report);
    let (config, report) = ServerConfig::load(&etc).expect("the server's samples");
    assert_eq!(report.warnings, []);
    assert_eq!(config, server("").expect("the defaults").0);
    assert_named(&report);
}

/// Every key that was read stands in its file, were it only as a comment.
fn assert_named(report: &Report) {
    for entry in &report.entries {
        let name = entry.key.rsplit('.').next().expect("a name");
        let text = fs::read_to_string(&entry.file).unwrap_or_default();
        let named = text.contains(&format!("{name}:"));
        assert!(named, "{name} is not in {}", entry.file.display());
    }
}

#[test]
fn a_server_reads_the_originals_file_and_says_what_is_wrong_in_its_own() {
    let original = "pattoo_api_agentd:\n  ip_bind_port: 30201\n  ip_listen_address: localhost\n\
                    pattoo_apid:\n  ip_bind_port: 30202\n\
                    pattoo_ingesterd:\n  ingester_interval: 3600\n\
                    pattoo_db:\n  db_name: pattoo\n";
    let (config, report) = server(original).expect("the original's file");
    assert_eq!(report.warnings, []);
    assert_eq!(config.agent_api.listener.ip_bind_port, 30201);
    assert_eq!(config.agent_api.listener.ip_listen_address, IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(config.web_api.ip_bind_port, 30202);
    assert_eq!(config.store.directory, Path::new("/var/lib/pattoo/data"));

    let (config, _) = server("store:\n  raw:\n    max_age: 7 d\n    max_bytes: 2 GiB\n").unwrap();
    let week = KeepConfig { max_age: Duration::from_hours(7 * 24), max_bytes: Some(2 << 30) };
    assert_eq!(config.store.raw, week);

    let error = server("store:\n  raw:\n    max_age: 3 h\n").expect_err("less than a day");
    assert!(error.to_string().contains("store.raw.max_age"), "{error}");
    let (_, report) = server("store:\n  directroy: /x\n").expect("unknown keys do no harm");
    assert!(report.warnings[0].message.contains("`directory`"), "{:?}", report.warnings);
}
