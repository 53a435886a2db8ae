//! A password from who runs the program: typed unseen, twice, at a terminal; else
//! the first line of what is piped in.
#![allow(unsafe_code)]

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsRawFd;

use crate::password::MAX_PASSWORD_BYTES;

/// Asks for a password.
pub(super) fn ask(err: &mut dyn Write) -> Result<String, String> {
    let mut stdin = io::stdin().lock();
    let told = |fault: io::Error| format!("the password could not be read: {fault}");
    if !stdin.is_terminal() {
        return line(&mut stdin).map_err(told);
    }
    let unseen = Unseen::begin(&stdin).map_err(told)?;
    let mut typed = |question: &str| {
        // Nobody sees the question, if stderr is gone.
        let _ = write!(err, "{question}").and_then(|()| err.flush());
        let typed = line(&mut stdin);
        let _ = writeln!(err);
        typed.map_err(told)
    };
    let first = typed("Password: ")?;
    let second = typed("Once more: ")?;
    drop(unseen);
    if first == second { Ok(first) } else { Err("the two are not the same".to_owned()) }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    // Two more than there may be, so that what is too long is seen to be.
    io::Read::take(&mut *from, MAX_PASSWORD_BYTES as u64 + 2).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Unseen {
    terminal: i32,
    before: libc::termios,
}

impl Unseen {
    fn begin(terminal: &impl AsRawFd) -> io::Result<Self> {
        let terminal = terminal.as_raw_fd();
        // SAFETY: termios is plain numbers, of which all zeros are valid ones.
        let mut before: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: `before` lives and is writable; a wrong descriptor is an error.
        if unsafe { libc::tcgetattr(terminal, &raw mut before) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut silent = before;
        silent.c_lflag &= !libc::ECHO;
        // SAFETY: `silent` is what tcgetattr gave, but for one flag.
        if unsafe { libc::tcsetattr(terminal, libc::TCSAFLUSH, &raw const silent) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { terminal, before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // SAFETY: `before` is what tcgetattr gave. If it fails the terminal is gone.
        unsafe { libc::tcsetattr(self.terminal, libc::TCSAFLUSH, &raw const self.before) };
    }
}
