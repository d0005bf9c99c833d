//! A changed library comes into use while the bot serves, and a faulty one does not.

mod common;

use std::fs;

use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use common::{FakeBotApi, Office, Resident, text_of};

/// Overwrites all files below a folder where they lie, as a failing disk does.
fn spoil(folder: &std::path::Path) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            spoil(&path);
        } else {
            let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
            let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            let mut random = fastrand::Rng::with_seed(7);
            let noise: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            std::io::Write::write_all(&mut file, &noise).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_spoiled_while_in_use_is_made_again() {
    let office = Office::new();
    let api = FakeBotApi::start("spoiled_index").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, 885_100, "居民");
    resident.asks(QUESTIONS[0]).await;
    spoil(&office.index());
    // Made again while the resident waits.
    let answer = resident.asks(QUESTIONS[1]).await;
    assert!(
        text_of(&answer).starts_with(QUESTIONS[1]),
        "{}",
        text_of(&answer)
    );
    assert!(bot.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_library_is_swapped_in_and_a_faulty_one_refused() {
    let office = Office::new();
    let api = FakeBotApi::start("reload").await;
    let bot = office.start(&api).await;
    let resident = Resident::new(&api, 885_001, "编辑");
    let before = resident.asks(NOT_IN_LIBRARY).await;
    assert!(text_of(&before).contains("资料库里还没有"));

    // Somebody else asks all the while, every time from a chat of its own.
    let mut asked = 0;
    let others = async {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(60));
        loop {
            tick.tick().await;
            Resident::new(&api, 886_000 + asked, "旁人").says(QUESTIONS[0]);
            asked += 1;
        }
    };
    let edits = async {
        let file = office.library().join("marriage/bride_price.md");
        let text = fs::read_to_string(&file).unwrap();
        let new = text.replace("## 彩礼能要回来吗？", &format!("## {NOT_IN_LIBRARY}？"));
        fs::write(&file, &new).unwrap();
        office.until_logged("the changed library is in use").await;
        let after = resident.asks(NOT_IN_LIBRARY).await;
        assert!(
            text_of(&after).starts_with(NOT_IN_LIBRARY),
            "the new entry answers"
        );

        fs::write(&file, new.replace("### 时限", "### 时间")).unwrap();
        office.until_logged("the changed library is refused").await;
        let log = office.log();
        let place = "marriage/bride_price.md:7";
        assert!(
            log.contains(place) && log.contains("时限"),
            "the log says why:\n{log}"
        );
        let still = resident.asks(NOT_IN_LIBRARY).await;
        assert!(
            text_of(&still).starts_with(NOT_IN_LIBRARY),
            "the old index still answers"
        );

        fs::write(&file, &text).unwrap();
        let uses = |log: &str| log.matches("the changed library is in use").count();
        office.until_log(|log| uses(log) == 2).await;
        let last = resident.asks(NOT_IN_LIBRARY).await;
        assert!(
            text_of(&last).contains("资料库里还没有"),
            "mended, and the entry is gone"
        );
    };
    tokio::select! {
        () = others => unreachable!("it goes on until the edits are done"),
        () = edits => {}
    }
    for id in 0..asked {
        let what = format!("the answer to chat {id}");
        let answer = api
            .until(&what, |world| {
                world.sent_to(886_000 + id).into_iter().next()
            })
            .await;
        assert!(text_of(&answer).starts_with(QUESTIONS[0]));
    }
    println!("reload: 3 changes, {asked} questions asked meanwhile, all of them answered");
    assert!(bot.stop().await.success());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_library_is_refused_at_start_with_the_reason() {
    let office = Office::new();
    let api = FakeBotApi::start("reload_start").await;
    fs::write(office.library().join("a.md"), "没有开头说明\n").unwrap();
    let status = office
        .spawn(&api, common::fake_bot_api::TOKEN)
        .ended()
        .await;
    assert_eq!(status.code(), Some(1));
    assert!(office.log().contains("a.md:1"), "{}", office.log());
    assert_eq!(api.world().calls.len(), 0, "Telegram is not bothered");
}
