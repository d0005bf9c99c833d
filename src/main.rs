//! The thin binary: everything is in the library, exit codes are decided here.

use std::process::ExitCode;

fn main() -> ExitCode {
    match qijin::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("错误：{error:#}");
            ExitCode::FAILURE
        }
    }
}
