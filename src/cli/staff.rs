//! `qijin staff`: accounts of the dashboard.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::Utc;
use clap::{Args, Subcommand};

use super::{Config, journal, runtime};
use crate::journal::{
    Audit, MIN_PASSWORD, Member, OfficeId, Role, Staff, generate_password, hash_password,
    judge_password, local_time,
};

#[derive(Args)]
#[command(after_help = "例：
  qijin staff add 李主任 --role 管理             在终端里输两遍密码（不显示）
  qijin staff add 王芳 --role 审核 --generate    生成一个密码，只显示这一次
  qijin staff password 王芳 < 密码文件           脚本里用：从标准输入读一行
  qijin staff role 王芳 查看
  qijin staff disable 王芳

角色：查看只能看；审核还能答复居民、导出；管理还能管账号。
密码不能写在命令行参数里：那样会留在历史记录里，别人也看得见。")]
pub(super) struct StaffArgs {
    #[command(subcommand)]
    command: StaffCommand,
}

#[derive(Subcommand)]
enum StaffCommand {
    /// 新建账号
    Add {
        /// 用户名，可以是姓名
        name: String,
        /// 查看、审核或管理
        #[arg(long, default_value = "查看")]
        role: Role,
        /// 生成密码并显示一次，不用输入
        #[arg(long)]
        generate: bool,
    },
    /// 列出账号
    List,
    /// 重设密码，同时解除锁定、退出所有登录
    Password {
        /// 用户名
        name: String,
        /// 生成密码并显示一次，不用输入
        #[arg(long)]
        generate: bool,
    },
    /// 停用账号
    Disable {
        /// 用户名
        name: String,
    },
    /// 重新启用账号
    Enable {
        /// 用户名
        name: String,
    },
    /// 改角色
    Role {
        /// 用户名
        name: String,
        /// 查看、审核或管理
        role: Role,
    },
}

/// Who the audit log says it was.
const WHO: &str = "命令行";

pub(super) fn run(config: &Config, args: &StaffArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let journal = journal::open(config).await?;
        let database = journal.database().clone();
        let (staff, audit) = (Staff::new(database.clone()), Audit::new(database.clone()));
        match &args.command {
            StaffCommand::Add {
                name,
                role,
                generate,
            } => {
                let password = password(name.trim(), *generate)?;
                let member = staff
                    .add(name, *role, &hash_password(&password)?, Utc::now())
                    .await?;
                audit
                    .note(WHO, "新建账号", &format!("{}（{role}）", member.name))
                    .await?;
                say!("已新建账号 {}（{role}）。", member.name);
                tell(&password, *generate)?;
            }
            StaffCommand::List => {
                let members = staff.list().await?;
                if members.is_empty() {
                    say!("还没有账号。新建一个：qijin staff add 用户名 --role 管理");
                }
                for member in members {
                    let state = if member.disabled {
                        "停用"
                    } else {
                        "可登录"
                    };
                    let since = local_time(member.created).format("%Y-%m-%d");
                    say!("{}\t{}\t{state}\t{since}", member.name, member.role);
                }
            }
            StaffCommand::Password { name, generate } => {
                let member = find(&staff, &config.id, name).await?;
                let password = password(&member.name, *generate)?;
                staff
                    .set_password(member.id, &hash_password(&password)?)
                    .await?;
                audit.note(WHO, "重设密码", &member.name).await?;
                say!("已重设 {} 的密码。", member.name);
                tell(&password, *generate)?;
            }
            StaffCommand::Disable { name } => {
                let member = find(&staff, &config.id, name).await?;
                change(&staff, &audit, &member, member.role, true).await?;
            }
            StaffCommand::Enable { name } => {
                let member = find(&staff, &config.id, name).await?;
                change(&staff, &audit, &member, member.role, false).await?;
            }
            StaffCommand::Role { name, role } => {
                let member = find(&staff, &config.id, name).await?;
                change(&staff, &audit, &member, *role, member.disabled).await?;
            }
        }
        database.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn find(staff: &Staff, office: &OfficeId, name: &str) -> anyhow::Result<Member> {
    let known = staff.credentials(name, Utc::now()).await?;
    // Names are distinct in the whole database; another office's account is none of ours.
    let member = known.map(|c| c.member).filter(|m| m.office == *office);
    member.with_context(|| format!("没有“{name}”这个账号。qijin staff list 列出全部"))
}

async fn change(
    staff: &Staff,
    audit: &Audit,
    member: &Member,
    role: Role,
    disabled: bool,
) -> anyhow::Result<()> {
    staff.change(member.id, role, disabled).await?;
    let state = if disabled { "停用" } else { "可登录" };
    audit
        .note(WHO, "改账号", &format!("{}：{role}，{state}", member.name))
        .await?;
    say!("{}：{role}，{state}。原来的登录已全部退出。", member.name);
    Ok(())
}

fn tell(password: &str, generated: bool) -> anyhow::Result<()> {
    if generated {
        say!("密码（只显示这一次）：{password}");
    }
    Ok(())
}

/// Generated, asked for twice without echo, or the first line of standard input.
fn password(name: &str, generate: bool) -> anyhow::Result<String> {
    if generate {
        return Ok(generate_password()?);
    }
    let password = if std::io::stdin().is_terminal() {
        let terminal = console::Term::stderr();
        let ask = |what: &str| -> std::io::Result<String> {
            terminal.write_str(what)?;
            terminal.read_secure_line()
        };
        let first = ask(&format!(
            "密码（至少 {MIN_PASSWORD} 个字符，输入时不显示）："
        ))?;
        if first != ask("再输一次：")? {
            bail!("两次输入的密码不一样，什么都没有改");
        }
        first
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    judge_password(name, &password)?;
    Ok(password)
}
