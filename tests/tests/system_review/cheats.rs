//! Members who cheat. No program of ours does what they do, so this test signs for them.

use openledger_client::{committee::seal, AccountId, Client, Signer, Wait, H256};
use openledger_documents::{measure, MediaType};
use openledger_primitives::{
    committee::{api::DrawView, possession, DrawId, Opinion, Opinions, Phase, Progress},
    FileHash, RejectionReason, Score, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a member cheats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It accepts everything and has looked at nothing.
    Lazy,
    /// It commits to what another has committed to.
    Copying,
    /// It has the files, accepts all of an accomplice's and refuses all others.
    Colluding,
}

/// A cheat.
pub(crate) struct Cheat {
    pub(crate) kind: Kind,
    pub(crate) signer: Signer,
    salts: BTreeMap<DrawId, (Opinions, [u8; 32])>,
    tried: BTreeSet<DrawId>,
}

impl Cheat {
    pub(crate) fn new(kind: Kind, signer: Signer) -> Self {
        Self { kind, signer, salts: BTreeMap::new(), tried: BTreeSet::new() }
    }

    /// Does what it does in a draw, if it is its turn.
    pub(crate) async fn step(
        &mut self,
        client: &Client,
        view: &DrawView<AccountId>,
        accomplice: &AccountId,
        files: &BTreeMap<FileHash, Vec<u8>>,
    ) {
        let account = self.signer.account();
        let members = &view.draw.members;
        let Some(me) = members.iter().find(|member| member.account == account) else { return };
        match (view.draw.phase, me.progress) {
            (Phase::Committing { .. }, Progress::Drawn) => {
                let sealed = match self.kind {
                    Kind::Copying => {
                        let other = members.iter().find_map(|member| match member.progress {
                            Progress::Committed(sealed) => Some(H256(sealed.0)),
                            _ => None,
                        });
                        let Some(other) = other else { return };
                        other
                    }
                    Kind::Lazy | Kind::Colluding => {
                        let opinions = self.opinions(view, accomplice, files);
                        let salt = [7; 32];
                        let sealed = seal(view.id, &view.draw.seed, &account, &opinions, &salt);
                        self.salts.insert(view.id, (opinions, salt));
                        sealed
                    }
                };
                // Too late or twice: the next look tells.
                let sent = client.commit_opinions(&self.signer, view.id, sealed, Wait::InBlock);
                let _ = sent.await;
            }
            (Phase::Revealing { .. }, Progress::Committed(_)) => {
                if let Some((opinions, salt)) = self.salts.get(&view.id) {
                    let sent = client.reveal_opinions(
                        &self.signer,
                        view.id,
                        opinions,
                        salt,
                        Wait::InBlock,
                    );
                    let _ = sent.await;
                } else if self.tried.insert(view.id) {
                    // What another has shown opens the other's commitment alone.
                    let opinions = self.opinions(view, accomplice, files);
                    let sent = client.reveal_opinions(
                        &self.signer,
                        view.id,
                        &opinions,
                        &[7; 32],
                        Wait::InBlock,
                    );
                    assert!(sent.await.is_err(), "a copied commitment was opened");
                }
            }
            _ => {}
        }
    }

    fn opinions(
        &self,
        view: &DrawView<AccountId>,
        accomplice: &AccountId,
        files: &BTreeMap<FileHash, Vec<u8>>,
    ) -> Opinions {
        let score = Score::new(90).expect("a score");
        let mut opinions = Opinions::default();
        for file in &view.draw.files {
            let accept = |units, text_root: [u8; 32]| Verdict::Accept {
                score,
                units,
                text_root: text_root.into(),
                extractor: view.draw.extractor,
            };
            let invented = || {
                let most = file.media.max_units(file.size);
                accept(view.draw.min_units.min(most), [0; 32])
            };
            let opinion = match (self.kind, files.get(&file.sha256)) {
                (Kind::Colluding, Some(bytes)) => {
                    let verdict = if view.draw.contributor == *accomplice {
                        measured(file.media, bytes)
                            .filter(|(units, _)| *units >= view.draw.min_units)
                            .map_or_else(invented, |(units, root)| accept(units, root))
                    } else {
                        Verdict::Reject(RejectionReason::LowQuality)
                    };
                    Opinion { verdict, possession: possession(&view.draw.seed, bytes) }
                }
                (Kind::Colluding, None) => Opinion::UNAVAILABLE,
                _ => Opinion { verdict: invented(), possession: [9; 32].into() },
            };
            opinions.try_push(opinion).expect("as many as files");
        }
        opinions
    }
}

fn measured(media: MediaType, bytes: &[u8]) -> Option<(u64, [u8; 32])> {
    let measured = measure(media, bytes).ok()?;
    Some((measured.units, measured.text_root))
}
