//! The clock of a machine jumps, forward and back, while hub, spoke and server work.

use pattoo_tests::faults::{Link, LinkMood};
use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Server, SpokeOptions, StandInSpoke, TurnedClock, binary,
    free_port, wait_until, write_hub_config, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";
const HUB: &str = "pattoo_agent_linux_hubd";
const HOUR_S: i64 = 3_600;
/// How far ahead the clock is, one after another.
const JUMPS_S: [i64; 3] = [2 * HOUR_S, -3 * HOUR_S, 0];
const INTERVAL_S: u32 = 3;
/// Polls after each jump.
const POLLS: usize = 2;
/// All samples are less than this from the true time.
const FAR_MS: u64 = 4 * 3_600_000;

fn agent(program: &str, folder: &Folder) -> Daemon {
    let pid_file = folder.join(format!("run/pid/{program}.pid"));
    Daemon::new(binary(program), &folder.join("etc"), pid_file)
}

/// Deadlines, pauses and intervals go by a clock that only counts, so a jump ends none
/// of them and makes none longer. Each jump finds batches on the disk: the server is
/// away from before it until after it.
#[test]
fn a_clock_that_jumps_loses_doubles_and_stops_nothing() {
    let folder = Folder::new("jumps");
    let Some(clock) = TurnedClock::make(&folder) else { return };
    let start_ms = pattoo_common::wall_clock::now_ms();

    let mut server = Server::new("jumps-server", "");
    clock.give_to(&mut server.daemon);
    server.daemon.start();
    let mut link = Link::to(server.agent_port);

    let (spoke_folder, port) = (Folder::new("jumps-spoke"), free_port());
    let more = "hostname: spoke.example.net\n".to_owned();
    write_spoke_config(&spoke_folder, &SpokeOptions { port, fixture: None, more });
    let mut spoke = agent(SPOKE, &spoke_folder);
    clock.give_to(&mut spoke);
    spoke.start();

    // Its own clock is right: its numbers tell which polls were made.
    let counting = StandInSpoke::start("counting.example.net");
    let hub_folder = Folder::new("jumps-hub");
    let options = HubOptions {
        devices: vec![counting.device(), ("127.0.0.1".to_owned(), port)],
        // Every cycle must have both: time enough for that on a busy machine too.
        interval_seconds: INTERVAL_S,
        server_port: link.port(),
        more: "hostname: hub.example.net\npost_mode: batch\nspool_min_free_bytes: 0\n".to_owned(),
    };
    write_hub_config(&hub_folder, &options);
    let mut hub = agent(HUB, &hub_folder);
    clock.give_to(&mut hub);
    hub.start();

    let stored = |key: &str, target: &str| {
        let (from_ms, to_ms) = (start_ms - FAR_MS, start_ms + FAR_MS);
        server.web().all_samples(key, target, from_ms, to_ms, 1_000)
    };
    let numbers = || -> Vec<f64> {
        let numbers = stored("sequence", counting.name());
        numbers.into_iter().map(|(_, number)| number).collect()
    };
    let polls = || counting.answered().len();
    wait_until("it is polled", PATIENCE, || polls() >= POLLS);
    for ahead_s in JUMPS_S {
        link.set_mood(LinkMood::Refuses);
        let before = polls();
        wait_until("batches wait", PATIENCE, || polls() > before + 1);
        clock.run_ahead(ahead_s);
        let before = polls();
        wait_until("it is polled on", PATIENCE, || polls() >= before + POLLS);
        link.set_mood(LinkMood::Passes);
        let taken = polls();
        wait_until("all of it is stored", PATIENCE, || numbers().len() >= taken);
        for daemon in [&spoke, &hub, &server.daemon] {
            let status = daemon.status();
            assert_eq!(status.code, 0, "{ahead_s} s ahead: {status:?}");
        }
    }
    hub.stop();

    let numbers = numbers();
    let wanted: Vec<f64> = (1_u32..).map(f64::from).take(numbers.len()).collect();
    assert_eq!(numbers, wanted);
    // The others' samples have the times of the clock that jumped: as many, each once.
    let up = stored("hub_devices_up", "hub.example.net");
    assert!(up.iter().all(|(_, up)| (up - 2.0).abs() < 0.5), "{up:?}");
    assert_eq!(up.len(), numbers.len());
    assert_eq!(stored("boot_time", "spoke.example.net").len(), numbers.len());
    // They were there, in the order of the clock and not of the jumps.
    let hours_ahead = |at_ms: u64| {
        let ahead_ms = i128::from(at_ms) - i128::from(start_ms);
        (ahead_ms as f64 / 3_600_000.0).round()
    };
    let mut hours: Vec<f64> = up.iter().map(|(at_ms, _)| hours_ahead(*at_ms)).collect();
    hours.dedup();
    assert_eq!(hours, [-3.0, 0.0, 2.0]);
    spoke.stop();
    server.daemon.stop();
}
