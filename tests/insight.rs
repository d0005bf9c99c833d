//! Figures from the journal: roll-ups against the rows themselves, late corrections, the demo year.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use qijin::insight::demo::{DemoYear, plain_topics};
use qijin::insight::{
    Activity, CloseUp, Figures, Meanings, Outcome, Part, Period, Totals, Verdict, close_up, gather,
};
use qijin::journal::{
    Asked, Asker, Boards, Database, Days, Facet, Journal, Keys, NewBoard, Record, Review,
    local_day, tally,
};
use qijin::knowledge::{LoadOptions, load};
use qijin::text::Analyser;

async fn journal(folder: &Path) -> Journal {
    let url = common::fresh_database(folder, "j.sqlite");
    let keys = Keys::open_or_create(&folder.join("k")).unwrap();
    Journal::new(Database::open(&url).await.unwrap(), keys, 30)
}

fn asked(asker: &Asker, at: DateTime<Utc>, topic: &str, kind: &str) -> Record {
    Record {
        topic_confidence: 0.8,
        kind: kind.into(),
        entry: (kind == "answer").then(|| format!("{topic}-000000")),
        ..common::fixtures::asked(asker, at, topic)
    }
}

/// Figures are rolled up by whoever looks at them, and by several programs on one database.
#[tokio::test(flavor = "multi_thread")]
async fn many_may_roll_up_at_once_while_questions_change() {
    let folder = tempfile::tempdir().unwrap();
    let url = common::fresh_database(folder.path(), "j.sqlite");
    let keys = Keys::open_or_create(&folder.path().join("k")).unwrap();
    let now = Utc::now();
    let mut journals = Vec::new();
    for _ in 0..2 {
        let database = Database::open(&url).await.unwrap();
        journals.push(Journal::new(database, keys.clone(), 30));
    }
    let journal = &journals[0];
    let asker = journal.keys().asker("telegram", "1");
    let mut rows = Vec::new();
    for n in 0..70 {
        let at = now - Duration::days(n);
        let record = asked(&asker, at, "labor.wage_arrears", "answer");
        rows.push(journal.record(record).await.unwrap());
    }
    let mut work = tokio::task::JoinSet::new();
    for n in 0..4 {
        let journal = journals[n % 2].clone();
        work.spawn(async move {
            // Within the time in which today counts as rolled, only changes are rolled up.
            for minutes in 0..5 {
                journal
                    .roll_up(now + Duration::minutes(2 * minutes), |_, _| {})
                    .await
                    .unwrap();
            }
        });
        let (journal, rows, asker) = (journals[n % 2].clone(), rows.clone(), asker.clone());
        work.spawn(async move {
            for row in rows {
                journal.feedback(row, &asker, n % 2 == 0).await.unwrap();
            }
        });
    }
    while let Some(done) = work.join_next().await {
        done.unwrap();
    }
    journal
        .roll_up(now + Duration::minutes(20), |_, _| {})
        .await
        .unwrap();
    assert_rolled(journal, local_day(now) - Duration::days(60), local_day(now)).await;
}

/// Roll-ups of every facet must be what the rows themselves give.
async fn assert_rolled(journal: &Journal, from: NaiveDate, to: NaiveDate) {
    let early = from.pred_opt().unwrap();
    let facts = journal.facts(early, to).await.unwrap();
    let direct: BTreeMap<Facet, Days> = tally(&facts, from);
    for facet in Facet::ALL {
        let rolled = journal.days(facet, from, to).await.unwrap();
        let direct = direct.get(&facet).cloned().unwrap_or_default();
        assert_eq!(rolled, direct, "{facet:?}");
        // Over months, which are added up, and over parts of months.
        for (a, b) in [
            (from, to),
            (from + Duration::days(9), to - Duration::days(3)),
        ] {
            let mut merged = Totals::new();
            for (key, days) in &direct {
                for (_, tally) in days.range(a..=b) {
                    merged.entry(key.clone()).or_default().merge(tally);
                }
            }
            let totals = journal.totals(facet, a, b).await.unwrap();
            assert_eq!(totals, merged, "{facet:?}");
        }
    }
}

#[tokio::test]
async fn roll_ups_are_what_the_rows_say_also_after_late_changes() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path()).await;
    let now: DateTime<Utc> = "2026-11-20T04:00:00Z".parse().unwrap();
    let askers: Vec<Asker> = (0..30)
        .map(|n| journal.keys().asker("telegram", &n.to_string()))
        .collect();
    let topics = ["labor.wage_arrears", "land.boundary", "debt.interest"];
    let kinds = ["answer", "choices", "unknown", "smalltalk"];
    let mut rows = Vec::new();
    for n in 0..300_usize {
        // Every five hours, backwards over two months; every tenth asks again an hour later.
        let at = now - Duration::hours(5 * n as i64);
        let asker = &askers[n * 7 % 30];
        let record = asked(asker, at, topics[n % 3], kinds[n % 4]);
        rows.push((journal.record(record.clone()).await.unwrap(), asker.clone()));
        if n % 10 == 1 {
            let mut again = record;
            again.at = at + Duration::hours(1);
            journal.record(again).await.unwrap();
        }
    }
    let (from, to) = (local_day(now - Duration::days(70)), local_day(now));
    assert!(journal.roll_up(now, |_, _| ()).await.unwrap() > 60);
    assert_rolled(&journal, from, to).await;
    let all = journal.totals(Facet::All, from, to).await.unwrap();
    assert_eq!(all[""].questions, 225 + 15, "small talk is no question");
    assert!(all[""].repeats >= 15);
    assert!(
        journal.roll_up(now, |_, _| ()).await.unwrap() <= 2,
        "only yesterday and today"
    );

    // Late changes: feedback, a pick, a hand-over, a correction, a test by staff, a deletion.
    let (row, asker) = &rows[100];
    journal.feedback(*row, asker, false).await.unwrap();
    let (row, asker) = &rows[101];
    journal
        .picked(*row, asker, "land.boundary-000000")
        .await
        .unwrap();
    let (row, asker) = &rows[102];
    journal.handed_over(*row, asker).await.unwrap();
    let review = Review {
        topic: Some("elder.will".into()),
        outcome: Some(Outcome::Unknown),
        note: Some("打13800138000核实过".into()),
        reviewer: "li".into(),
        ..Review::default()
    };
    assert!(journal.set_review(rows[104].0, &review).await.unwrap());
    let kept = journal.review(rows[104].0).await.unwrap().unwrap();
    assert_eq!(kept.note.as_deref(), Some("打［手机号］核实过"));
    let test = Review {
        staff_test: true,
        reviewer: "li".into(),
        ..Review::default()
    };
    journal.set_review(rows[108].0, &test).await.unwrap();
    assert!(
        !journal.set_review(1, &test).await.unwrap(),
        "no such question"
    );
    journal.forget(&askers[3]).await.unwrap();
    let rolled = journal.roll_up(now, |_, _| ()).await.unwrap();
    assert!(rolled > 2 && rolled < 60, "the changed days only: {rolled}");
    assert_rolled(&journal, from, to).await;
    let topics = journal.totals(Facet::Topic, from, to).await.unwrap();
    assert_eq!(topics["elder.will"].of(Outcome::Unknown), 1);

    // A question written late into a day that is rolled up already.
    let late = asked(&askers[5], now - Duration::days(20), "elder.will", "answer");
    journal.record(late).await.unwrap();
    journal.roll_up(now, |_, _| ()).await.unwrap();
    assert_rolled(&journal, from, to).await;

    // Deleting the past deletes its figures.
    let cut = now - Duration::days(30);
    journal.delete_before(cut).await.unwrap();
    journal.roll_up(now, |_, _| ()).await.unwrap();
    assert_rolled(&journal, from, to).await;
    let before = local_day(cut).pred_opt().unwrap();
    assert!(
        journal
            .totals(Facet::All, from, before)
            .await
            .unwrap()
            .is_empty()
    );
}

/// What an activity's own page and the list of boards are made of: as many people as need be, or nothing.
#[tokio::test]
async fn an_activity_and_a_board_tell_nothing_of_a_few_people() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path()).await;
    let library = load(
        Path::new("tests/data/library"),
        &LoadOptions {
            preset: None,
            today: local_day(Utc::now()),
            own: "local".into(),
        },
    );
    let library = library.unwrap().library;
    let boards = Boards::new(journal.database().clone());
    let board = boards.add(NewBoard::default(), Utc::now()).await.unwrap();
    let now = Utc::now();
    let held = local_day(now) - Duration::days(40);
    let activity = Activity {
        id: 1,
        title: "下乡".into(),
        from: held,
        to: held,
        places: Vec::new(),
        topics: vec!["labor".into()],
        regions: Vec::new(),
    };
    let ask = async |people: std::ops::Range<u64>, days_ago: i64| {
        for person in people {
            let asker = journal.keys().asker("telegram", &person.to_string());
            let mut record = asked(
                &asker,
                now - Duration::days(days_ago),
                "labor.pay",
                "answer",
            );
            record.board = Some(board.code.clone());
            journal.record(record).await.unwrap();
        }
    };
    let all = std::slice::from_ref(&activity);
    let look = async || {
        close_up(&journal, &activity, all, &library, now)
            .await
            .unwrap()
    };
    // Eight people before; four after, then five.
    ask(0..8, 50).await;
    ask(8..12, 30).await;
    let few = look().await;
    assert_eq!((few.effect.counts, few.weeks.len()), (None, 0));
    assert!(few.effect.ratio.is_none() && few.effect.verdict == Verdict::Undecided);
    ask(12..13, 30).await;
    let enough = look().await;
    let counts = enough.effect.counts.unwrap();
    assert_eq!(
        (counts.before, counts.after, counts.askers_after),
        (8, 5, 5)
    );
    let told = |shown: &CloseUp, part: Part| -> Option<u64> {
        let spans = shown.weeks.iter().filter(|span| span.part == part);
        spans.map(|span| span.questions).sum()
    };
    assert_eq!(told(&enough, Part::Before), Some(8));
    assert_eq!(told(&enough, Part::After), Some(5));
    // Two people in another week could be computed from the window's sum: none of its weeks is told.
    ask(13..15, 20).await;
    let split = look().await;
    assert_eq!(split.effect.counts.unwrap().after, 7);
    let weeks = split.weeks.iter().filter(|span| span.part == Part::After);
    assert_eq!(weeks.filter_map(|span| span.questions).count(), 0);
    assert_eq!(told(&split, Part::Before), Some(8));
    let through = boards.asked(now - Duration::days(35)).await.unwrap();
    let seven = Asked {
        questions: 7,
        askers: 7,
    };
    assert_eq!(through.get(&board.code), Some(&seven));
    let all = boards.asked(now - Duration::days(90)).await.unwrap();
    assert_eq!(all[&board.code].askers, 15);
}

#[tokio::test]
async fn an_unsure_topic_counts_as_other() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path()).await;
    let now = Utc::now();
    let asker = journal.keys().asker("telegram", "1");
    for (sure, kind) in [(0.49, "unknown"), (0.51, "unknown"), (0.46, "answer")] {
        let mut record = asked(&asker, now, "land.boundary", kind);
        record.topic_confidence = sure;
        journal.record(record).await.unwrap();
    }
    let facts = journal.facts(local_day(now), local_day(now)).await.unwrap();
    let topics: Vec<Option<&str>> = facts.iter().map(|f| f.topic.as_deref()).collect();
    assert_eq!(topics, [None, Some("land.boundary"), Some("land.boundary")]);
}

#[test]
fn the_demo_year_goes_only_into_a_database_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let qijin = || {
        let mut command = Command::cargo_bin("qijin").unwrap();
        command.current_dir(folder.path()).args([
            "--library",
            concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge"),
        ]);
        command
    };
    let refused = qijin().args(["demo", "--into", "data"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("正式的数据文件夹"));
    assert!(!folder.path().join("data").exists());

    let args = ["demo", "--to", "2026-10-31"];
    let made = qijin().args(args).output().unwrap();
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert!(told.contains("真实效果 2 倍"), "{told}");
    assert!(told.contains("--config demo/qijin.toml serve"), "{told}");
    let boards = ["--config", "demo/qijin.toml", "board", "list"];
    let boards = qijin().args(boards).output().unwrap();
    let boards = String::from_utf8_lossy(&boards.stdout).into_owned();
    assert!(boards.contains("柳树湾村村委会宣传栏"), "{boards}");
    assert!(
        boards.contains("\t柳树湾村"),
        "regions have names: {boards}"
    );
    let config = std::fs::read_to_string(folder.path().join("demo/qijin.toml")).unwrap();
    assert!(
        config.contains("library = \"demo/knowledge\"")
            && config.contains("index = \"demo/index\""),
        "what is tried out there reaches no resident: {config}"
    );
    let again = qijin().args(args).output().unwrap();
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("已经有提问"));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(figures_of_the_demo_year(&folder.path().join("demo")));
}

/// All figures of a quarter, read as the program does, on the real library.
async fn figures_of_the_demo_year(folder: &Path) {
    let url = format!("sqlite:{}", folder.join("qijin.sqlite").display());
    let keys = Keys::open_or_create(&folder.join("local.key")).unwrap();
    let journal = Journal::new(Database::open(&url).await.unwrap(), keys, 30);
    let options = LoadOptions {
        preset: None,
        today: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
        own: "local".into(),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let library = load(&root, &options).unwrap().library;
    let analyser = Analyser::new(library.terms.iter().map(String::as_str));
    let meanings = Meanings::new(&library, &analyser);
    let last = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap();
    // The activities are those of the year, whatever the seed.
    let mut activities = DemoYear::new(7, last, &plain_topics()).activities;
    let topics = [["labor.wage_arrears", "labor.migrant_wage"]];
    activities.truncate(1);
    activities[0].topics = topics[0].map(str::to_owned).to_vec();
    let now: DateTime<Utc> = "2026-11-01T04:00:00Z".parse().unwrap();
    let period = Period::quarter_of(activities[0].from);
    let material = gather(&journal, period, activities.clone(), now)
        .await
        .unwrap();
    let figures = Figures::of(&material, &library, &meanings);
    assert!(
        figures.volume.questions > 4_000,
        "{:?}",
        figures.volume.questions
    );
    let ratio = figures.effects[0].ratio.unwrap();
    assert!(
        ratio.low <= 2.0 && 2.0 <= ratio.high,
        "{:?}",
        figures.effects[0]
    );
    assert!(figures.effects[0].sentence.contains("问得多了"));
    assert_eq!(
        figures.places.most_under_served.as_deref(),
        Some("enterprise")
    );
    let shares: f64 = figures.kinds.iter().filter_map(|k| k.share.share).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert!(!figures.gaps.is_empty() && figures.gaps[0].askers >= 5);
    for gap in &figures.gaps[..5] {
        println!(
            "{} 人 {} 次 {:?} {:?}",
            gap.askers, gap.questions, gap.examples, gap.nearest
        );
    }
    println!(
        "{} gaps, {} hidden",
        figures.gaps.len(),
        figures.hidden.len()
    );
    assert!(figures.phrasings.iter().all(|p| p.askers >= 5));
    // Nothing with one to four askers is shown.
    for (topic, tally) in &figures.topics {
        let askers = tally.asker_count().count;
        assert!(
            askers >= 5 || !figures.shows(Facet::Topic, topic),
            "{topic}"
        );
    }
    assert_eq!(
        figures.hidden,
        Figures::of(&material, &library, &meanings).hidden
    );
}

#[tokio::test]
async fn the_day_before_the_first_question_is_not_part_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path()).await;
    let asker = journal.keys().asker("telegram", "1");
    let now = Utc::now();
    let first = asked(&asker, now, "labor.wage_arrears", "answer");
    journal.record(first).await.unwrap();
    for minutes in [0, 10, 20] {
        let later = now + Duration::minutes(minutes);
        journal.roll_up(later, |_, _| {}).await.unwrap();
        let (from, _) = journal.rolled().await.unwrap().unwrap();
        assert_eq!(from, local_day(now), "after {minutes} minutes");
    }
}
