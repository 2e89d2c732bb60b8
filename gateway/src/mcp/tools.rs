//! The table of tools.

use super::schema::{without_formats, Shapes};
use super::{chain, documentation, prepare};
use crate::docs::Docs;
use crate::error::ApiError;
use crate::extract::Address;
use crate::index::Index;
use futures::future::BoxFuture;
use futures::FutureExt;
use rmcp::handler::server::tool::schema_for_input;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::future::Future;
use std::sync::Arc;

/// What a tool is asked with.
pub struct Asked {
    /// The documentation.
    pub docs: Docs,
    /// The index of the chain.
    pub index: Index,
    /// What links begin with: `https://example.org`.
    pub base: String,
    /// Who asks, as limits count.
    pub asker: Address,
}

/// What a tool answers.
pub struct Answer {
    /// For people and for models, in order.
    pub content: Vec<String>,
    /// For programs.
    pub structured: Value,
}

impl Answer {
    /// A sentence or two about a value. The value stands in the text too, for clients before revision
    /// 2025-06-18.
    ///
    /// # Errors
    ///
    /// 500 for a value that is no JSON.
    pub fn about(words: String, value: &impl Serialize) -> Result<Self, ApiError> {
        let mut answer = Self::of(words, value)?;
        answer.content.push(answer.structured.to_string());
        Ok(answer)
    }

    /// Text that says all that the value does.
    ///
    /// # Errors
    ///
    /// 500 for a value that is no JSON.
    pub fn of(text: String, value: &impl Serialize) -> Result<Self, ApiError> {
        let structured = serde_json::to_value(value)
            .map_err(|error| ApiError::internal("writing a tool's answer", &error))?;
        Ok(Self { content: vec![text], structured })
    }
}

type Run = dyn Fn(Asked, JsonObject) -> BoxFuture<'static, Result<Answer, ApiError>> + Send + Sync;

/// A tool.
pub struct Entry {
    /// As it is listed.
    pub tool: Tool,
    run: Box<Run>,
}

impl Entry {
    /// What it answers.
    pub fn call(
        &self,
        asked: Asked,
        arguments: JsonObject,
    ) -> BoxFuture<'static, Result<Answer, ApiError>> {
        (self.run)(asked, arguments)
    }
}

/// What a tool is listed with.
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is for, in the words by which a model chooses it.
    pub description: &'static str,
    /// The shape of what it answers.
    pub output: Arc<JsonObject>,
}

/// All tools, in the order they are listed in.
pub struct Tools(Vec<Entry>);

impl Tools {
    /// The tools. `api` is the REST API's description.
    pub fn new(api: &Value) -> Self {
        let shapes = Shapes::of(api);
        let mut tools = Self(Vec::new());
        documentation::add(&mut tools);
        chain::add(&mut tools, &shapes);
        prepare::add(&mut tools);
        tools
    }

    /// Adds a tool. None changes anything: what is prepared is signed elsewhere, or not.
    pub fn add<I, F, O>(&mut self, about: About, run: F)
    where
        I: DeserializeOwned + JsonSchema + 'static,
        F: Fn(Asked, I) -> O + Send + Sync + 'static,
        O: Future<Output = Result<Answer, ApiError>> + Send + 'static,
    {
        // Arguments are objects, of which a test of the list makes sure.
        let input = plain(schema_for_input::<I>().unwrap_or_default());
        let annotations = ToolAnnotations::with_title(about.title)
            .read_only(true)
            .destructive(false)
            .idempotent(true)
            .open_world(false);
        let tool = Tool::new(about.name, about.description, input)
            .with_title(about.title)
            .with_raw_output_schema(plain(about.output))
            .with_annotations(annotations);
        let run = move |asked, arguments| match read::<I>(arguments) {
            Ok(input) => run(asked, input).boxed(),
            Err(error) => futures::future::ready(Err(error)).boxed(),
        };
        self.0.push(Entry { tool, run: Box::new(run) });
    }

    /// A tool by its name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.tool.name == name)
    }

    /// All of them as they are listed.
    pub fn list(&self) -> Vec<Tool> {
        self.0.iter().map(|entry| entry.tool.clone()).collect()
    }
}

fn plain(shape: Arc<JsonObject>) -> Arc<JsonObject> {
    let mut shape = Arc::unwrap_or_clone(shape);
    shape.values_mut().for_each(without_formats);
    Arc::new(shape)
}

/// Reads a tool's arguments; an error names the one that is wrong, and what it is.
fn read<I: DeserializeOwned>(arguments: JsonObject) -> Result<I, ApiError> {
    let given = Value::Object(arguments);
    serde_path_to_error::deserialize(&given).map_err(|error| {
        let path: String = error.path().to_string().chars().take(100).collect();
        let wrong = error.path().iter().try_fold(&given, |value, segment| match segment {
            Segment::Map { key } => value.get(key),
            Segment::Seq { index } => value.get(index),
            _ => None,
        });
        let shown = wrong.filter(|value| !value.is_object()).map(|value| {
            let value: String = value.to_string().chars().take(100).collect();
            format!("{value} is not taken: ")
        });
        let message: String = error.inner().to_string().chars().take(500).collect();
        let field = if path == "." { "arguments".to_owned() } else { path };
        ApiError::field(field, shown.unwrap_or_default() + &message)
    })
}
