//! Who may have the files of a draw, by what the chain says of it: who accepts a file answers for it being there until its
//! challenge is over, and who judges it beside others has fetched it too.

use openledger_primitives::committee::{api::DrawView, PoolId, Purpose, Stand};
use std::collections::BTreeMap;

/// Accounts by the pools that they judge with, each once, best first.
pub type Holders<AccountId> = BTreeMap<PoolId, Vec<AccountId>>;

/// Those who may have the files that wait for the word of `own` in the draws `open`, of all that are not over.
///
/// Of a challenge those who accepted what is challenged come first, then the others who had it before them; then those
/// who judge beside this account; and last those who judge, or judged, other files of the same Datanets, which these
/// are compared with.
pub fn holders<AccountId: Clone + PartialEq>(
    open: &[&DrawView<AccountId>],
    all: &[DrawView<AccountId>],
    own: &AccountId,
) -> Holders<AccountId> {
    let mut found = Holders::new();
    let mut add = |pool: PoolId, accounts: Vec<AccountId>| {
        let known = found.entry(pool).or_default();
        for account in accounts {
            if account != *own && !known.contains(&account) {
                known.push(account);
            }
        }
    };
    for view in open {
        if let Purpose::Challenge { draw, file } = view.draw.purpose {
            if let Some(first) = all.iter().find(|one| one.id == draw) {
                add(first.pool, by_stand(first, usize::from(file)));
            }
        }
    }
    for view in open {
        add(view.pool, members(view));
    }
    for view in open {
        for other in all.iter().filter(|one| one.datanet == view.datanet) {
            add(other.pool, members(other));
        }
    }
    found
}

/// The members of a draw, those first who said of a file what was found.
pub fn by_stand<AccountId: Clone>(view: &DrawView<AccountId>, file: usize) -> Vec<AccountId> {
    let stands = view.draw.files.get(file).map(|file| file.stands.as_slice()).unwrap_or_default();
    let agreed = |place: usize| stands.get(place) == Some(&Stand::Agreed);
    let all = members(view).into_iter().enumerate();
    let (first, rest): (Vec<_>, Vec<_>) = all.partition(|(place, _)| agreed(*place));
    first.into_iter().chain(rest).map(|(_, account)| account).collect()
}

fn members<AccountId: Clone>(view: &DrawView<AccountId>) -> Vec<AccountId> {
    view.draw.members.iter().map(|member| member.account.clone()).collect()
}
