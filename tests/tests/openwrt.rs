//! What is made for OpenWrt, without an OpenWrt: the service file of procd under
//! `BusyBox`'s shell, with functions in the place of procd's that say how they were
//! called; and the recipe of the packages, with rules in the place of the SDK's.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pattoo_tests::{Finished, Folder, binary, binary_of_system, command, finish};

const PROGRAMS: [&str; 2] = ["pattoo_agent_linux_spoked", "pattoo_agent_linux_hubd"];

/// What `/etc/rc.common` does with a script of this kind.
const RC_COMMON: &str = r#"
for name in mkdir chown chmod procd_open_instance procd_set_param procd_close_instance; do
    eval "$name() { echo $name \"\$@\"; }"
done
. "$1"
echo "START=$START STOP=$STOP USE_PROCD=$USE_PROCD"
start_service
"#;

/// What the recipe wants of the SDK.
const RULES: &str =
    "INSTALL_DIR:=install -d -m0755\nINSTALL_CONF:=install -m0600\nSED:=sed -i -e\n";
const PACKAGE: &str = "define BuildPackage
all:: package-$(1)
$(file >$(OUT)/$(1).conffiles,$(Package/$(1)/conffiles))
$(file >$(OUT)/$(1).postinst,$(Package/$(1)/postinst))
package-$(1):
\tmkdir -p $(OUT)/$(1)
$(call Package/$(1)/install,$(OUT)/$(1))
endef
";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// OpenWrt's shell, or the one that is here.
fn ash() -> (PathBuf, Vec<&'static str>) {
    if let Some(busybox) = found("busybox") {
        return (busybox, vec!["ash"]);
    }
    eprintln!("SKIPPED: the shell of BusyBox: apt-get install busybox-static; sh instead");
    (binary_of_system("sh"), Vec::new())
}

/// A program of the system, if it has it.
fn found(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn in_ash(folder: &Folder, arguments: &[&str]) -> Finished {
    let (shell, mut all) = ash();
    all.extend(arguments);
    finish(command(&shell, folder.path()).args(all))
}

fn expect_done(finished: &Finished) {
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{}", finished.stdout);
}

/// The service file of a program, installed into an image.
fn service_file(folder: &Folder, program: &str, option: &str) -> PathBuf {
    let root = folder.join("root");
    fs::create_dir_all(&root).unwrap();
    let install = repository().join("scripts/install");
    let binaries = binary(program);
    let finished = in_ash(
        folder,
        &[
            install.to_str().unwrap(),
            "--files-only",
            "--init",
            "procd",
            option,
            "--root",
            root.to_str().unwrap(),
            "--from",
            binaries.parent().unwrap().to_str().unwrap(),
        ],
    );
    expect_done(&finished);
    assert!(root.join("usr/bin").join(program).is_file(), "{}", finished.stdout);
    let file = root.join("etc/init.d").join(program);
    assert!(fs::read_to_string(&file).unwrap().starts_with("#!/bin/sh /etc/rc.common\n"));
    // What this machine has there is not the test's.
    let moved = fs::read_to_string(&file)
        .unwrap()
        .replace("/etc/default/pattoo", folder.join("default").to_str().unwrap());
    fs::write(&file, moved).unwrap();
    file
}

#[test]
fn procd_is_told_what_to_run() {
    for (program, option) in PROGRAMS.into_iter().zip(["--spoke", "--hub"]) {
        let folder = Folder::new("procd");
        let file = service_file(&folder, program, option);
        let file = file.to_str().unwrap();
        expect_done(&in_ash(&folder, &["-n", file]));
        let rc_common = folder.write("rc.common", RC_COMMON);
        for (default, configuration) in
            [(None, "/etc/pattoo"), (Some("PATTOO_CONFIGDIR=/overlay/pattoo\n"), "/overlay/pattoo")]
        {
            if let Some(text) = default {
                folder.write("default", text);
            }
            let (shell, mut arguments) = ash();
            arguments.extend([rc_common.to_str().unwrap(), file]);
            let started = finish(
                command(&shell, folder.path()).env_remove("PATTOO_CONFIGDIR").args(arguments),
            );
            expect_done(&started);
            let mut expected = "START=95 STOP=10 USE_PROCD=1\n".to_owned();
            for kept in ["/var/log/pattoo", "/var/spool/pattoo", "/var/lib/pattoo"] {
                writeln!(expected, "mkdir -p {kept}").unwrap();
                writeln!(expected, "chown pattoo:pattoo {kept}").unwrap();
                writeln!(expected, "chmod 0750 {kept}").unwrap();
            }
            write!(
                expected,
                "procd_open_instance\n\
                 procd_set_param command /usr/bin/{program} --foreground\n\
                 procd_set_param env PATTOO_CONFIGDIR={configuration}\n\
                 procd_set_param user pattoo\n\
                 procd_set_param stderr 1\n\
                 procd_set_param respawn 3600 1 0\n\
                 procd_set_param no_new_privs 1\n\
                 procd_close_instance\n"
            )
            .unwrap();
            assert_eq!(started.stdout, expected);
        }
    }
}

#[test]
fn the_recipe_packs_what_each_package_says() {
    let Some(make) = found("make") else {
        eprintln!("SKIPPED: the recipe for OpenWrt: apt-get install make");
        return;
    };
    let folder = Folder::new("openwrt");
    let sdk = folder.join("sdk");
    folder.write("sdk/rules.mk", RULES);
    folder.write("sdk/include/package.mk", PACKAGE);
    // The tarball, unpacked where the recipe looks for it.
    let tarball = sdk.join("build/pattoo-1.2.3-aarch64-unknown-linux-musl");
    fs::create_dir_all(tarball.join("bin")).unwrap();
    for program in PROGRAMS {
        fs::copy(binary(program), tarball.join("bin").join(program)).unwrap();
    }
    for part in ["etc", "scripts"] {
        expect_done(&finish(
            command(&binary_of_system("cp"), folder.path())
                .arg("-r")
                .args([repository().join(part), tarball.join(part)]),
        ));
    }
    let recipe = fs::read_to_string(repository().join("packaging/openwrt/Makefile")).unwrap();
    folder.write("recipe/Makefile", &recipe.replace("@VERSION@", "1.2.3"));
    let out = folder.join("out");
    fs::create_dir_all(&out).unwrap();
    let packed = finish(command(&make, folder.path()).args([
        "-C",
        folder.join("recipe").to_str().unwrap(),
        &format!("TOPDIR={}", sdk.display()),
        &format!("INCLUDE_DIR={}", sdk.join("include").display()),
        &format!("BUILD_DIR={}", sdk.join("build").display()),
        &format!("OUT={}", out.display()),
        "ARCH=aarch64",
    ]));
    expect_done(&packed);

    for (package, files) in [
        ("pattoo-common", vec!["etc/default/pattoo", "etc/pattoo/pattoo.yaml"]),
        (
            "pattoo-spoke",
            vec![
                "etc/init.d/pattoo_agent_linux_spoked",
                "etc/pattoo/pattoo_agent_linux_spoked.yaml",
                "usr/bin/pattoo_agent_linux_spoked",
            ],
        ),
        (
            "pattoo-hub",
            vec![
                "etc/init.d/pattoo_agent_linux_hubd",
                "etc/pattoo/pattoo_agent_linux_hubd.yaml",
                "usr/bin/pattoo_agent_linux_hubd",
            ],
        ),
    ] {
        assert_eq!(files_of(&out.join(package)), files, "{package}");
        // What an upgrade is to leave alone is there.
        let kept = fs::read_to_string(out.join(format!("{package}.conffiles"))).unwrap();
        assert!(!kept.trim().is_empty(), "{package}");
        for path in kept.lines().filter(|line| !line.is_empty()) {
            assert!(out.join(package).join(path.trim_start_matches('/')).is_file(), "{path}");
        }
    }

    // In an image the folders are made, and nobody is looked for.
    let image = folder.join("image");
    let postinst = out.join("pattoo-common.postinst");
    let (shell, mut arguments) = ash();
    arguments.push(postinst.to_str().unwrap());
    expect_done(&finish(
        command(&shell, folder.path()).env("IPKG_INSTROOT", &image).args(arguments),
    ));
    for made in ["var/log/pattoo", "var/spool/pattoo", "var/lib/pattoo"] {
        assert!(image.join(made).is_dir(), "{made}");
    }
}

/// The files below a folder, by name, in order.
fn files_of(folder: &Path) -> Vec<String> {
    let listed = finish(command(&binary_of_system("find"), folder).args([
        folder.to_str().unwrap(),
        "-not",
        "-type",
        "d",
        "-printf",
        "%P\n",
    ]));
    expect_done(&listed);
    let mut files: Vec<String> = listed.stdout.lines().map(str::to_owned).collect();
    files.sort();
    files
}
