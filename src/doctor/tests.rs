//! What the doctor makes of what it sees.

use chrono::TimeDelta;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn vitals() -> Vitals {
    Vitals {
        is_file: true,
        current: true,
        bytes: Some(12_345_678),
        questions: 40,
        latest: Some(now() - TimeDelta::minutes(1)),
        waiting: 0,
        waiting_since: None,
        handed_over: 0,
        handed_over_since: None,
        accounts: 2,
        key: None,
    }
}

fn states(checks: &[Check]) -> Vec<(&'static str, State)> {
    checks.iter().map(|c| (c.id, c.state)).collect()
}

/// The state of one check among those of a database that is well but for `change`.
fn changed(id: &str, change: impl Fn(&mut Vitals)) -> State {
    let mut vitals = vitals();
    change(&mut vitals);
    let checks = database(Ok(Some(vitals)), None, now());
    checks.iter().find(|c| c.id == id).unwrap().state
}

#[test]
fn a_database_that_is_well_says_so_with_its_size() {
    let checks = database(Ok(Some(vitals())), None, now());
    assert!(checks.iter().all(|c| c.state == State::Good), "{checks:?}");
    assert!(checks[0].found.contains("40 条提问，12.3 MB"));
    assert!(is_well(&checks));
}

#[test]
fn a_database_of_another_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open_or_create(&folder.path().join("local.key")).unwrap();
    let told = |key: Option<&str>| {
        let mut vitals = vitals();
        vitals.key = key.map(str::to_owned);
        states(&database(Ok(Some(vitals)), Some(&keys), now())).contains(&("key", State::Bad))
    };
    assert!(told(Some("0123")) && !told(None));
}

#[test]
fn limits_are_where_they_are_written() {
    use State::{Bad, Good, Warning};
    for (minutes, state) in [(10, Good), (11, Warning)] {
        let since = now() - TimeDelta::minutes(minutes);
        let waits = |v: &mut Vitals| (v.waiting, v.waiting_since) = (1, Some(since));
        assert_eq!(changed("inbox", waits), state, "{minutes} minutes");
    }
    assert_eq!(changed("inbox", |v| v.waiting = 101), Warning);
    for (hours, state) in [(72, Good), (73, Warning)] {
        let since = now() - TimeDelta::hours(hours);
        let waits = |v: &mut Vitals| (v.handed_over, v.handed_over_since) = (1, Some(since));
        assert_eq!(changed("handover", waits), state, "{hours} hours");
    }
    assert_eq!(changed("staff", |v| v.accounts = 0), Warning);
    assert_eq!(changed("database", |v| v.current = false), Bad);
    let ahead = |v: &mut Vitals| v.latest = Some(now() + TimeDelta::minutes(6));
    assert_eq!(changed("clock", ahead), Bad);
    let past = clock(None, "1970-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(past.state, Bad);
}

#[test]
fn telegram_is_judged_by_what_it_answers() {
    let mut config = Config::default();
    let judged = |config: &Config, online| {
        let telegram = Telegram {
            token: true,
            online,
        };
        states(&bot(config, &telegram))
    };
    assert_eq!(
        states(&bot(&config, &Telegram::default())),
        [("telegram", State::Warning)]
    );
    assert_eq!(judged(&config, None), [("telegram", State::Good)]);
    let refused = judged(&config, Some(Err("不认令牌".into())));
    assert_eq!(refused, [("telegram", State::Bad)]);
    let online = Online {
        bot: "Qingshi_bot".into(),
        webhook: None,
        pending: 3,
    };
    assert_eq!(
        judged(&config, Some(Ok(online.clone()))),
        [("telegram", State::Good)]
    );
    let behind = Online {
        pending: 101,
        ..online.clone()
    };
    assert_eq!(
        judged(&config, Some(Ok(behind))),
        [("telegram", State::Warning)]
    );
    config.telegram.bot = Some("@qingshi_bot".into());
    assert_eq!(
        judged(&config, Some(Ok(online.clone()))),
        [("telegram", State::Good)]
    );
    config.telegram.bot = Some("other_bot".into());
    let hooked = Online {
        webhook: Some("https://example.org/".into()),
        ..online
    };
    assert_eq!(
        judged(&config, Some(Ok(hooked))),
        [("telegram", State::Bad), ("webhook", State::Bad)]
    );
    config.telegram.mode = crate::config::Mode::Webhook;
    let hook = |url: Option<&str>| webhook(&config, url).unwrap().state;
    assert_eq!(hook(None), State::Bad);
    let mut config = config.clone();
    config.telegram.webhook_url = Some("https://example.org".into());
    let hook = |url: &str| webhook(&config, Some(url)).unwrap().state;
    assert_eq!(hook("https://example.org/"), State::Good);
    assert_eq!(hook("https://example.org/other"), State::Bad);
}

#[test]
fn no_password_is_told() {
    let told = without_password("连不上 postgres://qijin:secret@db/qijin：拒绝");
    assert_eq!(told, "连不上 postgres://…@db/qijin：拒绝");
    assert_eq!(without_password("sqlite:data/x"), "sqlite:data/x");
}

#[test]
fn a_key_that_others_can_read_is_found_and_no_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.folders.data = folder.path().join("data");
    assert_eq!(
        states(&disk::all(&config)).len(),
        1,
        "no data yet: only the room"
    );
    assert!(!config.folders.data.exists());
    std::fs::create_dir(&config.folders.data).unwrap();
    assert_eq!(states(&disk::all(&config))[1].1, State::Warning);
    std::fs::write(config.key_file(), "key").unwrap();
    #[cfg(unix)]
    for (mode, state) in [(0o600, State::Good), (0o644, State::Bad)] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(config.key_file(), mode).unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&config.folders.data, mode).unwrap();
        assert_eq!(states(&disk::all(&config))[1].1, state);
    }
}

#[test]
fn a_backup_grows_old() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.folders.data = folder.path().to_owned();
    let today = Utc::now();
    assert_eq!(backup(&config, today).state, State::Warning);
    std::fs::write(backup_mark(&config), "备份/七进.sqlite").unwrap();
    let made = backup(&config, today);
    assert!(made.state == State::Good && made.found.contains("备份/七进.sqlite"));
    let later = today + TimeDelta::days(9);
    assert_eq!(backup(&config, later).state, State::Warning);
}
