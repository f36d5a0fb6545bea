//! Documents for word processors.

use std::io::Cursor;

use docx_rs::{
    AlignmentType, BreakType, Docx, Footer, LineSpacing, NumPages, PageMargin, PageNum, PageOrientationType,
    PageSize, Paragraph, Run, RunFonts, SectionProperty, Table, TableCell, TableLayoutType, TableRow,
    WidthType,
};

use super::document::{Block, Document, Field, Lines, Run as Piece, Section, Style};
use super::error::Error;
use super::words::Lang;

/// A4 in twentieths of a point.
const A4: (u32, u32) = (11_906, 16_838);

/// 20 mm in twentieths of a point.
const MARGIN: u32 = 1_134;

/// The width of a form's left column.
const LABEL_WIDTH: u32 = 2_600;

/// The name by which the one footer of all sections is known inside the file.
const FIRST_FOOTER: &str = "rIdFooter1";

/// Sizes in half points.
const PLAIN: usize = 21;
const SMALL: usize = 18;
const HEADING: usize = 24;
const TITLE: usize = 32;

/// Renders a document. Same document, same bytes.
pub(super) fn render(document: &Document, date: &str) -> Result<Vec<u8>, Error> {
    let fonts = fonts(document.language);
    let instant = format!("{date}T00:00:00Z");
    let footer = Footer::new().add_paragraph(
        Paragraph::new()
            .align(AlignmentType::Center)
            .add_run(Run::new().size(SMALL).add_text(format!("{} ", document.footer)))
            .add_page_num(PageNum::new())
            .add_run(Run::new().size(SMALL).add_text(" / "))
            .add_num_pages(NumPages::new()),
    );
    let mut docx = Docx::new()
        .default_fonts(fonts)
        .default_size(PLAIN)
        .created_at(&instant)
        .updated_at(&instant)
        .footer(footer.clone());
    let last = document.sections.len().saturating_sub(1);
    for (n, section) in document.sections.iter().enumerate() {
        for one in blocks(section, (n == 0).then_some(document)) {
            docx = match one {
                Made::Paragraph(paragraph) => docx.add_paragraph(*paragraph),
                Made::Table(table) => docx.add_table(*table),
            };
        }
        let (width, height) = page_size(section.landscape);
        if n < last {
            let end = section_end(section.landscape).footer(footer.clone(), FIRST_FOOTER);
            docx = docx.add_paragraph(gap().section_property(end));
        } else {
            docx = docx.page_size(width, height).page_margin(page_margin());
            if section.landscape {
                docx = docx.page_orient(PageOrientationType::Landscape);
            }
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    docx.build().pack(&mut bytes).map_err(|error| Error::Docx(error.to_string()))?;
    Ok(bytes.into_inner())
}

fn fonts(lang: Lang) -> RunFonts {
    let east_asia = match lang {
        Lang::Japanese => "MS Mincho",
        Lang::Chinese | Lang::AmericanEnglish | Lang::English => "SimSun",
    };
    RunFonts::new()
        .ascii("Times New Roman")
        .hi_ansi("Times New Roman")
        .cs("Times New Roman")
        .east_asia(east_asia)
}

/// What a section's blocks come to.
enum Made {
    Paragraph(Box<Paragraph>),
    Table(Box<Table>),
}

impl From<Paragraph> for Made {
    fn from(paragraph: Paragraph) -> Self {
        Self::Paragraph(Box::new(paragraph))
    }
}

/// What ends a section whose pages stand or lie as told.
fn section_end(landscape: bool) -> SectionProperty {
    let (width, height) = page_size(landscape);
    let end =
        SectionProperty::new().page_size(PageSize::new().size(width, height)).page_margin(page_margin());
    if landscape { end.page_orient(PageOrientationType::Landscape) } else { end }
}

const fn page_size(landscape: bool) -> (u32, u32) {
    if landscape { (A4.1, A4.0) } else { A4 }
}

fn page_margin() -> PageMargin {
    let margin = MARGIN as i32;
    PageMargin::new().top(margin).bottom(margin).left(margin).right(margin)
}

fn blocks(section: &Section, head: Option<&Document>) -> Vec<Made> {
    let mut made = Vec::new();
    if let Some(document) = head {
        made.push(Made::from(title(&one_line(&document.title))));
        if !document.subtitle.is_empty() {
            let subtitle = text(&one_line(&document.subtitle), SMALL, false);
            made.push(Made::from(subtitle.align(AlignmentType::Center)));
        }
    }
    let width = page_size(section.landscape).0.saturating_sub(2 * MARGIN);
    for block in &section.blocks {
        made_of(block, width, &mut made);
    }
    made
}

fn one_line(text: &str) -> Lines {
    vec![vec![Piece { literal: false, text: text.to_owned() }]]
}

fn made_of(block: &Block, width: u32, made: &mut Vec<Made>) {
    match block {
        Block::Title { lines } => made.push(Made::from(title(lines))),
        Block::Heading { lines } => {
            let spacing = LineSpacing::new().before(240).after(80);
            made.push(Made::from(text(lines, HEADING, true).line_spacing(spacing).keep_next(true)));
        }
        Block::Text { style, lines } => {
            made.extend(lines.iter().map(|line| Made::from(styled(*style, line))));
        }
        Block::Fields { rows, tall } => {
            made.push(Made::Table(Box::new(form(rows, *tall, width))));
            made.push(Made::from(gap()));
        }
        Block::List { items } => made.extend(items.iter().enumerate().map(|(n, item)| {
            let numbered = Paragraph::new().add_run(Run::new().size(PLAIN).add_text(format!("{}. ", n + 1)));
            Made::from(with_lines(numbered, item, PLAIN, false).indent(Some(420), None, None, None))
        })),
        Block::Table { head, widths, rows } => {
            made.push(Made::Table(Box::new(table(head, widths, rows, width))));
            made.push(Made::from(gap()));
        }
    }
}

fn title(lines: &Lines) -> Paragraph {
    let spacing = LineSpacing::new().before(120).after(240);
    text(lines, TITLE, true).align(AlignmentType::Center).line_spacing(spacing)
}

fn styled(style: Style, line: &[Piece]) -> Paragraph {
    let lines = vec![line.to_vec()];
    match style {
        Style::Plain => text(&lines, PLAIN, false),
        Style::Note => text(&lines, SMALL, false),
        Style::Center => text(&lines, PLAIN, false).align(AlignmentType::Center),
        Style::Right => text(&lines, PLAIN, false).align(AlignmentType::Right),
    }
}

/// Tables that follow each other would grow together.
fn gap() -> Paragraph {
    Paragraph::new().add_run(Run::new().size(8).add_text(""))
}

fn text(lines: &Lines, size: usize, bold: bool) -> Paragraph {
    with_lines(Paragraph::new(), lines, size, bold)
}

fn with_lines(mut paragraph: Paragraph, lines: &Lines, size: usize, bold: bool) -> Paragraph {
    for (n, line) in lines.iter().enumerate() {
        if n > 0 {
            paragraph = paragraph.add_run(Run::new().add_break(BreakType::TextWrapping));
        }
        for piece in line {
            let size = if piece.literal { size - 2 } else { size };
            let run = Run::new().size(size).add_text(piece.text.as_str());
            paragraph = paragraph.add_run(if bold { run.bold() } else { run });
        }
    }
    paragraph
}

fn form(rows: &[Field], tall: bool, width: u32) -> Table {
    let widths = [LABEL_WIDTH, width.saturating_sub(LABEL_WIDTH)];
    let rows = rows.iter().map(|row| {
        let mut label = text(&row.label, PLAIN, false);
        if row.must {
            label = label.add_run(Run::new().size(PLAIN).color("AA0000").add_text("＊"));
        }
        let made =
            TableRow::new(vec![cell(label, widths[0]), cell(text(&row.value, PLAIN, false), widths[1])]);
        if tall { made.row_height(900.0) } else { made }
    });
    laid_out(rows.collect(), &widths)
}

fn table(head: &[Lines], shares: &[u16], rows: &[Vec<Lines>], width: u32) -> Table {
    let sum: u32 = shares.iter().map(|share| u32::from(*share)).sum();
    let widths: Vec<u32> = shares.iter().map(|share| width * u32::from(*share) / sum.max(1)).collect();
    let row_of = |cells: &[Lines], bold: bool| {
        let cells = cells.iter().zip(&widths);
        TableRow::new(cells.map(|(lines, width)| cell(text(lines, SMALL, bold), *width)).collect())
    };
    let rows = std::iter::once(row_of(head, true)).chain(rows.iter().map(|row| row_of(row, false)));
    laid_out(rows.collect(), &widths)
}

fn cell(paragraph: Paragraph, width: u32) -> TableCell {
    TableCell::new().width(width as usize, WidthType::Dxa).add_paragraph(paragraph)
}

fn laid_out(rows: Vec<TableRow>, widths: &[u32]) -> Table {
    let grid: Vec<usize> = widths.iter().map(|width| *width as usize).collect();
    let whole = grid.iter().sum();
    Table::new(rows).set_grid(grid).layout(TableLayoutType::Fixed).width(whole, WidthType::Dxa)
}
