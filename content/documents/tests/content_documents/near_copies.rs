//! What any person sees to be a copy is one, and what is made alike by its kind is none.

use openledger_documents::{canonical_text, Likeness, MediaType};

/// From which likeness on a text is a copy where a policy does not say.
const COPY: f64 = 0.8;
const KEY: u64 = 11;

const PAGE: &str = "The harbour master keeps a book in which every ship that lies here overnight is entered. \
He writes down the name, where she comes from, what she carries and how many people are on board; the fee is \
paid in the morning, before the tide. Small boats pay nothing, and fishermen who live in the town pay once a \
year. When a storm is announced, a black ball is hoisted on the tower beside the old mill, and whoever lies \
outside the mole has to come in or put to sea. In winter the northern basin freezes over; then the ice is broken \
twice a day, at noon and at midnight, and the ferry goes from the southern quay instead. Lamps are lit at dusk. \
Fires on deck are forbidden, as is tar, since half of the town burned down after a kettle boiled over in the \
spring of a dry year. The bridge opens for masts on the hour, if a flag is shown in time, and closes as soon as \
the bell has rung three times. Nobody may throw ballast into the basin: it was dredged with much trouble by our \
grandfathers, who carried the mud in baskets to the meadows, where cabbages grow to this day. Disputes about moorings \
are heard on Saturdays, in the room above the chandlery, by two skippers and a clerk. Whoever does not agree with \
what they say may write to the council, which meets when the moon is new and has never changed anything so far. \
Children learn to row before they learn to read, and most of them learn it from an aunt.";

/// Another one about the same.
const OTHER: &str = "Ships that stay in port for the night are listed by an official. Their cargo, crew and last port of call \
have to be declared, and harbour dues are collected at daybreak. Local fishing vessels hold a permit for twelve months; \
dinghies are exempt. Storm warnings are given by a signal on the watchtower, on which all vessels in the roads must seek \
shelter or leave. An icebreaker works in the north dock from December to March, while ferry passengers use the south \
terminal. Street lighting starts at sunset. Open flames have not been allowed on board since the great fire, which began \
with a pot of pitch. The swing bridge is operated hourly at the request of tall vessels, and traffic is stopped by a bell. \
Dumping of stones is an offence, because the dock was deepened by hand and its silt made the gardens fertile. Berth \
quarrels come before a small court of mariners every weekend, with an appeal to the aldermen that hardly anyone has won. \
Boys and girls handle oars from an early age, taught by their relatives.";

fn of(text: &str) -> Likeness {
    Likeness::of_text(MediaType::Txt, text).expect("it has a letter")
}

fn words() -> Vec<&'static str> {
    PAGE.split(' ').collect()
}

fn lines(width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words() {
        if lines.last().unwrap().len() + word.len() > width {
            lines.push(String::new());
        }
        let line = lines.last_mut().unwrap();
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(word);
    }
    lines
}

fn numbered(line: impl Fn(usize, &str) -> String) -> String {
    let lines = lines(60);
    lines.iter().enumerate().map(|(at, text)| line(at, text)).collect::<Vec<_>>().join("\n")
}

fn each_word(change: impl Fn(usize, &str) -> String) -> String {
    words().iter().enumerate().map(|(at, word)| change(at, word)).collect::<Vec<_>>().join(" ")
}

/// Letters, of which each so many-th is changed.
fn typing_errors(each: usize, change: impl Fn(char) -> String) -> String {
    let mut count = 0;
    let letter = |one: char| {
        count += usize::from(one.is_alphabetic());
        match one.is_alphabetic() && count % each == 0 {
            true => change(one),
            false => one.to_string(),
        }
    };
    PAGE.chars().map(letter).collect()
}

fn letters(from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    PAGE.to_lowercase()
        .chars()
        .map(|one| from.chars().position(|other| other == one).map_or(one, |at| to[at]))
        .collect()
}

fn clauses() -> Vec<&'static str> {
    PAGE.split_inclusive(['.', ';', ':', ',']).map(str::trim).collect()
}

/// Numbers that look like ones of chance.
fn noise(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % below
    }
}

fn copies() -> Vec<(&'static str, String)> {
    let mut order: Vec<_> = clauses().into_iter().enumerate().collect();
    order.sort_by_key(|(at, _)| at * 7 % 31);
    let clauses: Vec<_> = order.into_iter().map(|(_, clause)| clause).collect();
    let sentences: Vec<_> = PAGE.split_inclusive(". ").collect();
    let varied = ["indeed", "harbours", "some", "rather", "yellow", "nobody", "seven", "quietly"];
    let turned = letters("abcdefghijklmnopqrstuvwxyz", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz");
    let mut chance = noise(5);
    // Of runs of twenty letters each has one that a hash of a known function puts first.
    let ground: Vec<String> =
        (0..12).map(|_| (0..20).map(|_| (b'a' + chance(26) as u8) as char).collect()).collect();
    vec![
        ("line numbers", numbered(|at, line| format!("{} {line}", at + 1))),
        ("times and speaker", numbered(|at, line| format!("[00:{at:02}:05] Speaker: {line}"))),
        (
            "subtitles",
            numbered(|at, line| {
                format!("{at}\n00:{at:02}:05,{:03} --> 00:{at:02}:09,250\n{line}\n", at * 37)
            }),
        ),
        ("rows of a table", numbered(|at, line| format!("| {at} | {line} |"))),
        ("quoted", numbered(|_, line| format!("> > {line}"))),
        (
            "a footer each four lines",
            numbered(|at, line| match at % 4 {
                3 => format!("{line}\n--- page {} of 12, Council of Oakfield, minutes ---", at / 4),
                _ => line.to_owned(),
            }),
        ),
        ("a letter doubled in 25", typing_errors(25, |one| format!("{one}{one}"))),
        ("a letter doubled in 60", typing_errors(60, |one| format!("{one}{one}"))),
        ("a letter left out in 30", typing_errors(30, |_| String::new())),
        ("another letter in 25", typing_errors(25, |_| "x".into())),
        ("a typing error in 15", typing_errors(15, |one| format!("{one}{one}"))),
        (
            "one word in 20 replaced",
            each_word(|at, word| if at % 20 == 7 { "indeed" } else { word }.into()),
        ),
        (
            "one word in 12 replaced by others",
            each_word(|at, word| if at % 12 == 7 { varied[at / 12 % 8] } else { word }.into()),
        ),
        (
            "one word in 12 added",
            each_word(|at, word| if at % 12 == 7 { format!("{word} really") } else { word.into() }),
        ),
        (
            "one word in 12 added, others",
            each_word(|at, word| {
                if at % 12 == 7 {
                    format!("{word} {}", varied[at / 12 % 8])
                } else {
                    word.into()
                }
            }),
        ),
        (
            "one word in 15 left out",
            each_word(|at, word| if at % 15 == 7 { "" } else { word }.into()),
        ),
        ("digits for letters", letters("aeio", "4310")),
        ("more digits for letters", letters("aeiost", "431057")),
        ("small capitals", letters("abcdefghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")),
        ("turned", turned.chars().rev().collect()),
        ("turned letters in order", turned),
        ("from its end", PAGE.chars().rev().collect()),
        ("clauses in another order", clauses.join(" ")),
        ("sentences from the last", sentences.iter().rev().copied().collect()),
        ("the first two thirds", PAGE[..PAGE.len() * 2 / 3].to_owned()),
        (
            "a sentence added",
            format!("{PAGE} This was copied from the board at the old custom house in May."),
        ),
        ("what grinds hashes added", format!("{PAGE} {}", ground.join(""))),
        (
            "two disguises",
            letters("aeio", "4310").replace(". ", ".\n--- page 3, seen on the board ---\n"),
        ),
    ]
}

#[test]
fn what_a_person_sees_to_be_a_copy_is_one() {
    let (page, other) = (of(PAGE), of(OTHER));
    let traces = page.traces(KEY);
    let mut missed = Vec::new();
    for (name, text) in copies() {
        let copy = of(&text);
        let (alike, found) = (copy.alike(&page), copy.sieve(KEY).promise(&traces));
        println!("{name:40} {alike:.3} {found:?}");
        if alike < COPY || found.is_none() {
            missed.push(format!("{name}: {alike:.3}, {found:?}"));
        }
        assert!(copy.alike(&other) < 0.3, "{name} of another page: {}", copy.alike(&other));
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_markdown_shows_from_right_to_left_is_read_so() {
    let page = of(PAGE);
    let reversed: String = PAGE.chars().rev().collect();
    let turned = |clause: &&str| {
        format!("<bdo dir=\"rtl\">{}</bdo>", clause.chars().rev().collect::<String>())
    };
    let by_clause = clauses().iter().map(turned).collect::<Vec<_>>().join(" ");
    for source in [format!("<bdo dir=\"rtl\">{reversed}</bdo>"), by_clause] {
        let text = canonical_text(MediaType::Md, source.as_bytes()).unwrap();
        let copy = Likeness::of_text(MediaType::Md, &text).unwrap();
        assert!(copy.alike(&page) >= COPY, "{}", copy.alike(&page));
    }
}

/// Pairs of texts that are alike by their kind.
fn innocents() -> Vec<(&'static str, [String; 2])> {
    let pair = |make: &dyn Fn(u64) -> String| [make(1), make(2)];
    let weather = |seed| {
        let mut chance = noise(seed);
        let day = |at: u64| {
            let (warm, rain, wind) = (chance(300), chance(300), chance(80));
            format!(
                "Station {}, {:02} May: temperature {}.{} C, rain {}.{} mm, wind {wind} km/h",
                ["A", "B", "C", "D"][at as usize % 4],
                at / 4 + 1,
                warm / 10,
                warm % 10,
                rain / 10,
                rain % 10
            )
        };
        (0..80).map(day).collect::<Vec<_>>().join("\n")
    };
    let numbers = |seed| {
        let mut chance = noise(seed);
        (0..400).map(|_| chance(1_000).to_string()).collect::<Vec<_>>().join(" ")
    };
    let balance = |seed| {
        let mut chance = noise(seed);
        let items = [
            "Sales of goods",
            "Rent received",
            "Interest on deposits",
            "Wages and salaries",
            "Pensions",
            "Insurance of buildings",
            "Repairs and upkeep",
            "Electricity",
            "Water",
            "Printing and stationery",
            "Travel",
            "Legal advice",
            "Bank charges",
            "Depreciation of machines",
            "Gifts and donations",
            "Taxes paid",
            "Stock at the end of the year",
            "Cash in hand",
            "Trade debtors",
            "Loans from members",
        ];
        items
            .iter()
            .map(|item| format!("{item}: {}", chance(90_000)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let log = |seed| {
        let mut chance = noise(seed);
        let line = |at: u64| {
            let what = [
                "request served in",
                "connection closed after",
                "cache refreshed, entries",
                "worker restarted, code",
            ];
            format!(
                "2026-05-{seed:02} 12:{:02}:{:02} INFO {} {}",
                at / 60,
                at % 60,
                what[chance(4) as usize],
                chance(9_000)
            )
        };
        (0..200).map(line).collect::<Vec<_>>().join("\n")
    };
    let form = |seed: u64| {
        let [name, street, reason] = [
            ["Ann Lee", "4 Mill Road", "I want to grow beans and have no garden of my own."],
            [
                "Tom Fox",
                "12 Quay Street",
                "My flat has no light, and my doctor says that I should dig.",
            ],
        ][seed as usize - 1];
        format!("Application for a place at the Oakfield community garden. Name of the applicant: {name}. Address of the applicant: \
            {street}. I have read the rules of the garden and I agree to keep my plot in good order, to share the tools, to water in the \
            evening only, and to pay the yearly fee of twenty pounds before the first of March. Reason: {reason}")
    };
    let short_form = |seed: u64| {
        let [name, street, reason] = [
            ["Ann Lee", "4 Mill Road", "I want to grow beans."],
            ["Tom Fox", "12 Quay Street", "My flat has no light."],
        ][seed as usize - 1];
        format!("Application for a place at the Oakfield community garden. Name of the applicant: {name}. Address of the applicant: \
            {street}. I have read the rules of the garden and I agree to keep my plot in good order, to share the tools, to water in the \
            evening only, and to pay the yearly fee of twenty pounds before the first of March. Reason: {reason}")
    };
    let recipe = |seed: u64| {
        let [name, first, second, how] = [
            ["Leek soup", "three leeks", "a litre of stock", "Cut the leeks into rings, sweat them in butter, add the stock and simmer until soft."],
            ["Apple cake", "five apples", "two cups of flour", "Peel and slice the apples, fold them into the batter and bake until a skewer comes out dry."],
        ][seed as usize - 1];
        format!("Title: {name}\nServes: 4\nPreparation: 20 minutes\nDifficulty: easy\nIngredients:\n- {first}\n- {second}\n- salt\n- butter\n\
            Method:\n1. {how}\n2. Season to taste.\n3. Serve at once.\nSource: the parish cookery book, collected by the choir.\nKeeps: two days in a cool place.")
    };
    let licence = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files, \
        to deal in the software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, \
        sublicense, and to permit persons to whom it is furnished to do so, provided that the above notice is included in all copies. The software is \
        provided as is, without warranty of any kind, express or implied.";
    let code = |seed: u64| {
        let body = [
            "fn area(width: f64, height: f64) -> f64 { width * height }\nfn volume(width: f64, height: f64, depth: f64) -> f64 { area(width, height) * depth }\n",
            "struct Stack<T> { items: Vec<T> }\nimpl<T> Stack<T> { fn push(&mut self, item: T) { self.items.push(item) } fn is_empty(&self) -> bool { self.items.is_empty() } }\n",
        ][seed as usize - 1];
        format!("// {licence}\n{body}")
    };
    let chess = |seed| {
        let mut chance = noise(seed);
        let ply = |chance: &mut dyn FnMut(u64) -> u64| {
            format!(
                "{}{}{}",
                ["N", "B", "R", "Q", "K", ""][chance(6) as usize],
                (b'a' + chance(8) as u8) as char,
                chance(8) + 1
            )
        };
        (1..60)
            .map(|at| format!("{at}. {} {}", ply(&mut chance), ply(&mut chance)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let words = |seed| {
        let mut chance = noise(seed);
        let all = crate::near_copies::words();
        let other: Vec<&str> = OTHER.split(' ').collect();
        (0..300)
            .map(|_| {
                if chance(2) == 0 {
                    all[chance(all.len() as u64) as usize]
                } else {
                    other[chance(other.len() as u64) as usize]
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let poem = |seed: u64| {
        let verses = [
            [
                "The tide goes out at evening",
                "and takes the boats away",
                "My brother keeps the lantern",
                "until the break of day",
            ],
            [
                "The snow lies on the rigging",
                "the gulls have gone inland",
                "My sister writes me letters",
                "in someone else's hand",
            ],
        ][seed as usize - 1];
        let refrain = "O row, my lads, and row again,\nthere's none will row for thee\n";
        verses.iter().map(|verse| format!("{verse}\n{refrain}")).collect::<String>()
    };
    vec![
        ("the same subject", [PAGE.into(), OTHER.into()]),
        ("weather of two years", pair(&weather)),
        ("numbers", pair(&numbers)),
        ("balance sheets", pair(&balance)),
        ("logs", pair(&log)),
        ("forms", pair(&form)),
        ("forms with little on them", pair(&short_form)),
        ("recipes", pair(&recipe)),
        ("code under one licence", pair(&code)),
        ("chess", pair(&chess)),
        ("the same words in another order", pair(&words)),
        ("songs with one refrain", pair(&poem)),
        ("short sentences", ["The mill is red and old.".into(), "The mill is red and odd.".into()]),
        ("signs", ["Oak tree here".into(), "Elm tree there".into()]),
        ("a chapter and a book with it", [lines(60)[..8].join("\n"), format!("{PAGE} {OTHER}")]),
        ("a licence and what is under it", [licence.into(), format!("{licence} {PAGE}")]),
    ]
}

#[test]
fn what_is_alike_by_its_kind_is_no_copy() {
    let mut wrong = Vec::new();
    for (name, [one, other]) in innocents() {
        let alike = of(&other).alike(&of(&one));
        println!("{name:40} {alike:.3}");
        if alike >= COPY - 0.05 {
            wrong.push(format!("{name}: {alike:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A long text of words that come again and stand in another order each time.
fn book(words: usize) -> String {
    let (all, mut chance) = (words_of(&format!("{PAGE} {OTHER}")), noise(3));
    (0..words).map(|_| all[chance(all.len() as u64) as usize].clone()).collect::<Vec<_>>().join(" ")
}

fn words_of(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A text of which a part is left, and each tenth letter of the rest is another one.
fn spoilt(text: &str, clean: f64) -> String {
    let letters = text.chars().filter(|one| one.is_alphabetic()).count() as f64;
    let mut count = 0;
    let letter = |one: char| {
        count += usize::from(one.is_alphabetic());
        let spoils = f64::from(count as u32) > clean * letters && count % 10 == 0;
        if spoils && one.is_alphabetic() {
            'q'
        } else {
            one
        }
    };
    text.chars().map(letter).collect()
}

/// Whoever makes copies cannot have one index find them and another not.
#[test]
fn all_keys_find_the_same_copies() {
    let book = book(4_000);
    let parts =
        [20, 18, 17, 16, 15, 14, 12].map(|part| (part, book[..book.len() / part].to_owned()));
    let mut pairs: Vec<(String, &str, String)> =
        parts.map(|(part, text)| (format!("1/{part}"), book.as_str(), text)).into();
    let spoilt_part = spoilt(&book[..book.len() / 4], 0.27);
    pairs.push(("a spoilt fourth".into(), &book, spoilt_part));
    for clean in 18..=34 {
        let text = if clean % 4 == 1 { book.as_str() } else { PAGE };
        let of = format!("{clean} % of {} letters", text.len());
        pairs.push((of, text, spoilt(text, f64::from(clean) / 100.0)));
    }
    for each in 10..=17 {
        pairs.push((format!("x in {each}"), PAGE, typing_errors(each, |_| "x".into())));
        pairs.push((
            format!("twice in {each}"),
            PAGE,
            typing_errors(each, |one| [one; 2].iter().collect()),
        ));
    }
    let (mut copies, mut differ) = (0, Vec::new());
    for (name, original, text) in &pairs {
        let (original, file) = (of(original), of(text));
        let alike = file.alike(&original);
        let found =
            (0..50).filter(|key| file.sieve(*key).promise(&original.traces(*key)).is_some());
        let found = found.count();
        println!("{name:20} {alike:.3} found with {found} of 50 keys");
        copies += usize::from(alike >= COPY);
        if alike > 0.0 && found < 50 {
            differ.push(format!("{name}: {alike:.3}, {found}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(copies > 10 && copies < pairs.len() - 10, "{copies} of {}", pairs.len());
}
