//! An open port of a real program, and what the program takes of the machine.

use std::fs;

use pattoo_tests::attack::Target;
use pattoo_tests::{
    Daemon, Folder, PATIENCE, Process, Server, SpokeOptions, binary, free_port, http_get,
    http_post, wait_until, write_spoke_config,
};

const SPOKE: &str = "pattoo_agent_linux_spoked";
/// An answer of some hundred kilobytes: the whole schema of GraphQL.
const INTROSPECTION: &str = "/pattoo/api/v1/web/graphql?query=%7B__schema%7Btypes%7Bname%20description\
     %20fields%7Bname%20description%20args%7Bname%20description%7D%7D%7D%7D%7D";

/// What a program has of threads, descriptors and memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) threads: usize,
    pub(crate) descriptors: usize,
    /// Without the pages of files, which the kernel may take back at any time.
    pub(crate) memory_kib: usize,
    /// With them.
    pub(crate) peak_memory_kib: usize,
}

impl Figures {
    pub(crate) fn of(process: Process) -> Self {
        let count = |what| fs::read_dir(format!("/proc/{process}/{what}")).unwrap().count();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let kib = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Self {
            threads: count("task"),
            descriptors: count("fd"),
            memory_kib: kib("RssAnon:"),
            peak_memory_kib: kib("VmHWM:"),
        }
    }
}

/// The spoke.
pub(crate) struct Spoke {
    pub(crate) port: u16,
    pub(crate) daemon: Daemon,
    folder: Folder,
}

impl Spoke {
    /// Configures one; `more` is put at the end of its file. It does not run yet.
    pub(crate) fn new(more: &str) -> Self {
        let folder = Folder::new("front-door");
        let port = free_port();
        let options = SpokeOptions { port, fixture: None, more: more.to_owned() };
        let configuration = write_spoke_config(&folder, &options);
        let pid_file = folder.join(format!("run/pid/{SPOKE}.pid"));
        let daemon = Daemon::new(binary(SPOKE), &configuration, pid_file);
        Self { port, daemon, folder }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{SPOKE}.log"))).unwrap_or_default()
    }

    /// Where it is attacked.
    pub(crate) fn target(&self) -> Target {
        let path = "/pattoo-agent-linux/300".to_owned();
        Target { port: self.port, fresh: path.clone(), get: path.clone(), post: path }
    }
}

/// Where the server is attacked: the agents' port.
pub(crate) fn agents(server: &Server) -> Target {
    Target {
        port: server.agent_port,
        fresh: "/pattoo/api/v1/agent/status".into(),
        get: "/pattoo/api/v1/agent/status".into(),
        post: "/pattoo/api/v1/agent/receive/hub".into(),
    }
}

/// Where the server is attacked: the web's port.
pub(crate) fn web(server: &Server) -> Target {
    Target {
        port: server.web_port,
        fresh: "/pattoo/api/v1/web/status".into(),
        get: INTROSPECTION.into(),
        post: "/pattoo/api/v1/web/graphql".into(),
    }
}

/// Has a program do once what it does only once, such as opening a database, and
/// gives what it takes at rest.
pub(crate) fn at_rest(process: Process, targets: &[Target]) -> Figures {
    for target in targets {
        for _ in 0..8 {
            for path in [&target.fresh, &target.get] {
                assert_eq!(http_get(target.port, path).unwrap().status, 200, "{path}");
            }
            http_post(target.port, &target.post, &[], b"{}").unwrap();
        }
    }
    Figures::of(process)
}

/// By how much more a program may have after an attack than at rest before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    memory_kib: usize,
    descriptors: usize,
}

impl Growth {
    pub(crate) const SPOKE: Self = Self { memory_kib: 2 << 10, descriptors: 0 };
    /// The store keeps the connections to its database that answers have opened: six
    /// at most, of three files each, and what each remembers of it.
    pub(crate) const SERVER: Self = Self { memory_kib: 8 << 10, descriptors: 18 };
}

/// Waits until a program has the threads of before, and the descriptors and the memory
/// that it may have.
pub(crate) fn assert_back_at_rest(process: Process, before: Figures, growth: Growth) -> Figures {
    wait_until(&format!("{growth:?} above {before:?}"), PATIENCE, || {
        let now = Figures::of(process);
        now.threads <= before.threads
            && now.descriptors <= before.descriptors + growth.descriptors
            && now.memory_kib <= before.memory_kib + growth.memory_kib
    });
    Figures::of(process)
}
