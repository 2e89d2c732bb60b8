//! Claims, and the balance sheet that explains every planck.

use super::{both, must, Story};
use crate::{
    cli::plancks,
    console::open,
    interrupt::poll,
    sheet::{self, signed, Causes, Snapshot},
    Error, Result,
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// How long a reward period may take to end: it has ten blocks on this chain.
const PERIOD: Duration = Duration::from_secs(90);
/// The treasury's and the reward pot's ids.
const TREASURY: &[u8; 8] = b"py/trsry";
const REWARDS: &[u8; 8] = b"ol/rewrd";

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
        self.claim_media()
    }

    /// Every account at genesis and now; each difference explained, the sum unchanged.
    pub(super) fn balance_sheet(&mut self) -> Result<()> {
        let end = Snapshot::read(self.network.rpc(), None)?;
        let (treasury, pot) = (sheet::pot(TREASURY), sheet::pot(REWARDS));
        let mut names =
            BTreeMap::from([(treasury, "treasury".to_owned()), (pot, "reward pot".to_owned())]);
        let mut accounts =
            BTreeMap::from([("treasury".to_owned(), treasury), ("reward pot".to_owned(), pot)]);
        for (name, address) in &self.report.accounts {
            let account = sheet::account(address)?;
            names.insert(account, name.clone());
            accounts.insert(name.clone(), account);
        }
        let change = |name: &str| -> Result<i128> {
            let account = accounts
                .get(name)
                .ok_or_else(|| Error::broken("the balance sheet", format!("no account {name}")))?;
            Ok(signed(end.of(account).total()) - signed(self.genesis.of(account).total()))
        };

        let mut causes: BTreeMap<String, Causes> = BTreeMap::new();
        let mut add = |name: &str, what: String, amount: i128| {
            causes.entry(name.to_owned()).or_default().push((what, amount));
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
        // All fees go to the author and the treasury, so what these two gained and our commands did
        // not pay are the worker's fees; its balance has to agree to the planck.
        let (author, treasury) = (change("Alice")?, change("treasury")?);
        let all = author + treasury;
        let ours: i128 = fees.values().map(|(_, sum)| signed(*sum)).sum();
        let workers = all - ours;
        must(workers > 0, || format!("the worker paid {workers} plancks of fees"))?;
        must((author - 4 * treasury).unsigned_abs() < 10_000, || {
            format!(
                "fees of {all} plancks went {author} to the author and {treasury} to the treasury"
            )
        })?;
        add("Ferdie", "fees of the worker's transactions".to_owned(), -workers);
        add("Alice", "80 % of all fees".to_owned(), author);
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
            text.parse().map(open).map_err(|_| {
                Error::broken("the balance sheet", format!("{text:?} is not an amount"))
            })
        };
        let mut rows = Vec::new();
        for account in &balances.accounts {
            rows.push(vec![
                account.name.clone(),
                amount(&account.genesis)?,
                amount(&account.free)?,
                amount(&account.held)?,
                amount(&account.change)?,
            ]);
        }
        self.console.table(&["account", "genesis", "free", "held", "difference"], &rows);
        for account in &balances.accounts {
            for cause in &account.because {
                self.console.line(format!(
                    "{}: {} {}",
                    account.name,
                    amount(&cause.amount)?,
                    cause.what
                ));
            }
        }
        self.console.line(format!(
            "sum of all accounts at block {}: {} OPEN, as at genesis, to the planck",
            balances.block,
            amount(&balances.total)?
        ));
        Ok(())
    }
}
