//! Claims, and the balance sheet that explains every planck.

use super::{both, committee::REVIEW_POT, must, Story};
use crate::{
    cli::plancks,
    console::open,
    interrupt::poll,
    report,
    sheet::{self, signed, Causes, Snapshot},
    Error, Result,
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// How long a reward period may take to end: it has ten blocks on this chain.
const PERIOD: Duration = Duration::from_secs(90);
/// Ids of the treasury, of the pot of rewards, and of that of review budgets.
const TREASURY: &[u8; 8] = b"py/trsry";
const REWARDS: &[u8; 8] = b"ol/rewrd";
const REVIEWS: &[u8; 8] = b"ol/revew";
/// The stakers' pot.
const STAKERS: &[u8; 8] = b"ol/stake";

impl Story {
    /// Ada claims for herself, Eve for Ben, who has no OPEN for a fee.
    pub(super) fn claim(&mut self) -> Result<()> {
        let datanet = self.datanet.to_string();
        let (ada, ben) = (self.address("Ada")?, self.address("Ben")?);
        for account in [&ada, &ben] {
            let owed = poll(PERIOD, Duration::from_millis(300), || {
                let owed =
                    self.network.call("openledger_claimable", json!([self.datanet, account]))?;
                Ok(Some(owed).filter(|owed| owed.as_str().is_some_and(|text| text != "0")))
            })?;
            must(owed.is_some(), || {
                format!("nothing can be claimed for {account} after {} s", PERIOD.as_secs())
            })?;
        }
        let people = self.people.clone();
        let cli = &self.cli;
        let claim = ["rewards", "claim", "--datanet", &datanet];
        let (for_ada, for_ben) = both(
            || cli.run(&people.ada, &claim),
            || cli.run(&people.eve, &[&claim[..], &[ben.as_str()]].concat()),
        )?;
        let shown = self.cli.run(&people.bob, &["rewards", "show", "--datanet", &datanet])?;
        let pool = |name: &str| plancks(&shown, &format!("/pool/{name}"));
        let (total, claimed, owed, available) =
            (pool("totalIn")?, pool("claimed")?, pool("owed")?, pool("available")?);
        must(claimed + owed + available == total, || format!("the pool does not add up: {shown}"))?;
        let (ada_got, ben_got) = (plancks(&for_ada, "/amount")?, plancks(&for_ben, "/amount")?);
        must(claimed == ada_got + ben_got && owed == 0, || {
            format!("claimed were {ada_got} and {ben_got}; the pool says {shown}")
        })?;
        self.pay("reward pot", "Ada", "rewards", ada_got);
        self.pay("reward pot", "Ben", "rewards", ben_got);
        // A second claim finds nothing: it is refused, and nothing is paid twice.
        let again = self.cli.refused(&people.eve, &[&claim[..], &[ben.as_str()]].concat())?;
        must(again.exit == 3, || format!("a second claim should be refused: {again:?}"))?;
        let pool: Vec<String> =
            [total, claimed, owed, available].iter().map(|sum| open(signed(*sum))).collect();
        self.console.line(format!(
            "Ada {} OPEN, Ben {} OPEN (claim sent by Eve); finalised",
            open(signed(ada_got)),
            open(signed(ben_got))
        ));
        self.console.line(format!(
            "pool: {} paid in = {} claimed + {} owed + {} available",
            pool[0], pool[1], pool[2], pool[3]
        ));
        self.console.line(format!("a second claim for Ben: refused, {}", again.message));
        self.claim_media()?;
        self.claim_bread()
    }

    /// Every account at genesis and now; each difference explained, the sum unchanged.
    pub(super) fn balance_sheet(&mut self) -> Result<()> {
        let end = Snapshot::read(self.network.rpc(), None)?;
        let mut accounts: BTreeMap<String, [u8; 32]> = [
            ("treasury", TREASURY),
            ("reward pot", REWARDS),
            (REVIEW_POT, REVIEWS),
            ("stakers' pot", STAKERS),
        ]
        .map(|(name, id)| (name.to_owned(), sheet::pot(id)))
        .into();
        let mut names: BTreeMap<[u8; 32], String> =
            accounts.iter().map(|(name, account)| (*account, name.clone())).collect();
        for (name, address) in &self.report.accounts {
            let account = sheet::account(address)?;
            names.insert(account, name.clone());
            accounts.insert(name.clone(), account);
        }
        // Somebody used the network meanwhile, as the README invites to: what they were given, gave and paid
        // is not known here.
        let strangers = end.accounts.keys().filter(|account| !names.contains_key(*account)).count();
        if strangers > 0 {
            sheet::conserved(&self.genesis, &end)?;
            self.console.line(format!(
                "{strangers} accounts on the chain take no part in this story (they were made in the web app, say), so that \
                 differences are not explained one by one."
            ));
            self.console.line(format!(
                "sum of all accounts at block {}: {} OPEN, as at genesis, to the planck",
                end.block,
                open(signed(end.total()))
            ));
            self.report.counts.blocks = end.block;
            self.report.counts.transactions = self.cli.paid().len();
            return Ok(());
        }
        let change = |name: &str| -> Result<i128> {
            let account = accounts
                .get(name)
                .ok_or_else(|| Error::broken("the balance sheet", format!("no account {name}")))?;
            Ok(signed(end.of(account).total()) - signed(self.genesis.of(account).total()))
        };

        let mut causes: BTreeMap<String, Causes> = BTreeMap::new();
        // What an account is paid for the same thing is one line.
        let mut add = |name: &str, what: String, amount: i128| {
            let list = causes.entry(name.to_owned()).or_default();
            match list.iter_mut().find(|(known, _)| *known == what) {
                Some((_, sum)) => *sum += amount,
                None => list.push((what, amount)),
            }
        };
        for payment in &self.payments {
            add(&payment.from, payment.what.clone(), -signed(payment.amount));
            add(&payment.to, payment.what.clone(), signed(payment.amount));
        }
        let mut fees: BTreeMap<&str, (usize, u128)> = BTreeMap::new();
        for paid in self.cli.paid() {
            let (count, sum) = fees.entry(paid.actor).or_default();
            *count += 1;
            *sum += paid.fee;
        }
        for (name, (count, sum)) in &fees {
            if *sum > 0 {
                add(name, format!("fees of {count} transactions"), -signed(*sum));
            }
        }
        // All fees go to the author, the stakers' pot and the treasury, so what these three gained and our
        // commands did not pay are the worker's fees; its balance has to agree to the planck.
        let slashed: i128 = self
            .payments
            .iter()
            .filter(|payment| payment.to == "treasury")
            .map(|payment| signed(payment.amount))
            .sum();
        let (author, treasury) = (change("Alice")?, change("treasury")? - slashed);
        let stakers = change("stakers' pot")?;
        let all = author + stakers + treasury;
        let ours: i128 = fees.values().map(|(_, sum)| signed(*sum)).sum();
        let workers = all - ours;
        must(workers > 0, || format!("the worker paid {workers} plancks of fees"))?;
        // The author is the only staker, too: what the pot has paid for eras that ended is its.
        let even = (author + stakers - 4 * treasury).unsigned_abs() < 20_000;
        must(even && stakers >= 0 && author >= treasury - 10_000, || {
            format!(
                "fees of {all} plancks went {author} to the author, {stakers} to the stakers' pot and \
                 {treasury} to the treasury"
            )
        })?;
        let paid = (3 * treasury - stakers).clamp(0, author);
        add("Ferdie", "fees of the worker's transactions".to_owned(), -workers);
        add("Alice", "20 % of all fees, as author".to_owned(), author - paid);
        if paid > 0 {
            add("Alice", "60 % of those of ended eras, as the only staker".to_owned(), paid);
        }
        add("stakers' pot", "60 % of those of the era of now".to_owned(), stakers);
        add("treasury", "20 % of all fees".to_owned(), treasury);

        let causes = causes
            .into_iter()
            .filter_map(|(name, list)| accounts.get(&name).map(|account| (*account, list)))
            .collect();
        let balances = sheet::compare(&self.genesis, &end, &names, &causes)?;
        self.show_balances(&balances)?;
        self.report.counts.blocks = end.block;
        self.report.counts.transactions = self.cli.paid().len();
        self.report.balances = Some(balances);
        Ok(())
    }

    fn show_balances(&self, balances: &crate::report::Balances) -> Result<()> {
        let amount = |text: &str| -> Result<String> {
            text.parse().map(open).map_err(|_| not_an_amount(text))
        };
        let mut rows = Vec::new();
        let mut lines = Vec::new();
        for account in &self.with_reviewers_as_one(balances)? {
            rows.push(vec![
                account.name.clone(),
                amount(&account.genesis)?,
                amount(&account.free)?,
                amount(&account.held)?,
                amount(&account.change)?,
            ]);
            for cause in &account.because {
                lines.push(format!("{}: {} {}", account.name, amount(&cause.amount)?, cause.what));
            }
        }
        self.console.table(&["account", "genesis", "free", "held", "difference"], &rows);
        for line in lines {
            self.console.line(line);
        }
        self.console.line(format!(
            "sum of all accounts at block {}: {} OPEN, as at genesis, to the planck",
            balances.block,
            amount(&balances.total)?
        ));
        Ok(())
    }

    /// The accounts, the reviewers as one line after the others: so many lines would hide the rest. The report
    /// has them all.
    fn with_reviewers_as_one(&self, balances: &report::Balances) -> Result<Vec<report::Balance>> {
        let is_reviewer = |account: &report::Balance| {
            self.people.reviewers.iter().any(|reviewer| reviewer.name == account.name)
        };
        let (reviewers, mut others): (Vec<_>, Vec<_>) =
            balances.accounts.iter().cloned().partition(is_reviewer);
        let sum = |of: fn(&report::Balance) -> &String| -> Result<String> {
            let amounts = reviewers.iter().map(|reviewer| {
                let amount: i128 = of(reviewer).parse().map_err(|_| not_an_amount(of(reviewer)))?;
                Ok(amount)
            });
            Ok(amounts.sum::<Result<i128>>()?.to_string())
        };
        let mut because: Vec<(String, i128)> = Vec::new();
        for cause in reviewers.iter().flat_map(|reviewer| &reviewer.because) {
            let amount: i128 = cause.amount.parse().map_err(|_| not_an_amount(&cause.amount))?;
            let what = if cause.what.starts_with("fees of") { "fees" } else { &cause.what };
            match because.iter_mut().find(|(known, _)| known == what) {
                Some((_, sum)) => *sum += amount,
                None => because.push((what.to_owned(), amount)),
            }
        }
        others.push(report::Balance {
            name: format!("{} reviewers", reviewers.len()),
            account: String::new(),
            genesis: sum(|one| &one.genesis)?,
            free: sum(|one| &one.free)?,
            held: sum(|one| &one.held)?,
            change: sum(|one| &one.change)?,
            because: because
                .into_iter()
                .map(|(what, amount)| report::Cause { what, amount: amount.to_string() })
                .collect(),
        });
        Ok(others)
    }
}

fn not_an_amount(text: &str) -> Error {
    Error::broken("the balance sheet", format!("{text:?} is not an amount"))
}
