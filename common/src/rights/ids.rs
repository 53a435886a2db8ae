//! The ids of this process: setresuid(2) and its like.
#![allow(unsafe_code)]

use std::io;

use super::account::Account;

/// Leaves an id as it is, to setresuid(2) and setresgid(2).
const KEEP: u32 = u32::MAX;

/// Whose rights this process has.
pub(super) fn user_id() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether this process may become anybody.
pub(super) fn is_root() -> bool {
    user_id() == 0
}

/// Whether this process has the ids of an account already.
pub(super) fn is(account: &Account) -> bool {
    // SAFETY: the calls take nothing and cannot fail.
    unsafe { libc::geteuid() == account.user_id && libc::getegid() == account.group_id }
}

/// Takes the account's groups and effective ids, and can go back.
pub(super) fn lean(account: &Account) -> Result<(), String> {
    set_groups(account)
        .and_then(|()| set_group_ids(KEEP, account.group_id, KEEP))
        .and_then(|()| set_user_ids(KEEP, account.user_id, KEEP))
        .map_err(|error| cannot(account, &error))
}

/// Takes root's effective ids back.
pub(super) fn straighten() -> Result<(), String> {
    set_user_ids(KEEP, 0, KEEP)
        .and_then(|()| set_group_ids(KEEP, 0, KEEP))
        .map_err(|error| format!("cannot take root's rights back: {error}"))
}

/// Takes all ids of the account, without a way back.
pub(super) fn become_account(account: &Account) -> Result<(), String> {
    straighten()?;
    let Account { user_id, group_id, .. } = *account;
    // Groups first, while that is still allowed.
    set_groups(account)
        .and_then(|()| set_group_ids(group_id, group_id, group_id))
        .and_then(|()| set_user_ids(user_id, user_id, user_id))
        .map_err(|error| cannot(account, &error))?;
    if all_ids() != Some(([user_id; 3], [group_id; 3])) || set_user_ids(KEEP, 0, KEEP).is_ok() {
        return Err(format!("root's rights could not be given up to become {account}"));
    }
    stay_visible();
    Ok(())
}

fn cannot(account: &Account, error: &io::Error) -> String {
    format!("cannot become {account}: {error}")
}

fn set_groups(account: &Account) -> io::Result<()> {
    let groups = [&[account.group_id], &account.others[..]].concat();
    // SAFETY: pointer and length are those of one live slice, which is only read.
    check(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })
}

fn set_group_ids(real: u32, effective: u32, saved: u32) -> io::Result<()> {
    // SAFETY: the call takes three integers.
    check(unsafe { libc::setresgid(real, effective, saved) })
}

fn set_user_ids(real: u32, effective: u32, saved: u32) -> io::Result<()> {
    // SAFETY: the call takes three integers.
    check(unsafe { libc::setresuid(real, effective, saved) })
}

/// Real, effective and saved: of the user, of the group.
fn all_ids() -> Option<([u32; 3], [u32; 3])> {
    let (mut user, mut group) = ([KEEP; 3], [KEEP; 3]);
    // SAFETY: the six pointers are to six integers of two live arrays.
    let read = unsafe {
        let (first, third) = (user.as_mut_ptr(), group.as_mut_ptr());
        libc::getresuid(first, first.add(1), first.add(2)) == 0
            && libc::getresgid(third, third.add(1), third.add(2)) == 0
    };
    read.then_some((user, group))
}

/// A process that has changed its user is hidden from that user: its files in
/// /proc/self are root's (`PR_SET_DUMPABLE`, prctl(2)). The spoke reads its own.
fn stay_visible() {
    // SAFETY: the call takes integers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
