//! What `--version` says.

/// A program of ours: its version, the commit that it was built from, and the
/// kind of machine that it was built for.
pub fn line(program: &str) -> String {
    format!(
        "{program} {} (commit {}, {})",
        env!("CARGO_PKG_VERSION"),
        env!("PATTOO_COMMIT"),
        env!("PATTOO_TARGET")
    )
}
