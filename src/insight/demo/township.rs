//! The invented township: what its villages are called, and where its boards hang.

/// Its name.
pub const TOWNSHIP: &str = "青石镇";

/// Codes of its regions, as in the year, with their names.
pub const NAMES: [(&str, &str); 12] = [
    ("r01", "青石社区"),
    ("r02", "河东社区"),
    ("r03", "柳树湾村"),
    ("r04", "石桥村"),
    ("r05", "白果坪村"),
    ("r06", "上河村"),
    ("r07", "下河村"),
    ("r08", "双井村"),
    ("r09", "桃花沟村"),
    ("r10", "云台村"),
    ("r11", "响水村"),
    ("r12", "黄泥岗村"),
];

/// An invented board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventedBoard {
    /// Its number in the year.
    pub number: &'static str,
    /// What staff call it.
    pub name: &'static str,
    /// Place id.
    pub place: &'static str,
    /// Region code.
    pub region: &'static str,
    /// Which of the year's activities it was put up for, from 0.
    pub activity: Option<usize>,
}

/// One board in each region.
pub const BOARDS: [InventedBoard; 12] = [
    board("01", "青石社区便民大厅海报", "community", "r01", None),
    board("02", "河东社区文化广场宣传栏", "community", "r02", Some(1)),
    board("03", "柳树湾村村委会宣传栏", "village", "r03", Some(1)),
    board("04", "石桥村集市横幅", "village", "r04", None),
    board("05", "白果坪村卫生室海报", "village", "r05", None),
    board("06", "上河村工地宿舍海报", "enterprise", "r06", Some(0)),
    board("07", "下河村村口宣传栏", "village", "r07", Some(0)),
    board("08", "双井村小学黑板报", "school", "r08", None),
    board("09", "桃花沟村合作社海报", "unit", "r09", None),
    board("10", "云台村文化礼堂宣传栏", "village", "r10", Some(2)),
    board("11", "响水村村委会宣传栏", "village", "r11", Some(2)),
    board("12", "黄泥岗村村口宣传栏", "village", "r12", None),
];

const fn board(
    number: &'static str,
    name: &'static str,
    place: &'static str,
    region: &'static str,
    activity: Option<usize>,
) -> InventedBoard {
    InventedBoard {
        number,
        name,
        place,
        region,
        activity,
    }
}

#[cfg(test)]
mod tests {
    use super::super::year::{REGIONS, board_of};
    use super::*;

    #[test]
    fn every_region_has_its_name_and_its_board() {
        for (at, (code, _)) in REGIONS.iter().enumerate() {
            assert_eq!(NAMES[at].0, *code);
            assert_eq!(
                (BOARDS[at].region, BOARDS[at].number),
                (*code, board_of(code))
            );
        }
    }
}
