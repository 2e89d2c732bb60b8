//! The daily quota's edges, through the command line.

use super::Chain;
use crate::light;
use openledger_primitives::{QuotaLimits, RefusalRule};
use openledger_tests::story::{check_refusal, submit};
use serde_json::json;

#[test]
fn twenty_files_pass_and_the_next_one_is_refused_in_words() {
    let _turn = light();
    let chain = Chain::start();
    let charlie = chain.contributor("Charlie");
    let files: Vec<_> = (0..21).map(|seed| chain.file(seed, 100 + seed)).collect();

    let sent = chain.run(&charlie, &submit(&chain.datanet, &files[..20]));
    assert_eq!(sent["submissions"].as_array().map(Vec::len), Some(20), "{sent}");
    assert_eq!(sent["fee"], "0", "a submission within the quota costs no fee");

    let refused = chain
        .cli
        .refused(&charlie, &submit(&chain.datanet, &files[20..]))
        .unwrap_or_else(|error| panic!("{error}"));
    check_refusal("file 21", &refused, RefusalRule::DailyFiles)
        .unwrap_or_else(|error| panic!("{error}"));
    let said = "at most 20 files a UTC day, and this would make 21";
    assert!(refused.message.contains(said), "{}", refused.message);
    let quota = chain.quota(&charlie);
    assert_eq!(quota["filesUsed"], 20, "the refusal used up quota: {quota}");
}

#[test]
fn ten_mebibytes_pass_and_one_byte_more_is_refused_in_words() {
    let _turn = light();
    let chain = Chain::start();
    let limit = usize::try_from(QuotaLimits::ACCOUNT.bytes).expect("it fits");
    assert_eq!(limit, 10 * 1024 * 1024);

    let dave = chain.contributor("Dave");
    let too_large = [chain.file(1, limit + 1)];
    let refused = chain
        .cli
        .refused(&dave, &submit(&chain.datanet, &too_large))
        .unwrap_or_else(|error| panic!("{error}"));
    check_refusal("10 MiB and a byte", &refused, RefusalRule::DailyBytes)
        .unwrap_or_else(|error| panic!("{error}"));
    for number in [(limit + 1).to_string(), limit.to_string()] {
        assert!(refused.message.contains(&number), "{number} is not named: {}", refused.message);
    }

    let largest = [chain.file(2, limit)];
    let sent = chain.run(&dave, &submit(&chain.datanet, &largest));
    assert_eq!(sent["submissions"][0]["size"], limit, "{sent}");
    assert_eq!(chain.quota(&dave)["bytesUsed"], limit);

    let one_byte = [chain.file(3, 1)];
    let refused = chain
        .cli
        .refused(&dave, &submit(&chain.datanet, &one_byte))
        .unwrap_or_else(|error| panic!("{error}"));
    check_refusal("a byte above the quota", &refused, RefusalRule::DailyBytes)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(chain.quota(&dave)["bytesUsed"], limit, "the refusal used up quota");
}

impl Chain {
    fn quota(&self, actor: &openledger_tests::Actor) -> serde_json::Value {
        self.network
            .call("openledger_quota", json!([self.address(actor)]))
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
