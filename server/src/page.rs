//! The page where people look: the files that `server/web` was built to, out of
//! this program, at `/pattoo/`. The page finds its own way by the path, so every
//! path that is no file leads to `index.html`.

use std::io::Read;

use flate2::read::GzDecoder;
use pattoo_common::http_server::{Answer, Request, error, with_header};

/// Where the page is.
pub const PATH: &str = "/pattoo/";
/// Where queries can be tried: a page of its own.
pub const EDITOR_PATH: &str = "/igraphql";
/// What has another answer than the page, all below [`PATH`].
const API: &str = "/pattoo/api";
/// Files whose names tell their content, so that they may be kept for ever.
const ASSETS: &str = "assets/";
const INDEX: &str = "index.html";
const EDITOR: &str = "igraphql/index.html";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The page loads nothing from elsewhere, runs nothing that stands in its HTML,
/// and stands in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// The editor of queries brings styles that it writes itself.
const EDITOR_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What stands there where the page was not built.
const WITHOUT_PAGE: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n",
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Pattoo</title>\n",
    "<h1>This pattood was built without its page</h1>\n",
    "<p>It takes and answers all the same: GraphQL is at ",
    "<code>/pattoo/api/v1/web/graphql</code>.\n",
    "<p>To have the page, build it with Node 18 or newer and npm, then the program, in a clone of ",
    "the source:\n<pre>scripts/build-page\ncargo build --release</pre>\n</html>\n"
);

/// A file of the page.
struct File {
    /// Its path below [`PATH`].
    name: &'static str,
    /// The beginning of its digest.
    tag: &'static str,
    /// Whether it is compressed with gzip.
    packed: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// Whether a path is the page's.
pub fn is_page(path: &str) -> bool {
    let is_api = path == API || path.starts_with(&format!("{API}/"));
    is_editor(path)
        || ["/", PATH.trim_end_matches('/')].contains(&path)
        || (path.starts_with(PATH) && !is_api)
}

fn is_editor(path: &str) -> bool {
    path.trim_end_matches('/') == EDITOR_PATH
}

/// The answer to a GET or HEAD of a path for which [`is_page`] holds.
pub fn answer(request: &Request) -> Answer {
    if is_editor(&request.path) {
        return guarded(found(find(FILES, EDITOR), request), EDITOR_POLICY);
    }
    let Some(name) = request.path.strip_prefix(PATH) else {
        let moved = Answer::from_data([]).with_status_code(302);
        return guarded(with_header(moved, "Location", PATH), POLICY);
    };
    guarded(found(find(FILES, name), request), POLICY)
}

fn found(found: Found<'static>, request: &Request) -> Answer {
    match found {
        Found::File(file) => send(file, request),
        Found::Nothing => error(404, "the page has no such file"),
        Found::NotBuilt => {
            let answer = with_header(Answer::from_data(WITHOUT_PAGE), "Cache-Control", ASK_AGAIN);
            with_header(answer, "Content-Type", kind(INDEX))
        }
    }
}

#[derive(Clone, Copy)]
enum Found<'f> {
    File(&'f File),
    Nothing,
    NotBuilt,
}

fn find<'f>(files: &'f [File], name: &str) -> Found<'f> {
    let named = |name: &str| files.iter().find(|file| file.name == name);
    match named(name).or_else(|| if name.starts_with(ASSETS) { None } else { named(INDEX) }) {
        Some(file) => Found::File(file),
        None if name.starts_with(ASSETS) => Found::Nothing,
        None => Found::NotBuilt,
    }
}

fn send(file: &'static File, request: &Request) -> Answer {
    let packed = file.packed && takes_gzip(request.header("accept-encoding").unwrap_or_default());
    // Two forms of one file are two things to a cache.
    let tag = format!("\"{}{}\"", file.tag, if packed { "-gz" } else { "" });
    let known = request.header("if-none-match").is_some_and(|known| is_among(&tag, known));
    let mut answer = if known {
        Answer::from_data([]).with_status_code(304)
    } else if packed || !file.packed {
        with_header(Answer::from_data(file.bytes), "Content-Type", kind(file.name))
    } else {
        match unpacked(file.bytes) {
            Ok(bytes) => with_header(Answer::from_data(bytes), "Content-Type", kind(file.name)),
            Err(fault) => return error(500, &format!("{}: {fault}", file.name)),
        }
    };
    if packed && !known {
        answer = with_header(answer, "Content-Encoding", "gzip");
    }
    let keep = if file.name.starts_with(ASSETS) { FOR_EVER } else { ASK_AGAIN };
    for (name, value) in [("Cache-Control", keep), ("ETag", &tag), ("Vary", "Accept-Encoding")] {
        answer = with_header(answer, name, value);
    }
    answer
}

/// For the few who take no gzip.
fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    // Our own file, made when the program was built: its size is bounded.
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

fn guarded(mut answer: Answer, policy: &str) -> Answer {
    for (name, value) in [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ] {
        answer = with_header(answer, name, value);
    }
    answer
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).
fn takes_gzip(accepted: &str) -> bool {
    let weight = |wanted: &str| {
        accepted.split(',').find_map(|item| {
            let (name, rest) = item.split_once(';').unwrap_or((item, ""));
            let quality = rest.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
            name.trim().eq_ignore_ascii_case(wanted).then(|| quality.unwrap_or(0.0))
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether a tag is in `If-None-Match`.
fn is_among(tag: &str, known: &str) -> bool {
    known.split(',').map(str::trim).any(|item| item == "*" || item.trim_start_matches("W/") == tag)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::http_server::Method;

    static TWO: [File; 2] = [
        // gzip of "hello hello hello hello\n" is longer, so it is kept as it is.
        File { name: "assets/a-1.js", tag: "aa", packed: false, bytes: b"js" },
        File { name: INDEX, tag: "bb", packed: false, bytes: b"<!doctype html>" },
    ];

    fn request(headers: &[(&str, &str)]) -> Request {
        Request {
            method: Method::Get,
            path: PATH.to_owned(),
            query: None,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: Vec::new(),
            peer: ([127, 0, 0, 1], 1).into(),
        }
    }

    fn header(answer: &Answer, name: &'static str) -> Option<String> {
        let found = answer.headers().iter().find(|header| header.field.equiv(name))?;
        Some(found.value.to_string())
    }

    #[test]
    fn paths_of_the_page_and_of_others() {
        for path in ["/", "/pattoo", "/pattoo/", "/pattoo/host/a", "/pattoo/apiary", "/igraphql"] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/pattoo/api", "/pattoo/api/v1/x", "/healthz", "/pattoox", "/igraphqlx", ""] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn every_path_is_the_page_but_those_of_files() {
        let name = |name: &str| match find(&TWO, name) {
            Found::File(file) => file.name,
            Found::Nothing => "nothing",
            Found::NotBuilt => "not built",
        };
        assert_eq!(name(""), INDEX);
        assert_eq!(name("host/web1"), INDEX);
        assert_eq!(name("assets/a-1.js"), "assets/a-1.js");
        assert_eq!(name("assets/a-0.js"), "nothing");
        assert!(matches!(find(&[], "host/web1"), Found::NotBuilt));
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let fresh = send(&TWO[1], &request(&[]));
        let tag = header(&fresh, "ETag").unwrap();
        assert_eq!(header(&fresh, "Cache-Control").as_deref(), Some(ASK_AGAIN));
        let known = send(&TWO[1], &request(&[("If-None-Match", &format!("\"x\", W/{tag}"))]));
        assert_eq!((known.status_code().0, known.data_length()), (304, Some(0)));
        assert_eq!(header(&known, "ETag"), Some(tag));
        let asset = send(&TWO[0], &request(&[("If-None-Match", "\"x\"")]));
        assert_eq!(asset.status_code().0, 200);
        assert_eq!(header(&asset, "Cache-Control").as_deref(), Some(FOR_EVER));
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for yes in ["gzip", "br, gzip;q=0.5", "*", "GZIP", "deflate, *;q=0.1"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "*, gzip; q=0", "gzip;q=x"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }
}
