//! Room on the disk, and who may read what lies there.

use std::path::Path;

use super::{Check, State, bytes, mode};
use crate::config::Config;

/// With less room a week of questions may not fit; with hardly any nothing does.
const LITTLE: u64 = 1_000_000_000;
const NONE: u64 = 100_000_000;

pub(super) fn all(config: &Config) -> Vec<Check> {
    let mut checks = vec![room(&config.folders.data)];
    checks.extend(permissions(config));
    checks
}

/// The nearest folder above a path that is there.
fn there(path: &Path) -> &Path {
    let found = path.ancestors().find(|p| p.exists());
    found.unwrap_or(Path::new("."))
}

fn room(data: &Path) -> Check {
    let (id, title) = ("disk", "磁盘");
    let todo = "删掉旧备份和不用的文件，或把数据文件夹搬到大一点的盘";
    match fs4::available_space(there(data)) {
        Err(e) => Check::new(
            id,
            title,
            State::Warning,
            format!("看不了还剩多少：{e}"),
            "",
        ),
        Ok(free) if free < NONE => {
            let found = format!("只剩 {}，马上就写不下了", bytes(free));
            Check::new(id, title, State::Bad, found, todo)
        }
        Ok(free) if free < LITTLE => {
            let found = format!("还剩 {}，不多了", bytes(free));
            Check::new(id, title, State::Warning, found, todo)
        }
        Ok(free) => Check::good(id, title, format!("数据文件夹所在的盘还剩 {}", bytes(free))),
    }
}

fn permissions(config: &Config) -> Option<Check> {
    let (id, title) = ("permissions", "数据文件夹和密钥");
    let (data, key) = (&config.folders.data, config.key_file());
    if !data.exists() {
        return None;
    }
    if std::fs::read_dir(data).is_err() {
        let found = format!("{} 读不了", data.display());
        let todo = "看这个文件夹是不是归运行七进的用户所有";
        return Some(Check::new(id, title, State::Bad, found, todo));
    }
    if !key.exists() {
        let found = format!("{} 里没有 local.key", data.display());
        let todo = "第一次运行时会建好；以前有过的话，请把备份的 local.key 放回来，不然同一个人会算成另一个人";
        return Some(Check::new(id, title, State::Warning, found, todo));
    }
    let open = mode(&key).is_some_and(|mode| mode & 0o077 != 0);
    if open {
        let found = format!("{} 别的用户也能读", key.display());
        let todo = format!("运行 chmod 600 {}", key.display());
        return Some(Check::new(id, title, State::Bad, found, todo));
    }
    let listed = mode(data).is_some_and(|mode| mode & 0o022 != 0);
    if listed {
        let found = format!("{} 别的用户也能往里写", data.display());
        let todo = format!("运行 chmod 700 {}", data.display());
        return Some(Check::new(id, title, State::Warning, found, todo));
    }
    Some(Check::good(id, title, "只有运行七进的用户能读写密钥"))
}
