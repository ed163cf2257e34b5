//! Punctual from Rust, with async-nats and nothing else: client enqueue | later | schedule | work
use async_nats::jetstream::{consumer::PullConsumer, AckKind, Context, Message};
use async_nats::{Client, Error, HeaderMap};
use futures::StreamExt;
use serde_json::{json, Value};
use std::time::Duration;
use time::{format_description::well_known::Rfc3339, OffsetDateTime};

enum Failure {
    MailServerDown,
    NoSuchAddress,
}

fn tell(facts: Value) {
    println!("{facts}");
}

async fn enqueue(js: &Context) -> Result<(), Error> {
    // region enqueue
    // Through the front door; options are headers.
    let mut options = HeaderMap::new();
    options.insert("Nats-Msg-Id", "welcome-ada");
    options.insert("Punctual-Max-Attempts", "3");
    options.insert("X-Tenant", "acme");
    js.publish_with_headers("punctual.enqueue.emails", options.clone(), r#"{"to": "ada"}"#.into())
        .await?
        .await?;
    js.publish("punctual.enqueue.emails", r#"{"to": "bob"}"#.into()).await?.await?;

    // Straight to the queue, under an id of your own.
    js.publish("punctual.work.emails.invoice-7", r#"{"to": "cyd"}"#.into()).await?.await?;
    // endregion

    let again = js
        .publish_with_headers("punctual.enqueue.emails", options, r#"{"to": "ada"}"#.into())
        .await?
        .await?;
    tell(json!({ "duplicate": again.duplicate }));
    let refused =
        js.publish("punctual.work.emails.invoice-7", r#"{"to": "cyd"}"#.into()).await?.await;
    if let Err(error) = refused {
        tell(json!({ "refused": error.to_string() }));
    }
    Ok(())
}

async fn later(js: &Context) -> Result<(), Error> {
    // region later
    let mut in_two_seconds = HeaderMap::new();
    in_two_seconds.insert("Punctual-Delay", "2s");
    js.publish_with_headers("punctual.enqueue.emails", in_two_seconds, r#"{"to": "ada"}"#.into())
        .await?
        .await?;

    let at = (OffsetDateTime::now_utc() + Duration::from_secs(2)).format(&Rfc3339)?;
    let mut then = HeaderMap::new();
    then.insert("Punctual-At", at.as_str());
    js.publish_with_headers("punctual.enqueue.emails", then, r#"{"to": "bob"}"#.into())
        .await?
        .await?;
    // endregion
    tell(json!({ "at": at }));
    Ok(())
}

// region schedule
async fn put(nc: &Client, id: &str, schedule: Value) -> Result<async_nats::Message, Error> {
    let request = json!({ "id": id, "schedule": schedule }).to_string();
    Ok(nc.request("punctual.api.schedule.put", request.into()).await?)
}

async fn schedule(nc: &Client) -> Result<async_nats::Message, Error> {
    put(nc, "hello", json!({ "every": "1s", "queue": "emails", "payload": { "to": "ada" } })).await
}
// endregion

async fn schedule_two(nc: &Client) -> Result<(), Error> {
    let wrong = json!({ "cron": "61 * * * *", "queue": "emails" });
    for answer in [schedule(nc).await?, put(nc, "wrong", wrong).await?] {
        let error =
            answer.headers.as_ref().and_then(|headers| headers.get("Nats-Service-Error-Code"));
        let body: Value = serde_json::from_slice(&answer.payload)?;
        tell(json!({ "answer": body, "error": error.map(|code| code.as_str()) }));
    }
    Ok(())
}

/// Pretends to send an email, and fails, takes long or hangs as the email asks for.
async fn send(message: &Message) -> Result<Result<(), Failure>, Error> {
    let mail: Value = serde_json::from_slice(&message.payload)?;
    let number = |field: &str| mail[field].as_i64().unwrap_or(0);
    let attempt = message.info()?.delivered;
    let run_id = message.headers.as_ref().and_then(|headers| headers.get("Punctual-Run-Id"));
    tell(json!({ "to": mail["to"], "attempt": attempt, "runId": run_id.map(|id| id.as_str()) }));
    if mail["to"] == "nobody" {
        return Ok(Err(Failure::NoSuchAddress));
    }
    if attempt <= number("fails") {
        return Ok(Err(Failure::MailServerDown));
    }
    if attempt <= number("hangs") {
        futures::future::pending::<()>().await;
    }
    for _ in 0..number("seconds") {
        tokio::time::sleep(Duration::from_secs(1)).await;
        message.ack_with(AckKind::Progress).await?; // the ack wait begins anew
    }
    Ok(Ok(()))
}

async fn work(js: &Context) -> Result<(), Error> {
    // region work
    let queue: PullConsumer = js.get_consumer_from_stream("work-emails", "PUNCTUAL_WORK").await?;
    loop {
        let batch = queue.batch().max_messages(1).expires(Duration::from_secs(30));
        let mut messages = batch.messages().await?;
        while let Some(message) = messages.next().await {
            let message = message?;
            let answer = match send(&message).await? {
                Ok(()) => AckKind::Ack,
                Err(Failure::MailServerDown) => AckKind::Nak(Some(Duration::from_secs(1))), // again
                Err(Failure::NoSuchAddress) => AckKind::Term, // never again
            };
            message.ack_with(answer).await?;
        }
    }
    // endregion
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::var("NATS_URL").unwrap_or("nats://127.0.0.1:4222".into());
    let nc = async_nats::connect(url).await?;
    let js = async_nats::jetstream::new(nc.clone());
    match std::env::args().nth(1).as_deref() {
        Some("enqueue") => enqueue(&js).await,
        Some("later") => later(&js).await,
        Some("schedule") => schedule_two(&nc).await,
        _ => work(&js).await,
    }
}
