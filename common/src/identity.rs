//! Who an agent is to the server: the name of its host, and its agent id.

use std::time::Instant;

use crate::agent_id::{AgentId, Place};
use crate::config::Pattoo;
use crate::host_name::{self, HostName, LOOKUP_TIME};

/// What an agent's identity is found from.
#[derive(Debug, Clone, Copy)]
pub struct Seek<'a> {
    /// Where names and ids are kept.
    pub pattoo: &'a Pattoo,
    /// The program, such as `pattoo_agent_linux_hubd`.
    pub program: &'static str,
    /// The host name of the configuration, if it has one.
    pub hostname: Option<&'a str>,
    /// The kernel's name of this machine.
    pub node_name: &'a str,
}

/// Who an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name of its host, never empty.
    pub host_name: String,
    /// 64 lower-case hexadecimal digits.
    pub agent_id: String,
}

impl Seek<'_> {
    /// The identity; what is new about it is kept on disk. May start a thread to
    /// look the name up, and waits for it for at most [`LOOKUP_TIME`].
    ///
    /// # Errors
    /// Which file could not be read or written, and what to do.
    pub fn find_or_create(&self) -> Result<Identity, String> {
        let name = self.host_name(host_name::host_name);
        log::info!("host name: {} ({})", name.name, name.origin);
        let AgentId { id, origin } =
            self.place(&name.name).find_or_create().map_err(|error| error.to_string())?;
        log::info!("agent id: {id} ({origin})");
        Ok(Identity { host_name: name.name, agent_id: id })
    }

    /// What `--check` says of it; writes nothing.
    pub fn check(&self) -> [String; 2] {
        let name = self.host_name(host_name::find);
        let place = self.place(&name.name);
        let agent_id = match place.find() {
            Ok(Some(AgentId { id, origin })) => format!("{id} ({origin})"),
            Ok(None) => format!("a new one will be kept in {}", place.file().display()),
            Err(error) => error.to_string(),
        };
        [format!("host name: {} ({})", name.name, name.origin), format!("agent id: {agent_id}")]
    }

    fn host_name(
        &self,
        find: impl FnOnce(Option<&str>, &str, &std::path::Path, Instant) -> HostName,
    ) -> HostName {
        let keep_in = self.pattoo.agent_id_directory();
        find(self.hostname, self.node_name, &keep_in, Instant::now() + LOOKUP_TIME)
    }

    fn place<'p>(&'p self, host_name: &'p str) -> Place<'p> {
        Place::new(&self.pattoo.daemon_directory, self.program, host_name)
    }
}
