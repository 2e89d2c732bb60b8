//! `POST /tokenize` and `POST /detokenize`, in llama-server's shapes.

use super::access::Asking;
use super::error::{ApiError, ErrorBody};
use super::fields::{self, Field};
use super::json::{held, ApiRequest, Input};
use super::{request, App};
use axum::extract::State;
use axum::response::Response;
use openledger_engine::tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A text.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TokenizeRequest {
    #[schema(example = "Who pays?")]
    content: String,
    add_special: Option<bool>,
    parse_special: Option<bool>,
    with_pieces: Option<bool>,
}

impl ApiRequest for TokenizeRequest {
    const FIELDS: &'static [Field] = fields::TOKENIZE;
}

/// Its tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// Ids, or `{id, piece}` where pieces are asked for; a piece that is no text is a list of bytes.
    #[schema(value_type = Vec<Object>)]
    tokens: Vec<Token>,
}

/// A token.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Token {
    Id(u32),
    Text { id: u32, piece: String },
    Bytes { id: u32, piece: Vec<u8> },
}

/// Bytes that a token of an answer takes until it is sent, at most.
const TOKEN_BYTES: usize = 128;

/// Tokens.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DetokenizeRequest {
    tokens: Vec<u32>,
}

impl ApiRequest for DetokenizeRequest {
    const FIELDS: &'static [Field] = fields::DETOKENIZE;
}

/// Their text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Text {
    content: String,
}

fn encode(tokenizer: &Tokenizer, asked: &TokenizeRequest) -> Result<Vec<u32>, ApiError> {
    let special = asked.parse_special.unwrap_or(true);
    let added = asked.add_special.unwrap_or(false);
    if special && added {
        return Ok(tokenizer.encode_text(&asked.content)?);
    }
    if special {
        return Ok(tokenizer.encode(&asked.content)?);
    }
    let mut ids: Vec<u32> =
        tokenizer.encode_plain(&asked.content)?.into_iter().map(|(id, _)| id).collect();
    if added {
        if let Some(bos) = tokenizer.bos.filter(|_| tokenizer.add_bos) {
            ids.insert(0, bos);
        }
        if tokenizer.add_eos {
            ids.push(tokenizer.eos);
        }
    }
    Ok(ids)
}

/// Count and show the tokens of a text.
#[utoipa::path(
    post,
    path = "/tokenize",
    tag = "llama-server",
    request_body = TokenizeRequest,
    responses(
        (status = 200, description = "The tokens", body = Tokens),
        (status = "4XX", description = "The request is not right, or may not be made", body = ErrorBody),
    ),
)]
pub(super) async fn tokenize(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(asked, held_body): Input<TokenizeRequest>,
) -> Result<Response, ApiError> {
    let (tokens, room) = request::compute(&app, place.client(), move |app, client| {
        let _held = held_body;
        let ids = encode(&app.tokenizer, &asked)?;
        let mut room = app.answers.share_of(client.number);
        room.grow(ids.len().saturating_mul(TOKEN_BYTES))?;
        let pieces = asked.with_pieces.unwrap_or(false);
        let token = |(index, id): (usize, u32)| {
            if !pieces {
                return Ok(Token::Id(id));
            }
            let bytes = match app.tokenizer.is_special(id) {
                true => app.tokenizer.id_to_token(id).unwrap_or_default().into_bytes(),
                false => app.tokenizer.token_bytes(id, index == 0)?,
            };
            Ok(match String::from_utf8(bytes) {
                Ok(piece) => Token::Text { id, piece },
                Err(error) => Token::Bytes { id, piece: error.into_bytes() },
            })
        };
        let tokens = ids.into_iter().enumerate().map(token).collect::<Result<_, ApiError>>()?;
        Ok((tokens, room))
    })
    .await?;
    Ok(held(&Tokens { tokens }, room))
}

/// Put tokens together to a text.
#[utoipa::path(
    post,
    path = "/detokenize",
    tag = "llama-server",
    request_body = DetokenizeRequest,
    responses(
        (status = 200, description = "The text", body = Text),
        (status = "4XX", description = "The request is not right, or may not be made", body = ErrorBody),
    ),
)]
pub(super) async fn detokenize(
    State(app): State<Arc<App>>,
    Asking(place): Asking,
    Input(asked, held_body): Input<DetokenizeRequest>,
) -> Result<Response, ApiError> {
    let vocabulary = app.model.config.vocab_size;
    if let Some(id) = asked.tokens.iter().find(|id| **id as usize >= vocabulary) {
        let message = format!("the token id {id} is outside the vocabulary of {vocabulary}");
        return Err(ApiError::field("tokens", message));
    }
    let (content, room) = request::compute(&app, place.client(), move |app, client| {
        let _held = held_body;
        let mut room = app.answers.share_of(client.number);
        room.grow(asked.tokens.len().saturating_mul(TOKEN_BYTES))?;
        Ok((app.tokenizer.decode(&asked.tokens, false)?, room))
    })
    .await?;
    Ok(held(&Text { content }, room))
}
