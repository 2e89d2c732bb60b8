//! The example as a program. What it does on a chain is run by the tutorials (`tests/system_story`), and without a
//! test of its own `cargo test` would not build it for them.

use std::process::Command;

#[test]
fn wrong_arguments_and_a_missing_node_are_said() {
    let cases: [(&[&str], &str); 3] = [
        (&[], "usage: OPENLEDGER_SECRET=… openledger-dapp NODE DATANET"),
        (&["ws://127.0.0.1:1", "first"], "InvalidDigit"),
        (&["ws://127.0.0.1:1", "0"], "ConnectionRefused"),
    ];
    for (arguments, said) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_openledger-dapp"))
            .args(arguments)
            .env("OPENLEDGER_SECRET", "//Dave")
            .output()
            .expect("the example can be run");
        assert!(!output.status.success(), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}
