//! How staff name topics and places in a sheet: as they are called, not by their ids.

use crate::knowledge::{Library, Place, Topic};

/// What the list of topics offers: `拖欠工资（labor.wage_arrears）`.
pub fn topic_choice(topic: &Topic) -> String {
    format!("{}（{}）", topic.name, topic.id)
}

/// The id of what a cell names; what names nothing is left for the checker to refuse.
pub(super) fn topic_id(library: &Library, cell: &str) -> String {
    let cell = cell.trim();
    let within = cell
        .rsplit_once(['（', '('])
        .and_then(|(_, id)| id.strip_suffix(['）', ')']));
    let subs = || library.topics.iter().filter(|t| !t.is_top());
    let by_id = |id: &str| subs().find(|t| t.id == id);
    within
        .and_then(|id| by_id(id.trim()))
        .or_else(|| by_id(cell))
        .or_else(|| subs().find(|t| t.name == cell))
        .map_or_else(|| cell.to_owned(), |t| t.id.clone())
}

/// The ids of the places that a cell names, in its order.
pub(super) fn place_ids(places: &[Place], cell: &str) -> Vec<String> {
    let find = |word: &str| {
        let word = word.trim();
        places
            .iter()
            .find(|p| p.id == word || p.name == word || p.aliases.iter().any(|a| a == word))
            .map(|p| p.id.clone())
    };
    if let Some(id) = find(cell) {
        return vec![id];
    }
    let mut ids = Vec::new();
    for part in cell.split(['｜', '|', '，', ',', '；', ';', '\n']) {
        // A name may itself hold a 、, so the whole part is tried first.
        let words: Vec<&str> = match find(part) {
            Some(_) => vec![part],
            None => part.split('、').collect(),
        };
        for word in words.iter().map(|w| w.trim()).filter(|w| !w.is_empty()) {
            let id = find(word).unwrap_or_else(|| word.to_owned());
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_by_name_alias_and_id() {
        let place = |id: &str, name: &str, alias: &str| Place {
            id: id.into(),
            name: name.into(),
            aliases: vec![alias.into()],
            audience: String::new(),
        };
        let places = [
            place("village", "乡村", "村民"),
            place("market", "市场(集市、场镇)", "赶场"),
        ];
        let read = |cell: &str| place_ids(&places, cell);
        assert_eq!(read("乡村、赶场"), ["village", "market"]);
        assert_eq!(
            read("market｜市场(集市、场镇)， 村民"),
            ["market", "village"]
        );
        assert_eq!(read("月球"), ["月球"]);
        assert!(read(" ").is_empty());
    }

    #[test]
    fn topics_go_by_choice_name_and_id() {
        let topic = |id: &str, name: &str| Topic {
            id: id.into(),
            name: name.into(),
            description: String::new(),
            sensitive: false,
        };
        let library = Library {
            topics: vec![topic("labor", "劳动"), topic("labor.pay", "拖欠工资")],
            ..Library::default()
        };
        for cell in [
            topic_choice(&library.topics[1]).as_str(),
            "拖欠工资",
            "labor.pay",
        ] {
            assert_eq!(topic_id(&library, cell), "labor.pay");
        }
        assert_eq!(topic_id(&library, "劳动"), "劳动");
    }
}
