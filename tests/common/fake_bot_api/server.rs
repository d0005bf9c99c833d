//! The HTTP side: tokens, faults, long polling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::methods;
use super::traffic::{Call, Refusal};
use super::{Fault, Shared, TOKEN};

/// The real server allows at most this.
const LONGEST_POLL: u64 = 50;

pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let app = Router::new()
        .route("/{bot}/{method}", any(call))
        .with_state(shared);
    axum::serve(listener, app)
        .await
        .expect("the fake Bot API serves");
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(token) = bot.strip_prefix("bot").filter(|token| token.contains(':')) else {
        return refused(&Refusal::new(404, "Not Found"));
    };
    if token != TOKEN {
        return refused(&Refusal::new(401, "Unauthorized"));
    }
    let known = methods::KNOWN
        .iter()
        .find(|m| m.eq_ignore_ascii_case(&method));
    let Some(method) = known.copied() else {
        return refused(&Refusal::new(404, "Not Found: method not found"));
    };
    let Some(body) = parameters(request).await.filter(Value::is_object) else {
        return refused(&Refusal::new(400, "Bad Request: can't parse JSON object"));
    };

    let fault = shared.world().faults.next(method);
    match fault {
        Some(Fault::Slow(late)) => tokio::time::sleep(late).await,
        Some(fault @ (Fault::AnswerLost | Fault::UnreadableAnswer)) => {
            carry_out(&shared, method, &body, Some(fault)).await.ok();
            return if fault == Fault::AnswerLost {
                broken()
            } else {
                answered(&json!({"ok": true, "result": {"message_id": "of a later version"}}))
            };
        }
        Some(fault) => {
            let refusal = swallowed(fault);
            let answer = fail(fault, &refusal);
            record(&shared, method, body, Some(fault), Err(refusal));
            return answer;
        }
        None => {}
    }
    match carry_out(&shared, method, &body, fault).await {
        Ok(result) => answered(&json!({"ok": true, "result": result})),
        Err(refusal) => refused(&refusal),
    }
}

/// The parameters as one object: sent as JSON, or as a form by methods that may carry files.
async fn parameters(request: Request) -> Option<Value> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_form = kind.is_some_and(|k| k.as_bytes().starts_with(b"multipart/form-data"));
    if !is_form {
        let bytes = Bytes::from_request(request, &()).await.ok()?;
        if bytes.is_empty() {
            return Some(json!({}));
        }
        return serde_json::from_slice(&bytes).ok();
    }
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut body = json!({});
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let text = field.text().await.ok()?;
        // Lists are sent as JSON, words as they are.
        let value = serde_json::from_str(&text).ok().filter(Value::is_array);
        body[name] = value.unwrap_or(Value::String(text));
    }
    Some(body)
}

fn record(
    shared: &Shared,
    method: &'static str,
    body: Value,
    fault: Option<Fault>,
    outcome: Result<Value, Refusal>,
) {
    let call = Call {
        method,
        body,
        fault: fault.map(Fault::name),
        outcome,
        at: Instant::now(),
    };
    shared.change(|world| world.calls.push(call));
}

async fn carry_out(
    shared: &Shared,
    method: &'static str,
    body: &Value,
    fault: Option<Fault>,
) -> Result<Value, Refusal> {
    if method == "getUpdates" {
        let outcome = get_updates(shared, body).await;
        // Polls are recorded by the updates they brought: thousands of equal results help nobody.
        let brief = outcome.as_ref().map(|_| json!([])).map_err(Clone::clone);
        record(shared, method, body.clone(), fault, brief);
        return outcome;
    }
    let is_send = method == "sendMessage";
    if is_send {
        // Held back like at a server that accepts connections and does nothing.
        shared.change(|world| world.held_sends += usize::from(world.hold_sends));
        let free = |world: &mut super::World| (!world.hold_sends).then_some(());
        shared.wait(Duration::from_secs(3600), free).await;
    }
    let (outcome, latency) = shared.change(|world| {
        let outcome = methods::carry_out(world, method, body);
        world.calls.push(Call {
            method,
            body: body.clone(),
            fault: fault.map(Fault::name),
            outcome: outcome.clone(),
            at: Instant::now(),
        });
        (outcome, world.send_latency)
    });
    if is_send {
        tokio::time::sleep(latency).await;
    }
    outcome
}

/// Long polling. A newer poll ends an older one with 409, as the real server does.
async fn get_updates(shared: &Shared, body: &Value) -> Result<Value, Refusal> {
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let limit = number("limit").unwrap_or(100).clamp(1, 100);
    let timeout = u64::try_from(number("timeout").unwrap_or(0)).unwrap_or(0);
    let poll = shared.change(|world| {
        if world.webhook.is_some() {
            return Err(Refusal::new(
                409,
                "Conflict: can't use getUpdates method while webhook is active; \
                 use deleteWebhook to delete the webhook first",
            ));
        }
        world.confirm(number("offset").unwrap_or(0));
        world.allow(body.get("allowed_updates"));
        world.polls += 1;
        Ok(world.polls)
    })?;
    let over = |words| Some(Err(Refusal::new(409, words)));
    let patience = Duration::from_secs(timeout.min(LONGEST_POLL));
    let batch = shared.wait(patience, |world| {
        if world.polls != poll {
            return over(
                "Conflict: terminated by other getUpdates request; \
                 make sure that only one bot instance is running",
            );
        }
        if world.webhook.is_some() {
            return over("Conflict: terminated by setWebhook request");
        }
        let batch = world.batch(usize::try_from(limit).unwrap_or(100));
        (!batch.is_empty()).then_some(Ok(Value::Array(batch)))
    });
    batch.await.unwrap_or(Ok(json!([])))
}

/// What the records say about a call that a fault swallowed.
fn swallowed(fault: Fault) -> Refusal {
    match fault {
        Fault::TooManyRequests(seconds) => Refusal {
            code: 429,
            description: format!("Too Many Requests: retry after {seconds}"),
            retry_after: Some(seconds),
        },
        Fault::ServerError(code) => Refusal::new(code, "swallowed by a gateway"),
        Fault::Refused(words) => Refusal::new(400, words),
        other => Refusal::new(0, format!("swallowed: {}", other.name())),
    }
}

fn fail(fault: Fault, refusal: &Refusal) -> Response {
    match fault {
        Fault::ServerError(code) => html(
            code,
            "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body><center><h1>Bad Gateway\
             </h1></center><hr><center>nginx</center></body>\r\n</html>\r\n",
        ),
        Fault::Dropped => broken(),
        Fault::Malformed => html(200, "<html><body>请先登录无线网络</body></html>"),
        _ => refused(refusal),
    }
}

fn html(code: u16, page: &'static str) -> Response {
    Response::builder()
        .status(code)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .body(Body::from(page))
        .expect("a valid response")
}

/// An answer that ends before its promised length: the client sees the connection break.
fn broken() -> Response {
    let cut = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::builder()
        .header(header::CONTENT_LENGTH, 512)
        .body(Body::from_stream(cut))
        .expect("a valid response")
}

fn answered(value: &Value) -> Response {
    json_response(StatusCode::OK, value)
}

fn refused(refusal: &Refusal) -> Response {
    let mut body = json!({
        "ok": false,
        "error_code": refusal.code,
        "description": refusal.description,
    });
    if let Some(seconds) = refusal.retry_after {
        body["parameters"] = json!({"retry_after": seconds});
    }
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    json_response(status, &body)
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(value.to_string()))
        .expect("a valid response")
}
