//! Whether a page of another site sent a request: such a one may change nothing,
//! whatever the browser sends along with it.

use pattoo_common::http_server::Request;

/// Whether the browser says, or its headers show, that another site is behind it.
/// What is no browser says nothing of it.
pub fn is_cross_site(request: &Request) -> bool {
    // Browsers tell this over https, and to this machine itself.
    match request.header("sec-fetch-site") {
        Some(site) if site.eq_ignore_ascii_case("same-origin") => return false,
        // `none`: typed by a person, which no POST is.
        Some(_) => return true,
        None => {}
    }
    let Some(origin) = request.header("origin") else { return false };
    let host = request.header("host").unwrap_or_default();
    let named = origin.split_once("://").map(|(_, rest)| rest);
    // The origin of a page without one is `null`.
    named.is_none_or(|named| !named.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::http_server::Method;

    fn judged(headers: &[(&str, &str)]) -> bool {
        is_cross_site(&Request {
            method: Method::Post,
            path: "/".to_owned(),
            query: None,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: Vec::new(),
            peer: ([127, 0, 0, 1], 1).into(),
        })
    }

    #[test]
    fn pages_of_other_sites_are_told_from_our_own() {
        let host = ("Host", "hub:20202");
        assert!(!judged(&[host]), "no browser");
        assert!(!judged(&[host, ("Origin", "http://hub:20202")]));
        assert!(!judged(&[host, ("Origin", "https://proxy"), ("Sec-Fetch-Site", "same-origin")]));
        for origin in ["http://hub", "http://evil:20202", "null", "http://hub:20202.evil", ""] {
            assert!(judged(&[host, ("Origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert!(judged(&[host, ("Origin", "http://hub:20202"), ("Sec-Fetch-Site", site)]));
        }
        assert!(judged(&[("Origin", "http://hub:20202")]), "no host");
    }
}
