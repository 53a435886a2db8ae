//! Every key that the source of spoke and hub can send has a name in every language
//! that we ship, and no name is of a key that nobody sends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words with an underline in the readers of the spoke that are no keys: sources,
/// files of the kernel, kinds of file systems.
const NO_KEYS: [&str; 8] = [
    "binfmt_misc",
    "cpuinfo_cur_freq",
    "disk_io",
    "load_average",
    "network_io",
    "rpc_pipefs",
    "scaling_cur_freq",
    "swap_io",
];
/// Keys without an underline, which look like any other word.
const SHORT_KEYS: [&str; 7] =
    ["cpus", "hostname", "processor", "release", "type", "uptime", "version"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The words in quotes of these files and folders, those of tests left out.
fn words(places: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left: Vec<PathBuf> = places.iter().map(|place| repository().join(place)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.ends_with("tests.rs") || path.ends_with("fixture.rs") {
            continue;
        }
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let program = text
            .rsplit_once("#[cfg(test)]\nmod tests {")
            .map_or(text.as_str(), |(program, _)| program);
        for line in program.lines().filter(|line| !line.trim_start().starts_with("//")) {
            found.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found.retain(|word| {
        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    });
    found
}

/// The keys that a program's names are of, without the program's name before them.
fn named(language: &str, program: &str) -> BTreeSet<String> {
    let file = repository().join(format!("server/translations/keys.{language}.csv"));
    let text = fs::read_to_string(&file).unwrap();
    let keys = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap());
    keys.filter_map(|key| Some(key.strip_prefix(program)?.strip_prefix('_')?.to_owned())).collect()
}

fn is_key(word: &str) -> bool {
    SHORT_KEYS.contains(&word) || word.contains('_') && !NO_KEYS.contains(&word)
}

#[test]
fn every_key_that_is_sent_has_a_name_and_every_name_a_key() {
    let mut spoke = words(&["spoked/src/sources", "spoked/src/host.rs"]);
    spoke.retain(|word| is_key(word));
    let mut hub = words(&["hubd/src/own_datapoints.rs", "hubd/src/device.rs"]);
    hub.extend(words(&["hubd/src/program.rs"]).into_iter().filter(|word| word == "hostname"));
    hub.retain(|word| word == "hostname" || word.starts_with("hub_"));
    assert!(spoke.len() > 70 && hub.len() > 15, "{spoke:?} {hub:?}");
    for (program, sent) in [("pattoo_agent_linux_spoked", spoke), ("pattoo_agent_linux_hubd", hub)]
    {
        for language in ["en", "es"] {
            let named = named(language, program);
            let nameless: Vec<_> = sent.difference(&named).collect();
            // What any machine says of itself may be named for each program.
            let machine = |key: &&String| SHORT_KEYS.contains(&key.as_str());
            let unsent: Vec<_> = named.difference(&sent).filter(|key| !machine(key)).collect();
            assert!(
                nameless.is_empty() && unsent.is_empty(),
                "{program}, {language}: without a name {nameless:?}, never sent {unsent:?}"
            );
        }
    }
}

#[test]
fn units_of_counters_and_of_nothing_else_are_by_the_second() {
    let counters = ["cpu_stats_", "swap_memory_s", "disk_io_", "network_io_", "hub_spool_dropped"];
    for (language, a_second) in [("en", " / second"), ("es", " / segundo")] {
        let file = format!("server/translations/keys.{language}.csv");
        let text = fs::read_to_string(repository().join(&file)).unwrap();
        for line in text.lines().skip(1) {
            let (key, units) = (line.split(',').nth(1).unwrap(), line.rsplit(',').next().unwrap());
            let short = key.split("linux_").nth(1).unwrap().split_once('_').unwrap().1;
            let is_counter = counters.iter().any(|begin| short.starts_with(begin))
                && short != "network_io_interface"
                || short.starts_with("cpu_times_") && !short.starts_with("cpu_times_percent_");
            assert_eq!(units.ends_with(a_second), is_counter, "{file}: {line}");
        }
    }
}
