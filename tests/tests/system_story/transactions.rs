//! Calls of one account, many at once: each counts once, whatever happens to node and pool.

use crate::{binaries, light, Folder};
use codec::Encode;
use openledger_client::{AccountId, Client, Receipt, Result, Settings, Signer, Wait};
use openledger_primitives::{Balance, OPEN};
use openledger_tests::{interrupt::poll, sign::sign_with_tip, Network};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring;
use std::{collections::BTreeSet, time::Duration};
use tokio::{runtime::Runtime, task::JoinSet};

/// Generous: how long a machine takes is not what is tested.
const PATIENCE: Duration = Duration::from_secs(600);

/// As on a network that is not for development: a pool takes what it dropped only half an hour later.
const BAN: [&str; 2] = ["--tx-ban-seconds", "1800"];

/// Calls that were begun: what each pays, and how it ended.
type Calls = JoinSet<(Balance, Result<Receipt>)>;

/// A node, and who sends to it.
struct Scene {
    network: Network,
    runtime: Runtime,
    client: Client,
    // Dropped last.
    _folder: Folder,
}

impl Scene {
    fn start() -> Self {
        let folder = Folder::new();
        let network = Network::start(binaries(), folder.path(), false)
            .unwrap_or_else(|error| panic!("{error}"));
        let runtime = Runtime::new().expect("a runtime");
        let client = connect(&runtime, &network);
        Self { network, runtime, client, _folder: folder }
    }

    /// The account's next number, and that of its next transaction with what waits in the pool.
    fn numbers(&self, who: &Signer) -> (u64, u64) {
        let balance = self.runtime.block_on(self.client.balance(who.account()));
        let next = self.network.call("system_accountNextIndex", json!([who.account().to_string()]));
        let next = next.unwrap_or_else(|error| panic!("{error}")).as_u64().expect("a number");
        (balance.unwrap_or_else(|error| panic!("{error}")).nonce.into(), next)
    }

    /// An account that has 1 OPEN, for the calls of one test.
    fn payee(&self, number: u8) -> AccountId {
        let (ferdie, payee) = (signer("//Ferdie"), AccountId::from([number; 32]));
        let paid = self.client.transfer(&ferdie, payee, OPEN, Wait::InBlock);
        self.runtime.block_on(paid).unwrap_or_else(|error| panic!("{error}"));
        payee
    }

    /// Begins calls that pay 1, 2, 3, … plancks, from `first` to `last`.
    fn begin(
        &self,
        calls: &mut Calls,
        (client, who, payee): (&Client, &Signer, AccountId),
        (first, last): (Balance, Balance),
    ) {
        for amount in first..=last {
            let (client, who) = (client.clone(), who.clone());
            // Finalised: what a killed node forgets is not what is tested.
            let call = async move { client.transfer(&who, payee, amount, Wait::Finalised).await };
            calls.spawn_on(async move { (amount, call.await) }, self.runtime.handle());
        }
    }

    /// All have ended well, each in a place of its own, and the payee has what they paid: none counted twice.
    fn all_count_once(&self, calls: Calls, payee: AccountId, more: Balance) {
        let ended = self.runtime.block_on(calls.join_all());
        let failed: Vec<String> = ended
            .iter()
            .filter_map(|(amount, end)| Some(format!("{amount}: {}", end.as_ref().err()?)))
            .collect();
        let places: BTreeSet<_> = ended
            .iter()
            .filter_map(|(_, end)| end.as_ref().ok())
            .map(|receipt| receipt.extrinsic_hash.0)
            .collect();
        let counted: Balance =
            ended.iter().filter(|(_, end)| end.is_ok()).map(|(amount, _)| amount).sum();
        let has = self.runtime.block_on(self.client.balance(payee));
        let has = has.unwrap_or_else(|error| panic!("{error}")).free - OPEN;
        assert_eq!(has, counted + more, "calls counted twice, or though they failed: {failed:#?}");
        assert_eq!(failed, Vec::<String>::new());
        assert_eq!(places.len(), ended.len());
    }
}

fn connect(runtime: &Runtime, network: &Network) -> Client {
    let settings = Settings { transaction: PATIENCE, ..Settings::new(network.url()) };
    let settings = Settings { reconnection: PATIENCE, ..settings };
    runtime.block_on(Client::connect(settings)).unwrap_or_else(|error| panic!("{error}"))
}

fn signer(secret: &str) -> Signer {
    Signer::from_secret(secret).expect("a development key")
}

/// One node for all of it: a start takes longer than most of these.
#[test]
fn every_call_of_an_account_counts_once() {
    let _turn = light();
    let mut scene = Scene::start();
    fifty_calls_through_one_client(&scene);
    twenty_calls_each_through_two_clients(&scene);
    a_call_whose_place_in_the_pool_another_takes(&scene);
    calls_in_flight_when_the_node_is_killed(&mut scene);
    more_calls_than_the_pool_has_room_for(&mut scene);
}

fn fifty_calls_through_one_client(scene: &Scene) {
    let (alice, payee, mut calls) = (signer("//Alice"), scene.payee(1), Calls::new());
    let (before, _) = scene.numbers(&alice);
    scene.begin(&mut calls, (&scene.client, &alice, payee), (1, 50));
    scene.all_count_once(calls, payee, 0);
    assert_eq!(scene.numbers(&alice).0, before + 50, "numbers were left out");
}

fn twenty_calls_each_through_two_clients(scene: &Scene) {
    let (alice, payee, mut calls) = (signer("//Alice"), scene.payee(2), Calls::new());
    let other = connect(&scene.runtime, &scene.network);
    let (before, _) = scene.numbers(&alice);
    scene.begin(&mut calls, (&scene.client, &alice, payee), (1, 20));
    scene.begin(&mut calls, (&other, &alice, payee), (21, 40));
    scene.all_count_once(calls, payee, 0);
    assert_eq!(scene.numbers(&alice).0, before + 40, "numbers were left out");
}

fn a_call_whose_place_in_the_pool_another_takes(scene: &Scene) {
    const MORE: Balance = 1_000;
    let (bob, payee) = (signer("//Bob"), scene.payee(3));
    let genesis = scene.runtime.block_on(scene.client.genesis());
    let genesis = genesis.unwrap_or_else(|error| panic!("{error}")).0.into();
    let mut calls = Calls::new();
    // A block may come between the two: then once more.
    for amount in 1..=20 {
        let (_, number) = scene.numbers(&bob);
        scene.begin(&mut calls, (&scene.client, &bob, payee), (amount, amount));
        let waits = || Ok((scene.numbers(&bob).1 > number).then_some(()));
        let waits = poll(PATIENCE, Duration::from_millis(10), waits);
        waits.unwrap_or_else(|error| panic!("{error}")).expect("it comes into the pool");
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: sp_core::crypto::AccountId32::from(payee.0).into(),
            value: MORE,
        };
        let (pair, nonce) = (Sr25519Keyring::Bob.pair(), number.try_into().expect("small"));
        let bytes = sign_with_tip(genesis, &pair, nonce, OPEN, call.into(), None).encode();
        let hex = sp_core::bytes::to_hex(&bytes, false);
        match scene.network.rpc().call("author_submitExtrinsic", json!([hex])) {
            Ok(Value::String(_)) => return scene.all_count_once(calls, payee, MORE),
            answer => println!("not this time: {answer:?}"),
        }
    }
    panic!("a block came between twenty times");
}

fn calls_in_flight_when_the_node_is_killed(scene: &mut Scene) {
    let (alice, payee, mut calls) = (signer("//Alice"), scene.payee(4), Calls::new());
    let (before, _) = scene.numbers(&alice);
    scene.begin(&mut calls, (&scene.client, &alice, payee), (1, 20));
    let all = || Ok((scene.numbers(&alice).1 >= before + 20).then_some(()));
    let all = poll(PATIENCE, Duration::from_millis(10), all);
    all.unwrap_or_else(|error| panic!("{error}")).expect("they come into the pool");
    scene.network.kill_node();
    // Of these the node that comes back hears first: their numbers are those of the ones that it forgot.
    scene.begin(&mut calls, (&scene.client, &alice, payee), (21, 30));
    scene.network.revive_node(&BAN).unwrap_or_else(|error| panic!("{error}"));
    scene.all_count_once(calls, payee, 0);
    assert_eq!(scene.numbers(&alice).0, before + 30, "numbers were left out");
}

fn more_calls_than_the_pool_has_room_for(scene: &mut Scene) {
    scene.network.kill_node();
    scene
        .network
        .revive_node(&[&BAN[..], &["--pool-limit", "8"]].concat())
        .unwrap_or_else(|error| panic!("{error}"));
    let (alice, payee, mut calls) = (signer("//Alice"), scene.payee(5), Calls::new());
    let (before, _) = scene.numbers(&alice);
    scene.begin(&mut calls, (&scene.client, &alice, payee), (1, 40));
    scene.all_count_once(calls, payee, 0);
    assert_eq!(scene.numbers(&alice).0, before + 40, "numbers were left out");
}
