//! Writes the commit into release builds, for `--version`. A checkout is not needed: then there is none.
//!
//! Not in debug builds: every commit would compile the crate again.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=QIJIN_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    // Given by whoever builds without the checkout, as in a container.
    let given = std::env::var("QIJIN_COMMIT").ok().filter(|c| !c.is_empty());
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| {
        if !release {
            return None;
        }
        let mut watched = vec!["HEAD".to_owned(), "packed-refs".to_owned()];
        watched.extend(git(&["symbolic-ref", "HEAD"]));
        for path in watched {
            let path = git(&["rev-parse", "--git-path", &path]);
            // A file that is not there would make cargo build every time.
            if let Some(path) = path.filter(|path| std::path::Path::new(path).exists()) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
        let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
        let is_changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some();
        Some(if is_changed {
            format!("{commit}+")
        } else {
            commit
        })
    });
    let version = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=QIJIN_VERSION={version}");
}
