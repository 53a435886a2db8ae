//! One sample: key, data type, value, and the metadata that tells its series
//! from others.

use std::fmt;
use std::sync::Arc;

/// How the server is to understand a value. The numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DataType {
    /// Text; the latest one counts.
    Text = 2,
    /// A counter of 32 bits that only grows.
    Counter32 = 32,
    /// A counter of 64 bits that only grows.
    Counter64 = 64,
    /// A gauge. The original called it an integer, and sent fractions under it.
    Gauge = 99,
    /// A gauge. The original called it a float.
    GaugeFloat = 101,
}

impl DataType {
    /// The number of this type on the wire.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The type of a wire number, if there is one.
    pub fn from_code(code: u64) -> Option<Self> {
        match code {
            2 => Some(Self::Text),
            32 => Some(Self::Counter32),
            64 => Some(Self::Counter64),
            99 => Some(Self::Gauge),
            101 => Some(Self::GaugeFloat),
            _ => None,
        }
    }
}

/// The value of a datapoint. Any number may stand under any data type but
/// [`DataType::Text`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number, kept exact over 64 bits.
    Integer(u64),
    /// A whole number that may be negative.
    Signed(i64),
    /// A number with a fraction. What is not finite is never sent.
    Float(f64),
    /// Text, for [`DataType::Text`].
    Text(Box<str>),
}

/// Where the metadata of a datapoint stands among the pairs of its document.
/// The checksum depends on the order, so it is part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Before `release`, as the disk usage of the original has it.
    BeforeHost,
    /// After `hostname`, as disk I/O and network have it.
    AfterHost,
}

/// What tells a series from others of the same key: the disk, the interface,
/// the mount, the device. Shared by all datapoints of one such thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// Where the pairs stand in the document.
    pub place: Place,
    /// Key and value; keys are lower case and hold no white space.
    pub pairs: Vec<(&'static str, String)>,
}

/// One sample of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPoint {
    /// What was measured, with its unit where the key does not tell it.
    pub key: &'static str,
    /// How the value is to be understood.
    pub data_type: DataType,
    /// What was read.
    pub value: Value,
    /// What tells this series from others of the same key, if anything.
    pub metadata: Option<Arc<Metadata>>,
}

impl DataPoint {
    /// A datapoint that the whole target has one of.
    pub fn new(key: &'static str, data_type: DataType, value: impl Into<Value>) -> Self {
        Self { key, data_type, value: value.into(), metadata: None }
    }

    /// A datapoint of one disk, interface, mount or device.
    pub fn of(
        metadata: &Arc<Metadata>,
        key: &'static str,
        data_type: DataType,
        value: impl Into<Value>,
    ) -> Self {
        Self { key, data_type, value: value.into(), metadata: Some(Arc::clone(metadata)) }
    }
}

impl Metadata {
    /// Metadata that stands after the host's.
    pub fn after_host(pairs: Vec<(&'static str, String)>) -> Arc<Self> {
        Arc::new(Self { place: Place::AfterHost, pairs })
    }

    /// Metadata that stands before the host's.
    pub fn before_host(pairs: Vec<(&'static str, String)>) -> Arc<Self> {
        Arc::new(Self { place: Place::BeforeHost, pairs })
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into_boxed_str())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

/// As a person reads it; what goes onto the wire is written by the document.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}
