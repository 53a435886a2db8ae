//! Tells the compiler what `--version` says: the commit and the target.
//!
//! The commit is `PATTOO_COMMIT`, if it is set: for builds outside a clone. Else
//! a release build asks git; a debug build says that it is one, so that a new
//! commit does not build everything anew.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATTOO_COMMIT");
    let commit = env::var("PATTOO_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.unwrap_or_else(|| match env::var("PROFILE").as_deref() {
        Ok("release") => commit_of_clone().unwrap_or_else(|| "unknown".to_owned()),
        _ => "of a debug build".to_owned(),
    });
    println!("cargo::rustc-env=PATTOO_COMMIT={commit}");
    let target = env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=PATTOO_TARGET={target}");
}

/// The commit of the clone that this is built in; a source archive that was
/// unpacked inside another project's clone has none.
fn commit_of_clone() -> Option<String> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let root = here.parent()?.canonicalize().ok()?;
    let top = Path::new(&git(&root, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top != root {
        return None;
    }
    // HEAD names a branch; its log grows with every commit and switch.
    for file in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(&root, &["rev-parse", "--git-path", file])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&root, &["rev-parse", "--short=12", "HEAD"])
}

/// The line that git answers.
#[expect(clippy::disallowed_methods, reason = "this runs where it is built, not where it serves")]
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output =
        std::process::Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
