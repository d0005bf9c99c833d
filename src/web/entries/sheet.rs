//! The page with the form.

use askama::Template;
use axum::response::Response;

use super::super::error::WebError;
use super::super::gate::Visit;
use super::super::labels;
use super::super::page::{Choice, Page, show};
use super::super::reply::ReplyView;
use super::super::site::{Site, slow};
use super::seed::Origin;
use super::typed::Typed;
use crate::knowledge::edit::{Before, Checked, EntryForm, Fault, Field, history};
use crate::knowledge::{EntryId, Library};

/// What the page is made of.
pub(super) struct Sheet {
    pub form: EntryForm,
    /// The entry that is being changed.
    id: Option<EntryId>,
    pub state: String,
    origin: String,
    saved: String,
    /// Its present and earlier ids.
    pub ids: Vec<EntryId>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    checked: bool,
    pub preview: Option<ReplyView>,
    failed: Option<String>,
}

/// The ids under which former versions are kept.
pub(super) fn ids_of(before: &Before) -> Vec<EntryId> {
    let mut ids = vec![before.id.clone()];
    ids.extend(
        before
            .replaces
            .iter()
            .filter(|id| **id != before.id)
            .cloned(),
    );
    ids
}

impl Sheet {
    /// A new entry.
    pub fn new(form: EntryForm, origin: &Origin) -> Self {
        Self {
            form,
            id: None,
            state: String::new(),
            origin: origin.query(),
            saved: String::new(),
            ids: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
            checked: false,
            preview: None,
            failed: None,
        }
    }

    /// An entry as it stands.
    pub fn of(before: &Before, origin: &Origin) -> Self {
        Self {
            id: Some(before.id.clone()),
            state: before.state.clone(),
            saved: origin.saved.clone(),
            ids: ids_of(before),
            ..Self::new(before.form.clone(), origin)
        }
    }

    /// A form that was sent.
    pub fn typed(typed: Typed, id: Option<EntryId>, origin: &Origin) -> Self {
        Self {
            id,
            state: typed.state,
            ..Self::new(typed.form, origin)
        }
    }

    /// With what the checker says.
    pub fn judge(&mut self, site: &Site, checked: &Checked) {
        self.faults.clone_from(&checked.faults);
        self.warnings.clone_from(&checked.warnings);
        self.checked = true;
        let entry = checked.entry.as_ref();
        let reply = entry.map(|entry| site.desk.draft(&checked.library, entry));
        self.preview = reply.map(|reply| ReplyView::read_only(&reply));
    }

    /// With what went wrong.
    pub fn failed(mut self, text: String) -> Self {
        self.failed = Some(text);
        self
    }
}

/// A field of several lines.
struct Area {
    key: &'static str,
    label: String,
    value: String,
    rows: usize,
    hint: &'static str,
    error: String,
    warning: String,
}

/// A fault in the list on top: where it leads, the field's name, what.
struct Told {
    key: &'static str,
    name: &'static str,
    message: String,
}

#[derive(Template)]
#[template(path = "entry.html", config = "src/web/askama.toml")]
struct EntryPage {
    page: Page,
    action: String,
    state: String,
    faults: Vec<Told>,
    warnings: Vec<Told>,
    /// Checked, and nothing is wrong.
    good: bool,
    question: String,
    question_error: String,
    topics: Vec<(String, Vec<Choice>)>,
    topic_error: String,
    main: Vec<Choice>,
    places: Vec<Choice>,
    places_error: String,
    areas: Vec<Area>,
    reviewed: String,
    reviewed_error: String,
    preview: Option<ReplyView>,
    /// Former versions: until when, and what they said.
    versions: Vec<(String, String)>,
    statutes: bool,
}

const AREAS: [(Field, usize, &str); 9] = [
    (
        Field::Answer,
        3,
        "居民先看到的一段，最多 120 个字。先说能不能、该怎么办，再说最要紧的数字和时限。",
    ),
    (Field::Steps, 6, "一行一步，最多 6 步，不用写序号。"),
    (
        Field::Basis,
        4,
        "一行一条，最直接的在前：《劳动法》第五十条：工资要按月用货币发，不能无故拖欠。",
    ),
    (Field::Limits, 2, "多少天、从哪天起算；没有期限也要说清楚。"),
    (
        Field::Contacts,
        3,
        "一行一个：单位：电话。电话只用全国统一的热线，本所电话写在配置里。",
    ),
    (Field::Pitfalls, 2, "可以不写。大家常吃的亏，一行一条。"),
    (
        Field::Phrasings,
        8,
        "一行一种问法，至少 6 种，像不同的人在说话。居民的原话要改成谁都会这样说的话，去掉能认出人的细节。",
    ),
    (
        Field::Keywords,
        2,
        "可以不写。遇到这事的人嘴里会有、问法里又没有的词，用空格隔开。",
    ),
    (Field::Source, 1, "可以不写。照着什么写的，居民看不到。"),
];

/// Renders the page.
pub(super) async fn sheet(site: &Site, visit: &Visit, of: Sheet) -> Result<Response, WebError> {
    let title = if of.id.is_some() {
        "改一条问答"
    } else {
        "写一条问答"
    };
    let page = Page::new(site, visit, title, "/gaps").await?;
    let page = match (&of.failed, of.saved.as_str()) {
        (Some(text), _) => page.failed(text.clone()),
        (None, "1") => page.done("已保存。现在居民问到，就会这样答。"),
        (None, "later") => page.done("已保存，正在换上，过一会儿居民问到就会这样答。"),
        _ => page,
    };
    let paths = site.paths.clone();
    let ids = of.ids.clone();
    let versions = slow(move || history(&paths.library, &paths.own, &ids)).await?;
    let library = site.desk.library();
    let mut form = of.form.clone();
    let all = |list: &[Fault], field: Field| -> String {
        let of_field = list.iter().filter(|f| f.field == Some(field));
        let texts: Vec<&str> = of_field.map(|f| f.message.as_str()).collect();
        texts.join("；")
    };
    let error = |field: Field| all(&of.faults, field);
    let areas = AREAS.map(|(field, rows, hint)| Area {
        key: field.key(),
        label: field.name().to_owned(),
        value: form.text_of(field).cloned().unwrap_or_default(),
        rows,
        hint,
        error: error(field),
        warning: all(&of.warnings, field),
    });
    let (main, places) = places(&library, &of.form.places);
    let path = match &of.id {
        Some(id) => format!("/entries/{id}/edit"),
        None => "/entries/new".to_owned(),
    };
    show(&EntryPage {
        page,
        action: match of.origin.as_str() {
            "" => path,
            query => format!("{path}?{query}"),
        },
        state: of.state,
        good: of.checked && of.faults.is_empty(),
        question: of.form.question.clone(),
        question_error: error(Field::Question),
        topics: labels::topic_groups(&library, &of.form.topic),
        topic_error: error(Field::Topic),
        main,
        places,
        places_error: error(Field::Places),
        areas: areas.into(),
        reviewed: of.form.reviewed.clone(),
        reviewed_error: error(Field::Reviewed),
        faults: told(&of.faults),
        warnings: told(&of.warnings),
        preview: of.preview,
        versions: versions
            .into_iter()
            .map(|v| (v.until.format("%Y-%m-%d %H:%M:%S").to_string(), v.text))
            .collect(),
        statutes: library.laws.catalogue.is_some(),
    })
}

fn told(faults: &[Fault]) -> Vec<Told> {
    let told = faults.iter().map(|fault| Told {
        key: fault.field.map_or("question", |field| match field {
            Field::Places => "place",
            field => field.key(),
        }),
        name: fault.field.map_or("整条", Field::name),
        message: fault.message.clone(),
    });
    told.collect()
}

/// The most typical place, and all of them. A place of the entry that is not enabled here stays.
fn places(library: &Library, chosen: &[String]) -> (Vec<Choice>, Vec<Choice>) {
    let known = library
        .places
        .iter()
        .map(|p| (p.id.clone(), p.name.clone()));
    let others = chosen.iter().filter(|id| library.place(id).is_none());
    let all: Vec<(String, String)> = known
        .chain(others.map(|id| (id.clone(), id.clone())))
        .collect();
    let first = chosen.first();
    let nothing = Choice {
        value: String::new(),
        label: "请选".to_owned(),
        chosen: first.is_none(),
    };
    let choice = |(id, name): &(String, String), chosen: bool| Choice {
        value: id.clone(),
        label: name.clone(),
        chosen,
    };
    let main = all
        .iter()
        .map(|place| choice(place, first == Some(&place.0)));
    let ticked = all
        .iter()
        .map(|place| choice(place, chosen.contains(&place.0)));
    (
        std::iter::once(nothing).chain(main).collect(),
        ticked.collect(),
    )
}
