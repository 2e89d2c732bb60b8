//! The content store through its public doors: content ids, blocks on disk, hostile content,
//! exchange between nodes and processes, hostile peers.

#[path = "content_store/exchange.rs"]
mod exchange;
#[path = "content_store/hostile_content.rs"]
mod hostile_content;
#[path = "content_store/hostile_peers.rs"]
mod hostile_peers;
#[path = "content_store/import.rs"]
mod import;
#[path = "content_store/nodes.rs"]
mod nodes;
#[path = "content_store/older_dags.rs"]
mod older_dags;
#[path = "content_store/processes.rs"]
mod processes;
#[path = "content_store/store.rs"]
mod store;
#[path = "content_store/support/mod.rs"]
mod support;
