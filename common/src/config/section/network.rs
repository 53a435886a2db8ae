//! Keys that name hosts, addresses, ports and networks.

use std::net::IpAddr;

use super::Section;
use crate::allow_from::AllowFrom;
use crate::config::line::Step;
use crate::config::report::Origin;
use crate::config::value;
use crate::config::yaml::Node;

impl Section<'_> {
    /// The name of a host, such as `web1.example.org`, that may be missing.
    pub fn optional_host_name(&mut self, key: &'static str, otherwise: &str) -> Option<String> {
        self.optional(
            key,
            "the name of a host, without spaces",
            otherwise,
            value::host_name,
            Clone::clone,
        )
    }

    /// A host name, an IPv4 or an IPv6 address; the latter may stand in brackets,
    /// which are taken off.
    pub fn host(&mut self, key: &'static str, default: &str) -> String {
        self.value(key, default.to_owned(), value::HOST_WANTED, value::host, Clone::clone)
    }

    /// Like [`Section::host`] for a key that must be there.
    pub fn required_host(&mut self, key: &'static str) -> Option<String> {
        let Some((name, node)) = self.find(key) else {
            self.wrong(key, &format!("it is missing; wanted {}", value::HOST_WANTED));
            return None;
        };
        let host = value::host(node);
        match &host {
            Some(host) => self.note(key, host.clone(), Origin::File),
            None => self.refuse(name, node, value::HOST_WANTED),
        }
        host
    }

    /// An address of this machine to listen at; `localhost` is 127.0.0.1.
    pub fn listen_address(&mut self, key: &'static str, default: IpAddr) -> IpAddr {
        let wanted =
            "an IPv4 or IPv6 address of this machine, 0.0.0.0 for all of IPv4, \"::\" for all";
        self.value(key, default, wanted, value::listen_address, ToString::to_string)
    }

    /// A TCP port.
    pub fn port(&mut self, key: &'static str, default: u16) -> u16 {
        let read =
            |node: &Node| value::integer(node, &[]).and_then(|port| u16::try_from(port).ok());
        let read = |node: &Node| read(node).filter(|port| *port != 0);
        self.value(key, default, "a port from 1 to 65535", read, ToString::to_string)
    }

    /// The networks that clients may come from; a lone one counts as a list of one.
    /// Without the key they may come from everywhere, and a key that names none is a
    /// mistake: whoever emptied it may have meant nobody.
    pub fn allow_from(&mut self, key: &'static str) -> AllowFrom {
        let Some((name, node)) = self.find(key).filter(|(_, node)| !names_nothing(node)) else {
            let wanted = "name the networks that may come in, such as 192.0.2.0/24; if all may, \
                          take the key out";
            self.refuse_if_empty(key, wanted);
            self.note(key, AllowFrom::default().to_string(), Origin::Default);
            return AllowFrom::default();
        };
        let items = match node {
            Node::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut networks = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let text = value::text(item).ok_or_else(|| {
                format!("{item} stands here; wanted a network such as 192.0.2.0/24")
            });
            match text.and_then(|text| text.parse()) {
                Ok(network) => networks.push(network),
                Err(message) => {
                    let mut path = self.path_of(name);
                    path.push(Step::Item(index));
                    self.findings.problem(self.file, &path, message);
                }
            }
        }
        let allow_from = AllowFrom::new(networks);
        self.note(key, allow_from.to_string(), Origin::File);
        allow_from
    }
}

fn names_nothing(node: &Node) -> bool {
    matches!(node, Node::List(items) if items.is_empty())
}
