//! `qijin doctor`: what is configured, reachable and stale.

use std::process::ExitCode;

use chrono::Utc;
use clap::Args;

use super::{Config, runtime};
use crate::doctor::{Check, State, Telegram, examine, is_well, unreadable};
use crate::telegram::{self, TelegramSettings};

#[derive(Args)]
#[command(after_help = "例：
  qijin doctor             ✓ 正常，! 留意，✗ 有问题；每一项后面写着怎么办
  qijin doctor --online    再问一次 Telegram：令牌对不对，消息有没有人取
  qijin doctor --json      给监控程序看

只看不改：不建文件夹、数据库和索引，也不取走消息，serve 开着也能用。有一个 ✗，退出码就是 1。")]
pub(super) struct DoctorArgs {
    /// 也问 Telegram（要联网，要 TELOXIDE_TOKEN）
    #[arg(long)]
    online: bool,
    /// 写成 JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = TelegramSettings::of(config);
    let checks = runtime()?.block_on(async {
        let token = settings.is_some();
        let online = match settings.filter(|_| args.online) {
            Some(settings) => Some(telegram::look(settings).await),
            None => None,
        };
        examine(config, &Telegram { token, online }, Utc::now()).await
    });
    tell(&checks, args)
}

/// The configuration itself cannot be read: nothing else can be looked at.
pub(super) fn refused(error: &anyhow::Error, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    tell(&[unreadable(&format!("{error:#}"))], args)
}

fn tell(checks: &[Check], args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    if args.json {
        say!("{}", serde_json::to_string_pretty(checks)?);
    } else {
        for check in checks {
            say!("{} {}：{}", check.state.sign(), check.title, check.found);
            if !check.todo.is_empty() {
                say!("    怎么办：{}", check.todo);
            }
        }
        let count = |state| checks.iter().filter(|c| c.state == state).count();
        let (bad, warnings) = (count(State::Bad), count(State::Warning));
        say!(
            "\n{} 项正常，{warnings} 项留意，{bad} 项有问题。",
            count(State::Good)
        );
    }
    Ok(match is_well(checks) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
