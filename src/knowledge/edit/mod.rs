//! Writing and changing one entry in a form, as the dashboard offers it.
//!
//! An entry is written as the Markdown somebody could have typed, into a file of its own,
//! `local/<top>/<id>.md`, and judged by the same checker as every file of the library:
//!
//! ```text
//! EntryForm ─▶ Markdown ─▶ checker (library, statutes) ─▶ Checked ─▶ save ─▶ local/<top>/<id>.md
//! ```
//!
//! The shared library is never written to: an entry of it that is changed becomes one of the
//! office's own that says `替代：` the old one. What was there before is kept in `local/.history/`.

mod check;
mod form;
mod history;
mod render;
mod save;

pub use check::{Before, Checked, EditError, Fault, check, open};
pub use form::{EntryForm, Field};
pub use history::{Version, history};
pub use save::save;

use std::path::{Path, PathBuf};

use super::EntryId;

/// Whether an id can be a file's name: made by the loader it always is, unless a topic is called
/// something odd.
fn is_safe(id: &EntryId) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    id.0.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.0.chars().all(plain)
}

/// Where the office's own entry with that id is kept, relative to the library; its own entries are in
/// `own`.
fn own_file(own: &Path, id: &EntryId) -> Option<PathBuf> {
    let top = id.0.split(['.', '-']).next()?;
    is_safe(id).then(|| own.join(top).join(format!("{id}.md")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use chrono::{NaiveDate, Utc};

    use super::super::finding::SourceFile;
    use super::super::front_matter::Context;
    use super::super::load::{LOCAL, LoadOptions, Loaded, load};
    use super::super::{Entry, entry_file};
    use super::*;

    fn today() -> NaiveDate {
        Utc::now().date_naive()
    }

    fn options() -> LoadOptions {
        LoadOptions {
            preset: None,
            today: today(),
            own: "local".into(),
        }
    }

    fn loaded(root: &Path) -> Loaded {
        load(root, &options()).unwrap()
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for item in fs::read_dir(from).unwrap() {
            let path = item.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }

    /// The small library of the tests, with its dog that bites.
    fn small() -> (tempfile::TempDir, Entry, String) {
        let folder = tempfile::tempdir().unwrap();
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/library");
        copy(&library, folder.path());
        let read = loaded(folder.path());
        let mut entries = read.library.entries.iter();
        let entry = entries.find(|e| e.question.starts_with("邻居家的狗"));
        let entry = entry.unwrap().clone();
        let text = read.sources[&entry.origin.file].clone();
        (folder, entry, text)
    }

    fn opened(root: &Path, entry: &Entry) -> Option<Before> {
        open(root, &options(), &entry.id).unwrap()
    }

    fn saved(root: &Path, form: &EntryForm, editing: &Entry) -> Entry {
        let before = opened(root, editing);
        let checked = check(root, &options(), form, before).unwrap();
        assert_eq!(checked.faults, [], "{}", checked.text);
        save(root, &checked, Utc::now()).unwrap();
        let read = loaded(root);
        assert_eq!(read.errors(), 0, "{:?}", read.findings);
        read.library.entry(&form.id()).unwrap().clone()
    }

    fn source(root: &Path, entry: &Entry) -> String {
        fs::read_to_string(root.join(&*entry.origin.file)).unwrap()
    }

    #[test]
    fn every_entry_of_the_library_comes_through_the_form_unchanged() {
        let read = loaded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge"));
        let library = &read.library;
        let topics: Vec<&str> = library.topics.iter().map(|t| t.id.as_str()).collect();
        let hotlines: Vec<&str> = library.hotlines.iter().map(|h| h.number.as_str()).collect();
        let places: Vec<&str> = library.places.iter().map(|p| p.id.as_str()).collect();
        let context = Context {
            topics: &topics,
            places: &places,
            hotlines: &hotlines,
            today: today(),
        };
        let all = |e: &Entry| {
            let basis = e.basis.iter();
            let told: Vec<String> = basis.map(|b| format!("{}{}", b.citation, b.says)).collect();
            (
                (e.id.clone(), e.places.clone(), e.reviewed),
                (e.phrasings.clone(), e.keywords.clone(), e.source.clone()),
                (e.answer.clone(), e.steps.clone(), told, e.limits.clone()),
                (e.contacts.clone(), e.pitfalls.clone(), e.figure_lines.len()),
            )
        };
        let (mut same, mut reasons) = (0, 0);
        for entry in &library.entries {
            let form = EntryForm::of(entry, &read.sources[&entry.origin.file]);
            let rendered = render::render(&form, entry.reviewed, &[]);
            let file = SourceFile {
                path: Arc::new("local/x.md".into()),
                text: &rendered.text,
            };
            let again = entry_file::read(&file, &context, &mut Vec::new());
            let again = &again[0];
            assert_eq!(rendered.misread(again), [], "{}", rendered.text);
            assert_eq!(all(again), all(entry));
            assert_eq!(EntryForm::of(again, &rendered.text), form);
            same += 1;
            reasons += rendered.text.matches("<!-- figure:").count();
        }
        assert!(same > 1000 && reasons > 100, "{same} {reasons}");
    }

    #[test]
    fn a_shared_entry_is_replaced_and_its_file_stays() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let mut form = EntryForm::of(&entry, &text);
        form.answer = "养狗的人赔。".into();
        let own = saved(root, &form, &entry);
        assert_eq!((own.answer.as_str(), &own.id), ("养狗的人赔。", &entry.id));
        assert_eq!(own.replaces, std::slice::from_ref(&entry.id));
        assert!(own.origin.file.starts_with("local/neighbor"));
        assert_eq!(source(root, &entry), text, "the shared file is as it was");
        assert_eq!(loaded(root).library.entries.len(), 12);

        // Changed again under another question: the file moves, what it replaces is remembered.
        form.question = "邻居的狗咬了我谁赔？".into();
        let moved = saved(root, &form, &own);
        assert_eq!(moved.replaces, std::slice::from_ref(&entry.id));
        assert!(!root.join(&*own.origin.file).exists());
        assert_eq!(loaded(root).library.entries.len(), 12);
        assert!(loaded(root).library.entry(&entry.id).is_none());
        let versions = history(root, Path::new(LOCAL), moved.replaces.iter());
        assert_eq!(versions.len(), 2);
        assert!(versions[0].text.contains("养狗的人赔"));
        assert!(versions[1].text.contains("谁养的谁赔"));

        // And back again, with the file in the way that a crash may leave behind.
        let left = source(root, &moved);
        form.question = entry.question.clone();
        let back = saved(root, &form, &moved);
        fs::write(root.join(&*moved.origin.file), left).unwrap();
        let read = loaded(root);
        assert_eq!((read.errors(), read.library.entries.len()), (0, 12));
        assert_eq!(back.replaces.len(), 2);
        // Whichever comes first by name, the newest stays, and is found and saved again.
        assert!(read.library.entry(&entry.id).is_some(), "{}", moved.id);
        assert!(read.library.entry(&moved.id).is_none());
        form.question = "邻居的狗咬了我谁赔？".into();
        let again = saved(root, &form, &back);
        assert_eq!((again.id, again.replaces.len()), (moved.id, 3));
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let mut form = EntryForm::of(&entry, &text);
        let checked = |form: &EntryForm, before| check(root, &options(), form, before).unwrap();
        form.answer = "甲写的。".into();
        let first = checked(&form, opened(root, &entry));
        form.answer = "乙写的。".into();
        let second = checked(&form, opened(root, &entry));
        save(root, &first, Utc::now()).unwrap();
        let refused = save(root, &second, Utc::now());
        assert!(matches!(refused, Err(EditError::Changed)), "{refused:?}");
        let own = loaded(root).library.entry(&entry.id).unwrap().clone();
        assert_eq!(own.answer, "甲写的。");
        // The same once it has a file of its own, and for two new ones with one question.
        let (first, second) = (
            checked(&form, opened(root, &own)),
            checked(&form, opened(root, &own)),
        );
        save(root, &first, Utc::now()).unwrap();
        let refused = save(root, &second, Utc::now());
        assert!(matches!(refused, Err(EditError::Changed)), "{refused:?}");
        form.question = "邻居的鸡吃了我的菜谁赔？".into();
        form.phrasings = "鸡吃菜 鸡啄菜 鸡进园子 鸡毁菜地 鸡刨了葱 鸡糟蹋白菜".replace(' ', "\n");
        let (first, second) = (checked(&form, None), checked(&form, None));
        save(root, &first, Utc::now()).unwrap();
        assert!(matches!(
            save(root, &second, Utc::now()),
            Err(EditError::Changed)
        ));
    }

    #[test]
    fn other_entries_in_the_same_file_are_not_lost() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let mut form = EntryForm::of(&entry, &text);
        let own = saved(root, &form, &entry);
        let file = root.join(&*own.origin.file);
        let other = fs::read_to_string(&file).unwrap();
        let other = other
            .split_once("## ")
            .unwrap()
            .1
            .replace(&entry.question, "别的狗咬人怎么办？");
        let other: String = other
            .lines()
            .filter(|l| !l.starts_with("替代："))
            .map(|l| format!("{l}\n"))
            .collect();
        let other = other.replace("问法：", "问法：别家的");
        fs::write(
            &file,
            format!("{}\n## {other}", fs::read_to_string(&file).unwrap()),
        )
        .unwrap();
        for question in [form.question.clone(), "狗咬人谁赔钱？".to_owned()] {
            form.question = question;
            let checked = check(root, &options(), &form, opened(root, &own)).unwrap();
            let told = checked
                .faults
                .iter()
                .any(|f| f.message.contains("别的问答"));
            assert!(told, "{:?}", checked.faults);
        }
    }

    #[test]
    fn reasons_of_every_line_stay_out_of_the_answer() {
        let (folder, entry, text) = small();
        let mut form = EntryForm::of(&entry, &text);
        form.answer = "养狗的人赔。〔出处：民法典〕\n三年内起诉。〔出处：诉讼时效〕".into();
        form.steps = "1.5倍的钱也别收\n3、5日内都行".into();
        let own = saved(folder.path(), &form, &entry);
        assert_eq!(own.answer, "养狗的人赔。三年内起诉。");
        assert_eq!(own.steps, ["1.5倍的钱也别收", "3、5日内都行"]);
        let text = source(folder.path(), &own);
        assert!(text.contains("figure: 民法典；诉讼时效"), "{text}");
    }

    #[test]
    fn what_is_typed_cannot_become_anything_but_words() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let mut taken = 0;
        for typed in [
            "## 别的问题",
            "### 依据",
            "+++",
            "<!-- -->",
            "甲 <script>alert(1)</script>",
            "| 甲 | 乙 |",
            ":-- | --:",
            "1. 一",
            "==== ",
            "[x](javascript:1) ![y](z)",
            "a\\b `c` *d* _e_ &amp; ~f~",
            "〔出处：--> <!-- 〕",
            "\u{202e}倒",
        ] {
            let mut form = EntryForm::of(&entry, &text);
            form.limits = format!("三年内|起诉。\n{typed}");
            form.steps = format!("先打疫苗\n{typed}");
            form.contacts = format!("{typed}\n报警：110");
            form.keywords = typed.into();
            form.phrasings.push_str(&format!("\n{typed}的问法"));
            let checked = check(root, &options(), &form, opened(root, &entry)).unwrap();
            // Refused, or read back as just these words.
            if checked.faults.is_empty() {
                save(root, &checked, Utc::now()).unwrap();
                let read = loaded(root);
                let all = (read.errors(), read.library.entries.len());
                assert_eq!(all, (0, 12), "{typed}");
                let own = read.library.entry(&entry.id).unwrap();
                assert_eq!((own.steps.len(), own.basis.len()), (2, 1), "{typed}");
                assert_eq!(own.limits.len(), 2, "{typed}");
                taken += 1;
            }
            let _ = fs::remove_dir_all(root.join("local"));
        }
        assert!(taken >= 6, "most of it is harmless once escaped: {taken}");
    }

    #[test]
    fn faults_are_told_by_field_and_nothing_faulty_is_saved() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let blank = check(root, &options(), &EntryForm::default(), None).unwrap();
        let fields: Vec<Field> = blank.faults.iter().filter_map(|f| f.field).collect();
        for field in [
            Field::Question,
            Field::Topic,
            Field::Places,
            Field::Answer,
            Field::Steps,
            Field::Basis,
            Field::Limits,
            Field::Contacts,
            Field::Reviewed,
        ] {
            assert!(fields.contains(&field), "{field:?}: {:?}", blank.faults);
        }
        let refused = save(root, &blank, Utc::now());
        assert!(matches!(refused, Err(EditError::Faulty)));
        let mut form = EntryForm::of(&entry, &text);
        form.topic = "../../etc".into();
        form.basis = "民法典第五条".into();
        form.contacts = "小李：13800138000".into();
        form.answer = "长".repeat(121);
        form.steps = (0..7).map(|n| format!("第{n}步\n")).collect();
        let bad = check(root, &options(), &form, opened(root, &entry)).unwrap();
        for (field, part) in [
            (Field::Topic, "请选一个主题"),
            (Field::Basis, "不是法条引用"),
            (Field::Contacts, "13800138000"),
            (Field::Answer, "最多 120"),
            (Field::Steps, "最多 6 步"),
        ] {
            let mut told = bad.faults.iter().filter(|f| f.field == Some(field));
            assert!(
                told.any(|f| f.message.contains(part)),
                "{field:?} {:?}",
                bad.faults
            );
        }
        let again = EntryForm::of(&entry, &text);
        let twice = check(root, &options(), &again, None).unwrap();
        assert!(
            twice.faults[0].message.contains("重复"),
            "{:?}",
            twice.faults
        );
        assert!(!root.join("local").exists(), "nothing was written");
        let before = opened(root, &entry);
        fs::write(root.join("labor/pay.md"), "x").unwrap();
        let elsewhere = check(root, &options(), &again, before);
        let told = |what: &str| what.contains("labor/pay.md");
        assert!(matches!(elsewhere, Err(EditError::Elsewhere(what)) if told(&what)));
    }

    #[test]
    fn only_an_entry_of_the_office_replaces_another() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let line = format!("替代：{}\n问法：没主", entry.id);
        let shared = text.replace("问法：没主", &line);
        fs::write(root.join(&*entry.origin.file), shared).unwrap();
        let read = loaded(root);
        let errors: Vec<&str> = read.findings.iter().map(|f| f.rule).collect();
        assert_eq!(errors, ["replaces-outside-local"]);
    }

    /// Where offices share a library, what one changes is that one's.
    #[test]
    fn an_office_changes_nothing_for_another() {
        let (folder, entry, text) = small();
        let root = folder.path();
        let of = |own: &str| LoadOptions {
            own: own.into(),
            ..options()
        };
        let (one, two) = (of("offices/bai-he"), of("offices/qing-shi"));
        let mut form = EntryForm::of(&entry, &text);
        form.answer = "白鹤镇的答法。".into();
        for _ in 0..2 {
            let before = open(root, &one, &entry.id).unwrap();
            let checked = check(root, &one, &form, before).unwrap();
            assert_eq!(checked.faults, []);
            save(root, &checked, Utc::now()).unwrap();
            form.answer.push_str("再改。");
        }
        let answer = |options: &LoadOptions| {
            let library = load(root, options).unwrap().library;
            assert_eq!(library.entries.len(), 12);
            library.entry(&form.id()).unwrap().answer.clone()
        };
        assert!(answer(&one).starts_with("白鹤镇的答法。再改。"));
        assert_eq!(answer(&two), entry.answer);
        assert_eq!(answer(&options()), entry.answer);
        let changed = |own| history(root, own, [&entry.id]).len();
        assert_eq!(changed(&one.own), 2);
        assert_eq!((changed(&two.own), root.join("local").exists()), (0, false));
    }

    #[test]
    fn only_plain_ids_become_file_names() {
        let file = |id: &str| own_file(Path::new(LOCAL), &EntryId(id.into()));
        assert_eq!(
            file("labor.pay-0a1b2c"),
            Some(PathBuf::from("local/labor/labor.pay-0a1b2c.md"))
        );
        for id in [
            "",
            "..",
            "../x",
            "a/../../b-1",
            "a\\b",
            ".hidden-1",
            "a b",
            "甲-1",
            "a\0b",
        ] {
            assert_eq!(file(id), None, "{id}");
        }
    }
}
