//! `qijin import`: a sheet of entries goes in whole or not at all, drafts only by a person's hand.

#[path = "../common/mod.rs"]
mod common;
mod drafts;
mod entries;

use std::fs;
use std::path::{Path, PathBuf};

use common::Office;

/// Runs the program and returns whether it succeeded, and all it said.
fn run(office: &Office, arguments: &[&str]) -> (bool, String) {
    let output = office.command(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Everything under the library, to see that nothing was touched.
fn library(office: &Office) -> Vec<(PathBuf, Vec<u8>)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, Vec<u8>)>) {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            match path.is_dir() {
                true => walk(&path, out),
                false => out.push((path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    let mut out = Vec::new();
    walk(&office.library(), &mut out);
    out.sort();
    out
}
