//! `openledger-docs`: the book in `docs/`, served to people and to agents.
