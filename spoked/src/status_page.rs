//! The page that a person sees at `/`: one self-contained file of HTML, without
//! scripts, readable on a phone, light and dark.

mod figures;
mod html;

use pattoo_common::datapoint::DataPoint;

use figures::{Figures, bytes, count, duration};
use html::{Html, bar};

/// Rows of a table; what is beyond is counted in a last row.
const MAX_ROWS: usize = 200;
const STYLE: &str = include_str!("status_page/style.css");

/// What the page shows.
pub(crate) struct StatusPage<'a> {
    /// The name under which the machine is known.
    pub(crate) host: &'a str,
    /// The kernel's release.
    pub(crate) release: &'a str,
    /// Logical CPUs, as the metadata has it.
    pub(crate) cpus: &'a str,
    /// The identity of the spoke.
    pub(crate) agent_id: &'a str,
    /// The figures, in the order of the wire.
    pub(crate) points: &'a [(u64, DataPoint)],
    /// Each source.
    pub(crate) sources: Vec<SourceRow<'a>>,
    /// Datapoints for which the last poll document had no room.
    pub(crate) left_out: usize,
}

/// One row of the table of sources.
pub(crate) struct SourceRow<'a> {
    /// Such as `memory`.
    pub(crate) name: &'a str,
    /// How it went.
    pub(crate) health: Health,
    /// In words: `ok`, or why not.
    pub(crate) state: String,
    /// Datapoints that it gave.
    pub(crate) datapoints: usize,
    /// What it took, in microseconds.
    pub(crate) duration_us: u128,
}

/// How a source went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It gave figures.
    Good,
    /// This machine has no such thing.
    Absent,
    /// It should have given figures and did not.
    Bad,
}

impl StatusPage<'_> {
    /// The page as HTML.
    pub(crate) fn render(&self) -> String {
        let figures = Figures(self.points);
        let mut page = Html::new();
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
        page.text(self.host);
        page.raw(" · Pattoo spoke</title><style>")
            .raw(STYLE)
            .raw("</style></head><body><header><h1>");
        page.text(self.host).raw("</h1><p>");
        if let Some(uptime_s) = figures.number("uptime") {
            page.raw("Up ").text(&duration(uptime_s)).raw(" · ");
        }
        page.raw("Linux ").text(self.release).raw("</p></header><main>");
        page.raw("<section class=\"cards\">");
        self.cpu(&figures, &mut page);
        self.load(&figures, &mut page);
        memory(&figures, &mut page);
        swap(&figures, &mut page);
        page.raw("</section>");
        disk_usage(&figures, &mut page);
        disk_io(&figures, &mut page);
        network(&figures, &mut page);
        self.sources(&mut page);
        page.raw("</main><footer><p><a href=\"/pattoo-agent-linux/300\">This machine’s poll document</a> · agent ");
        page.text(self.agent_id.get(..12).unwrap_or(self.agent_id));
        page.raw("… · Pattoo spoke ")
            .raw(env!("CARGO_PKG_VERSION"))
            .raw("</p></footer></body></html>\n");
        page.finish()
    }

    fn cpu(&self, figures: &Figures<'_>, page: &mut Html) {
        let percent = |mode: &str| figures.number(&format!("cpu_times_percent_{mode}"));
        let Some(idle) = percent("idle") else { return };
        let busy = (100.0 - idle - percent("iowait").unwrap_or(0.0)).max(0.0);
        let system = ["system", "irq", "softirq"].iter().filter_map(|mode| percent(mode)).sum();
        let user = ["user", "nice"].iter().filter_map(|mode| percent(mode)).sum();
        let iowait = percent("iowait").unwrap_or(0.0);
        let steal = percent("steal").unwrap_or(0.0);
        page.raw("<article><h2>CPU</h2><p class=\"big\">")
            .text(&format!("{busy:.1} %"))
            .raw("</p>");
        page.raw(&bar(
            &[("user", user), ("system", system), ("wait", iowait), ("steal", steal)],
            &format!("CPU {busy:.1} percent busy"),
        ));
        page.raw("<p class=\"note\">").text(&format!(
            "user {user:.1} · system {system:.1} · I/O wait {iowait:.1}{} %",
            if steal > 0.0 { format!(" · steal {steal:.1}") } else { String::new() }
        ));
        page.text(&format!(" · {} {}", self.cpus, if self.cpus == "1" { "CPU" } else { "CPUs" }));
        if let Some(mhz) = figures.number("cpu_frequency") {
            page.text(&format!(" at {mhz:.0} MHz"));
        }
        page.raw("</p></article>");
    }

    fn load(&self, figures: &Figures<'_>, page: &mut Html) {
        let load = |minutes: &str| figures.number(&format!("load_average_{minutes}min"));
        let Some(now) = load("01") else { return };
        let cpus: f64 = self.cpus.parse().unwrap_or(1.0);
        page.raw("<article><h2>Load</h2><p class=\"big\">").text(&format!("{now:.2}")).raw("</p>");
        page.raw(&bar(
            &[(level(now / cpus * 80.0), now / cpus * 100.0)],
            &format!("Load {now:.2} on {cpus} CPUs"),
        ));
        page.raw("<p class=\"note\">");
        if let (Some(five), Some(fifteen)) = (load("05"), load("15")) {
            page.text(&format!("5 min {five:.2} · 15 min {fifteen:.2}"));
        }
        if let Some(processes) = figures.number("process_count") {
            page.text(&format!(" · {} processes", count(processes)));
        }
        page.raw("</p></article>");
    }

    fn sources(&self, page: &mut Html) {
        page.raw("<section><h2>Sources</h2><div class=\"scroll\"><table><thead><tr><th>Source<th>State<th class=\"n\">Datapoints<th class=\"n\">Took</tr></thead><tbody>");
        for row in &self.sources {
            let class = match row.health {
                Health::Good => "good",
                Health::Absent => "quiet",
                Health::Bad => "bad",
            };
            page.raw("<tr><td>").text(row.name).raw("<td class=\"").raw(class).raw("\">");
            page.text(&row.state).raw("<td class=\"n\">").text(&row.datapoints.to_string());
            page.raw("<td class=\"n\">").text(&format!("{} µs", row.duration_us));
        }
        page.raw("</tbody></table></div>");
        if self.left_out > 0 {
            page.raw("<p class=\"bad\">").text(&format!(
                "The last poll document had no room for {} datapoints, those without hardware first.",
                self.left_out
            ));
        }
        page.raw("</section>");
    }
}

fn memory(figures: &Figures<'_>, page: &mut Html) {
    let number = |name: &str| figures.number(&format!("memory_{name}"));
    let (Some(total), Some(used), Some(percent)) =
        (number("total"), number("used"), number("percent"))
    else {
        return;
    };
    let cached = number("cached").unwrap_or(0.0) + number("buffers").unwrap_or(0.0);
    let cached_percent = (cached / total.max(1.0) * 100.0).min(100.0 - percent);
    page.raw("<article><h2>Memory</h2><p class=\"big\">")
        .text(&format!("{percent:.1} %"))
        .raw("</p>");
    page.raw(&bar(
        &[(level(percent), percent), ("cache", cached_percent)],
        &format!("Memory {percent:.1} percent used"),
    ));
    page.raw("<p class=\"note\">").text(&format!(
        "{} of {} used · {} cache",
        bytes(used),
        bytes(total),
        bytes(cached)
    ));
    page.raw("</p></article>");
}

fn swap(figures: &Figures<'_>, page: &mut Html) {
    let number = |name: &str| figures.number(&format!("swap_memory_{name}"));
    let (Some(total), Some(used), Some(percent)) =
        (number("total"), number("used"), number("percent"))
    else {
        return;
    };
    page.raw("<article><h2>Swap</h2>");
    if total == 0.0 {
        page.raw("<p class=\"big\">none</p><p class=\"note\">This machine has no swap space.</p>");
    } else {
        page.raw("<p class=\"big\">").text(&format!("{percent:.1} %")).raw("</p>");
        page.raw(&bar(&[(level(percent), percent)], &format!("Swap {percent:.1} percent used")));
        page.raw("<p class=\"note\">")
            .text(&format!("{} of {} used", bytes(used), bytes(total)))
            .raw("</p>");
    }
    page.raw("</article>");
}

fn disk_usage(figures: &Figures<'_>, page: &mut Html) {
    let mounts = figures.groups("disk_partition_mountpoint");
    if mounts.is_empty() {
        return;
    }
    page.raw("<section><h2>Disk space</h2><div class=\"scroll\"><table><thead><tr><th>Mounted on<th>Type<th class=\"wide\">Used<th class=\"n\">%<th class=\"n\">Free<th class=\"n\">Size</tr></thead><tbody>");
    for mount in mounts.iter().take(MAX_ROWS) {
        let number = |name: &str| mount.number(&format!("disk_partition_disk_usage_{name}"));
        let percent = number("percent").unwrap_or(0.0);
        page.raw("<tr><td>").text(mount.metadata("disk_partition_mountpoint"));
        page.raw("<td>").text(mount.metadata("disk_partition_fstype")).raw("<td class=\"wide\">");
        page.raw(&bar(&[(level(percent), percent)], &format!("{percent:.1} percent used")));
        page.raw("<td class=\"n\">").text(&format!("{percent:.1}"));
        for name in ["free", "total"] {
            page.raw("<td class=\"n\">").text(&number(name).map(bytes).unwrap_or_default());
        }
    }
    end_table(page, mounts.len(), 6);
}

fn disk_io(figures: &Figures<'_>, page: &mut Html) {
    let disks = figures.groups("disk_partition");
    if disks.is_empty() {
        return;
    }
    page.raw("<section><h2>Disk I/O <small>since boot</small></h2><div class=\"scroll\"><table><thead><tr><th>Device<th class=\"n\">Read<th class=\"n\">Written<th class=\"n\">Reads<th class=\"n\">Writes<th class=\"n\">Busy</tr></thead><tbody>");
    for disk in disks.iter().take(MAX_ROWS) {
        let number = |name: &str| disk.number(&format!("disk_io_{name}"));
        page.raw("<tr><td>").text(disk.metadata("disk_partition"));
        for name in ["read_bytes", "write_bytes"] {
            page.raw("<td class=\"n\">").text(&number(name).map(bytes).unwrap_or_default());
        }
        for name in ["read_count", "write_count"] {
            page.raw("<td class=\"n\">").text(&number(name).map(count).unwrap_or_default());
        }
        let busy_ms = number("busy_time");
        page.raw("<td class=\"n\">")
            .text(&busy_ms.map(|busy_ms| duration(busy_ms / 1000.0)).unwrap_or_default());
    }
    end_table(page, disks.len(), 6);
}

fn network(figures: &Figures<'_>, page: &mut Html) {
    let interfaces = figures.groups("network_io_interface");
    if interfaces.is_empty() {
        return;
    }
    page.raw("<section><h2>Network <small>since boot</small></h2><div class=\"scroll\"><table><thead><tr><th>Interface<th class=\"n\">Received<th class=\"n\">Sent<th class=\"n\">Packets in<th class=\"n\">Packets out<th class=\"n\">Errors<th class=\"n\">Drops</tr></thead><tbody>");
    for interface in interfaces.iter().take(MAX_ROWS) {
        let number = |name: &str| interface.number(&format!("network_io_{name}"));
        page.raw("<tr><td>").text(interface.metadata("network_io_interface"));
        for name in ["bytes_recv", "bytes_sent"] {
            page.raw("<td class=\"n\">").text(&number(name).map(bytes).unwrap_or_default());
        }
        for name in ["packets_recv", "packets_sent"] {
            page.raw("<td class=\"n\">").text(&number(name).map(count).unwrap_or_default());
        }
        for (one, other) in [("errin", "errout"), ("dropin", "dropout")] {
            let sum = number(one).unwrap_or(0.0) + number(other).unwrap_or(0.0);
            page.raw(if sum > 0.0 { "<td class=\"n warn\">" } else { "<td class=\"n\">" });
            page.text(&count(sum));
        }
    }
    end_table(page, interfaces.len(), 7);
}

fn end_table(page: &mut Html, rows: usize, columns: usize) {
    if rows > MAX_ROWS {
        page.raw(&format!(
            "<tr><td class=\"quiet\" colspan=\"{columns}\">and {} more",
            rows - MAX_ROWS
        ));
    }
    page.raw("</tbody></table></div></section>");
}

/// The class of a part of a bar by how full it is, in percent.
fn level(percent: f64) -> &'static str {
    if percent >= 95.0 {
        "full"
    } else if percent >= 85.0 {
        "high"
    } else {
        "used"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pattoo_common::datapoint::{DataType, Metadata};

    #[test]
    fn names_of_the_machine_cannot_become_markup() {
        let interface = Metadata::after_host(vec![("network_io_interface", "<b>&\"".to_owned())]);
        let points =
            [(0, DataPoint::of(&interface, "network_io_bytes_recv", DataType::Counter64, 7u64))];
        let page = StatusPage {
            host: "<script>",
            release: "6.1",
            cpus: "2",
            agent_id: "ab",
            points: &points,
            sources: vec![SourceRow {
                name: "network",
                health: Health::Bad,
                state: "line 3: <x>".to_owned(),
                datapoints: 1,
                duration_us: 5,
            }],
            left_out: 3,
        }
        .render();
        assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;&amp;&quot;"));
        assert!(page.contains("line 3: &lt;x&gt;") && !page.contains("<script"));
        assert!(!page.contains("Memory"), "what is absent is not shown as zero");
    }
}
