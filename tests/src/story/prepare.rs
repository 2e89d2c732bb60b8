//! Accounts, the Datanet and its pool, the contributors' registration.

use super::{both, committee::FIRST_OPEN, must, People, Story};
use crate::{
    cli::{number, plancks, text, Actor},
    console::{open, short},
    network::Network,
    sheet, Result,
};
use openledger_primitives::{EXISTENTIAL_DEPOSIT, OPEN};
use sp_core::{sr25519, Pair};

/// What Ada gets to register herself and to pay her fees.
const ADAS_START: u128 = 5 * OPEN;
/// Least and most units, bytes of canonical text, of a file.
const UNITS: (u64, u64) = (200, 100_000);

/// Strangers with a seat each. A larger committee has fifteen members beside the first one's five, and only
/// where 25 accounts have seats do verdicts count beyond their Datanet.
const REVIEWERS: [&str; 25] = [
    "Amir", "Bela", "Cora", "Dina", "Emil", "Gita", "Hugo", "Ines", "Jona", "Kira", "Liam", "Mona",
    "Nils", "Olga", "Paul", "Quin", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim", "Xena", "Yara",
    "Zeno",
];
/// What Charlie gives to each of them, for a seat, a challenge and fees; to Cleo, and to Mia.
pub(super) const STRANGERS_START: u128 = 120 * OPEN;

/// Starts everyone's IPFS node; the curators' know the contributors', as they would in life.
pub(super) fn people(network: &mut Network) -> Result<People> {
    let ada = network.start_daemon("ada", &[])?;
    let (ada_directory, ada_addresses) = (ada.directory.clone(), ada.addresses.clone());
    let ben = network.start_daemon("ben", &[])?;
    let (ben_directory, ben_addresses) = (ben.directory.clone(), ben.addresses.clone());
    // Files that people upload in the web app are served by the gateway.
    let contributors = [ada_addresses, ben_addresses, vec![network.gateway_address()]].concat();
    let charlie = network.start_daemon("charlie", &contributors)?.directory.clone();
    let dave = network.start_daemon("dave", &contributors)?.directory.clone();
    let eve = network.start_daemon("eve", &[])?.directory.clone();
    let cleo = network.start_daemon("cleo", &[])?;
    let (cleo_directory, cleo_addresses) = (cleo.directory.clone(), cleo.addresses.clone());
    let stores = network.directory().join("ipfs").join("reviewers");
    let reviewer = |name: &&'static str| {
        Actor::new(name, format!("//{name}"))
            .with_ipfs(&stores.join(name.to_lowercase()))
            .with_peers(&cleo_addresses)
    };
    let worker = [network.worker_address()];
    Ok(People {
        bob: Actor::new("Bob", "//Bob"),
        charlie: Actor::new("Charlie", "//Charlie").with_ipfs(&charlie).with_peers(&contributors),
        dave: Actor::new("Dave", "//Dave").with_ipfs(&dave).with_peers(&contributors),
        eve: Actor::new("Eve", "//Eve").with_ipfs(&eve).with_peers(&worker),
        ferdie: Actor::new("Ferdie", "//Ferdie"),
        ada: Actor::new("Ada", "ada").with_ipfs(&ada_directory),
        ben: Actor::new("Ben", "ben").with_ipfs(&ben_directory),
        cleo: Actor::new("Cleo", "//Cleo").with_ipfs(&cleo_directory),
        mia: Actor::new("Mia", "//Mia"),
        reviewers: REVIEWERS.iter().map(reviewer).collect(),
    })
}

/// Starts the gateway, which fetches from everyone. Its faucet gives Alice's OPEN: she plays no part.
pub(super) fn gateway(network: &mut Network) -> Result<u16> {
    let mut peers = vec![network.worker_address()];
    for name in ["ada", "ben", "charlie", "cleo", "dave", "eve"] {
        peers.extend(network.daemon(name)?.addresses.clone());
    }
    network.start_gateway("//Alice", &peers)
}

impl Story {
    /// Who takes part, a Datanet with two curators, and two contributors: one pays for herself, the
    /// other has no OPEN and a sponsor.
    pub(super) fn prepare(&mut self) -> Result<()> {
        self.accounts()?;
        let (ada, ben) = (self.address("Ada")?, self.address("Ben")?);
        let people = self.people.clone();
        let cli = &self.cli;

        let amount = format!("{}OPEN", ADAS_START / OPEN);
        both(
            || {
                let to = ["account", "transfer", "--to", &ada, "--amount", &amount];
                cli.run(&people.bob, &[&to[..], &["--wait", "in-block"]].concat())
            },
            || {
                both(
                    || cli.run(&people.eve, &["contributor", "register-for", &ben]),
                    || self.pay_strangers(),
                )
            },
        )?;
        let (charlie, dave) = (self.address("Charlie")?, self.address("Dave")?);
        let (least, most) = (UNITS.0.to_string(), UNITS.1.to_string());
        let (created, _) = both(
            || {
                let name = "Questions about OpenLedger";
                let create = ["datanet", "create", "--name", name, "--modality", "text"];
                let units = ["--min-units", &least, "--max-units", &most];
                let curators = ["--curator", &charlie, "--curator", &dave, "--threshold", "2"];
                cli.run(&people.bob, &[&create[..], &units[..], &curators[..]].concat())
            },
            || both(|| cli.run(&people.ada, &["contributor", "register"]), || self.take_seats()),
        )?;
        self.datanet = number(&created, "/datanet")?;
        self.report.datanet = Some(self.datanet);
        self.pay("Bob", "Ada", "given to Ada", ADAS_START);
        let strangers: Vec<_> = self.strangers().map(|stranger| stranger.name).collect();
        for name in strangers {
            self.pay("Charlie", name, FIRST_OPEN, STRANGERS_START);
        }
        self.pay("Eve", "Ben", "existential deposit for Ben", EXISTENTIAL_DEPOSIT);

        let before = self.cli.run(&people.ben, &["account", "show"])?;
        must(plancks(&before, "/free")? == EXISTENTIAL_DEPOSIT, || {
            format!("Ben should have no more than the existential deposit: {before}")
        })?;
        self.console.line(format!(
            "Datanet {}: text, {} to {} bytes a file, curators Charlie and Dave, both must agree",
            self.datanet, UNITS.0, UNITS.1
        ));
        self.console.line("Ada (new key, 5 OPEN from Bob) registered as contributor");
        self.console.line(format!(
            "Ben (new key, never had OPEN) registered by Eve, who holds his stake; he has {} OPEN",
            open(sheet::signed(EXISTENTIAL_DEPOSIT))
        ));
        self.console.line(format!(
            "{} strangers (120 OPEN each from Charlie, in one transaction) bonded a seat of 100 OPEN each",
            people.reviewers.len()
        ));
        Ok(())
    }

    /// Makes the contributors' keys and reads everyone's address.
    fn accounts(&mut self) -> Result<()> {
        let nobody = Actor::new("nobody", "");
        for name in ["ada", "ben"] {
            self.cli.run(&nobody, &["account", "new", name])?;
        }
        let people = self.people.clone();
        let alice = Actor::new("Alice", "//Alice");
        let everyone = [
            &alice,
            &people.bob,
            &people.charlie,
            &people.dave,
            &people.eve,
            &people.ferdie,
            &people.ada,
            &people.ben,
        ];
        let addresses = std::thread::scope(|scope| {
            let asked: Vec<_> = everyone
                .iter()
                .map(|actor| scope.spawn(|| self.cli.run(actor, &["account", "show"])))
                .collect();
            asked
                .into_iter()
                .map(|answer| {
                    answer.join().unwrap_or_else(|_| {
                        Err(crate::Error::broken("the story", "one of its threads panicked"))
                    })
                })
                .collect::<Result<Vec<_>>>()
        })?;
        for (actor, answer) in everyone.iter().zip(&addresses) {
            self.report.accounts.insert(actor.name.to_owned(), text(answer, "/account")?);
        }
        let strangers =
            self.strangers().map(|one| Ok((one.name.to_owned(), address_of(&one.key)?)));
        let strangers = strangers.collect::<Result<Vec<_>>>()?;
        self.report.accounts.extend(strangers);
        let roles = [
            ("Alice", "makes the blocks"),
            ("Bob", "owns the Datanet and pays into its reward pool"),
            ("Charlie", "curator; gives strangers their first OPEN"),
            ("Dave", "curator"),
            ("Eve", "sponsors Ben, registers the base model, pays for training"),
            ("Ferdie", "runs the worker"),
            ("Ada", "contributor"),
            ("Ben", "contributor"),
            ("Cleo", "contributor to a Datanet that strangers judge"),
            ("Mia", "owns that Datanet and pays its reviewers"),
        ];
        let rows: Vec<Vec<String>> = roles
            .iter()
            .map(|(name, role)| {
                Ok(vec![(*name).to_owned(), short(&self.address(name)?), (*role).to_owned()])
            })
            .collect::<Result<_>>()?;
        self.console.table(&["who", "account", "part"], &rows);
        Ok(())
    }
}

/// The address of a development key.
fn address_of(key: &str) -> Result<String> {
    let pair = sr25519::Pair::from_string(key, None).map_err(|cause| {
        crate::Error::broken("the story", format!("{key:?} is no key: {cause:?}"))
    })?;
    Ok(sheet::address(&pair.public().0))
}
