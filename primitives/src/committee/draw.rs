//! Who judges: a committee drawn from seats by a seed.

use super::{DrawId, MAX_MEMBERS};
use alloc::vec::Vec;
use sp_crypto_hashing::sha2_256;

/// What a committee is drawn by.
pub type Seed = [u8; 32];

/// What is hashed first for a draw's seed, so that no other hash can be taken for one.
pub const SEED_TAG: &[u8] = b"openledger/draw";

/// Seats looked at for each member that is wanted, at most. Where that finds too few accounts, hardly
/// anybody but a few owners has seats: of a pool in which one account has 80 % of the seats and the rest
/// is spread, five members are found in 16 × 5 looks with a chance of more than 0.999,9.
pub const LOOKS_A_MEMBER: u32 = 16;

/// The seed of one draw, made of a session's randomness: no two draws of a session have one committee.
pub fn draw_seed(randomness: &[u8; 32], draw: DrawId) -> Seed {
    let mut bytes = Vec::with_capacity(SEED_TAG.len().saturating_add(40));
    bytes.extend_from_slice(SEED_TAG);
    bytes.extend_from_slice(randomness);
    bytes.extend_from_slice(&draw.to_le_bytes());
    sha2_256(&bytes)
}

/// The place of the `look`-th seat that a seed names among `seats`; `None` where there is none.
///
/// Of 128 bits the remainder is uneven by less than 2⁻⁹⁶ for any number of seats.
pub fn place(seed: &Seed, look: u32, seats: u32) -> Option<u32> {
    let mut bytes = [0; 36];
    let (head, tail) = bytes.split_at_mut(32);
    head.copy_from_slice(seed);
    tail.copy_from_slice(&look.to_le_bytes());
    let hash = sha2_256(&bytes);
    let number = hash.iter().take(16).fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
    u32::try_from(number.checked_rem(seats.into())?).ok()
}

/// What a draw found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked<AccountId> {
    /// As many accounts as were wanted, each once; or fewer.
    pub accounts: Vec<AccountId>,
    /// Seats looked at.
    pub looks: u32,
}

/// Draws up to `wanted` accounts from `seats` seats, whose owners `owner` names by place. An account has a
/// chance by its seats, but one vote; those that `barred` names have none.
///
/// The cost is that of the looks, whatever the number of seats: at most [`LOOKS_A_MEMBER`] a member.
pub fn pick<AccountId: PartialEq>(
    seed: &Seed,
    wanted: u8,
    seats: u32,
    owner: impl Fn(u32) -> Option<AccountId>,
    barred: impl Fn(&AccountId) -> bool,
) -> Picked<AccountId> {
    let wanted = usize::from(wanted).min(MAX_MEMBERS as usize);
    let most = LOOKS_A_MEMBER.saturating_mul(wanted as u32);
    let mut picked = Picked { accounts: Vec::with_capacity(wanted), looks: 0 };
    while picked.accounts.len() < wanted && picked.looks < most {
        let found = place(seed, picked.looks, seats).and_then(&owner);
        picked.looks = picked.looks.saturating_add(1);
        if let Some(account) = found.filter(|a| !barred(a) && !picked.accounts.contains(a)) {
            picked.accounts.push(account);
        }
    }
    picked
}
