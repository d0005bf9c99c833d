//! A browser without a window: keeps cookies, fills forms, follows nothing by itself.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder, Response, StatusCode};

/// One person's browser.
pub struct Browser {
    client: Client,
    /// `http://127.0.0.1:…`
    pub base: String,
    /// Its cookies by name.
    pub cookies: BTreeMap<String, String>,
}

/// A page as it came.
pub struct Seen {
    pub status: StatusCode,
    pub location: Option<String>,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

/// The value of the first attribute `name="…"` after `mark`.
fn after<'a>(text: &'a str, mark: &str, name: &str) -> Option<&'a str> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let open = format!("{name}=\"");
    let rest = &rest[rest.find(&open)? + open.len()..];
    rest.split('"').next()
}

impl Browser {
    pub fn new(base: &str) -> Self {
        Self::at(base, None)
    }

    /// On a computer with this address.
    pub fn at(base: &str, address: Option<std::net::IpAddr>) -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .local_address(address)
            .build()
            .unwrap();
        Self {
            client,
            base: base.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let request = self.client.request(method, format!("{}{path}", self.base));
        if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        }
    }

    async fn seen(&mut self, response: Response) -> Seen {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get("location");
        Seen {
            status: response.status(),
            location: location.map(|l| l.to_str().unwrap().to_owned()),
            headers: response.headers().clone(),
            text: String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned(),
        }
    }

    pub async fn get(&mut self, path: &str) -> Seen {
        let response = self
            .request(reqwest::Method::GET, path)
            .send()
            .await
            .unwrap();
        self.seen(response).await
    }

    /// The bytes of a download.
    pub async fn download(&self, path: &str) -> Vec<u8> {
        let response = self
            .request(reqwest::Method::GET, path)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    /// Posts fields as they are.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.post_with(path, fields, &[]).await
    }

    pub async fn post_with(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Seen {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let mut request = self
            .request(reqwest::Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        self.seen(response).await
    }

    /// The form token of a page.
    pub async fn token(&mut self, page: &str) -> String {
        let seen = self.get(page).await;
        let token = after(&seen.text, "name=\"_csrf\"", "value");
        token
            .unwrap_or_else(|| panic!("no form on {page}: {}", seen.text))
            .to_owned()
    }

    /// Posts a form of `page` to `path`, with its token.
    pub async fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Seen {
        let token = self.token(page).await;
        let mut all = vec![("_csrf", token.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    /// Sends a form of `page` with a file to `path`, with its token.
    pub async fn upload(
        &mut self,
        page: &str,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> Seen {
        let token = self.token(page).await;
        let mut all = vec![("_csrf", token.as_str())];
        all.extend(fields);
        self.send_file(path, &all, file, false).await
    }

    /// Sends a form with a file as it is.
    pub async fn send_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
        file_first: bool,
    ) -> Seen {
        let boundary = "a-line-between-fields";
        let mut texts = Vec::new();
        for (name, value) in fields {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
            texts.extend(format!("{head}\r\n\r\n{value}\r\n").into_bytes());
        }
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"../x.xlsx\"";
        let mut sent = format!("--{boundary}\r\n{head}\r\n\r\n").into_bytes();
        sent.extend(file);
        sent.extend(b"\r\n");
        let mut body = if file_first {
            [sent, texts].concat()
        } else {
            [texts, sent].concat()
        };
        body.extend(format!("--{boundary}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = self.request(reqwest::Method::POST, path);
        let request = request.header("content-type", kind).body(body);
        self.seen(request.send().await.unwrap()).await
    }

    /// Logs in; returns what came back.
    pub async fn log_in(&mut self, name: &str, password: &str) -> Seen {
        let fields = [("name", name), ("password", password), ("next", "/")];
        self.submit("/login", "/login", &fields).await
    }
}
