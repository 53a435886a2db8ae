//! The keys of who may ask: secrets, and networks.

use super::*;

/// A file with secrets in a folder of its own.
fn secret_file(text: &str, mode: u32) -> (TestFolder, String) {
    let folder = folder_with(&[("secret", text)]);
    let path = folder.path().join("secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn secrets_are_read_with_the_configuration_and_never_shown() {
    let text = "new 0123456789abcdef\nold fedcba9876543210\n";
    let (_folder, file) = secret_file(text, 0o640);
    let (_other, post_file) = secret_file("post 00112233445566778899\n", 0o600);
    let key = format!("secret_file: {file}\n");
    let (spoke_config, report) = spoke("", &key).expect("a secret");
    assert_eq!(spoke_config.secrets.expect("some").first().id(), "new");
    assert!(report.files.contains(&file.clone().into()), "it must be readable on SIGHUP");
    let shown = format!("  secret_file: {file} (signs with \"new\"; takes \"old\" too)");
    assert!(report.lines().contains(&shown), "{report}");
    assert!(!format!("{report} {report:?}").contains("0123456789abcdef"), "{report:?}");

    let (config, _) = hub("", &format!("{ONE_DEVICE}{key}")).expect("a secret");
    assert!(config.secrets.is_some() && config.secrets == config.post_secrets);
    let own = format!("{ONE_DEVICE}{key}post_secret_file: {post_file}\n");
    let (config, _) = hub("", &own).expect("two");
    assert_eq!(config.post_secrets.expect("its own").first().id(), "post");
    assert_eq!(config.secrets.expect("another").first().id(), "new");

    let own = format!("pattoo_api_agentd:\n  {key}");
    assert!(server(&own).expect("a secret").0.agent_api.secrets.is_some());
}

#[test]
fn a_file_of_secrets_that_cannot_be_used_is_an_error_with_its_line() {
    let (_folder, file) = secret_file("a 0123456789abcdef\n", 0o644);
    let own = format!("pattoo_api_agentd:\n  ip_bind_port: 1\n  secret_file: {file}\n");
    let error = server(&own).expect_err("the world can read it").to_string();
    assert!(error.contains(":3: pattoo_api_agentd.secret_file: "), "{error}");
    assert!(error.contains(&format!("{file}: its mode is 0644")), "{error}");
    assert!(!error.contains("0123456789abcdef"), "{error}");
    let folder = folder_with(&[("pattoo.yaml", ""), ("pattoo_server.yaml", &own)]);
    let (config, _) = ServerConfig::load_without_secrets(folder.path()).expect("not looked at");
    assert_eq!(config.agent_api.secrets, None);
    for own in ["secret_file: /nowhere/at/all\n", "secret_file: relative\n", "secret_file: 5\n"] {
        let error = spoke("", own).expect_err("no file").to_string();
        assert!(error.contains(":1: secret_file: "), "{error}");
    }
}

#[test]
fn sixteen_mebibytes_are_the_most() {
    let own = format!("{ONE_DEVICE}#{}", "x".repeat(MAX_DEVICE_FILE_BYTES));
    let error = hub(PATTOO, &own).expect_err("too large").to_string();
    assert!(error.contains("is larger than 16 MiB"), "{error}");
}

#[test]
fn networks_to_allow_are_a_list_or_one() {
    let (config, report) =
        spoke("", "allow_from:\n  - 127.0.0.1\n  - \"2001:db8::/32\"\n").expect("a list");
    assert!(config.allow_from.admits(Ipv4Addr::LOCALHOST.into()));
    assert!(!config.allow_from.admits(Ipv4Addr::new(127, 0, 0, 2).into()));
    assert!(report.to_string().contains("allow_from: 127.0.0.1/32, 2001:db8::/32\n"), "{report}");
    let (config, report) = server("pattoo_apid:\n  allow_from: 10.0.0.0/8\n").expect("a lone one");
    assert_eq!(config.web_api.allow_from.to_string(), "10.0.0.0/8");
    assert_eq!(config.agent_api.listener.allow_from.to_string(), "everywhere");
    assert!(report.to_string().contains("pattoo_api_agentd.allow_from: everywhere  (default)"));
    let (config, _) = spoke("", "").expect("nothing");
    assert!(config.allow_from.admits(Ipv4Addr::new(203, 0, 113, 9).into()));
}

#[test]
fn a_key_that_keeps_nobody_out_is_told_with_what_to_write() {
    for own in ["allow_from:\n", "allow_from: []\n", "allow_from: \"\"\n", "allow_from: ~\n"] {
        let error = spoke("", own).expect_err("it opens the door").to_string();
        assert!(error.contains(":1: allow_from: nothing stands here; name the netw"), "{error}");
        assert!(error.contains("take the key out"), "{error}");
        let error = server(&format!("pattoo_apid:\n  {own}")).expect_err("likewise").to_string();
        assert!(error.contains(":2: pattoo_apid.allow_from: nothing stands here"), "{error}");
    }
    for own in ["secret_file:\n", "secret_file: ''\n", "post_secret_file:\n"] {
        let error = hub("", &format!("{own}{ONE_DEVICE}")).expect_err("it opens the door");
        let key = own.split_once(':').expect("a key").0;
        let wanted = format!(":1: {key}: nothing stands here; name the file with the secrets");
        assert!(error.to_string().contains(&wanted), "{error}");
    }
}

#[test]
fn which_files_hold_keys_is_known() {
    let names = |files: &[(&str, &str)]| {
        let folder = folder_with(files);
        let (_, report) = ServerConfig::load(folder.path()).expect("good");
        let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        report.files_with_keys.iter().filter_map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[("pattoo.yaml", PATTOO)]), ["pattoo.yaml"]);
    for nothing in ["", "# a: b\n", "---\n", "{}\n", "store:\n  raw:\n", "store: ''\n"] {
        let files = [("pattoo.yaml", ""), ("pattoo_server.yaml", nothing)];
        assert!(names(&files).is_empty(), "{nothing:?}");
    }
    let files = [("pattoo.yaml", ""), ("pattoo_server.yaml", "store:\n  raw:\n    max_age: 9 d")];
    assert_eq!(names(&files), ["pattoo_server.yaml"]);
}

#[test]
fn what_is_no_network_is_told_with_its_line() {
    let error =
        server("pattoo_apid:\n  allow_from:\n    - 10.0.0.0/8\n    - 10.1.2.3/8\n    - 7\n")
            .expect_err("must be refused");
    let told: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{error}");
    assert!(told[0].contains("pattoo_server.yaml:4: pattoo_apid.allow_from[1]: "), "{error}");
    assert!(told[0].contains("10.0.0.0/8 is the network"), "{error}");
    assert!(
        told[1].contains("pattoo_server.yaml:5: pattoo_apid.allow_from[2]: 7 stands"),
        "{error}"
    );
}
