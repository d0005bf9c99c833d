//! The queue of updates: what is confirmed is gone, what is not is sent again.

use serde_json::{Value, json};

use super::World;

/// Not sent unless a bot asks for them.
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl World {
    /// Queues an update of a kind (`message`, `callback_query` …) unless the bot did not ask for
    /// that kind; returns its id.
    pub fn push_update(&mut self, kind: &str, content: Value) -> Option<i32> {
        let wanted = match &self.allowed {
            Some(kinds) => kinds.iter().any(|k| k == kind),
            None => !OPT_IN.contains(&kind),
        };
        wanted.then(|| self.push_any_update(kind, content))
    }

    /// Queues an update whatever the bot asked for: updates from before it asked still come.
    pub fn push_any_update(&mut self, kind: &str, content: Value) -> i32 {
        let id = self.next_update;
        self.next_update += 1;
        self.waiting
            .push_back((id, json!({"update_id": id, kind: content})));
        id
    }

    /// `offset`: a positive one confirms everything below it, a negative one keeps only that many
    /// from the end, zero confirms nothing.
    pub(super) fn confirm(&mut self, offset: i64) {
        let gone = if offset < 0 {
            let keep = usize::try_from(-offset).unwrap_or(usize::MAX);
            self.waiting.len().saturating_sub(keep)
        } else {
            self.waiting
                .iter()
                .take_while(|(id, _)| i64::from(*id) < offset)
                .count()
        };
        self.confirmed
            .extend(self.waiting.drain(..gone).map(|(_, update)| update));
    }

    /// `allowed_updates`: remembered until another list comes; an empty one means the default.
    pub(super) fn allow(&mut self, kinds: Option<&Value>) {
        let Some(kinds) = kinds.and_then(Value::as_array) else {
            return;
        };
        let kinds: Vec<String> = kinds
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        self.allowed = (!kinds.is_empty()).then_some(kinds);
    }

    /// The next updates to send; nothing is confirmed by sending it.
    pub(super) fn batch(&mut self, limit: usize) -> Vec<Value> {
        let mut batch: Vec<Value> = self
            .waiting
            .iter()
            .take(limit)
            .map(|(_, update)| update.clone())
            .collect();
        for update in &batch {
            if !self.delivered.contains(update) {
                self.delivered.push(update.clone());
            }
        }
        if !batch.is_empty() && self.faults.repeats() {
            batch.push(batch[0].clone());
            batch.extend(self.confirmed.last().cloned());
        }
        batch
    }
}
