//! What the spoke answers to which request.

use std::sync::Arc;

use pattoo_common::http_server::{Answer, Handler, Method, Request, error, json, with_header};

use crate::machine::{Machine, PollAnswer};
use crate::source::Poll;

/// What all polls begin with; the seconds of the interval follow.
const POLL_PATH: &str = "/pattoo-agent-linux/";
/// The longest interval that a poll may name: a day.
const MAX_INTERVAL_S: u32 = 86_400;
/// The interval of the status page, which has none.
const PAGE_INTERVAL_S: u32 = 0;
/// The page runs nothing and loads nothing.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The routes of the spoke.
pub(crate) struct Routes(pub(crate) Arc<Machine>);

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    /// The poll document for this interval, in seconds.
    Poll(u32),
    /// The status page.
    Page,
    /// `*`, the spoke as a whole, of which only `OPTIONS` asks.
    Spoke,
    /// Nothing, for this reason.
    Nowhere(String),
}

impl Handler for Routes {
    fn answer(&self, request: &Request) -> Answer {
        let route = route(&request.path);
        let client = request.peer.ip();
        match (&route, &request.method) {
            (Route::Nowhere(reason), _) => error(404, reason),
            (Route::Poll(interval_s), Method::Get | Method::Head) => {
                match self.0.document(Poll { client, interval_s: *interval_s }) {
                    Ok(answer) => poll_answer(answer),
                    Err(busy) => error(503, &busy.to_string()),
                }
            }
            (Route::Page, Method::Get | Method::Head) => {
                match self.0.page(Poll { client, interval_s: PAGE_INTERVAL_S }) {
                    Ok(page) => page_answer(page),
                    Err(busy) => error(503, &busy.to_string()),
                }
            }
            (_, Method::Options) => {
                with_header(Answer::from_data([]), "Allow", "GET, HEAD, OPTIONS")
            }
            (_, method) => with_header(
                error(405, &format!("{method} is not taken here: GET, HEAD or OPTIONS")),
                "Allow",
                "GET, HEAD, OPTIONS",
            ),
        }
    }
}

fn route(path: &str) -> Route {
    match path {
        "/" => return Route::Page,
        "*" => return Route::Spoke,
        _ => {}
    }
    let Some(seconds) = path.strip_prefix(POLL_PATH) else {
        return Route::Nowhere(format!(
            "nothing is here: {POLL_PATH}<seconds> has the figures, / the status page"
        ));
    };
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    match seconds.parse() {
        Ok(interval_s @ 1..=MAX_INTERVAL_S) if digits => Route::Poll(interval_s),
        _ => Route::Nowhere(format!(
            "the interval is a whole number of seconds, 1 to {MAX_INTERVAL_S}: {POLL_PATH}300"
        )),
    }
}

fn poll_answer(answer: PollAnswer) -> Answer {
    let json = json(200, answer.document);
    if answer.left_out == 0 {
        return json;
    }
    with_header(json, "Pattoo-Left-Out", &answer.left_out.to_string())
}

fn page_answer(page: String) -> Answer {
    let answer = Answer::from_data(page);
    let answer = with_header(answer, "Content-Type", "text/html; charset=utf-8");
    let answer = with_header(answer, "Content-Security-Policy", PAGE_POLICY);
    with_header(answer, "Cache-Control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_whole_seconds_of_at_most_a_day() {
        assert_eq!(route("/"), Route::Page);
        assert_eq!(route("/pattoo-agent-linux/300"), Route::Poll(300));
        assert_eq!(route("/pattoo-agent-linux/007"), Route::Poll(7));
        assert_eq!(route("/pattoo-agent-linux/86400"), Route::Poll(86_400));
        for path in [
            "/pattoo-agent-linux/0",
            "/pattoo-agent-linux/86401",
            "/pattoo-agent-linux/",
            "/pattoo-agent-linux/-5",
            "/pattoo-agent-linux/+5",
            "/pattoo-agent-linux/1.5",
            "/pattoo-agent-linux/300/",
            "/pattoo-agent-linux/99999999999",
            "/abc",
            "//",
            "",
        ] {
            assert!(matches!(route(path), Route::Nowhere(_)), "{path}");
        }
    }
}
