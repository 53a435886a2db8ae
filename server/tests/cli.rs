//! The real `pattoo_cli`, over a store without a server and over a server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and starts programs"
)]

mod support;

use std::fmt::Write;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use pattoo_common::http_server::{Limits, Server as HttpServer};
use pattoo_server::store::{Options, Store};
use pattoo_server::translations;
use pattoo_server::web::Web;
use support::{Scratch, capture};

/// A configuration and a store, and maybe a server.
struct Site {
    server: Option<HttpServer>,
    folder: PathBuf,
    _scratch: Scratch,
}

impl Site {
    fn new(with_server: bool) -> Self {
        let scratch = Scratch::new();
        let folder = scratch.path().to_owned();
        let store = Store::open(&Options::new(folder.join("data"))).unwrap();
        translations::install(&store).unwrap();
        let document = capture("input/poll-1.json");
        let document = pattoo_common::document::Document::parse(&document).unwrap();
        pattoo_server::intake::take(&store, &document, u64::MAX).unwrap();
        let server = with_server.then(|| {
            HttpServer::start(
                HttpServer::bind("127.0.0.1", 0).unwrap(),
                Limits::server(),
                Arc::new(Web::new(Arc::new(store), Arc::default(), true)),
            )
            .unwrap()
        });
        // Without a server one that refuses, and that the kernel gives to nobody.
        let port = server.as_ref().map_or(1, |server| server.address().port());
        let quoted = |path: &Path| path.display().to_string();
        let home = quoted(&folder);
        fs::write(
            folder.join("pattoo.yaml"),
            format!(
                "pattoo:\n  log_directory: {home}\n  cache_directory: {home}\n  \
                 daemon_directory: {home}\n  system_daemon_directory: {home}\n"
            ),
        )
        .unwrap();
        let site = Self { server, folder, _scratch: scratch };
        site.look_at(port);
        site
    }

    /// Has the configuration name this port.
    fn look_at(&self, port: u16) {
        fs::write(
            self.folder.join("pattoo_server.yaml"),
            format!("pattoo_apid:\n  ip_listen_address: 127.0.0.1\n  ip_bind_port: {port}\n"),
        )
        .unwrap();
    }

    /// Exit code, stdout, stderr.
    fn run(&self, line: &[&str]) -> (i32, String, String) {
        self.run_with(line, "")
    }

    /// Likewise, with this on stdin.
    fn run_with(&self, line: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pattoo_cli"))
            .args(line)
            .env("PATTOO_CONFIGDIR", &self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who asks for no password reads nothing, and may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn good(&self, line: &[&str]) -> String {
        let (code, out, err) = self.run(line);
        assert_eq!((code, err.as_str()), (0, ""), "{line:?}");
        out
    }

    fn bad(&self, line: &[&str], code: i32, reason: &str) {
        let (found, out, err) = self.run(line);
        assert!((found, out.as_str()) == (code, "") && err.contains(reason), "{line:?}: {err}");
    }

    /// The cells of a row that has all of these, two spaces or more apart.
    fn row(&self, object: &str, cells: &[&str]) -> bool {
        let table = self.good(&["show", object]);
        table.lines().any(|line| {
            let row: Vec<&str> = line.split("  ").map(str::trim).collect();
            cells.iter().all(|cell| row.contains(cell))
        })
    }
}

fn a_day_of_an_administrator(site: &Site) {
    assert!(site.row("language", &["en", "English", "1"]));
    assert!(site.row("agent", &["1", "pattoo_agent_linux_spoked", "localhost", "Pattoo Default"]));
    assert!(site.row("key_translation", &["es", "pattoo_agent_linux_spoked_uptime", "segundos"]));
    assert!(site.row("agent_translation", &["en", "pattoo_agent_linux_hubd"]));

    site.good(&["create", "language", "--code", "fr", "--name", "Francais"]);
    site.good(&["set", "language", "--code", "fr", "--name", "Français"]);
    assert!(site.row("language", &["fr", "Français"]));
    site.bad(&["create", "language", "--code", "fr", "--name", "x"], 1, "conflict");
    site.bad(&["set", "language", "--code", "xx", "--name", "x"], 1, "no language \"xx\"");

    let made = site.good(&["create", "key_translation_group", "--name", "Mine"]);
    assert!(made.contains("idx_pair_xlate_group 2."), "{made}");
    site.good(&["set", "key_translation_group", "--idx_pair_xlate_group", "2", "--name", "Ours"]);
    assert!(site.row("key_translation_group", &["2", "Ours", "1"]));
    let nowhere = ["set", "key_translation_group", "--idx_pair_xlate_group", "9", "--name", "x"];
    site.bad(&nowhere, 1, "no such row");

    let file = site.folder.join("names.csv");
    let path = file.to_str().unwrap();
    let mut rows = "language,key,translation,units\n".to_owned();
    for number in 0..1200 {
        writeln!(rows, "fr,key{number},Clé {number},s").unwrap();
    }
    fs::write(&file, rows).unwrap();
    let import = ["import", "key_translation", "--idx_pair_xlate_group", "2", "--filename", path];
    assert!(site.good(&import).ends_with(": 1200 translations read, 1200 new, 0 changed.\n"));
    fs::write(&file, "language,key,translation,units\nfr,key7,Septième,s\nfr,key8,Clé 8,s\n")
        .unwrap();
    assert!(site.good(&import).ends_with(": 2 translations read, 0 new, 1 changed.\n"));
    assert!(site.row("key_translation", &["2", "Ours", "fr", "key7", "Septième", "s"]));
    fs::write(&file, "language,key,translation,units\nfr,a,A,\nfr,,B,\n").unwrap();
    site.bad(&import, 1, "names.csv: line 3: the key has 0 bytes");
    fs::write(&file, "language,key,translation,units\nxx,a,A,\n").unwrap();
    site.bad(&import, 1, "no language \"xx\"");
    fs::write(&file, "language,key,description\nfr,pattoo_agent_linux_spoked,Machine\n").unwrap();
    site.good(&["import", "agent_translation", "--filename", path]);
    assert!(site.row("agent_translation", &["fr", "pattoo_agent_linux_spoked", "Machine"]));
    site.bad(&["import", "agent_translation", "--filename", "/nowhere.csv"], 1, "/nowhere.csv");

    site.good(&["assign", "agent", "--idx_agent", "1", "--idx_pair_xlate_group", "2"]);
    assert!(site.row("agent", &["1", "Ours"]));
    let nobody = ["assign", "agent", "--idx_agent", "7", "--idx_pair_xlate_group", "2"];
    site.bad(&nobody, 1, "no such row");
    site.bad(
        &["assign", "agent", "--idx_agent", "1", "--idx_pair_xlate_group", "9"],
        1,
        "conflict",
    );

    site.good(&["delete", "host", "--target", "localhost"]);
    assert!(!site.row("agent", &["localhost"]));
    site.bad(&["delete", "host", "--target", "localhost"], 1, "no host localhost");
    site.bad(&["delete", "agent", "--idx_agent", "1"], 1, "no agent 1");
}

/// Users come, and from then on only who has the key of the data folder changes
/// anything.
fn users_come_and_go(site: &Site) {
    let create = ["create", "user", "--username", "ada", "--name", "Ada King Lovelace"];
    let (code, out, err) = site.run_with(&create, "right horse\n");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "User ada created, idx_user 1.\n", ""));
    assert!(site.row("user", &["1", "ada", "Ada", "King Lovelace", "1"]));
    let (code, _, err) = site.run_with(&create, "right horse\n");
    assert!(code == 1 && err.contains("there is a user ada already"), "{err}");
    site.bad(&["create", "user", "--username", "eve", "--name", "Eve"], 1, "0 bytes");
    assert!(site.run_with(&["set", "password", "--username", "ada"], "new horse").0 == 0);
    site.good(&["disable", "user", "--username", "ada"]);
    assert!(site.row("user", &["1", "ada", "0"]));
    site.good(&["enable", "user", "--username", "ada"]);
    site.bad(&["disable", "user", "--username", "eve"], 1, "no user \"eve\"");
}

#[test]
fn administration_without_a_server() {
    let site = Site::new(false);
    users_come_and_go(&site);
    a_day_of_an_administrator(&site);
}

#[test]
fn without_the_key_of_the_data_folder_a_server_with_users_is_closed() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::new(true);
    users_come_and_go(&site);
    let key = site.folder.join("data/operator.key");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(&key, "0".repeat(64)).unwrap();
    site.bad(&["show", "agent"], 1, "Run this as the user that pattood runs as");
    fs::remove_file(&key).unwrap();
    site.bad(&["disable", "user", "--username", "ada"], 1, "Sign in first");
}

#[test]
fn whoever_listens_in_the_place_of_a_stopped_server_is_told_nothing() {
    let site = Site::new(false);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    site.look_at(listener.local_addr().unwrap().port());
    let line = ["create", "user", "--username", "ada", "--name", "Ada"];
    let (code, _, error) = site.run_with(&line, "a password\na password\n");
    assert!(code == 1 && error.contains("is not pattood"), "{code}: {error}");
    let mut heard = Vec::new();
    listener.accept().unwrap().0.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"");
}

#[test]
fn administration_of_a_running_server() {
    let site = Site::new(true);
    users_come_and_go(&site);
    a_day_of_an_administrator(&site);
    assert!(site.server.is_some());
}

#[test]
fn wrong_usage_and_a_missing_store_are_told() {
    let site = Site::new(false);
    site.bad(&["show", "nothing"], 2, "show nothing: one of agent");
    assert!(site.good(&["--help"]).contains("--idx_pair_xlate_group IDX_PAIR_XLATE_GROUP"));
    fs::remove_dir_all(site.folder.join("data")).unwrap();
    site.bad(&["show", "agent"], 1, "start pattood first");
    assert!(!site.folder.join("data").exists(), "it makes no store");
    fs::remove_file(site.folder.join("pattoo.yaml")).unwrap();
    site.bad(&["show", "agent"], 2, "pattoo.yaml");
}
