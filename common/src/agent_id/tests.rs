use std::collections::HashSet;
use std::os::unix::fs::symlink;

use super::*;
use crate::test_folder::TestFolder;

const ID: &str = "66cf0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";
const PROGRAM: &str = "pattoo_agent_linux_spoked";

/// A machine of its own: a daemon folder, `machine-id`, `net`.
struct Machine {
    folder: TestFolder,
    daemon_directory: PathBuf,
    installation_id: PathBuf,
    interfaces: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let folder = TestFolder::new();
        let path = |name: &str| folder.path().join(name);
        let (daemon_directory, installation_id, interfaces) =
            (path("daemon"), path("machine-id"), path("net"));
        fs::create_dir(&interfaces).expect("a folder");
        Self { folder, daemon_directory, installation_id, interfaces }
    }

    fn place<'a>(&'a self, program: &'a str, host_name: &'a str) -> Place<'a> {
        Place {
            daemon_directory: &self.daemon_directory,
            program,
            host_name,
            machine_id: &self.installation_id,
            network_interfaces: &self.interfaces,
        }
    }

    /// Writes an id file as the original would, and returns its path.
    fn write(&self, name: &str, contents: &str) -> PathBuf {
        let folder = self.daemon_directory.join("agent_id");
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(name);
        fs::write(&path, contents).expect("written");
        path
    }

    fn interface(&self, name: &str, assigned: &str, address: &str) {
        let folder = self.interfaces.join(name);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("addr_assign_type"), assigned).expect("written");
        fs::write(folder.join("address"), address).expect("written");
    }
}

#[test]
fn the_file_of_the_original_is_taken() {
    let machine = Machine::new();
    let path = machine.write("web1.pattoo_agent_linux_spoked.agent_id", ID);
    machine.write("web2.pattoo_agent_linux_spoked.agent_id", &ID.replace('6', "7"));
    let found = machine.place(PROGRAM, "web1").find_or_create().expect("an id");
    assert_eq!(found, AgentId { id: ID.to_owned(), origin: Origin::Kept(path) });
}

#[test]
fn a_line_end_and_further_lines_do_no_harm() {
    let machine = Machine::new();
    machine.write("web1.pattoo_agent_linux_spoked.agent_id", &format!("{ID}\r\nnote\n"));
    assert_eq!(machine.place(PROGRAM, "web1").find_or_create().expect("an id").id, ID);
}

#[test]
fn a_renamed_host_stays_who_it_is() {
    let machine = Machine::new();
    let path = machine.write("old.name.pattoo_agent_linux_spoked.agent_id", ID);
    machine.write("old.name.pattoo_agent_linux_hubd.agent_id", &ID.replace('6', "7"));
    let found = machine.place(PROGRAM, "new").find_or_create().expect("an id");
    assert_eq!(found, AgentId { id: ID.to_owned(), origin: Origin::Kept(path) });
}

#[test]
fn of_several_others_none_is_taken() {
    let machine = Machine::new();
    machine.write("web1.pattoo_agent_linux_spoked.agent_id", ID);
    machine.write("web2.pattoo_agent_linux_spoked.agent_id", &ID.replace('6', "7"));
    assert_eq!(machine.place(PROGRAM, "web3").existing_file().expect("readable"), None);
}

#[test]
fn garbage_is_told_and_left_alone() {
    for garbage in ["", "\n", "garbage", &ID[1..], &ID.to_uppercase(), &format!("{ID}0"), "\0"] {
        let machine = Machine::new();
        let path = machine.write("web1.pattoo_agent_linux_spoked.agent_id", garbage);
        let error = machine.place(PROGRAM, "web1").find_or_create().expect_err("no id");
        assert_eq!(error.path, path);
        assert!(error.to_string().contains("from a backup"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), garbage);
    }
    let machine = Machine::new();
    let path = machine.write("web1.pattoo_agent_linux_spoked.agent_id", ID);
    fs::remove_file(&path).expect("removed");
    symlink("nowhere", &path).expect("a link");
    assert!(machine.place(PROGRAM, "web1").find_or_create().is_err());
}

/// Whatever the test's folder is on: what is created is found again.
#[test]
fn a_new_id_is_kept() {
    let machine = Machine::new();
    let place = machine.place(PROGRAM, "web1");
    assert_eq!(place.find().expect("nothing wrong"), None);
    assert!(!machine.daemon_directory.exists(), "finding must not write");
    let created = place.find_or_create().expect("a new id");
    let expected =
        machine.daemon_directory.join("agent_id").join(format!("web1.{PROGRAM}.agent_id"));
    assert_eq!(place.file(), expected);
    assert_eq!(fs::read_to_string(&expected).expect("its file"), created.id);
    let again = place.find_or_create().expect("the same id");
    assert_eq!(again, AgentId { id: created.id, origin: Origin::Kept(expected) });
}

#[test]
fn new_ids_differ() {
    let machine = Machine::new();
    let names = [("a", "p"), ("a", "q")];
    let ids: HashSet<_> = names
        .iter()
        .map(|(host, program)| machine.place(program, host).find_or_create().expect("an id").id)
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| id.len() == DIGITS));
}

#[test]
fn a_host_name_does_not_lead_out_of_the_folder() {
    let machine = Machine::new();
    let file = machine.place(PROGRAM, "../../etc/x").file();
    assert_eq!(file.parent(), Some(machine.daemon_directory.join("agent_id").as_path()));
}

#[test]
fn an_unwritable_folder_is_told() {
    let machine = Machine::new();
    fs::write(&machine.daemon_directory, "a file").expect("written");
    let error = machine.place(PROGRAM, "web1").find_or_create().expect_err("no folder");
    assert!(error.path.starts_with(machine.folder.path()), "{error}");
}

#[test]
fn an_id_is_derived_from_the_machine_id() {
    let machine = Machine::new();
    fs::write(&machine.installation_id, "0123456789abcdef0123456789abcdef\n").expect("written");
    let found = machine.place(PROGRAM, "web1").derive().expect("an id");
    assert_eq!(found.origin, Origin::MachineId(machine.installation_id.clone()));
    // Fixed for good: a change here would cut the history of such machines.
    let fixed = "417d93700b76392c710abbf99332329d429eb6ac983ff86d9c3992c710e292f7";
    assert_eq!(found.id, fixed);
    assert_eq!(machine.place(PROGRAM, "renamed").derive().expect("an id"), found);
    assert_ne!(machine.place("another", "web1").derive().expect("an id").id, found.id);
}

#[test]
fn an_id_is_derived_from_the_first_permanent_address() {
    let machine = Machine::new();
    for none in ["uninitialized\n", "", "00000000000000000000000000000000\n"] {
        fs::write(&machine.installation_id, none).expect("written");
        assert_eq!(machine.place(PROGRAM, "web1").derive(), None, "{none:?}");
    }
    machine.interface("lo", "0\n", "00:00:00:00:00:01\n");
    machine.interface("docker0", "3\n", "02:42:00:00:00:01\n");
    machine.interface("dummy0", "0\n", "00:00:00:00:00:00\n");
    machine.interface("ib0", "0\n", "80:00:02:08:fe:80:00:00\n");
    assert_eq!(machine.place(PROGRAM, "web1").derive(), None);
    machine.interface("eth1", "0\n", "52:54:00:12:34:57\n");
    machine.interface("eth0", "0\n", "52:54:00:12:34:56\n");
    let found = machine.place(PROGRAM, "web1").derive().expect("an id");
    assert_eq!(found.origin, Origin::MacAddress("eth0".to_owned()));
    assert_eq!(found.id, "86b0a1adeea4365710545efacb433b94bb93dbc9b4b09dc9ddedd4916ee32832");
}
