//! Members who say what the test has them say. No program of ours says what some of them do, so this signs for them.

use openledger_client::{committee::seal, AccountId, Client, Signer, Wait, H256};
use openledger_primitives::{
    committee::{api::DrawView, possession, DrawId, Opinion, Opinions, Phase, Progress},
    FileHash, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a file, by its bytes and by what is wrong with it.
pub(crate) type Words = fn(&DrawView<AccountId>, &[u8], Option<&str>) -> Verdict;

const SALT: [u8; 32] = [7; 32];

/// A member.
pub(crate) struct Member {
    pub(crate) signer: Signer,
    words: Words,
    done: BTreeSet<(DrawId, bool)>,
}

/// What it is a member's turn to do.
pub(crate) enum Turn {
    Commit(DrawId, H256),
    Reveal(DrawId, Opinions),
}

impl Turn {
    /// Does it.
    pub(crate) async fn send(
        self,
        client: &Client,
        signer: Signer,
    ) -> Result<(), openledger_client::ClientError> {
        match self {
            Self::Commit(draw, sealed) => {
                client.commit_opinions(&signer, draw, sealed, Wait::InBlock).await.map(drop)
            }
            Self::Reveal(draw, opinions) => {
                let sent = client.reveal_opinions(&signer, draw, &opinions, &SALT, Wait::InBlock);
                sent.await.map(drop)
            }
        }
    }
}

impl Member {
    pub(crate) fn new(signer: Signer, words: Words) -> Self {
        Self { signer, words, done: BTreeSet::new() }
    }

    /// What it is its turn to do in a draw, once.
    pub(crate) fn turn(
        &mut self,
        view: &DrawView<AccountId>,
        files: &BTreeMap<FileHash, (Vec<u8>, Option<&'static str>)>,
    ) -> Option<(Signer, Turn)> {
        let account = self.signer.account();
        let me = view.draw.members.iter().find(|member| member.account == account)?;
        let opinions = || {
            let mut opinions = Opinions::default();
            for file in &view.draw.files {
                let (bytes, fault) = &files[&file.sha256];
                let possession = possession(&view.draw.seed, bytes);
                let verdict = (self.words)(view, bytes, *fault);
                opinions.try_push(Opinion { verdict, possession }).expect("as many as files");
            }
            opinions
        };
        let (reveals, turn) = match (view.draw.phase, me.progress) {
            (Phase::Committing { .. }, Progress::Drawn) => {
                let sealed = seal(view.id, &view.draw.seed, &account, &opinions(), &SALT);
                (false, Turn::Commit(view.id, sealed))
            }
            (Phase::Revealing { .. }, Progress::Committed(_)) => {
                (true, Turn::Reveal(view.id, opinions()))
            }
            _ => return None,
        };
        self.done.insert((view.id, reveals)).then(|| (self.signer.clone(), turn))
    }
}
