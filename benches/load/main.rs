//! A load bench: the real `qijin serve` against a fake Telegram, beside a bare echo bot and what
//! people usually build instead, on the same machine and in the same run.
//!
//!     cargo bench --bench load -- table
//!     cargo bench --bench load -- soak --rate 40 --minutes 30
//!     cargo bench --bench load -- --help
//!
//! The time of an answer is from when its update was to be offered to when the message that answers
//! it arrives. The generator and the fake server run on the same cores; how much they take is told.

mod book;
mod fake_telegram;
mod growth;
mod highest;
mod postgres;
mod programs;
mod residents;
mod soak;
mod stage;
mod watch;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Args, Parser, Subcommand};
use fastrand::Rng;
use qijin::knowledge::{self, Library, LoadOptions};
use serde_json::Value;
use sqlx::{AnyConnection, Connection, Row};

use fake_telegram::FakeTelegram;
use highest::Plan;
use programs::{Kind, Places, Running};
use residents::Residents;
use stage::Stage;
use watch::Watch;

/// Qijin's pace as shipped is 28 a second; above nine tenths of it a queue is long by itself.
const SHIPPED: f64 = 27.0;
/// So that the pace does not bind.
const LIFTED: u32 = 100_000;

#[derive(Parser)]
#[command(
    about = "How many questions a second are answered within a second, and what that takes",
    after_help = "Examples (cargo bench --bench load -- …):
  table                                 every program, about 15 minutes
  table --only polling,webhook2         some of them
  soak --rate 40 --minutes 30           does anything grow?
  soak --of webhook2 --rate 40
  growth                                bytes on the disk for a question, on both databases
  fake                                  what the fake Telegram itself carries

Results go to standard output as Markdown, and every stage as a JSON line to target/load/results.jsonl. Logs of the
programs are beside it. Ctrl-C ends everything that was started."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The program to measure [default: the one cargo built]
    #[arg(long, global = true, value_name = "FILE")]
    program: Option<PathBuf>,
    /// The library to answer from
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        default_value = "knowledge"
    )]
    library: PathBuf,
    #[arg(long, global = true, default_value_t = 7)]
    seed: u64,
    /// As cargo says to benches
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// The highest rate of each program at which 99 of 100 answers take less than a second
    Table(TableArgs),
    /// One rate for long: memory, files, database, losses every five minutes
    Soak(SoakArgs),
    /// Bytes on the disk for a question
    Growth(GrowthArgs),
    /// The fake Telegram with a client that does nothing
    Fake,
}

#[derive(Args)]
struct TableArgs {
    /// Which programs: echo, python, polling, webhook1, webhook2, webhook4
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "echo,python,polling,webhook1,webhook2,webhook4"
    )]
    only: Vec<String>,
    /// Seconds of a stage
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Seconds after which no further stage of a program is begun
    #[arg(long, default_value_t = 90)]
    budget: u64,
    /// The first rate tried [default: near what was measured before]
    #[arg(long)]
    from: Option<f64>,
}

#[derive(Args)]
struct SoakArgs {
    /// Which program: polling, webhook1 … webhook16, echo, python
    #[arg(long = "of", default_value = "polling")]
    of: String,
    /// Questions a second
    #[arg(long)]
    rate: f64,
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
}

#[derive(Args)]
struct GrowthArgs {
    #[arg(long, default_value_t = 200_000)]
    questions: usize,
    /// Only on SQLite
    #[arg(long)]
    sqlite: bool,
}

struct Bench {
    places: Places,
    library: Library,
    seed: u64,
    results: fs::File,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    sqlx::any::install_default_drivers();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async {
            // What was started ends with the future that holds it.
            tokio::select! {
                done = work(arguments) => done.map(|()| ExitCode::SUCCESS),
                () = interrupted() => {
                    eprintln!("\ninterrupted");
                    Ok(ExitCode::from(130))
                }
            }
        })
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn work(arguments: Arguments) -> anyhow::Result<()> {
    let program = arguments.program.clone();
    let qijin = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_qijin").into());
    let qijin = fs::canonicalize(&qijin).with_context(|| qijin.display().to_string())?;
    let library_folder = fs::canonicalize(programs::root().join(&arguments.library))?;
    let options = LoadOptions {
        preset: None,
        today: chrono::Local::now().date_naive(),
        own: "local".into(),
    };
    let library = knowledge::load(&library_folder, &options)?.library;
    let folder = programs::root().join("target/load");
    fs::create_dir_all(&folder)?;
    let results = folder.join("results.jsonl");
    let mut bench = Bench {
        places: Places {
            qijin,
            library: library_folder,
            folder,
        },
        library,
        seed: arguments.seed,
        results: fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(results)?,
    };
    match arguments.command {
        Command::Table(args) => bench.table(&args).await,
        Command::Soak(args) => bench.soak(&args).await,
        Command::Growth(args) => {
            growth::run(false, args.questions, &bench.library).await?;
            if !args.sqlite {
                println!();
                growth::run(true, args.questions, &bench.library).await?;
            }
            Ok(())
        }
        Command::Fake => bench.fake().await,
    }
}

impl Bench {
    fn residents(&self) -> anyhow::Result<Residents> {
        let mut random = Rng::with_seed(self.seed);
        let file = programs::root().join("tests/data/understanding/questions.jsonl");
        let questions = residents::questions(&file, &self.library, &mut random)?;
        Ok(Residents::new(self.seed, questions))
    }

    fn keep(&mut self, line: &Value) {
        // The table is on the screen anyway.
        let _ = writeln!(self.results, "{line}");
    }

    async fn table(&mut self, args: &TableArgs) -> anyhow::Result<()> {
        let kinds: Vec<Kind> = args
            .only
            .iter()
            .map(|word| Kind::parse(word))
            .collect::<Result<_, _>>()?;
        let mut rows = Vec::new();
        for kind in kinds {
            if kind == Kind::Polling {
                rows.push(self.row(kind, Some(SHIPPED), args).await?);
            }
            rows.push(self.row(kind, None, args).await?);
        }
        println!(
            "| program | updates/s | p50 ms | p95 ms | p99 ms | lost | doubled | memory MB | open files | threads | \
             CPU ms an update | of it database | generator's cores | journaled |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
        );
        for row in rows {
            println!("{row}");
        }
        Ok(())
    }

    /// One program: started, measured, ended.
    async fn row(
        &mut self,
        kind: Kind,
        ceiling: Option<f64>,
        args: &TableArgs,
    ) -> anyhow::Result<String> {
        let title = match ceiling {
            Some(_) => format!("{}, sending as shipped (28/s)", kind.title()),
            None => kind.title(),
        };
        eprintln!("{title}");
        let mut fake = FakeTelegram::start().await?;
        let pace = (kind.is_qijin() && ceiling.is_none()).then_some(LIFTED);
        let mut running =
            programs::start(kind, pace, &self.places, &self.library, &mut fake).await?;
        let watch = Watch::start(running.ids());
        let mut residents = self.residents()?;
        let usual = match kind {
            Kind::Echo => 2000.0,
            Kind::Python => 100.0,
            _ => 120.0,
        };
        let plan = Plan {
            from: args.from.unwrap_or(usual),
            ceiling,
            lasts: Duration::from_secs(args.seconds),
            budget: Duration::from_secs(args.budget),
        };
        let word = kind.word();
        let tell = |what: &str, stage: &Stage| {
            eprintln!("  {what:8} {}", stage.line());
            self.keep(&stage.json(&word, what));
        };
        let best =
            highest::highest(&plan, &fake, &mut residents, &mut running, &watch, tell).await?;
        let journaled = journaled(&running, &fake).await?;
        let Some(best) = best else {
            return Ok(format!(
                "| {title} | none of those tried | | | | | | | | | | | | {journaled} |"
            ));
        };
        let (o, rate) = (&best.outcome, best.rate);
        let database = running
            .postgres
            .as_ref()
            .map_or(0.0, |p| watch::of_family(p.process).memory);
        let memory = match database {
            0.0 => format!("{:.0}", best.peak.memory),
            database => format!("{:.0} + {database:.0}", best.peak.memory),
        };
        Ok(format!(
            "| {title} | **{rate:.0}** | {:.0} | {:.0} | {:.0} | {} | {} | {memory} | {} | {} | {:.1} | {:.1} | {:.2} | {journaled} |",
            o.p50,
            o.p95,
            o.p99,
            o.lost,
            o.doubled,
            best.peak.files,
            best.peak.threads,
            (best.cores[0] + best.cores[1]) / rate * 1000.0,
            best.cores[1] / rate * 1000.0,
            best.cores[2],
        ))
    }

    async fn soak(&mut self, args: &SoakArgs) -> anyhow::Result<()> {
        ensure!(
            args.rate > 0.0 && args.minutes > 0.0,
            "rate and minutes are above 0"
        );
        let kind = Kind::parse(&args.of)?;
        let mut fake = FakeTelegram::start().await?;
        let pace = kind.is_qijin().then_some(LIFTED);
        let mut running =
            programs::start(kind, pace, &self.places, &self.library, &mut fake).await?;
        let watch = Watch::start(running.ids());
        let mut residents = self.residents()?;
        println!("{}, {} questions a second:\n", kind.title(), args.rate);
        let lasts = Duration::from_secs_f64(args.minutes * 60.0);
        let word = kind.word();
        let tell = |stage: &Stage| self.keep(&stage.json(&word, "soak"));
        let plan = (args.rate, lasts);
        soak::run(plan, &fake, &mut residents, &mut running, &watch, tell).await?;
        println!("Journaled: {}.", journaled(&running, &fake).await?);
        Ok(())
    }

    /// What the fake server carries: a client that polls and answers, and does nothing else.
    async fn fake(&self) -> anyhow::Result<()> {
        let fake = FakeTelegram::start().await?;
        let mut residents = self.residents()?;
        let bot = format!("{}/bot{}", fake.url, fake_telegram::TOKEN);
        let client = reqwest::Client::new();
        let answering = tokio::spawn(async move {
            let mut offset = 0;
            loop {
                let polled = client.post(format!("{bot}/getUpdates"));
                let polled = polled.json(&serde_json::json!({"offset": offset, "timeout": 5}));
                let Ok(answer) = polled.send().await else {
                    return;
                };
                let Ok(answer) = answer.json::<Value>().await else {
                    return;
                };
                for update in answer["result"].as_array().into_iter().flatten() {
                    offset = update["update_id"].as_i64().unwrap_or(0) + 1;
                    let message = &update["message"];
                    let said = serde_json::json!({"chat_id": message["chat"]["id"], "text": message["text"]});
                    let sent = client.post(format!("{bot}/sendMessage")).json(&said).send();
                    tokio::spawn(async move {
                        // What is not sent is counted as lost.
                        let _ = sent.await;
                    });
                }
            }
        });
        for rate in [500.0, 1000.0, 2000.0, 4000.0] {
            fake.book(|book| book.begin());
            let began = (Instant::now(), watch::cpu(std::process::id()));
            residents
                .ask(&fake, rate, Duration::from_secs(5), |_| false)
                .await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let cores =
                (watch::cpu(std::process::id()) - began.1) / began.0.elapsed().as_secs_f64();
            let outcome = fake.book(|book| book.outcome());
            println!(
                "{rate:6.0}/s: p99 {:.1} ms, lost {}, {cores:.2} cores, the client's too",
                outcome.p99, outcome.lost
            );
        }
        answering.abort();
        Ok(())
    }
}

/// Whether the journal holds a row for every update, and nothing waits in the inbox.
async fn journaled(running: &Running, fake: &FakeTelegram) -> anyhow::Result<String> {
    let Some(url) = &running.database else {
        return Ok("nothing".to_owned());
    };
    let total = fake.book(|book| book.total) as i64;
    let mut connection = AnyConnection::connect(url).await?;
    let mut counts = [0; 2];
    for (count, sql) in counts.iter_mut().zip([
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM question",
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM inbox WHERE done = 0",
    ]) {
        *count = sqlx::query(sql)
            .fetch_one(&mut connection)
            .await?
            .try_get("n")?;
    }
    connection.close().await?;
    Ok(match counts {
        [rows, 0] if rows == total => "all".to_owned(),
        [rows, open] => format!("{rows} of {total}, {open} open"),
    })
}
