//! What can go wrong with key, database and export.

use std::path::PathBuf;

/// A failure of the journal; its text never contains what was to be written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The local key file cannot be read or made.
    #[error("本机密钥文件 {path} 读写失败")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The local key file does not hold a key.
    #[error(
        "{0} 不是完好的本机密钥。请从备份恢复；没有备份就把它移走，再运行 qijin db rekey；旧的收件箱内容将无法再读"
    )]
    KeyDamaged(PathBuf),
    /// The database belongs to another local key.
    #[error(
        "数据库是用另一把本机密钥写的，这里的 local.key 和它对不上：什么都没有动。几台机器共用一个数据库，\
         就把第一台数据文件夹里的 local.key 拷过来；密钥被换过，就从备份恢复。旧密钥确实找不回来了，\
         才运行 qijin db rekey"
    )]
    OtherKey,
    /// The database says nothing at all.
    #[error("数据库没有回答")]
    Silent,
    /// Something sealed does not open: another key, or tampering.
    #[error("密封的内容打不开：密钥不对，或内容被改动")]
    Sealed,
    /// The database refused.
    #[error("数据库出错")]
    Database(#[from] sqlx::Error),
    /// The database's tables could not be brought up to date.
    #[error("数据库升级失败")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database's URL names neither SQLite nor PostgreSQL; it may hold a password.
    #[error("数据库地址要以 sqlite: 或 postgres:// 开头")]
    Scheme,
    /// A newer program wrote the database.
    #[error(
        "数据库是更新的程序写的（第 {found} 版），这个程序只认识到第 {known} 版。什么都没有动，请换新版程序"
    )]
    Newer {
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// A column of a type that no migration of ours makes.
    #[error("表 {name} 的 {column} 列不是七进的格式")]
    Foreign {
        /// Table.
        name: String,
        /// Column.
        column: String,
    },
    /// There is no database file.
    #[error("没有 {0} 这个数据库文件")]
    NoDatabase(PathBuf),
    /// What should be read is another program's database.
    #[error("这不是七进的数据库：里面没有提问日志")]
    NotOurs,
    /// What should be read was written by an older program.
    #[error("来源是旧版结构，没有动它：请先对它运行 qijin db migrate")]
    Outdated,
    /// Source and target are one database.
    #[error("来源和目标是同一个数据库，什么都没有做")]
    CopyToItself,
    /// The target of a copy holds something.
    #[error("目标数据库不是空的（表 {0} 里有数据），什么都没有写：请换一个空的数据库")]
    CopyTargetFull(String),
    /// The copy read back is not what was read.
    #[error("核对不一致：表 {0}。已全部撤销，目标数据库和之前一样")]
    CopyDiffers(String),
    /// A file that should be written is there already.
    #[error("{0} 已经有了，没有覆盖它：请换一个文件名")]
    FileThere(PathBuf),
    /// A backup does not open, or fails its checks.
    #[error("{0} 不是完好的备份，什么都没有动")]
    BackupDamaged(PathBuf),
    /// There is something where a backup should be restored to.
    #[error("数据库里已经有数据，没有动它：确定要换掉，请加 --replace（旧的会另外留着）")]
    RestoreTargetFull,
    /// Another program has the database open.
    #[error("数据库正在使用，没有动它：请先停下 qijin serve")]
    InUse,
    /// The export could not be written.
    #[error("写导出文件失败")]
    Export(#[from] csv::Error),
    /// A password could not be hashed.
    #[error("密码没能保存：{0}")]
    Password(String),
    /// An account needs a name.
    #[error("用户名要 1 到 32 个字符，不能有换行")]
    StaffName,
    /// The name of an account is taken.
    #[error("已经有“{0}”这个用户名")]
    StaffExists(String),
    /// There is no such account.
    #[error("没有这个账号")]
    NoSuchStaff,
    /// Nobody would be left who manages accounts.
    #[error("这是最后一个“管理”账号：先给别人“管理”角色，再改它")]
    LastAdmin,
    /// The ledger holds no activity with that number.
    #[error("台账里没有第 {0} 号活动。qijin activity list 列出全部")]
    NoSuchActivity(i64),
    /// The ledger holds an activity with the same name, first day and unit.
    #[error("台账里已经有“{0}”：名称、开始日期和责任单位都一样，没有再记")]
    ActivityExists(String),
    /// There is no board with that code.
    #[error("没有编号为 {0} 的宣传点。qijin board list 列出全部")]
    NoSuchBoard(String),
    /// A file or folder could not be written.
    #[error("写文件失败")]
    Io(#[from] std::io::Error),
}

impl JournalError {
    /// Whether the database is away, and may well be back in a moment: nothing is wrong with what was
    /// asked of it.
    pub fn is_passing(&self) -> bool {
        use sqlx::Error;
        let away = |error: &Error| match error {
            Error::Io(_) | Error::PoolTimedOut | Error::WorkerCrashed => true,
            // Starting up or shutting down, too many connections, connection lost.
            Error::Database(error) => error.code().is_some_and(|code| {
                matches!(&*code, "57P01" | "57P02" | "57P03" | "53300") || code.starts_with("08")
            }),
            _ => false,
        };
        match self {
            Self::Silent => true,
            Self::Database(error) => away(error),
            Self::Migration(sqlx::migrate::MigrateError::Execute(error)) => away(error),
            _ => false,
        }
    }
}
