//! `openledger account new|import|list`, which need no node.

use super::command::Home;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const DEVELOPMENT_PHRASE: &str =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

#[test]
fn a_new_key_is_listed_and_its_file_is_in_the_data_directory() {
    let home = Home::new().with("OPENLEDGER_PASSWORD", "secret");
    let made = home.run(["account", "new", "me", "--output", "json"]).json();
    assert_eq!(made["name"], "me");
    assert!(made.get("words").is_none(), "words are shown only when they are asked for");
    let file = home.path().join(".local/share/openledger/keys/me.json");
    assert_eq!(made["file"], file.to_str().expect("UTF-8"));
    assert!(!std::fs::read_to_string(&file).expect("readable").contains("secret"));
    let listed = home.run(["account", "list", "--output", "json"]).json();
    assert_eq!(listed["accounts"][0]["account"], made["account"]);
    let text = home.run(["account", "list"]);
    assert!(text.stdout.contains(made["account"].as_str().expect("text")), "{text:?}");
}

#[test]
fn the_data_directory_of_xdg_and_the_flag_are_used() {
    let home = Home::new().with("OPENLEDGER_PASSWORD", "p");
    let elsewhere = home.path().join("data");
    let home = home.with("XDG_DATA_HOME", elsewhere.to_str().expect("UTF-8"));
    home.run(["account", "new", "me", "--output", "json"]).json();
    assert!(elsewhere.join("openledger/keys/me.json").is_file());
    let keys = home.path().join("keys");
    let keys = keys.to_str().expect("UTF-8");
    home.run(["account", "new", "me", "--keys-directory", keys, "--output", "json"]).json();
    assert!(home.path().join("keys/me.json").is_file());
}

#[test]
fn the_words_of_a_new_key_restore_it() {
    let home = Home::new().with("OPENLEDGER_PASSWORD", "p");
    let made = home.run(["account", "new", "me", "--words", "--output", "json"]).json();
    let words = made["words"].as_str().expect("words");
    assert_eq!(words.split(' ').count(), 12);
    let back = home.run_with_input(["account", "import", "back", "--output", "json"], words);
    assert_eq!(back.json()["account"], made["account"]);
}

#[test]
fn a_phrase_with_a_path_is_imported_from_the_environment() {
    let home = Home::new()
        .with("OPENLEDGER_PASSWORD", "p")
        .with("OPENLEDGER_SECRET", &format!("{DEVELOPMENT_PHRASE}//Alice"));
    let imported = home.run(["account", "import", "alice", "--output", "json"]).json();
    assert_eq!(imported["account"], ALICE);
}

#[test]
fn what_is_no_phrase_is_refused_and_not_repeated() {
    let home = Home::new().with("OPENLEDGER_PASSWORD", "p");
    let input = "correct horse battery staple";
    let ran = home.run_with_input(["account", "import", "me", "--output", "json"], input);
    let error = ran.error(2);
    assert_eq!(error["kind"], "usage");
    assert!(!ran.stderr.contains("horse"), "{ran:?}");
    assert!(!home.path().join(".local/share/openledger/keys/me.json").exists());
}

#[test]
fn the_password_comes_from_a_file_without_its_line_ending() {
    let home = Home::new();
    let file = home.path().join("password");
    std::fs::write(&file, "pass word\n").expect("writable");
    let file = file.to_str().expect("UTF-8");
    let arguments = ["account", "new", "me", "--password-file", file, "--output", "json"];
    home.run(arguments).json();
    let key = home.path().join(".local/share/openledger/keys/me.json");
    assert!(openledger_client::keyfile::read(&key, "pass word").is_ok());
}

#[test]
fn a_key_needs_a_password() {
    for home in [Home::new(), Home::new().with("OPENLEDGER_PASSWORD", "")] {
        let error = home.run(["account", "new", "me", "--output", "json"]).error(2);
        assert!(error["next"].as_str().expect("a next step").contains("OPENLEDGER_PASSWORD"));
        assert!(!home.path().join(".local").exists());
    }
}

#[test]
fn a_key_is_never_replaced() {
    let home = Home::new().with("OPENLEDGER_PASSWORD", "p");
    let made = home.run(["account", "new", "me", "--output", "json"]).json();
    let again = home.run(["account", "new", "me", "--output", "json"]).error(1);
    assert!(again["message"].as_str().expect("text").contains("never overwritten"));
    let listed = home.run(["account", "list", "--output", "json"]).json();
    assert_eq!(listed["accounts"][0]["account"], made["account"]);
    let error = home.run(["account", "new", "../me", "--output", "json"]).error(2);
    assert!(error["message"].as_str().expect("text").contains("../me"));
}

#[test]
fn a_secret_in_the_arguments_is_refused_and_not_repeated() {
    let home = Home::new();
    let seed = format!("0x{}", "ab".repeat(32));
    for secret in [DEVELOPMENT_PHRASE, seed.as_str()] {
        let ran = home.run(["--key", secret, "account", "show", "--output", "json"]);
        let error = ran.error(2);
        assert!(error["next"].as_str().expect("text").contains("OPENLEDGER_SECRET"));
        assert!(!ran.stderr.contains("curtain") && !ran.stderr.contains("abab"), "{ran:?}");
    }
}
