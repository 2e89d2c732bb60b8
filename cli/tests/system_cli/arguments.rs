//! Arguments, help, exit codes and the error envelope.

use super::command::Home;
use openledger_primitives::{
    training::Schedule, ClosedList, Method, Modality, ModelFamily, RejectionReason,
};
use std::net::TcpListener;

/// The address of a port on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("ws://{}", listener.local_addr().expect("an address"))
}

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn every_command_has_help_with_examples() {
    let home = Home::new();
    let check = |arguments: &[&str]| {
        let mut all = [""; 3];
        all[..arguments.len()].copy_from_slice(arguments);
        all[arguments.len()] = "--help";
        let ran = match arguments.len() {
            0 => home.run([all[0]]),
            1 => home.run([all[0], all[1]]),
            _ => home.run(all),
        };
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        assert!(ran.stdout.contains("Examples:\n  openledger"), "{arguments:?}: {}", ran.stdout);
    };
    check(&[]);
    for command in ["submit", "text", "withdraw", "leaderboard", "status"] {
        check(&[command]);
    }
    for (group, commands) in [
        ("account", &["new", "import", "list", "show", "transfer"][..]),
        (
            "datanet",
            &[
                "create",
                "list",
                "show",
                "describe",
                "curators",
                "budget",
                "admission",
                "invite",
                "pause",
                "resume",
                "offer",
                "accept",
                "close",
            ],
        ),
        ("contributor", &["register", "register-for", "deregister", "show"]),
        (
            "review",
            &[
                "list",
                "fetch",
                "accept",
                "reject",
                "draws",
                "commit",
                "reveal",
                "challenge",
                "advance",
                "request",
                "run",
            ],
        ),
        ("seat", &["bond", "unbond", "withdraw", "top-up", "list"]),
        (
            "validator",
            &[
                "keys", "bond", "validate", "nominate", "chill", "unbond", "withdraw", "leave",
                "payout", "status",
            ],
        ),
        (
            "pool",
            &[
                "list",
                "status",
                "create",
                "join",
                "bond-extra",
                "claim",
                "unbond",
                "withdraw",
                "slash",
                "nominate",
                "chill",
                "commission",
                "claim-commission",
                "state",
            ],
        ),
        ("rewards", &["fund", "terms", "show", "claim", "leave", "withdraw", "recover", "payout"]),
        ("model", &["register", "list", "show"]),
        ("job", &["create", "watch", "show", "list", "cancel"]),
        ("adapter", &["list", "show", "ancestry", "download", "attribution"]),
    ] {
        for command in commands {
            check(&[group, command]);
        }
    }
}

#[test]
fn wrong_arguments_end_with_code_2_in_both_formats() {
    let home = Home::new();
    let text = home.run(["leaderboard", "0", "--nonsense"]);
    assert_eq!(text.code, 2, "{text:?}");
    assert!(text.stderr.contains("--nonsense") && text.stdout.is_empty(), "{text:?}");
    for arguments in [
        ["leaderboard", "0", "--nonsense", "--output", "json"],
        ["--output", "json", "leaderboard", "0", "--nonsense"],
    ] {
        let error = home.run(arguments).error(2);
        assert_eq!(error["kind"], "usage");
        assert!(error["message"].as_str().expect("text").contains("--nonsense"), "{error}");
        assert!(error["code"].is_null());
    }
    let error = home.run(["--output=json"]).error(2);
    assert_eq!(error["kind"], "usage");
}

#[test]
fn values_out_of_bounds_are_refused_by_name_and_bound() {
    let home = Home::new();
    let job = ["job", "create", "--model", "0", "--datanet", "0", "--budget", "1", "--dry-run"];
    for (field, value, words) in [
        ("--learning-rate", "2", "learning_rate is 2; it may be 0.000000001 to 0.1"),
        ("--learning-rate", "1e-12", "learning_rate"),
        ("--learning-rate", "nan", "learning_rate"),
        ("--lora-r", "0", "lora_r is 0; it may be 1 to 256"),
        ("--lora-dropout", "0.9", "lora_dropout is 0.9; it may be 0 to 0.5"),
        ("--lora-dropout", "0.00001", "lora_dropout"),
        ("--eval-fraction", "0", "eval_fraction is 0; it may be 0.01 to 0.5"),
        ("--num-train-epochs", "101", "num_train_epochs is 101; it may be 1 to 100"),
        ("--max-seq-length", "8", "max_seq_length is 8; it may be 16 to 8192"),
        ("--target-modules", "q_proj,nose", "nose"),
        ("--method", "magic", "lora, qlora"),
        ("--token-ceiling", "0", "0"),
        ("--datanet", "1@x", "1@x"),
    ] {
        let mut arguments = [""; 13];
        arguments[..9].copy_from_slice(&job);
        arguments[9..].copy_from_slice(&[field, value, "--output", "json"]);
        let error = home.run(arguments).error(2);
        let message = error["message"].as_str().expect("text");
        assert!(message.contains(words), "{field} {value}: {message}");
    }
    for (arguments, words) in [
        (["review", "accept", "--score", "0"], "1 to 100"),
        (["review", "accept", "--score", "101"], "1 to 100"),
        (["review", "reject", "--reason", "ugly"], "off-topic"),
    ] {
        let [group, command, flag, value] = arguments;
        let rest = ["--datanet", "0", "--sha256", HASH, "--output", "json"];
        let [a, b, c, d, e, f] = rest;
        let error = home.run([group, command, flag, value, a, b, c, d, e, f]).error(2);
        assert!(error["message"].as_str().expect("text").contains(words), "{error}");
    }
    let error = home.run(["withdraw", "--datanet", "0", "--sha256", "ff", "--output", "json"]);
    assert!(error.error(2)["message"].as_str().expect("text").contains("64 hexadecimal digits"));
}

#[test]
fn amounts_that_are_none_are_refused_with_the_value() {
    let home = Home::new();
    for amount in ["-5", "1e3", "5DOT", "0.0000000000000000001"] {
        let error = home
            .run(["account", "transfer", "--to", "//Bob", "--amount", amount, "--output", "json"])
            .error(2);
        let message = error["message"].as_str().expect("text");
        assert!(
            message.to_lowercase().contains(&amount.trim_start_matches('5').to_lowercase()),
            "{message}"
        );
    }
    let arguments = ["rewards", "terms", "--datanet", "0", "--per-period", "1", "--max-per-point"];
    let [a, b, c, d, e, f, g] = arguments;
    let error = home.run([a, b, c, d, e, f, g, "0.5", "--output", "json"]).error(2);
    assert!(error["message"].as_str().expect("text").contains("unit"), "{error}");
}

#[test]
fn a_node_that_is_not_there_ends_with_code_4_and_a_plain_sentence() {
    let node = nobody();
    let home = Home::new().with("OPENLEDGER_NODE", &node);
    let text = home.run(["--timeout", "1", "status"]);
    assert_eq!(text.code, 4, "{text:?}");
    assert!(text.stdout.is_empty(), "{text:?}");
    let lines: Vec<&str> = text.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{text:?}");
    assert!(lines[0].starts_with(&format!("error: no node answers at {node} (tried for 1 s): ")));
    assert!(lines[1].starts_with("Next: "), "{text:?}");
    let error = home.run(["--timeout", "1", "status", "--output", "json"]).error(4);
    assert_eq!(error["kind"], "unavailable");
    assert!(error["message"].as_str().expect("text").contains(&node));
    assert!(error["next"].as_str().expect("text").contains("--node"));
}

#[test]
fn every_command_that_needs_the_node_says_that_it_is_not_there() {
    let home = Home::new().with("OPENLEDGER_NODE", &nobody());
    let file = home.path().join("a.txt");
    std::fs::write(&file, "some text").expect("writable");
    let file = file.to_str().expect("UTF-8");
    let json = |ran: super::command::Ran| ran.error(4);
    json(home.run(["datanet", "list", "--timeout", "1", "--output", "json"]));
    json(home.run(["leaderboard", "0", "--timeout", "1", "--output", "json"]));
    json(home.run(["job", "watch", "0", "--timeout", "1", "--output", "json"]));
    json(home.run(["adapter", "show", "0", "--timeout", "1", "--output", "json"]));
    json(home.run([
        "--key",
        "//Alice",
        "submit",
        "--datanet",
        "0",
        file,
        "--timeout",
        "1",
        "--output",
        "json",
    ]));
    json(home.run([
        "--key",
        "//Alice",
        "contributor",
        "register",
        "--timeout",
        "1",
        "--output",
        "json",
    ]));
    assert!(!home.path().join(".local").exists(), "nothing is written before the chain agrees");
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    let home = Home::new();
    for node in ["http://127.0.0.1:9944", "127.0.0.1:9944", ""] {
        let error = home.run(["--node", node, "status", "--output", "json"]).error(2);
        assert!(error["next"].as_str().expect("text").contains("ws://"), "{error}");
    }
    let error = home.run(["--peer", "somewhere", "status", "--output", "json"]).error(2);
    assert!(error["message"].as_str().expect("text").contains("somewhere"), "{error}");
    let error = home.run(["--timeout", "0", "status", "--output", "json"]).error(2);
    assert!(error["message"].as_str().expect("text").contains("timeout"), "{error}");
}

#[test]
fn a_command_that_needs_a_key_says_how_to_give_one() {
    let home = Home::new();
    let error = home.run(["contributor", "register", "--output", "json"]).error(2);
    assert!(error["next"].as_str().expect("text").contains("--key"), "{error}");
    let error = home.run(["validator", "status", "--output", "json"]).error(2);
    let next = error["next"].as_str().expect("text");
    assert!(next.contains("--key") && next.contains("or the account itself"), "{error}");
    for unbond in [&["1", "--all"][..], &[]] {
        let mut all = vec!["validator", "unbond"];
        all.extend(unbond);
        all.extend(["--output", "json"]);
        home.run_with_arguments(&all).error(2);
    }
    let error = home.run(["--key", "nobody", "contributor", "register", "--output", "json"]);
    assert!(error.error(1)["message"].as_str().expect("text").contains("nobody.json"));
    // An address with a typing error is not taken for the name of a key.
    let error = home
        .run([
            "account",
            "show",
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",
            "--output",
            "json",
        ])
        .error(2);
    assert!(error["next"].as_str().expect("text").contains("check sum"), "{error}");
}

#[test]
fn a_locked_key_without_a_password_is_wrong_usage_and_with_another_one_fails() {
    let home = Home::new();
    let made = Home::new().with("OPENLEDGER_PASSWORD", "right");
    made.run(["account", "new", "me", "--output", "json"]).json();
    let key = made.path().join(".local/share/openledger/keys/me.json");
    let key = key.to_str().expect("UTF-8");
    // No node is asked before the key is open.
    let node = nobody();
    let home = home.with("OPENLEDGER_NODE", &node);
    let arguments = ["--key", key, "contributor", "register", "--timeout", "1", "--output", "json"];
    let error = home.run(arguments).error(2);
    assert!(
        error["next"].is_string()
            || error["message"].as_str().expect("text").contains("--password-file")
    );
    let home = home.with("OPENLEDGER_PASSWORD", "wrong");
    let error = home.run(arguments).error(1);
    assert!(error["message"].as_str().expect("text").contains("password does not open"), "{error}");
}

/// Nothing is made upper case: a message may begin with the name of a file or a setting.
#[test]
fn names_of_files_keep_their_case_in_messages() {
    let home = Home::new();
    for name in ["many", "LICENSE", "österreich", "openledger"] {
        std::fs::write(home.path().join(name), "some text").expect("writable");
        let key = format!("./{name}");
        let ran = home.run_in_its_home(["--key", &key, "account", "show"]);
        assert!(ran.stderr.starts_with(&format!("error: ./{name} is not")), "{ran:?}");
    }
    let job = ["job", "create", "--model", "0", "--datanet", "0", "--budget", "1", "--lora-r", "0"];
    let ran = home.run(job);
    assert!(ran.stderr.starts_with("error: lora_r is 0"), "{ran:?}");
}

/// Every entry of a closed list is known by its name, and `--help` says what it means.
#[test]
fn closed_lists_are_known_to_arguments_and_help() {
    fn check<L: ClosedList>(arguments: &[&str], option: &str) {
        let home = Home::new();
        let help = home.run_with_arguments(&[arguments, &["--help"]].concat()).stdout;
        for entry in L::ALL {
            let line = help.lines().find(|line| {
                line.trim_start()
                    .trim_start_matches("- ")
                    .starts_with(&format!("{}:", entry.name()))
            });
            let line = line.unwrap_or_else(|| panic!("{} is not in {help}", entry.name()));
            assert!(line.contains(entry.help()), "{line}");
        }
        let ran = home.run_with_arguments(&[arguments, &[option, "nonsense"]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        for entry in L::ALL {
            assert!(ran.stderr.contains(entry.name()), "{ran:?}");
        }
    }
    check::<RejectionReason>(&["review", "reject"], "--reason");
    check::<Modality>(&["datanet", "create"], "--modality");
    check::<ModelFamily>(&["model", "register"], "--family");
    check::<Method>(&["job", "create"], "--method");
    check::<Schedule>(&["job", "create"], "--lr-scheduler-type");
}
