//! One GET, bounded on every side: address, scheme, redirects, time, type and size.
//!
//! A name is resolved once for every hop, and the connection goes to the very addresses that
//! were judged: an answer that changes between judging and connecting cannot be used.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, Url, redirect};

use super::address::AddressPolicy;
use super::charset;

const MAX_BYTES: usize = 2 << 20;
const MAX_REDIRECTS: usize = 3;
const CONNECT_TIME: Duration = Duration::from_secs(10);
const TOTAL_TIME: Duration = Duration::from_secs(30);

/// Why a page was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No address we understand.
    #[error("网址不对：{0}。要写完整，如 https://www.example.gov.cn/a.html")]
    BadUrl(String),
    /// Neither http nor https.
    #[error("只能取 http 或 https 网页，不能取 {0}")]
    Scheme(String),
    /// An address within a network of our own.
    #[error("{0} 是内部网络的地址，不能取")]
    PrivateAddress(String),
    /// Sent on and on.
    #[error("网页转来转去超过 {MAX_REDIRECTS} 次")]
    TooManyRedirects,
    /// The server refused.
    #[error("网站没有给出网页：{0}")]
    Status(u16),
    /// A picture, a PDF, a download.
    #[error("这不是网页，是 {0}：请下载后另存为 .docx，用 qijin import docx")]
    NotAPage(String),
    /// More than a page of text.
    #[error("网页太大，超过 {} MB", MAX_BYTES >> 20)]
    TooBig,
    /// Took too long.
    #[error("网站太慢，{} 秒还没取完", TOTAL_TIME.as_secs())]
    TooSlow,
    /// Nested beyond reason.
    #[error("网页的标签一层套一层，读不了")]
    TooDeep,
    /// The network failed.
    #[error("连不上这个网站：{0}")]
    Network(String),
}

/// A fetched page.
#[derive(Debug)]
pub struct Page {
    /// Where it was found in the end.
    pub url: String,
    /// Its text, mark-up included.
    pub text: String,
    /// Whether there is mark-up.
    pub is_html: bool,
}

/// What the resolver refuses with; told apart from other failures by its type.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no public name")]
struct Refused(String);

/// Resolves names and keeps the addresses that may be spoken to.
struct Judge(AddressPolicy);

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> = found.filter(|a| allowed(a.ip())).collect();
            if kept.is_empty() {
                return Err(Refused(name.as_str().to_owned()).into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Fetches a page, speaking only to addresses that `allowed` lets pass; the program passes
/// [`super::is_public`].
///
/// # Errors
/// When anything about the address or the answer is not as it must be.
pub async fn fetch(url: &str, allowed: AddressPolicy) -> Result<Page, FetchError> {
    tokio::time::timeout(TOTAL_TIME, follow(url, allowed))
        .await
        .map_err(|_| FetchError::TooSlow)?
}

async fn follow(url: &str, allowed: AddressPolicy) -> Result<Page, FetchError> {
    let mut url: Url = url
        .trim()
        .parse()
        .map_err(|_| FetchError::BadUrl(url.to_owned()))?;
    let client = Client::builder()
        .dns_resolver(Arc::new(Judge(allowed)))
        // A proxy would resolve names by itself, unjudged.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIME)
        .user_agent(concat!("qijin/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(network)?;
    for _ in 0..=MAX_REDIRECTS {
        judge(&url, allowed)?;
        let response = client.get(url.clone()).send().await.map_err(network)?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
            url = url
                .join(to)
                .map_err(|_| FetchError::BadUrl(to.to_owned()))?;
        } else if status.is_success() {
            return read(response).await;
        } else {
            return Err(FetchError::Status(status.as_u16()));
        }
    }
    Err(FetchError::TooManyRedirects)
}

/// Judges what the resolver never sees: the scheme, and hosts that are addresses already.
fn judge(url: &Url, allowed: AddressPolicy) -> Result<(), FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Scheme(url.scheme().to_owned()));
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::BadUrl(url.host_str().unwrap_or("").to_owned()));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) if !allowed(address) => Err(FetchError::PrivateAddress(host.to_owned())),
        _ => Ok(()),
    }
}

async fn read(mut response: Response) -> Result<Page, FetchError> {
    let header = |name| {
        let value = response.headers().get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    };
    let content_type = header(CONTENT_TYPE).to_ascii_lowercase();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is_html = matches!(kind, "text/html" | "application/xhtml+xml");
    if !is_html && kind != "text/plain" {
        let kind = if kind.is_empty() {
            "没有写明类型的文件"
        } else {
            kind
        };
        return Err(FetchError::NotAPage(kind.to_owned()));
    }
    // We asked for none; what comes packed anyway would not be text.
    let packing = header(CONTENT_ENCODING);
    if !packing.is_empty() && packing != "identity" {
        return Err(FetchError::NotAPage(format!("压缩过的文件（{packing}）")));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(FetchError::TooBig);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Page {
        url: response.url().to_string(),
        text: charset::decode(&bytes, &content_type),
        is_html,
    })
}

/// The reason that lies deepest says most; a refusal of ours is told as such.
fn network(error: reqwest::Error) -> FetchError {
    let mut cause: &dyn std::error::Error = &error;
    loop {
        if let Some(Refused(host)) = cause.downcast_ref() {
            return FetchError::PrivateAddress(host.clone());
        }
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => return FetchError::Network(cause.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode, header};
    use axum::routing::get;

    use super::super::is_public;
    use super::*;

    /// Serves pages on a port of its own and returns it.
    async fn serve(app: Router) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        port
    }

    fn answer(kind: &str, body: impl Into<Vec<u8>>) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        (headers, body.into())
    }

    fn redirect(to: String) -> (StatusCode, HeaderMap) {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, to.parse().unwrap());
        (StatusCode::FOUND, headers)
    }

    /// Nothing but the one address the tests serve on.
    fn only_here(address: IpAddr) -> bool {
        address == IpAddr::from([127, 0, 0, 1])
    }

    async fn site() -> u16 {
        let gbk = encoding_rs::GBK.encode("<p>普法</p>").0.into_owned();
        let pages = Router::new()
            .route("/gbk", get(async || answer("text/html; charset=gbk", gbk)))
            .route("/pdf", get(async || answer("application/pdf", "%PDF")))
            .route(
                "/big",
                get(async || answer("text/plain", vec![b'a'; MAX_BYTES + 1])),
            )
            .route(
                "/fits",
                get(async || answer("text/plain", vec![b'a'; MAX_BYTES])),
            )
            .route("/one", get(async || redirect("two".into())))
            .route("/two", get(async || redirect("three".into())))
            .route("/three", get(async || redirect("/gbk".into())))
            .route("/loop", get(async || redirect("/loop".into())))
            .route(
                "/inside",
                get(async || redirect("http://127.0.0.2/".into())),
            )
            .route(
                "/mapped",
                get(async || redirect("http://[::ffff:127.0.0.2]/".into())),
            )
            .route("/file", get(async || redirect("file:///etc/passwd".into())));
        serve(pages).await
    }

    #[tokio::test]
    async fn a_page_is_fetched_over_three_redirects() {
        let port = site().await;
        let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
        let page = fetch(&at("/one"), only_here).await.unwrap();
        assert_eq!(page.text, "<p>普法</p>");
        assert_eq!(page.url, at("/gbk"));
        assert!(page.is_html);
        let by_name = fetch(&format!("http://localhost:{port}/gbk"), only_here).await;
        assert!(by_name.is_ok(), "{by_name:?}");
        assert_eq!(
            fetch(&at("/fits"), only_here).await.unwrap().text.len(),
            MAX_BYTES
        );
    }

    #[tokio::test]
    async fn everything_unfit_is_refused() {
        let port = site().await;
        let refused = async |path: &str| {
            let url = format!("http://127.0.0.1:{port}{path}");
            fetch(&url, only_here).await.unwrap_err()
        };
        use FetchError as E;
        assert!(matches!(refused("/loop").await, E::TooManyRedirects));
        assert!(matches!(refused("/big").await, E::TooBig));
        assert!(matches!(refused("/pdf").await, E::NotAPage(kind) if kind == "application/pdf"));
        assert!(matches!(refused("/none").await, E::Status(404)));
        assert!(matches!(refused("/inside").await, E::PrivateAddress(_)));
        assert!(matches!(refused("/mapped").await, E::PrivateAddress(_)));
        assert!(matches!(refused("/file").await, E::Scheme(s) if s == "file"));
    }

    #[tokio::test]
    async fn our_own_network_is_not_spoken_to() {
        let port = site().await;
        for host in [
            "127.0.0.1",
            "localhost",
            "0x7f000001",
            "2130706433",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "0",
            "169.254.169.254",
            "10.0.0.1",
        ] {
            let outcome = fetch(&format!("http://{host}:{port}/gbk"), is_public).await;
            assert!(
                matches!(outcome, Err(FetchError::PrivateAddress(_))),
                "{host}: {outcome:?}"
            );
        }
        for url in ["ftp://example.org/", "javascript:1", "file:///etc/passwd"] {
            let outcome = fetch(url, is_public).await;
            assert!(matches!(outcome, Err(FetchError::Scheme(_))), "{outcome:?}");
        }
        for url in ["普法", "", "http://", "http://a:b@example.org/"] {
            let outcome = fetch(url, is_public).await;
            assert!(matches!(outcome, Err(FetchError::BadUrl(_))), "{outcome:?}");
        }
    }
}
