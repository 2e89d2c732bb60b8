//! Key files: private, never overwritten, readable by wallets, and useless without their password.

use openledger_client::{
    keyfile::{self, KeyFileError},
    Signer,
};
use serde_json::Value;
use sp_core::{sr25519::Pair, Pair as _};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with one key file `me.json` of password `right`.
fn with_key() -> (TempDir, std::path::PathBuf, Signer) {
    let directory = TempDir::new().expect("a directory");
    let path = keyfile::path_of(directory.path(), "me").expect("a good name");
    let (signer, _) = Signer::generate();
    keyfile::write(&path, &signer, "right").expect("written");
    (directory, path, signer)
}

fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut document: Value =
        serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    change(&mut document);
    fs::write(path, document.to_string()).expect("writable");
}

#[test]
fn a_key_file_gives_back_the_same_key() {
    let (_directory, path, signer) = with_key();
    assert_eq!(keyfile::account(&path).expect("readable"), signer.account());
    let read = keyfile::read(&path, "right").expect("the right password");
    assert_eq!(read.account(), signer.account());
    // Its signatures are those of the account, so the secret is the same too.
    let (signature, public) = (read.sign(b"message").into(), signer.account().0.into());
    assert!(Pair::verify(&signature, b"message", &public));
    assert!(!Pair::verify(&signature, b"another message", &public));
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().expect("a directory");
    let keys = directory.path().join("new/keys");
    let path = keyfile::path_of(&keys, "me").expect("a good name");
    keyfile::write(&path, &Signer::generate().0, "p").expect("written");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&keys), 0o700);
}

#[test]
fn a_key_file_is_never_overwritten_and_nothing_else_is_left() {
    let (directory, path, _) = with_key();
    let before = fs::read(&path).expect("readable");
    let again = keyfile::write(&path, &Signer::generate().0, "other");
    assert!(matches!(again, Err(KeyFileError::Exists(_))), "{again:?}");
    assert_eq!(fs::read(&path).expect("readable"), before);
    let names: Vec<_> = fs::read_dir(directory.path()).expect("readable").collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn another_password_does_not_open_it() {
    let (_directory, path, _) = with_key();
    for password in ["wrong", "", "right ", "Right"] {
        let error = keyfile::read(&path, password).expect_err("another password");
        assert!(matches!(error, KeyFileError::WrongPassword(_)), "{error}");
    }
}

#[test]
fn a_changed_file_does_not_open() {
    let (_directory, path, _) = with_key();
    let original = fs::read(&path).expect("readable");
    // One character of each region of the encoded bytes: salt, nonce, tag, ciphertext, end.
    for place in [3, 70, 100, 130, 200, 240] {
        fs::write(&path, &original).expect("writable");
        change(&path, |document| {
            let encoded = document["encoded"].as_str().expect("text");
            let mut encoded: Vec<char> = encoded.chars().collect();
            encoded[place] = if encoded[place] == 'A' { 'B' } else { 'A' };
            document["encoded"] = encoded.into_iter().collect::<String>().into();
        });
        let error = keyfile::read(&path, "right").expect_err("changed");
        assert!(matches!(error, KeyFileError::WrongPassword(_)), "at {place}: {error}");
    }
}

#[test]
fn a_key_under_another_address_is_refused() {
    let (_directory, path, _) = with_key();
    let other = Signer::generate().0.account().to_string();
    change(&path, |document| document["address"] = other.into());
    let error = keyfile::read(&path, "right").expect_err("another address");
    assert!(matches!(error, KeyFileError::Malformed { .. }), "{error}");
}

#[test]
fn a_hostile_scrypt_cost_is_refused_before_it_is_paid() {
    // The header of a file that asks for 2^30 blocks: a terabyte of memory.
    let (_directory, path, _) = with_key();
    change(&path, |document| {
        let encoded = document["encoded"].as_str().expect("text").to_owned();
        // Bytes 33 to 35 are the low bytes of n, in characters 44 to 47.
        document["encoded"] = format!("{}////{}", &encoded[..44], &encoded[48..]).into();
    });
    let error = keyfile::read(&path, "right").expect_err("too costly");
    assert!(error.to_string().contains("scrypt cost"), "{error}");
}

#[test]
fn what_is_no_key_file_is_refused_in_words() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("x.json");
    assert!(matches!(keyfile::read(&path, "p"), Err(KeyFileError::NotFound(_))));
    let encoding =
        r#"{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"}"#;
    let address = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    for text in [
        String::new(),
        "not JSON".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"encoded":"","encoding":{encoding},"address":"{address}"}}"#),
        format!(r#"{{"encoded":"!!!!","encoding":{encoding},"address":"{address}"}}"#),
        format!(r#"{{"encoded":"AAAA","encoding":{encoding},"address":"{address}"}}"#),
        format!(r#"{{"encoded":"AAAA","encoding":{encoding},"address":"nobody"}}"#),
        format!(
            r#"{{"encoded":"AAAA","encoding":{},"address":"{address}"}}"#,
            encoding.replace('3', "2")
        ),
        " ".repeat(20_000),
    ] {
        fs::write(&path, &text).expect("writable");
        let error = keyfile::read(&path, "p").expect_err("no key file");
        assert!(matches!(error, KeyFileError::Malformed { .. }), "{text:.40}: {error}");
    }
}

#[test]
fn names_that_leave_or_hide_in_the_directory_are_refused() {
    let directory = Path::new("keys");
    for name in ["", "../me", "a/b", ".hidden", "-flag", "a b", "é", "a\0b", &"x".repeat(65)] {
        assert!(matches!(keyfile::path_of(directory, name), Err(KeyFileError::Name(_))), "{name}");
    }
    for name in ["me", "Me-2.old_one", "7", &"x".repeat(64)] {
        let path = keyfile::path_of(directory, name).expect("a good name");
        assert_eq!(path, directory.join(format!("{name}.json")));
    }
}

#[test]
fn a_list_shows_key_files_by_name_and_nothing_else() {
    let (directory, path, signer) = with_key();
    let other = Signer::generate().0;
    keyfile::write(&directory.path().join("another.json"), &other, "p").expect("written");
    fs::write(directory.path().join("broken.json"), "{").expect("writable");
    fs::copy(&path, directory.path().join("me.txt")).expect("copied");
    let keys = keyfile::list(directory.path()).expect("readable");
    let keys: Vec<_> = keys.into_iter().map(|key| (key.name, key.account)).collect();
    assert_eq!(
        keys,
        [("another".to_owned(), other.account()), ("me".to_owned(), signer.account())]
    );
    assert!(keyfile::list(&directory.path().join("missing")).expect("empty").is_empty());
}

#[test]
fn files_that_polkadot_js_wrote_are_read() {
    // Exported by polkadot-js; also in the tests of subxt-signer.
    let alice = r#"{"encoded":"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","meta":{"genesisHash":"","name":"Alice","whenCreated":1718265838755}}"#;
    let bob = r#"{"encoded":"J2FFcPHAY11Pmq/38eqbwfUv9OPitYJs+oYgahBvlagAAAIAAQAAAAgAAAB5o0DwXCWDblsH+9pc++RaBO4fpHBHzUirHFHFE9yS3sDzgAIQjhgvPqJ3ODrMR2gy7vk0VZg1fyirIvmsrfjGbWnOI8YU0joX0tYytroyWaykFKtZJMmE0pNKcJ5dJmDxscbK53Ac+7ld2UdH07yKPXxmPuYNNw3vKx8cg9CdQgifKfzQxHnC+EUpOoHPLwGlHsFEYtIlQtngqd9n","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5CfWTDh7XxJ2yrayqQ2aJnnZAH5v5XaF1oJFfH5QCpbfP9v8","meta":{"genesisHash":"","name":"Bob (Dev)","whenCreated":1768916488918}}"#;
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("exported.json");
    for (file, password, account) in [
        (alice, "whoisalice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
        (bob, "whoisbob", "5CfWTDh7XxJ2yrayqQ2aJnnZAH5v5XaF1oJFfH5QCpbfP9v8"),
    ] {
        fs::write(&path, file).expect("writable");
        let signer = keyfile::read(&path, password).expect("a wallet's file");
        assert_eq!(signer.account().to_string(), account);
    }
}

#[test]
fn a_signer_does_not_show_its_secret() {
    let (signer, phrase) = Signer::generate();
    let shown = format!("{signer:?}");
    assert_eq!(shown, format!("Signer({})", signer.account()));
    assert!(phrase.split(' ').all(|word| !shown.contains(word)));
    let error = Signer::from_secret("clearly not a phrase").expect_err("no phrase").to_string();
    assert!(!error.contains("clearly"), "{error}");
}
