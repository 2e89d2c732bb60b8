//! The `openledger` command and the client under it, as far as they go without a node.

mod system_cli {
    mod amounts;
    mod arguments;
    mod command;
    mod key_commands;
    mod key_files;
    mod secret_box;
    mod text;
    mod transactions;
}
