//! Charts as pictures: SVG by charts-rs, painted with a Chinese font of the system.

use std::sync::{Arc, OnceLock};

use quick_xml::escape::escape;

use charts_rs::{BarChart, Color, HorizontalBarChart, Series};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Transform, Tree};
use resvg::{render, tiny_skia::Pixmap};

use super::fonts::ChineseFont;
use super::{Cell, Chart, ReportError, Shape, Table};

/// Width of a chart in SVG units.
const WIDTH: f32 = 720.0;
/// Pixels a unit: sharp on paper.
const SCALE: f32 = 2.5;
/// Where a row has less width than this, the numbers would touch each other.
const LABEL: f32 = 36.0;
const BLUE: &str = "#2f5f9e";
/// The colour of the pages.
const GREEN: &str = "#1f5f5b";
const INK: &str = "#333333";

/// The painter of this program: charts-rs keeps every font it was ever given, megabytes each time.
static PAINTER: OnceLock<Painter> = OnceLock::new();

/// Paints charts with one Chinese font.
#[derive(Clone)]
pub struct Painter {
    fonts: Arc<Database>,
    family: &'static str,
}

/// A painted chart.
pub struct Picture {
    /// PNG.
    pub png: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Painter {
    /// With a Chinese font of the system, looked for until one is found; `None` when there is none.
    pub fn of_system() -> Option<Self> {
        if let Some(known) = PAINTER.get() {
            return Some(known.clone());
        }
        let found = Self::find()?;
        Some(PAINTER.get_or_init(|| found).clone())
    }

    fn find() -> Option<Self> {
        let ChineseFont { fonts, family, id } = ChineseFont::of_system()?;
        // charts-rs measures labels with the font's own widths.
        let known = fonts.with_face_data(id, |data, _| charts_rs::add_fonts(&[data]).is_ok())?;
        known.then_some(Self { fonts, family })
    }

    /// Paints a table's chart.
    ///
    /// # Errors
    /// When charts-rs or resvg refuses.
    pub fn paint(&self, table: &Table, chart: &Chart) -> Result<Picture, ReportError> {
        let fault = |why: String| ReportError::Picture {
            title: chart.title.clone(),
            why,
        };
        let as_it_is = |_, name: &str| name.to_owned();
        let svg = svg(table, chart, self.family, PAPER, as_it_is);
        let svg = svg.map_err(|e| fault(e.to_string()))?;
        let options = Options {
            fontdb: Arc::clone(&self.fonts),
            font_family: self.family.to_owned(),
            ..Options::default()
        };
        let tree = Tree::from_str(&svg, &options).map_err(|e| fault(e.to_string()))?;
        let pixels = |length: f32| (length * SCALE).ceil() as u32;
        let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
        let mut map = Pixmap::new(width, height).ok_or_else(|| fault("太大".to_owned()))?;
        map.fill(resvg::tiny_skia::Color::WHITE);
        render(
            &tree,
            Transform::from_scale(SCALE, SCALE),
            &mut map.as_mut(),
        );
        let png = map.encode_png().map_err(|e| fault(e.to_string()))?;
        Ok(Picture { png, width, height })
    }
}

/// A table's chart for a page, in the page's own fonts, for a place so many pixels wide.
///
/// # Errors
/// When charts-rs refuses.
pub fn drawn(table: &Table, chart: &Chart, width: f32) -> Result<String, ReportError> {
    let family = charts_rs::DEFAULT_FONT_FAMILY;
    // Names are measured by letters that the family has, and put in afterwards: it knows no Chinese.
    let svg = svg(table, chart, family, page(width), stand_in);
    let mut svg = svg.map_err(|e| ReportError::Picture {
        title: chart.title.clone(),
        why: e.to_string(),
    })?;
    for (row, cells) in drawn_rows(table, chart).into_iter().enumerate() {
        let name = cells[0].shown();
        svg = svg.replace(&stand_in(row, &name), &escape(name.as_str()));
    }
    // The family that charts-rs measures with is none that a browser has.
    Ok(svg.replace(&format!(" font-family=\"{family}\""), ""))
}

/// Width of a digit of the family that charts-rs brings, by the size of its letters.
const DIGIT: f32 = 0.5615;
/// Width of a letter that is not Chinese, on average.
const NARROW: f32 = 0.55;

/// Letters as wide as a name, that stand nowhere else in a chart.
fn stand_in(row: usize, name: &str) -> String {
    let width = |c: char| if c.is_ascii() { NARROW } else { 1.0 };
    let digits = (name.chars().map(width).sum::<f32>() / DIGIT).ceil() as usize;
    // Each mark is about as wide as a digit.
    format!("§{row:0>width$}§", width = digits.saturating_sub(2).max(2))
}

/// The rows that are drawn, in the order of drawing.
fn drawn_rows<'a>(table: &'a Table, chart: &Chart) -> Vec<&'a Vec<Cell>> {
    let mut rows: Vec<_> = table.rows.iter().take(chart.rows).collect();
    // charts-rs draws the first bar at the bottom; the table has it on top.
    if chart.shape == Shape::Bars {
        rows.reverse();
    }
    rows
}

/// How a chart looks.
#[derive(Clone, Copy)]
struct Look {
    width: f32,
    colour: &'static str,
    /// How much larger than usual letters and margins are drawn: charts-rs leaves a fixed gap between columns,
    /// which only shrinks when the whole is drawn larger and shown smaller.
    scale: f32,
}

const PAPER: Look = Look {
    width: WIDTH,
    colour: BLUE,
    scale: 1.0,
};

fn page(width: f32) -> Look {
    let scale = if width < WIDTH { 2.0 } else { 1.0 };
    Look {
        width: width * scale,
        colour: GREEN,
        scale,
    }
}

/// A chart with letters of a family; `named` says what stands for the name of a row.
fn svg(
    table: &Table,
    chart: &Chart,
    family: &str,
    look: Look,
    named: impl Fn(usize, &str) -> String,
) -> Result<String, charts_rs::Error> {
    let rows = drawn_rows(table, chart);
    let names = rows.iter().enumerate();
    let names: Vec<String> = names.map(|(at, row)| named(at, &row[0].shown())).collect();
    let numbers = rows.iter().filter_map(|row| row[chart.column].number());
    let most = numbers.fold(0.0, f64::max) as f32;
    let data = rows
        .iter()
        .map(|row| row[chart.column].number().map(|n| n as f32));
    let mut series = Series::new_nullable(String::new(), data.collect());
    series.label_show = rows.len() as f32 * LABEL * look.scale <= look.width;
    match chart.shape {
        Shape::Bars => {
            let mut drawn = HorizontalBarChart::new(vec![series], names);
            drawn.height = (60.0 + 26.0 * rows.len() as f32) * look.scale;
            dress(&mut drawn.base, family, look);
            measure(&mut drawn.y_axis_configs, most, look.scale);
            drawn.svg()
        }
        Shape::Columns => {
            let mut drawn = BarChart::new(vec![series], names);
            drawn.height = 300.0 * look.scale;
            dress(&mut drawn.base, family, look);
            measure(&mut drawn.y_axis_configs, most, look.scale);
            if rows.len() > 7 {
                drawn.x_axis.name_rotate = 45.0;
                drawn.x_axis.height = 70.0 * look.scale;
            }
            drawn.svg()
        }
    }
}

fn dress(base: &mut charts_rs::ChartBase, family: &str, look: Look) {
    let Look {
        width,
        colour,
        scale,
    } = look;
    base.width = width;
    base.font_family = family.to_owned();
    base.margin.top = 18.0 * scale;
    base.margin.right = 24.0 * scale;
    base.legend.show = Some(false);
    base.series.colors = vec![Color::from(colour)];
    base.x_axis.font.size = 13.0 * scale;
    base.x_axis.height *= scale;
    base.series.label.font.size *= scale;
    base.x_axis.font.color = Color::from(INK);
}

/// The axis of the numbers: whole numbers, and room for the label of the longest bar.
fn measure(axes: &mut [charts_rs::YAxisConfig], most: f32, scale: f32) {
    for axis in axes {
        axis.min = Some(0.0);
        // Six steps, each a round number.
        let step = round_up(most * 1.1 / STEPS as f32);
        axis.max = Some(step * STEPS as f32);
        axis.split_number = STEPS;
        axis.formatter = Some("{t}".to_owned());
        axis.font.color = Color::from(INK);
        axis.font.size *= scale;
    }
}

const STEPS: usize = 6;

/// The next of the whole numbers that an axis is easily read by.
fn round_up(least: f32) -> f32 {
    let mut ten = 1.0;
    loop {
        for round in [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0_f32] {
            let whole = (round * ten).fract() == 0.0;
            if whole && round * ten >= least || ten > 1e12 {
                return round * ten;
            }
        }
        ten *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_in_a_drawn_chart_and_nothing_styles_itself() {
        let hostile = "<script>alert(1)</script>\"' onload=x";
        for shape in [Shape::Bars, Shape::Columns] {
            let chart = Chart {
                title: hostile.into(),
                shape,
                column: 1,
                rows: 1,
            };
            let table = Table {
                name: "表",
                caption: hostile.into(),
                heads: vec![(hostile.into(), 1), (hostile.into(), 1)],
                rows: vec![vec![Cell::text(hostile), Cell::Count(3)]],
                note: None,
                chart: None,
                keys: Vec::new(),
                across: Vec::new(),
            };
            let svg = drawn(&table, &chart, 640.0).unwrap();
            assert!(
                svg.contains("&lt;script") && !svg.contains("<script"),
                "{svg}"
            );
            assert!(
                !svg.contains("style="),
                "the pages' policy forbids it: {svg}"
            );
        }
    }

    /// Where the names of a drawn chart end, by letters as wide as they are, and where its axis stands.
    #[test]
    fn chinese_names_end_before_the_axis() {
        let names = ["社会救助、医疗与残疾人保障", "婚姻家庭", "其他"];
        let rows = names.map(|name| vec![Cell::text(name), Cell::Count(9)]);
        let table = Table {
            name: "表",
            caption: "表".into(),
            heads: vec![("主题".into(), 1), ("次".into(), 1)],
            rows: rows.to_vec(),
            note: None,
            chart: None,
            keys: Vec::new(),
            across: Vec::new(),
        };
        let chart = Chart {
            title: "图".into(),
            shape: Shape::Bars,
            column: 1,
            rows: 3,
        };
        let svg = drawn(&table, &chart, 1080.0).unwrap();
        let page = scraper::Html::parse_fragment(&svg);
        let all = |tag: &str| -> Vec<scraper::ElementRef<'_>> {
            let selector = scraper::Selector::parse(tag).unwrap();
            page.select(&selector).collect()
        };
        let number = |node: &scraper::ElementRef<'_>, key| -> f32 {
            node.value().attr(key).unwrap().parse().unwrap()
        };
        let bars = all("rect").into_iter().filter(|rect| {
            let fill = rect.value().attr("fill").unwrap_or_default();
            fill.eq_ignore_ascii_case(GREEN)
        });
        let axis = bars
            .map(|bar| number(&bar, "x"))
            .fold(f32::INFINITY, f32::min);
        assert!(axis.is_finite(), "{svg}");
        for name in names {
            let texts = all("text").into_iter();
            let mut texts = texts.filter(|t| t.text().collect::<String>().trim() == name);
            let text = texts.next().unwrap_or_else(|| panic!("no {name} in {svg}"));
            let letters = name.chars().count() as f32;
            let end = number(&text, "x") + number(&text, "font-size") * letters;
            assert!(
                end <= axis,
                "{name} ends at {end}, bars begin at {axis}: {svg}"
            );
        }
    }

    #[test]
    fn nothing_but_zeros_is_not_drawn() {
        let table = |cells: [Cell; 2]| Table {
            name: "表",
            caption: "表".into(),
            heads: vec![("主题".into(), 1), ("次".into(), 1)],
            rows: cells.map(|cell| vec![Cell::text("甲"), cell]).to_vec(),
            note: None,
            chart: Some(Chart {
                title: "图".into(),
                shape: Shape::Bars,
                column: 1,
                rows: 2,
            }),
            keys: Vec::new(),
            across: Vec::new(),
        };
        assert_eq!(table([Cell::Count(0), Cell::Hidden]).drawable(), None);
        assert!(table([Cell::Count(0), Cell::Count(5)]).drawable().is_some());
    }

    #[test]
    fn a_font_is_given_to_the_charts_once() {
        // Without a font there is nothing to keep.
        if let (Some(one), Some(other)) = (Painter::of_system(), Painter::of_system()) {
            assert!(Arc::ptr_eq(&one.fonts, &other.fonts));
        }
    }

    #[test]
    fn axes_end_on_round_numbers() {
        for (least, round) in [
            (0.0, 1.0),
            (1.1, 2.0),
            (2.2, 3.0),
            (136.0, 150.0),
            (491.0, 500.0),
            (501.0, 600.0),
        ] {
            assert_eq!(round_up(least), round);
        }
    }
}
