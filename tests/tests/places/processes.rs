//! Processes of five and seven digits.

use pattoo_tests::Folder;

use crate::spoke::{Spoke, can_unshare, plain_tree};

#[test]
fn processes_of_any_number_of_digits_are_counted() {
    let folder = Folder::new("digits");
    plain_tree(&folder);
    for process in ["1", "42", "12345", "32768", "1234567", "4194303"] {
        folder.write(format!("proc/{process}/stat"), "");
    }
    folder.write("proc/1234567x/stat", "");
    let spoke = Spoke::of_tree(folder);
    assert!((spoke.once().one("process_count") - 6.0).abs() < f64::EPSILON);
}

/// The real kernel, whose numbers begin at four million here. Kernels before 6.14
/// have one limit for all namespaces, which the test leaves alone.
#[test]
fn a_daemon_of_seven_digits_is_found_again() {
    const PLACES: [&str; 4] = ["--mount", "--pid", "--fork", "--mount-proc"];
    if !can_unshare("processes of seven digits", &PLACES) {
        return;
    }
    let spoke = Spoke::new("seven-digits", "");
    let said = spoke.run(
        &PLACES,
        r#"limit=$(cat /proc/sys/kernel/pid_max)
        if [ "$limit" -lt 4194304 ]; then
            release=$(uname -r); major=${release%%.*}; minor=${release#*.}; minor=${minor%%.*}
            if [ $((major * 1000 + minor)) -lt 6014 ]; then echo SKIPPED; exit 0; fi
            echo 4194304 > /proc/sys/kernel/pid_max
        fi
        echo 4194000 > /proc/sys/kernel/ns_last_pid
        "$SPOKE" --start >&2; "$SPOKE" --status >&2
        cat "$FOLDER"/run/pid/*.pid; echo
        "$SPOKE" --restart >&2; "$SPOKE" --status >&2
        "$SPOKE" --stop >&2
        if "$SPOKE" --status >&2; then exit 1; fi"#,
    );
    if said.contains("SKIPPED") {
        eprintln!("SKIPPED: a daemon of seven digits: the limit of this kernel is smaller");
        return;
    }
    let process: u32 = said.trim().parse().unwrap();
    assert!(process > 4_194_000, "{said}");
}
