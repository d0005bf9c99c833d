//! What a browser sends of the form of an entry.

use crate::knowledge::edit::{EntryForm, Field};

/// Fields as they come: a place is there as often as it was ticked.
pub(in super::super) type Fields = Vec<(String, String)>;

/// Which button was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    Check,
    Save,
    /// The warnings were read.
    SaveAnyway,
}

/// The form as sent.
pub(super) struct Typed {
    pub form: EntryForm,
    pub act: Do,
    /// How the entry stood when the form was opened.
    pub state: String,
}

impl Typed {
    pub fn read(fields: Fields) -> Self {
        let mut form = EntryForm::default();
        let (mut act, mut state, mut main) = (Do::Check, String::new(), String::new());
        for (name, value) in fields {
            // As browsers send line ends.
            let value = value.replace(['\r', '\0'], "");
            match name.as_str() {
                // One line, also when it was typed in several.
                "question" => {
                    form.question = value.split_whitespace().collect::<Vec<_>>().join(" ");
                }
                "do" if value == "save" => act = Do::Save,
                "do" if value == "anyway" => act = Do::SaveAnyway,
                "state" => state = value,
                "place" => main = value,
                "places" if !form.places.contains(&value) => form.places.push(value),
                _ => {
                    let field = Field::ALL.into_iter().find(|field| field.key() == name);
                    if let Some(text) = field.and_then(|field| form.text_of(field)) {
                        *text = value;
                    }
                }
            }
        }
        if !main.is_empty() {
            form.places.retain(|place| *place != main);
            form.places.insert(0, main);
        }
        Self { form, act, state }
    }

    pub fn is_empty(&self) -> bool {
        self.form == EntryForm::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_place_comes_first_and_unknown_fields_are_nothing() {
        let sent = [
            ("places", "village"),
            ("places", "school"),
            ("place", "school"),
            ("question", "甲\r\n乙\0"),
            ("do", "anyway"),
            ("id", "../x"),
        ];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let typed = Typed::read(sent.to_vec());
        assert_eq!(typed.form.places, ["school", "village"]);
        assert_eq!(typed.form.question, "甲 乙");
        assert_eq!(typed.act, Do::SaveAnyway);
    }
}
