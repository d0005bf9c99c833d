//! The thin binary: everything is in the library, exit codes are decided here.

use std::io::ErrorKind;
use std::process::ExitCode;

/// Whether the reader of our output went away, as `| head` does: that is no failure of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == ErrorKind::BrokenPipe)
}

fn main() -> ExitCode {
    match qijin::cli::run() {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("错误：{error:#}");
            ExitCode::FAILURE
        }
    }
}
