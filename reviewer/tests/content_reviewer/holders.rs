use openledger_primitives::{
    committee::{
        api::DrawView, Draw, DrawnFile, FileState, Member, PoolId, Progress, Purpose, Stand,
    },
    MediaType, Modality,
};
use openledger_reviewer::holders::{by_stand, holders};

const TEXTS: PoolId = PoolId::Modality(Modality::Text);
const OWN: u64 = 9;

fn draw(
    id: u64,
    datanet: u32,
    purpose: Purpose,
    members: &[u64],
    stands: &[Stand],
) -> DrawView<u64> {
    let file = DrawnFile {
        submission: 5,
        sha256: [5; 32],
        media: MediaType::Txt,
        size: 10,
        state: FileState::Open,
        stands: stands.to_vec().try_into().unwrap(),
    };
    let mut draw = Draw::new(purpose, 1, None, vec![file], 100, 0).unwrap();
    for account in members {
        let member = Member { account: *account, generation: 0, progress: Progress::Drawn };
        draw.members.try_push(member).unwrap();
    }
    DrawView { id, datanet, pool: TEXTS, global: false, bond: 0, draw }
}

const REVIEW: Purpose = Purpose::Review { asked: 0 };

#[test]
fn who_accepted_what_is_challenged_is_asked_first() {
    let stands =
        [Stand::Dissented, Stand::Agreed, Stand::Unavailable, Stand::Agreed, Stand::Agreed];
    let all = [
        draw(3, 7, REVIEW, &[30, 31], &[]),
        draw(4, 7, REVIEW, &[20, 21, 22, 23, 24], &stands),
        draw(5, 8, REVIEW, &[40], &[]),
        draw(6, 7, Purpose::Challenge { draw: 4, file: 0 }, &[10, OWN, 11], &[]),
    ];
    let found = holders(&[&all[3]], &all, &OWN);
    // Then who dissented, who judges it too, and who judges other files of the Datanet.
    let expected = vec![21, 23, 24, 20, 22, 10, 11, 30, 31];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(TEXTS, expected)]);
    assert_eq!(by_stand(&all[1], 0), [21, 23, 24, 20, 22]);
    assert_eq!(by_stand(&all[1], 7), [20, 21, 22, 23, 24], "there is no such file");
}

#[test]
fn challenges_come_before_calls_and_everybody_once() {
    let agreed = [Stand::Agreed; 2];
    let mut images = draw(8, 9, REVIEW, &[50, OWN, 20], &[]);
    images.pool = PoolId::Modality(Modality::Image);
    let all = [
        draw(1, 7, REVIEW, &[20, 21], &agreed),
        draw(2, 7, REVIEW, &[OWN, 30, 20], &[]),
        draw(6, 7, Purpose::Challenge { draw: 1, file: 0 }, &[OWN, 31], &[]),
        images,
    ];
    let found = holders(&[&all[1], &all[2], &all[3]], &all, &OWN);
    assert_eq!(found[&TEXTS], [20, 21, 30, 31]);
    assert_eq!(found[&PoolId::Modality(Modality::Image)], [50, 20]);
    // Where the draw that is challenged is over, nobody knows its members.
    let alone = holders(&[&all[2]], &all[2..], &OWN);
    assert_eq!(alone[&TEXTS], [31]);
    assert_eq!(holders(&[], &all, &OWN).len(), 0);
}
