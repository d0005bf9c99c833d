//! The ledger (台账) of publicity activities: what was done, where, about what, by whom.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::calendar::{day_of, number_of};
use super::{Database, JournalError, OfficeId};

/// An activity's number in the ledger: small, because staff type it.
pub type ActivityId = i64;

/// How an activity reaches people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// 讲座
    Lecture,
    /// 发放资料
    Leaflets,
    /// 横幅
    Banner,
    /// 宣传栏
    Showcase,
    /// 黑板报
    Blackboard,
    /// 广播
    Broadcast,
    /// 入户
    HomeVisit,
    /// 推送
    Push,
    /// 以案释法
    Cases,
    /// 模拟法庭
    MootCourt,
    /// 现场咨询
    Consultation,
    /// 会议学法
    Meeting,
    /// 文艺演出
    Show,
    /// 视频
    Video,
    /// 其他
    Other,
}

impl Medium {
    /// All media, in the order of the template.
    pub const ALL: [Self; 15] = [
        Self::Lecture,
        Self::Leaflets,
        Self::Banner,
        Self::Showcase,
        Self::Blackboard,
        Self::Broadcast,
        Self::HomeVisit,
        Self::Push,
        Self::Cases,
        Self::MootCourt,
        Self::Consultation,
        Self::Meeting,
        Self::Show,
        Self::Video,
        Self::Other,
    ];

    /// As staff read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lecture => "讲座",
            Self::Leaflets => "发放资料",
            Self::Banner => "横幅",
            Self::Showcase => "宣传栏",
            Self::Blackboard => "黑板报",
            Self::Broadcast => "广播",
            Self::HomeVisit => "入户",
            Self::Push => "推送",
            Self::Cases => "以案释法",
            Self::MootCourt => "模拟法庭",
            Self::Consultation => "现场咨询",
            Self::Meeting => "会议学法",
            Self::Show => "文艺演出",
            Self::Video => "视频",
            Self::Other => "其他",
        }
    }

    /// The medium with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.name() == name)
    }

    fn stored(self) -> &'static str {
        match self {
            Self::Lecture => "lecture",
            Self::Leaflets => "leaflets",
            Self::Banner => "banner",
            Self::Showcase => "showcase",
            Self::Blackboard => "blackboard",
            Self::Broadcast => "broadcast",
            Self::HomeVisit => "home_visit",
            Self::Push => "push",
            Self::Cases => "cases",
            Self::MootCourt => "moot_court",
            Self::Consultation => "consultation",
            Self::Meeting => "meeting",
            Self::Show => "show",
            Self::Video => "video",
            Self::Other => "other",
        }
    }

    fn of_stored(stored: &str) -> Self {
        // A medium that a newer version wrote.
        let all = Self::ALL.into_iter();
        all.rev()
            .find(|m| m.stored() == stored)
            .unwrap_or(Self::Other)
    }
}

/// A publicity activity (普法活动).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// 活动名称
    pub title: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day; the first one when it took one day.
    pub to: NaiveDate,
    /// Place ids it was carried to.
    pub places: Vec<String>,
    /// Sub-topics, or whole top topics, it was about.
    pub topics: Vec<String>,
    /// Region codes; none means the whole township.
    pub regions: Vec<String>,
    /// Where it was held, in words.
    pub venue: String,
    /// How it reached people.
    pub media: Vec<Medium>,
    /// 责任单位
    pub unit: String,
    /// 责任人
    pub person: String,
    /// People who came; `None` when nobody counted.
    pub attendance: Option<u32>,
    /// Leaflets, booklets and the like handed out; `None` when nobody counted.
    pub materials: Option<u32>,
    /// Anything else.
    pub note: String,
    /// Names of photographs, sign-in sheets and the like; the files themselves are kept elsewhere.
    pub attachments: Vec<String>,
}

/// An activity that stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Its number.
    pub id: ActivityId,
    /// What was done.
    pub activity: Activity,
}

/// The ledger. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(super) database: Database,
}

impl Ledger {
    /// The ledger in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Enters activities, all of them or none; returns their numbers in the same order.
    ///
    /// # Errors
    /// When one of them stands in the ledger already (same name, first day and unit), or the
    /// database refuses; nothing is entered then.
    pub async fn add(
        &self,
        activities: &[Activity],
        now: DateTime<Utc>,
    ) -> Result<Vec<ActivityId>, JournalError> {
        let office = &self.database.office;
        let mut transaction = self.database.pool.begin().await?;
        let mut ids = Vec::with_capacity(activities.len());
        for activity in activities {
            let row = sqlx::query(
                "INSERT INTO activity (id, title, first_day, last_day, venue, unit, person, \
                 attendance, materials, note, entered, office) \
                 VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM activity WHERE office = $11), \
                 $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
            )
            .bind(&activity.title)
            .bind(number_of(activity.from))
            .bind(number_of(activity.to))
            .bind(&activity.venue)
            .bind(&activity.unit)
            .bind(&activity.person)
            .bind(activity.attendance.map(i64::from))
            .bind(activity.materials.map(i64::from))
            .bind(&activity.note)
            .bind(now.timestamp_millis())
            .bind(office.as_str())
            .fetch_one(&mut *transaction)
            .await?;
            let id = row.try_get("id")?;
            refuse_twin(&mut transaction, office, id, activity).await?;
            write_parts(&mut transaction, office, id, activity).await?;
            ids.push(id);
        }
        transaction.commit().await?;
        Ok(ids)
    }

    /// Rewrites an activity.
    ///
    /// # Errors
    /// When there is no such activity, another one is the same, or the database refuses.
    pub async fn edit(&self, id: ActivityId, activity: &Activity) -> Result<(), JournalError> {
        let office = &self.database.office;
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE activity SET title = $1, first_day = $2, last_day = $3, venue = $4, unit = $5, \
             person = $6, attendance = $7, materials = $8, note = $9 \
             WHERE id = $10 AND office = $11",
        )
        .bind(&activity.title)
        .bind(number_of(activity.from))
        .bind(number_of(activity.to))
        .bind(&activity.venue)
        .bind(&activity.unit)
        .bind(&activity.person)
        .bind(activity.attendance.map(i64::from))
        .bind(activity.materials.map(i64::from))
        .bind(&activity.note)
        .bind(id)
        .bind(office.as_str())
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Err(JournalError::NoSuchActivity(id));
        }
        refuse_twin(&mut transaction, office, id, activity).await?;
        sqlx::query("DELETE FROM activity_part WHERE activity = $1 AND office = $2")
            .bind(id)
            .bind(office.as_str())
            .execute(&mut *transaction)
            .await?;
        write_parts(&mut transaction, office, id, activity).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes an activity out; boards that were put up for it stay, without it.
    ///
    /// # Errors
    /// When there is no such activity, or the database refuses.
    pub async fn remove(&self, id: ActivityId) -> Result<(), JournalError> {
        let office = &self.database.office;
        let mut transaction = self.database.pool.begin().await?;
        let done = sqlx::query("DELETE FROM activity WHERE id = $1 AND office = $2")
            .bind(id)
            .bind(office.as_str())
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Err(JournalError::NoSuchActivity(id));
        }
        for also in [
            "DELETE FROM activity_part WHERE activity = $1 AND office = $2",
            // Its number may be given away again.
            "UPDATE board SET activity = NULL WHERE activity = $1 AND office = $2",
        ] {
            sqlx::query(also)
                .bind(id)
                .bind(office.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// One activity.
    ///
    /// # Errors
    /// When there is no such activity, or the database refuses.
    pub async fn get(&self, id: ActivityId) -> Result<Activity, JournalError> {
        let all = self.all().await?;
        let found = all.into_iter().find(|entered| entered.id == id);
        found.map_or(Err(JournalError::NoSuchActivity(id)), |e| Ok(e.activity))
    }

    /// All activities in order of time: an office holds some hundreds in a year.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn all(&self) -> Result<Vec<Entered>, JournalError> {
        let mut parts: BTreeMap<ActivityId, Vec<(String, String)>> = BTreeMap::new();
        let rows = sqlx::query(
            "SELECT activity, part, value FROM activity_part WHERE office = $1 \
             ORDER BY activity, part, position",
        )
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        for row in rows {
            let of = parts.entry(row.try_get("activity")?).or_default();
            of.push((row.try_get("part")?, row.try_get("value")?));
        }
        let rows = sqlx::query(
            "SELECT id, title, first_day, last_day, venue, unit, person, attendance, materials, \
             note FROM activity WHERE office = $1 ORDER BY first_day, id",
        )
        .bind(self.database.office.as_str())
        .fetch_all(&self.database.readers)
        .await?;
        let read = |row: &AnyRow| {
            let id = row.try_get("id")?;
            entered(row, id, &parts.remove(&id).unwrap_or_default())
        };
        rows.iter().map(read).collect()
    }
}

fn entered(
    row: &AnyRow,
    id: ActivityId,
    parts: &[(String, String)],
) -> Result<Entered, JournalError> {
    let values = |part: &str| -> Vec<String> {
        let own = parts.iter().filter(|(name, _)| name == part);
        own.map(|(_, value)| value.clone()).collect()
    };
    let count = |column: &str| -> Result<Option<u32>, JournalError> {
        let number: Option<i64> = row.try_get(column)?;
        Ok(number.and_then(|n| u32::try_from(n).ok()))
    };
    let activity = Activity {
        title: row.try_get("title")?,
        from: day_of(row.try_get("first_day")?),
        to: day_of(row.try_get("last_day")?),
        places: values("place"),
        topics: values("topic"),
        regions: values("region"),
        venue: row.try_get("venue")?,
        media: values("medium")
            .iter()
            .map(|m| Medium::of_stored(m))
            .collect(),
        unit: row.try_get("unit")?,
        person: row.try_get("person")?,
        attendance: count("attendance")?,
        materials: count("materials")?,
        note: row.try_get("note")?,
        attachments: values("attachment"),
    };
    Ok(Entered { id, activity })
}

/// Entering the same sheet twice must not double the ledger.
async fn refuse_twin(
    transaction: &mut Transaction<'_, Any>,
    office: &OfficeId,
    id: ActivityId,
    activity: &Activity,
) -> Result<(), JournalError> {
    let twin = sqlx::query(
        "SELECT id FROM activity WHERE title = $1 AND first_day = $2 AND unit = $3 AND id <> $4 \
         AND office = $5",
    )
    .bind(&activity.title)
    .bind(number_of(activity.from))
    .bind(&activity.unit)
    .bind(id)
    .bind(office.as_str())
    .fetch_optional(&mut **transaction)
    .await?;
    match twin {
        Some(_) => Err(JournalError::ActivityExists(activity.title.clone())),
        None => Ok(()),
    }
}

async fn write_parts(
    transaction: &mut Transaction<'_, Any>,
    office: &OfficeId,
    id: ActivityId,
    activity: &Activity,
) -> Result<(), JournalError> {
    let media: Vec<String> = activity
        .media
        .iter()
        .map(|m| m.stored().to_owned())
        .collect();
    for (part, values) in [
        ("place", &activity.places),
        ("topic", &activity.topics),
        ("region", &activity.regions),
        ("medium", &media),
        ("attachment", &activity.attachments),
    ] {
        for (position, value) in (0i64..).zip(values) {
            sqlx::query(
                "INSERT INTO activity_part (activity, part, position, value, office) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(id)
            .bind(part)
            .bind(position)
            .bind(value)
            .bind(office.as_str())
            .execute(&mut **transaction)
            .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::journal::test_database::fresh_database;

    pub(crate) async fn ledger(folder: &std::path::Path) -> Ledger {
        let url = fresh_database(folder, "l.sqlite");
        Ledger::new(Database::open(&url).await.unwrap())
    }

    pub(crate) fn activity(title: &str, unit: &str, day: &str) -> Activity {
        Activity {
            title: title.into(),
            from: day.parse().unwrap(),
            to: day.parse().unwrap(),
            places: vec!["village".into(), "school".into()],
            topics: vec!["labor.wage_arrears".into()],
            regions: vec!["r02".into(), "r01".into()],
            venue: "文化广场".into(),
            media: vec![Medium::Leaflets, Medium::Lecture],
            unit: unit.into(),
            person: "李明".into(),
            attendance: Some(45),
            materials: None,
            note: String::new(),
            attachments: vec!["签到表.pdf".into()],
        }
    }

    #[tokio::test]
    async fn activities_are_read_back_as_entered_edited_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path()).await;
        let (late, early) = (
            activity("下乡", "司法所", "2026-06-10"),
            activity("进校", "派出所", "2026-03-01"),
        );
        let both = [late.clone(), early.clone()];
        assert_eq!(ledger.add(&both, Utc::now()).await.unwrap(), [1, 2]);
        let all = ledger.all().await.unwrap();
        assert_eq!(all[0].activity, early);
        assert_eq!(
            all[1],
            Entered {
                id: 1,
                activity: late
            }
        );
        let mut other = early.clone();
        other.topics.clear();
        other.attendance = None;
        ledger.edit(2, &other).await.unwrap();
        assert_eq!(ledger.get(2).await.unwrap(), other);
        ledger.remove(2).await.unwrap();
        for gone in [
            ledger.get(2).await.map(|_| ()),
            ledger.edit(2, &other).await,
            ledger.remove(2).await,
        ] {
            assert!(matches!(gone, Err(JournalError::NoSuchActivity(2))));
        }
    }

    #[tokio::test]
    async fn one_that_stands_there_already_keeps_all_out() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path()).await;
        let one = activity("下乡", "司法所", "2026-06-10");
        ledger
            .add(std::slice::from_ref(&one), Utc::now())
            .await
            .unwrap();
        let new = activity("进校", "司法所", "2026-06-10");
        let refused = ledger.add(&[new.clone(), one.clone()], Utc::now()).await;
        assert!(matches!(refused, Err(JournalError::ActivityExists(title)) if title == "下乡"));
        assert_eq!(ledger.all().await.unwrap().len(), 1);
        assert!(matches!(
            ledger.add(&[new.clone(), new], Utc::now()).await,
            Err(JournalError::ActivityExists(_))
        ));
        assert_eq!(ledger.all().await.unwrap().len(), 1);
    }

    #[test]
    fn media_go_by_name_and_are_stored_by_their_own_word() {
        for medium in Medium::ALL {
            assert_eq!(Medium::of_name(medium.name()), Some(medium));
            assert_eq!(Medium::of_stored(medium.stored()), medium);
        }
        assert_eq!(Medium::of_stored("hologram"), Medium::Other);
    }
}
