//! Nothing personal on disk or in the log: a thousand messages full of invented personal data,
//! the program killed with its inbox full, and then a search through all bytes of all files.

mod common;

use common::fake_bot_api::TOKEN;
use common::fixtures::QUESTIONS;
use common::secrets::{Search, Secret};
use common::{FakeBotApi, Office, Resident};
use fastrand::Rng;

const CHATS: usize = 50;
/// No more than the rate limit lets one chat send at once.
const EACH: usize = 20;

/// A question with two pieces of personal data in it.
fn message(random: &mut Rng, secrets: &mut Vec<Secret>) -> String {
    let second = if random.bool() {
        Secret::invent(random)
    } else {
        Secret::plate(random)
    };
    let (one, two) = (Secret::invent(random), second);
    let text = match random.u8(0..4) {
        0 => format!("我的是{}，{}还有{}。", one.typed, QUESTIONS[0], two.typed),
        1 => format!(
            "{} {} {}",
            one.typed,
            random.choice(QUESTIONS).unwrap(),
            two.typed
        ),
        2 => format!("老板跑了，找他：{}；或者{}", one.typed, two.typed),
        _ => format!("（{}）和（{}）都在他手里，怎么办", one.typed, two.typed),
    };
    secrets.extend([one, two]);
    text
}

fn assert_nothing_found(office: &Office, search: &Search, when: &str) {
    let (found, size) = search.files(office.folder());
    println!(
        "privacy: {when}: {} byte strings looked for in {:.1} MB, {} found",
        search.len(),
        size as f64 / 1e6,
        found.len()
    );
    assert!(found.is_empty(), "{when}: {found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_leave_nothing_personal_behind() {
    let mut random = Rng::with_seed(1984);
    let mut secrets: Vec<Secret> = vec![Secret {
        typed: TOKEN.into(),
        // The bot's id is public, the rest is the key.
        forms: vec![TOKEN.into(), TOKEN.split(':').nth(1).unwrap().into()],
    }];
    let office = Office::new();
    let api = FakeBotApi::start("privacy").await;
    let residents: Vec<Resident<'_>> = (0..CHATS)
        .map(|n| {
            let (id, name) = (5_712_340_000 + n as i64 * 97, Secret::name(&mut random));
            let resident = Resident::new(&api, id, &name.typed);
            secrets.extend([Secret::id(id), name]);
            resident
        })
        .collect();
    let say_half = |random: &mut Rng, secrets: &mut Vec<Secret>| {
        for _ in 0..EACH / 2 {
            for resident in &residents {
                resident.says(&message(random, secrets));
            }
        }
    };

    let bot = office.start(&api).await;
    api.change(|world| world.hold_sends = true);
    say_half(&mut random, &mut secrets);
    api.until("the first half in the inbox", |world| {
        (world.unconfirmed() == 0).then_some(())
    })
    .await;
    bot.kill();
    let search = Search::new(&secrets);
    assert_nothing_found(&office, &search, "killed with the inbox full");

    let bot = office.start(&api).await;
    let left = office.log();
    let left = left.rsplit("inbox.pending").next().unwrap();
    assert!(left.contains("500"), "the inbox was full: {left}");
    api.change(|world| world.hold_sends = false);
    say_half(&mut random, &mut secrets);
    for resident in &residents {
        resident.nth_message(EACH - 1).await;
    }
    let search = Search::new(&secrets);
    assert_nothing_found(&office, &search, "running, everything answered");
    assert!(bot.stop().await.success());
    assert_nothing_found(&office, &search, "stopped");

    let rows = office.journal();
    assert_eq!(rows.len(), CHATS * EACH);
    let marked = rows.iter().filter(|row| row[14].contains('［')).count();
    assert_eq!(marked, rows.len(), "the words are journaled, with marks");
    office.assert_calm();
}

/// A search that finds nothing proves nothing unless it can find.
#[test]
fn the_search_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::id(5_712_340_097);
    let search = Search::new([&secret]);
    let utf16: Vec<u8> = "x5712340097"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes) in [
        ("plain", b"a5712340097b".to_vec()),
        ("utf16", utf16),
        ("base64", b"eyJpZCI6NTcxMjM0MDA5N30=".to_vec()),
        ("hex", b"35373132333430303937".to_vec()),
        ("number", 5_712_340_097_i64.to_be_bytes().to_vec()),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let (found, _) = search.files(folder.path());
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_says_nothing_personal() {
    let mut random = Rng::with_seed(42);
    let mut secrets = vec![Secret {
        typed: TOKEN.into(),
        forms: vec![TOKEN.into()],
    }];
    let office = Office::new();
    let api = FakeBotApi::start("privacy_log").await;
    let name = Secret::name(&mut random);
    let resident = Resident::new(&api, 5_799_990_001, &name.typed);
    secrets.extend([Secret::id(5_799_990_001), name]);
    let bot = office.spawn_with(&api, TOKEN, &[("QIJIN_LOG", "trace")]);
    for _ in 0..10 {
        resident.says(&message(&mut random, &mut secrets));
    }
    resident.nth_message(9).await;
    assert!(bot.stop().await.success());
    assert!(office.log().contains("TRACE"), "the log is talkative");
    assert_nothing_found(&office, &Search::new(&secrets), "with QIJIN_LOG=trace");
}
