//! Every sample of a stretch of time, as it came: the store gives so many points
//! a question, and here one question is made of as many as it takes.

use std::time::Instant;

use crate::store::{Points, PointsQuery, Resolution, SeriesId, Store, StoreError};

pub(crate) use crate::store::Point;

/// Hands over the samples of a series from `from_ms` up to `to_ms`, oldest
/// first, until `take` says that it has enough. Roll-ups that outlived their
/// samples are left out.
pub(crate) fn each(
    store: &Store,
    series: SeriesId,
    (from_ms, to_ms): (u64, u64),
    deadline: Instant,
    take: &mut impl FnMut(Point) -> bool,
) -> Result<bool, StoreError> {
    if from_ms >= to_ms {
        return Ok(true);
    }
    let query = PointsQuery { deadline, ..PointsQuery::new(series, from_ms, to_ms) };
    let Some(Points { points, step_ms, resolution, .. }) = store.points(&query)? else {
        return Ok(true);
    };
    if step_ms.is_some() && to_ms - from_ms > 1 {
        // More than one answer holds.
        let middle_ms = from_ms + (to_ms - from_ms) / 2;
        return Ok(each(store, series, (from_ms, middle_ms), deadline, take)?
            && each(store, series, (middle_ms, to_ms), deadline, take)?);
    }
    Ok(resolution != Resolution::Raw || points.into_iter().all(take))
}
