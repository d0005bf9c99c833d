//! Several offices in one deployment: a bot, pages and rows of its own for each, and no way from one
//! to another.

mod common;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use chrono::{NaiveDate, Utc};
use common::bot::WEBHOOK;
use common::fake_bot_api::TOKEN;
use common::fixtures::QUESTIONS;
use common::{Bot, Browser, FakeBotApi, Office, Resident, fixtures, text_of};
use qijin::journal::{
    Activity, Address, Audit, Boards, Database, Duty, Handovers, Journal, Keys, Ledger, Medium,
    NewBoard, Staff, local_day,
};
use qijin::web::{Access, routes};

/// The bot of the second office.
const OTHER_TOKEN: &str = "7700000002:AAFakeTokenOfTheOtherBot_0123456789abc";
const OTHER: &str = "bai-he";
/// Stands in everything that the second office wrote.
const MARK: &str = "白鹤密";

const CONFIG: &str = r#"
[[offices]]
id = "main"
name = "青石镇司法所"
contact = "便民大厅 3 号窗口"

[[offices]]
id = "bai-he"
name = "白鹤镇司法所"
contact = "白鹤大厅 8 号窗口"
bot = "baihe_bot"
[offices.regions]
township = "白鹤镇"
list = [{ code = "r01", name = "白鹤密村" }]
"#;

const OWN_ENTRY: &str = r#"+++
topic = "labor.pay"
places = ["enterprise", "village"]
reviewed = REVIEWED
+++

## 白鹤密渔场拖欠捕捞工钱找谁？
问法：渔场捕捞的工钱没给 ｜ 捕捞队不结捕捞工钱
先找白鹤镇渔政站登记，再向劳动监察投诉。
### 怎么做
1. 到渔政站登记。
### 依据
- 《劳动法》第五十条：工资要按月用货币发，不能克扣或无故拖欠。
### 时限
三天内登记。
### 找谁
- 劳动保障监察：12333
"#;
const OWN_QUESTION: &str = "白鹤密渔场拖欠捕捞工钱找谁？";

/// Two offices on one database, the second with an entry of its own.
fn two_offices() -> Office {
    let office = Office::new();
    std::fs::write(office.folder().join("qijin.toml"), CONFIG).unwrap();
    let folder = office.library().join("offices").join(OTHER).join("labor");
    std::fs::create_dir_all(&folder).unwrap();
    let reviewed = qijin::journal::local_day(chrono::Utc::now()) - chrono::Days::new(1);
    let entry = OWN_ENTRY.replace("REVIEWED", &reviewed.to_string());
    std::fs::write(folder.join("pay.md"), entry).unwrap();
    office
}

fn run(office: &Office, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = office
        .command(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

fn staffed(office: &Office) {
    for (id, name, password) in [
        ("main", "李主任", "long enough 1"),
        (OTHER, "白鹤密所长", "long enough 2"),
    ] {
        let arguments = ["staff", "add", name, "--role", "管理", "--office", id];
        let (done, told) = run(office, &arguments, &format!("{password}\n"));
        assert!(done, "{told}");
    }
}

/// Leads each bot to the fake server that plays its Telegram: those know one token only.
async fn telegram(apis: [(&'static str, String); 2]) -> String {
    async fn lead(State(apis): State<[(&'static str, String); 2]>, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let found = apis.iter().find(|(token, _)| path.contains(token));
        let (token, url) = found.expect("a known token");
        let path = path.replace(token, TOKEN);
        let kind = request.headers().get("content-type").cloned();
        let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let mut ahead = reqwest::Client::new()
            .post(format!("{url}{path}"))
            .body(body);
        if let Some(kind) = kind {
            ahead = ahead.header("content-type", kind);
        }
        let Ok(answer) = ahead.send().await else {
            return Response::builder().status(502).body(Body::empty()).unwrap();
        };
        Response::builder()
            .status(answer.status().as_u16())
            .header("content-type", "application/json")
            .body(Body::from(answer.bytes().await.unwrap()))
            .unwrap()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(lead).with_state(apis);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn exported(office: &Office, id: &str) -> String {
    let arguments = ["journal", "export", "--csv", "out.csv", "--office", id];
    let (done, told) = run(office, &arguments, "");
    assert!(done, "{told}");
    std::fs::read_to_string(office.folder().join("out.csv")).unwrap()
}

/// What residents of both offices see, however updates come.
async fn both_answer(office: &Office, one: &FakeBotApi, two: &FakeBotApi) {
    // The same person, and the same update ids: each bot counts its own.
    let here = Resident::new(one, 4_711, "王秀兰");
    let there = Resident::new(two, 4_711, "王秀兰");
    let (a, b) = tokio::join!(here.asks(QUESTIONS[0]), there.asks(QUESTIONS[1]));
    assert!(text_of(&a).starts_with(QUESTIONS[0]), "{a}");
    assert!(text_of(&b).starts_with(QUESTIONS[1]), "{b}");
    let own = there.asks(OWN_QUESTION).await;
    assert!(text_of(&own).contains("渔政站"), "{own}");
    let unknown = here.asks(OWN_QUESTION).await;
    assert!(!text_of(&unknown).contains("渔政站"), "{unknown}");
    let start = there.asks("/start").await;
    let text = text_of(&start);
    assert!(
        text.contains("白鹤镇司法所") && !text.contains("青石镇"),
        "{text}"
    );
    // What one says to one office the other does not know.
    let on = here.asks("要多久").await;
    assert!(!text_of(&on).contains("加班"), "{on}");
    let told = here.heard();
    here.taps(&a, "找人问").await;
    let promised = here.nth_message(told).await;
    assert!(text_of(&promised).contains("青石镇司法所"), "{promised}");

    // All of it in one database, and each sees its own.
    let (ours, theirs) = (
        exported(office, "main").await,
        exported(office, OTHER).await,
    );
    assert!(
        ours.contains(QUESTIONS[0]) && !ours.contains(QUESTIONS[1]),
        "{ours}"
    );
    assert!(
        theirs.contains(QUESTIONS[1]) && !theirs.contains(QUESTIONS[0]),
        "{theirs}"
    );
    let (done, told) = run(office, &["journal", "export", "--csv", "x.csv"], "");
    assert!(
        !done && told.contains("--office") && told.contains("bai-he（白鹤镇司法所）"),
        "{told}"
    );
    // Forgetting is asked of one office.
    let confirm = there.asks("/forget").await;
    there.taps(&confirm, "删除").await;
    assert!(exported(office, OTHER).await.lines().count() == 1);
    assert!(exported(office, "main").await.contains(QUESTIONS[0]));
}

fn with_tokens(url: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("TELOXIDE_TOKEN_BAI_HE", OTHER_TOKEN),
        ("TELOXIDE_API_URL", url),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_office_has_its_bot_and_its_own_answers() {
    let office = two_offices();
    staffed(&office);
    let (one, two) = (
        FakeBotApi::start("office_one").await,
        FakeBotApi::start("office_two").await,
    );
    let url = telegram([(TOKEN, one.url()), (OTHER_TOKEN, two.url())]).await;
    let bot = office.spawn_with(&one, TOKEN, &with_tokens(&url));
    for api in [&one, &two] {
        api.until("the first poll", |w| (w.polls > 0).then_some(()))
            .await;
    }
    both_answer(&office, &one, &two).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
    assert!(!office.log().contains(OTHER_TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_have_a_path_for_each_office() {
    let office = two_offices();
    staffed(&office);
    let (one, two) = (
        FakeBotApi::start("hook_one").await,
        FakeBotApi::start("hook_two").await,
    );
    let url = telegram([(TOKEN, one.url()), (OTHER_TOKEN, two.url())]).await;
    let mut env = with_tokens(&url);
    env.extend([
        ("QIJIN_TELEGRAM_MODE", "webhook"),
        ("QIJIN_WEBHOOK_URL", WEBHOOK),
        ("QIJIN_WEBHOOK_LISTEN", "127.0.0.1:0"),
    ]);
    let bot = office.spawn_with(&one, TOKEN, &env);
    office
        .until_log(|log| log.matches("the webhook is set").count() == 2)
        .await;
    let log = office.log();
    let address = log.rsplit("telegram.webhook.address=").next().unwrap();
    let address = format!("http://{}", address.split_whitespace().next().unwrap());
    for (api, id) in [(&one, "main"), (&two, OTHER)] {
        let set = api.world().webhook.clone().unwrap();
        assert_eq!(set.url, format!("{WEBHOOK}/{id}"));
        api.change(|world| world.targets = vec![address.clone()]);
    }
    both_answer(&office, &one, &two).await;
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// A bot that cannot start is its office's trouble.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_stops_one_office_only() {
    let office = two_offices();
    let api = FakeBotApi::start("office_wrong_token").await;
    let wrong = [("TELOXIDE_TOKEN_BAI_HE", "7700000009:not-a-token")];
    let bot = office.spawn_with(&api, TOKEN, &wrong);
    office.until_logged("the others are not concerned").await;
    let resident = Resident::new(&api, 1, "甲");
    let answer = resident.asks(QUESTIONS[0]).await;
    assert!(text_of(&answer).starts_with(QUESTIONS[0]));
    assert!(bot.stop().await.success(), "{}", office.log());
}

/// The ids of what the second office has.
struct Theirs {
    question: i64,
    handover: i64,
    board: String,
    member: i64,
    entry: String,
    journal: Journal,
}

async fn theirs(office: &Office) -> Theirs {
    let data = office.folder().join("data");
    let keys = Keys::open_or_create(&data.join("local.key")).unwrap();
    let database = Database::open(&office.database_url()).await.unwrap();
    let database = database.of(&OTHER.parse().unwrap());
    let journal = Journal::new(database.clone(), keys, 30);
    let now = Utc::now();
    let asker = journal.keys().asker("telegram", "1");
    let mut asked = fixtures::asked(&asker, now, "labor.pay");
    asked.text = format!("{MARK}问题");
    let question = journal.record(asked.clone()).await.unwrap();
    for n in 0..9 {
        // Enough people for a report to say something.
        let mut more = asked.clone();
        more.asker = Some(journal.keys().asker("telegram", &format!("p{n}")));
        journal.record(more).await.unwrap();
    }
    journal.roll_up(now, |_, _| ()).await.unwrap();
    let handovers = Handovers::of(&journal);
    let address = Address {
        channel: "telegram",
        conversation: "1".into(),
    };
    handovers
        .begin(question, &asker, &address, now)
        .await
        .unwrap();
    let handover = handovers.open(1).await.unwrap()[0].id;
    let today = local_day(now);
    let held = Activity {
        title: format!("{MARK}活动"),
        from: today,
        to: today,
        places: vec!["village".into()],
        topics: vec!["labor.pay".into()],
        regions: vec!["r01".into()],
        venue: format!("{MARK}广场"),
        media: vec![Medium::Lecture],
        unit: format!("{MARK}所"),
        person: format!("{MARK}人"),
        attendance: Some(9),
        materials: None,
        note: String::new(),
        attachments: Vec::new(),
    };
    let ledger = Ledger::new(database.clone());
    assert_eq!(ledger.add(&[held], now).await.unwrap(), [1]);
    let duty = Duty {
        year: chrono::Datelike::year(&today),
        unit: format!("{MARK}所"),
        content: format!("{MARK}内容"),
        planned: 3,
        done: 0,
    };
    ledger.set_duty(&duty).await.unwrap();
    let about = NewBoard {
        name: format!("{MARK}栏"),
        ..NewBoard::default()
    };
    let board = Boards::new(database.clone()).add(about, now).await.unwrap();
    let staff = Staff::new(database.clone());
    let member = staff.list().await.unwrap()[0].id;
    let audit = Audit::new(database);
    audit
        .note("白鹤密所长", "做了", &format!("{MARK}事"))
        .await
        .unwrap();
    // As the loader makes it.
    let loaded = qijin::knowledge::load(
        &office.library(),
        &qijin::knowledge::LoadOptions {
            preset: None,
            today,
            own: format!("offices/{OTHER}").into(),
        },
    );
    let library = loaded.unwrap().library;
    let entry = library.entries.iter().find(|e| e.question == OWN_QUESTION);
    Theirs {
        question,
        handover,
        board: board.code,
        member,
        entry: entry.unwrap().id.0.clone(),
        journal,
    }
}

/// Everything of the second office that pages could change.
async fn state(theirs: &Theirs) -> String {
    let database = theirs.journal.database();
    let ledger = Ledger::new(database.clone());
    let from: NaiveDate = "2020-01-01".parse().unwrap();
    let to = local_day(Utc::now());
    let facts = theirs.journal.facts(from, to).await.unwrap();
    let review = theirs.journal.review(theirs.question).await.unwrap();
    format!(
        "{facts:?} {review:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        Handovers::of(&theirs.journal).open(9).await.unwrap(),
        ledger.all().await.unwrap(),
        ledger
            .duties(chrono::Datelike::year(&to), to)
            .await
            .unwrap(),
        Boards::new(database.clone()).all().await.unwrap(),
        Staff::new(database.clone()).list().await.unwrap(),
        Audit::new(database.clone()).newest(99).await.unwrap(),
    )
}

async fn serving() -> (Office, Bot, String, Theirs) {
    let office = two_offices();
    staffed(&office);
    let theirs = theirs(&office).await;
    let (bot, base) = office.serve_pages(&[]).await;
    (office, bot, base, theirs)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_office_is_shown_or_changed_on_any_route() {
    let (office, bot, base, theirs) = serving().await;
    let before = state(&theirs).await;
    let mut ours = Browser::new(&base);
    let seen = ours.log_in("李主任", "long enough 1").await;
    assert_eq!(seen.location.as_deref(), Some("/"), "{}", seen.text);
    let (question, handover) = (theirs.question.to_string(), theirs.handover.to_string());
    let member = theirs.member.to_string();
    let (mut asked, mut read) = (0, 0);
    for (method, path, access) in routes() {
        if path == "/logout" || access == Access::Open {
            continue;
        }
        if access == Access::County {
            assert_eq!(ours.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
            continue;
        }
        let id = match path.split('/').nth(1).unwrap() {
            "questions" => question.as_str(),
            "handovers" => handover.as_str(),
            "activities" => "1",
            "boards" => theirs.board.as_str(),
            "entries" => theirs.entry.as_str(),
            "settings" => member.as_str(),
            "o" => "no-such-office",
            _ => "report.docx",
        };
        let concrete = path.replace("{id}", id).replace("{name}", "report.docx");
        let seen = if method == Method::GET {
            ours.get(&concrete).await
        } else {
            let token = ours.token("/ask").await;
            let fields = [
                ("_csrf", token.as_str()),
                ("text", "答复"),
                ("role", "查看"),
                ("state", "disabled"),
            ];
            ours.post(&concrete, &fields).await
        };
        let what = format!("{method} {concrete}: {}\n{}", seen.status, seen.text);
        assert!(!seen.text.contains(MARK), "{what}");
        assert!(!seen.status.is_server_error(), "{what}");
        if path.contains("{id}") {
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{what}");
            asked += 1;
        } else if method == Method::GET {
            read += 1;
        }
    }
    assert!(asked >= 18 && read >= 20, "{asked} {read}");
    // The configuration and the check-up belong to all offices: nobody's pages show them.
    for path in ["/settings/office", "/settings/doctor"] {
        assert_eq!(ours.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // Reports and exports, with everything that happened in the time.
    let today = local_day(Utc::now());
    for path in [
        format!("/reports/report.csv?from={today}&to={today}"),
        "/questions/export.csv".to_owned(),
        "/activities/export.csv".to_owned(),
    ] {
        let bytes = ours.download(&path).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(MARK) && !text.contains("白鹤"),
            "{path}: {text}"
        );
    }
    assert_eq!(state(&theirs).await, before, "nothing is changed");

    // And theirs is there, for them.
    let mut them = Browser::new(&base);
    them.log_in("白鹤密所长", "long enough 2").await;
    for (path, words) in [
        (format!("/questions/{question}"), "白鹤密问题"),
        (format!("/handovers/{handover}"), "白鹤密问题"),
        ("/activities/1".to_owned(), "白鹤密活动"),
        ("/boards".to_owned(), "白鹤密栏"),
        (format!("/entries/{}/edit", theirs.entry), "渔政站"),
        ("/settings".to_owned(), "白鹤密事"),
        ("/activities/duties".to_owned(), "白鹤密内容"),
        ("/".to_owned(), "白鹤镇司法所"),
    ] {
        let seen = them.get(&path).await;
        assert!(seen.text.contains(words), "{path}: {}", seen.text);
        assert!(!seen.text.contains("青石镇"), "{path}: {}", seen.text);
    }
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_counts_in_its_office_only() {
    let (office, bot, base, _theirs) = serving().await;
    let mut ours = Browser::new(&base);
    ours.log_in("李主任", "long enough 1").await;
    let cookie = ours.cookies["qijin"].clone();
    let token = cookie.strip_prefix("main.").unwrap();
    for forged in [
        format!("{OTHER}.{token}"),
        format!("none.{token}"),
        format!(".{token}"),
        format!("{OTHER}.main.{token}"),
        format!("main.{OTHER}.{token}"),
    ] {
        let mut browser = Browser::new(&base);
        browser.cookies.insert("qijin".into(), forged.clone());
        let seen = browser.get("/questions").await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{forged}");
    }
    // Whatever the browser says of an office for its questions, staff stay at home.
    ours.cookies.insert("qijin_office".into(), OTHER.into());
    assert!(ours.get("/ask").await.text.contains("青石镇司法所"));
    let wrong = Browser::new(&base)
        .log_in("白鹤密所长", "long enough 1")
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    // Names are one office's, on the command line too.
    let taken = [
        "staff",
        "add",
        "白鹤密所长",
        "--office",
        "main",
        "--generate",
    ];
    let (done, told) = run(&office, &taken, "");
    assert!(!done && told.contains("已经有"), "{told}");
    let theirs = ["staff", "disable", "白鹤密所长", "--office", "main"];
    let (done, told) = run(&office, &theirs, "");
    assert!(!done && told.contains("没有“白鹤密所长”"), "{told}");
    assert!(bot.stop().await.success(), "{}", office.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_of_each_office_has_an_address() {
    let (office, bot, base, theirs) = serving().await;
    let mut resident = Browser::new(&base);
    let first = resident.get("/ask").await.text;
    assert!(
        first.contains("青石镇司法所") && !first.contains("白鹤"),
        "{first}"
    );
    let led = resident.get("/o/bai-he/ask").await;
    assert_eq!(led.location.as_deref(), Some("/ask"));
    assert!(resident.get("/ask").await.text.contains("白鹤镇司法所"));
    let before = theirs.journal.count().await.unwrap();
    let asked = resident
        .submit("/ask", "/ask", &[("q", OWN_QUESTION)])
        .await;
    assert!(asked.text.contains("渔政站"), "{}", asked.text);
    assert_eq!(theirs.journal.count().await.unwrap(), before + 1);
    resident.get("/o/main/ask").await;
    let asked = resident
        .submit("/ask", "/ask", &[("q", OWN_QUESTION)])
        .await;
    assert!(!asked.text.contains("渔政站"), "{}", asked.text);
    assert_eq!(theirs.journal.count().await.unwrap(), before + 1);
    let unknown = resident.get("/o/nobody/ask").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(bot.stop().await.success(), "{}", office.log());
}

/// A county sees figures, and nothing that anybody wrote.
#[tokio::test(flavor = "multi_thread")]
async fn a_county_sees_sums_and_no_question() {
    let office = two_offices();
    let counties = "[[counties]]\nid = \"xian\"\nname = \"某县司法局\"\n";
    let config = CONFIG.replace("id = \"main\"", "id = \"main\"\ncounty = \"xian\"");
    let config = config.replace("id = \"bai-he\"", "id = \"bai-he\"\ncounty = \"xian\"");
    std::fs::write(office.folder().join("qijin.toml"), config + counties).unwrap();
    staffed(&office);
    let add = [
        "staff",
        "add",
        "县里的",
        "--role",
        "管理",
        "--office",
        "xian",
    ];
    let (done, told) = run(&office, &add, "long enough 3\n");
    assert!(done, "{told}");
    let refused = ["journal", "export", "--csv", "x.csv", "--office", "xian"];
    assert!(!run(&office, &refused, "").0, "a county has accounts only");
    let theirs = theirs(&office).await;
    let main = theirs.journal.database().of(&"main".parse().unwrap());
    let main = Journal::new(main, theirs.journal.keys().clone(), 30);
    let now = Utc::now();
    for n in 0..25 {
        // Nine of them asked in the other office too.
        let asker = main.keys().asker("telegram", &format!("p{n}"));
        main.record(fixtures::asked(&asker, now, "labor.pay"))
            .await
            .unwrap();
    }
    main.roll_up(now, |_, _| ()).await.unwrap();
    let before = state(&theirs).await;
    let (bot, base) = office.serve_pages(&[]).await;
    let mut county = Browser::new(&base);
    county.log_in("县里的", "long enough 3").await;
    let home = county.get("/").await;
    assert_eq!(home.location.as_deref(), Some("/county"));
    let page = county.get("/county").await.text;
    let row = |name: &str, cells: &[&str]| {
        let cells: Vec<String> = cells
            .iter()
            .map(|c| format!("<td class=\"num\">{c}</td>"))
            .collect();
        format!("<tr><th scope=\"row\">{name}</th>{}</tr>", cells.concat())
    };
    // 25 questions and 10; the ten people of the second are one of its own and nine of the first's.
    let ours = row("青石镇司法所", &["25", "25", "100%", "隐去", "0"]);
    assert!(page.contains(&ours), "{page}");
    assert!(
        page.contains(&row("白鹤镇司法所", &["10", "10", "隐去", "隐去", "1"])),
        "{page}"
    );
    for total in [
        "<strong>35</strong>",
        "<strong>26</strong>",
        "<strong>1</strong>",
    ] {
        assert!(page.contains(total), "{total}: {page}");
    }
    let today = local_day(now);
    let csv = county
        .download(&format!("/county/export.csv?from={today}&to={today}"))
        .await;
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("\"合计\",\"35\",\"26\""), "{csv}");
    let mut closed = 0;
    for (method, path, access) in routes() {
        let concrete = path.replace("{id}", &theirs.question.to_string());
        let concrete = concrete.replace("{name}", "report.docx");
        if path == "/logout" || path == "/" || access == Access::Open {
            continue;
        }
        let seen = if method == Method::GET {
            county.get(&concrete).await
        } else {
            let token = county.token("/settings").await;
            county.post(&concrete, &[("_csrf", &token)]).await
        };
        let what = format!("{method} {path}: {}\n{}", seen.status, seen.text);
        assert!(
            !seen.text.contains(MARK) && !seen.status.is_server_error(),
            "{what}"
        );
        let its_own = path.starts_with("/settings") || path.starts_with("/county");
        if !its_own && matches!(access, Access::Staff(_)) || path.starts_with("/ask") {
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{what}");
            closed += 1;
        }
    }
    assert!(closed > 40, "{closed}");
    assert_eq!(
        county.get("/o/xian/ask").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(state(&theirs).await, before, "nothing is changed");
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// Asks in the web chat until the reply says it; `there` is the address of the office's chat.
async fn until_told(base: &str, there: &str, question: &str, words: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let mut resident = Browser::new(base);
        resident.get(there).await;
        let asked = resident.submit("/ask", "/ask", &[("q", question)]).await;
        if asked.text.contains(words) {
            return;
        }
        let late = std::time::Instant::now() > deadline;
        assert!(!late, "{there} does not say {words}: {}", asked.text);
        // Each question counts against the limit of this address.
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_library_reaches_those_whose_it_is() {
    let office = two_offices();
    let (bot, base) = office.serve_pages(&[]).await;
    let (here, there) = ("/o/main/ask", "/o/bai-he/ask");
    let shared = office.library().join("labor/pay.md");
    let text = std::fs::read_to_string(&shared).unwrap();
    let changed = text.replace("平时加班不低于一点五倍", "平时加班至少一点五倍");
    assert_ne!(text, changed);
    std::fs::write(&shared, changed).unwrap();
    until_told(&base, here, QUESTIONS[1], "平时加班至少一点五倍").await;
    until_told(&base, there, QUESTIONS[1], "平时加班至少一点五倍").await;
    let own = office.library().join("offices/bai-he/labor/pay.md");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, text.replace("先找白鹤镇渔政站", "先找白鹤镇水产站")).unwrap();
    until_told(&base, there, OWN_QUESTION, "水产站").await;
    // What is wrong there is nobody else's trouble, not even at a start.
    std::fs::write(&own, "## 没有写完").unwrap();
    office.until_logged("the changed library is refused").await;
    until_told(&base, there, OWN_QUESTION, "水产站").await;
    assert!(bot.stop().await.success(), "{}", office.log());
    let (bot, base) = office.serve_pages(&[]).await;
    office.until_logged("own entries are refused").await;
    until_told(&base, here, QUESTIONS[1], "平时加班至少一点五倍").await;
    until_told(&base, there, QUESTIONS[1], "平时加班至少一点五倍").await;
    // With none left it shares everything again; with its first, the other office does not any more.
    std::fs::remove_dir_all(office.library().join("offices")).unwrap();
    let local = office.library().join("local/labor");
    std::fs::create_dir_all(&local).unwrap();
    let entry = text.replace("先找白鹤镇渔政站", "先找青石镇渔政站");
    std::fs::write(local.join("pay.md"), entry).unwrap();
    until_told(&base, here, OWN_QUESTION, "青石镇渔政站").await;
    let mut resident = Browser::new(&base);
    resident.get(there).await;
    let asked = resident
        .submit("/ask", "/ask", &[("q", OWN_QUESTION)])
        .await;
    assert!(!asked.text.contains("渔政站"), "{}", asked.text);
    assert!(bot.stop().await.success(), "{}", office.log());
    office.assert_calm();
}

/// What is said of one office must not speak of several.
#[tokio::test(flavor = "multi_thread")]
async fn one_office_hears_nothing_of_several() {
    let office = Office::new();
    let (done, told) = run(&office, &["--help"], "");
    assert!(done && !told.contains("--office"), "{told}");
    let arguments = ["staff", "add", "李主任", "--role", "管理"];
    let (done, told) = run(&office, &arguments, "long enough 1\n");
    assert!(done, "{told}");
    let (bot, base) = office.serve_pages(&[]).await;
    let mut browser = Browser::new(&base);
    browser.log_in("李主任", "long enough 1").await;
    assert!(!browser.cookies["qijin"].contains('.'));
    let page = browser.get("/settings").await.text;
    assert!(
        page.contains("/settings/office") && !page.contains("机构"),
        "{page}"
    );
    assert_eq!(browser.get("/settings/doctor").await.status, StatusCode::OK);
    assert!(bot.stop().await.success(), "{}", office.log());
    assert!(!office.folder().join("index-main").exists());
}
