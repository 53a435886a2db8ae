//! Which part of a list a connection shows: Relay's `first`, `last`, `after` and
//! `before` over the offsets of [`super::id::cursor`].

use super::id;

/// The most rows that one connection gives. Whoever wants more asks for the next
/// page; `hasNextPage` says that there is one.
pub(super) const MAX_PAGE: u64 = 10_000;

/// What a query asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) first: Option<i32>,
    pub(super) last: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

/// The rows to read: at most `limit` from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    /// One more than are shown, where it matters whether there are more.
    pub(super) limit: u64,
    shown: u64,
    has_previous: bool,
    tells_next: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// How many of the rows are shown.
    pub(super) shown: usize,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
}

impl Asked {
    /// Whether the number of all rows must be known: where the end is asked for.
    pub(super) fn wants_count(&self) -> bool {
        self.last.is_some()
    }

    /// The rows to read. `count` is the number of all rows, if it is known.
    pub(super) fn span(&self, count: Option<u64>) -> Result<Span, String> {
        let not_negative = |name: &str, value: Option<i32>| match value.map(u64::try_from) {
            Some(Err(_)) => Err(format!("{name} must not be negative")),
            Some(Ok(value)) => Ok(Some(value)),
            None => Ok(None),
        };
        let first = not_negative("first", self.first)?;
        let last = not_negative("last", self.last)?;
        // As in the original, what is no cursor of ours counts as none.
        let offset = |cursor: &Option<String>| cursor.as_deref().and_then(id::offset);
        let lower = offset(&self.after).map_or(0, |after| after.saturating_add(1));
        let before = offset(&self.before);
        let upper = [count, before].into_iter().flatten().min();

        let mut start = lower;
        let mut end = upper;
        if let Some(first) = first {
            let after_first = start.saturating_add(first);
            end = Some(end.map_or(after_first, |end| end.min(after_first)));
        }
        if let (Some(last), Some(end)) = (last, end) {
            start = start.max(end.saturating_sub(last));
        }
        let shown = end.map_or(MAX_PAGE, |end| end.saturating_sub(start).min(MAX_PAGE));
        let capped = end.is_none_or(|end| end.saturating_sub(start) > MAX_PAGE);
        Ok(Span {
            offset: start,
            limit: shown + 1,
            shown,
            has_previous: last.is_some() && start > lower,
            // A page that ends at `before` has what follows it by definition, and
            // the original says so only where `first` cut it short.
            tells_next: capped
                || (first.is_some() && upper.is_none_or(|upper| end.is_none_or(|end| end < upper))),
        })
    }
}

impl Span {
    /// What it means that so many rows were read.
    pub(super) fn found(&self, read: usize) -> Found {
        let shown = usize::try_from(self.shown).unwrap_or(usize::MAX).min(read);
        Found { shown, has_next: self.tells_next && read > shown, has_previous: self.has_previous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(
        first: Option<i32>,
        last: Option<i32>,
        after: Option<u64>,
        before: Option<u64>,
    ) -> Asked {
        Asked { first, last, after: after.map(id::cursor), before: before.map(id::cursor) }
    }

    /// Offset, rows shown, next, previous, of a list of `count`.
    fn page(asked: &Asked, count: u64) -> (u64, usize, bool, bool) {
        let span = asked.span(asked.wants_count().then_some(count)).unwrap();
        let read = count.saturating_sub(span.offset).min(span.limit);
        let found = span.found(usize::try_from(read).unwrap());
        (span.offset, found.shown, found.has_next, found.has_previous)
    }

    #[test]
    fn pages_are_those_of_the_original() {
        assert_eq!(page(&asked(None, None, None, None), 190), (0, 190, false, false));
        assert_eq!(page(&asked(Some(2), None, None, None), 190), (0, 2, true, false));
        assert_eq!(page(&asked(Some(2), None, Some(1), None), 190), (2, 2, true, false));
        assert_eq!(page(&asked(None, Some(2), None, None), 190), (188, 2, false, true));
        assert_eq!(page(&asked(None, Some(2), None, Some(188)), 190), (186, 2, false, true));
        assert_eq!(page(&asked(Some(2), None, Some(187), None), 190), (188, 2, false, false));
        assert_eq!(page(&asked(Some(2), None, Some(500), None), 190), (501, 0, false, false));
        assert_eq!(page(&asked(Some(0), None, None, None), 190), (0, 0, true, false));
        assert_eq!(page(&asked(None, Some(500), None, None), 190), (0, 190, false, false));
        assert_eq!(page(&asked(Some(5), Some(2), None, None), 190), (3, 2, true, true));
        assert_eq!(page(&asked(Some(5), None, None, Some(3)), 190), (0, 3, false, false));
    }

    #[test]
    fn a_list_without_a_limit_is_cut_and_says_so() {
        let all = asked(None, None, None, None);
        assert_eq!(page(&all, MAX_PAGE), (0, 10_000, false, false));
        assert_eq!(page(&all, MAX_PAGE + 1), (0, 10_000, true, false));
        assert_eq!(
            page(&asked(Some(i32::MAX), None, None, None), 20_000),
            (0, 10_000, true, false)
        );
    }

    #[test]
    fn a_page_of_less_than_nothing_is_an_error() {
        assert!(asked(Some(-1), None, None, None).span(None).unwrap_err().contains("first"));
        assert!(asked(None, Some(-1), None, None).span(Some(1)).unwrap_err().contains("last"));
    }

    #[test]
    fn what_is_no_cursor_counts_as_none() {
        let odd = Asked { first: Some(1), after: Some("?".into()), ..Asked::default() };
        assert_eq!(page(&odd, 3), (0, 1, true, false));
    }
}
