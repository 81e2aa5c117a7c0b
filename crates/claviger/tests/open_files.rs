//! A server takes as many open files as the system gives it, and says where its own bounds allow for more.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::process::Command;

use program::{Home, Server, on_both_engines};

/// The server, under a limit that a shell sets.
fn serve_under(home: &Home, limit: &str, more: &[&str]) -> Server {
    let inner = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]).arg(inner.get_program());
    command.args(inner.get_args()).args(more).current_dir(inner.get_current_dir().unwrap()).env_clear();
    Server::start(command)
}

/// The limits of a server's open files: the one that holds, and the one up to which it may be raised.
fn limits(server: &Server) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().skip(3).take(2).map(str::to_owned).collect()
}

on_both_engines! {
    fn as_many_as_there_are(home: &Home) {
        let server = serve_under(home, "-S -n 300", &[]);
        let limits = limits(&server);
        assert!(limits[0] == limits[1] && limits[0] != "300", "{limits:?}");
        server.stop();
    }

    fn too_few_are_told(home: &Home) {
        // Callers' connections, calls, idle connections, and what else is open.
        for (more, needed) in [
            (&[][..], 8192 + 4096 + 3072 + 512),
            (&["--broker-calls-max", "100"], 8192 + 100 + 3072 + 512),
            (&["--metrics-listen", "127.0.0.1:0"], 8192 + 8192 + 4096 + 3072 + 512),
        ] {
            let server = serve_under(home, "-n 300", more);
            assert_eq!(limits(&server), ["300", "300"]);
            let said = server.stop();
            let warning = said.lines().find(|line| line.contains("LimitNOFILE"));
            let warning = warning.unwrap_or_else(|| panic!("{said}"));
            for part in ["\"WARN\"", "\"allowed\":300", &format!("\"needed\":{needed}")] {
                assert!(warning.contains(part), "{part}: {warning}");
            }
        }
    }
}
