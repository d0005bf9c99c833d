//! What statutes and answers cost: import, index, look-up, retrieval and whole answers, beside a plain tantivy BM25 and
//! SQLite FTS5 in the same run.
//!
//!     cargo bench --bench statutes -- STATUTES_DIR QUESTIONS.jsonl
//!
//! QUESTIONS: a line `{"text":"…"}` each. The library is `knowledge/`; everything is written to a
//! temporary folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use qijin::answer::{Answerer, LawBook, Office};
use qijin::knowledge::statutes::{self, Statute, read_texts};
use qijin::knowledge::{self, Citation, LoadOptions};
use qijin::search;
use qijin::text::Analyser;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, Term, doc};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            if item.file_name() != statutes::FOLDER {
                copy(&item.path(), &target);
            }
        } else {
            std::fs::copy(item.path(), target).unwrap();
        }
    }
}

fn bytes(folder: &Path) -> u64 {
    let items = std::fs::read_dir(folder).unwrap().flatten();
    items
        .map(|i| {
            if i.path().is_dir() {
                bytes(&i.path())
            } else {
                i.metadata().unwrap().len()
            }
        })
        .sum()
}

/// Peak memory of this process in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:"));
    let kb = line.and_then(|l| l.split_whitespace().nth(1));
    kb.and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// p50 and p99 of `ask` over all questions, shared out over threads.
fn latency(
    threads: usize,
    questions: &[String],
    ask: impl Fn(&str) + Sync,
) -> (Duration, Duration) {
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let ask = &ask;
                scope.spawn(move || {
                    let mine = questions.iter().skip(thread).step_by(threads);
                    mine.map(|q| {
                        let started = Instant::now();
                        ask(q);
                        started.elapsed()
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap())
            .collect()
    });
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn row(name: &str, one: (Duration, Duration), two: (Duration, Duration), base: Duration) {
    let us = |d: Duration| d.as_micros();
    println!(
        "| {name} | {} / {} | {} / {} | {:.2} |",
        us(one.0),
        us(one.1),
        us(two.0),
        us(two.1),
        one.1.as_secs_f64() / base.as_secs_f64()
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let [from, questions] = arguments.as_slice() else {
        println!("usage: cargo bench --bench statutes -- STATUTES_DIR QUESTIONS.jsonl");
        return;
    };
    let questions: Vec<String> = std::fs::read_to_string(questions)
        .unwrap()
        .lines()
        .map(|l| {
            serde_json::from_str::<serde_json::Value>(l).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let library_dir = folder.path().join("library");
    copy(&PathBuf::from("knowledge"), &library_dir);

    let started = Instant::now();
    let report = statutes::import(&library_dir, Path::new(from), &mut |_, _| ()).unwrap();
    println!(
        "import: {:.1} s, {} versions, {} articles, {:.1} MB, peak {:.0} MB",
        started.elapsed().as_secs_f32(),
        report.versions,
        report.articles,
        report.bytes as f64 / 1e6,
        peak()
    );

    let day = chrono::Local::now().date_naive();
    let options = LoadOptions {
        preset: None,
        today: day,
        own: "local".into(),
    };
    let library = knowledge::load(&library_dir, &options)
        .unwrap()
        .accept()
        .unwrap();
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let index_dir = folder.path().join("index");
    let entries = search::open_or_build(&index_dir, &library, &analyser, false, |_| ()).unwrap();
    let started = Instant::now();
    let (articles, _) = search::open_or_build_articles(
        &index_dir,
        &library_dir,
        &library.laws,
        day,
        &analyser,
        "",
        |_| (),
    )
    .unwrap()
    .unwrap();
    let seconds = started.elapsed().as_secs_f32();
    println!(
        "index: {seconds:.1} s, {} articles, {:.1} MB, peak {:.0} MB",
        articles.len(),
        bytes(&index_dir) as f64 / 1e6,
        peak()
    );

    // The statutes in force, once more for the baselines.
    let catalogue = library.laws.catalogue.clone().unwrap();
    let in_force: std::collections::HashSet<String> = library
        .laws
        .in_force(day)
        .iter()
        .map(|v| v.id.clone())
        .collect();
    let mut held: Vec<Statute> = Vec::new();
    read_texts(&library_dir, &catalogue, |s| {
        if in_force.contains(&s.version.id) {
            held.push(s);
        }
    })
    .unwrap();

    // Plain tantivy: one field of jieba words, BM25.
    let started = Instant::now();
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::WithFreqs);
    let words = schema.add_text_field(
        "words",
        TextOptions::default().set_indexing_options(indexing),
    );
    let id = schema.add_text_field("id", STRING | STORED);
    let plain_dir = folder.path().join("plain");
    std::fs::create_dir(&plain_dir).unwrap();
    let plain = Index::create_in_dir(&plain_dir, schema.build()).unwrap();
    let mut writer = plain.writer_with_num_threads(1, 256 << 20).unwrap();
    let cut = |text: &str| -> Vec<String> {
        let normalized = analyser.normalize(text);
        analyser
            .words(&normalized)
            .into_iter()
            .map(|w| w.text)
            .collect()
    };
    for statute in &held {
        for article in &statute.articles {
            let text = cut(&format!("{} {}", statute.version.name, article.text)).join(" ");
            let name = format!("{}{}", statute.version.name, article.label());
            writer
                .add_document(doc!(words => text, id => name))
                .unwrap();
        }
    }
    writer.commit().unwrap();
    let plain_seconds = started.elapsed().as_secs_f32();
    println!(
        "plain tantivy index: {plain_seconds:.1} s, {:.1} MB",
        bytes(&plain_dir) as f64 / 1e6
    );
    let reader = plain.reader().unwrap();
    let plain_search = |text: &str| {
        let clauses = cut(text).into_iter().map(|w| {
            let term = Term::from_field_text(words, &w);
            let query: Box<dyn Query> =
                Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
            (Occur::Should, query)
        });
        let query = BooleanQuery::new(clauses.collect());
        let searcher = reader.searcher();
        let top = TopDocs::with_limit(10).order_by_score();
        for (_, at) in searcher.search(&query, &top).unwrap() {
            let _: tantivy::TantivyDocument = searcher.doc(at).unwrap();
        }
    };

    // SQLite FTS5 with its trigram tokenizer.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    sqlx::any::install_default_drivers();
    let started = Instant::now();
    let url = format!(
        "sqlite:{}?mode=rwc",
        folder.path().join("fts.sqlite").display()
    );
    let pool = runtime.block_on(async {
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        sqlx::query(
            "CREATE VIRTUAL TABLE article USING fts5(name UNINDEXED, text, tokenize = 'trigram')",
        )
        .execute(&pool)
        .await
        .unwrap();
        let mut transaction = pool.begin().await.unwrap();
        for statute in &held {
            for article in &statute.articles {
                sqlx::query("INSERT INTO article (name, text) VALUES ($1, $2)")
                    .bind(format!("{}{}", statute.version.name, article.label()))
                    .bind(&article.text)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
            }
        }
        transaction.commit().await.unwrap();
        pool
    });
    println!(
        "SQLite FTS5 index: {:.1} s, {:.1} MB",
        started.elapsed().as_secs_f32(),
        std::fs::metadata(folder.path().join("fts.sqlite"))
            .unwrap()
            .len() as f64
            / 1e6
    );
    let fts_search = |text: &str| {
        let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let grams: Vec<String> = chars
            .windows(3)
            .map(|w| format!("\"{}\"", w.iter().collect::<String>()))
            .collect();
        runtime.block_on(async {
            sqlx::query("SELECT name FROM article WHERE article MATCH $1 ORDER BY rank LIMIT 10")
                .bind(grams.join(" OR "))
                .fetch_all(&pool)
                .await
                .unwrap();
        });
    };

    let library = Arc::new(library);
    let lawbook = LawBook::new(&library, Some(articles), day);
    let searcher = entries.searcher;
    let answerer = Answerer::new(
        library.clone(),
        searcher.clone(),
        lawbook,
        Office::default(),
    );
    let cited: Vec<Citation> = library.entries.iter().flat_map(|e| e.citations()).collect();
    let look_ups: Vec<String> = cited.iter().take(4_000).map(ToString::to_string).collect();
    let look_up = |text: &str| {
        answerer.answer(text).unwrap();
    };
    let find = |text: &str| {
        searcher.search(text, 20).unwrap();
    };
    let retrieve = |text: &str| {
        answerer.articles_for(text, 10).unwrap();
    };
    println!(
        "\n| µs, p50 / p99 | one thread | two threads | p99 against plain |\n|---|---|---|---|"
    );
    let base = (
        latency(1, &questions, plain_search),
        latency(2, &questions, plain_search),
    );
    row("plain tantivy, words", base.0, base.1, base.0.1);
    row(
        "SQLite FTS5, trigram",
        latency(1, &questions, fts_search),
        latency(2, &questions, fts_search),
        base.0.1,
    );
    row(
        "articles, ours",
        latency(1, &questions, retrieve),
        latency(2, &questions, retrieve),
        base.0.1,
    );
    row(
        "entries, ours",
        latency(1, &questions, find),
        latency(2, &questions, find),
        base.0.1,
    );
    row(
        "a whole answer",
        latency(1, &questions, look_up),
        latency(2, &questions, look_up),
        base.0.1,
    );
    row(
        "look-up, ours",
        latency(1, &look_ups, look_up),
        latency(2, &look_ups, look_up),
        base.0.1,
    );
    println!("\npeak memory of everything: {:.0} MB", peak());
}
