//! Every route, knocked at without a session and with each role; headers and what is no route.

use axum::http::Method;
use qijin::journal::Role;
use qijin::web::{Access, routes};
use reqwest::StatusCode;

use crate::common::{Browser, Office};
use crate::{close, logged_in, open};

/// A path with something in its placeholders.
fn concrete(path: &str) -> String {
    path.replace("{id}", "1").replace("{name}", "nothing.css")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_its_role() {
    let (office, bot, base) = open().await;
    let mut browsers = vec![(None, Browser::new(&base))];
    for (n, role) in Role::ALL.into_iter().enumerate() {
        browsers.push((Some(role), logged_in(&base, n).await));
    }
    let mut knocked = 0;
    for (method, path, access) in routes() {
        // It would end the sessions that the others need.
        if path == "/logout" {
            assert_eq!(access, Access::Staff(Role::Viewer));
            continue;
        }
        for (role, browser) in &mut browsers {
            let path = concrete(path);
            let seen = if method == Method::GET {
                browser.get(&path).await
            } else {
                let token = browser.token("/ask").await;
                browser.post(&path, &[("_csrf", &token)]).await
            };
            let what = format!("{method} {path} as {role:?}: {}", seen.status);
            let kept_out = match (access, *role) {
                (Access::Staff(_), None) if method == Method::GET => {
                    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{what}");
                    assert!(seen.location.unwrap().starts_with("/login?next="), "{what}");
                    true
                }
                (Access::Staff(_), None) => {
                    assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{what}");
                    true
                }
                (Access::Staff(needed), Some(role)) if role < needed => {
                    assert_eq!(seen.status, StatusCode::FORBIDDEN, "{what}");
                    true
                }
                _ => {
                    assert_ne!(seen.status, StatusCode::FORBIDDEN, "{what}");
                    false
                }
            };
            assert!(!seen.status.is_server_error(), "{what}: {}", seen.text);
            assert!(!kept_out || !seen.text.contains("<table"), "{what}");
            knocked += 1;
        }
    }
    assert_eq!(knocked, (routes().len() - 1) * 4);
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_without_the_token_or_from_elsewhere_is_refused() {
    let (office, bot, base) = open().await;
    let mut admin = logged_in(&base, 2).await;
    let mut stranger = Browser::new(&base);
    let token = admin.token("/ask").await;
    let others = stranger.token("/ask").await;
    let mut posted = 0;
    for (method, path, _) in routes() {
        if method != Method::POST {
            continue;
        }
        let path = concrete(path);
        let without = admin.post(&path, &[]).await;
        assert_eq!(
            without.status,
            StatusCode::FORBIDDEN,
            "{path} without a token"
        );
        let wrong = admin.post(&path, &[("_csrf", &others)]).await;
        assert_eq!(
            wrong.status,
            StatusCode::FORBIDDEN,
            "{path} with another's token"
        );
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let seen = admin
                .post_with(&path, &[("_csrf", &token)], &[header])
                .await;
            assert_eq!(seen.status, StatusCode::FORBIDDEN, "{path} with {header:?}");
        }
        posted += 1;
    }
    assert!(posted > 10);
    let fields = [("_csrf", token.as_str()), ("q", "你好")];
    let ours = admin.post_with("/ask", &fields, &[("origin", &base)]).await;
    assert_eq!(ours.status, StatusCode::OK, "our own form passes");
    close(&office, bot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_stand_on_everything_and_nothing_else_is_served() {
    let (office, bot, base) = open().await;
    let mut browser = Browser::new(&base);
    let page = browser.get("/login").await;
    let css = page
        .text
        .split("href=\"")
        .find(|p| p.starts_with("/assets/qijin.") && p.contains(".css"));
    let css = css.unwrap().split('"').next().unwrap().to_owned();
    for path in ["/healthz", "/login", "/ask", "/questions", "/nothing", &css] {
        let seen = browser.get(path).await;
        let header = |name: &str| seen.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        let cached = header("cache-control");
        assert_eq!(
            cached.contains("immutable"),
            path == css,
            "{path}: {cached}"
        );
        assert!(
            !seen.text.contains("style=") && !seen.text.contains("onclick"),
            "{path}"
        );
    }
    for path in [
        "/assets/../qijin.toml",
        "/assets/..%2f..%2fdata%2flocal.key",
        "/assets/%2e%2e/%2e%2e/data/local.key",
        "/assets//etc/passwd",
        "/data/qijin.sqlite",
        "/assets/qijin.css",
    ] {
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let admin = logged_in(&base, 2).await;
    for path in [
        "/questions/..%2f..%2fx",
        "/handovers/-",
        "/questions/99999999999999999999",
    ] {
        let response = admin.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let huge = "x".repeat(100_000);
    let seen = browser.post("/login", &[("name", &huge)]).await;
    assert!(seen.status.is_client_error());
    close(&office, bot).await;
}

#[test]
fn an_open_address_without_a_proxy_is_refused_with_an_explanation() {
    let office = Office::new();
    let output = office
        .command(&["serve"])
        .env("QIJIN_LISTEN", "0.0.0.0:0")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("behind_proxy") && said.contains("127.0.0.1"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_declared_proxy_cookies_are_secure() {
    let office = Office::new();
    office.add_staff("李主任", "管理", "long enough 3");
    let (bot, base) = office.serve_pages(&[("QIJIN_BEHIND_PROXY", "true")]).await;
    let mut browser = Browser::new(&base);
    let seen = browser.log_in("李主任", "long enough 3").await;
    let cookie = seen.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-qijin=") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    close(&office, bot).await;
}
