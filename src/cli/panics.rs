//! What `serve` says when something panics.

/// Says where, never what: the words of a panic may quote a resident (a slice that is out of
/// bounds shows the whole text).
pub(super) fn say_only_where() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        tracing::error!(panic.place = place, "a thread panicked");
    }));
}
