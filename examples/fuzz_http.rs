//! Throws mutated HTTP requests at the dashboard and the web chat of the real program.
//!
//!     cargo build && TMPDIR=/dev/shm cargo run --example fuzz_http -- 100000 1
//!
//! The first number says how many, the second is the seed. Seeds are the pages and forms that an
//! administrator finds by following every link, with what each form holds; routes that no link leads to
//! are made up. They are mutated in every part (method, path, query, fields, files, headers, cookies,
//! framing, bytes); half of them come with a session of the highest role and its token. Watched are the
//! program's log (no panic, no failed page), its answers (no 5xx; 503 is told apart: the 30 seconds that a
//! page may take), its memory, and what it writes outside its folders. Afterwards logging in, a question
//! and a restart must work. What offends is made smaller and written to a file; the exit code is 1 then.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::fake_bot_api::TOKEN;
use common::fixtures::QUESTIONS;
use common::mutate::spoil;
use common::process::memory;
use common::{Bot, Browser, FakeBotApi, Office, Resident, files};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use qijin::web::routes;
use reqwest::Method;
use scraper::{ElementRef, Html, Selector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// More than this on top is a leak.
const MAY_GROW_MB: f64 = 300.0;
/// So that the law can be looked up.
const STATUTE: &str = "---\nid: a\ntitle: 中华人民共和国民法典\nstatus: 有效\ngroup: 法律\n\
    publication_date: '2020-05-28'\neffective_date: '2021-01-01'\n---\n\n\
    - **第一条**　　为了试验，制定本法。\n- **第一百八十八条**　　诉讼时效期间为三年。\n";
const BATCH: usize = 240;
const AT_ONCE: usize = 24;
/// In names that must not turn up anywhere but inside the program's folders.
const ESCAPE: &str = "qijin-escape";
/// What an office by itself answers with 404.
const OF_COUNTIES: [&str; 3] = ["/county", "/county/export.csv", "/o/{id}/ask"];
/// Seeds of one route.
const OF_A_ROUTE: usize = 6;

/// A request as a browser would send it.
#[derive(Clone, Debug)]
struct Seed {
    /// Number in the table of routes.
    route: usize,
    method: Method,
    /// Path and query.
    target: String,
    fields: Vec<(String, String)>,
    file: Option<Vec<u8>>,
}

/// Who sends it.
#[derive(Clone)]
struct Sender {
    cookies: String,
    token: String,
}

/// What came back.
#[derive(Clone, Default)]
struct Outcome {
    status: Option<u16>,
    location: String,
}

#[derive(Default)]
struct Tally {
    sent: usize,
    reached: usize,
    seconds: f64,
    statuses: BTreeMap<String, usize>,
}

/// Whether a path is one of a route's.
fn fits(route: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(w), Some(f)) if w == f || w.starts_with('{') && !f.is_empty() => {}
            _ => return false,
        }
    }
}

fn route_of(method: &Method, target: &str) -> Option<usize> {
    let path = target.split('?').next().unwrap_or_default();
    let all = routes();
    // A path without placeholders goes before one with.
    let exact = all.iter().position(|(m, p, _)| m == method && *p == path);
    exact.or_else(|| {
        all.iter()
            .position(|(m, p, _)| m == method && fits(p, path))
    })
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a constant")
}

/// The fields of a form as the page fills them.
fn fields_of(form: ElementRef<'_>) -> (Vec<(String, String)>, bool) {
    let mut fields = Vec::new();
    let mut has_file = false;
    let mut pressed = false;
    for input in form.select(&selector("input, textarea, select, button[name]")) {
        let attribute = |name: &str| input.value().attr(name).unwrap_or_default().to_owned();
        let name = attribute("name");
        if name.is_empty() || name == "_csrf" {
            continue;
        }
        let value = match (input.value().name(), attribute("type").as_str()) {
            (_, "file") => {
                has_file = true;
                continue;
            }
            ("textarea", _) => input.text().collect(),
            ("select", _) => {
                let chosen = input.select(&selector("option[selected]")).next();
                let any = chosen.or_else(|| input.select(&selector("option")).last());
                any.map(|o| {
                    o.value()
                        .attr("value")
                        .map_or_else(|| o.text().collect(), str::to_owned)
                })
                .unwrap_or_default()
            }
            // One button is pressed.
            ("button", _) if std::mem::replace(&mut pressed, true) => continue,
            (_, "radio" | "checkbox") if input.value().attr("checked").is_none() => continue,
            _ => attribute("value"),
        };
        fields.push((name, value));
    }
    (fields, has_file)
}

/// Follows every link of the dashboard and keeps what is found: pages and forms.
async fn crawled(browser: &mut Browser) -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    let mut of_route: BTreeMap<usize, usize> = BTreeMap::new();
    let mut keep = |seed: Seed| {
        let held = of_route.entry(seed.route).or_default();
        *held += 1;
        (*held <= OF_A_ROUTE).then(|| seeds.push(seed)).is_some()
    };
    let mut known = BTreeSet::new();
    let mut posted = BTreeSet::new();
    let mut next = vec![
        "/login".to_owned(),
        "/ask".to_owned(),
        "/".to_owned(),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
    ];
    while let Some(target) = next.pop() {
        if !target.starts_with('/') || !known.insert(target.clone()) {
            continue;
        }
        let Some(route) = route_of(&Method::GET, &target) else {
            continue;
        };
        let mut seen = browser.get(&target).await;
        // A law that is not imported, say.
        if seen.status == 404 {
            continue;
        }
        if !keep(Seed {
            route,
            method: Method::GET,
            target: target.clone(),
            fields: Vec::new(),
            file: None,
        }) {
            continue;
        }
        if target == "/ask" {
            // Under an answer there are more forms.
            seen = browser.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
        }
        let is_page = seen
            .headers
            .get("content-type")
            .is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
        if !is_page {
            continue;
        }
        let page = Html::parse_document(&seen.text);
        for link in page.select(&selector("a[href], link[href]")) {
            next.push(link.value().attr("href").unwrap_or_default().to_owned());
        }
        for form in page.select(&selector("form")) {
            let attribute = |name: &str| form.value().attr(name).unwrap_or_default().to_owned();
            let action = if attribute("action").is_empty() {
                target.clone()
            } else {
                attribute("action")
            };
            let (fields, has_file) = fields_of(form);
            if !attribute("method").eq_ignore_ascii_case("post") {
                let query = serde_urlencoded::to_string(&fields).unwrap_or_default();
                next.push(format!("{action}?{query}"));
                continue;
            }
            // What one activity's form deletes the others' pages need.
            let is_other = |posted: &String| posted.ends_with("/delete");
            let gone = action.ends_with("/delete") && posted.iter().any(is_other);
            if let Some(route) = route_of(&Method::POST, &action)
                && !gone
                && posted.insert(action.clone())
            {
                let rows = vec![
                    vec!["活动名称".to_owned(), "开始日期".to_owned()],
                    vec!["送法进村".to_owned(), "2026-05-04".to_owned()],
                ];
                let file =
                    has_file.then(|| files::workbook(&rows).save_to_buffer().unwrap_or_default());
                keep(Seed {
                    route,
                    method: Method::POST,
                    target: action,
                    fields,
                    file,
                });
            }
        }
    }
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let duty = vec![field("year", "2026"), field("unit", "司法所")];
    let log_in = vec![
        field("name", "李主任"),
        field("password", "long enough 3"),
        field("next", "/"),
    ];
    for (path, fields) in [
        ("/login", log_in),
        ("/ask/vote", vec![field("row", "1"), field("helpful", "1")]),
        ("/activities/duties/delete", duty),
    ] {
        if let Some(route) = route_of(&Method::POST, path) {
            keep(Seed {
                route,
                method: Method::POST,
                target: path.to_owned(),
                fields,
                file: None,
            });
        }
    }
    for target in [
        "/law?law=%E6%B0%91%E6%B3%95%E5%85%B8&article=%E7%AC%AC%E4%B8%80%E6%9D%A1",
        "/activities/export.csv?from=2026-01-01",
        "/activities/export.xlsx",
    ] {
        if let Some(route) = route_of(&Method::GET, target) {
            keep(Seed {
                route,
                method: Method::GET,
                target: target.to_owned(),
                fields: Vec::new(),
                file: None,
            });
        }
    }
    // What no link leads to.
    for (route, (method, path, _)) in routes().into_iter().enumerate() {
        if !of_route.contains_key(&route) {
            let target = path.replace("{id}", "1").replace("{name}", "nothing.css");
            println!("no link leads to {method} {path}: made up");
            seeds.push(Seed {
                route,
                method,
                target,
                fields: Vec::new(),
                file: None,
            });
        }
    }
    seeds
}

const BOUNDARY: &str = "a-line-between-fields";

fn multipart(token: &str, fields: &[(String, String)], file: &[u8], name: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let mut field = |head: String, content: &[u8]| {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes(),
        );
        body.extend(content);
        body.extend(b"\r\n");
    };
    field("name=\"_csrf\"".to_owned(), token.as_bytes());
    for (name, value) in fields {
        field(format!("name=\"{name}\""), value.as_bytes());
    }
    field(format!("name=\"file\"; filename=\"{name}\""), file);
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// Text that people and programs trip over, as it stands in a form.
fn odd_text(random: &mut fastrand::Rng) -> String {
    let texts = [
        "",
        " ",
        "0",
        "-1",
        "1",
        "99999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "NaN",
        "0x10",
        "true",
        "\0",
        "a\0b",
        "\u{202e}txt.exe",
        "\u{200b}\u{feff}",
        "👩‍👩‍👧‍👦",
        "' OR 1=1; DROP TABLE staff; --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "=cmd|' /C calc'!A0",
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
        "-262144-01-01",
        "+262143-12-31",
        "2026-W99",
        "2026-Q5",
        "2026-13",
        "1e9",
        "+++\ntopic = \"x\"\n+++",
        "## 标题\n问法：甲｜乙",
        "【待改写】",
        "劳动人事 > 拖欠工资",
        "labor.wage_arrears",
        "labor.wage_arrears-000000",
        "../../../../tmp/qijin-escape",
        "..\\..\\qijin-escape",
        "/tmp/qijin-escape",
        "file:///tmp/qijin-escape",
        "http://127.0.0.1:1/",
        "//evil.example",
        "admin",
        "管理",
        "查看",
        "r01",
        "enterprise",
        "13800138000",
        "11010519491231002X",
        "%",
        "%00",
        "%ff%fe",
        "%u0041",
        "a=b&c=d",
        "\r\nSet-Cookie: x=y",
        "老板拖欠工资怎么办？",
        "他打我，还要杀我",
    ];
    match random.u8(..12) {
        0 => "长".repeat(random.usize(1..20_000)),
        1 => "a ".repeat(random.usize(1..30_000)),
        2 => random.i64(..).to_string(),
        3 => (0..random.usize(1..40)).map(|_| random.char(..)).collect(),
        _ => random.choice(texts).unwrap_or_default().to_owned(),
    }
}

/// What may stand in a path, as it goes over the wire.
fn odd_path(random: &mut fastrand::Rng) -> String {
    let paths = [
        "..",
        "../..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2f..%2fdata%2flocal.key",
        "..%5c..%5cqijin-escape",
        "%00",
        "a%00.css",
        "%",
        "%2",
        "%zz",
        "%ff",
        "%c0%ae%c0%ae",
        "%e5%b7",
        "-1",
        "0",
        "1",
        "9223372036854775807",
        "9223372036854775808",
        "NaN",
        "%0d%0aX:%20y",
        ";a=b",
        "a//b",
        ".",
        "~",
        "*",
        "%F0%9F%91%A9",
        "{id}",
        "qijin-escape.docx",
        "..%2f..%2fqijin-escape.csv",
        "year.docx",
        "2026-Q3.xlsx",
        "labor.wage_arrears-000000",
        "%2Ftmp%2Fqijin-escape",
    ];
    match random.u8(..10) {
        0 => "a".repeat(random.usize(1..40_000)),
        1 => "../".repeat(random.usize(1..200)),
        _ => random.choice(paths).unwrap_or_default().to_owned(),
    }
}

/// A request's bytes, and whether a whole request is in them (then an answer is waited for).
fn spoiled(random: &mut fastrand::Rng, seed: &Seed, sender: &Sender) -> (Vec<u8>, bool) {
    let Seed {
        method,
        target,
        mut fields,
        mut file,
        ..
    } = seed.clone();
    let (mut method, mut target) = (method.to_string(), target);
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut host = "127.0.0.1".to_owned();
    let mut cookies = sender.cookies.clone();
    let mut kind = None;
    let mut chunked = false;
    let mut framing = 0;
    let mut whole = true;
    let mut bytewise = false;
    for _ in 0..random.usize(0..4) {
        match random.u8(..20) {
            0..=3 if !fields.is_empty() => {
                let at = random.usize(..fields.len());
                fields[at].1 = odd_text(random);
            }
            4 if !fields.is_empty() => {
                fields.remove(random.usize(..fields.len()));
            }
            5 if !fields.is_empty() => {
                let twice = fields[random.usize(..fields.len())].clone();
                (0..random.usize(1..60)).for_each(|_| fields.push(twice.clone()));
            }
            6 => fields.push((odd_text(random), odd_text(random))),
            7 | 8 => {
                let name = random.choice([
                    "q", "from", "to", "period", "page", "kind", "topic", "year", "done", "next",
                    "size", "before", "after", "id", "x",
                ]);
                let query = serde_urlencoded::to_string([(name.unwrap_or("q"), odd_text(random))])
                    .unwrap_or_default();
                target = format!(
                    "{target}{}{query}",
                    if target.contains('?') { '&' } else { '?' }
                );
            }
            9 => {
                target = format!(
                    "{}?{}",
                    target.split('?').next().unwrap_or("/"),
                    odd_path(random)
                )
            }
            10 | 11 => {
                let (path, query) = target.split_once('?').unwrap_or((&target, ""));
                let mut parts: Vec<&str> = path.split('/').collect();
                let odd = odd_path(random);
                let at = random.usize(1..parts.len().max(2)).min(parts.len() - 1);
                parts[at] = &odd;
                target = format!("{}?{query}", parts.join("/"));
            }
            12 => {
                let methods = [
                    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT",
                    "BREW", "get",
                ];
                method = random.choice(methods).unwrap_or("GET").to_owned();
            }
            13 => {
                let kinds = [
                    "application/json",
                    "text/plain",
                    "multipart/form-data",
                    "multipart/form-data; boundary=",
                    "multipart/form-data; boundary=x",
                    "application/x-www-form-urlencoded; charset=utf-16",
                    "",
                    "\u{7f}",
                ];
                kind = random.choice(kinds);
            }
            14 => {
                let names = [
                    "X-Forwarded-For",
                    "Accept-Language",
                    "If-None-Match",
                    "Range",
                    "Origin",
                    "Sec-Fetch-Site",
                    "Referer",
                    "X-CSRF-Token",
                    "Accept",
                    "Expect",
                    "Upgrade",
                    "X-Qijin",
                ];
                let long = "x".repeat(random.usize(1..70_000));
                let values = [
                    "",
                    "null",
                    "http://127.0.0.1",
                    "https://evil.example",
                    "cross-site",
                    "bytes=0-,5-1",
                    "100-continue",
                    "h2c",
                    "999.1.1.1",
                    "\u{202e}",
                    &long,
                ];
                for _ in 0..random.usize(1..4) {
                    let value = random.choice(values).unwrap_or_default();
                    headers.push((
                        random.choice(names).unwrap_or("X-A").to_owned(),
                        value.as_bytes().to_vec(),
                    ));
                }
            }
            15 => (0..random.usize(1..150))
                .for_each(|n| headers.push((format!("X-{n}"), b"y".to_vec()))),
            16 => {
                let hosts = [
                    "",
                    "evil.example",
                    "127.0.0.1:99999",
                    "[::1",
                    "a b",
                    "../x",
                    "qijin.test:80",
                ];
                host = random.choice(hosts).unwrap_or_default().to_owned();
            }
            17 => {
                let mut bytes = cookies.clone().into_bytes();
                spoil(random, &mut bytes);
                cookies = String::from_utf8_lossy(&bytes).replace(['\r', '\n'], "");
            }
            18 => match random.u8(..6) {
                0 => chunked = true,
                1 => framing = 1,
                2 => framing = 2,
                3 => framing = 3,
                4 => file = Some(vec![b'x'; random.usize(1..3_000_000)]),
                _ => {
                    if let Some(file) = &mut file {
                        spoil(random, file);
                    }
                }
            },
            _ => bytewise = random.u8(..3) == 0,
        }
    }
    let is_post = seed.method == Method::POST;
    let body = match &file {
        Some(file) if is_post => {
            kind.get_or_insert("multipart/form-data; boundary=a-line-between-fields");
            let name = random.choice([
                "../qijin-escape.xlsx",
                "台账.xlsx",
                "/tmp/qijin-escape",
                "\0",
            ]);
            multipart(&sender.token, &fields, file, name.unwrap_or("a.xlsx"))
        }
        _ if is_post => {
            kind.get_or_insert("application/x-www-form-urlencoded");
            let form = serde_urlencoded::to_string(&fields).unwrap_or_default();
            format!("_csrf={}&{form}", sender.token).into_bytes()
        }
        _ => Vec::new(),
    };
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n").into_bytes();
    if !cookies.is_empty() {
        request.extend(format!("Cookie: {cookies}\r\n").into_bytes());
    }
    if let Some(kind) = kind {
        request.extend(format!("Content-Type: {kind}\r\n").into_bytes());
    }
    for (name, value) in headers {
        request.extend(format!("{name}: ").into_bytes());
        request.extend(value);
        request.extend(b"\r\n");
    }
    if chunked {
        request.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for piece in body.chunks(random.usize(1..5_000)) {
            request.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            request.extend(piece);
            request.extend(b"\r\n");
        }
        match random.u8(..4) {
            0 => whole = false,
            1 => {
                request.extend(b"ffffffffffffffff1\r\nx");
                whole = false;
            }
            _ => request.extend(b"0\r\n\r\n"),
        }
    } else {
        let said = match framing {
            1 => body.len() + random.usize(1..100_000),
            2 => body.len() / 2,
            3 => usize::MAX,
            _ => body.len(),
        };
        whole = !matches!(framing, 1 | 3);
        if is_post || framing > 0 {
            request.extend(format!("Content-Length: {said}\r\n").into_bytes());
        }
        request.extend(b"\r\n");
        request.extend(body);
    }
    if bytewise {
        spoil(random, &mut request);
        whole = false;
    }
    (request, whole)
}

/// Sends bytes from one of many addresses, so that limits on one of them do not end it; reads all that
/// comes back.
async fn send(address: SocketAddr, from: u8, request: &[u8], patience: Duration) -> Outcome {
    let exchange = async {
        let socket = TcpSocket::new_v4().ok()?;
        socket
            .bind(SocketAddr::from(([127, 0, 0, 2 + from % 250], 0)))
            .ok()?;
        let mut stream = socket.connect(address).await.ok()?;
        // A server that has heard enough may close while we are still speaking.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.take(1 << 20).read_to_end(&mut answer).await;
        let head = String::from_utf8_lossy(&answer[..answer.len().min(4096)]).into_owned();
        // "Go on", and then what came of it.
        let head = match head.split_once("\r\n\r\n") {
            Some((first, rest)) if first.starts_with("HTTP/1.1 100") => rest.to_owned(),
            _ => head,
        };
        let status = head
            .strip_prefix("HTTP/1.")
            .and_then(|h| h.get(2..5)?.parse().ok());
        let location = head
            .lines()
            .find_map(|l| l.strip_prefix("location: "))
            .unwrap_or_default();
        Some(Outcome {
            status,
            location: location.to_owned(),
        })
    };
    tokio::time::timeout(patience, exchange)
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The running program and everything around it.
struct Site {
    office: Office,
    api: FakeBotApi,
    bot: Bot,
    base: String,
    address: SocketAddr,
    read: u64,
    accounts: usize,
    /// Panics and failed pages so far.
    faults: usize,
}

impl Site {
    async fn begin() -> Self {
        let office = Office::new();
        let regions = "[regions]\ntownship = \"青石镇\"\nlist = [{ code = \"r01\", name = \"青石村\" }]\n\
             [telegram]\nbot = \"qingshi_pufa_bot\"\n";
        std::fs::write(office.folder().join("qijin.toml"), regions).unwrap();
        office.add_staff("李主任", "管理", "long enough 3");
        office.add_board(&["文化广场", "--place", "乡村", "--region", "青石村"]);
        for arguments in [
            "activity add --title 送法进村 --from 2026-05-04 --place 乡村 --topic labor.pay --media 讲座",
            "activity add --title 法治讲座 --from 2026-06-04 --place 乡村 --topic labor.pay --media 讲座",
            "activity duty add 司法所 --year 2026 --content 宪法宣传 --planned 3",
        ] {
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let done = office.command(&arguments).output().unwrap();
            if !done.status.success() {
                println!("{}", String::from_utf8_lossy(&done.stderr));
            }
        }
        std::fs::write(office.folder().join("民法典.md"), STATUTE).unwrap();
        let done = office
            .command(&["import", "statutes", "民法典.md"])
            .status()
            .unwrap();
        assert!(done.success());
        let api = FakeBotApi::start("fuzz_http").await;
        let bot = serve(&office, &api).await;
        // Something to look at: questions, and some that wait for an officer.
        for n in 0..6 {
            let resident = Resident::new(&api, 5_000_000 + n, "常人");
            let answer = resident.asks(QUESTIONS[n as usize]).await;
            resident.asks("卫星轨道").await;
            let told = resident.heard();
            resident.taps(&answer, "找人问").await;
            resident.nth_message(told).await;
        }
        let base = office.pages().await;
        let address = base.strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            office,
            api,
            bot,
            base,
            address,
            read: 0,
            accounts: 0,
            faults: 0,
        }
    }

    /// A new account of the highest role, logged in: what is thrown about may end any session.
    async fn log_in(&mut self) -> Browser {
        self.accounts += 1;
        let name = format!("管理员{}", self.accounts);
        self.office.add_staff(&name, "管理", "long enough 3");
        loop {
            let computer = [127, 0, 1, 1 + (self.accounts % 250) as u8];
            let mut browser = Browser::at(&self.base, Some(computer.into()));
            let seen = browser.log_in(&name, "long enough 3").await;
            if seen.location.as_deref() == Some("/") {
                return browser;
            }
            // Ten log-ins at once from this address, then one in half a minute.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// Reads the log on; returns whether it tells of a panic or a failed page since.
    fn failed(&mut self) -> bool {
        let before = self.faults;
        let mut new = Vec::new();
        if let Ok(mut file) = std::fs::File::open(self.office.folder().join("serve.log"))
            && file.seek(SeekFrom::Start(self.read)).is_ok()
            && file.read_to_end(&mut new).is_ok()
        {
            self.read += new.len() as u64;
            let new = String::from_utf8_lossy(&new);
            self.faults += new.matches("panicked").count() + new.matches("a page failed").count();
        }
        self.faults > before
    }

    async fn offends(&mut self, request: &[u8]) -> bool {
        self.failed();
        let outcome = send(self.address, 7, request, Duration::from_secs(35)).await;
        self.failed() || outcome.status.is_some_and(|s| s >= 500)
    }

    /// The first of these that offends by itself, made smaller.
    async fn smallest(&mut self, suspects: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut found = None;
        for request in suspects {
            if self.offends(request).await {
                found = Some(request.clone());
                break;
            }
        }
        let mut request = found?;
        let (mut piece, mut tries) = (request.len() / 2, 0);
        while piece > 0 && tries < 400 {
            let mut at = 0;
            while at < request.len() && tries < 400 {
                let end = (at + piece).min(request.len());
                let shorter = [&request[..at], &request[end..]].concat();
                tries += 1;
                // Without its end a request would only be waited for.
                let has_head = shorter.windows(4).any(|w| w == b"\r\n\r\n");
                if has_head && self.offends(&shorter).await {
                    request = shorter;
                } else {
                    at = end;
                }
            }
            piece /= 2;
        }
        Some(request)
    }
}

/// The program by polling. What decides about posters stands in the environment: forms cannot unset it.
async fn serve(office: &Office, api: &FakeBotApi) -> Bot {
    let polls = api.world().polls;
    let mut env = vec![("QIJIN_BOT", "qingshi_pufa_bot".to_owned())];
    // How the C library keeps memory, to tell what is held from what is merely kept.
    if let Ok(arenas) = std::env::var("MALLOC_ARENA_MAX") {
        env.push(("MALLOC_ARENA_MAX", arenas));
    }
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, &**v)).collect();
    let bot = office.spawn_with(api, TOKEN, &env);
    api.until("the first poll", |world| {
        (world.polls > polls).then_some(())
    })
    .await;
    bot
}

/// All files below a folder, with their bytes' sum.
fn files_below(folder: &Path, out: &mut BTreeMap<PathBuf, u64>) {
    for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = item.path();
        if path.is_dir() {
            files_below(&path, out);
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            out.insert(
                path,
                bytes.iter().fold(7, |sum: u64, b| {
                    sum.wrapping_mul(31).wrapping_add(u64::from(*b))
                }),
            );
        }
    }
}

/// Files of the office that nothing on a page may make or change.
fn untouchable(office: &Office) -> BTreeMap<PathBuf, u64> {
    let mut all = BTreeMap::new();
    files_below(office.folder(), &mut all);
    all.retain(|path, _| {
        let below = path.strip_prefix(office.folder()).unwrap_or(path);
        let first = below.iter().next().unwrap_or_default().to_string_lossy();
        let is_local = below.starts_with("library/local");
        !matches!(&*first, "data" | "index" | "serve.log")
            && !first.starts_with("qijin.toml")
            && !is_local
    });
    all
}

/// Files anywhere on this machine's disk with the telling name.
fn escaped() -> Vec<String> {
    let found = std::process::Command::new("find")
        .args([
            "/",
            "/dev/shm",
            "-xdev",
            "-name",
            &format!("*{ESCAPE}*"),
            "-not",
            "-path",
            "/proc/*",
        ])
        .output();
    let found = found.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    found
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The sender of a browser's requests.
async fn sender(browser: &mut Browser) -> Sender {
    let token = browser.token("/ask").await;
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    Sender {
        cookies: cookies.join("; "),
        token,
    }
}

/// How long the requests of a seed took so far.
#[derive(Clone, Default)]
struct Pace {
    sent: f64,
    seconds: f64,
}

/// How many of so many requests each seed gets: slow pages get fewer.
fn weights(pace: &[Pace]) -> Vec<f64> {
    let sent: f64 = pace.iter().map(|p| p.sent).sum();
    let seconds: f64 = pace.iter().map(|p| p.seconds).sum();
    if sent == 0.0 {
        return vec![1.0; pace.len()];
    }
    let usual = seconds / sent / 2.0;
    let weight = |p: &Pace| match p.sent {
        0.0 => 1.0,
        sent => (usual / (p.seconds / sent)).clamp(0.03, 1.0),
    };
    pace.iter().map(weight).collect()
}

fn pick(random: &mut fastrand::Rng, weights: &[f64]) -> usize {
    let mut at = random.f64() * weights.iter().sum::<f64>();
    for (n, weight) in weights.iter().enumerate() {
        at -= weight;
        if at < 0.0 {
            return n;
        }
    }
    weights.len() - 1
}

/// What ends sessions is sent by an account that is there for it.
fn ends_sessions(seed: &Seed) -> bool {
    seed.method == Method::POST && matches!(&*seed.target, "/logout" | "/settings/password")
}

fn print(tallies: &BTreeMap<usize, Tally>) {
    let table = routes();
    println!("route | sent | handler reached | seconds | statuses");
    for (route, tally) in tallies {
        let (method, path, _) = &table[*route];
        let Tally {
            sent,
            reached,
            seconds,
            statuses,
        } = tally;
        println!("{method} {path} | {sent} | {reached} | {seconds:.0} | {statuses:?}");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let seed: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut site = Site::begin().await;
    let seeds = crawled(&mut site.log_in().await).await;
    // Made after the pages were looked at: no form names their accounts.
    let mut admin = site.log_in().await;
    let mut victim = site.log_in().await;
    let mut visitor = Browser::new(&site.base);
    let visitor = sender(&mut visitor).await;
    let mut staff = sender(&mut admin).await;
    let mut doomed = sender(&mut victim).await;
    let mut pace = vec![Pace::default(); seeds.len()];
    println!("{} seeds over {} routes", seeds.len(), routes().len());
    let kept = untouchable(&site.office);
    let escaped_before = escaped();
    let before = memory(site.bot.id());
    let began = Instant::now();
    let bar = ProgressBar::new(count as u64).with_message("spoiled requests");
    if let Ok(style) =
        ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {elapsed}, {eta} left")
    {
        bar.set_style(style);
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    let mut by_session: BTreeMap<String, usize> = BTreeMap::new();
    let routes = routes();
    let mut offending: Option<Vec<u8>> = None;
    let (mut n, mut timed_out, mut log_ins) = (0, 0, 0);
    while n < count && offending.is_none() {
        let size = BATCH.min(count - n);
        let weights = weights(&pace);
        let requests: Vec<_> = (0..size)
            .map(|k| {
                let at = pick(&mut random, &weights);
                let seed = &seeds[at];
                let with_session = k % 2 == 0;
                let from = match with_session {
                    true if ends_sessions(seed) => &doomed,
                    true => &staff,
                    false => &visitor,
                };
                let (request, whole) = spoiled(&mut random, seed, from);
                (at, with_session, request, whole)
            })
            .collect();
        let address = site.address;
        let bar = &bar;
        let sent = requests.into_iter().enumerate().map(
            |(k, (at, with_session, request, whole))| async move {
                let began = Instant::now();
                let patience = if whole {
                    Duration::from_secs(60)
                } else {
                    Duration::from_millis(300)
                };
                let outcome = send(address, (n + k) as u8, &request, patience).await;
                bar.inc(1);
                (at, with_session, request, whole, outcome, began.elapsed())
            },
        );
        let done: Vec<_> = futures::stream::iter(sent)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (mut failed, mut all) = (Vec::new(), Vec::new());
        for (at, with_session, request, whole, Outcome { status, location }, took) in done {
            let tally = tallies.entry(seeds[at].route).or_default();
            tally.sent += 1;
            if whole {
                tally.seconds += took.as_secs_f64();
                pace[at].seconds += took.as_secs_f64();
                pace[at].sent += 1.0;
            }
            let reached = match status {
                Some(200) => true,
                // That is what the page of log-in says of a wrong password.
                Some(401) => routes[seeds[at].route].1 == "/login",
                Some(303) => !location.starts_with("/login?next"),
                _ => false,
            };
            tally.reached += usize::from(reached);
            let name = match status {
                Some(status) => status.to_string(),
                None if whole => "closed".to_owned(),
                None => "unfinished".to_owned(),
            };
            *tally.statuses.entry(name.clone()).or_default() += 1;
            let who = if with_session { "session" } else { "visitor" };
            *by_session.entry(format!("{who} {name}")).or_default() += 1;
            match status {
                // Declared: a page that takes longer than 30 s.
                Some(503) => timed_out += 1,
                Some(status) if status >= 500 => failed.push(request.clone()),
                _ => {}
            }
            all.push(request);
        }
        n += size;
        if site.failed() || !failed.is_empty() {
            let suspects = if failed.is_empty() { &all } else { &failed };
            let found = site.smallest(suspects).await;
            offending = Some(found.unwrap_or_else(|| suspects.join(&b"\n=====\n"[..])));
        }
        for (browser, held) in [(&mut admin, &mut staff), (&mut victim, &mut doomed)] {
            if browser.get("/settings/office").await.status != 200 {
                *browser = site.log_in().await;
                *held = sender(browser).await;
                log_ins += 1;
            }
        }
        if n % (BATCH * 20) == 0 {
            let held = memory(site.bot.id()).resident;
            println!("{n} requests, {:.0?}, {held:.0} MB", began.elapsed());
        }
        // Only what its own people were told is of use, and is held by us.
        site.api.change(|world| world.calls.clear());
    }
    bar.finish_and_clear();
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = memory(site.bot.id());
    print(&tallies);
    println!("{by_session:?}");
    println!(
        "{n} requests of seed {seed} in {took:.0?}; panics and failed pages {}; 503 after 30 s: {timed_out}; sessions ended and \
         begun again {log_ins}; memory {:.0} MB before, {:.0} MB at most, {:.0} MB after",
        site.faults, before.resident, after.peak, after.resident
    );

    let mut failures = Vec::new();
    if let Some(request) = offending {
        let file = format!("fuzz_http-offending-{seed}.txt");
        let _ = std::fs::write(&file, request);
        let _ = std::fs::write("fuzz_http-offending.log", site.office.log());
        failures.push(format!("an input offends: {file}"));
    }
    for (route, (method, path, _)) in routes.iter().enumerate() {
        let has_it = !OF_COUNTIES.contains(path);
        if has_it && count >= 20_000 && tallies.get(&route).is_none_or(|t| t.reached == 0) {
            failures.push(format!("no request reached the handler of {method} {path}"));
        }
    }
    if after.peak > before.resident + MAY_GROW_MB {
        failures.push("memory grew".to_owned());
    }
    let now = untouchable(&site.office);
    let changed = now
        .iter()
        .filter(|(path, sum)| kept.get(*path) != Some(sum));
    let gone = kept.keys().filter(|path| !now.contains_key(*path));
    let touched: Vec<_> = changed.map(|(path, _)| path).chain(gone).collect();
    let new: Vec<String> = escaped()
        .into_iter()
        .filter(|p| !escaped_before.contains(p))
        .collect();
    let inside = site.office.folder().display().to_string();
    let outside: Vec<&String> = new.iter().filter(|p| !p.starts_with(&inside)).collect();
    println!(
        "files outside data, index, library/local and the configuration that changed: {touched:?}; escaped: {outside:?}"
    );
    if !touched.is_empty() || !outside.is_empty() {
        failures.push("something was written where nothing may be".to_owned());
    }
    // As before: with what the storm made of the configuration, too.
    let mut works = Vec::new();
    for round in ["after the storm", "after a restart"] {
        let mut staff = site.log_in().await;
        let seen = staff.submit("/ask", "/ask", &[("q", QUESTIONS[0])]).await;
        let office = staff.get("/settings/office").await.status;
        let resident = Resident::new(&site.api, 5_500_000 + works.len() as i64, "常人");
        resident.asks(QUESTIONS[0]).await;
        works.push(
            seen.text.contains("申请")
                || seen.text.contains("投诉")
                || seen.status == 200 && office == 200,
        );
        println!(
            "{round}: log-in, page, question on the web ({}) and in Telegram work",
            seen.status
        );
        if round == "after the storm" {
            let Site {
                office,
                api,
                bot,
                accounts,
                ..
            } = site;
            if !bot.stop().await.success() {
                failures.push("the program did not stop in order".to_owned());
            }
            let bot = serve(&office, &api).await;
            let base = office.pages().await;
            let address = base.strip_prefix("http://").unwrap().parse().unwrap();
            site = Site {
                office,
                api,
                bot,
                base,
                address,
                read: 0,
                accounts,
                faults: 0,
            };
        }
    }
    if works != [true, true] {
        failures.push(format!("afterwards it does not work: {works:?}"));
    }
    site.office.assert_calm();
    for failure in &failures {
        eprintln!("{failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
