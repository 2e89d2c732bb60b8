//! Tokens of a request, as OpenAI counts them.

use openledger_engine::serving::Usage;
use serde::Serialize;
use utoipa::ToSchema;

/// Tokens of chat and completions.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct CompletionUsage {
    /// Tokens of the prompts.
    prompt_tokens: usize,
    /// Tokens that the model chose, the one that ended each answer included.
    completion_tokens: usize,
    total_tokens: usize,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

/// Of the prompt's tokens.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct PromptDetails {
    /// Those whose keys and values were there already.
    cached_tokens: usize,
}

/// Of the answer's tokens.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct CompletionDetails {
    reasoning_tokens: usize,
}

impl From<Usage> for CompletionUsage {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens + usage.completion_tokens,
            prompt_tokens_details: PromptDetails { cached_tokens: usage.cached_tokens },
            completion_tokens_details: CompletionDetails::default(),
        }
    }
}

/// Tokens of a response.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct ResponseUsage {
    input_tokens: usize,
    input_tokens_details: InputDetails,
    output_tokens: usize,
    output_tokens_details: CompletionDetails,
    total_tokens: usize,
}

/// Of the input's tokens.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct InputDetails {
    cached_tokens: usize,
    /// Nothing is paid for being kept.
    cache_write_tokens: usize,
}

impl From<Usage> for ResponseUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cached_tokens,
                cache_write_tokens: 0,
            },
            output_tokens: usage.completion_tokens,
            output_tokens_details: CompletionDetails::default(),
            total_tokens: usage.prompt_tokens + usage.completion_tokens,
        }
    }
}
