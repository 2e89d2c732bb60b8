//! Drawn committees on chain: seats, draws, votes, challenges and money.

mod attacks;
mod calls;
mod challenged;
mod draws;
mod outcomes;
mod random;
mod seats;
mod serving;
mod state;
mod story;
mod weights;
