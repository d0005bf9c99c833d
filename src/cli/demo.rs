//! `qijin demo`: an invented year in a database of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use clap::Args;

use super::{Config, progress, runtime};
use crate::insight::demo::{BOARDS, DemoYear, Invented, NAMES, TOWNSHIP, topics_of};
use crate::journal::{
    Activity, Boards, Database, Journal, Keys, Ledger, Medium, NewBoard, PastQuestion, Record,
    day_start, local_day,
};
use crate::knowledge;

#[derive(Args)]
#[command(after_help = "例：
  qijin demo                        造一年数据，写进 demo 文件夹
  qijin demo --into 演示 --seed 8   换一个文件夹、换一年
  qijin --config demo/qijin.toml serve   看这份数据

数据全部是编的，和任何人无关。只写空的数据库，绝不动正式数据；资料库和索引也另放一份，随便改。")]
pub(super) struct DemoArgs {
    /// 写进哪个文件夹；里面的数据库必须还没有提问
    #[arg(long, value_name = "文件夹", default_value = "demo")]
    into: PathBuf,
    /// 随机数种子：同一个种子造出同一年
    #[arg(long, value_name = "数", default_value_t = 7)]
    seed: u64,
    /// 这一年的最后一天，默认昨天
    #[arg(long, value_name = "日期")]
    to: Option<NaiveDate>,
}

/// Questions written in one transaction.
const BATCH: usize = 5_000;
/// The demonstration's own library, beside its data.
const LIBRARY: &str = "knowledge";

pub(super) fn run(config: &Config, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let url = format!("sqlite:{}", args.into.join("qijin.sqlite").display());
    let same_folder = match (args.into.canonicalize(), config.folders.data.canonicalize()) {
        (Ok(demo), Ok(real)) => demo == real,
        _ => args.into == config.folders.data,
    };
    if same_folder || url == config.database_url() {
        bail!(
            "{} 是正式的数据文件夹，演示数据不能写进去。什么都没有写。请用 --into 换一个文件夹",
            args.into.display()
        );
    }
    let loaded = knowledge::load(&config.folders.library, &config.load_options())?;
    let library = loaded.library;
    let topics = topics_of(&library);
    if topics.len() < 8 {
        bail!("资料库里有内容的主题不到 8 个，造不出像样的一年。请检查 folders.library");
    }
    let yesterday = local_day(Utc::now()).checked_sub_days(Days::new(1));
    let last = args.to.or(yesterday).context("日期超出范围")?;
    let year = DemoYear::new(args.seed, last, &topics);
    runtime()?.block_on(async {
        let keys = Keys::open_or_create(&args.into.join("local.key"))?;
        let database = Database::open(&url).await?;
        // Words are kept as long as the office keeps them, once `serve` runs on it.
        let journal = Journal::new(database, keys, config.journal.retention_days);
        if journal.count().await? > 0 {
            bail!(
                "{} 里的数据库已经有提问，演示数据只写进空的数据库。什么都没有写。",
                args.into.display()
            );
        }
        let activities: Vec<Activity> = year.activities.iter().map(held).collect();
        Ledger::new(journal.database().clone())
            .add(&activities, Utc::now())
            .await?;
        let codes = put_up(&journal, &year).await?;
        let bar = progress::bar("写入演示数据");
        bar.set_length(year.questions.len() as u64);
        for batch in year.questions.chunks(BATCH) {
            let past = batch.iter().map(|q| past(&journal, q, &codes));
            let past: Vec<PastQuestion> = past.collect();
            journal.fill(&past).await?;
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        let bar = progress::bar("汇总");
        journal
            .roll_up(Utc::now(), |done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            })
            .await?;
        bar.finish_and_clear();
        journal
            .note_entries(library.entries.iter().map(|e| e.id.0.as_str()), Utc::now())
            .await?;
        journal.database().close().await;
        // Entries written while trying things out must not reach residents.
        copy_folder(&config.folders.library, &args.into.join(LIBRARY))?;
        let file = configure(args)?;
        tell(args, &year, &file)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Puts up the boards on the first day; returns their codes by number.
async fn put_up(journal: &Journal, year: &DemoYear) -> anyhow::Result<BTreeMap<String, String>> {
    let boards = Boards::new(journal.database().clone());
    let held = Ledger::new(journal.database().clone()).all().await?;
    let since = DateTime::from_timestamp_millis(day_start(year.first)).unwrap_or_default();
    let mut codes = BTreeMap::new();
    for (minutes, board) in (0..).zip(BOARDS) {
        let activity = board.activity.and_then(|at| year.activities.get(at));
        let entered = held
            .iter()
            .find(|entered| activity.is_some_and(|a| a.title == entered.activity.title));
        let about = NewBoard {
            name: board.name.to_owned(),
            place: Some(board.place.to_owned()),
            region: Some(board.region.to_owned()),
            activity: entered.map(|entered| entered.id),
        };
        let board_up = boards
            .add(about, since + Duration::minutes(minutes))
            .await?;
        codes.insert(board.number.to_owned(), board_up.code);
    }
    Ok(codes)
}

/// Copies a folder with all it holds; files that are there already stay.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = |path: &Path| format!("复制资料库时出错：{}", path.display());
    std::fs::create_dir_all(to).with_context(|| failed(to))?;
    for entry in std::fs::read_dir(from).with_context(|| failed(from))? {
        let entry = entry.with_context(|| failed(from))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else if !copy.exists() {
            std::fs::copy(&path, &copy).with_context(|| failed(&path))?;
        }
    }
    Ok(())
}

/// Writes a configuration beside the data, so that villages have their names; one that is there stays.
fn configure(args: &DemoArgs) -> anyhow::Result<PathBuf> {
    let path = args.into.join("qijin.toml");
    let region = |(code, name): (&str, &str)| {
        let keys = [("code", code), ("name", name)];
        let keys = keys.map(|(key, word)| (key.to_owned(), toml::Value::String(word.to_owned())));
        toml::Value::Table(keys.into_iter().collect())
    };
    let mut table = toml::Table::new();
    let mut section = |name: &str, keys: Vec<(&str, toml::Value)>| {
        let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
        table.insert(name.to_owned(), toml::Value::Table(keys.collect()));
    };
    let text = |words: &str| toml::Value::String(words.to_owned());
    let folder = |name: &str| text(&args.into.join(name).to_string_lossy());
    section("office", vec![("name", text("青石镇司法所（演示）"))]);
    section(
        "folders",
        vec![
            ("library", folder(LIBRARY)),
            ("index", folder("index")),
            ("data", text(&args.into.to_string_lossy())),
        ],
    );
    section("telegram", vec![("bot", text("qingshi_demo_bot"))]);
    let list = NAMES.into_iter().map(region).collect();
    section(
        "regions",
        vec![
            ("township", text(TOWNSHIP)),
            ("list", toml::Value::Array(list)),
        ],
    );
    let words = format!(
        "# 演示数据的配置，由 qijin demo 写成。\n{}",
        toml::to_string(&table)?
    );
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    match made {
        Ok(mut file) => file.write_all(words.as_bytes()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
    .with_context(|| format!("写不了 {}", path.display()))?;
    Ok(path)
}

fn past(journal: &Journal, question: &Invented, codes: &BTreeMap<String, String>) -> PastQuestion {
    let person = question.person.to_string();
    PastQuestion {
        record: Record {
            at: DateTime::from_timestamp_millis(question.at).unwrap_or_default(),
            channel: "telegram".to_owned(),
            asker: Some(journal.keys().asker("demo", &person)),
            region: Some(question.region.to_owned()),
            board: question.board.as_ref().and_then(|n| codes.get(n).cloned()),
            place: question.place.map(str::to_owned),
            topic: Some(question.topic.to_string()),
            topic_confidence: question.topic_confidence,
            kind: question.kind.to_owned(),
            entry: question.entry.as_deref().map(str::to_owned),
            rule: None,
            confidence: question.confidence,
            reply: String::new(),
            latency_us: 2_000,
            text: question.text.clone(),
            parent: None,
            request: None,
        },
        helpful: question.helpful,
        picked: question.picked.as_deref().map(str::to_owned),
        handed_over: question.handed_over,
    }
}

/// An invented activity as the ledger holds it.
fn held(invented: &crate::insight::Activity) -> Activity {
    Activity {
        title: invented.title.clone(),
        from: invented.from,
        to: invented.to,
        places: invented.places.clone(),
        topics: invented.topics.clone(),
        regions: invented.regions.clone(),
        venue: String::new(),
        media: vec![Medium::Lecture, Medium::Leaflets],
        unit: "司法所".to_owned(),
        person: String::new(),
        attendance: None,
        materials: None,
        note: "演示数据，不是真的活动".to_owned(),
        attachments: Vec::new(),
    }
}

fn tell(args: &DemoArgs, year: &DemoYear, file: &Path) -> anyhow::Result<()> {
    say!(
        "已造好 {} 到 {} 的 {} 次提问，在 {}。全部是编的。",
        year.first,
        year.last,
        year.questions.len(),
        args.into.display()
    );
    for (activity, effect) in year.activities.iter().zip(&year.truth.effects) {
        say!(
            "  活动“{}”（{} 到 {}）：真实效果 {effect} 倍",
            activity.title,
            activity.from,
            activity.to
        );
    }
    say!(
        "  突增：{}，从 {} 起；季节性主题：{}；活动没有覆盖的场所：{}",
        year.truth.burst.0,
        year.truth.burst.1,
        year.truth.seasonal,
        year.truth.neglected
    );
    say!("看这份数据，先建一个账号，再启动：");
    say!(
        "  qijin --config {} staff add 李主任 --role 管理",
        file.display()
    );
    say!("  qijin --config {} serve", file.display());
    Ok(())
}
