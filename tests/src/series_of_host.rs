//! The series of a host that no machine stands behind.

use pattoo_common::document::{Series, Target};

/// The series of the spoke of a host of this name, which is its agent id too.
pub fn series_of_host(name: &str) -> Series {
    Series::new(Target {
        agent_id: format!("{name:0>64}"),
        program: "pattoo_agent_linux_spoked",
        agent_hostname: name.to_owned(),
        polled_target: name.to_owned(),
        metadata: vec![("hostname", name.to_owned())],
    })
}
