//! Takes the page that Node has built (`web/dist`, see `scripts/build-page`) into
//! the program: every file in order of its name, compressed, and named by what is
//! in it. Where it was not built the program has no files, and says so itself.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Bytes of the digest that name a file's content.
const TAG_BYTES: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let web = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("web");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let dist = web.join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.is_dir() {
        println!("cargo::rerun-if-changed={}", dist.display());
        find(&dist, &mut files)?;
    } else {
        // What is not there cannot be watched: its folder tells when it comes.
        println!("cargo::rerun-if-changed={}", web.display());
    }
    files.sort();
    let mut source = String::from("static FILES: &[File] = &[\n");
    for (number, path) in files.iter().enumerate() {
        let content = fs::read(path)?;
        let name = path.strip_prefix(&dist)?.to_str().ok_or("a file name is not UTF-8")?;
        let (packed, kept) = kept(&content)?;
        let stored = format!("page-{number}");
        fs::write(out.join(&stored), kept)?;
        let mut tag = String::new();
        for byte in &Sha256::digest(&content)[..TAG_BYTES] {
            write!(tag, "{byte:02x}")?;
        }
        writeln!(
            source,
            "    File {{ name: {name:?}, tag: {tag:?}, packed: {packed}, bytes: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{stored}\")) }},"
        )?;
    }
    source.push_str("];\n");
    fs::write(out.join("page_files.rs"), source)?;
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The content compressed, where that makes it smaller; else as it is.
fn kept(content: &[u8]) -> Result<(bool, Vec<u8>), Box<dyn Error>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let packed = gzip.finish()?;
    if packed.len() < content.len() { Ok((true, packed)) } else { Ok((false, content.to_vec())) }
}
