//! Who may ask and who may change, of the real server.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use pattoo_tests::{HttpAnswer, PATIENCE, Server, http_ask, http_get_with, wait_until};
use serde_json::{Value, json};

const SESSION: &str = "/pattoo/api/v1/web/session";
const GRAPHQL: &str = "/pattoo/api/v1/web/graphql";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const READ: &str = "{ allUser { edges { node { username } } } }";
const CHANGE: &str = "mutation { createChart(Input: {name: \"x\"}) { chart { name } } }";

fn ask(server: &Server, method: &str, headers: &[(&str, &str)], body: &Value) -> HttpAnswer {
    let headers = [&[JSON], headers].concat();
    http_ask(server.web_port, method, SESSION, &headers, Some(body.to_string().as_bytes())).unwrap()
}

fn graphql(server: &Server, headers: &[(&str, &str)], query: &str) -> HttpAnswer {
    let body = json!({ "query": query }).to_string();
    let headers = [&[JSON], headers].concat();
    http_ask(server.web_port, "POST", GRAPHQL, &headers, Some(body.as_bytes())).unwrap()
}

fn sign_in(server: &Server, username: &str, password: &str) -> HttpAnswer {
    ask(server, "POST", &[], &json!({ "username": username, "password": password }))
}

/// The part of `Set-Cookie` that a browser sends back.
fn cookie(answer: &HttpAnswer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn told(server: &Server, cookie: &str) -> Value {
    let answer = http_get_with(server.web_port, SESSION, &[("Cookie", cookie)]).unwrap();
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    serde_json::from_slice(&answer.body).unwrap()
}

fn create_user(server: &Server, headers: &[(&str, &str)], username: &str) {
    let query = format!(
        "mutation {{ createUser(Input: {{username: \"{username}\", password: \"right horse\", \
         firstName: \"Ada\", lastName: \"Lovelace\"}}) {{ user {{ idxUser }} }} }}"
    );
    let answer = graphql(server, headers, &query);
    assert!(answer.status == 200 && answer.text().contains("idxUser\":"), "{}", answer.text());
}

#[test]
fn a_server_without_users_is_open_and_says_so() {
    let server = Server::start("open");
    let session = told(&server, "");
    assert_eq!(session["open"], true);
    assert_eq!((&session["user"], &session["mayChange"]), (&Value::Null, &json!(true)));
    assert_eq!(session["retentionDays"], 3653);
    assert!(session["version"].is_string());
    assert_eq!(graphql(&server, &[], CHANGE).status, 200);
    assert_eq!(sign_in(&server, "nobody", "x").status, 401);
}

#[test]
fn once_there_is_a_user_nothing_goes_without_signing_in() {
    let server = Server::start("closed");
    let rest = "/pattoo/api/v1/web/rest/data/1";
    create_user(&server, &[], "ada");
    assert_eq!(told(&server, "")["open"], false);
    assert_eq!(told(&server, "")["mayChange"], false);
    for query in [READ, CHANGE, "{ overview { now } }"] {
        let refused = graphql(&server, &[], query);
        assert_eq!(refused.status, 401, "{query}");
        assert!(refused.text().starts_with("{\"errors\":[{\"message\":"), "{}", refused.text());
    }
    assert_eq!(server.get(rest).status, 401);
    for open in ["/healthz", "/metrics", "/pattoo/", "/pattoo/api/v1/web/status"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
    // Wrong in every way, and told apart in none.
    let refusals = [("ada", "wrong"), ("eve", "right horse"), ("", ""), ("ada", "")]
        .map(|(username, password)| sign_in(&server, username, password));
    for refused in &refusals {
        assert_eq!((refused.status, refused.text()), (401, refusals[0].text()));
        assert_eq!(refused.header("set-cookie"), None);
    }

    let signed_in = sign_in(&server, "ada", "right horse");
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let set = signed_in.header("set-cookie").unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "it came over http: {set}");
    let body: Value = serde_json::from_slice(&signed_in.body).unwrap();
    assert_eq!(body["user"]["firstName"], "Ada");
    assert_eq!((&body["mayChange"], &body["open"]), (&json!(true), &json!(false)));
    let cookie = cookie(&signed_in);
    let mine = [("Cookie", cookie.as_str())];
    for query in [READ, CHANGE] {
        assert_eq!(graphql(&server, &mine, query).status, 200, "{query}");
    }
    assert_eq!(http_get_with(server.web_port, rest, &mine).unwrap().status, 404, "not there");
    let others = format!("x=y; {}", cookie.replace('=', "=0"));
    assert_eq!(graphql(&server, &[("Cookie", &others)], READ).status, 401);

    assert_eq!(ask(&server, "DELETE", &mine, &Value::Null).status, 204);
    assert_eq!(graphql(&server, &mine, READ).status, 401, "the session is over");
}

#[test]
fn reading_may_be_free_and_changing_never_is() {
    let server = Server::start("reading");
    create_user(&server, &[], "ada");
    server.daemon.stop();
    let file = server.join("etc/pattoo_server.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("pattoo_apid:\n", "pattoo_apid:\n  reading_needs_sign_in: false\n");
    std::fs::write(&file, text).unwrap();
    server.daemon.start();
    assert_eq!(graphql(&server, &[], READ).status, 200);
    assert_eq!(graphql(&server, &[], CHANGE).status, 401);
    assert_eq!(told(&server, "")["mayChange"], false);
}

#[test]
fn a_changed_or_disabled_user_is_signed_out() {
    let server = Server::start("changed");
    create_user(&server, &[], "ada");
    let first = cookie(&sign_in(&server, "ada", "right horse"));
    let second = cookie(&sign_in(&server, "ada", "right horse"));
    assert_ne!(first, second);
    let change = |input: &str| {
        let query = format!(
            "mutation {{ updateUser(Input: {{idxUser: \"1\", {input}}}) {{ user {{ idxUser }} }} }}"
        );
        graphql(&server, &[("Cookie", &second)], &query).status
    };
    assert_eq!(change("password: \"new horse\""), 200);
    assert_eq!(graphql(&server, &[("Cookie", &first)], READ).status, 401);
    assert_eq!(sign_in(&server, "ada", "right horse").status, 401);
    let third = cookie(&sign_in(&server, "ada", "new horse"));
    assert_eq!(told(&server, &third)["user"]["username"], "ada");
    // Sessions are in memory: a restart ends them.
    server.daemon.stop();
    server.daemon.start();
    assert_eq!(told(&server, &third)["user"], Value::Null);

    let fourth = cookie(&sign_in(&server, "ada", "new horse"));
    let disable = "mutation { updateUser(Input: {idxUser: \"1\", enabled: \"0\"}) \
                   { user { idxUser } } }";
    assert_eq!(graphql(&server, &[("Cookie", &fourth)], disable).status, 200);
    assert_eq!(graphql(&server, &[("Cookie", &fourth)], READ).status, 401);
    assert_eq!(sign_in(&server, "ada", "new horse").status, 401);
    // Without one who may sign in, the server is no more open than before.
    assert_eq!(told(&server, "")["open"], false);
    assert_eq!(graphql(&server, &[], READ).status, 401);
    assert_eq!(graphql(&server, &[], CHANGE).status, 401);
}

#[test]
fn passwords_cannot_be_tried_for_long() {
    let server = Server::start("tries");
    create_user(&server, &[], "ada");
    let begun = Instant::now();
    let answers: Vec<HttpAnswer> = (0..15).map(|_| sign_in(&server, "ada", "wrong")).collect();
    let refused: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(refused[..10], [401; 10]);
    assert!(refused[10..].contains(&429), "{refused:?}");
    let put_off = answers.iter().find(|answer| answer.status == 429).unwrap();
    let wait: u64 = put_off.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    // The right one does not get through either, nor does GraphQL know it. A slow machine
    // may have given the name a try back meanwhile: it comes after ten seconds.
    let mut right = sign_in(&server, "ada", "right horse").status;
    for _ in 0..10 {
        if right != 200 || begun.elapsed() < Duration::from_secs(10) {
            break;
        }
        wait_until("there are too many again", PATIENCE, || {
            sign_in(&server, "ada", "wrong").status == 429
        });
        right = sign_in(&server, "ada", "right horse").status;
    }
    assert_eq!(right, 429);
    assert!(server.log().contains("not right"), "{}", server.log());
    assert!(!server.log().contains("horse"), "no password is logged");
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let server = Server::start("cross");
    let own = format!("http://{}:{}", Ipv4Addr::LOCALHOST, server.web_port);
    create_user(&server, &[("Origin", &own)], "ada");
    let cookie = cookie(&sign_in(&server, "ada", "right horse"));
    let mine = ("Cookie", cookie.as_str());
    for foreign in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        assert_eq!(graphql(&server, &[mine, foreign], CHANGE).status, 403, "{foreign:?}");
        let credentials = json!({ "username": "ada", "password": "right horse" });
        assert_eq!(ask(&server, "POST", &[foreign], &credentials).status, 403);
        assert_eq!(ask(&server, "DELETE", &[mine, foreign], &Value::Null).status, 403);
    }
    assert_eq!(graphql(&server, &[mine, ("Origin", &own)], CHANGE).status, 200);
    assert_eq!(told(&server, &cookie)["user"]["username"], "ada", "still signed in");

    // What a form can send, and what a link can, changes nothing.
    let change = CHANGE.replace(' ', "%20").replace('"', "%22");
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let headers = [mine, ("Content-Type", kind)];
        let path = format!("{GRAPHQL}?query={change}");
        let answer = http_ask(server.web_port, "POST", &path, &headers, Some(b"")).unwrap();
        assert_eq!(answer.status, 405, "{kind}");
        let body = b"{\"username\":\"ada\",\"password\":\"right horse\"}";
        let headers = [("Content-Type", kind)];
        let answer = http_ask(server.web_port, "POST", SESSION, &headers, Some(body)).unwrap();
        assert_eq!(answer.status, 415, "{kind}");
    }
    let linked =
        http_get_with(server.web_port, &format!("{GRAPHQL}?query={change}"), &[mine]).unwrap();
    assert_eq!(linked.status, 405);
}

#[test]
fn a_cookie_that_came_by_https_stays_there() {
    let server = Server::start("https");
    create_user(&server, &[], "ada");
    let credentials = json!({ "username": "ada", "password": "right horse" });
    let answer = ask(&server, "POST", &[("X-Forwarded-Proto", "https")], &credentials);
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}
