//! What the bot withstands, with figures: being killed, being flooded, and a failing Telegram.
//!
//! `cargo test --test resilience -- --nocapture` shows the figures.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::fake_bot_api::World;
use common::fixtures::{NOT_IN_LIBRARY, QUESTIONS};
use common::{FakeBotApi, FaultPlan, Office, Resident, answered, text_of};
use tokio::sync::RwLock;

/// The flood test measures time: nothing else runs meanwhile.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// When each question of each chat was answered.
fn answers(api: &FakeBotApi) -> BTreeMap<(i64, usize), Vec<Instant>> {
    let mut found: BTreeMap<_, Vec<Instant>> = BTreeMap::new();
    for (chat, all) in answered(api) {
        for (question, at) in all {
            found.entry((chat, question)).or_default().push(at);
        }
    }
    found
}

/// Waits until every question of every chat is answered.
async fn all_answered(api: &FakeBotApi, wanted: usize) {
    let mut answered = 0;
    let mut seen = 0;
    let mut titles = std::collections::HashSet::new();
    api.until("an answer to everything", |world| {
        for call in &world.calls[seen..] {
            if call.method == "sendMessage"
                && let (Ok(message), Some(chat)) = (&call.outcome, call.chat())
            {
                let title = text_of(message)
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                answered += usize::from(titles.insert((chat, title)));
            }
        }
        seen = world.calls.len();
        (answered >= wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_when_the_program_is_killed() {
    const CHATS: usize = 50;
    const KILLS: usize = 20;
    let _machine = MACHINE.read().await;
    let mut random = fastrand::Rng::with_seed(20_261_125);
    let office = Office::new();
    let api = FakeBotApi::start("crash").await;
    // The moment in which a crash cannot but repeat: accepted, and the program does not know yet.
    api.change(|world| world.send_latency = Duration::from_millis(15));
    let residents: Vec<Resident<'_>> = (0..CHATS)
        .map(|n| Resident::new(&api, 881_000 + n as i64, "居民"))
        .collect();
    // Every chat asks all questions, each chat in an order of its own, the chats mixed.
    let mut turns: Vec<usize> = (0..CHATS * QUESTIONS.len()).map(|n| n % CHATS).collect();
    random.shuffle(&mut turns);

    let questions = async {
        let mut asked = [0; CHATS];
        let mut tick = tokio::time::interval(Duration::from_millis(40));
        for &chat in &turns {
            tick.tick().await;
            residents[chat].says(QUESTIONS[(chat + asked[chat]) % QUESTIONS.len()]);
            asked[chat] += 1;
        }
    };
    let killing = async {
        let mut kills = Vec::new();
        for _ in 0..KILLS {
            let bot = office.start(&api).await;
            // Not synchronisation: the kill is to come at any moment.
            tokio::time::sleep(Duration::from_millis(random.u64(0..1200))).await;
            bot.kill();
            kills.push(Instant::now());
        }
        kills
    };
    let ((), kills) = tokio::join!(questions, killing);
    let bot = office.start(&api).await;
    all_answered(&api, turns.len()).await;
    assert!(bot.stop().await.success());

    let answers = answers(&api);
    let unanswered = turns.len() - answers.len();
    let mut repeated = 0;
    let mut longest = Duration::ZERO;
    for ((chat, question), times) in &answers {
        for pair in times.windows(2) {
            repeated += 1;
            let kill = kills
                .iter()
                .find(|kill| pair[0] < **kill && **kill < pair[1]);
            let kill = kill.expect("nothing is answered twice but because of a kill");
            longest = longest.max(*kill - pair[0]);
            let later = api
                .world()
                .sends(*chat)
                .filter(|c| pair[0] < c.at && c.at < *kill)
                .count();
            assert_eq!(
                later, 0,
                "chat {chat}, question {question}: answered, then others were, then a kill, \
                 and answered again"
            );
        }
    }
    println!(
        "crash: {} updates over {CHATS} chats, {} kills: {unanswered} unanswered, {repeated} \
         answered twice, all of them in flight at a kill (accepted at most {longest:.0?} before)",
        turns.len(),
        kills.len()
    );
    assert_eq!((unanswered, kills.len()), (0, KILLS));
    assert_eq!(
        office.journal().len(),
        turns.len(),
        "every question is counted once"
    );
    office.assert_calm();
}

/// Asks once from a chat of its own; returns how long the answer took and how many answers the
/// flooding chat got meanwhile.
async fn latency(api: &FakeBotApi, id: i64, flood: i64) -> (Duration, usize) {
    let resident = Resident::new(api, id, "旁人");
    let before = api.world().sends(flood).count();
    let asked = Instant::now();
    resident.asks(QUESTIONS[0]).await;
    let world = api.world();
    let answered = world.sends(id).next().expect("an answer").at;
    (
        answered - asked,
        world.sends(flood).filter(|c| c.at < answered).count() - before,
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_in_one_chat_does_not_delay_the_others() {
    const SAMPLES: i64 = 15;
    let _machine = MACHINE.write().await;
    let office = Office::new();
    let api = FakeBotApi::start("flood").await;
    let bot = office.start(&api).await;
    let flooding = Resident::new(&api, 882_000, "刷屏的人");
    latency(&api, 882_900, flooding.chat).await;

    let mut idle = Vec::new();
    for n in 0..SAMPLES {
        idle.push(latency(&api, 882_100 + n, flooding.chat).await.0);
    }
    let flood = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        for n in 0..300 {
            tick.tick().await;
            flooding.says(QUESTIONS[n % QUESTIONS.len()]);
        }
    };
    let others = async {
        let mut busy = Vec::new();
        let mut between = 0;
        // First of all the worst: behind a hundred messages that came at the same moment.
        for n in 0..100 {
            flooding.says(QUESTIONS[n % QUESTIONS.len()]);
        }
        for n in 0..SAMPLES {
            let (time, flood_answers) = latency(&api, 882_200 + n, flooding.chat).await;
            busy.push(time);
            between = between.max(flood_answers);
        }
        (busy, between)
    };
    let ((), (busy, between)) = tokio::join!(flood, others);
    api.until("the flood to be taken in", |world| {
        (world.unconfirmed() == 0).then_some(())
    })
    .await;
    latency(&api, 882_901, flooding.chat).await;

    let worst = busy.iter().max().copied().unwrap_or_default();
    let (idle, busy) = (median(idle), median(busy));
    println!(
        "flood: 400 messages from one chat; another chat's answer takes {idle:.1?} when idle, \
         {busy:.1?} during the flood (median), ratio {:.2}, worst {worst:.1?}; at most {between} \
         of the flood's answers came first",
        busy.as_secs_f64() / idle.as_secs_f64()
    );
    assert!(
        between <= 6,
        "others wait for {between} of the flood's answers"
    );
    let notices = |world: &mut World| {
        let told = world.sends(flooding.chat).filter(|call| {
            let text = call.body["text"].as_str();
            text.is_some_and(|text| text.contains("发得太快"))
        });
        told.count()
    };
    api.until("the notice", |world| (notices(world) > 0).then_some(()))
        .await;
    assert_eq!(notices(&mut api.world()), 1, "one polite notice");
    assert!(bot.stop().await.success());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_answered_once_while_a_fifth_of_all_calls_fail() {
    const CHATS: usize = 40;
    const EACH: usize = 4;
    let _machine = MACHINE.read().await;
    let office = Office::new();
    let api = FakeBotApi::start("faults").await;
    api.change(|world| {
        // A slow call is carried out all the same: a fifth are truly refused.
        world.faults = FaultPlan::seeded(7, 0.27);
        world.faults.repeated_updates = 0.3;
    });
    let bot = office.start(&api).await;
    let residents: Vec<Resident<'_>> = (0..CHATS)
        .map(|n| Resident::new(&api, 883_000 + n as i64, "居民"))
        .collect();
    for n in 0..EACH {
        for (chat, resident) in residents.iter().enumerate() {
            resident.says(QUESTIONS[(chat + n) % QUESTIONS.len()]);
        }
    }
    all_answered(&api, CHATS * EACH).await;
    // Under the answer each wants to speak to somebody: a tap that sends a message.
    let mut taps = Vec::new();
    for resident in &residents {
        let answer = resident.nth_message(0).await;
        taps.push(resident.tap_without_waiting(&answer, "找人问"));
    }
    for (resident, tap) in residents.iter().zip(&taps) {
        resident.answer_to(tap).await;
        resident.nth_message(EACH).await;
    }
    // A last question behind everything: had something been repeated, it would be here by now.
    api.change(|world| world.faults = FaultPlan::none());
    for resident in &residents {
        let last = resident.asks(NOT_IN_LIBRARY).await;
        assert!(text_of(&last).contains("还没有"));
        assert_eq!(resident.heard(), EACH + 2, "chat {}", resident.chat);
    }
    let answers = answers(&api);
    assert_eq!(answers.len(), CHATS * EACH);
    assert!(
        answers.values().all(|times| times.len() == 1),
        "nothing is answered twice"
    );

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in api.world().calls.iter().filter_map(|c| c.fault) {
        *kinds.entry(fault).or_default() += 1;
    }
    let calls = api.world().calls.len();
    println!(
        "faults: {} updates, {calls} calls, faults {kinds:?}: 0 unanswered, 0 answered twice",
        CHATS * (EACH + 2)
    );
    assert!(bot.stop().await.success());
    assert_eq!(
        office.journal().len(),
        CHATS * (EACH + 1),
        "every question is counted once"
    );
    office.assert_calm();
}
