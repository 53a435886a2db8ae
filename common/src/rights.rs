//! Whose rights a daemon has: root's until its ports are bound, from then on those
//! of the user that the configuration names.
//!
//! In between it leans towards that user: its effective ids are the user's
//! already, so that whatever it opens, locks or makes on the disk is the user's,
//! and a link that the user has laid leads root nowhere. Only folders that are
//! missing are made by root, and only where nobody but root could have prepared
//! the place.

mod account;
mod folders;
mod ids;

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::program::DaemonSettings;
use account::Account;

/// Whose rights the process has, and whose it will have.
#[derive(Debug)]
pub(crate) struct Rights {
    /// Whom to become; `None`: it stays who it is.
    account: Option<Account>,
    /// For the log: why it stays who it is.
    remark: Option<Remark>,
}

#[derive(Debug)]
enum Remark {
    StaysRoot,
    IsNotRoot(Account),
}

/// The home of whoever runs this: what the environment says, or /etc/passwd.
pub(crate) fn home() -> Option<PathBuf> {
    let told = std::env::var_os("HOME").filter(|home| !home.is_empty());
    told.map(PathBuf::from).or_else(|| account::home_of(ids::user_id()))
}

impl Rights {
    /// Finds out whom to become.
    ///
    /// # Errors
    /// There is no such user or group.
    pub(crate) fn of(settings: &DaemonSettings) -> Result<Self, String> {
        let Some(user) = &settings.user else {
            let remark = ids::is_root().then_some(Remark::StaysRoot);
            return Ok(Self { account: None, remark });
        };
        let account = Account::find(user, settings.group.as_deref())?;
        if ids::is_root() && account.user_id != 0 {
            return Ok(Self { account: Some(account), remark: None });
        }
        let is_other = !ids::is(&account);
        Ok(Self { account: None, remark: is_other.then_some(Remark::IsNotRoot(account)) })
    }

    /// Makes folders that are missing, with the right owner, and leans towards the
    /// user.
    ///
    /// # Errors
    /// The user may not write to one of them; the text says what to do.
    pub(crate) fn lean(&self, folders: &[PathBuf]) -> Result<(), String> {
        let Some(account) = &self.account else { return Ok(()) };
        for folder in folders {
            folders::make(folder, account);
        }
        self.lean_only(folders)
    }

    /// Leans towards the user, and makes nothing.
    ///
    /// # Errors
    /// As of [`Self::lean`].
    pub(crate) fn lean_only(&self, folders: &[PathBuf]) -> Result<(), String> {
        let Some(account) = &self.account else { return Ok(()) };
        ids::lean(account)?;
        folders.iter().try_for_each(|folder| folders::demand(folder, account))
    }

    /// Does what only root may do.
    pub(crate) fn as_root<T>(&self, act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        let Some(account) = &self.account else { return act() };
        ids::straighten()?;
        let result = act();
        ids::lean(account)?;
        result
    }

    /// Gives root's rights up for good. No other thread may exist.
    pub(crate) fn give_up(&self) -> Result<(), String> {
        self.account.as_ref().map_or(Ok(()), ids::become_account)
    }

    /// Says in the log whose rights it has.
    pub(crate) fn tell(&self) {
        match (&self.account, &self.remark) {
            (Some(account), _) => log::info!("root's rights are given up: it runs as {account}"),
            (None, Some(Remark::StaysRoot)) => log::info!(
                "it runs as root; `user` in pattoo.yaml names whom it is to become once its ports \
                 are bound"
            ),
            (None, Some(Remark::IsNotRoot(account))) => log::warn!(
                "it stays who it is and does not become {account}: only root can become another \
                 user"
            ),
            (None, None) => {}
        }
    }

    /// Those of the files that the user could not read again, with the reason;
    /// asked of the kernel while leaning.
    pub(crate) fn unreadable(&self, files: &[PathBuf]) -> Vec<String> {
        let reason = |file: &PathBuf| {
            let error = File::open(file).err()?;
            let whom = self.account.as_ref().map_or("it".to_owned(), ToString::to_string);
            Some(format!("{}: {whom} cannot read it: {error}", file.display()))
        };
        files.iter().filter_map(reason).collect()
    }

    /// What `--check` says of it.
    pub(crate) fn check(&self) -> Option<String> {
        Some(format!("runs as: {}", self.account.as_ref()?))
    }
}

/// Makes folders where they are missing, as whoever this process is. What cannot
/// be made is told by whoever needs it.
pub(crate) fn make_own_folders(folders: &[PathBuf]) {
    for folder in folders {
        let _ = crate::durable_file::make_folder(Path::new(folder));
    }
}
