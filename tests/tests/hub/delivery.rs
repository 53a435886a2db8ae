//! From a real spoke through a real hub to a server.

use std::collections::HashSet;

use pattoo_tests::{
    Daemon, Folder, HubOptions, Mood, PATIENCE, Receiver, SpokeOptions, StandInSpoke, binary,
    free_port, wait_until, write_spoke_config,
};

use crate::hub::{
    HOST, Hub, ID, OURS, every_second, expect_all, numbers, of_hub, wait_for_number,
    wait_for_posts, wait_for_prompt_posts,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";

/// A real spoke on this machine, as the host `name`.
fn real_spoke(name: &str) -> (Folder, Daemon, u16) {
    let folder = Folder::new(name);
    let port = free_port();
    let more = format!("hostname: {name}\n");
    let configuration = write_spoke_config(&folder, &SpokeOptions { port, fixture: None, more });
    let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
    let spoke = Daemon::new(binary(SPOKE), &configuration, pid_file);
    (folder, spoke, port)
}

#[test]
fn one_batch_an_interval_with_the_figures_of_spoke_and_hub() {
    let (_folder, spoke, port) = real_spoke("spoke-7.example.net");
    spoke.start();
    let server = Receiver::start(OURS);
    let options =
        HubOptions { devices: vec![("127.0.0.1".to_owned(), port)], ..every_second(&[], &server) };
    let hub = Hub::install("delivery", options);
    hub.daemon.start();
    let posts = wait_for_prompt_posts(&server, ("127.0.0.1", port), 3);
    hub.daemon.stop();
    spoke.stop();

    for post in &posts {
        assert_eq!(post.path, format!("/pattoo/api/v1/agent/receive/{ID}"));
        assert_eq!(post.agent_id, ID);
        let of_spoke = |key: &str| {
            let own = post.samples.iter().filter(|s| s.target == "spoke-7.example.net");
            own.filter(|sample| sample.key == key).count()
        };
        for key in ["memory_total", "uptime", "load_average_01min", "cpu_times_percent_idle"] {
            assert_eq!(of_spoke(key), 1, "{key}");
        }
        assert!(post.samples.iter().all(|sample| sample.program == SPOKE || sample.target == HOST));

        // What the hub says of itself, once a batch ...
        for (key, value) in [
            ("hub_devices", "1"),
            ("hub_devices_up", "1"),
            ("hub_spool_dropped", "0"),
            ("hub_spool_dropped_datapoints", "0"),
        ] {
            assert_eq!(of_hub(post, key), [value], "{key}");
        }
        for key in ["hub_spool_batches", "hub_spool_bytes"] {
            assert_eq!(of_hub(post, key).len(), 1, "{key}");
        }
        assert_eq!(of_hub(post, "hub_start_time"), of_hub(&posts[0], "hub_start_time"));
        assert!(of_hub(post, "hub_start_time")[0].parse::<f64>().unwrap() > 1.6e9);
        assert!(of_hub(post, "hub_cycle_duration")[0].parse::<f64>().unwrap() > 0.0);

        // ... and of its device.
        let of = |key| post.of_device(("127.0.0.1", port), key);
        assert_eq!(of("hub_poll_up"), ["1"]);
        assert!(of("hub_poll_duration")[0].parse::<f64>().unwrap() > 0.0);
        assert_eq!(of("hub_poll_clock_skew").len(), 1);
        let agent_id = of("hub_poll_agent_id")[0];
        assert!(agent_id.len() == 64 && agent_id != ID, "{agent_id}");
        assert!(of("hub_poll_error").is_empty());
    }
    // A slow server leaves some in the spool, but not always.
    for key in ["hub_spool_batches", "hub_spool_bytes"] {
        assert!(posts.iter().any(|post| of_hub(post, key) == ["0"]), "{key}");
    }
    // One batch an interval, each with a time of its own.
    let times: Vec<u64> = posts
        .iter()
        .flat_map(|post| post.samples.iter().filter(|s| s.key == "hub_cycle_duration"))
        .map(|sample| sample.timestamp_ms)
        .collect();
    assert_eq!(times.len(), posts.len());
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
}

#[test]
fn a_kill_in_the_middle_of_an_outage_costs_nothing_that_was_taken() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    server.set_mood(Mood::Answers(503));
    let hub = Hub::install("killed", every_second(&[&spoke], &server));
    hub.daemon.start();
    wait_until("three batches are on disk", PATIENCE, || hub.spool().len() >= 3);
    hub.kill();

    // The poll that was in hand is lost where its batch was not yet on disk.
    let in_hand = spoke.answered_to_the_dead().len() as u64;
    let taken = hub.spooled_numbers();
    expect_all(&taken);
    assert!(taken.len() as u64 + 1 >= in_hand, "{taken:?} of {in_hand}");
    hub.daemon.start();
    wait_until("the outage goes on for the next hub", PATIENCE, || {
        hub.spool().len() > taken.len() + 1
    });
    server.set_mood(Mood::Well);
    wait_for_number(&server, &spoke, in_hand + 3);
    hub.daemon.stop();
    let posted = numbers(&server, &spoke);
    let wanted: Vec<u64> = (1..=*posted.last().unwrap())
        .filter(|number| *number != in_hand || taken.contains(number))
        .collect();
    assert_eq!(posted, wanted);
}

#[test]
fn a_batch_that_is_posted_twice_is_the_same_twice() {
    let spoke = StandInSpoke::start("web1");
    let server = Receiver::start(OURS);
    server.set_mood(Mood::TakesInSilence);
    let hub = Hub::install("twice", every_second(&[&spoke], &server));
    hub.daemon.start();
    wait_for_posts(&server, 1);
    hub.kill();
    server.set_mood(Mood::Well);
    hub.daemon.start();
    wait_for_number(&server, &spoke, 3);
    hub.daemon.stop();

    let posts = server.posts();
    assert_eq!(posts[0], posts[1], "the one that was not acknowledged");
    // All else came once: no sample of a series has the time of another.
    let mut seen = HashSet::new();
    for sample in posts[1..].iter().flat_map(|post| &post.samples) {
        let series = (&sample.target, &sample.program, &sample.key, &sample.metadata);
        assert!(seen.insert((series, sample.timestamp_ms)), "{sample:?}");
    }
}
