//! What a page says when it cannot be shown.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::assets;
use crate::journal::JournalError;

/// Every failure of a handler; becomes a page.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    #[error("没有这个页面，或者它已经被删除。")]
    NotFound,
    #[error("请先登录。")]
    NotLoggedIn,
    #[error("您的账号没有这个权限。需要的话，请找有“管理”角色的同事调整。")]
    Forbidden,
    #[error("这个表单太旧，或不是从本站打开的，没有执行。请回到页面刷新后再试一次。")]
    NotOurForm,
    #[error("操作太频繁，请过一会儿再试。")]
    TooOften,
    #[error("数字正在汇总，请过几分钟再看。提问照常答复，别的页面照常用。")]
    NotReady,
    #[error("数据库正忙或连不上，什么都没有改。请过一会儿再试。")]
    Away(#[source] JournalError),
    #[error("{0}")]
    Bad(String),
    #[error("服务器出错，什么都没有改。请稍后再试；一直这样就看看日志。")]
    Journal(#[source] JournalError),
    #[error("页面没能生成，请把日志发给开发者。")]
    Template(#[from] askama::Error),
    #[error("表格没能生成，请稍后再试。")]
    Export(#[from] rust_xlsxwriter::XlsxError),
    #[error("报告没能生成，请稍后再试。")]
    Report(#[from] crate::report::ReportError),
    #[error("没能算完，请稍后再试。")]
    Work(#[from] tokio::task::JoinError),
}

impl From<JournalError> for WebError {
    fn from(error: JournalError) -> Self {
        match error {
            // What the person at the page can mend.
            JournalError::StaffName
            | JournalError::StaffExists(_)
            | JournalError::LastAdmin
            | JournalError::NoSuchStaff
            | JournalError::ActivityExists(_) => Self::Bad(error.to_string()),
            JournalError::NoSuchActivity(_) | JournalError::NoSuchBoard(_) => Self::NotFound,
            other if other.is_passing() => Self::Away(other),
            other => Self::Journal(other),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html", config = "src/web/askama.toml")]
struct ErrorPage {
    css: &'static str,
    icon: &'static str,
    title: &'static str,
    message: String,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "找不到"),
            Self::NotLoggedIn => (StatusCode::UNAUTHORIZED, "没有登录"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "没有权限"),
            Self::NotOurForm => (StatusCode::FORBIDDEN, "没有执行"),
            Self::TooOften => (StatusCode::TOO_MANY_REQUESTS, "太频繁"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "请稍等"),
            Self::Bad(_) => (StatusCode::BAD_REQUEST, "没有执行"),
            Self::Away(_) => {
                tracing::warn!(
                    error = &self as &dyn std::error::Error,
                    "a page waited in vain"
                );
                (StatusCode::SERVICE_UNAVAILABLE, "请稍等")
            }
            Self::Journal(_)
            | Self::Template(_)
            | Self::Export(_)
            | Self::Report(_)
            | Self::Work(_) => {
                tracing::error!(error = &self as &dyn std::error::Error, "a page failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "出错了")
            }
        };
        let page = ErrorPage {
            css: assets::css(),
            icon: assets::icon(),
            title,
            message: self.to_string(),
        };
        // The plain message is better than nothing.
        let body = page.render().unwrap_or(page.message);
        (status, Html(body)).into_response()
    }
}
