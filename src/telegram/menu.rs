//! /topics: places → topics → entries, in one message that is edited.

use teloxide::types::InlineKeyboardButton;

use super::callback::Action;
use super::outgoing::Page;
use super::render::{button, words};
use super::texts;
use crate::knowledge::{Library, Topic};

/// Entries shown at a time: more do not fit a phone.
const PER_PAGE: usize = 8;

fn rows_of(buttons: Vec<InlineKeyboardButton>, per_row: usize) -> Vec<Vec<InlineKeyboardButton>> {
    buttons.chunks(per_row).map(<[_]>::to_vec).collect()
}

fn has_entries(library: &Library, place: &str, topic: &Topic) -> bool {
    library.entries.iter().any(|e| {
        let below = if topic.is_top() {
            e.topic.split('.').next() == Some(&topic.id)
        } else {
            e.topic == topic.id
        };
        below && e.places.iter().any(|p| p == place)
    })
}

/// All places.
pub(super) fn places(library: &Library) -> Page {
    let buttons = library
        .places
        .iter()
        .filter_map(|place| {
            let action = Action::Place {
                place: place.id.clone(),
            };
            button(&place.name, &action)
        })
        .collect();
    words(texts::CHOOSE_PLACE, rows_of(buttons, 2))
}

fn back(action: &Action) -> Vec<InlineKeyboardButton> {
    button("◀ 返回", action).into_iter().collect()
}

/// The top topics that have entries for a place; `None` for an unknown place.
pub(super) fn topics(library: &Library, place: &str) -> Option<Page> {
    let name = &library.place(place)?.name;
    let buttons = library
        .topics
        .iter()
        .filter(|t| t.is_top() && has_entries(library, place, t))
        .filter_map(|t| {
            let action = Action::Topic {
                place: place.to_owned(),
                topic: t.id.clone(),
                page: 0,
            };
            button(&t.name, &action)
        })
        .collect();
    let mut rows = rows_of(buttons, 2);
    let text = if rows.is_empty() {
        format!("{name}：这里还没有资料，请直接打字提问。")
    } else {
        format!("{name}：想看哪一方面？")
    };
    rows.push(back(&Action::Places));
    Some(words(&text, rows))
}

/// The sub-topics of a top topic, or a page of entries of a sub-topic; `None` when unknown.
pub(super) fn topic(library: &Library, place: &str, topic: &str, page: usize) -> Option<Page> {
    let place_name = &library.place(place)?.name;
    let topic = library.topic(topic)?;
    let here = |id: &str, page: usize| Action::Topic {
        place: place.to_owned(),
        topic: id.to_owned(),
        page,
    };
    if topic.is_top() {
        let buttons = library
            .topics
            .iter()
            .filter(|t| !t.is_top() && t.top() == topic.id && has_entries(library, place, t))
            .filter_map(|t| button(&t.name, &here(&t.id, 0)))
            .collect();
        let mut rows = rows_of(buttons, 1);
        rows.push(back(&Action::Place {
            place: place.to_owned(),
        }));
        return Some(words(&format!("{place_name} › {}", topic.name), rows));
    }
    let entries: Vec<_> = library.entries_of(place, &topic.id).collect();
    let pages = entries.len().div_ceil(PER_PAGE).max(1);
    let page = page.min(pages - 1);
    let mut rows: Vec<Vec<InlineKeyboardButton>> = entries
        .iter()
        .skip(page * PER_PAGE)
        .take(PER_PAGE)
        .filter_map(|e| {
            let action = Action::Open {
                entry: e.id.clone(),
                row: None,
            };
            Some(vec![button(&e.question, &action)?])
        })
        .collect();
    let mut turn = Vec::new();
    if page > 0 {
        turn.extend(button("上一页", &here(&topic.id, page - 1)));
    }
    if page + 1 < pages {
        turn.extend(button("下一页", &here(&topic.id, page + 1)));
    }
    if !turn.is_empty() {
        rows.push(turn);
    }
    rows.push(back(&here(topic.top(), 0)));
    let counter = if pages > 1 {
        format!("（{}/{pages}）", page + 1)
    } else {
        String::new()
    };
    Some(words(
        &format!("{place_name} › {}{counter}", topic.name),
        rows,
    ))
}
