//! What makes texts copies of each other.

use openledger_documents::{canonical_text, Likeness, MediaType};
use openledger_primitives::Modality;
use proptest::prelude::*;

fn of(text: &str) -> Likeness {
    Likeness::of_text(MediaType::Txt, text).expect("it has a letter")
}

fn alike(one: &str, other: &str) -> f64 {
    of(one).alike(&of(other))
}

/// Words that look like ones, other ones for each seed.
fn text(seed: u64, words: usize) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..words).map(|_| format!("w{}", next() % 5_000)).collect()
}

#[test]
fn layout_case_and_punctuation_make_no_other_text() {
    let one = "Rain fell on the mountain all day, and into the night.";
    let other = "  RAIN fell — on the\n\nmountain; all \"day\" and *into* the night";
    assert_eq!(alike(one, other), 1.0);
    assert_eq!(Likeness::of(MediaType::Txt, one.as_bytes()).unwrap(), Some(of(one)));
    assert_eq!(Likeness::of_text(MediaType::Txt, " .,; \n"), None, "nothing to compare");
    assert_eq!(Likeness::of(MediaType::Txt, b" .,;").unwrap(), None);
}

#[test]
fn a_short_text_is_compared_by_all_of_it() {
    assert_eq!(alike("rain fell", "Rain fell."), 1.0);
    assert_eq!(alike("rain fell", "rain falls"), 0.0);
}

#[test]
fn scripts_without_spaces_are_compared_too() {
    let one = "昨日は一日中雨が降り続き、夜になっても止まなかった。";
    let changed = "昨日は一日中雪が降り続き、夜になっても止まなかった。";
    assert!((0.4..1.0).contains(&alike(one, changed)), "{}", alike(one, changed));
    assert_eq!(alike(one, "今朝は空が晴れ渡り、海まではっきりと見えている。"), 0.0);
}

#[test]
fn a_text_with_a_few_other_words_is_a_copy_and_half_of_it_is_none() {
    for seed in 1..20 {
        let words = text(seed, 2_000);
        let mut edited = words.clone();
        for place in (0..words.len()).step_by(100) {
            edited[place] = "other".into();
        }
        let (whole, edited) = (words.join(" "), edited.join(" "));
        // Of about 490 runs 24 are others.
        assert!(alike(&whole, &edited) >= 0.8, "{}", alike(&whole, &edited));
        let half = words[..1_000].join(" ");
        assert!(alike(&whole, &half) < 0.8, "{}", alike(&whole, &half));
        assert!(alike(&whole, &text(seed + 100, 2_000).join(" ")) < 0.05);
    }
}

/// Text of syllables in small Latin letters.
fn prose(seed: u64, words: usize) -> String {
    let syllables = [
        "ra", "in", "fell", "on", "the", "mo", "un", "ta", "ick", "all", "day", "sea", "hip",
        "box", "jury",
    ];
    let word = |word: &String| {
        let number: usize = word[1..].parse().unwrap();
        [number % 15, number / 15 % 15, number / 225 % 15].map(|at| syllables[at]).concat()
    };
    text(seed, words).iter().map(word).collect::<Vec<_>>().join(" ")
}

/// What Markdown of this source is compared by, as a committee takes it.
fn page(source: &str) -> Likeness {
    let text = canonical_text(MediaType::Md, source.as_bytes()).unwrap();
    Likeness::of_text(MediaType::Md, &text).unwrap()
}

fn by_letter(text: &str, change: impl Fn(char) -> String) -> String {
    text.chars().map(change).collect()
}

/// The letters that have one, as their twins of other alphabets.
fn twins(text: &str) -> String {
    by_letter(text, |one| {
        let latin = "acdehijlnopsuvxyABCEHIKMOPTX";
        let twins = "асԁеһіјⅼոорѕսѵхуАВСЕНІКМОРТХ";
        let at = latin.chars().position(|other| other == one);
        at.and_then(|at| twins.chars().nth(at)).unwrap_or(one).to_string()
    })
}

fn from(start: u32) -> impl Fn(char) -> String {
    move |one| match one {
        'a'..='z' => char::from_u32(start + one as u32 - 'a' as u32).unwrap().to_string(),
        _ => one.to_string(),
    }
}

#[test]
fn what_looks_the_same_is_a_copy() {
    let one = prose(1, 400);
    let small_capitals = |letter: char| {
        let at = "abcdefghijklmnoprstuvwyz".chars().position(|other| other == letter);
        let small = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ";
        at.and_then(|at| small.chars().nth(at)).unwrap_or(letter).to_string()
    };
    for (name, other) in [
        ("capitals", one.to_uppercase()),
        ("twins", twins(&one)),
        ("twins of capitals", twins(&one.to_uppercase())),
        ("digits", one.replace('l', "1").replace('o', "0")),
        ("capital i", one.replace('l', "I")),
        ("rn", one.replace('m', "rn")),
        ("fullwidth", by_letter(&one, from(0xff41))),
        ("mathematical", by_letter(&one, from(0x1d41a))),
        ("circled", by_letter(&one, from(0x24d0))),
        ("squared", by_letter(&one, from(0x1f170))),
        ("small capitals", by_letter(&one, small_capitals)),
        ("zero width", by_letter(&one, |one| format!("{one}\u{200b}"))),
        ("soft hyphens", by_letter(&one, |one| format!("{one}\u{ad}"))),
        ("marks", by_letter(&one, |one| format!("{one}\u{323}"))),
        ("accents", one.replace('a', "á").replace('o', "ø")),
        ("joined", one.replace(' ', "_")),
        ("one word", one.replace(' ', "")),
        ("parted", by_letter(&one, |one| format!("{one} "))),
        ("signs", by_letter(&one, |one| format!("{one}*"))),
    ] {
        assert_eq!(alike(&one, &other), 1.0, "{name}");
    }
}

#[test]
fn markup_within_words_makes_no_other_text() {
    let one = prose(2, 400);
    let each = |before: &str, after: &str| {
        let word = |word: &str| format!("{before}{}{after}{}", &word[..2], &word[2..]);
        one.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    let reference = |word: &str| format!("{}&#{};{}", &word[..2], word.as_bytes()[2], &word[3..]);
    for (name, source) in [
        ("emphasis", each("*", "*")),
        ("strong", each("**", "**")),
        ("struck", each("~~", "~~")),
        ("code", each("`", "`")),
        ("tags", each("<b>", "</b>")),
        ("tags with attributes", each("<b class=x>", "</b>")),
        ("links", each("[", "](https://o.pen)")),
        ("references", one.split(' ').map(reference).collect::<Vec<_>>().join(" ")),
        ("escapes", by_letter(&one, |one| if one == ' ' { "\\- ".into() } else { one.into() })),
        ("a block of HTML", format!("<div>\n{}\n</div>", each("<i>", "</i>"))),
    ] {
        assert_eq!(page(&source).alike(&of(&one)), 1.0, "{name}");
    }
    // Of a text that is shown as it stands nothing hides behind signs.
    let bracketed = one.split(' ').map(|word| format!("<{word}>")).collect::<Vec<_>>().join(" ");
    assert_eq!(alike(&one, &bracketed), 1.0);
}

#[test]
fn texts_of_every_script_are_compared() {
    let pairs = [
        (
            "Весь день над горами шёл дождь, и к ночи он не прекратился.",
            "Утром небо прояснилось, и стало видно далёкое море за лесом.",
        ),
        (
            "Όλη μέρα έβρεχε πάνω στο βουνό και το βράδυ δεν σταμάτησε.",
            "Το πρωί ο ουρανός καθάρισε και φάνηκε μακριά η θάλασσα.",
        ),
        (
            "पहाड़ पर सारा दिन बारिश होती रही और रात तक नहीं रुकी।",
            "सुबह आसमान साफ़ हो गया और दूर समुद्र दिखाई देने लगा।",
        ),
        (
            "هطل المطر على الجبل طوال النهار ولم يتوقف حتى الليل.",
            "في الصباح صفت السماء وظهر البحر البعيد خلف الغابة.",
        ),
        (
            "하루 종일 산에 비가 내렸고 밤이 되어도 그치지 않았다.",
            "아침에는 하늘이 맑아져 멀리 있는 바다까지 보였다.",
        ),
        ("ฝนตกบนภูเขาตลอดทั้งวันและไม่หยุดจนถึงกลางคืน", "ตอนเช้าท้องฟ้าแจ่มใสและมองเห็นทะเลที่อยู่ไกล"),
        ("整天山上都在下雨，到了夜里也没有停。", "早晨天空放晴，远处的大海清晰可见。"),
    ];
    for (one, other) in pairs {
        assert_eq!(alike(one, &one.to_uppercase()), 1.0, "{one}");
        assert_eq!(alike(one, &one.replace(' ', "\n")), 1.0, "{one}");
        assert!(alike(one, other) < 0.1, "{one}: {}", alike(one, other));
    }
}

/// That some letters look like others leaves enough of an alphabet to tell texts apart.
#[test]
fn most_letters_of_an_alphabet_stay_apart() {
    for (letters, least) in [
        ("abcdefghijklmnopqrstuvwxyz", 15),
        ("абвгдежзийклмнопрстуфхцчшщъыьэюя", 20),
        ("αβγδεζηθικλμνξοπρστυφχψω", 15),
        ("אבגדהוזחטיכלמנסעפצקרשת", 15),
        ("अआइईउऊएऐओऔकखगघचछजझटठडढतथदधनपफबभमयरलवशषसह", 35),
    ] {
        let words = letters.chars().map(|one| one.to_string().repeat(30));
        let mut found: Vec<_> = words
            .filter_map(|word| Likeness::of_text(MediaType::Txt, &word))
            .map(|one| one.to_bytes())
            .collect();
        found.sort();
        found.dedup();
        assert!(found.len() >= least, "{letters}: {}", found.len());
    }
}

proptest! {
    #[test]
    fn any_mixture_of_disguises_is_a_copy(choices in proptest::collection::vec(0..8u8, 600)) {
        let one = prose(3, 60);
        let other: String = one
            .chars()
            .zip(choices.iter().cycle())
            .map(|(letter, choice)| match choice {
                0 => letter.to_uppercase().to_string(),
                1 => twins(&letter.to_string()),
                2 => twins(&letter.to_uppercase().to_string()),
                3 => by_letter(&letter.to_string(), from(0xff41)),
                4 => format!("{letter}\u{2060}\u{301}"),
                5 => format!("-{letter} "),
                6 => by_letter(&letter.to_string(), from(0x1d5ba)),
                _ => letter.to_string(),
            })
            .collect();
        prop_assert_eq!(alike(&one, &other), 1.0);
    }

    #[test]
    fn a_likeness_survives_being_stored(text in ".{0,400}") {
        if let Some(own) = Likeness::of_text(MediaType::Txt, &text) {
            let bytes = own.to_bytes();
            prop_assert_eq!(Likeness::from_bytes(Modality::Text, &bytes), Some(own.clone()));
            prop_assert_eq!(Likeness::from_bytes(Modality::Text, &[0xff, 0xff]), None);
            prop_assert_eq!(own.alike(&own), 1.0);
        }
    }
}
