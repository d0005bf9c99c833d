//! The overview: what staff correct changes its figures, and what is about few people is not in it.

use chrono::{DateTime, Duration, Utc};
use qijin::journal::{Boards, Journal, NewBoard, PastQuestion, Review};

use crate::common::{Browser, Office};
use crate::{close, logged_in, staffed};

/// A question of a person, as the journal keeps it.
fn asked(journal: &Journal, person: usize, at: DateTime<Utc>, topic: &str) -> PastQuestion {
    PastQuestion {
        record: crate::common::fixtures::asked(
            &journal.keys().asker("telegram", &person.to_string()),
            at,
            topic,
        ),
        helpful: None,
        picked: None,
        handed_over: false,
    }
}

/// An office with accounts and a region, not serving yet.
async fn office() -> (Office, Journal) {
    let office = staffed();
    let regions = "[regions]\nlist = [{ code = \"r01\", name = \"青石村\" }]\n";
    std::fs::write(office.folder().join("qijin.toml"), regions).unwrap();
    let journal = office.open_journal().await;
    (office, journal)
}

/// The cells of the first table row that begins with a name, as the page shows them.
fn row(page: &str, name: &str) -> Vec<String> {
    let rows = page.split("<tr>").skip(1);
    let cells = |row: &str| -> Vec<String> {
        let row = row.split("</tr>").next().unwrap();
        let cells = row.split("<t").skip(1).map(|cell| {
            let inner = &cell[cell.find('>').unwrap() + 1..];
            let mut words = String::new();
            let mut in_tag = false;
            for c in inner.chars() {
                match c {
                    '<' => in_tag = true,
                    '>' => in_tag = false,
                    c if !in_tag => words.push(c),
                    _ => {}
                }
            }
            words.trim().to_owned()
        });
        cells.collect()
    };
    let found = rows
        .map(cells)
        .find(|row| row.first().is_some_and(|c| c == name));
    found.unwrap_or_else(|| panic!("no row {name}:\n{page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_changes_the_figures_at_once() {
    let (office, journal) = office().await;
    let at = Utc::now() - Duration::days(2);
    let mut past = Vec::new();
    for person in 0..8 {
        past.push(asked(&journal, person, at, "labor.pay"));
        past.push(asked(&journal, 100 + person, at, "neighbor.dog"));
    }
    journal.fill(&past).await.unwrap();
    let (bot, base) = office.serve_pages(&[]).await;
    let mut staff = logged_in(&base, 0).await;
    let before = staff.get("/?period=7d").await.text;
    assert_eq!(
        row(&before, "劳动用工")[1..],
        ["8", "50.0%", "8"],
        "{before}"
    );
    assert_eq!(row(&before, "邻里纠纷")[1], "8");
    assert!(
        before.contains("16</a></p>"),
        "questions stand on top: {before}"
    );
    assert_eq!(row(&before, "青石村")[1], "16");

    // As the review of a question does.
    let day = qijin::journal::local_day(at);
    let rows = journal.facts(day, day).await.unwrap();
    let dog = rows
        .iter()
        .find(|f| f.topic.as_deref() == Some("neighbor.dog"));
    let review = Review {
        topic: Some("labor.pay".into()),
        reviewer: "李主任".into(),
        reviewed: Utc::now(),
        ..Review::default()
    };
    assert!(journal.set_review(dog.unwrap().id, &review).await.unwrap());
    let after = staff.get("/?period=7d").await.text;
    assert_eq!(row(&after, "劳动用工")[1..], ["9", "56.2%", "9"]);
    assert_eq!(row(&after, "邻里纠纷")[1], "7");
    // Also when somebody else rolls the change up before the page is asked for.
    let mut dogs = rows
        .iter()
        .filter(|f| f.topic.as_deref() == Some("neighbor.dog"));
    assert!(
        journal
            .set_review(dogs.next_back().unwrap().id, &review)
            .await
            .unwrap()
    );
    journal.roll_up(Utc::now(), |_, _| ()).await.unwrap();
    let after = staff.get("/?period=7d").await.text;
    assert_eq!(row(&after, "劳动用工")[1], "10");
    // Villages by name, wherever a question is shown.
    let one = staff.get(&format!("/questions/{}", rows[0].id)).await.text;
    assert!(one.contains("<dd>青石村</dd>"), "{one}");
    let list = staff.get("/questions?region=r01").await.text;
    assert!(list.contains("共 16 条"), "{list}");
    assert!(list.contains("<option value=\"r01\" selected>青石村</option>"));
    assert_eq!(row(&after, "邻里纠纷")[1], "6");
    // And a board that was put up a moment ago has its name.
    let name = "新换的宣传栏".to_owned();
    let new = NewBoard {
        name,
        ..NewBoard::default()
    };
    let boards = Boards::new(journal.database().clone());
    boards.add(new, Utc::now()).await.unwrap();
    assert!(staff.get("/?period=7d").await.text.contains("新换的宣传栏"));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_four_people_asked_is_nowhere_on_the_page() {
    let (office, journal) = office().await;
    let at = Utc::now() - Duration::days(2);
    let about = NewBoard {
        name: "村口<宣传栏>".into(),
        ..NewBoard::default()
    };
    let boards = Boards::new(journal.database().clone());
    let board = boards.add(about, at).await.unwrap().code;
    let mut past = Vec::new();
    for person in 0..90 {
        let topic = ["labor.pay", "neighbor.dog"][person % 2];
        past.push(asked(&journal, person, at, topic));
    }
    // 37 questions of four people, on a topic, at a place and through a board of their own.
    for n in 0..37 {
        let mut few = asked(&journal, 200 + n % 4, at, "marriage.bride_price");
        few.record.place = Some("religion".into());
        few.record.board = Some(board.clone());
        few.record.region = None;
        past.push(few);
    }
    journal.fill(&past).await.unwrap();
    let (bot, base) = office.serve_pages(&[]).await;
    let mut staff = logged_in(&base, 0).await;
    let page = staff.get("/?period=7d").await.text;
    assert!(page.contains("127</a></p>"), "the sum is told");
    assert!(page.contains("少于5人"));
    for told in ["37", "29.1%"] {
        assert!(!page.contains(&format!(">{told}<")), "{told}: {page}");
    }
    let marriage = row(&page, "婚姻家庭");
    assert_eq!(marriage[1..], ["少于5人", "少于5人", "少于5人"]);
    // What it could be subtracted from is hidden too, and not called few.
    let hidden = ["劳动用工", "邻里纠纷"].map(|name| row(&page, name)[1].clone());
    assert!(hidden.contains(&"隐去".to_owned()), "{hidden:?}");
    assert_eq!(row(&page, "村口&#60;宣传栏&#62;")[2], "少于5人");
    assert!(!page.contains("<宣传栏>"));
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_journal_and_any_period_have_a_page() {
    let (office, journal) = office().await;
    let (bot, base) = office.serve_pages(&[]).await;
    let mut staff = logged_in(&base, 0).await;
    for query in [
        "",
        "?period=year",
        "?period=all",
        "?from=2001-01-01&to=2001-01-02",
    ] {
        let seen = staff.get(&format!("/{query}")).await;
        assert_eq!(seen.status, 200, "{query}");
        assert!(seen.text.contains("这段时间没有居民提问"), "{query}");
        assert!(seen.text.contains("href=\"/ask\""), "a next step");
    }
    // Fewer than five people: nothing but that.
    let at = Utc::now() - Duration::days(1);
    let few: Vec<_> = (0..3)
        .map(|n| asked(&journal, n, at, "labor.pay"))
        .collect();
    for past in few {
        journal.record(past.record).await.unwrap();
    }
    // Rows of a day that is rolled up are counted when it is next; a correction marks it.
    for query in [
        "?period=all",
        "?period=week&from=0001-01-01&to=9999-12-31",
        "?from=2999-01-01",
        "?to=2001-01-01",
        "?from=x&to=%00",
        "?period=%3Cscript%3E",
    ] {
        let seen = staff.get(&format!("/{query}")).await;
        assert_eq!(seen.status, 200, "{query}: {}", seen.text);
        assert!(!seen.text.contains("<script>"), "{query}");
    }
    let all = staff.get("/?period=7d").await.text;
    assert!(all.contains("不到 5 人，为保护提问人"), "{all}");
    let mut stranger = Browser::new(&base);
    let kept_out = stranger.get("/").await;
    assert!(kept_out.location.unwrap().starts_with("/login"));
    close(&office, bot).await;
}
