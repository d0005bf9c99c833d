//! An office with its own folders, and the real program running in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use qijin::journal::{Database, Journal, Keys};
use tempfile::TempDir;

use super::database::{fresh_database, test_server};
use super::fake_bot_api::{FakeBotApi, TOKEN};

/// The public address of the webhook in tests.
pub const WEBHOOK: &str = "https://qijin.test/telegram/hook";

/// Folders of one installation: library, index, data, log.
pub struct Office {
    folder: TempDir,
    database: Option<String>,
}

/// The running program. Dropping it kills it.
pub struct Bot {
    child: Child,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            let text = fs::read_to_string(item.path()).unwrap();
            fs::write(target, reviewed_yesterday(&text)).unwrap();
        }
    }
}

/// Reviews grow stale with time, the tests must not.
fn reviewed_yesterday(text: &str) -> String {
    let yesterday = qijin::journal::local_day(chrono::Utc::now()) - chrono::Days::new(1);
    let line = |line: &str| match line.strip_prefix("reviewed = ") {
        Some(_) => format!("reviewed = {yesterday}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// The program of this build; or another one by `QIJIN_TEST_PROGRAM`, as a script that runs it inside
/// its container.
fn program() -> std::ffi::OsString {
    let other = std::env::var_os("QIJIN_TEST_PROGRAM").filter(|path| !path.is_empty());
    other.unwrap_or_else(|| match option_env!("CARGO_BIN_EXE_qijin") {
        Some(program) => program.into(),
        // An example lies in a folder beside it.
        None => {
            let example = std::env::current_exe().unwrap();
            example.ancestors().nth(2).unwrap().join("qijin").into()
        }
    })
}

impl Office {
    /// A new office with a copy of the small library of the tests.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/library");
        copy(&library, &folder.path().join("library"));
        // SQLite is the default: then nothing needs to be said.
        let database = test_server()
            .is_some()
            .then(|| fresh_database(&folder.path().join("data"), "qijin.sqlite"));
        Self { folder, database }
    }

    /// Another machine of this office: the same library, the same key and the same database. The
    /// program must have run here before: it makes the key.
    pub fn twin(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.library(), &folder.path().join("library"));
        let data = folder.path().join("data");
        fs::create_dir_all(&data).unwrap();
        fs::copy(
            self.folder.path().join("data/local.key"),
            data.join("local.key"),
        )
        .unwrap();
        let database = self.database.clone();
        assert!(database.is_some(), "only a server can be shared");
        Self { folder, database }
    }

    /// The folder that everything is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of the database that the program uses.
    pub fn database_url(&self) -> String {
        let file = self.folder.path().join("data/qijin.sqlite");
        let sqlite = || format!("sqlite:{}", file.display());
        self.database.clone().unwrap_or_else(sqlite)
    }

    /// The library's folder.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    /// The index's folder.
    pub fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    /// Everything that `serve` wrote to its log so far, over all its starts.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// The program with this office's folders, without a token.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("TZ", "Asia/Shanghai")
            .env("QIJIN_LIBRARY_DIR", self.library())
            .env("QIJIN_INDEX_DIR", self.index())
            .env("QIJIN_DATA_DIR", self.folder.path().join("data"))
            .envs(self.database.iter().map(|url| ("QIJIN_DATABASE_URL", url)))
            .env("QIJIN_LISTEN", "127.0.0.1:0")
            .env("QIJIN_OFFICE_NAME", "青石镇司法所")
            .env("QIJIN_OFFICE_CONTACT", "便民大厅 3 号窗口");
        command
    }

    /// Starts `serve` against the fake server, without waiting for anything.
    pub fn spawn(&self, api: &FakeBotApi, token: &str) -> Bot {
        self.spawn_with(api, token, &[])
    }

    /// The same, with more environment variables.
    pub fn spawn_with(&self, api: &FakeBotApi, token: &str, more: &[(&str, &str)]) -> Bot {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let child = self
            .command(&["serve"])
            .env("TELOXIDE_TOKEN", token)
            .env("TELOXIDE_API_URL", api.url())
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Bot { child }
    }

    /// Starts `serve` without Telegram and waits until its pages are served; returns where.
    pub async fn serve_pages(&self, more: &[(&str, &str)]) -> (Bot, String) {
        let log = fs::File::create(self.log_file()).unwrap();
        let child = self
            .command(&["serve"])
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let bot = Bot { child };
        (bot, self.pages().await)
    }

    /// Starts `serve` by webhook; returns where it receives updates, once the webhook is set. Behind
    /// [`WEBHOOK`] the fake server finds the machines in `World::targets`.
    pub async fn start_webhook(&self, api: &FakeBotApi, more: &[(&str, &str)]) -> (Bot, String) {
        let ready = |log: &str| log.matches("the webhook is set").count();
        let before = ready(&self.log());
        let mut env = vec![
            ("QIJIN_TELEGRAM_MODE", "webhook"),
            ("QIJIN_WEBHOOK_URL", WEBHOOK),
            ("QIJIN_WEBHOOK_LISTEN", "127.0.0.1:0"),
        ];
        env.extend(more);
        let bot = self.spawn_with(api, TOKEN, &env);
        self.until_log(|log| ready(log) > before).await;
        (bot, self.address("telegram.webhook.address=").await)
    }

    /// Where the running program serves its pages.
    pub async fn pages(&self) -> String {
        self.address("web.address=").await
    }

    /// Where the running program is watched.
    pub async fn admin(&self) -> String {
        self.address("admin.address=").await
    }

    async fn address(&self, field: &str) -> String {
        self.until_logged(field).await;
        let log = self.log();
        let address = log.rsplit(field).next().unwrap();
        let address = address.split_whitespace().next().unwrap();
        format!("http://{address}")
    }

    /// Makes an account by the command line.
    pub fn add_staff(&self, name: &str, role: &str, password: &str) {
        let mut child = self
            .command(&["staff", "add", name, "--role", role])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, format!("{password}\n").as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// Puts up a board by the command line; returns its code.
    pub fn add_board(&self, arguments: &[&str]) -> String {
        let output = self
            .command(&["board", "add"])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let code = said.strip_prefix("已新设宣传点 ");
        let code = code.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        code.split('：').next().unwrap().to_owned()
    }

    /// This office's journal, beside the program.
    pub async fn open_journal(&self) -> Journal {
        let data = self.folder.path().join("data");
        fs::create_dir_all(&data).unwrap();
        let file = format!("sqlite:{}", data.join("qijin.sqlite").display());
        let url = self.database.clone().unwrap_or(file);
        let keys = Keys::open_or_create(&data.join("local.key")).unwrap();
        Journal::new(Database::open(&url).await.unwrap(), keys, 30)
    }

    /// Starts `serve` and waits until it polls.
    pub async fn start(&self, api: &FakeBotApi) -> Bot {
        let polls = api.world().polls;
        let bot = self.spawn(api, TOKEN);
        let what = format!("the first poll; the log so far:\n{}", self.log());
        api.until(&what, |world| (world.polls > polls).then_some(()))
            .await;
        bot
    }

    /// Waits until the log says something.
    pub async fn until_logged(&self, words: &str) {
        self.until_log(|log| log.contains(words)).await;
    }

    /// Waits until the log is as wanted.
    pub async fn until_log(&self, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !wanted(&self.log()) {
            assert!(
                Instant::now() < deadline,
                "the log does not say it:\n{}",
                self.log()
            );
            // A file tells nobody that it grew: look now and then.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The question log as `journal export` writes it, without its heading.
    pub fn journal(&self) -> Vec<Vec<String>> {
        let file = self.folder.path().join("journal.csv");
        let output = self
            .command(&["journal", "export", "--csv", &file.display().to_string()])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut reader = csv::Reader::from_path(&file).unwrap();
        reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    /// Nothing panicked, and the token was not logged.
    pub fn assert_calm(&self) {
        let log = self.log();
        assert!(!log.contains("panicked"), "something panicked:\n{log}");
        assert!(!log.contains(TOKEN), "the token is in the log:\n{log}");
    }
}

impl Bot {
    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name (`TERM`, `INT`).
    pub fn signal(&self, name: &str) {
        // The shell's own kill: a minimal system has no program of that name.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the program's end.
    pub async fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the program does not end");
            // The system tells nobody who is not the parent's runtime: ask now and then.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
