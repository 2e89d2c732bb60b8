//! The tables of `docs/governance.md`, which `economics.rs` compares: tracks, deposits and limits.

use crate::economics::{open, put};
use frame_support::traits::Get;
use openledger_primitives::{Balance, BlockNumber};
use openledger_runtime::{
    governance::{
        origins::{BIG_SPEND, SMALL_SPEND},
        tracks::Tracks,
        PreimageBase, PreimageByte,
    },
    Runtime, DAY, HOUR,
};
use pallet_referenda::TracksInfo;
use std::fmt::Write;

/// The tracks of referenda, as a network with real days has them.
pub fn tracks() -> String {
    let mut out = String::from(
        "| track | for | decision deposit | at once | preparation | decision, at most | confirmation | enactment | \
         approval | support |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for track in Tracks::tracks() {
        let info = &track.info;
        let name = String::from_utf8_lossy(&info.name).trim_end_matches('\0').to_owned();
        let purpose = match name.as_str() {
            "root" => "everything".to_owned(),
            "general_admin" => "undoing referenda, spends and slashes".to_owned(),
            "big_spender" => format!("up to {} OPEN", open(BIG_SPEND)),
            "small_spender" => format!("up to {} OPEN", open(SMALL_SPEND)),
            other => panic!("{other} has no words yet"),
        };
        put(
            &mut out,
            [
                format!("{} `{name}`", track.id),
                purpose,
                format!("{} OPEN", open(info.decision_deposit)),
                info.max_deciding.to_string(),
                of_days(info.prepare_period),
                of_days(info.decision_period),
                of_days(info.confirm_period),
                of_days(info.min_enactment_period),
                falling(&info.min_approval),
                falling(&info.min_support),
            ],
        );
    }
    out
}

fn of_days(blocks: BlockNumber) -> String {
    match blocks {
        whole if whole % DAY == 0 => format!("{} days", whole / DAY).replace("1 days", "1 day"),
        part => format!("{} h", part / HOUR),
    }
}

fn falling(curve: &pallet_referenda::Curve) -> String {
    let at = |time| curve.threshold(sp_runtime::Perbill::from_percent(time)).deconstruct();
    format!("{} % → {} %", at(0) / 10_000_000, at(100) / 10_000_000)
}

pub fn deposits() -> String {
    let mut out = String::from("| for | OPEN | until |\n|---|---|---|\n");
    let preimage = |bytes: u64| {
        use frame_support::traits::{Footprint, LinearStoragePrice};
        use sp_runtime::traits::Convert;
        type Price = LinearStoragePrice<PreimageBase, PreimageByte, Balance>;
        Price::convert(Footprint { count: 1, size: bytes })
    };
    let base = preimage(0);
    let rows: [(&str, String, &str); 8] = [
        (
            "a proposal",
            open(amount::<<Runtime as pallet_referenda::Config>::SubmissionDeposit>()),
            "it has passed or is cancelled; not if it is refused",
        ),
        (
            "a preimage",
            format!("{} + {} a byte", open(base), open(preimage(1) - base)),
            "its owner takes it back",
        ),
        (
            "the first proxy of an account",
            open(
                amount::<<Runtime as pallet_proxy::Config>::ProxyDepositBase>()
                    + amount::<<Runtime as pallet_proxy::Config>::ProxyDepositFactor>(),
            ),
            "it is removed",
        ),
        (
            "each further proxy",
            open(amount::<<Runtime as pallet_proxy::Config>::ProxyDepositFactor>()),
            "it is removed",
        ),
        (
            "the first announcement of a proxy",
            open(
                amount::<<Runtime as pallet_proxy::Config>::AnnouncementDepositBase>()
                    + amount::<<Runtime as pallet_proxy::Config>::AnnouncementDepositFactor>(),
            ),
            "it is carried out, rejected or taken back",
        ),
        (
            "each further announcement",
            open(amount::<<Runtime as pallet_proxy::Config>::AnnouncementDepositFactor>()),
            "the same",
        ),
        (
            "a multisig's call that waits",
            format!(
                "{} + {} for each key that has to agree",
                open(amount::<<Runtime as pallet_multisig::Config>::DepositBase>()),
                open(amount::<<Runtime as pallet_multisig::Config>::DepositFactor>())
            ),
            "it is carried out or cancelled",
        ),
        ("a vote", "none: what votes is locked".to_owned(), "`unlock`"),
    ];
    for (what, amount, until) in rows {
        put(&mut out, [what.into(), amount, until.into()]);
    }
    let _ = writeln!(
        out,
        "\nAt most {} votes of one account a track, {} referenda waiting in a track's queue, {} proxies and {} announcements an \
         account, {} keys of a multisig, {} scheduled calls a block, in four fifths of its weight.",
        limit::<<Runtime as pallet_conviction_voting::Config>::MaxVotes>(),
        limit::<<Runtime as pallet_referenda::Config>::MaxQueued>(),
        limit::<<Runtime as pallet_proxy::Config>::MaxProxies>(),
        limit::<<Runtime as pallet_proxy::Config>::MaxPending>(),
        limit::<<Runtime as pallet_multisig::Config>::MaxSignatories>(),
        limit::<<Runtime as pallet_scheduler::Config>::MaxScheduledPerBlock>(),
    );
    out
}

fn amount<G: Get<Balance>>() -> Balance {
    G::get()
}

fn limit<G: Get<u32>>() -> u32 {
    G::get()
}
