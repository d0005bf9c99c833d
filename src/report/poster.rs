//! Posters (宣传点海报): one page a board with its QR code, print-ready as PDF.
//!
//! A page is drawn as SVG in millimetres of A4; A3 has the same proportions and is the same page larger.

use std::fmt::Write as _;

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use qrcode::{Color, EcLevel, QrCode};
use resvg::usvg::{Options, Tree};

use super::fonts::ChineseFont;
use crate::answer::Office;
use crate::journal::Board;
use crate::knowledge::Library;

/// The page in millimetres.
const WIDTH: f32 = 210.0;
const HEIGHT: f32 = 297.0;
/// What may be written on, left to right.
const COLUMN: f32 = 178.0;
/// Modules of white around a QR code: the standard asks for four.
const QUIET: usize = 4;
/// Side of the QR code with its quiet zone, in millimetres.
const QR_SIDE: f32 = 118.0;
const RED: &str = "#9c2a1f";
const INK: &str = "#1a1a1a";
const GREY: &str = "#555555";

/// What goes wrong with a poster.
#[derive(Debug, thiserror::Error)]
pub enum PosterError {
    /// No font of the system holds Chinese.
    #[error(
        "这台电脑上没有中文字体，海报写不出来。Debian 或 Ubuntu 请装一个：apt install fonts-wqy-microhei"
    )]
    NoFont,
    /// A link that no QR code holds.
    #[error("链接放不进二维码：{0}")]
    Qr(#[from] qrcode::types::QrError),
    /// The page cannot be drawn.
    #[error("海报画不出来：{0}")]
    Page(String),
}

/// Paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// 210 × 297 mm
    A4,
    /// 297 × 420 mm
    A3,
}

impl Paper {
    /// Width and height in points.
    fn points(self) -> (f32, f32) {
        let points = |mm: f32| mm * 72.0 / 25.4;
        match self {
            Self::A4 => (points(210.0), points(297.0)),
            Self::A3 => (points(297.0), points(420.0)),
        }
    }
}

/// What one poster says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poster {
    /// Where the code leads.
    pub link: String,
    /// The board's code, in small print.
    pub code: String,
    /// What staff call the board, in small print.
    pub board: String,
    /// `乡村`: the poster then says 法律进乡村.
    pub place: Option<String>,
    /// The office.
    pub office: String,
    /// Telephone, address and hours; may be empty.
    pub contact: String,
}

impl Poster {
    /// A board's poster; its code leads to `bot`.
    pub fn of(board: &Board, library: &Library, office: &Office, bot: &str) -> Self {
        let place = board.about.place.as_deref();
        Self {
            link: format!("https://t.me/{bot}?start=b_{}", board.code),
            code: board.code.clone(),
            board: board.about.name.clone(),
            place: place.map(|id| place_name(library, id)),
            office: office.name.clone(),
            contact: office.contact.clone(),
        }
    }
}

/// A place's name; the id itself when it is not enabled (any more).
pub fn place_name(library: &Library, id: &str) -> String {
    library.place(id).map_or(id, |place| &place.name).to_owned()
}

/// A user name as Telegram gives them out: it ends in `bot`.
///
/// # Errors
/// With what it must look like.
pub fn bot_name(written: &str) -> Result<&str, String> {
    let name = written.trim().trim_start_matches('@');
    let fits = (5..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.to_ascii_lowercase().ends_with("bot");
    match fits {
        true => Ok(name),
        false => Err(format!(
            "“{name}”不是机器人的用户名：要像 qingshi_pufa_bot，以 bot 结尾（不是令牌，也不是网址）"
        )),
    }
}

/// The posters as one PDF, one page each.
///
/// # Errors
/// When no font holds Chinese, a link is too long, or a page cannot be drawn.
pub fn pdf(posters: &[Poster], paper: Paper) -> Result<Vec<u8>, PosterError> {
    let font = ChineseFont::of_system().ok_or(PosterError::NoFont)?;
    let options = Options {
        fontdb: font.fonts.clone(),
        font_family: font.family.to_owned(),
        ..Options::default()
    };
    let page_fault = |what: &dyn std::fmt::Display| PosterError::Page(what.to_string());
    let (width, height) = paper.points();
    let size = Size::from_wh(width, height).ok_or_else(|| page_fault(&"纸张大小"))?;
    let mut document = Document::new();
    for poster in posters {
        let tree = Tree::from_str(&svg(poster)?, &options).map_err(|e| page_fault(&e))?;
        let mut page = document.start_page_with(PageSettings::new(size));
        let mut surface = page.surface();
        surface
            .draw_svg(&tree, size, SvgSettings::default())
            .ok_or_else(|| page_fault(&poster.code))?;
        surface.finish();
        page.finish();
    }
    document.set_metadata(
        Metadata::new()
            .title("普法问答二维码海报".to_owned())
            .language("zh-CN".to_owned()),
    );
    document.finish().map_err(|e| page_fault(&format!("{e:?}")))
}

/// A poster's page.
fn svg(poster: &Poster) -> Result<String, PosterError> {
    let mut page = Page::new();
    page.band(0.0, 62.0);
    let slogan = match &poster.place {
        Some(place) => format!("法律进{place}"),
        None => "普法问答".to_owned(),
    };
    page.line(&slogan, 22.0, 12.0, "#ffffff", false);
    page.line("法律问题，扫码就问", 46.0, 19.0, "#ffffff", true);
    page.line(
        "工资、土地、邻里、婚姻、借钱、被骗……",
        78.0,
        9.6,
        INK,
        false,
    );
    page.line("用平常话问一句，马上有答复，不要钱", 92.0, 9.6, INK, true);
    page.qr(&poster.link, 98.0)?;
    page.line(
        "手机扫一扫，用 Telegram 打开；不用留姓名、电话",
        222.5,
        7.4,
        INK,
        false,
    );
    page.line("想找人问，打 12348", 243.0, 15.0, RED, true);
    page.line(
        "公共法律服务热线（免费）　有危险先打 110",
        253.5,
        6.6,
        INK,
        false,
    );
    page.rule(260.0);
    page.line(&poster.office, 271.0, 9.0, INK, true);
    page.line(&poster.contact, 280.0, 5.6, INK, false);
    let foot = format!("{}　编号 {}", poster.board, poster.code);
    page.line(&foot, 289.5, 4.2, GREY, false);
    Ok(page.finish())
}

/// A page that is being drawn.
struct Page {
    svg: String,
}

impl Page {
    fn new() -> Self {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}mm\" height=\"{HEIGHT}mm\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\">\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
        );
        Self { svg }
    }

    /// A coloured band across the page. Writing to a `String` cannot fail, here and below.
    fn band(&mut self, top: f32, bottom: f32) {
        let height = bottom - top;
        let _ = write!(
            self.svg,
            "<rect y=\"{top}\" width=\"{WIDTH}\" height=\"{height}\" fill=\"{RED}\"/>"
        );
    }

    fn rule(&mut self, y: f32) {
        let (left, right) = ((WIDTH - COLUMN) / 2.0, (WIDTH + COLUMN) / 2.0);
        let _ = write!(
            self.svg,
            "<path d=\"M{left} {y}H{right}\" stroke=\"{RED}\" stroke-width=\"0.6\"/>"
        );
    }

    /// A centred line, as large as asked for or as the column allows.
    fn line(&mut self, words: &str, baseline: f32, size: f32, colour: &str, heavy: bool) {
        let words: String = words.chars().filter(|c| !c.is_control()).collect();
        let size = size.min(COLUMN / width_of(&words).max(1.0));
        // Few Chinese fonts have a bold face: a thin outline of the same colour makes one.
        let outline = if heavy { size * 0.035 } else { 0.0 };
        let _ = write!(
            self.svg,
            "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"middle\" font-size=\"{size}\" \
             fill=\"{colour}\" stroke=\"{colour}\" stroke-width=\"{outline}\">{}</text>",
            WIDTH / 2.0,
            quick_xml::escape::escape(&words)
        );
    }

    /// A QR code that still reads with a quarter of it dirty or torn off.
    fn qr(&mut self, link: &str, top: f32) -> Result<(), PosterError> {
        let code = QrCode::with_error_correction_level(link, EcLevel::Q)?;
        let width = code.width();
        let module = QR_SIDE / (width + 2 * QUIET) as f32;
        let left = (WIDTH - QR_SIDE) / 2.0;
        let colors = code.to_colors();
        // One path: modules that were drawn one by one would show hairlines between them.
        let mut path = String::new();
        for (y, row) in colors.chunks(width).enumerate() {
            let mut x = 0;
            while x < width {
                let run = row[x..].iter().take_while(|c| **c == Color::Dark).count();
                if run > 0 {
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        let origin = QUIET as f32 * module;
        let _ = write!(
            self.svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{QR_SIDE}\" height=\"{QR_SIDE}\" fill=\"#ffffff\"/>\
             <path transform=\"translate({} {}) scale({module})\" d=\"{path}\" fill=\"#000000\"/>",
            left + origin,
            top + origin
        );
        Ok(())
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

/// How wide words are, in parts of their size: Chinese is square, the rest about half as wide.
fn width_of(words: &str) -> f32 {
    let width = |c: char| if c.is_ascii() { 0.62 } else { 1.0 };
    words.chars().map(width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poster(office: &str) -> Poster {
        Poster {
            link: "https://t.me/qingshi_bot?start=b_ab2c3".into(),
            code: "ab2c3".into(),
            board: "<b>&\u{7}“文化广场”".into(),
            place: None,
            office: office.into(),
            contact: String::new(),
        }
    }

    #[test]
    fn whatever_staff_write_stays_words_and_within_the_page() {
        let long = "某某县".repeat(40);
        let svg = svg(&poster(&long)).unwrap();
        assert!(svg.contains("&lt;b&gt;&amp;“文化广场”"), "{svg}");
        let at = svg.find(&long).unwrap();
        let size = svg[..at].rsplit("font-size=\"").next().unwrap();
        let size: f32 = size.split('"').next().unwrap().parse().unwrap();
        assert!(size * 120.0 <= COLUMN + 0.1, "{size}");
    }

    #[test]
    fn a_link_that_is_too_long_is_refused() {
        let mut long = poster("司法所");
        long.link = "x".repeat(5000);
        assert!(matches!(svg(&long), Err(PosterError::Qr(_))));
    }
}
