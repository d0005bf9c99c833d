//! What is said when something panics.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::process::exit;

/// `println!` panics when the reader has gone, as in `qijin check | head`: that is no fault.
fn is_broken_pipe(panic: &PanicHookInfo<'_>) -> bool {
    panic.payload_as_str().is_some_and(|words| {
        words.starts_with("failed printing to stdout") && words.contains("Broken pipe")
    })
}

/// For commands: ends quietly when nobody reads any more.
pub(super) fn end_quietly_when_nobody_reads() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if is_broken_pipe(panic) {
            exit(0);
        }
        usual(panic);
    }));
}

/// For `serve`: says where, never what. The words of a panic may quote a resident (a slice that
/// is out of bounds shows the whole text).
pub(super) fn say_only_where() {
    set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        tracing::error!(panic.place = place, "a thread panicked");
    }));
}
