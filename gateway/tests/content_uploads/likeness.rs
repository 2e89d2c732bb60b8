//! Which earlier file of its Datanet a submission is most like, for who judges it.

use super::door::{hash, Door};
use openledger_gateway::likeness::Compared;
use openledger_gateway::uploads::named::Role;
use openledger_primitives::MediaType;
use openledger_reviewer::File;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// A text of lines about a place, long enough to have many runs of words.
fn text(place: &str, lines: u32) -> Vec<u8> {
    let line = |n| format!("On day {n} the keeper of {place} wrote down what ships went by.\n");
    (0..lines).map(line).collect::<String>().into_bytes()
}

fn comparable(bytes: &[u8]) -> File {
    File { sha256: Sha256::digest(bytes).into(), media: MediaType::Txt }
}

/// Submission 9 of a file, after others in order from submission 0 on.
fn compared(file: &[u8], earlier: &[&[u8]]) -> Compared {
    let mut earlier: Vec<_> = (0..).zip(earlier.iter().map(|bytes| comparable(bytes))).collect();
    earlier.reverse();
    Compared {
        submission: 9,
        datanet: 0,
        min_units: 10,
        file: comparable(file),
        earlier,
        ended: vec![],
        undrawn: vec![],
        complete: true,
    }
}

fn nothing(compared: u32) -> Value {
    json!({
        "nearest": null, "compared": compared, "unknown": 0, "missing": [], "endedMissing": [], "undrawn": [],
        "complete": true
    })
}

async fn nearest(door: &Door) -> Value {
    door.ask("GET", "/v1/submissions/9/nearest", &[], &[]).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_near_copy_is_found_among_earlier_files_which_are_measured_as_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let (first, other) = (text("Sund", 60), text("Havn", 40));
    // A word in sixty is another one, and so is the case of all.
    let copy = String::from_utf8(first.clone()).unwrap().to_uppercase().replace("DAY 7 ", "EVE 7 ");
    let copy = copy.into_bytes();
    // Here: the file itself and two of the three before it.
    for file in [&first, &other, &copy] {
        door.put(&bearer, file).await.ok();
        door.chain.name(file, MediaType::Txt, Role::Pending);
    }
    let elsewhere = text("a place that is not here", 20);
    door.chain.name(&elsewhere, MediaType::Txt, Role::Pending);

    let missing = door.ask("GET", "/v1/submissions/9/nearest", &[], &[]).await;
    assert_eq!(missing.error(), (404, "not_found".to_owned()));
    *door.chain.compared.lock().unwrap() = vec![compared(&copy, &[&first, &elsewhere, &other])];
    let found = nearest(&door).await;
    assert_eq!((&found["compared"], &found["unknown"]), (&json!(2), &json!(1)));
    assert_eq!(found["missing"], json!([1]), "what is not here is named");
    let like = &found["nearest"];
    assert_eq!(
        (&like["submission"], &like["sha256"], &like["media"], &like["same"]),
        (&json!(0), &json!(hash(&first)), &json!("txt"), &json!("likeness"))
    );
    let alike = like["alike"].as_f64().unwrap();
    assert!((0.8..1.0).contains(&alike), "{alike}");

    // Nothing is like what has nothing before it.
    *door.chain.compared.lock().unwrap() = vec![compared(&copy, &[])];
    assert_eq!(nearest(&door).await, nothing(0));
    *door.chain.compared.lock().unwrap() = vec![compared(&first, &[&first])];
    let found = nearest(&door).await;
    assert_eq!(
        (&found["nearest"]["same"], &found["nearest"]["ended"]),
        (&json!("bytes"), &json!(false))
    );

    // What ended as nobody's original is named as such, and missing on its own; what may be one by and by is only named.
    let ended = Compared {
        ended: vec![(5, comparable(&elsewhere)), (4, comparable(&first))],
        undrawn: vec![7, 6],
        complete: false,
        ..compared(&first, &[&other])
    };
    *door.chain.compared.lock().unwrap() = vec![ended];
    let found = nearest(&door).await;
    let like = &found["nearest"];
    assert_eq!((&like["submission"], &like["ended"]), (&json!(4), &json!(true)));
    assert_eq!(
        (&found["compared"], &found["unknown"], &found["missing"]),
        (&json!(2), &json!(0), &json!([]))
    );
    assert_eq!((&found["endedMissing"], &found["undrawn"]), (&json!([5]), &json!([7, 6])));
    assert_eq!(found["complete"], json!(false));
    // A copy of an original is shown as that.
    let ended = Compared { ended: vec![(4, comparable(&copy))], ..compared(&copy, &[&first]) };
    *door.chain.compared.lock().unwrap() = vec![ended];
    assert_eq!(nearest(&door).await["nearest"]["submission"], json!(0));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_an_earlier_file_as_another_format_do_not_hide_its_copies() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let original = text("Sund", 60);
    let copy =
        String::from_utf8(original.clone()).unwrap().replace("day 7 ", "eve 7 ").into_bytes();
    for file in [&original, &copy] {
        door.put(&bearer, file).await.ok();
        door.chain.name(file, MediaType::Txt, Role::Pending);
    }
    // Somebody asks first for what the original's bytes are called elsewhere, and again later.
    let elsewhere = File { media: MediaType::Pdf, ..comparable(&original) };
    let as_pdf = Compared { datanet: 1, file: elsewhere, ..compared(&original, &[]) };
    let alike = compared(&copy, &[&original]);
    for asked in [&as_pdf, &alike, &as_pdf, &alike] {
        *door.chain.compared.lock().unwrap() = vec![asked.clone()];
        let found = nearest(&door).await;
        match asked.datanet {
            1 => assert_eq!(found["nearest"], Value::Null),
            _ => assert_eq!(
                (&found["nearest"]["submission"], &found["unknown"]),
                (&json!(0), &json!(0))
            ),
        }
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_like_nothing_and_nothing_is_like_it() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let broken = vec![0xff; 400];
    door.put(&bearer, &broken).await.ok();
    door.chain.name(&broken, MediaType::Txt, Role::Pending);
    *door.chain.compared.lock().unwrap() = vec![compared(&broken, &[&broken])];
    assert_eq!(nearest(&door).await, nothing(1));
    door.close().await;
}
