//! What the bounds of the spool cost is counted to the sample.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use pattoo_common::document::Document;
use pattoo_common::wall_clock::now_ms;
use pattoo_tests::faults::{LinkMood, Wishes, World};
use pattoo_tests::{PATIENCE, again_after_stalls, points, wait_until};

/// The polls of five or six cycles fit into the spool, ...
const BALLAST_BYTES: usize = 60_000;
const SPOOL: &str = "spool_max_bytes: 1 MiB\npost_mode: device\n";
/// ... and these are of ten: each device has a batch of its own.
const BATCHES: usize = 60;
const HOUR_MS: u64 = 3_600_000;

/// Copies what is new in the spool.
fn look(world: &World, seen: &mut HashMap<PathBuf, Vec<u8>>) {
    for path in world.spool() {
        if !seen.contains_key(&path)
            && let Ok(body) = fs::read(&path)
        {
            seen.insert(path, body);
        }
    }
}

#[test]
fn what_the_bounds_of_the_spool_drop_is_counted_to_the_sample() {
    again_after_stalls(|| {
        let start_ms = now_ms();
        let mut world = World::start("bounds", &Wishes { hub: SPOOL.to_owned() });
        for spoke in &world.spokes {
            spoke.set_ballast_bytes(BALLAST_BYTES);
        }
        world.link.set_mood(LinkMood::Refuses);
        // A copy of all that lay in the spool for a while.
        let mut seen: HashMap<PathBuf, Vec<u8>> = HashMap::new();
        wait_until("the spool is over its bound", 3 * PATIENCE, || {
            look(&world, &mut seen);
            seen.len() >= BATCHES
        });
        let left = world.spool().len();
        assert!(left < BATCHES, "{left} batches fit in");
        world.link.set_mood(LinkMood::Passes);
        // The pause after a failure has grown meanwhile, and more is dropped in it.
        wait_until("all is posted", 3 * PATIENCE, || {
            look(&world, &mut seen);
            world.hub_log().contains("batches leave it again") && world.spool().len() <= 1
        });

        let is_stored = |body: &[u8]| {
            let document = Document::parse(body).unwrap();
            let sample = document.samples().next().unwrap().unwrap();
            let (web, at_ms) = (world.server.web(), sample.timestamp_ms);
            let series = web.series(&sample.key, sample.polled_target());
            series.iter().any(|series| !points(&web.points(series, at_ms, at_ms + 1)).is_empty())
        };
        wait_until("the youngest is stored", PATIENCE, || {
            let youngest = seen.iter().max_by_key(|(path, _)| *path).unwrap();
            is_stored(youngest.1)
        });
        let lost: Vec<&Vec<u8>> = seen.values().filter(|body| !is_stored(body)).collect();
        let count = |body: &&Vec<u8>| Document::parse(body).unwrap().datapoint_count();
        let datapoints: usize = lost.iter().map(count).sum();
        assert!(!lost.is_empty());

        let told = |key: &str| {
            let samples =
                world.server.samples(key, "hub.example.net", start_ms, start_ms + HOUR_MS);
            samples.last().map(|(_, value)| *value)
        };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let wanted = (Some(lost.len() as f64), Some(datapoints as f64));
        // Told in the batch of the next cycle.
        wait_until("the loss is told", PATIENCE, || told("hub_spool_dropped") >= wanted.0);
        let found = (told("hub_spool_dropped"), told("hub_spool_dropped_datapoints"));
        assert_eq!(found, wanted, "{}", world.hub_log());
    });
}
