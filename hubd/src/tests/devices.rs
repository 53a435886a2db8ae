//! Devices that misbehave: each costs its own poll and nothing else.

use std::io::Write;
use std::net::TcpStream;

use super::stand_in::{Got, IPV4, IPV6, device, hang, http, nobody, serve, spoke};
use super::*;
use crate::hub::Hub;
use crate::own_datapoints::Report;
use crate::poll::MAX_ANSWER_BYTES;
use crate::post_form::Form;
use crate::test_folder::TestFolder;
use pattoo_common::spool::SpoolStats;

/// Polls these devices once; what was merged, and how it went.
fn poll(devices: Vec<Address>, timeout: Duration) -> (Vec<u8>, Vec<Report>) {
    let folder = TestFolder::new();
    let config = HubConfig { poll_timeout: timeout, ..config(folder.path(), devices, &nobody()) };
    let hub = Hub::new(config, target(HUB_ID));
    let mut batches = Vec::new();
    let reports =
        hub.cycle(Form::Batch, &SpoolStats::default, |batch, _| batches.push(batch.concat()));
    assert_eq!(batches.len(), 1);
    (batches.remove(0), reports)
}

fn misbehave(answer: impl Fn(Got, &mut TcpStream) + Send + Sync + 'static) -> Address {
    device(serve(IPV4, answer))
}

fn says(answer: Vec<u8>) -> Address {
    misbehave(move |_, stream| {
        let _ = stream.write_all(&answer);
    })
}

#[test]
fn what_misbehaves_is_named_and_the_good_are_in_the_batch() {
    let good = document("good", 1);
    let half = &good[..good.len() / 2];
    let twice = [good.clone(), good.clone()].concat();
    let redirect = http(302, "Location: http://127.0.0.1:1/\r\n", b"");
    let truncated = {
        let mut answer = http(200, "", &good);
        answer.truncate(answer.len() - 10);
        answer
    };
    let bad: Vec<(Address, &str)> = vec![
        (nobody(), "refused"),
        (misbehave(|_, stream| hang(stream)), "no answer before the deadline"),
        (
            misbehave(|_, stream| {
                // A byte at a time, for longer than the test is patient.
                let answer = http(200, "", &[b' '; 100_000]);
                let pause = crate::stop::Stop::default();
                for byte in answer {
                    if stream.write_all(&[byte]).is_err() || pause.wait(Duration::from_millis(5)) {
                        return;
                    }
                }
            }),
            "before the deadline",
        ),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "no HTTP"),
        (says(Vec::new()), "closed without an answer"),
        (says(http(200, "", b"<html>")), "no poll document"),
        (says(http(200, "", b"{}")), "no poll document"),
        (says(http(200, "", b"")), "no poll document"),
        (says(http(200, "", half)), "no poll document"),
        (says(http(200, "", &twice)), "no poll document"),
        (says(http(404, "", &good)), "answered 404"),
        (says(http(500, "", &good)), "answered 500"),
        (says(redirect), "answered 302"),
        (says(http(200, "", &vec![b' '; MAX_ANSWER_BYTES + 1])), "larger than"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n".to_vec()), "larger than"),
        (says(truncated), "the answer ends after"),
        (Address { host: "no-such-host.invalid".to_owned(), port: 1 }, "not resolved"),
    ];
    let mut devices: Vec<Address> = bad.iter().map(|(address, _)| address.clone()).collect();
    devices.insert(0, spoke(document("first", 1)));
    devices.push(spoke(document("last", 2)));

    let (batch, reports) = poll(devices, Duration::from_secs(4));
    for (report, (address, wanted)) in reports[1..].iter().zip(&bad) {
        let error = report.error.as_deref().unwrap();
        assert!(error.contains(wanted), "{address}: {error:?}, {wanted:?} wanted");
        assert_eq!(report.agent_id, None);
    }
    assert!(reports[0].is_up() && reports.last().unwrap().is_up());
    let mut told = told(&batch);
    told.sort();
    assert_eq!(told, ["first Integer(1)", "last Integer(2)"]);
}

#[test]
fn an_answer_of_the_largest_size_is_taken() {
    let mut body = document("large", 1);
    body.resize(MAX_ANSWER_BYTES, b' ');
    let (batch, _) = poll(vec![spoke(body)], Duration::from_secs(5));
    assert_eq!(told(&batch), ["large Integer(1)"]);
}

#[test]
fn names_and_ipv6_literals_are_reached() {
    let host_is = |wanted: fn(u16) -> String, ip, number| {
        let address = serve(ip, move |got, stream| {
            let port = stream.local_addr().unwrap().port();
            assert_eq!(got.host, wanted(port));
            assert_eq!(got.line, "GET /pattoo-agent-linux/10 HTTP/1.1");
            let _ = stream.write_all(&http(200, "", &document("device", number)));
        });
        address.port()
    };
    let devices = vec![
        Address { host: "::1".to_owned(), port: host_is(|port| format!("[::1]:{port}"), IPV6, 6) },
        Address {
            host: "localhost".to_owned(),
            port: host_is(|port| format!("localhost:{port}"), IPV4, 4),
        },
    ];
    let (batch, reports) = poll(devices, Duration::from_secs(5));
    assert!(reports.iter().all(Report::is_up), "{reports:?}");
    assert_eq!(told(&batch).len(), 2);
}

#[test]
fn many_devices_in_little_room_all_come_through() {
    // Forty answers of 1 MiB are more than the hub holds at once.
    let devices = (0..40)
        .map(|number| {
            let mut body = document(&format!("agent{number:02}"), number);
            body.resize(1 << 20, b' ');
            spoke(body)
        })
        .collect();
    let (batch, reports) = poll(devices, Duration::from_secs(8));
    assert!(reports.iter().all(Report::is_up), "{reports:?}");
    assert_eq!(told(&batch).len(), 40);
}

#[test]
fn the_clock_of_a_device_is_compared_with_the_hubs() {
    // Its document says that it was made one second after 1970 began.
    let (batch, reports) = poll(vec![spoke(document("slow", 1))], Duration::from_secs(5));
    let skew = reports[0].clock_skew_ms.unwrap();
    assert!(skew < -1_000_000_000_000, "{skew}");
    let document = Document::parse(&batch).unwrap();
    let samples: Vec<_> = document.samples().map(Result::unwrap).collect();
    assert!(samples.iter().any(|sample| sample.key == "hub_poll_clock_skew"));
    for sample in &samples {
        assert_eq!(sample.checksum, sample.expected_checksum().as_str());
    }
}
