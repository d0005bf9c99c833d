//! The webhook, and several programs on one database: everything answered once and in order.

mod common;

use std::time::{Duration, Instant};

use common::bot::WEBHOOK;
use common::fixtures::QUESTIONS;
use common::{Bot, FakeBotApi, Office, Resident, Wire, answered, test_server, text_of};
use serde_json::json;

const SECRET: &str = "only-telegram-knows-this";
const HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_set_believed_only_with_its_secret_and_answered_once() {
    let office = Office::new();
    let api = FakeBotApi::start("webhook_mode").await;
    let secret = [("QIJIN_WEBHOOK_SECRET", SECRET)];
    let (bot, address) = office.start_webhook(&api, &secret).await;
    let url = format!("{address}/telegram/hook");
    api.change(|world| world.targets = vec![address.clone()]);
    let resident = Resident::new(&api, 885_001, "甲");
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[0]));
    assert!(resident.taps(&answer, "👍").await.toast.is_some());
    {
        let world = api.world();
        let set = world
            .calls
            .iter()
            .find(|c| c.method == "setWebhook")
            .unwrap();
        assert_eq!(set.body["url"], WEBHOOK);
        assert_eq!(
            set.body["allowed_updates"],
            json!(["message", "callback_query"])
        );
        assert_eq!(world.polls, 0);
        assert_eq!(world.refused_pushes, 0);
    }

    // Somebody who is not Telegram, and Telegram bringing what it brought before.
    let update = api.world().delivered[0].clone();
    // A connection each: the server closes one whose body it refused to read.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0);
    let client = client.build().unwrap();
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let mut fresh = update.clone();
    fresh["update_id"] = json!(990_000_001);
    let post = || client.post(&url).json(&fresh);
    assert_eq!(status(post()).await, 401);
    for wrong in ["x", "only-telegram-knows-thiS", "only-telegram-knows-this-"] {
        assert_eq!(status(post().header(HEADER, wrong)).await, 401, "{wrong}");
    }
    let twice = post().header(HEADER, SECRET).header(HEADER, SECRET);
    assert_eq!(status(twice).await, 401);
    assert_eq!(status(client.get(&url).header(HEADER, SECRET)).await, 405);
    let elsewhere = client.post(format!("{address}/")).header(HEADER, SECRET);
    assert_eq!(status(elsewhere).await, 404);
    let large = client
        .post(&url)
        .header(HEADER, SECRET)
        .body(vec![b' '; 2 << 20]);
    // Some clients are still sending when the connection is closed, and see only that.
    let refused = large
        .send()
        .await
        .map_or(413, |answer| answer.status().as_u16());
    assert_eq!(refused, 413);
    let again = client.post(&url).header(HEADER, SECRET).json(&update);
    assert_eq!(status(again).await, 200);
    let last = resident.asks("谢谢").await;
    assert!(text_of(&last).contains("不客气"));
    assert_eq!(resident.heard(), 2, "what came twice is answered once");
    assert!(bot.stop().await.success());
    office.assert_calm();
    assert!(!office.log().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_telegram_does_not_take_is_said_plainly() {
    let office = Office::new();
    let api = FakeBotApi::start("webhook_refused").await;
    for (url, words) in [
        ("http://qijin.test/hook", "HTTPS"),
        ("https://qijin.test:9443/hook", "443"),
        ("not an address", "webhook_url"),
        ("", "webhook_url"),
    ] {
        let env = [
            ("QIJIN_TELEGRAM_MODE", "webhook"),
            ("QIJIN_WEBHOOK_LISTEN", "127.0.0.1:0"),
            ("QIJIN_WEBHOOK_URL", url),
        ];
        let bot = office.spawn_with(&api, common::fake_bot_api::TOKEN, &env);
        assert_eq!(bot.ended().await.code(), Some(1), "{url}");
        let log = office.log();
        let last = log.rsplit("错误").next().unwrap();
        assert!(last.contains(words), "{url}: {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_goes_on_where_a_webhook_stopped() {
    let office = Office::new();
    let api = FakeBotApi::start("webhook_to_polling").await;
    let (bot, _) = office.start_webhook(&api, &[]).await;
    assert!(bot.stop().await.success());
    assert!(
        api.world().webhook.is_some(),
        "other machines may still use it"
    );
    // Nobody takes it: it waits at Telegram.
    api.change(|world| world.targets = vec!["http://127.0.0.1:9".into()]);
    let resident = Resident::new(&api, 885_002, "乙");
    resident.says(QUESTIONS[0]);
    let bot = office.start(&api).await;
    resident.nth_message(0).await;
    assert!(office.log().contains("现在取消它"), "{}", office.log());
    assert!(bot.stop().await.success());
    office.assert_calm();
}

/// Another machine of an office that never ran: the first start makes the key.
async fn twin_of(api: &FakeBotApi, office: &Office) -> Office {
    let (first, _) = office.start_webhook(api, &[]).await;
    assert!(first.stop().await.success());
    office.twin()
}

/// Starts as many machines of one office, all behind the webhook's address.
async fn machines(api: &FakeBotApi, first: &Office, others: &[Office]) -> Vec<Bot> {
    let mut bots = Vec::new();
    let mut targets = Vec::new();
    for office in std::iter::once(first).chain(others) {
        let (bot, address) = office.start_webhook(api, &[]).await;
        bots.push(bot);
        targets.push(address);
    }
    api.change(|world| world.targets = targets);
    bots
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_with_the_other_machine_until_it_is_forgotten() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let api = FakeBotApi::start("conversation_of_two").await;
    let twin = twin_of(&api, &office).await;
    let bots = machines(&api, &office, std::slice::from_ref(&twin)).await;
    let targets = api.world().targets.clone();
    let resident = Resident::new(&api, 888_001, "丙");
    let ask = async |machine: usize, text: &str| {
        // Who receives a question answers it unless it is overloaded.
        api.change(|world| world.targets = vec![targets[machine].clone()]);
        text_of(&resident.asks(text).await).to_owned()
    };
    ask(0, QUESTIONS[0]).await;
    let goes_on = "接着刚才的事说";
    assert!(ask(1, "那要多久").await.starts_with(goes_on));
    let sure = ask(0, "/forget").await;
    assert!(sure.contains("删"), "{sure}");
    let asked = api.world().sent_to(resident.chat).pop().unwrap();
    api.change(|world| world.targets = vec![targets[1].clone()]);
    resident.taps(&asked, "删除").await;
    assert!(!ask(0, "那要多久").await.starts_with(goes_on));
    for bot in bots {
        assert!(bot.stop().await.success());
    }
    office.assert_calm();
    twin.assert_calm();
}

/// Longer than a lease lasts: who holds on to the work keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn slow_work_stays_with_the_machine_that_has_it() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let api = FakeBotApi::start("slow_work").await;
    let twin = twin_of(&api, &office).await;
    let bots = machines(&api, &office, std::slice::from_ref(&twin)).await;
    api.change(|world| world.hold_sends = true);
    let residents: Vec<Resident<'_>> = (0..8)
        .map(|n| Resident::new(&api, 889_000 + n, "丁"))
        .collect();
    for resident in &residents {
        resident.says(QUESTIONS[0]);
        resident.says(QUESTIONS[1]);
    }
    api.until("all to be under way", |world| {
        (world.held_sends >= residents.len()).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(
        api.world().held_sends,
        residents.len(),
        "nobody else took it"
    );
    api.change(|world| world.hold_sends = false);
    for resident in &residents {
        resident.nth_message(1).await;
        assert_eq!(resident.heard(), 2);
    }
    for bot in bots {
        assert!(bot.stop().await.success());
    }
    assert_eq!(in_order(&api, 889_000, |_| vec![0, 1]), []);
    office.assert_calm();
    twin.assert_calm();
}

const CHATS: usize = 20;

/// In which order a chat asks in [`all_ask`].
fn as_all_ask(chat: usize) -> Vec<usize> {
    (0..QUESTIONS.len())
        .map(|n| (chat + n) % QUESTIONS.len())
        .collect()
}

/// 200 questions of 20 chats; `midway` acts when half of them are answered.
async fn all_ask(api: &FakeBotApi, base: i64, midway: impl FnOnce()) {
    let residents: Vec<Resident<'_>> = (0..CHATS)
        .map(|n| Resident::new(api, base + n as i64, "居民"))
        .collect();
    for n in 0..QUESTIONS.len() {
        for (chat, resident) in residents.iter().enumerate() {
            resident.says(QUESTIONS[(chat + n) % QUESTIONS.len()]);
        }
    }
    let total = CHATS * QUESTIONS.len();
    let distinct = |api: &FakeBotApi| -> usize {
        let sets = answered(api).into_values().map(|answers| {
            let titles: std::collections::HashSet<usize> =
                answers.into_iter().map(|(n, _)| n).collect();
            titles.len()
        });
        sets.sum()
    };
    let until = async |wanted: usize| {
        let deadline = Instant::now() + Duration::from_secs(100);
        while distinct(api) < wanted {
            assert!(Instant::now() < deadline, "{} of {wanted}", distinct(api));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    until(total / 2).await;
    midway();
    until(total).await;
}

/// Every chat got its answers in the order it asked in; an answer that came twice counts where it
/// came first. Returns how many came twice, with when.
fn in_order(
    api: &FakeBotApi,
    base: i64,
    asked: impl Fn(usize) -> Vec<usize>,
) -> Vec<(Instant, Instant)> {
    let mut repeated = Vec::new();
    for (chat, answers) in answered(api) {
        let chat = usize::try_from(chat - base).unwrap();
        let mut first: Vec<(usize, Instant)> = Vec::new();
        for (title, at) in answers {
            match first.iter().find(|(seen, _)| *seen == title) {
                Some((_, before)) => repeated.push((*before, at)),
                None => first.push((title, at)),
            }
        }
        let got: Vec<usize> = first.into_iter().map(|(title, _)| title).collect();
        assert_eq!(got, asked(chat), "chat {chat}");
    }
    repeated
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_answer_everything_once_and_in_order() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let api = FakeBotApi::start("two_machines").await;
    let twin = twin_of(&api, &office).await;
    let bots = machines(&api, &office, std::slice::from_ref(&twin)).await;
    all_ask(&api, 886_000, || ()).await;
    assert_eq!(in_order(&api, 886_000, as_all_ask), []);
    for bot in bots {
        assert!(bot.stop().await.success());
    }
    assert_eq!(office.journal().len(), 200);
    for office in [&office, &twin] {
        office.assert_calm();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_machine_had_in_hand_the_other_answers() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let api = FakeBotApi::start("killed_machine").await;
    let twin = twin_of(&api, &office).await;
    let mut bots = machines(&api, &office, std::slice::from_ref(&twin)).await;
    let doomed = bots.remove(0);
    let mut killed = None;
    // Its address stays behind the balancer: what is brought there is refused and brought again.
    all_ask(&api, 887_000, || {
        doomed.kill();
        killed = Some(Instant::now());
    })
    .await;
    let (killed, done) = (killed.unwrap(), Instant::now());
    let repeated = in_order(&api, 887_000, as_all_ask);
    println!(
        "killed: {} answers twice, all in flight; everything answered {:.1?} after the kill",
        repeated.len(),
        done - killed
    );
    for (first, second) in &repeated {
        assert!(*first < killed && killed < *second);
        assert!(
            killed - *first < Duration::from_secs(3),
            "in flight at the kill"
        );
    }
    for bot in bots {
        assert!(bot.stop().await.success());
    }
    assert_eq!(office.journal().len(), 200, "each is journaled once");
    twin.assert_calm();
}

/// The office's database through a wire, as a URL.
async fn wired(office: &Office) -> (Wire, String) {
    let url = office.database_url();
    let (host, database) = url.split_once('@').unwrap().1.split_once('/').unwrap();
    let wire = Wire::to(host).await;
    let through = url.replace(
        &format!("{host}/{database}"),
        &format!("{}/{database}", wire.address),
    );
    (wire, through)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_silences_nobody() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let (wire, url) = wired(&office).await;
    let api = FakeBotApi::start("silent_database").await;
    let database = [("QIJIN_DATABASE_URL", url.as_str())];
    let (bot, address) = office.start_webhook(&api, &database).await;
    api.change(|world| world.targets = vec![address.clone()]);
    let resident = Resident::new(&api, 888_001, "甲");
    resident.asks(QUESTIONS[0]).await;
    // In the middle of what the worker asks of it every second.
    wire.silence_at_commit().await;
    let answer = resident.asks(QUESTIONS[1]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[1]));

    // And one that hangs for longer than anybody waits: answered from what is in memory.
    wire.hang(true);
    let answer = resident.asks(QUESTIONS[2]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[2]));
    resident.taps(&answer, "找人问").await;
    resident.nth_message(3).await;
    wire.hang(false);
    let answer = resident.asks(QUESTIONS[3]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[3]));
    assert_eq!(resident.heard(), 5, "nothing twice");
    assert!(bot.stop().await.success());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_with_another_key_does_not_join() {
    if test_server().is_none() {
        return;
    }
    let office = Office::new();
    let api = FakeBotApi::start("another_key").await;
    let (first, address) = office.start_webhook(&api, &[]).await;
    api.change(|world| world.targets = vec![address.clone()]);
    let stranger = office.twin();
    std::fs::remove_file(stranger.folder().join("data/local.key")).unwrap();
    let bot = stranger.spawn(&api, common::fake_bot_api::TOKEN);
    assert_eq!(bot.ended().await.code(), Some(1));
    assert!(
        stranger.log().contains("另一把本机密钥"),
        "{}",
        stranger.log()
    );
    let resident = Resident::new(&api, 888_100, "甲");
    resident.asks(QUESTIONS[0]).await;
    assert!(first.stop().await.success());
}

/// `cargo test --test replicas chaos -- --ignored --nocapture` with a PostgreSQL: four machines, one of
/// them killed every second or so and started again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn chaos_of_four_machines_loses_nothing() {
    const KILLS: usize = 20;
    test_server().expect("QIJIN_TEST_POSTGRES");
    let office = Office::new();
    let api = FakeBotApi::start("chaos").await;
    let (first, _) = office.start_webhook(&api, &[]).await;
    assert!(first.stop().await.success());
    let offices: Vec<Office> = (0..4).map(|_| office.twin()).collect();
    let (one, rest) = offices.split_first().unwrap();
    let mut bots = machines(&api, one, rest).await;
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let mut kills = Vec::new();
    let killing = async {
        for _ in 0..KILLS {
            // Not synchronisation: the kill is to come at any moment.
            tokio::time::sleep(Duration::from_millis(random.u64(200..1500))).await;
            let n = random.usize(..bots.len());
            bots.remove(n).kill();
            kills.push(Instant::now());
            let (bot, address) = offices[n].start_webhook(&api, &[]).await;
            bots.insert(n, bot);
            api.change(|world| world.targets[n] = address);
        }
    };
    let began = Instant::now();
    let ((), ()) = tokio::join!(all_ask(&api, 890_000, || ()), killing);
    let repeated = in_order(&api, 890_000, as_all_ask);
    println!(
        "chaos: 200 questions of 20 chats, 4 machines, {KILLS} kills: 0 lost, {} answered twice, {:.0?}",
        repeated.len(),
        began.elapsed()
    );
    for (first, second) in repeated {
        let near = |kill: &&Instant| first < **kill && **kill < second;
        let kill = kills.iter().find(near).expect("a kill between the two");
        assert!(
            *kill - first < Duration::from_secs(3),
            "in flight at the kill"
        );
    }
    for bot in bots {
        assert!(bot.stop().await.success());
    }
    assert_eq!(office.journal().len(), 200, "each is journaled once");
    for office in &offices {
        office.assert_calm();
    }
}
