//! A batch that is written once, and of which then only times and values are
//! written over, in fields of one width: made fast enough that the load is not
//! what is measured.

use pattoo_common::datapoint::Value;
use pattoo_common::document::{Batch, Document};

use crate::fleet;

/// What stands for the value of the first series while a batch is being made;
/// the others follow. So many digits, so wide is the field.
const FIRST_VALUE: u64 = 1_000_000_000_000_000;
const VALUE_WIDTH: usize = 16;
/// Digits of Unix times in milliseconds.
const TIME_WIDTH: usize = 13;

/// The batch.
pub struct Template {
    body: Vec<u8>,
    /// Where a value stands, and the number of its series.
    values: Vec<(usize, usize)>,
    /// Where a time stands, and how far it is behind the poll.
    times: Vec<(usize, u64)>,
}

impl Template {
    /// One poll of some devices, whose documents `document` makes: it is given the
    /// device and what to write instead of each value.
    pub fn new(
        devices: impl Iterator<Item = usize>,
        mut document: impl FnMut(usize, &mut dyn FnMut(Value) -> Value) -> Vec<u8>,
    ) -> Self {
        let mut next = FIRST_VALUE;
        let documents = devices.map(|device| document(device, &mut number_from(&mut next)));
        Self::of(documents.collect())
    }

    /// So many polls of one device of the fleet.
    pub fn backlog(device: usize, polls: u64, poll_ms: u64) -> Self {
        let mut next = FIRST_VALUE;
        let documents = (0..polls)
            .map(|poll| fleet::later_document(device, poll * poll_ms, number_from(&mut next)));
        let mut template = Self::of(documents.collect());
        let series = template.values.len() / usize::try_from(polls).expect("small");
        for (_, number) in &mut template.values {
            *number %= series;
        }
        template
    }

    fn of(documents: Vec<Vec<u8>>) -> Self {
        let mut batch = Batch::new();
        for document in documents {
            batch.add(&Document::parse(&document).expect("a document")).expect("room for it");
        }
        let body = batch.finish(&"b".repeat(64), 0, 10_000);
        let text = std::str::from_utf8(&body).expect("JSON");
        let values = fields(text, "\"pattoo_value\",", VALUE_WIDTH);
        let series = |number| usize::try_from(number - FIRST_VALUE).expect("small");
        let values = values.map(|(at, number)| (at, series(number))).collect();
        let times: Vec<_> = fields(text, "\"pattoo_timestamp\",", TIME_WIDTH).collect();
        let last = times.iter().map(|(_, time)| *time).max().expect("there are times");
        let times = times.into_iter().map(|(at, time)| (at, last - time)).collect();
        Self { body, values, times }
    }

    /// How many datapoints it has.
    pub fn datapoints(&self) -> usize {
        self.values.len()
    }

    /// How many series they are of.
    pub fn series(&self) -> usize {
        self.values.iter().map(|(_, series)| series + 1).max().unwrap_or(0)
    }

    /// Lets every time be so far behind the poll as `change` makes it.
    pub fn change_times(&mut self, mut change: impl FnMut() -> u64) {
        for (_, behind_ms) in &mut self.times {
            *behind_ms = change();
        }
    }

    /// The batch of the poll at this time: `write` is given the number of each
    /// series, in the order of the documents, and the field of its value.
    pub fn fill(&mut self, poll_ms: u64, mut write: impl FnMut(usize, &mut [u8])) -> &[u8] {
        for (at, behind_ms) in &self.times {
            write_field(&mut self.body[*at..*at + TIME_WIDTH], poll_ms - behind_ms);
        }
        for (at, series) in &self.values {
            write(*series, &mut self.body[*at..*at + VALUE_WIDTH]);
        }
        &self.body
    }
}

fn number_from(next: &mut u64) -> impl FnMut(Value) -> Value {
    |_| {
        *next += 1;
        Value::Integer(*next - 1)
    }
}

/// The places, and the numbers, behind a key.
fn fields<'t>(
    text: &'t str,
    key: &'t str,
    width: usize,
) -> impl Iterator<Item = (usize, u64)> + 't {
    text.match_indices(key).map(move |(at, _)| {
        let at = at + key.len();
        (at, text[at..at + width].parse().expect("a number of that width"))
    })
}

/// Writes a number to the right end of a field, with spaces before it.
pub fn write_field(field: &mut [u8], mut number: u64) {
    let mut place = field.len();
    loop {
        place -= 1;
        field[place] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    field[..place].fill(b' ');
}
