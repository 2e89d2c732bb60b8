//! Modelfiles for Ollama.

use crate::tokenizer::Tokenizer;
use std::fmt::Write;

/// A family of chat templates that Ollama's template language can express, with the texts that end
/// a turn.
struct Known {
    /// A text by which the model's own template is recognised.
    mark: &'static str,
    template: &'static str,
    stops: &'static [&'static str],
}

const KNOWN: [Known; 4] = [
    Known {
        mark: "<|im_start|>",
        template: "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n",
        stops: &["<|im_start|>", "<|im_end|>"],
    },
    Known {
        mark: "<|start_header_id|>",
        template: "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>\n\n",
        stops: &["<|start_header_id|>", "<|eot_id|>"],
    },
    Known {
        mark: "[INST]",
        template: "{{- range .Messages }}{{- if eq .Role \"user\" }}[INST] {{ .Content }} [/INST]{{- else if eq .Role \"assistant\" }} {{ .Content }}</s>{{- end }}{{- end }}",
        stops: &["[INST]", "</s>"],
    },
    // DeepSeek writes its bars in full width.
    Known {
        mark: "<｜User｜>",
        template: "{{- range .Messages }}{{- if eq .Role \"system\" }}{{ .Content }}{{- else if eq .Role \"user\" }}<｜User｜>{{ .Content }}{{- else }}<｜Assistant｜>{{ .Content }}<｜end▁of▁sentence｜>{{- end }}{{- end }}<｜Assistant｜>",
        stops: &["<｜User｜>", "<｜end▁of▁sentence｜>"],
    },
];

/// The text of a Modelfile: `FROM` the base model, `ADAPTER` the GGUF adapter (paths as given),
/// `TEMPLATE` and stop texts where the model's chat template is a known one, and parameters.
///
/// A system message that the model's own template adds by default is written as `SYSTEM`, since
/// Ollama's template has none.
pub fn modelfile(
    base: &str,
    adapter: Option<&str>,
    tokenizer: &Tokenizer,
    context: usize,
    temperature: f64,
) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "FROM {base}");
    if let Some(adapter) = adapter {
        let _ = writeln!(text, "ADAPTER {adapter}");
    }
    let template = tokenizer.chat_template().unwrap_or("");
    match KNOWN.iter().find(|known| template.contains(known.mark)) {
        Some(known) => {
            let _ = writeln!(text, "TEMPLATE \"\"\"{}\"\"\"", known.template);
            for stop in known.stops {
                let _ = writeln!(text, "PARAMETER stop {stop:?}");
            }
            if let Some(system) = default_system(tokenizer) {
                let _ = writeln!(text, "SYSTEM \"\"\"{system}\"\"\"");
            }
        }
        None if template.is_empty() => {
            let _ = writeln!(text, "# The model has no chat template.");
        }
        None => {
            let _ = writeln!(
                text,
                "# The model's chat template is not one that is known here: Ollama takes the one \
                 in the base model's file."
            );
        }
    }
    let _ = writeln!(text, "PARAMETER num_ctx {context}");
    let _ = writeln!(text, "PARAMETER temperature {temperature}");
    text
}

/// The system message that the model's own template adds to a conversation without one.
fn default_system(tokenizer: &Tokenizer) -> Option<String> {
    const QUESTION: &str = "QUESTION";
    let messages = [crate::tokenizer::Message::user(QUESTION)];
    let rendered = tokenizer.render_chat(&messages, true).ok()?;
    for (start, end) in [("<|im_start|>system\n", "<|im_end|>")] {
        if let Some((_, rest)) = rendered.split_once(start) {
            let system = rest.split_once(end)?.0;
            let plain = !system.contains("\"\"\"") && !system.contains(QUESTION);
            return plain.then(|| system.to_owned()).filter(|s| !s.is_empty());
        }
    }
    None
}
