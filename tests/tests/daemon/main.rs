//! Start, stop and what can go wrong in between, with a real binary.
//!
//! The tests of `every_daemon!` hold for any program of ours; those of
//! `sleeper` need a program that misbehaves when asked to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

mod cases;
mod every;
mod sleeper;

/// Makes a test of each function named, run with one program.
macro_rules! with_program {
    ($program:path: $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                crate::every::$test(&$program.install(stringify!($test)));
            }
        )*
    };
}

/// All that holds for any daemon. For another program: one module, one line.
macro_rules! every_daemon {
    ($module:ident, $program:path) => {
        mod $module {
            with_program! { $program:
                starts_tells_restarts_and_stops
                status_tells_running_stopped_and_dead
                a_port_that_is_taken_fails_the_start
                a_wrong_configuration_is_code_2_and_ends_nothing
                a_stale_pid_file_hinders_nothing
                a_garbage_pid_file_hinders_nothing
                a_reused_pid_is_never_signalled
                starts_at_once_make_one_daemon
                an_unwritable_folder_is_named
                nothing_is_inherited
                a_blocked_sigterm_is_unblocked
                a_pipe_behind_start_ends
                the_log_file_is_reopened_on_sighup
                force_kills_what_does_not_end
                a_replaced_pid_file_is_left_alone
                sigint_ends_it_too
                the_foreground_holds_the_same_lock
                another_user_may_not_stop_it
                wrong_usage_is_code_2
            }
        }
    };
}

every_daemon!(the_sleeper, crate::cases::SLEEPER);
every_daemon!(the_spoke, crate::cases::SPOKE);
every_daemon!(the_hub, crate::cases::HUB);
every_daemon!(the_server, crate::cases::SERVER);
