//! The decoder's side.

use super::{
    confine::{confine, Layers},
    longer,
    message::Answer,
    Isolation, DECODER, MEMORY,
};
use crate::{
    measure::{count, Refusal, Refused, MAX_MEDIA_BYTES},
    MediaType, EXTRACTOR_VERSION,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::ExitCode,
};

const USAGE: &str = "\
Decodes one image, sound or document in confinement, for the programs of OpenLedger.

Usage: openledger-decode measure FORMAT   counts the file on standard input, for other programs
       openledger-decode text FORMAT      reads a document in the same way
       openledger-decode picture FORMAT   draws an image as PNG in the same way
       openledger-decode likeness FORMAT  what a file is compared by, in the same way
       openledger-decode check [LAYER]    says what confines it on this machine, having tried to
                                          open a file, to connect, to start a program, and to
                                          get too much memory
       openledger-decode --help | --version

LAYER: all (default), limits, user-namespace or seccomp, to try one alone.";

/// What the program `openledger-decode` is.
pub fn decoder_main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).take(3).map(|a| a.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["measure", format] => confined(format, |isolation, media_type, bytes| {
            // A decoder that panics has met a file that it cannot make sense of, on every machine.
            let counted = std::panic::catch_unwind(|| count(media_type, bytes));
            let counted = counted.unwrap_or_else(|_| Err(gives_up()));
            Answer { isolation, counted }.write()
        }),
        ["text", format] => confined(format, longer::answer_text),
        ["picture", format] => confined(format, longer::answer_picture),
        ["likeness", format] => confined(format, longer::answer_likeness),
        ["check"] => check("all", None),
        ["check", layer] => check(layer, None),
        ["check", layer, address] => check(layer, Some(address)),
        ["--help" | "-h"] => say(USAGE),
        ["--version" | "-V"] => {
            let version = env!("CARGO_PKG_VERSION");
            say(&format!("{DECODER} {version}, extractor {EXTRACTOR_VERSION}"))
        }
        _ => {
            let _ = writeln!(std::io::stderr(), "{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What is said of a file at which a decoder panics.
pub(super) fn gives_up() -> Refused {
    Refused(Refusal::Damaged, "its data makes the decoder give up".into())
}

/// Gives everything up, reads the file, and answers what `work` makes of it.
fn confined(format: &str, work: impl Fn(Isolation, MediaType, &[u8]) -> Vec<u8>) -> ExitCode {
    let fail = |text: String| {
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::FAILURE
    };
    let Some(media_type) = MediaType::from_extension(format) else {
        return fail(format!("{format:?} is no format"));
    };
    let isolation = match confine(Layers::ALL) {
        Ok(isolation) => isolation,
        Err(error) => return fail(format!("the decoder could not be confined: {error}")),
    };
    let mut bytes = Vec::new();
    if let Err(error) = std::io::stdin().lock().take(MAX_MEDIA_BYTES).read_to_end(&mut bytes) {
        return fail(format!("the file could not be read: {error}"));
    }
    std::panic::set_hook(Box::new(|_| {}));
    let answer = work(isolation, media_type, &bytes);
    let mut output = std::io::stdout();
    match output.write_all(&answer).and_then(|()| output.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Puts the layers on and tries what they forbid. Exit code 0 if all of it failed.
fn check(layer: &str, address: Option<&str>) -> ExitCode {
    let none = Layers { limits: false, namespace: false, seccomp: false };
    let layers = match layer {
        "all" => Layers::ALL,
        "limits" => Layers { limits: true, ..none },
        "user-namespace" => Layers { namespace: true, ..none },
        "seccomp" => Layers { seccomp: true, ..none },
        "none" => none,
        _ => {
            let _ = writeln!(std::io::stderr(), "{USAGE}");
            return ExitCode::from(2);
        }
    };
    let isolation = match confine(layers) {
        Ok(isolation) => isolation,
        Err(error) => return say(&format!("{{\"error\":{:?}}}", error.to_string())),
    };
    let file = attempt(std::fs::File::open("/etc/passwd").map(drop));
    let program = attempt(std::process::Command::new("/bin/true").status().map(drop));
    // Without an address, one that nobody listens at: what is refused by the other side got there.
    let connected = TcpStream::connect(address.unwrap_or("127.0.0.1:9")).map(drop);
    let reached = match &connected {
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Ok(()) => true,
    };
    let network = if reached { "reached".to_owned() } else { attempt(connected) };
    let mut room = Vec::<u8>::new();
    let memory = attempt(room.try_reserve_exact(MEMORY as usize).map_err(std::io::Error::other));
    let text = format!(
        "{{\"isolation\":\"{isolation}\",\"extractorVersion\":{EXTRACTOR_VERSION},\
         \"network\":{network:?},\"file\":{file:?},\"program\":{program:?},\"memory\":{memory:?}}}"
    );
    let held =
        [&network, &file, &program, &memory].iter().all(|outcome| outcome.starts_with("denied"));
    match say(&text) {
        code if held => code,
        _ => ExitCode::FAILURE,
    }
}

fn attempt(outcome: std::io::Result<()>) -> String {
    match outcome {
        Ok(()) => "reached".to_owned(),
        Err(error) => format!("denied: {error}"),
    }
}
