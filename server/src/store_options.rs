//! The store as the configuration wants it.

use pattoo_common::config::{KeepConfig, StoreConfig};

use crate::store::{Keep, Options, Retention};

/// How every program of ours opens the store.
pub(crate) fn store_options(config: &StoreConfig) -> Options {
    Options {
        retention: Retention {
            raw: keep(config.raw),
            five_minutes: keep(config.five_minutes),
            one_hour: keep(config.one_hour),
        },
        series_of_agent: config.max_series_per_agent,
        ..Options::new(&config.directory)
    }
}

/// In whole days: what is younger is never deleted.
fn keep(keep: KeepConfig) -> Keep {
    let days = keep.max_age.as_secs().div_ceil(86_400);
    Keep { days: u32::try_from(days).unwrap_or(u32::MAX), bytes: keep.max_bytes }
}
