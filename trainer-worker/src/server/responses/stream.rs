//! A response as it is written: the events that OpenAI's clients put together again.

use super::{status, OutputMessage, OutputText, ResponseError, ResponseObject};
use crate::server::error::ApiError;
use crate::server::logprobs;
use crate::server::sse::{Chunks, Events};
use openledger_engine::generate::{Finish, TokenLogprob};
use openledger_engine::serving::Usage;
use serde::Serialize;
use serde_json::{json, Value};

/// The events of one response.
pub(super) struct ResponseStream {
    object: ResponseObject,
    message_id: String,
    sequence: u64,
    /// What was written so far, which the last events say again.
    text: String,
    logprobs: Vec<logprobs::Entry>,
    finish: Finish,
}

impl ResponseStream {
    pub(super) fn new(object: ResponseObject, message_id: String) -> Self {
        Self {
            object,
            message_id,
            sequence: 0,
            text: String::new(),
            logprobs: Vec::new(),
            finish: Finish::Length,
        }
    }

    fn event(&mut self, events: &mut Events, kind: &'static str, mut fields: Value) {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("type".to_owned(), kind.into());
            fields.insert("sequence_number".to_owned(), self.sequence.into());
        }
        self.sequence += 1;
        events.named(kind, &fields);
    }

    /// An event of the one part of the one message.
    fn part(&mut self, events: &mut Events, kind: &'static str, mut fields: Value) {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("item_id".to_owned(), self.message_id.as_str().into());
            fields.insert("output_index".to_owned(), 0.into());
            fields.insert("content_index".to_owned(), 0.into());
        }
        self.event(events, kind, fields);
    }

    fn response(&mut self, events: &mut Events, kind: &'static str, object: &impl Serialize) {
        self.event(events, kind, json!({ "response": object }));
    }
}

impl Chunks for ResponseStream {
    fn begin(&mut self, events: &mut Events) {
        let object = self.object.clone();
        self.response(events, "response.created", &object);
        self.response(events, "response.in_progress", &object);
        let item = OutputMessage::new(&self.message_id, "in_progress", Vec::new());
        let fields = json!({ "output_index": 0, "item": item });
        self.event(events, "response.output_item.added", fields);
        let part = OutputText::new(String::new(), Vec::new());
        self.part(events, "response.content_part.added", json!({ "part": part }));
    }

    fn text(
        &mut self,
        events: &mut Events,
        _choice: usize,
        text: String,
        entries: Vec<TokenLogprob>,
    ) {
        let entries = logprobs::entries(&entries);
        let fields = json!({ "delta": text, "logprobs": entries });
        self.part(events, "response.output_text.delta", fields);
        self.text.push_str(&text);
        self.logprobs.extend(entries);
    }

    fn done(&mut self, events: &mut Events, _choice: usize, finish: Finish) {
        self.finish = finish;
        let fields = json!({ "text": self.text, "logprobs": self.logprobs });
        self.part(events, "response.output_text.done", fields);
        let part = OutputText::new(self.text.clone(), self.logprobs.clone());
        self.part(events, "response.content_part.done", json!({ "part": part }));
        let item = OutputMessage::new(&self.message_id, status(finish), vec![part]);
        let fields = json!({ "output_index": 0, "item": item });
        self.event(events, "response.output_item.done", fields);
    }

    fn end(&mut self, events: &mut Events, usage: Usage) {
        let part =
            OutputText::new(std::mem::take(&mut self.text), std::mem::take(&mut self.logprobs));
        let message = OutputMessage::new(&self.message_id, status(self.finish), vec![part]);
        let object = self.object.finished(self.finish, message, usage);
        let kind = match self.finish {
            Finish::Stop => "response.completed",
            Finish::Length => "response.incomplete",
        };
        self.response(events, kind, &object);
    }

    fn failed(&mut self, events: &mut Events, error: &ApiError) {
        let fields = json!({
            "code": error.code(), "message": error.message(), "param": null,
        });
        self.event(events, "error", fields);
        let mut object = self.object.clone();
        object.status = "failed";
        let message = error.message().to_owned();
        object.error = Some(ResponseError { code: "server_error", message });
        self.response(events, "response.failed", &object);
    }
}
