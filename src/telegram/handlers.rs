//! What the bot does with an update: commands, questions, taps.

use teloxide::RequestError;
use teloxide::dispatching::{DpHandlerDescription, HandlerExt, UpdateFilterExt};
use teloxide::prelude::*;
use teloxide::types::{
    MaybeInaccessibleMessage, Me, MessageId, MessageKind, UpdateId, UpdateKind, User,
};
use teloxide::utils::command::BotCommands;

use super::callback::Action;
use super::context::{Context, visitor};
use super::render::{article_page, button, chapter_page, page, without_votes, words};
use super::{CHANNEL, menu, texts};
use crate::answer::ArticleRef;
use crate::desk::{Address, Answered, Pick, Question};
use crate::knowledge::ArticleNumber;
use crate::knowledge::statutes::WHOLE;

/// What the tree is made of.
pub(super) type Handler = dptree::Handler<'static, Result<(), RequestError>, DpHandlerDescription>;

/// Longer questions are read up to here; Telegram itself allows 4,096 units.
const MAX_QUESTION_CHARS: usize = 2000;
/// Codes of boards and regions in deep links.
const MAX_CODE: usize = 60;

/// The commands, as Telegram's menu shows them.
#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
pub(super) enum Command {
    /// 开始
    #[command(description = "开始")]
    Start(String),
    /// 按场所和主题翻看
    #[command(description = "按场所和主题翻看")]
    Topics,
    /// 怎么用
    #[command(description = "怎么用")]
    Help,
    /// 找人问
    #[command(description = "找人问、联系方式")]
    Contact,
    /// 会记下什么
    #[command(description = "会记下什么")]
    Privacy,
    /// 删除我的记录
    #[command(description = "删除我的记录")]
    Forget,
}

/// The handler tree; what falls through (edits, channel posts …) is met with silence.
pub(super) fn tree() -> Handler {
    dptree::entry()
        .branch(
            Update::filter_message()
                .branch(
                    dptree::entry()
                        .filter_command::<Command>()
                        .endpoint(command),
                )
                .branch(dptree::endpoint(message)),
        )
        .branch(Update::filter_callback_query().endpoint(tap))
}

/// In a group an answer refers to what it answers.
fn answers(message: &Message) -> Option<MessageId> {
    (!message.chat.is_private()).then_some(message.id)
}

async fn command(context: Context, message: Message, command: Command) -> Result<(), RequestError> {
    let office = context.desk.office();
    let page = match command {
        Command::Start(payload) => {
            if let Some(user) = &message.from {
                context.desk.start_afresh(&visitor(user)).await;
                remember_origin(&context, user, &payload).await;
            }
            let topics = button("按主题翻看", &Action::Places);
            words(
                &texts::welcome(office),
                topics.into_iter().map(|b| vec![b]).collect(),
            )
        }
        Command::Topics => menu::places(&context.desk.library()),
        Command::Help => words(&texts::help(), Vec::new()),
        Command::Contact => words(&office.turn_to(), Vec::new()),
        Command::Privacy => words(&texts::privacy(context.desk.retention_days()), Vec::new()),
        Command::Forget => {
            let row = [("删除", true), ("不删", false)]
                .into_iter()
                .filter_map(|(text, yes)| button(text, &Action::Forget { yes }))
                .collect();
            words(texts::FORGET_ASK, vec![row])
        }
    };
    context
        .outgoing
        .send(message.chat.id, answers(&message), &page)
        .await
}

/// `/start b_<board>` or `/start r_<region>`, as far as there is such a board or region: nobody writes words
/// into the figures by a link. Anything else is ignored.
async fn remember_origin(context: &Context, user: &User, payload: &str) {
    let payload = payload.trim();
    let well_formed = payload.len() <= MAX_CODE
        && payload
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !well_formed {
        return;
    }
    if let Some(board) = payload.strip_prefix("b_").filter(|code| !code.is_empty()) {
        context.desk.remember_board(&visitor(user), board).await;
    } else if let Some(region) = payload.strip_prefix("r_") {
        let region = region.to_ascii_lowercase();
        if context.regions.contains(&region) {
            context.desk.remember_region(&visitor(user), &region).await;
        }
    }
}

/// The question in a message, if it is meant for us; in a group only when mentioned or replied to.
fn question(message: &Message, me: &Me) -> Option<String> {
    let text = message
        .text()
        .or_else(|| message.caption())
        .unwrap_or_default();
    let mention = format!("@{}", me.username());
    let at = text.to_lowercase().find(&mention.to_lowercase());
    if !message.chat.is_private() {
        let to_us = message
            .reply_to_message()
            .and_then(|m| m.from.as_ref())
            .is_some_and(|user| user.id == me.id);
        if !to_us && at.is_none() {
            return None;
        }
    }
    // Lower-casing keeps the byte length of ASCII; other letters before the mention may not.
    let without = match at.filter(|at| text.is_char_boundary(*at)) {
        Some(at) if text.is_char_boundary(at + mention.len()) => {
            format!("{} {}", &text[..at], &text[at + mention.len()..])
        }
        _ => text.to_owned(),
    };
    Some(without.trim().chars().take(MAX_QUESTION_CHARS).collect())
}

/// Whether an update asks anything of us.
pub(super) fn concerns_us(update: &Update, me: &Me) -> bool {
    match &update.kind {
        UpdateKind::Message(message) => {
            let command = |text| Command::parse(text, me.username()).is_ok();
            question(message, me).is_some() || message.text().is_some_and(command)
        }
        UpdateKind::CallbackQuery(_) => true,
        _ => false,
    }
}

async fn message(context: Context, update: UpdateId, message: Message) -> Result<(), RequestError> {
    let Some(text) = question(&message, &context.me) else {
        return Ok(());
    };
    let to = message.chat.id;
    if text.is_empty() {
        // Joining, pinning and the like are no messages to us. Media that teloxide cannot read in
        // full (a voice message without its optional type) comes as empty.
        let is_media = matches!(message.kind, MessageKind::Common(_) | MessageKind::Empty {});
        return if is_media {
            let page = words(texts::ONLY_TEXT, Vec::new());
            context.outgoing.send(to, answers(&message), &page).await
        } else {
            Ok(())
        };
    }
    let asked = Question {
        channel: CHANNEL,
        visitor: message.from.as_ref().map(visitor),
        text,
        request: Some(update.0.to_string()),
    };
    // What somebody asked in private must not come up in front of a group.
    let answered = if message.chat.is_private() {
        context.desk.ask(asked).await
    } else {
        context.desk.ask_openly(asked).await
    };
    context
        .outgoing
        .send(to, answers(&message), &page(&answered, None))
        .await
}

async fn tap(context: Context, update: UpdateId, query: CallbackQuery) -> Result<(), RequestError> {
    let action = query.data.as_deref().and_then(Action::decode);
    let shown = match &query.message {
        Some(MaybeInaccessibleMessage::Regular(message)) => Some(message.as_ref().clone()),
        _ => None,
    };
    let (Some(action), Some(shown)) = (action, shown) else {
        context.outgoing.toast(query.id, Some(texts::GONE)).await;
        return Ok(());
    };
    let toast = act(&context, update, &query.from, &shown, action).await?;
    context.outgoing.toast(query.id, toast).await;
    Ok(())
}

/// Does what a button says; returns what to show briefly, if anything.
async fn act(
    context: &Context,
    update: UpdateId,
    user: &User,
    shown: &Message,
    action: Action,
) -> Result<Option<&'static str>, RequestError> {
    let (desk, outgoing, chat) = (&context.desk, &context.outgoing, shown.chat.id);
    let who = visitor(user);
    let pick = |entry, row| Pick {
        channel: CHANNEL,
        visitor: Some(who.clone()),
        entry,
        row,
        request: Some(update.0.to_string()),
    };
    let menu_page = match &action {
        Action::Places => Some(menu::places(&desk.library())),
        Action::Place { place } => menu::topics(&desk.library(), place),
        Action::Topic { place, topic, page } => menu::topic(&desk.library(), place, topic, *page),
        _ => None,
    };
    if let Some(page) = menu_page {
        outgoing.edit(chat, shown.id, &page).await?;
        return Ok(None);
    }
    match action {
        Action::Open { entry, row } => {
            let Some(answered) = desk.open(pick(entry, row)).await else {
                return Ok(Some(texts::GONE));
            };
            let back = back_to_menu(&answered, row.is_none());
            outgoing
                .edit(chat, shown.id, &page(&answered, back.as_ref()))
                .await?;
            Ok(None)
        }
        Action::Related { entry, row } => {
            let Some(answered) = desk.open(pick(entry, row)).await else {
                return Ok(Some(texts::GONE));
            };
            outgoing.send(chat, None, &page(&answered, None)).await?;
            Ok(None)
        }
        Action::Vote { row, helpful } => {
            if !desk.feedback(&who, row, helpful).await {
                return Ok(Some(texts::NOT_YOURS));
            }
            if let Some(keyboard) = shown.reply_markup() {
                outgoing
                    .edit_keyboard(chat, shown.id, without_votes(keyboard))
                    .await?;
            }
            Ok(Some(if helpful { texts::THANKS } else { texts::SORRY }))
        }
        Action::HandOver { row } => {
            // In a group everybody would read the answer, and see who asked.
            let address = shown.chat.is_private().then(|| Address {
                channel: CHANNEL,
                conversation: chat.0.to_string(),
            });
            let text = desk.hand_over(&who, row, address).await;
            outgoing
                .send(chat, answers(shown), &words(&text, Vec::new()))
                .await?;
            Ok(None)
        }
        Action::Forget { yes } => {
            let text = if yes {
                match desk.forget(&who).await {
                    Ok(questions) => texts::forgotten(questions),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "a resident's records could not be deleted"
                        );
                        texts::FORGET_FAILED.to_owned()
                    }
                }
            } else {
                texts::FORGET_NOT.to_owned()
            };
            outgoing
                .edit(chat, shown.id, &words(&text, Vec::new()))
                .await?;
            Ok(None)
        }
        Action::Article { law, number, entry } => {
            let article = article_ref(context, &law, number);
            let Some(reply) = article.and_then(|article| desk.article(&article)) else {
                return Ok(Some(texts::GONE));
            };
            let page = article_page(&reply, entry.as_ref());
            outgoing.edit(chat, shown.id, &page).await?;
            Ok(None)
        }
        Action::Chapter {
            law,
            number,
            page,
            entry,
        } => {
            let Some(article) = article_ref(context, &law, number) else {
                return Ok(Some(texts::GONE));
            };
            let articles = desk.chapter(&article);
            let Some(page) = chapter_page(&articles, &article, page, entry.as_ref()) else {
                return Ok(Some(texts::GONE));
            };
            outgoing.edit(chat, shown.id, &page).await?;
            Ok(None)
        }
        // A place or topic that the library no longer has.
        Action::Places | Action::Place { .. } | Action::Topic { .. } => Ok(Some(texts::GONE)),
    }
}

/// The article behind a button; `None` for a law we do not know.
fn article_ref(context: &Context, code: &str, number: Option<ArticleNumber>) -> Option<ArticleRef> {
    let library = context.desk.library();
    Some(ArticleRef {
        law: library.laws.by_code(code)?.to_owned(),
        label: number.map_or_else(|| WHOLE.to_owned(), |n| n.to_string()),
    })
}

/// From an entry opened in the menu, the way back to its topic.
fn back_to_menu(answered: &Answered, from_menu: bool) -> Option<Action> {
    let reply = &answered.reply;
    from_menu.then_some(Action::Topic {
        place: reply.places.first()?.clone(),
        topic: reply.topic.clone()?,
        page: 0,
    })
}
