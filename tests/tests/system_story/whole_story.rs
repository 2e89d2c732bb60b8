//! The whole story with a small training budget: as it should go, with the node restarted in the
//! middle of training, with the worker killed while it trains, and with an adapter trained further.

use super::{binaries, model, Folder};
use crate::alone;
use openledger_tests::{Fault, Story, StoryOptions};

/// Every part checks itself; that each job was paid once and that nothing was lost is what the
/// balance sheet of [`Story::run`] proves to the planck, after all four jobs.
#[test]
fn files_become_paid_adapters_though_the_node_restarts_and_the_worker_is_killed() {
    let _turn = alone();
    let folder = Folder::new();
    let faults = [None, Some(Fault::RestartNode), Some(Fault::KillWorker)];
    let options = StoryOptions::small(&faults).then_refining();
    let mut story = Story::start(options, binaries(), &model(), folder.path())
        .unwrap_or_else(|error| panic!("{error}"));
    story.run().unwrap_or_else(|error| panic!("{error}"));

    let report = story.report();
    assert!(report.passed);
    assert_eq!(report.jobs.len(), 4);
    for job in &report.jobs {
        assert!(job.eval_loss.before.is_finite() && job.eval_loss.after.is_finite(), "{job:?}");
    }
    // Training is defined arithmetic: neither a restart nor a kill changes the adapter by one bit.
    let hashes: Vec<&str> = report.jobs.iter().map(|job| job.adapter.sha256.as_str()).collect();
    assert!(hashes[..3].iter().all(|hash| *hash == hashes[0]), "the adapters differ: {hashes:?}");
    // The last one goes on where the first one ended.
    assert_ne!(hashes[3], hashes[0]);
    assert_eq!(report.jobs[3].eval_loss.before, report.jobs[0].eval_loss.after);
    // Six texts, a picture and a melody, and a text that strangers judged.
    assert_eq!(report.counts.accepted, 9);
    assert_eq!((report.counts.rejected, report.counts.refused), (2, 2));
    // Five were drawn, and of one file fifteen others had the last word.
    let committee = report.committee.as_ref().expect("a committee judged");
    assert_eq!((committee.members.len(), committee.larger_members.len()), (5, 15));
    assert!(!committee.larger_members.iter().any(|one| committee.members.contains(one)));
    let file = |name: &str| report.files.iter().find(|file| file.name == name).expect(name);
    assert_eq!(file("sourdough.md").outcome, "accepted");
    assert_eq!(file("timetable.txt").reason.as_deref(), Some("off-topic"));
    let shares: u64 = report.attribution.iter().map(|share| share.share).sum();
    assert_eq!(shares, openledger_primitives::PARTS);
}
