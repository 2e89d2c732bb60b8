use openledger_documents::Likeness;
use openledger_primitives::{ContentCodec, ContentId, FileHash, MediaType, Modality};
use openledger_reviewer::{
    index::{Found, Subject},
    Earlier, File, Index, Leaf, Nearest, Same,
};
use std::path::Path;

const DATANET: u32 = 7;

fn hash(number: u8) -> FileHash {
    [number; 32]
}

fn leaf(number: u64, submission: u64, file: u8, media: MediaType) -> Leaf {
    Leaf {
        leaf: number,
        submission,
        sha256: hash(file),
        text_root: [0; 32],
        content: ContentId::new(ContentCodec::Raw, hash(file)),
        size: 10,
        media,
    }
}

fn open(folder: &Path) -> Index {
    Index::open(&folder.join("index.sqlite")).unwrap()
}

fn text(words: std::ops::Range<u32>) -> Likeness {
    let words: Vec<String> = words.map(|word| format!("w{word}")).collect();
    Likeness::of_text(MediaType::Txt, &words.join(" ")).unwrap()
}

fn subject(submission: u64, file: u8, likeness: &Likeness) -> Subject<'_> {
    Subject {
        datanet: DATANET,
        submission,
        file: txt(file),
        text_root: [0; 32],
        likeness: Some(likeness),
        min_units: 100,
    }
}

fn txt(file: u8) -> File {
    File { sha256: hash(file), media: MediaType::Txt }
}

fn found(file: u8, media: MediaType, likeness: Option<&Likeness>) -> Found<'_> {
    Found { file: File { sha256: hash(file), media }, units: 500, text_root: [0; 32], likeness }
}

#[test]
fn the_most_alike_earlier_file_of_the_datanet_is_found_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let leaves = [
        leaf(0, 10, 1, MediaType::Txt),
        leaf(1, 11, 2, MediaType::Txt),
        leaf(2, 30, 3, MediaType::Txt),
    ];
    index.add_leaves(DATANET, &leaves).unwrap();
    index.add_leaves(8, &[leaf(0, 1, 4, MediaType::Txt)]).unwrap();
    for (file, words) in [(1, 0..900), (2, 0..990), (3, 0..1_000), (4, 0..1_000)] {
        index.put(&found(file, MediaType::Txt, Some(&text(words)))).unwrap();
    }
    drop(index);
    let index = open(folder.path());
    let own = text(0..1_000);
    let found = index.nearest(&subject(20, 9, &own), &[]).unwrap().unwrap();
    // Not 30, which came later, nor the file of another Datanet.
    assert_eq!((found.submission, found.sha256, found.same), (11, hash(2), Same::Likeness));
    assert!(found.alike > 0.9, "{}", found.alike);
    assert_eq!(index.nearest(&subject(10, 9, &own), &[]).unwrap(), None, "nothing came before");
    assert_eq!(index.leaves(DATANET).unwrap(), 3);
    assert_eq!(index.last_leaf(DATANET).unwrap(), Some(leaves[2]));
}

#[test]
fn equal_bytes_and_equal_text_are_found_without_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let same_text = Leaf { text_root: [5; 32], ..leaf(1, 11, 2, MediaType::Md) };
    index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt), same_text]).unwrap();
    let own = text(0..10);
    let bytes = index.nearest(&subject(20, 1, &own), &[]).unwrap();
    let expected =
        |submission, file, same| Some(Nearest { submission, sha256: hash(file), alike: 1.0, same });
    assert_eq!(bytes, expected(10, 1, Same::Bytes));
    let subject = Subject { text_root: [5; 32], ..subject(20, 9, &own) };
    assert_eq!(index.nearest(&subject, &[]).unwrap(), expected(11, 2, Same::Text));
}

#[test]
fn earlier_submissions_before_committees_count_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let own = text(0..1_000);
    let almost = text(0..995);
    let original = Found { text_root: [6; 32], ..found(1, MediaType::Txt, Some(&almost)) };
    index.put(&original).unwrap();
    let waiting = [(19, txt(1)), (21, txt(9)), (18, txt(3))];
    let found = index.nearest(&subject(20, 9, &own), &waiting).unwrap().unwrap();
    assert_eq!((found.submission, found.same), (19, Same::Likeness));
    let same = Subject { text_root: [6; 32], ..subject(20, 9, &own) };
    let found = index.nearest(&same, &waiting).unwrap().unwrap();
    assert_eq!((found.submission, found.same), (19, Same::Text));
    // One that is too small to be accepted is nobody's original.
    let larger = Subject { min_units: 501, ..same };
    assert_eq!(index.nearest(&larger, &waiting).unwrap(), None);
}

#[test]
fn images_are_found_by_their_detail_and_unreadable_files_by_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let leaves = [leaf(0, 10, 1, MediaType::Png), leaf(1, 11, 2, MediaType::Jpg)];
    index.add_leaves(DATANET, &leaves).unwrap();
    assert_eq!(index.unknown(DATANET, 10).unwrap(), [leaves[1], leaves[0]], "the latest first");
    // A thumbnail, the sides of a view, and its cells.
    let view = |other: usize| {
        let mut bytes = vec![0; 16 * 16 * 3];
        bytes.extend([96, 0, 96, 0]);
        let mut state = 1u32;
        bytes.extend((0..96 * 96).map(|cell| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 ^ if cell < other { 0x55 } else { 0 }
        }));
        Likeness::from_bytes(Modality::Image, &bytes).expect("it is one")
    };
    let image = view(96 * 16);
    index.put(&found(1, MediaType::Png, Some(&image))).unwrap();
    index.put(&found(2, MediaType::Jpg, None)).unwrap();
    assert_eq!(index.unknown(DATANET, 10).unwrap(), []);
    let jpg = |file| File { sha256: hash(file), media: MediaType::Jpg };
    assert!(index.knows(&jpg(2)).unwrap() && !index.knows(&jpg(3)).unwrap());
    let own = view(0);
    let file = File { media: MediaType::Png, ..txt(9) };
    let subject = Subject { file, ..subject(20, 9, &own) };
    let found = index.nearest(&subject, &[]).unwrap().unwrap();
    assert_eq!(found.submission, 10);
    // One block of six was changed.
    assert!((0.7..0.95).contains(&found.alike), "{}", found.alike);
}

#[test]
fn leaves_that_the_chain_took_back_are_forgotten_and_their_likenesses_kept() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let own = text(0..100);
    index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt)]).unwrap();
    index.put(&found(1, MediaType::Txt, Some(&own))).unwrap();
    index.forget_leaves(DATANET).unwrap();
    assert_eq!(index.nearest(&subject(20, 9, &own), &[]).unwrap(), None);
    index.add_leaves(DATANET, &[leaf(0, 12, 1, MediaType::Txt)]).unwrap();
    assert_eq!(index.nearest(&subject(20, 9, &own), &[]).unwrap().unwrap().submission, 12);
}

#[test]
fn a_damaged_index_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    for damage in [
        b"no database at all, and longer than a head of one, so that it is read as one anyway"
            .to_vec(),
        vec![0xff; 8_192],
    ] {
        std::fs::write(&path, damage).unwrap();
        let index = open(folder.path());
        assert_eq!(index.leaves(DATANET).unwrap(), 0);
        index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt)]).unwrap();
        drop(index);
        assert_eq!(open(folder.path()).leaves(DATANET).unwrap(), 1);
    }
}

/// A refused file is compared with as long as it is named.
#[test]
fn copies_of_copies_are_found_after_those_were_refused() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt)]).unwrap();
    // Each has a tenth of other words: the last is no copy of the leaf, but of the one before it.
    let versions: Vec<_> = (0..6).map(|step| text(step * 60..step * 60 + 1_000)).collect();
    for (file, version) in (1..).zip(&versions) {
        index.put(&found(file, MediaType::Txt, Some(version))).unwrap();
    }
    let last = &versions[5];
    let refused: Vec<_> = (11..15).zip(2..).map(|(number, file)| (number, txt(file))).collect();
    let nearest = index.nearest(&subject(15, 6, last), &refused).unwrap().unwrap();
    assert_eq!((nearest.submission, nearest.alike >= 0.8), (14, true), "{nearest:?}");
    let alone = index.nearest(&subject(15, 6, last), &[]).unwrap();
    assert!(alone.is_none_or(|found| found.alike < 0.8), "{alone:?}");

    index.add_leaves(DATANET, &[leaf(1, 12, 90, MediaType::Txt)]).unwrap();
    assert_eq!(index.accepted(DATANET, 11, 13).unwrap(), [12].into());
}

/// An earlier leaf that is hidden from the first committee of its copy and shown to the second: nobody accepts the copy
/// before it is there.
#[test]
fn what_came_before_and_is_not_there_is_missing_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt)]).unwrap();
    let (original, copy) = (text(0..1_000), text(2..1_002));
    index.put(&found(2, MediaType::Txt, Some(&copy))).unwrap();
    let missing = |submission| index.missing(DATANET, submission, []).unwrap();
    assert_eq!(index.nearest(&subject(20, 2, &copy), &[]).unwrap(), None, "it seems to be none");
    assert_eq!(missing(20), Some(10));
    assert_eq!(missing(10), None, "only earlier ones count");
    let other = index.missing(8, 20, []).unwrap();
    assert_eq!(other, None, "nor those of another Datanet");

    index.put(&found(1, MediaType::Txt, Some(&original))).unwrap();
    assert_eq!(missing(20), None);
    let nearest = index.nearest(&subject(20, 2, &copy), &[]).unwrap().unwrap();
    assert_eq!((nearest.submission, nearest.alike >= 0.8), (10, true), "{nearest:?}");
}

#[test]
fn files_without_a_leaf_and_every_leaf_hold_back_what_comes_after_them() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let leaves: Vec<_> = (0..5).map(|at| leaf(at, 10 + at, at as u8, MediaType::Txt)).collect();
    index.add_leaves(DATANET, &leaves).unwrap();
    let missing = |others: &[Earlier]| index.missing(DATANET, 20, others.iter().copied()).unwrap();
    let known = text(0..100);
    for file in [2, 3, 4] {
        index.put(&found(file, MediaType::Txt, Some(&known))).unwrap();
    }
    assert_eq!(missing(&[]), Some(11), "the latest of two");
    index.put(&found(1, MediaType::Txt, Some(&known))).unwrap();
    assert_eq!(
        missing(&[]),
        Some(10),
        "however old: who hides an old one would have the others overturned"
    );
    index.put(&found(0, MediaType::Txt, Some(&known))).unwrap();
    assert_eq!(missing(&[]), None);
    let earlier = |submission, file| Earlier {
        submission,
        sha256: hash(file),
        media: Some(MediaType::Txt),
        refused_at: None,
        is_original: true,
    };
    assert_eq!(missing(&[earlier(15, 3)]), None, "it was looked at");
    assert_eq!(missing(&[earlier(15, 9)]), Some(15));
    assert_eq!(missing(&[earlier(21, 9)]), None, "it came later");
}

#[test]
fn several_processes_use_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let threads = (0u64..4).map(|number| {
        let folder = folder.path().to_owned();
        std::thread::spawn(move || {
            let index = open(&folder);
            for count in 0..50 {
                let place = number * 50 + count;
                let file = leaf(place, place, place as u8, MediaType::Txt);
                index.add_leaves(DATANET, &[file]).unwrap();
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(open(folder.path()).leaves(DATANET).unwrap(), 200);
}

/// Bytes that are submitted once more elsewhere, as what they cannot be read as, stay what they were, in whichever order both
/// are looked at.
#[test]
fn the_same_bytes_as_another_format_do_not_take_the_place_of_the_original() {
    let (original, copy) = (text(0..1_000), text(2..1_002));
    let broken = || found(1, MediaType::Pdf, None);
    for first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let index = open(folder.path());
        index.add_leaves(DATANET, &[leaf(0, 10, 1, MediaType::Txt)]).unwrap();
        index.add_leaves(8, &[leaf(0, 11, 1, MediaType::Pdf)]).unwrap();
        if first {
            index.put(&broken()).unwrap();
        }
        let missing = |others: &[Earlier]| index.missing(DATANET, 20, others.iter().copied());
        if first {
            assert!(!index.knows(&txt(1)).unwrap());
            assert_eq!(index.unknown(DATANET, 9).unwrap().len(), 1, "it is fetched");
            assert_eq!(missing(&[]).unwrap(), Some(10), "and waited for");
            let refused = Earlier {
                submission: 12,
                sha256: hash(1),
                media: Some(MediaType::Txt),
                refused_at: Some(1),
                is_original: true,
            };
            assert_eq!(missing(&[refused]).unwrap(), Some(12));
            let of_some_format = Earlier { media: None, ..refused };
            assert_eq!(missing(&[of_some_format]).unwrap(), Some(12));
        }
        index.put(&found(1, MediaType::Txt, Some(&original))).unwrap();
        index.put(&broken()).unwrap();
        assert_eq!(missing(&[]).unwrap(), None);
        let known = index.known(&txt(1)).unwrap().unwrap();
        assert_eq!(known.likeness.as_ref(), Some(&original), "also where it is judged");
        let nearest = index.nearest(&subject(20, 2, &copy), &[]).unwrap().unwrap();
        assert_eq!((nearest.submission, nearest.alike >= 0.8), (10, true), "{nearest:?}");
        let waiting = [(12, txt(1))];
        let nearest = index.nearest(&Subject { datanet: 9, ..subject(20, 2, &copy) }, &waiting);
        assert_eq!(nearest.unwrap().unwrap().submission, 12);
    }
}

#[test]
fn formats_of_submissions_are_remembered_for_when_they_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).remember(&[(12, txt(1))]).unwrap();
    let index = open(folder.path());
    assert_eq!(index.format(12, &hash(1)).unwrap(), Some(MediaType::Txt));
    assert_eq!(index.format(12, &hash(2)).unwrap(), None, "the chain went another way");
    assert_eq!(index.format(13, &hash(1)).unwrap(), None);
}
