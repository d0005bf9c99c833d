//! The report as a Word document, in the form that an office hands in.

use docx_rs::{
    AlignmentType, Docx, Footer, LineSpacing, LineSpacingType, PageMargin, PageNum, Paragraph, Pic,
    Run, RunFonts, Shading, SpecialIndentType, Style, StyleType, Table as WordTable,
    TableAlignmentType, TableCell, TableCellMargins, TableLayoutType, TableRow, VAlignType,
    WidthType,
};

use super::page::{HIDING, LIMITS, caption, heading};
use super::{Cell, Painter, Report, ReportError, Section, Table, words};

/// A4, in twentieths of a point, with the margins of official papers.
const PAGE: (u32, u32) = (11_906, 16_838);
const MARGIN: PageMargin = PageMargin {
    top: 2_098,
    left: 1_587,
    bottom: 1_984,
    right: 1_474,
    header: 851,
    footer: 1_400,
    gutter: 0,
};
/// What is left between the margins.
const WIDTH: usize = 8_844;
/// The same in EMU (635 to a twentieth of a point).
const WIDTH_EMU: u32 = 8_844 * 635;

const SONG: &str = "宋体";
const HEI: &str = "黑体";
const FANG: &str = "仿宋";

/// Rows of a table that is kept on one page.
const FITS: usize = 20;

/// Half points.
const BODY: usize = 28;
const SMALL: usize = 21;

/// Writes the report. Without a painter the charts are left out and the report says so.
///
/// # Errors
/// When a chart cannot be painted or the file not be packed.
pub fn write(report: &Report, painter: Option<&Painter>) -> Result<Vec<u8>, ReportError> {
    let mut docx = Docx::new()
        .page_size(PAGE.0, PAGE.1)
        .page_margin(MARGIN)
        .default_fonts(fonts(FANG))
        .default_size(BODY)
        .add_style(head_style())
        .title_pg()
        .first_footer(Footer::new().add_paragraph(Paragraph::new()))
        .footer(
            Footer::new().add_paragraph(
                Paragraph::new()
                    .align(AlignmentType::Center)
                    .add_page_num(PageNum::new()),
            ),
        );
    docx = title_page(docx, report);
    let (mut tables, mut charts) = (0, 0);
    for (at, section) in report.sections.iter().enumerate() {
        docx = docx.add_paragraph(head(&heading(at, section.title), at == 0));
        docx = chapter(docx, section, painter, &mut tables, &mut charts)?;
    }
    docx = docx
        .add_paragraph(Paragraph::new())
        .add_table(limits(report, painter));
    // A document may not end with a table.
    docx = docx.add_paragraph(Paragraph::new());
    let mut out = std::io::Cursor::new(Vec::new());
    let mut parts = docx.build();
    parts.document = repeat_heads(&parts.document);
    parts
        .pack(&mut out)
        .map_err(|e| ReportError::Docx(e.to_string()))?;
    Ok(out.into_inner())
}

/// Marks the first row of every table that holds rows which may not be torn, so that its heads stand on
/// every page it reaches: docx-rs has no word for that.
fn repeat_heads(document: &[u8]) -> Vec<u8> {
    let first = "</w:tblGrid><w:tr><w:trPr><w:cantSplit />";
    let document = String::from_utf8_lossy(document);
    let marked = document.replace(first, &format!("{first}<w:tblHeader />"));
    marked.into_bytes()
}

/// Figures and Latin letters of the body in the usual Latin font; headings in their own, because a quotation
/// mark they begin with would else be a Latin one.
fn fonts(name: &str) -> RunFonts {
    let latin = if name == FANG {
        "Times New Roman"
    } else {
        name
    };
    let fonts = RunFonts::new().east_asia(name).ascii(latin).hi_ansi(latin);
    fonts.hint("eastAsia")
}

fn run(text: &str, font: &str, size: usize) -> Run {
    Run::new().add_text(text).fonts(fonts(font)).size(size)
}

fn head_style() -> Style {
    Style::new("Heading1", StyleType::Paragraph)
        .name("heading 1")
        .outline_lvl(0)
        .size(32)
}

fn centred(text: &str, font: &str, size: usize, before: u32) -> Paragraph {
    Paragraph::new()
        .align(AlignmentType::Center)
        .line_spacing(LineSpacing::new().before(before))
        .add_run(run(text, font, size))
}

fn title_page(docx: Docx, report: &Report) -> Docx {
    docx.add_paragraph(centred(&report.office, SONG, 36, 2_800))
        .add_paragraph(centred(&report.title, HEI, 44, 800))
        .add_paragraph(centred(&report.when(), FANG, 30, 600))
        .add_paragraph(centred(&words::day(report.made), FANG, 32, 5_600))
}

fn head(text: &str, on_new_page: bool) -> Paragraph {
    Paragraph::new()
        .style("Heading1")
        .page_break_before(on_new_page)
        .keep_next(true)
        .line_spacing(LineSpacing::new().before(300).after(120))
        .add_run(run(text, HEI, 32))
}

fn body(text: &str) -> Paragraph {
    Paragraph::new()
        .indent(None, Some(SpecialIndentType::FirstLine(560)), None, None)
        .line_spacing(
            LineSpacing::new()
                .line(520)
                .line_rule(LineSpacingType::AtLeast),
        )
        .add_run(run(text, FANG, BODY))
}

fn chapter(
    mut docx: Docx,
    section: &Section,
    painter: Option<&Painter>,
    tables: &mut usize,
    charts: &mut usize,
) -> Result<Docx, ReportError> {
    for paragraph in &section.paragraphs {
        docx = docx.add_paragraph(body(paragraph));
    }
    for table in &section.tables {
        *tables += 1;
        let title = centred(&caption(*tables, &table.caption), HEI, 24, 240).keep_next(true);
        docx = docx.add_paragraph(title).add_table(grid(table));
        for note in table
            .note
            .iter()
            .map(String::as_str)
            .chain(table.hides().then_some(HIDING))
        {
            let space = LineSpacing::new().before(40);
            let note = Paragraph::new()
                .line_spacing(space)
                .add_run(run(note, FANG, SMALL));
            docx = docx.add_paragraph(note);
        }
        if let (Some(painter), Some(chart)) = (painter, table.drawable()) {
            *charts += 1;
            let picture = painter.paint(table, chart)?;
            let height =
                u64::from(WIDTH_EMU) * u64::from(picture.height) / u64::from(picture.width);
            let pic = Pic::new_with_dimensions(picture.png, picture.width, picture.height)
                .size(WIDTH_EMU, u32::try_from(height).unwrap_or(WIDTH_EMU));
            let drawn = Paragraph::new()
                .align(AlignmentType::Center)
                .line_spacing(LineSpacing::new().before(160))
                .keep_next(true);
            docx = docx.add_paragraph(drawn.add_run(Run::new().add_image(pic)));
            let title = format!("图 {charts}  {}", chart.title);
            docx = docx.add_paragraph(centred(&title, HEI, 24, 0));
        }
    }
    Ok(docx)
}

fn grid(table: &Table) -> WordTable {
    let parts: u32 = table.heads.iter().map(|(_, part)| part).sum();
    let width = |part: u32| WIDTH * part as usize / parts.max(1) as usize;
    let widths: Vec<usize> = table.heads.iter().map(|(_, part)| width(*part)).collect();
    // A wide grid is set smaller.
    let size = if widths.len() > 7 { 18 } else { SMALL };
    // A table that fits on a page is not torn apart; a longer one keeps its heads with its first row.
    let together = if table.rows.len() <= FITS {
        table.rows.len()
    } else {
        1
    };
    let cell = |text: &str, at: usize, align: AlignmentType, font: &str, keep: bool| {
        let words = Paragraph::new()
            .align(align)
            .size(size)
            .keep_next(keep)
            .add_run(run(text, font, size));
        TableCell::new()
            .width(widths[at], WidthType::Dxa)
            .vertical_align(VAlignType::Center)
            .add_paragraph(words)
    };
    let heads = table.heads.iter().enumerate().map(|(at, (head, _))| {
        cell(head, at, AlignmentType::Center, HEI, true).shading(Shading::new().fill("E8EDF4"))
    });
    let mut rows = vec![TableRow::new(heads.collect()).cant_split()];
    for (nth, row) in table.rows.iter().enumerate() {
        let keep = nth + 1 < together;
        let cells = row.iter().enumerate().map(|(at, value)| {
            let align = match value {
                Cell::Text(_) => AlignmentType::Left,
                Cell::Hidden | Cell::Blank => AlignmentType::Center,
                _ => AlignmentType::Right,
            };
            cell(&value.shown(), at, align, FANG, keep)
        });
        rows.push(TableRow::new(cells.collect()).cant_split());
    }
    WordTable::new(rows)
        .set_grid(widths.clone())
        .width(WIDTH, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .align(TableAlignmentType::Center)
        .margins(TableCellMargins::new().margin(30, 60, 30, 60))
}

fn limits(report: &Report, painter: Option<&Painter>) -> WordTable {
    let mut cell = TableCell::new()
        .width(WIDTH, WidthType::Dxa)
        .shading(Shading::new().fill("F5F5F0"))
        .add_paragraph(centred(LIMITS, HEI, 24, 60).keep_next(true));
    let no_font =
        "本机没有中文字体，图没有画。装上 fonts-noto-cjk 或 fonts-wqy-microhei 再生成一次就有了。";
    let left_out = painter.is_none().then_some(no_font);
    for (at, limit) in report
        .limits
        .iter()
        .map(String::as_str)
        .chain(left_out)
        .enumerate()
    {
        let text = format!("{}. {limit}", at + 1);
        cell = cell.add_paragraph(
            Paragraph::new()
                .keep_next(true)
                .line_spacing(LineSpacing::new().before(40).after(40))
                .add_run(run(&text, FANG, SMALL)),
        );
    }
    WordTable::new(vec![TableRow::new(vec![cell])])
        .set_grid(vec![WIDTH])
        .width(WIDTH, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .margins(TableCellMargins::new().margin(60, 120, 60, 120))
}
