//! `trainer-worker chat`.

mod corrections;

use super::error::usage;
use super::{AdapterArgs, ModelArgs, OutputArgs, PrecisionArgs, SamplingArgs};
use anyhow::{bail, Context, Result};
use openledger_engine::generate::{Conversation, Sampling};
use openledger_engine::lora::Adapter;
use openledger_engine::model::Model;
use openledger_engine::peft;
use openledger_engine::tokenizer::{Message, Tokenizer};
use openledger_primitives::text::counted;
use serde_json::json;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

const HELP: &str = "/reset            forget the conversation
/system [TEXT]    set the system message (none without TEXT) and forget the conversation
/adapter PATH     put another adapter on the model; /adapter none takes it off
/set NAME VALUE   temperature, top_p, top_k, min_p, repetition_penalty, presence_penalty,
                  frequency_penalty, seed, max_new_tokens or stop (/set stop none for no stop)
/fix [TEXT]       the last answer is wrong, and TEXT is a better one (asked for without TEXT; a line
                  that ends with a backslash goes on): both are written to the file of corrections,
                  which `train --data FILE` learns from, and the chat goes on with the better one
/undo             take back the last question and its answer
/help             this list
/quit             end (so does the end of the input)";

/// Arguments of `chat`.
#[derive(clap::Args)]
#[command(after_help = "Commands within the chat:
  /reset, /system TEXT, /adapter PATH|none, /set NAME VALUE, /fix [TEXT], /undo, /help, /quit

Examples:
  trainer-worker chat --model MODEL.gguf --adapter adapter/ --temperature 0.7 --top-p 0.9
  printf 'Who pays the reviewers?\\nAnd when?\\n' | trainer-worker chat --model MODEL.gguf

What /fix wrote is learned by SFT (the better answer) or DPO (the better against the wrong one):
  trainer-worker train --model MODEL.gguf --data corrections.jsonl --output better/ --stage dpo")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// The system message.
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Most tokens that a conversation may hold; bounded by the model's context.
    #[arg(long, default_value_t = 4096)]
    context: usize,
    /// Where /fix writes, one line of JSON for each correction; what is there stays.
    #[arg(long, value_name = "FILE", default_value = "corrections.jsonl")]
    corrections: PathBuf,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    output: OutputArgs,
}

struct Chat {
    model: Arc<Model>,
    adapter: Option<Arc<Adapter>>,
    tokenizer: Tokenizer,
    settings: Sampling,
    context: usize,
    system: Option<String>,
    messages: Vec<Message>,
    conversation: Conversation,
    corrections: PathBuf,
    json: bool,
}

/// Reads a line of at most [`MAX_LINE`] bytes; none at the end of the input.
fn read_line(input: &mut impl BufRead, prompt: Option<&str>) -> Result<Option<String>> {
    if let Some(prompt) = prompt {
        print!("{prompt}");
        std::io::stdout().flush()?;
    }
    let mut line = String::new();
    let read = input.take(MAX_LINE + 1).read_line(&mut line)?;
    if read as u64 > MAX_LINE {
        bail!("a line is longer than {MAX_LINE} bytes; shorten it");
    }
    Ok((read > 0).then_some(line))
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = args.sampling.settings()?;
    if args.context < 8 {
        return Err(usage(format!(
            "context = {} is out of range: choose at least 8",
            args.context
        )));
    }
    let (model, tokenizer) = args.model.load_with(args.precision.get())?;
    if !tokenizer.has_chat_template() {
        bail!(
            "the model {} has no chat template; use `generate --prompt` to continue a text",
            args.model.model.display()
        );
    }
    let adapter = args.adapter.load(&model)?;
    let conversation = Conversation::new(model.clone(), adapter.clone(), args.context)?;
    let mut chat = Chat {
        model,
        adapter,
        tokenizer,
        settings,
        context: args.context,
        system: args.system,
        messages: Vec::new(),
        conversation,
        corrections: args.corrections,
        json: args.output.json(),
    };
    chat.reset()?;
    let input = std::io::stdin();
    let terminal = input.is_terminal() && std::io::stdout().is_terminal();
    if terminal {
        eprintln!("/help lists the commands, /quit ends.");
    }
    let mut input = input.lock();
    while let Some(line) = read_line(&mut input, terminal.then_some("> "))? {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let done = match line.strip_prefix('/') {
            Some("fix") => chat.ask_for_better(&mut input, terminal).map(|()| true),
            Some(command) => chat.command(command),
            None => chat.say(line),
        };
        match done {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => super::pipe::say(&format!("error: {error:#}")),
        }
    }
    Ok(())
}

impl Chat {
    fn reset(&mut self) -> Result<()> {
        self.messages.clear();
        if let Some(system) = &self.system {
            self.messages.push(Message::system(system.clone()));
        }
        self.conversation =
            Conversation::new(self.model.clone(), self.adapter.clone(), self.context)?;
        Ok(())
    }

    /// Does a command; false ends the chat.
    fn command(&mut self, line: &str) -> Result<bool> {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match name {
            "quit" | "exit" | "bye" => return Ok(false),
            "help" => eprintln!("{HELP}"),
            "reset" | "clear" => {
                self.reset()?;
                eprintln!("The conversation is forgotten.");
            }
            "system" => {
                self.system = (!rest.is_empty()).then(|| rest.to_owned());
                self.reset()?;
                eprintln!("The system message is set; the conversation is forgotten.");
            }
            "adapter" => {
                self.adapter = match rest {
                    "" => bail!("/adapter needs a path, or none"),
                    "none" => None,
                    path => {
                        let adapter = peft::load(Path::new(path), &self.model.config)?;
                        Some(Arc::new(adapter))
                    }
                };
                self.reset()?;
                eprintln!("The adapter is switched; the conversation is forgotten.");
            }
            "set" => self.set(rest)?,
            "fix" => self.fix(rest)?,
            "undo" => {
                self.last_answer()?;
                self.messages.truncate(self.messages.len() - 2);
                eprintln!("The last question and its answer are taken back.");
            }
            other => bail!("there is no command /{other}; /help lists them"),
        }
        Ok(true)
    }

    fn set(&mut self, text: &str) -> Result<()> {
        let Some((name, value)) = text.split_once(char::is_whitespace) else {
            bail!("write /set NAME VALUE; /help lists the names");
        };
        let value = value.trim();
        let mut settings = self.settings.clone();
        let number = || -> Result<f64> {
            value.parse().map_err(|_| usage(format!("{name} = {value}: a number belongs there")))
        };
        let whole = || -> Result<u64> {
            value
                .parse()
                .map_err(|_| usage(format!("{name} = {value}: a whole number belongs there")))
        };
        match name {
            "temperature" => settings.temperature = number()?,
            "top_p" => settings.top_p = number()?,
            "top_k" => settings.top_k = usize::try_from(whole()?)?,
            "min_p" => settings.min_p = number()?,
            "repetition_penalty" => settings.repetition_penalty = number()?,
            "presence_penalty" => settings.presence_penalty = number()?,
            "frequency_penalty" => settings.frequency_penalty = number()?,
            "stop" => {
                settings.stop = if value == "none" { Vec::new() } else { vec![value.to_owned()] };
            }
            "seed" => settings.seed = whole()?,
            "max_new_tokens" => settings.max_new_tokens = usize::try_from(whole()?)?,
            other => bail!("there is no setting {other}; /help lists them"),
        }
        settings.validate()?;
        self.settings = settings;
        Ok(())
    }

    /// The last message, where it is an answer to a question.
    fn last_answer(&self) -> Result<&Message> {
        match self.messages.last() {
            Some(last) if last.role == "assistant" => Ok(last),
            _ => bail!("there is no answer yet"),
        }
    }

    /// Reads the better answer from the lines that follow.
    fn ask_for_better(&mut self, input: &mut impl BufRead, terminal: bool) -> Result<()> {
        self.last_answer()?;
        let mut text = String::new();
        let mut prompt = "better answer> ";
        while let Some(line) = read_line(input, terminal.then_some(prompt))? {
            let line = line.trim_end_matches(['\r', '\n']);
            let (line, more) = match line.strip_suffix('\\') {
                Some(line) => (line, true),
                None => (line, false),
            };
            text.push_str(line);
            if text.len() as u64 > MAX_LINE {
                bail!("the better answer is longer than {MAX_LINE} bytes; shorten it");
            }
            if !more {
                break;
            }
            text.push('\n');
            prompt = "> ";
        }
        self.fix(text.trim())
    }

    /// Puts a better answer in the place of the last one, and writes both down.
    fn fix(&mut self, better: &str) -> Result<()> {
        let wrong = self.last_answer()?.clone();
        if better.is_empty() {
            bail!("there is no better answer; write /fix TEXT, or /undo to take the last one back");
        }
        let better = Message::assistant(better);
        let (_, asked) = self.messages.split_last().context("there is no answer yet")?;
        corrections::append(&self.corrections, &self.tokenizer, asked, &better, &wrong)?;
        super::pipe::say(&format!("Written to {}.", self.corrections.display()));
        if let Some(last) = self.messages.last_mut() {
            *last = better;
        }
        Ok(())
    }

    /// Answers a message; false when nobody reads any more.
    fn say(&mut self, text: &str) -> Result<bool> {
        self.messages.push(Message::user(text));
        let answered = self.answer();
        let (answer, open) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                // The message stays out of the conversation that goes on.
                self.messages.pop();
                super::pipe::say(&format!("error: {error:#}; /reset begins anew"));
                return Ok(true);
            }
        };
        self.messages.push(Message::assistant(answer));
        Ok(open)
    }

    fn answer(&mut self) -> Result<(String, bool)> {
        // The same rule as in training. What the model itself wrote is not looked at.
        for given in self.messages.iter().filter(|message| message.role != "assistant") {
            self.tokenizer.check_messages(std::slice::from_ref(given))?;
        }
        let prompt = self.tokenizer.render_chat(&self.messages, true)?;
        let prompt = self.tokenizer.encode(&prompt)?;
        let mut out = std::io::stdout();
        let (mut open, json) = (true, self.json);
        let result =
            self.conversation.answer(&self.tokenizer, &prompt, &self.settings, |piece| {
                open = json || write!(out, "{piece}").and_then(|()| out.flush()).is_ok();
                open
            })?;
        let line = if json {
            json!({
                "role": "assistant",
                "content": result.text,
                "finish_reason": if result.stopped { "stop" } else { "length" },
                "prompt_tokens": result.prompt_tokens,
                "completion_tokens": result.tokens.len(),
            })
            .to_string()
        } else {
            String::new()
        };
        open = open && writeln!(out, "{line}").and_then(|()| out.flush()).is_ok();
        if std::io::stderr().is_terminal() {
            eprintln!(
                "({} at {:.1} tokens/s; {} of {} in the conversation)",
                counted(result.tokens.len(), "token"),
                result.tokens_per_second(),
                result.prompt_tokens + result.tokens.len(),
                self.conversation.capacity()
            );
        }
        // Each turn draws anew.
        self.settings.seed = self.settings.seed.wrapping_add(1);
        Ok((result.text, open))
    }
}
