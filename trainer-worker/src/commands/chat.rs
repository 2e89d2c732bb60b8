//! `trainer-worker chat`.

use super::error::usage;
use super::{AdapterArgs, ModelArgs, PrecisionArgs, SamplingArgs};
use anyhow::{bail, Result};
use openledger_engine::generate::{Conversation, Sampling};
use openledger_engine::lora::Adapter;
use openledger_engine::model::Model;
use openledger_engine::peft;
use openledger_engine::tokenizer::{Message, Tokenizer};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

const HELP: &str = "/reset            forget the conversation
/system [TEXT]    set the system message (none without TEXT) and forget the conversation
/adapter PATH     put another adapter on the model; /adapter none takes it off
/set NAME VALUE   temperature, top_p, top_k, min_p, repetition_penalty, seed or max_new_tokens
/help             this list
/quit             end (so does the end of the input)";

/// Arguments of `chat`.
#[derive(clap::Args)]
#[command(after_help = "Commands within the chat:
  /reset, /system TEXT, /adapter PATH|none, /set NAME VALUE, /help, /quit

Examples:
  trainer-worker chat --model MODEL.gguf --adapter adapter/ --temperature 0.7 --top-p 0.9
  printf 'Who pays the reviewers?\\nAnd when?\\n' | trainer-worker chat --model MODEL.gguf")]
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
    #[command(flatten)]
    sampling: SamplingArgs,
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
    };
    chat.reset()?;
    let input = std::io::stdin();
    let terminal = input.is_terminal() && std::io::stdout().is_terminal();
    if terminal {
        eprintln!("/help lists the commands, /quit ends.");
    }
    let mut input = input.lock();
    loop {
        if terminal {
            print!("> ");
            std::io::stdout().flush()?;
        }
        let mut line = String::new();
        let read = (&mut input).take(MAX_LINE + 1).read_line(&mut line)?;
        if read as u64 > MAX_LINE {
            bail!("a line is longer than {MAX_LINE} bytes; shorten it");
        }
        if read == 0 {
            break;
        }
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match line.strip_prefix('/') {
            Some(command) => match chat.command(command) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => super::pipe::say(&format!("error: {error:#}")),
            },
            None => {
                if !chat.say(line)? {
                    break;
                }
            }
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
            "seed" => settings.seed = whole()?,
            "max_new_tokens" => settings.max_new_tokens = usize::try_from(whole()?)?,
            other => bail!("there is no setting {other}; /help lists them"),
        }
        settings.validate()?;
        self.settings = settings;
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
        let mut open = true;
        let result =
            self.conversation.answer(&self.tokenizer, &prompt, &self.settings, |piece| {
                open = write!(out, "{piece}").and_then(|()| out.flush()).is_ok();
                open
            })?;
        open = open && writeln!(out).and_then(|()| out.flush()).is_ok();
        if std::io::stderr().is_terminal() {
            eprintln!(
                "({} tokens at {:.1} tokens/s; {} of {} in the conversation)",
                result.tokens.len(),
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
