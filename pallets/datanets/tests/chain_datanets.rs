//! The Datanets pallet through its calls, its transaction extension and its reads.

#[path = "chain_datanets/administration.rs"]
mod administration;
#[path = "chain_datanets/committee.rs"]
mod committee;
#[path = "chain_datanets/create.rs"]
mod create;
#[path = "chain_datanets/extension.rs"]
mod extension;
#[path = "chain_datanets/invite.rs"]
mod invite;
#[path = "chain_datanets/mock.rs"]
mod mock;
#[path = "chain_datanets/precommit.rs"]
mod precommit;
#[path = "chain_datanets/quota.rs"]
mod quota;
#[path = "chain_datanets/reads.rs"]
mod reads;
#[path = "chain_datanets/refused.rs"]
mod refused;
#[path = "chain_datanets/register.rs"]
mod register;
#[path = "chain_datanets/revoke.rs"]
mod revoke;
#[path = "chain_datanets/state.rs"]
mod state;
#[path = "chain_datanets/submit.rs"]
mod submit;
#[path = "chain_datanets/verdict.rs"]
mod verdict;
#[path = "chain_datanets/versions.rs"]
mod versions;
#[path = "chain_datanets/withdraw.rs"]
mod withdraw;
