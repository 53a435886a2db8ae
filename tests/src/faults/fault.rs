//! The faults: what each does, and how it is mended.

use std::fs;

use super::link::Mood;
use super::spoke::Manner;
use super::world::{World, numbers_of};
use crate::{Dice, PATIENCE, wait_until};

/// Bytes of an answer that get through before it is cut.
const CUT_AFTER: [usize; 4] = [0, 9, 40, 150];

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL to the hub.
    KillHub,
    /// SIGTERM to the hub.
    StopHub,
    /// SIGKILL to the server.
    KillServer,
    /// SIGTERM to the server.
    StopServer,
    /// SIGKILL to the real spoke.
    KillSpoke,
    /// Something on the way to the server.
    Link(Mood),
    /// A spoke never answers.
    SpokeHangs,
    /// A spoke sends half an answer.
    SpokeHalf,
    /// A spoke sends bytes that are no HTTP.
    SpokeGarbage,
    /// So many packets of a hundred to and from the server are lost.
    ServerLoss(u64),
    /// So many packets of a hundred to and from the spokes are lost.
    SpokeLoss(u64),
    /// The hub's disk is full.
    HubDiskFull,
    /// The hub's disk is read-only.
    HubReadOnly,
    /// The server's disk is full.
    ServerDiskFull,
    /// The server's disk turns read-only and is checked and mounted anew.
    ServerReadOnly,
    /// A file of the spool is cut short, torn or gets a flipped bit.
    DamagedSpool,
}

impl Fault {
    /// A fault that this world can have.
    pub fn any(dice: &mut Dice, world: &World) -> Self {
        let cut_after = *dice.choose(&CUT_AFTER);
        let status = *dice.choose(&[500, 503, 404, 302]);
        let late_ms = 50 + dice.below(400);
        let percent = *dice.choose(&[10, 30, 100]);
        let mut faults = vec![
            Self::KillHub,
            Self::KillHub,
            Self::StopHub,
            Self::KillServer,
            Self::KillServer,
            Self::StopServer,
            Self::KillSpoke,
            Self::Link(Mood::Refuses),
            Self::Link(Mood::Hangs),
            Self::Link(Mood::Answers(status)),
            Self::Link(Mood::RefusesOne),
            Self::Link(Mood::TakesAndAnswers(500)),
            Self::Link(Mood::CutsRequests),
            Self::Link(Mood::CutsAnswers(cut_after)),
            Self::Link(Mood::Slow),
            Self::Link(Mood::Late(late_ms)),
            Self::SpokeHangs,
            Self::SpokeHalf,
            Self::SpokeGarbage,
            Self::DamagedSpool,
        ];
        if world.network.is_some() {
            faults.extend([Self::ServerLoss(percent), Self::SpokeLoss(percent)]);
        }
        if world.hub_disk.is_some() {
            faults.extend([Self::HubDiskFull, Self::HubReadOnly]);
        }
        if world.server_disk.is_some() {
            faults.extend([Self::ServerDiskFull, Self::ServerReadOnly]);
        }
        *dice.choose(&faults)
    }

    /// Its name in reports.
    pub fn name(self) -> String {
        let name = match self {
            Self::Link(mood) => format!("{mood:?}"),
            fault => format!("{fault:?}"),
        };
        name.chars().take_while(|c| *c != '(').collect()
    }

    /// Whether the server's disk is at fault, so that a killed server cannot be
    /// started again before it is mended.
    pub(super) fn is_of_server_disk(self) -> bool {
        matches!(self, Self::ServerDiskFull | Self::ServerReadOnly)
    }

    fn is_of_hub_disk(self) -> bool {
        matches!(self, Self::HubDiskFull | Self::HubReadOnly)
    }

    /// Whether both can be at once: not two of one disk, nor a server that is to be
    /// started on a disk at fault. A way that refuses has nothing to lose, and the link
    /// could not stop listening over a network that loses all.
    pub(super) fn goes_with(self, other: Self) -> bool {
        let of_server = |fault: Self| {
            fault.is_of_server_disk() || matches!(fault, Self::KillServer | Self::StopServer)
        };
        let both_of_hub = self.is_of_hub_disk() && other.is_of_hub_disk();
        let both_of_server = of_server(self) && of_server(other);
        let of_way = |fault: Self| matches!(fault, Self::ServerLoss(_) | Self::Link(Mood::Refuses));
        let both_of_way = of_way(self) && of_way(other);
        !both_of_hub && !both_of_server && !both_of_way
    }

    /// First the ways, then the server, and the disk of the hub last, for that is
    /// well again only when polls have gone over it.
    pub(super) fn order_of_mending(self) -> u8 {
        match self {
            Self::HubDiskFull | Self::HubReadOnly => 2,
            Self::ServerDiskFull | Self::ServerReadOnly => 1,
            _ => 0,
        }
    }

    /// Lets it happen.
    pub(super) fn strike(self, world: &mut World, dice: &mut Dice) {
        let spoke = usize::try_from(dice.below(world.spokes.len() as u64)).unwrap_or(0);
        match self {
            Self::KillHub => world.end_hub(libc::SIGKILL),
            Self::StopHub => world.end_hub(libc::SIGTERM),
            Self::KillServer => world.end_server(libc::SIGKILL),
            Self::StopServer => world.end_server(libc::SIGTERM),
            Self::KillSpoke => world.kill_spoke(),
            Self::Link(mood) => world.link.set_mood(mood),
            Self::SpokeHangs => world.spokes[spoke].set_manner(Manner::Hangs),
            Self::SpokeHalf => world.spokes[spoke].set_manner(Manner::Half),
            Self::SpokeGarbage => world.spokes[spoke].set_manner(Manner::Garbage),
            Self::ServerLoss(percent) => lose(world, &[world.link.port()], percent),
            Self::SpokeLoss(percent) => {
                let ports: Vec<u16> = world.spokes.iter().map(super::LedgerSpoke::port).collect();
                lose(world, &ports, percent);
            }
            Self::HubDiskFull => {
                world.spool_fails();
                if let Some(disk) = &world.hub_disk {
                    disk.fill();
                }
            }
            Self::HubReadOnly => {
                world.spool_fails();
                if let Some(disk) = &world.hub_disk {
                    // Refused while the hub has a file open.
                    wait_until("the hub's disk turns read-only", PATIENCE, || {
                        disk.set_read_only(true).is_ok()
                    });
                }
            }
            Self::ServerDiskFull => {
                if let Some(disk) = &world.server_disk {
                    disk.fill();
                }
            }
            Self::ServerReadOnly => {
                if let Some(disk) = &world.server_disk {
                    // Of an fsync that is under way in the moment of such an error Linux
                    // (6.18) says now and then that it went well, and the bytes are gone.
                    world.while_server_stands_still(|| disk.turn_read_only());
                }
            }
            Self::DamagedSpool => damage(world, dice),
        }
    }

    /// Mends it. What was ended is started by who lets it strike.
    pub(super) fn mend(self, world: &mut World) {
        match self {
            Self::HubDiskFull => {
                if let Some(disk) = &world.hub_disk {
                    disk.empty();
                }
                world.spool_is_well();
            }
            Self::HubReadOnly => {
                if let Some(disk) = &world.hub_disk {
                    disk.set_read_only(false).expect("a disk that can be written again");
                }
                world.spool_is_well();
            }
            Self::ServerDiskFull => {
                if let Some(disk) = &world.server_disk {
                    disk.empty();
                }
            }
            Self::ServerReadOnly => {
                world.end_server(libc::SIGKILL);
                if let Some(disk) = &world.server_disk {
                    disk.mend().expect("a disk that can be mended");
                }
            }
            _ => world.clear_ways(),
        }
    }
}

fn lose(world: &World, ports: &[u16], percent: u64) {
    if let Some(network) = &world.network {
        for port in ports {
            network.lose(*port, percent).expect("nft");
        }
    }
}

/// Damages a file of the spool, if there is one.
fn damage(world: &mut World, dice: &mut Dice) {
    let spool = world.spool();
    if spool.is_empty() {
        return;
    }
    let path = dice.choose(&spool);
    // It may be posted, and removed, at any moment.
    let Ok(mut body) = fs::read(path) else { return };
    for spoke in &world.spokes {
        for number in numbers_of(&body, spoke.name()) {
            spoke.destroyed(number);
        }
    }
    let place = usize::try_from(dice.below(body.len() as u64)).unwrap_or(0);
    match dice.below(3) {
        0 => body.truncate(place),
        1 => body[place..].fill(0),
        _ => body[place] ^= 1 << dice.below(8),
    }
    // Not made anew, should it be gone.
    if let Ok(mut file) = fs::File::options().write(true).truncate(true).open(path) {
        world.damaged_files += 1;
        // On a full disk it stays cut short, which is damage too.
        let _ = std::io::Write::write_all(&mut file, &body);
    }
}
