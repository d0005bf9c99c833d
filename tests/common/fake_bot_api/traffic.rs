//! The record of everything said, and writing it down for the independent check of the fake
//! itself (`tests/bot_api_models`).

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::World;

/// Why a call was not carried out.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// HTTP status and `error_code`.
    pub code: u16,
    /// The API's words.
    pub description: String,
    /// Seconds, with a 429.
    pub retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: u16, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            retry_after: None,
        }
    }
}

/// One call of a client.
#[derive(Debug, Clone)]
pub struct Call {
    /// As documented: `sendMessage`.
    pub method: &'static str,
    /// The parameters.
    pub body: Value,
    /// What went wrong on purpose.
    pub fault: Option<&'static str>,
    /// What it came to; a call that a fault swallowed is refused.
    pub outcome: Result<Value, Refusal>,
    /// When it was carried out or refused.
    pub at: Instant,
}

impl Call {
    /// Whether it was carried out.
    pub fn accepted(&self) -> bool {
        self.outcome.is_ok()
    }

    /// The chat it is about, if any.
    pub fn chat(&self) -> Option<i64> {
        self.body.get("chat_id")?.as_i64()
    }
}

/// `QIJIN_TRAFFIC_DIR`, or `traffic` in the target folder.
fn folder() -> PathBuf {
    match std::env::var_os("QIJIN_TRAFFIC_DIR") {
        Some(folder) => folder.into(),
        None => match option_env!("CARGO_TARGET_TMPDIR") {
            Some(folder) => PathBuf::from(folder).with_file_name("traffic"),
            // Examples are no tests: what they say is not looked through.
            None => std::env::temp_dir().join("qijin-traffic"),
        },
    }
}

impl World {
    /// One JSON line for every update sent and every call received.
    pub(super) fn write_traffic(&self, name: &str) {
        let folder = folder();
        let written = fs::create_dir_all(&folder).and_then(|()| {
            let file = fs::File::create(folder.join(format!("{name}.jsonl")))?;
            let mut out = std::io::BufWriter::new(file);
            for update in &self.delivered {
                writeln!(out, "{}", json!({"record": "update", "update": update}))?;
            }
            for call in &self.calls {
                let mut line = json!({
                    "record": "call",
                    "method": call.method,
                    "body": call.body,
                    "accepted": call.accepted(),
                    "fault": call.fault,
                });
                match &call.outcome {
                    Ok(result) => line["result"] = result.clone(),
                    Err(refusal) => line["error"] = json!(refusal.description),
                }
                writeln!(out, "{line}")?;
            }
            out.flush()
        });
        written.expect("the traffic folder can be written");
    }
}
