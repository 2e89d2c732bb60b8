//! JSON-RPC over plain HTTP, byte for byte what `curl -d` would send.

use crate::http;
use serde_json::{json, Value};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The node could not be reached or did not speak HTTP.
    #[error("the node at 127.0.0.1:{port} does not answer: {cause}")]
    Unreachable {
        /// Its port.
        port: u16,
        /// What went wrong.
        cause: String,
    },
    /// The node answered with an error.
    #[error("{method}: the node answers error {code}, {message}")]
    Answered {
        /// What was asked.
        method: String,
        /// The JSON-RPC error code.
        code: i64,
        /// Its words.
        message: String,
    },
}

/// A node's JSON-RPC port on this machine.
#[derive(Clone, Debug)]
pub struct Rpc {
    port: u16,
}

impl Rpc {
    /// The node at a port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Calls a method with positional parameters.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let unreachable = |cause: String| RpcError::Unreachable { port: self.port, cause };
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (status, body) =
            self.post(&request.to_string()).map_err(|cause| unreachable(cause.to_string()))?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|cause| unreachable(format!("HTTP {status}, not JSON: {cause}")))?;
        if let Some(error) = answer.get("error") {
            return Err(RpcError::Answered {
                method: method.to_owned(),
                code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
                message: error
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or("(no words)")
                    .to_owned(),
            });
        }
        answer
            .get("result")
            .cloned()
            .ok_or_else(|| unreachable(format!("HTTP {status} without result or error")))
    }

    /// Sends one HTTP request and reads its answer: status code and body.
    ///
    /// # Errors
    ///
    /// If the connection fails or the answer is not HTTP.
    pub fn post(&self, body: &str) -> std::io::Result<(u16, Vec<u8>)> {
        http::post(self.port, "/", body, PATIENCE)
    }

    /// Number of the best block.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn block(&self) -> Result<u64, RpcError> {
        self.number_of(json!([]))
    }

    /// Number of the last finalised block.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub fn finalised(&self) -> Result<u64, RpcError> {
        let hash = self.call("chain_getFinalizedHead", json!([]))?;
        self.number_of(json!([hash]))
    }

    fn number_of(&self, params: Value) -> Result<u64, RpcError> {
        let header = self.call("chain_getHeader", params)?;
        let text = header.get("number").and_then(Value::as_str).unwrap_or("0x0");
        u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|cause| {
            RpcError::Unreachable {
                port: self.port,
                cause: format!("block number {text}: {cause}"),
            }
        })
    }
}
