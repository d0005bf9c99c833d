//! A Chinese font of the system: none is shipped, because none is small.

use std::sync::Arc;

use resvg::usvg::fontdb::{Database, Family, ID, Query};

/// Fonts that hold Chinese, the nicest first.
const FAMILIES: [&str; 14] = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "SimSun",
    "FangSong",
    "AR PL UMing CN",
    "AR PL UKai CN",
    "Droid Sans Fallback",
];

/// The system's fonts, and the nicest family among them that holds Chinese.
pub struct ChineseFont {
    /// All fonts.
    pub fonts: Arc<Database>,
    /// The family.
    pub family: &'static str,
    /// Its regular face.
    pub id: ID,
}

impl ChineseFont {
    /// Looks among the fonts of the system; `None` when none holds Chinese.
    pub fn of_system() -> Option<Self> {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        let (family, id) = FAMILIES.into_iter().find_map(|family| {
            let query = Query {
                families: &[Family::Name(family)],
                ..Query::default()
            };
            Some((family, fonts.query(&query)?))
        })?;
        Some(Self {
            fonts: Arc::new(fonts),
            family,
            id,
        })
    }
}
