//! The text that is signed.

use openledger_client::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

/// A text to sign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// What is signed, between `<Bytes>` and `</Bytes>`, byte for byte.
    pub message: String,
    /// Good for one session.
    pub nonce: String,
    /// Last moment for it, in milliseconds since 1970.
    pub expires_at: i64,
}

/// The text: who asks, on which chain, for whom, what for, once, and until when.
pub fn text(
    origin: &str,
    genesis: &[u8; 32],
    account: &AccountId,
    nonce: &str,
    expires: i64,
) -> String {
    format!(
        "Upload files to OpenLedger from this page. Nothing is paid and no transaction is sent.\n\n\
         Origin: {origin}\n\
         Genesis: {}\n\
         Account: {account}\n\
         Purpose: upload\n\
         Nonce: {nonce}\n\
         Expires: {}",
        hex::encode(genesis),
        moment(expires)
    )
}

/// `2026-11-29T08:15:30Z`, of milliseconds since 1970.
fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant's `civil_from_days`: years begin in March, so that leap days end them.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
