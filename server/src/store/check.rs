//! Looks at every blob and every page of a database.

use std::path::Path;

use rusqlite::Connection;

use super::blob::{self, Damage, Kind};
use super::error::StoreError;
use super::keys::{SeriesId, series_of};
use super::recent::Row;
use super::tables::{HourRollUps, Resolution, Tier};
use super::times::TimesCache;
use super::{DATABASE_FILE, schema, tables};

/// Faults that are listed; all are counted.
const FAULTS_LISTED: usize = 1_000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Blobs looked at.
    pub blobs: u64,
    /// Samples in sealed chunks.
    pub sealed_samples: u64,
    /// How many faults there are.
    pub faults: u64,
    /// The first thousand, in words.
    pub listed: Vec<String>,
    /// Blobs that were set aside earlier as damaged.
    pub set_aside: u64,
}

impl Findings {
    fn fault(&mut self, what: String) {
        self.faults += 1;
        if self.listed.len() < FAULTS_LISTED {
            self.listed.push(what);
        }
    }
}

/// Checks the database of a data folder, while another process may be using it.
/// The look at samples is of one moment; the log grows until it is done.
pub fn check(folder: &Path) -> Result<Findings, StoreError> {
    let mut connection = schema::open_reader(&folder.join(DATABASE_FILE))?;
    let snapshot = connection.transaction()?;
    let mut findings = Findings::default();
    pages(&snapshot, &mut findings)?;
    recent(&snapshot, &mut findings)?;
    for tier in [Tier::Hour, Tier::Day] {
        chunks(&snapshot, tier, &mut findings)?;
    }
    for resolution in [Resolution::FiveMinutes, Resolution::OneHour] {
        rollups(&snapshot, resolution, &mut findings)?;
    }
    findings.set_aside =
        snapshot.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0))?;
    Ok(findings)
}

fn pages(snapshot: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
    let mut statement = snapshot.prepare(&format!("PRAGMA integrity_check({FAULTS_LISTED})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    for line in lines {
        let line = line?;
        if line != "ok" {
            findings.fault(format!("database: {line}"));
        }
    }
    Ok(())
}

fn recent(snapshot: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
    let mut statement = snapshot.prepare("SELECT hour, shard, seq, blob FROM recent")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (hour, shard, seq): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let blob = row.get_ref(3)?.as_blob().unwrap_or_default();
        findings.blobs += 1;
        let content = blob::open(Kind::Recent, [hour, shard], blob);
        if let Err(Damage(reason)) = content.and_then(|content| Row::parse(content).map(|_| ())) {
            findings.fault(format!("recent, hour {hour}, shard {shard}, row {seq}: {reason}"));
        }
    }
    Ok(())
}

fn chunks(snapshot: &Connection, tier: Tier, findings: &mut Findings) -> Result<(), StoreError> {
    let cache = TimesCache::default();
    let mut statement = snapshot.prepare(&format!("SELECT id FROM {}", tier.rows()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let window = u32::try_from(key >> 32).unwrap_or(0);
        findings.blobs += 1;
        match tables::chunk_samples(snapshot, &cache, tier, window, series_of(key))? {
            Ok(samples) => {
                findings.sealed_samples += samples.len() as u64;
                if tier == Tier::Hour {
                    hour_rollups(snapshot, window, series_of(key), samples.len(), findings)?;
                }
            }
            Err(broken) => findings.fault(broken.to_string()),
        }
    }
    Ok(())
}

fn hour_rollups(
    snapshot: &Connection,
    hour: u32,
    series: SeriesId,
    samples: usize,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    match tables::hour_rollups(snapshot, hour, series)? {
        Ok(HourRollUps::Stored(buckets)) => {
            let told: u64 = buckets.iter().map(|bucket| u64::from(bucket.count)).sum();
            if told != samples as u64 {
                findings.fault(format!(
                    "hour_chunk, series {series}, hour {hour}: {samples} samples, but its roll-ups \
                     tell of {told}"
                ));
            }
        }
        Ok(_) => {}
        Err(broken) => findings.fault(broken.to_string()),
    }
    Ok(())
}

fn rollups(
    snapshot: &Connection,
    resolution: Resolution,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let Some((tier, _)) = resolution.tier() else { return Ok(()) };
    let cache = TimesCache::default();
    let mut statement = snapshot.prepare(&format!("SELECT id FROM {}", tier.rows()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let day = u32::try_from(key >> 32).unwrap_or(0);
        findings.blobs += 1;
        if let Err(broken) =
            tables::stored_rollup(snapshot, &cache, resolution, day, series_of(key))?
        {
            findings.fault(broken.to_string());
        }
    }
    Ok(())
}
