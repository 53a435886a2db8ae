//! Requests as a hub signs them, and as nobody does.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::http_server::Method;
use crate::signature::secrets::secrets;
use crate::signature::{AnswerFault, Secrets, SignedRequest, WINDOW_S};

const NOW_S: u64 = 1_796_000_000;
const OLD: (&str, &str) = ("old", "0123456789abcdef");
const NEW: (&str, &str) = ("new", "fedcba9876543210");

/// What somebody does to a request on its way.
type Change = fn(&mut Request);

/// Answers with the request's path, and counts.
#[derive(Default)]
struct Echo(AtomicU64);

impl Handler for Echo {
    fn begin(&self) {
        self.0.fetch_add(1_000, Ordering::Relaxed);
    }

    fn answer(&self, request: &Request) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        with_header(error(404, &request.path), "X-Kept", "yes")
    }
}

fn guard(secrets: Option<Secrets>) -> Guard<Echo> {
    let live = Arc::new(LiveSecrets::new(secrets));
    Guard { now_ms: || NOW_S * 1_000, ..Guard::new(Echo::default(), live, 100) }
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(": ")?;
    Some((name.to_owned(), value.to_owned()))
}

fn request(signed: &SignedRequest<'_>) -> Request {
    Request {
        method: Method::Post,
        path: "/receive/hub".to_owned(),
        query: Some("a=b".to_owned()),
        headers: signed.header_lines().split("\r\n").filter_map(header).collect(),
        body: b"{}".to_vec(),
        peer: ([127, 0, 0, 1], 1).into(),
    }
}

fn sign(secrets: &Secrets) -> SignedRequest<'_> {
    sign_of(secrets, NOW_S)
}

fn sign_of(secrets: &Secrets, created_s: u64) -> SignedRequest<'_> {
    secrets.sign_request_of(created_s, "POST", "/receive/hub?a=b", b"{}")
}

fn parts(answer: Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers().iter().filter_map(|h| header(&h.to_string())).collect();
    (answer.status_code().0, headers, answer.into_reader().into_inner())
}

#[test]
fn a_signed_request_has_a_signed_answer() {
    let ours = secrets(&[OLD]);
    let guard = guard(Some(ours.clone()));
    let signed = sign(&ours);
    let (status, headers, body) = parts(guard.answer(&request(&signed)));
    assert_eq!((status, body.as_slice()), (404, br#"{"error":"/receive/hub"}"#.as_slice()));
    assert!(headers.contains(&("X-Kept".to_owned(), "yes".to_owned())), "{headers:?}");
    assert_eq!(signed.check_answer(status, &headers, &body), Ok(()));

    // Whatever is changed on the way back is seen.
    let check = |status, headers: &[_], body: &[u8]| signed.check_answer(status, headers, body);
    assert_eq!(check(200, &headers, &body), Err(AnswerFault::WrongSignature));
    assert_eq!(check(404, &headers, b"{}"), Err(AnswerFault::WrongBody));
    assert_eq!(check(404, &[], &body), Err(AnswerFault::Unsigned(404)));
    let other = sign(&ours);
    assert_eq!(other.check_answer(404, &headers, &body), Err(AnswerFault::WrongSignature));
    let stranger = secrets(&[("old", "0123456789abcdeF")]);
    let (status, headers, body) = {
        let guard = self::guard(Some(stranger.clone()));
        parts(guard.answer(&request(&sign(&stranger))))
    };
    assert_eq!(check(status, &headers, &body), Err(AnswerFault::WrongSignature));
    let renamed = secrets(&[("other", "0123456789abcdef")]);
    let (status, headers, body) = {
        let guard = self::guard(Some(renamed.clone()));
        parts(guard.answer(&request(&sign(&renamed))))
    };
    assert_eq!(check(status, &headers, &body), Err(AnswerFault::OtherSecret("other".to_owned())));
}

#[test]
fn whatever_is_changed_is_refused_alike_and_reaches_nobody() {
    let ours = secrets(&[OLD]);
    let guard = guard(Some(ours.clone()));
    let changes: [(&str, Change); 12] = [
        ("method", |r| r.method = Method::Put),
        ("path", |r| r.path.push('x')),
        ("query", |r| r.query = Some("a=c".to_owned())),
        ("no query", |r| r.query = None),
        ("body", |r| r.body.push(b' ')),
        ("no headers", |r| r.headers.clear()),
        ("digest", |r| r.headers[0].1.replace_range(10..11, "_")),
        ("time", |r| r.headers[1].1 = r.headers[1].1.replace("1796000000", "1796000001")),
        ("id", |r| r.headers[1].1 = r.headers[1].1.replace("\"old\"", "\"new\"")),
        ("signature", |r| r.headers[2].1.replace_range(8..12, "AAAA")),
        ("twice", |r| r.headers.push(r.headers[2].clone())),
        ("label", |r| r.headers[2].1 = r.headers[2].1.replace("pattoo", "sig1")),
    ];
    let (mut seen, mut unchanged) = (Vec::new(), Vec::new());
    for (what, change) in changes {
        unchanged.push(request(&sign(&ours)));
        let mut request = unchanged[unchanged.len() - 1].clone();
        change(&mut request);
        let (status, headers, body) = parts(guard.answer(&request));
        assert_eq!(status, 401, "{what}");
        seen.push((headers, body));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "nobody learns which fault it was: {seen:?}");
    let (headers, body) = &seen[0];
    for (name, value) in [("WWW-Authenticate", "Signature"), ("Accept-Signature", ACCEPTED)] {
        assert!(headers.contains(&(name.to_owned(), value.to_owned())), "{headers:?}");
    }
    let text = String::from_utf8_lossy(body);
    assert!(text.starts_with("{\"error\":\"this port has a secret (secret_file)"), "{text}");
    assert_eq!(guard.inner.0.load(Ordering::Relaxed), 0);
    // Nor does it use up the request that was meant.
    for request in unchanged {
        assert_eq!(parts(guard.answer(&request)).0, 404);
    }
}

#[test]
fn a_stranger_is_turned_away_by_its_head() {
    let ours = secrets(&[OLD]);
    let guard = guard(Some(ours.clone()));
    let turned_away = |signed: &SignedRequest<'_>, change: Change| {
        let mut request = request(signed);
        change(&mut request);
        request.body.clear(); // it is still to come
        guard.turn_away(&request).map(parts)
    };
    assert_eq!(turned_away(&sign(&ours), |_| ()), None, "its body is read, and judged");
    let unsigned = parts(guard.answer(&Request { headers: Vec::new(), ..request(&sign(&ours)) }));
    assert_eq!(unsigned.0, 401);
    for refused in [
        turned_away(&sign(&ours), |request| request.headers.clear()),
        turned_away(&sign(&ours), |request| request.path.push('x')),
        turned_away(&sign(&secrets(&[NEW])), |_| ()),
        turned_away(&sign_of(&ours, NOW_S - 301), |_| ()),
    ] {
        assert_eq!(refused.as_ref(), Some(&unsigned), "the same as after the body");
    }
    // A body that is not the one that was signed is seen when it is there.
    let signed = sign(&ours);
    assert_eq!(parts(guard.answer(&Request { body: b"[]".to_vec(), ..request(&signed) })).0, 401);
    assert_eq!(parts(guard.answer(&request(&signed))).0, 404);
    let open = self::guard(None);
    let unsigned = Request { headers: Vec::new(), ..request(&signed) };
    assert!(open.turn_away(&unsigned).is_none(), "without a secret there are no strangers");
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_secret() {
    let ours = secrets(&[OLD]);
    let fault = |secrets: &Secrets, created_s| {
        let request = request(&sign_of(secrets, created_s));
        request::check(&ours, &request, NOW_S).err().map(|fault| fault.to_string())
    };
    for fits in [NOW_S - WINDOW_S, NOW_S, NOW_S + WINDOW_S] {
        assert_eq!(fault(&ours, fits), None);
    }
    let text = fault(&ours, NOW_S - WINDOW_S - 1).unwrap();
    assert!(
        text.starts_with("wrong clock: rightly signed with \"old\", 301 s behind our"),
        "{text}"
    );
    let text = fault(&ours, NOW_S + 3_600).unwrap();
    assert!(text.contains(", 3600 s ahead of our clock"), "{text}");
    assert!(fault(&ours, u64::MAX).unwrap().contains("wrong clock"));
    let text = fault(&secrets(&[NEW]), NOW_S).unwrap();
    assert!(text.starts_with("wrong secret: signed with \"new\", which is not in"), "{text}");
    let text = fault(&secrets(&[("old", NEW.1)]), NOW_S - 9_999).unwrap();
    assert!(text.starts_with("wrong secret: not signed with the \"old\" of our"), "{text}");
}

#[test]
fn a_request_is_answered_once() {
    let ours = secrets(&[OLD]);
    let guard = guard(Some(ours.clone()));
    let request = request(&sign(&ours));
    assert_eq!(parts(guard.answer(&request)).0, 404);
    let (status, headers, _) = parts(guard.answer(&request));
    assert_eq!(status, 401);
    assert!(headers.iter().all(|(name, _)| name != "Signature"), "{headers:?}");
    assert_eq!(guard.inner.0.load(Ordering::Relaxed), 1);
}

#[test]
fn one_that_cannot_be_remembered_is_put_off_and_strangers_take_no_room() {
    let ours = secrets(&[OLD]);
    let guard = Guard { replay: Replay::new(2), ..guard(Some(ours.clone())) };
    let stranger = secrets(&[("old", NEW.1)]);
    for _ in 0..9 {
        assert_eq!(parts(guard.answer(&request(&sign(&stranger)))).0, 401);
        assert_eq!(parts(guard.answer(&request(&sign_of(&ours, NOW_S - 301)))).0, 401);
    }
    for _ in 0..2 {
        assert_eq!(parts(guard.answer(&request(&sign(&ours)))).0, 404);
    }
    let signed = sign(&ours);
    let (status, headers, body) = parts(guard.answer(&request(&signed)));
    assert_eq!(status, 503);
    assert_eq!(signed.check_answer(status, &headers, &body), Ok(()), "it is one of ours");
    assert!(headers.contains(&("Retry-After".to_owned(), "10".to_owned())));
}

#[test]
fn secrets_are_exchanged_without_a_gap() {
    let (old, both, new) = (secrets(&[OLD]), secrets(&[OLD, NEW]), secrets(&[NEW, OLD]));
    let guard = guard(Some(old.clone()));
    let ask = |by: &Secrets| {
        let signed = sign(by);
        let (status, headers, body) = parts(guard.answer(&request(&signed)));
        (status, signed.check_answer(status, &headers, &body).is_ok())
    };
    assert_eq!((ask(&old), ask(&new)), ((404, true), (401, false)));
    guard.secrets.replace(Some(both));
    assert_eq!((ask(&old), ask(&new)), ((404, true), (404, true)));
    guard.secrets.replace(Some(secrets(&[NEW])));
    assert_eq!((ask(&old), ask(&new)), ((401, false), (404, true)));
}

#[test]
fn a_worker_begins_behind_the_guard_as_without_it() {
    let guard = guard(None);
    guard.begin();
    assert_eq!(guard.inner.0.load(Ordering::Relaxed), 1_000);
}

#[test]
fn without_a_secret_everybody_is_answered_as_before() {
    let guard = guard(None);
    let ours = secrets(&[OLD]);
    let (status, headers, _) = parts(guard.answer(&request(&sign(&ours))));
    assert_eq!(status, 404);
    assert!(headers.iter().all(|(name, _)| name != "Signature"), "{headers:?}");
}

/// The signatures were reckoned by another program, from RFC 9421 alone.
#[test]
fn the_bytes_are_those_of_the_standard() {
    struct Well;
    impl Handler for Well {
        fn answer(&self, _: &Request) -> Answer {
            Answer::from_data("OK")
        }
    }
    let live =
        Arc::new(LiveSecrets::new(Some(secrets(&[("site1", "5a0f6a0b3c1d2e4f5a6b7c8d9e0f1a2b")]))));
    let guard = Guard { now_ms: || NOW_S * 1_000, ..Guard::new(Well, live, 1) };
    let head = "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n\
        Signature-Input: pattoo=(\"@method\" \"@path\" \"@query\" \"content-digest\")\
        ;created=1796000000;keyid=\"site1\";nonce=\"000000000000000000000000000000a1\"\
        ;alg=\"hmac-sha256\"\n\
        Signature: pattoo=:4ij0nk8YqenpErccCZtmWaoG5Q8QbgOFkL8xkWLsdP0=:";
    let (status, headers, _) = parts(guard.answer(&Request {
        method: Method::Get,
        path: "/pattoo-agent-linux/300".to_owned(),
        query: None,
        headers: head.lines().filter_map(header).collect(),
        body: Vec::new(),
        peer: ([127, 0, 0, 1], 1).into(),
    }));
    assert_eq!(status, 200);
    for wanted in [
        "Content-Digest: sha-256=:VlM5vE0z1ygXtYMCQRLrf1zfPl7vAlLW7BucmpThK7M=:",
        "Signature-Input: pattoo=(\"@status\" \"content-digest\" \"signature\";req)\
         ;created=1796000000;keyid=\"site1\";alg=\"hmac-sha256\"",
        "Signature: pattoo=:WTsitA859CX6zBLAvJ6trxQZzGZ1jawrV9pTdrd0I+Q=:",
    ] {
        let wanted = header(wanted).unwrap();
        assert!(headers.contains(&wanted), "{wanted:?}: {headers:?}");
    }
}
