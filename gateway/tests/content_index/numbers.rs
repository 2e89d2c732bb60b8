//! Numbers and words of strangers, at every address that takes some.

use super::common::Served;
use openledger_client::blocks::DatanetRecord;
use openledger_gateway::index::planted::{Maker, Plan};
use openledger_gateway::server::description;

/// Numbers at which one kind of integer ends.
const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
];

#[tokio::test]
async fn no_number_in_an_address_is_an_error_of_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.index(&Maker::blocks(Plan::SMALL, 20)).await;
    let described = description();
    let mut asked = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        let Some(get) = methods.get("get").filter(|_| !path.ends_with("/stream")) else { continue };
        let empty = Vec::new();
        let parameters = get["parameters"].as_array().unwrap_or(&empty);
        let query: Vec<_> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        for number in NUMBERS {
            let mut filled = path.clone();
            while let (Some(begin), Some(end)) = (filled.find('{'), filled.find('}')) {
                filled.replace_range(begin..=end, number);
            }
            let mut asks = vec![filled.clone()];
            let of_one = filled.replace(number, "0");
            asks.extend(query.iter().map(|name| format!("{of_one}?{name}={number}")));
            asks.extend(
                query.iter().map(|name| format!("{of_one}?{name}=%00%27%22%3Cb%3E%f0%9f%92%a9")),
            );
            for ask in asks {
                let answer = served.ask(&ask).await;
                assert!(answer.status != 500, "{ask}: {}", String::from_utf8_lossy(&answer.body));
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked}");
}

#[tokio::test]
async fn a_name_that_is_a_page_is_a_text_within_json() {
    const SCRIPT: &str = "</script><script>alert(1)</script>\"'\\ \u{2028}";
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut blocks = Maker::blocks(Plan::SMALL, 12);
    let DatanetRecord { name, .. } = &mut blocks[1].changed.datanets[0];
    SCRIPT.clone_into(name);
    served.index(&blocks).await;
    let search = "/v1/search?q=script".to_owned();
    for path in [
        "/v1/datanets/0".to_owned(),
        "/v1/datanets".to_owned(),
        "/v1/submissions/0".to_owned(),
        search,
    ] {
        let answer = served.ask(&path).await;
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert!(answer.json().to_string().contains("alert(1)"), "{path}");
        let text = String::from_utf8(answer.body).unwrap();
        assert!(!text.contains("script>\"") && text.contains("script>\\\""), "{path}: {text}");
    }
    assert_eq!(served.get("/v1/datanets/0").await["name"], SCRIPT);
    let refused = served.ask("/v1/datanets?modality=%3Cscript%3E").await;
    assert_eq!(refused.header("content-type"), Some("application/json"));
    assert_eq!(refused.status, 400);
}
