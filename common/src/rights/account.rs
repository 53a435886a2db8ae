//! A user and its groups, as /etc/passwd and /etc/group have them: passwd(5),
//! group(5). They are read here and not by the C library, whose static builds ask
//! no directory service anyway, and whose dynamic ones may wait for one: a user
//! that only such a service knows is named by its number.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::durable_file;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
/// More of these files is not read: some hundred thousand users.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Whom a daemon becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    pub(super) user_id: u32,
    pub(super) group_id: u32,
    /// The groups that it belongs to besides.
    pub(super) others: Vec<u32>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, user_id, group_id, .. } = self;
        write!(f, "{name} (user {user_id}, group {group_id})")
    }
}

impl Account {
    /// The user of this name or number, with the group of this name or number in
    /// place of its own if one is given.
    pub(super) fn find(user: &str, group: Option<&str>) -> Result<Self, String> {
        let read = |file: &str| match durable_file::read_text(Path::new(file), MAX_FILE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            other => other.map_err(|error| format!("{file} cannot be read: {error}")),
        };
        find_in(&read(PASSWD)?, &read(GROUP)?, user, group)
    }

    /// How a shell is told of user and group.
    pub(super) fn for_chown(&self) -> String {
        format!("{}:{}", self.user_id, self.group_id)
    }
}

/// The home of a user by its number.
pub(super) fn home_of(user_id: u32) -> Option<PathBuf> {
    home_in(&durable_file::read_text(Path::new(PASSWD), MAX_FILE_BYTES).ok()?, user_id)
}

/// `name:password:user id:group id:comment:home:shell`
fn home_in(passwd: &str, user_id: u32) -> Option<PathBuf> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        let is_it = fields.next()?.parse() == Ok(user_id);
        fields.nth(2).filter(|home| is_it && !home.is_empty()).map(PathBuf::from)
    })
}

fn find_in(passwd: &str, groups: &str, user: &str, group: Option<&str>) -> Result<Account, String> {
    let by_name = |name: &str| users(passwd).find(|found| found.name == name);
    let by_number = |id: u32| users(passwd).find(|found| found.user_id == id);
    let mut account = match (by_name(user), user.parse::<u32>()) {
        (Some(account), _) => account,
        (None, Ok(id)) => by_number(id)
            .or_else(|| {
                let name = user.to_owned();
                group.map(|_| Account { name, user_id: id, group_id: id, others: Vec::new() })
            })
            .ok_or_else(|| format!("user: {PASSWD} has no user {id}, so name its group too"))?,
        (None, Err(_)) => {
            return Err(format!(
                "user: {PASSWD} has no user {user:?}; make it, or give the number of one that a \
                 directory service knows, with its group"
            ));
        }
    };
    if let Some(group) = group {
        let named = group_lines(groups).find(|found| found.name == group).map(|found| found.id);
        account.group_id = named
            .or_else(|| group.parse().ok())
            .ok_or_else(|| format!("group: {GROUP} has no group {group:?}; make it"))?;
    }
    account.others = group_lines(groups)
        .filter(|found| found.id != account.group_id)
        .filter(|found| found.members.split(',').any(|member| member == account.name))
        .map(|found| found.id)
        .collect();
    Ok(account)
}

/// `name:password:user id:group id:...`
fn users(passwd: &str) -> impl Iterator<Item = Account> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (user_id, group_id) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Account { name, user_id, group_id, others: Vec::new() })
    })
}

struct GroupLine<'t> {
    name: &'t str,
    id: u32,
    members: &'t str,
}

/// `name:password:group id:member,member`
fn group_lines(groups: &str) -> impl Iterator<Item = GroupLine<'_>> {
    groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some(GroupLine { name, id: fields.nth(1)?.parse().ok()?, members: fields.next()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n\
                         # no user\n\
                         broken:x:many:1::/:\n\
                         pattoo:x:990:980::/nonexistent:/usr/sbin/nologin\n\
                         12:x:77:78::/:\n";
    const GROUPS: &str = "root:x:0:\nadm:x:4:syslog,pattoo\npattoo:x:980:pattoo\n\
                          disk:x:6:pattoox\nlogs:x:4000:pattoo\nbroken\n";

    fn found(user: &str, group: Option<&str>) -> Result<(u32, u32, Vec<u32>), String> {
        find_in(USERS, GROUPS, user, group)
            .map(|account| (account.user_id, account.group_id, account.others))
    }

    #[test]
    fn a_home_is_that_of_the_number() {
        assert_eq!(home_in(USERS, 0), Some("/root".into()));
        assert_eq!(home_in(USERS, 990), Some("/nonexistent".into()));
        assert_eq!((home_in(USERS, 1), home_in("a:x:1:1::", 1)), (None, None));
    }

    #[test]
    fn by_name_with_all_its_groups() {
        assert_eq!(found("pattoo", None), Ok((990, 980, vec![4, 4000])));
        assert_eq!(found("pattoo", Some("adm")), Ok((990, 4, vec![980, 4000])));
        assert_eq!(found("pattoo", Some("1234")), Ok((990, 1234, vec![4, 980, 4000])));
        assert_eq!(found("root", None), Ok((0, 0, vec![])));
    }

    #[test]
    fn by_number_where_no_name_is_the_same() {
        assert_eq!(found("990", None), Ok((990, 980, vec![4, 4000])));
        assert_eq!(found("12", None), Ok((77, 78, vec![])));
        assert_eq!(found("5555", Some("6")), Ok((5555, 6, vec![])));
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(found("patoo", None).unwrap_err().contains("\"patoo\""));
        assert!(found("broken", None).unwrap_err().contains("broken"));
        assert!(found("5555", None).unwrap_err().contains("5555"));
        assert!(found("pattoo", Some("pato")).unwrap_err().contains("\"pato\""));
        assert!(found("", None).is_err());
    }
}
