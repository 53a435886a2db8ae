//! The page: it is served with or without having been built, and browsers keep of
//! it what they may.

use std::path::{Path, PathBuf};

use pattoo_tests::{Server, http_get_with};

fn index(server: &Server) -> pattoo_tests::HttpAnswer {
    server.get("/pattoo/")
}

/// The build of the page that the program was made with, if there was one.
fn built() -> Option<PathBuf> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/web/dist");
    dist.join("index.html").is_file().then_some(dist)
}

#[test]
fn every_path_leads_to_the_page_and_none_out_of_it() {
    let server = Server::start("page");
    for path in ["/", "/pattoo"] {
        let moved = server.get(path);
        assert_eq!((moved.status, moved.header("location")), (302, Some("/pattoo/")), "{path}");
    }
    let page = index(&server);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    for path in ["/pattoo/host/web1", "/pattoo/explore", "/pattoo/../../etc/passwd"] {
        assert_eq!(server.get(path).text(), page.text(), "{path}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    for path in ["/pattoo/assets/none.js", "/pattoo/api/v1/web/none", "/pattoo/api"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    for inline in ["<style", "style=\"", "javascript:", " onload"] {
        assert!(!page.text().contains(inline), "the policy does not let {inline} work");
    }
    let editor = server.get("/igraphql");
    assert_eq!((editor.status, editor.header("cache-control")), (200, Some("no-cache")));
    assert!(editor.header("content-security-policy").unwrap().contains("script-src 'self';"));
    if built().is_some() {
        assert!(editor.text().contains("GraphQL of Pattoo"), "{}", editor.text());
    }
    if built().is_none() {
        assert!(page.text().contains("scripts/build-page"), "{}", page.text());
    }
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let Some(dist) = built() else {
        eprintln!("SKIPPED what_a_browser_has_is_not_sent_again: run scripts/build-page first");
        return;
    };
    let server = Server::start("page-kept");
    let tag = index(&server).header("etag").unwrap().to_owned();
    let again = http_get_with(server.web_port, "/pattoo/", &[("If-None-Match", &tag)]).unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));

    let mut scripts = 0;
    for entry in std::fs::read_dir(dist.join("assets")).unwrap() {
        let entry = entry.unwrap();
        let path = format!("/pattoo/assets/{}", entry.file_name().to_str().unwrap());
        let content = std::fs::read(entry.path()).unwrap();
        let plain = server.get(&path);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(plain.body == content, "{path} is the file that was built");
        let packed =
            http_get_with(server.web_port, &path, &[("Accept-Encoding", "br, gzip")]).unwrap();
        scripts += 1;
        if packed.header("content-encoding").is_none() {
            assert!(packed.body == content, "{path} is too small to be compressed");
            continue;
        }
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&packed.body[..]);
        std::io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
        assert!(unpacked == content && packed.body.len() < content.len(), "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"));
    }
    assert!(scripts > 0);
}
