//! What may leave the office: no figure about one to four people, and none that gives one away.
//!
//! Cells with one to four askers, and cells that a table must not show whatever their size (sensitive
//! topics by region), are hidden. Because tables come with totals, that is not enough: more cells
//! are hidden until nothing can be computed back.
//!
//! **Rule.** All sums among published cells (row + row = total, in all tables of one publication
//! together) are equations. Whatever somebody can compute about hidden cells is a sum of these
//! equations. Hidden *small* cells must therefore be balanced by hidden *large* ones: the columns of
//! coefficients of the small must lie in the span of those of the large (small cells that add up to a
//! small total count as one: that they do is no secret worth keeping). Then every number that can be
//! computed about hidden cells holds a large cell, which stands for five people or more, and no small
//! cell is ever alone. Where a table has too few large cells for that, all of it is hidden.
//!
//! Zero is shown: it is about nobody.
//!
//! **Finer tables.** A table that breaks a shown one down further ([`Publication::extend`]) must not cost it
//! a cell: what its small cells need is hidden in the finer table itself. Where that cannot be done, or
//! leaves less than half of it, the finer table is held back whole, zeros and all: then nothing is known of its cells
//! but the totals that are shown anyway.

use std::collections::{BTreeMap, BTreeSet};

use super::{FEWEST_ASKERS, Facet, Tally, Totals};

/// The name of a cell: the same set of questions has the same name in every table.
pub type CellId = String;

/// The name of a facet's cell.
pub fn cell_id(facet: Facet, key: &str) -> CellId {
    match facet {
        Facet::All => String::new(),
        _ => format!("{facet:?}:{key}"),
    }
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    questions: u64,
    small: bool,
}

/// Total = sum of parts.
#[derive(Debug, Clone)]
struct Sum {
    total: CellId,
    parts: Vec<CellId>,
    withheld: bool,
}

/// Everything that is published together: one report, or one page.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    cells: BTreeMap<CellId, Cell>,
    sums: Vec<Sum>,
    /// Never hidden to protect others: without it a table says nothing.
    anchors: BTreeSet<CellId>,
}

/// Which cells are hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden(BTreeSet<CellId>);

impl Hidden {
    /// Whether a cell may be shown.
    pub fn shows(&self, cell: &str) -> bool {
        !self.0.contains(cell)
    }

    /// Whether a facet's cell may be shown.
    pub fn shows_cell(&self, facet: Facet, key: &str) -> bool {
        self.shows(&cell_id(facet, key))
    }

    /// How many cells are hidden.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Publication {
    /// Adds a cell; its counts of questions and, where `askers` is one to four or `never` is set, its
    /// being hidden.
    pub fn cell(&mut self, id: impl Into<CellId>, questions: u64, askers: u64, never: bool) {
        // Questions of people nobody remembers: no asker to protect, but none to be sure of.
        let small = questions > 0 && (never || askers < FEWEST_ASKERS);
        self.cells.insert(id.into(), Cell { questions, small });
    }

    /// Adds a cell from a tally.
    pub fn tally(&mut self, id: impl Into<CellId>, tally: &Tally, never: bool) {
        let askers = tally.asker_count().count;
        self.cell(id, tally.questions, askers, never);
    }

    /// Says that cells add up to a total. All of them must have been added; parts that are 0 may be
    /// left out.
    pub fn sum(&mut self, total: impl Into<CellId>, parts: impl IntoIterator<Item = CellId>) {
        self.sums.push(Sum {
            total: total.into(),
            parts: parts.into_iter().collect(),
            withheld: false,
        });
    }

    /// Keeps a cell from being hidden for the sake of others.
    pub fn anchor(&mut self, id: impl Into<CellId>) {
        self.anchors.insert(id.into());
    }

    /// Adds all cells of a facet and that they add up to everything.
    pub fn list(&mut self, facet: Facet, totals: &Totals) {
        for (key, tally) in totals {
            self.tally(cell_id(facet, key), tally, false);
        }
        let parts: Vec<CellId> = totals.keys().map(|key| cell_id(facet, key)).collect();
        self.sum("", parts);
    }

    /// Both together, whatever that hides.
    #[cfg(test)]
    pub(super) fn merge(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.sums.extend(other.sums);
    }

    /// Totals that are not what their parts add up to: then suppression would protect nothing.
    #[cfg(test)]
    pub(super) fn wrong_sums(&self) -> Vec<&str> {
        let count = |id: &CellId| self.cells.get(id).map_or(0, |cell| cell.questions);
        let wrong = self
            .sums
            .iter()
            .filter(|sum| count(&sum.total) != sum.parts.iter().map(count).sum::<u64>());
        wrong.map(|sum| sum.total.as_str()).collect()
    }

    fn is_small(&self, id: &str) -> bool {
        self.cells.get(id).is_some_and(|cell| cell.small)
    }

    /// The coefficients of every cell in the sums that are not withheld.
    fn columns(&self) -> BTreeMap<&str, Column> {
        let mut columns: BTreeMap<&str, Column> = BTreeMap::new();
        let sums = self.sums.iter().filter(|sum| !sum.withheld);
        for (row, sum) in sums.enumerate() {
            for (id, sign) in sum
                .parts
                .iter()
                .map(|part| (part.as_str(), 1))
                .chain([(sum.total.as_str(), PRIME - 1)])
            {
                if self.cells.get(id).is_some_and(|c| c.questions > 0) {
                    columns.entry(id).or_default().insert(row, sign);
                }
            }
        }
        columns
    }

    fn holds(&self, id: &str) -> bool {
        self.cells.get(id).is_some_and(|cell| cell.questions > 0)
    }

    /// Decides what is hidden.
    pub fn protect(mut self) -> Hidden {
        let cells = self.cells.iter();
        let mut hidden: BTreeSet<CellId> = cells
            .filter(|(_, cell)| cell.small)
            .map(|(id, _)| id.clone())
            .collect();
        while let Some(stuck) = self.cover(&mut hidden) {
            self.withhold(stuck, &mut hidden);
        }
        Hidden(hidden)
    }

    /// Publishes a finer table as well, with `hidden` what is hidden so far, unless a cell shown so far would
    /// have to be hidden for it or less than half of its own could be shown. Whether it was; if not, all of
    /// its cells are hidden and not even its zeros may be told.
    pub fn extend(&mut self, hidden: &mut Hidden, finer: Self) -> bool {
        let mut both = self.clone();
        let shown = self.cells.keys().filter(|id| hidden.shows(id)).cloned();
        both.anchors.extend(shown);
        both.cells.extend(finer.cells.clone());
        both.sums.extend(finer.sums);
        let own: Vec<&CellId> = finer
            .cells
            .iter()
            .filter(|(_, cell)| cell.questions > 0)
            .map(|(id, _)| id)
            .collect();
        let small = both.cells.iter().filter(|(_, cell)| cell.small);
        let mut needed: BTreeSet<CellId> = small.map(|(id, _)| id.clone()).collect();
        needed.extend(hidden.0.iter().cloned());
        let covered = both.cover(&mut needed).is_none();
        let left = own.iter().filter(|id| !needed.contains(**id)).count();
        if covered && left * 2 >= own.len() {
            hidden.0.extend(needed);
            *self = both;
            return true;
        }
        hidden.0.extend(own.into_iter().cloned());
        false
    }

    /// Hides all tables that hang together with a cell: of them nothing but the anchors is known.
    fn withhold(&mut self, stuck: CellId, hidden: &mut BTreeSet<CellId>) {
        let mut open = vec![stuck];
        while let Some(id) = open.pop() {
            if self.anchors.contains(&id) {
                continue;
            }
            for sum in self.sums.iter_mut().filter(|sum| !sum.withheld) {
                if sum.total == id || sum.parts.contains(&id) {
                    sum.withheld = true;
                    open.push(sum.total.clone());
                    open.extend(sum.parts.iter().cloned());
                }
            }
            if self.holds(&id) {
                hidden.insert(id);
            }
        }
    }

    /// Hides large cells until all small ones are balanced; returns a cell that cannot be.
    fn cover(&self, hidden: &mut BTreeSet<CellId>) -> Option<CellId> {
        let columns = self.columns();
        let mut basis = Basis::default();
        for id in columns.keys() {
            if hidden.contains(*id) && !self.is_small(id) {
                basis.add(id, &columns[id]);
            }
        }
        // What costs least is hidden first; ties by name, so that the same figures always give the
        // same tables.
        let mut open: Vec<&str> = columns.keys().copied().collect();
        open.retain(|id| {
            !self.is_small(id) && !hidden.contains(*id) && !self.anchors.contains(*id)
        });
        open.sort_by_key(|id| (self.cells[*id].questions, *id));
        for id in open {
            basis.add(id, &columns[id]);
        }
        for (id, column) in self.small_columns(&columns) {
            match basis.express(&column) {
                Some(used) => hidden.extend(used.into_iter().map(str::to_owned)),
                None => return Some(id),
            }
        }
        None
    }

    /// The columns of small cells, joined where sums hold nothing but small cells: one for each way
    /// in which the small cells can change together without breaking such a sum.
    fn small_columns(&self, columns: &BTreeMap<&str, Column>) -> Vec<(CellId, Column)> {
        let names: Vec<&str> = columns
            .keys()
            .copied()
            .filter(|id| self.is_small(id))
            .collect();
        let number: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        let mut rows = Basis::default();
        let sums = self.sums.iter().filter(|sum| !sum.withheld);
        for sum in sums {
            let cells = sum.parts.iter().map(|part| (part.as_str(), 1));
            let cells = cells.chain([(sum.total.as_str(), PRIME - 1)]);
            let cells: Vec<_> = cells.filter(|(id, _)| self.holds(id)).collect();
            if cells.iter().all(|(id, _)| self.is_small(id)) {
                let row: Column = cells.iter().map(|(id, sign)| (number[id], *sign)).collect();
                rows.add("", &row);
            }
        }
        let bound = rows.solved();
        let free = (0..names.len()).filter(|n| !bound.contains_key(n));
        free.map(|n| {
            let mut column = columns[names[n]].clone();
            for (pivot, row) in &bound {
                if let Some(times) = row.get(&n) {
                    add(&mut column, &columns[names[*pivot]], PRIME - times);
                }
            }
            (names[n].to_owned(), column)
        })
        .collect()
    }
}

/// Arithmetic modulo a prime: a set of ±1 columns that depends on others modulo a prime this large
/// and not in fractions does not occur in tables of sums.
const PRIME: u64 = 2_147_483_647;

/// Coefficients by row, without zeros.
type Column = BTreeMap<usize, u64>;

fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut out = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = out * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    out
}

/// `to` += `times` × `column`.
fn add<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, column: &BTreeMap<K, u64>, times: u64) {
    for (row, value) in column {
        let sum = (to.get(row).copied().unwrap_or(0) + value * times) % PRIME;
        if sum == 0 {
            to.remove(row);
        } else {
            to.insert(*row, sum);
        }
    }
}

/// Independent columns by leading row, each with what it is made of.
#[derive(Default)]
struct Basis<'a> {
    rows: BTreeMap<usize, (Column, BTreeMap<&'a str, u64>)>,
}

impl<'a> Basis<'a> {
    /// What is left of a column after subtracting the basis, and what was subtracted.
    fn reduce(&self, column: &Column) -> (Column, BTreeMap<&'a str, u64>) {
        let (mut left, mut made_of) = (column.clone(), BTreeMap::new());
        let mut from = 0;
        while let Some((row, value)) = left.range(from..).next().map(|(r, v)| (*r, *v)) {
            from = row + 1;
            if let Some((pivot, parts)) = self.rows.get(&row) {
                add(&mut left, pivot, PRIME - value);
                add(&mut made_of, parts, PRIME - value);
            }
        }
        (left, made_of)
    }

    /// Adds a column unless it depends on those that are there.
    fn add(&mut self, name: &'a str, column: &Column) {
        let (left, mut made_of) = self.reduce(column);
        let Some((row, value)) = left.iter().next().map(|(r, v)| (*r, *v)) else {
            return;
        };
        add(&mut made_of, &BTreeMap::from([(name, 1)]), 1);
        let scale = power(value, PRIME - 2);
        let scaled = |map: &BTreeMap<&'a str, u64>| -> BTreeMap<&'a str, u64> {
            map.iter().map(|(k, v)| (*k, v * scale % PRIME)).collect()
        };
        let pivot = left.iter().map(|(r, v)| (*r, v * scale % PRIME)).collect();
        self.rows.insert(row, (pivot, scaled(&made_of)));
    }

    /// The vectors by leading coordinate, each without the leading coordinates of the others.
    fn solved(&self) -> BTreeMap<usize, Column> {
        let mut out: BTreeMap<usize, Column> = BTreeMap::new();
        for (lead, (vector, _)) in self.rows.iter().rev() {
            let mut vector = vector.clone();
            for (other, clean) in &out {
                if let Some(times) = vector.get(other).copied() {
                    add(&mut vector, clean, PRIME - times);
                }
            }
            out.insert(*lead, vector);
        }
        out
    }

    /// The columns that add up to this one; `None` when none do.
    fn express(&self, column: &Column) -> Option<Vec<&'a str>> {
        let (left, made_of) = self.reduce(column);
        left.is_empty().then(|| made_of.into_keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Row and column totals and the total of a table of askers, every asker one question each.
    fn publication(table: &[Vec<u64>], never: &[(usize, usize)]) -> Publication {
        let mut out = Publication::default();
        let columns = table.first().map_or(0, Vec::len);
        let id = |r: usize, c: usize| format!("r{r}|c{c}");
        let mut total = 0;
        for (r, row) in table.iter().enumerate() {
            for (c, n) in row.iter().enumerate() {
                out.cell(id(r, c), *n, *n, never.contains(&(r, c)));
            }
            let sum = row.iter().sum::<u64>();
            total += sum;
            out.cell(format!("r{r}"), sum, sum, false);
            out.sum(format!("r{r}"), (0..columns).map(|c| id(r, c)));
        }
        for c in 0..columns {
            let sum = table.iter().map(|row| row[c]).sum::<u64>();
            out.cell(format!("c{c}"), sum, sum, false);
            out.sum(format!("c{c}"), (0..table.len()).map(|r| id(r, c)));
        }
        out.cell("", total, total, false);
        out.anchor("");
        out.sum("", (0..table.len()).map(|r| format!("r{r}")));
        out.sum("", (0..columns).map(|c| format!("c{c}")));
        out
    }

    /// The attacker: all sums as equations over hidden cells in fractions, eliminated; every sum of
    /// hidden cells that can be computed without a large one, and bounds by propagation.
    fn attack(publication: &Publication, hidden: &Hidden) -> Result<(), String> {
        let mut names: Vec<&str> = Vec::new();
        // Large cells first: rows that are zero on them are what is known about small ones alone.
        for wanted in [false, true] {
            let of = publication.cells.iter();
            let of = of.filter(|(id, c)| !hidden.shows(id) && c.questions > 0 && c.small == wanted);
            names.extend(of.map(|(id, _)| id.as_str()));
        }
        let large = names.iter().filter(|n| !publication.is_small(n)).count();
        let mut rows: Vec<(Vec<f64>, f64)> = Vec::new();
        let mut sums: Vec<(Vec<(usize, f64)>, f64)> = Vec::new();
        for sum in &publication.sums {
            let mut row = vec![0.0; names.len()];
            let mut known = 0.0;
            let parts = sum.parts.iter().map(|p| (p, 1.0));
            for (id, sign) in parts.chain([(&sum.total, -1.0)]) {
                match names.iter().position(|n| n == id) {
                    Some(at) => row[at] += sign,
                    None => known -= sign * publication.cells[id].questions as f64,
                }
            }
            let used = row.iter().enumerate().filter(|(_, v)| **v != 0.0);
            sums.push((used.map(|(at, v)| (at, *v)).collect(), known));
            rows.push((row, known));
        }
        let mut next = 0;
        for column in 0..names.len() {
            let pivot = (next..rows.len()).max_by(|a, b| {
                rows[*a].0[column]
                    .abs()
                    .total_cmp(&rows[*b].0[column].abs())
            });
            let Some(pivot) = pivot.filter(|p| rows[*p].0[column].abs() > 1e-9) else {
                continue;
            };
            rows.swap(next, pivot);
            let lead = rows[next].clone();
            for (at, row) in rows.iter_mut().enumerate().filter(|(at, _)| *at != next) {
                let times = row.0[column] / lead.0[column];
                if times.abs() > 1e-12 && at > next {
                    for (value, more) in row.0.iter_mut().zip(&lead.0) {
                        *value -= times * more;
                    }
                    row.1 -= times * lead.1;
                }
            }
            next += 1;
        }
        for (row, known) in &rows {
            let used: Vec<&str> = (0..names.len())
                .filter(|at| row[*at].abs() > 1e-9)
                .map(|at| names[at])
                .collect();
            let only_small = row[..large].iter().all(|v| v.abs() < 1e-9);
            // A sum over small cells that says no more than "the parts are the total", which is
            // published with five askers or more.
            let harmless = used.len() > 1 && (known.abs() < 1e-9 || known.abs() >= 5.0);
            if only_small && !used.is_empty() && !harmless {
                return Err(format!("{used:?} can be computed: {known}"));
            }
        }
        let mut bounds = vec![(0.0, 1e9); names.len()];
        for _ in 0..50 {
            for (parts, known) in &sums {
                for (at, sign) in parts {
                    let (mut low, mut high) = (*known, *known);
                    for (other, s) in parts.iter().filter(|(other, _)| other != at) {
                        let (a, b) = bounds[*other];
                        low -= if *s > 0.0 { b } else { -a };
                        high -= if *s > 0.0 { a } else { -b };
                    }
                    let (low, high) = if *sign > 0.0 {
                        (low, high)
                    } else {
                        (-high, -low)
                    };
                    let own: &mut (f64, f64) = &mut bounds[*at];
                    *own = (own.0.max(low), own.1.min(high));
                }
            }
        }
        for (at, (low, high)) in bounds.iter().enumerate().skip(large) {
            if high - low < 1.0 {
                return Err(format!("{} lies in {low}..{high}", names[at]));
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn nothing_small_can_be_computed_from_a_table(
            table in (2usize..7, 2usize..7).prop_flat_map(|(r, c)| prop::collection::vec(
                prop::collection::vec(prop_oneof![3 => 0u64..9, 2 => 5u64..60], c), r)),
            never in prop::collection::vec((0usize..7, 0usize..7), 0..3),
        ) {
            let publication = publication(&table, &never);
            let hidden = publication.clone().protect();
            for (id, cell) in &publication.cells {
                prop_assert!(!cell.small || !hidden.shows(id));
            }
            if let Err(found) = attack(&publication, &hidden) {
                prop_assert!(false, "{} in {:?} hidden {:?}", found, table, hidden);
            }
        }

        /// A table that breaks down margins that are shown already.
        #[test]
        fn a_finer_table_costs_the_coarser_nothing_and_gives_nothing_away(
            table in (2usize..7, 2usize..7).prop_flat_map(|(r, c)| prop::collection::vec(
                prop::collection::vec(prop_oneof![3 => 0u64..9, 2 => 5u64..60], c), r)),
        ) {
            let whole = publication(&table, &[]);
            let inner = |id: &str| id.contains('|');
            let (mut finer, mut coarse) = (Publication::default(), Publication::default());
            for (id, cell) in &whole.cells {
                let to = if inner(id) { &mut finer } else { &mut coarse };
                to.cell(id.clone(), cell.questions, cell.questions, false);
            }
            for sum in &whole.sums {
                let to = if sum.parts.iter().any(|id| inner(id)) { &mut finer } else { &mut coarse };
                to.sum(sum.total.clone(), sum.parts.clone());
            }
            coarse.anchor("");
            let before = coarse.clone().protect();
            let (mut hidden, names) = (before.clone(), finer.cells.keys().cloned());
            let names: Vec<CellId> = names.collect();
            let told = coarse.extend(&mut hidden, finer);
            for id in coarse.cells.keys().filter(|id| !inner(id)) {
                prop_assert_eq!(hidden.shows(id), before.shows(id), "{}", id);
            }
            let shown = names.iter().filter(|id| hidden.shows(id) && whole.holds(id));
            prop_assert!(told || shown.count() == 0);
            if let Err(found) = attack(&coarse, &hidden) {
                prop_assert!(false, "{} in {:?} hidden {:?} told {}", found, table, hidden, told);
            }
        }

        /// Months × places, months × topics and places × topics of the same questions.
        #[test]
        fn nothing_small_can_be_computed_across_tables(
            cube in prop::collection::vec(prop_oneof![2 => 0u64..4, 1 => 3u64..30], 27),
        ) {
            let mut out = Publication::default();
            let names = ["m", "p", "t"];
            let at = |i: usize| [i / 9, i / 3 % 3, i % 3];
            let count = |keep: &dyn Fn([usize; 3]) -> bool| -> u64 {
                (0..27).filter(|i| keep(at(*i))).map(|i| cube[i]).sum()
            };
            let total = count(&|_| true);
            out.cell("", total, total, false);
            out.anchor("");
            for d in 0..3 {
                for v in 0..3 {
                    let n = count(&|x| x[d] == v);
                    out.cell(format!("{}{v}", names[d]), n, n, false);
                }
                out.sum("", (0..3).map(|v| format!("{}{v}", names[d])));
            }
            for (d, e) in [(0, 1), (0, 2), (1, 2)] {
                let id = |v: usize, w: usize| format!("{}{v}{}{w}", names[d], names[e]);
                for v in 0..3 {
                    for w in 0..3 {
                        let n = count(&|x| x[d] == v && x[e] == w);
                        out.cell(id(v, w), n, n, false);
                    }
                }
                for v in 0..3 {
                    out.sum(format!("{}{v}", names[d]), (0..3).map(|w| id(v, w)));
                    out.sum(format!("{}{v}", names[e]), (0..3).map(|w| id(w, v)));
                }
            }
            let hidden = out.clone().protect();
            if let Err(found) = attack(&out, &hidden) {
                prop_assert!(false, "{} hidden {:?}", found, hidden);
            }
        }
    }

    #[test]
    fn the_attacker_finds_what_primary_suppression_leaves() {
        let table = vec![vec![3, 40], vec![30, 50]];
        let publication = publication(&table, &[]);
        let only_small = Hidden(BTreeSet::from(["r0|c0".to_owned()]));
        assert!(attack(&publication, &only_small).is_err());
        let hidden = publication.protect();
        assert_eq!(
            hidden.len(),
            4,
            "all four, because of the totals: {hidden:?}"
        );
    }

    #[test]
    fn hides_the_cheapest_and_leaves_the_rest() {
        let mut totals = Publication::default();
        for (id, n) in [("a", 2), ("b", 9), ("c", 40), ("d", 0)] {
            totals.cell(id, n, n, false);
        }
        totals.cell("", 51, 51, false);
        totals.anchor("");
        totals.sum("", ["a", "b", "c", "d"].map(str::to_owned));
        let hidden = totals.protect();
        let shown = ["a", "b", "c", "d", ""].map(|id| hidden.shows(id));
        assert_eq!(shown, [false, false, true, true, true]);
    }

    #[test]
    fn a_total_of_two_small_cells_stays() {
        let mut totals = Publication::default();
        for (id, n) in [("a", 3), ("b", 3), ("", 6)] {
            totals.cell(id, n, n, false);
        }
        totals.anchor("");
        totals.sum("", ["a", "b"].map(str::to_owned));
        let hidden = totals.protect();
        assert!(hidden.shows("") && !hidden.shows("a") && !hidden.shows("b"));
    }
}
